//! The operations that are replayed, each on the kind of key that it is for.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::client::{self, Credentials, call_kms};
use crate::load::Connection;

/// Signed requests are prepared in this many variants, which are replayed in turn.
pub(crate) const VARIANTS: usize = 64;

/// 32 bytes, as a data key has.
pub(crate) const PLAINTEXT: &str = "c2VhbHN0YWNrIGJlbmNobWFyayAzMiBieXRlcyAhISE=";

/// An operation on one kind of key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    GenerateDataKey,
    Encrypt,
    Decrypt,
    ReEncrypt,
    GenerateMac,
    SignP256,
    SignRsa2048,
    SignRsa4096,
    GenerateDataKeyPairRsa2048,
    CreateKey,
    PutUserPolicy,
}

impl Operation {
    /// Those that every peer has.
    pub(crate) const COMMON: [Self; 3] = [Self::GenerateDataKey, Self::Encrypt, Self::Decrypt];

    /// Those that are measured here.
    pub(crate) const OURS: [Self; 7] = [
        Self::GenerateDataKey,
        Self::Encrypt,
        Self::Decrypt,
        Self::ReEncrypt,
        Self::GenerateMac,
        Self::SignP256,
        Self::SignRsa2048,
    ];

    /// Those that change something, durably. Measured when they are named: what they make stays.
    pub(crate) const CHANGES: [Self; 2] = [Self::CreateKey, Self::PutUserPolicy];

    /// As the tables call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::GenerateDataKey => "GenerateDataKey",
            Self::Encrypt => "Encrypt",
            Self::Decrypt => "Decrypt",
            Self::ReEncrypt => "ReEncrypt",
            Self::GenerateMac => "GenerateMac",
            Self::SignP256 => "Sign P-256",
            Self::SignRsa2048 => "Sign RSA-2048",
            Self::SignRsa4096 => "Sign RSA-4096",
            Self::GenerateDataKeyPairRsa2048 => "GenerateDataKeyPair",
            Self::CreateKey => "CreateKey",
            Self::PutUserPolicy => "PutUserPolicy",
        }
    }

    /// As the protocol calls it.
    const fn target(self) -> &'static str {
        match self {
            Self::SignP256 | Self::SignRsa2048 | Self::SignRsa4096 => "Sign",
            other => other.name(),
        }
    }

    fn body(self, keys: &Keys) -> Value {
        let context = json!({"purpose": "bench"});
        match self {
            Self::GenerateDataKey => {
                json!({"KeyId": keys.symmetric, "KeySpec": "AES_256", "EncryptionContext": context})
            }
            Self::Encrypt => json!({"KeyId": keys.symmetric, "Plaintext": PLAINTEXT, "EncryptionContext": context}),
            Self::Decrypt => json!({"CiphertextBlob": keys.ciphertext, "EncryptionContext": context}),
            Self::ReEncrypt => json!({"CiphertextBlob": keys.ciphertext, "DestinationKeyId": keys.symmetric,
                "SourceEncryptionContext": context, "DestinationEncryptionContext": context}),
            Self::GenerateMac => json!({"KeyId": keys.hmac, "Message": PLAINTEXT, "MacAlgorithm": "HMAC_SHA_256"}),
            Self::SignP256 => {
                json!({"KeyId": keys.p256, "Message": PLAINTEXT, "SigningAlgorithm": "ECDSA_SHA_256"})
            }
            Self::SignRsa2048 | Self::SignRsa4096 => {
                let key = if self == Self::SignRsa2048 { &keys.rsa2048 } else { &keys.rsa4096 };
                json!({"KeyId": key, "Message": PLAINTEXT, "SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"})
            }
            Self::GenerateDataKeyPairRsa2048 => {
                json!({"KeyId": keys.symmetric, "KeyPairSpec": "RSA_2048", "EncryptionContext": context})
            }
            // Whoever calls administers no key.
            Self::CreateKey => json!({"BypassPolicyLockoutSafetyCheck": true}),
            Self::PutUserPolicy => json!({}),
        }
    }

    /// Signed requests, as bytes.
    pub(crate) fn requests(self, keys: &Keys, credentials: &Credentials, address: SocketAddr) -> Arc<Vec<Vec<u8>>> {
        if self == Self::PutUserPolicy {
            let policy = percent(&json!({"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "kms:DescribeKey", "Resource": "*"}
            ]}));
            let form = |variant| {
                format!(
                    "Action=PutUserPolicy&UserName=bench&PolicyName=changed-{}&PolicyDocument={policy}",
                    variant % 4
                )
            };
            return Arc::new((0..VARIANTS).map(|variant| client::iam(credentials, address, &form(variant))).collect());
        }
        let body = self.body(keys);
        Arc::new((0..VARIANTS).map(|_| client::kms(credentials, address, self.target(), &body)).collect())
    }
}

/// A document as a form holds it.
pub(crate) fn percent(document: &Value) -> String {
    document.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The resources of the operations.
#[derive(Default)]
pub(crate) struct Keys {
    pub(crate) symmetric: String,
    hmac: String,
    p256: String,
    rsa2048: String,
    rsa4096: String,
    /// Something encrypted under the symmetric key.
    pub(crate) ciphertext: Value,
}

impl Keys {
    /// A symmetric key, and something encrypted under it, all that the common operations need.
    pub(crate) async fn symmetric(
        connection: &mut Connection,
        credentials: &Credentials,
        address: SocketAddr,
    ) -> std::io::Result<Self> {
        let symmetric = create(connection, credentials, address, &json!({})).await?;
        let mut keys = Self { symmetric, ..Self::default() };
        let body = Operation::Encrypt.body(&keys);
        keys.ciphertext = call_kms(connection, credentials, address, "Encrypt", &body).await?["CiphertextBlob"].take();
        Ok(keys)
    }

    /// A key for each operation.
    pub(crate) async fn of_every_kind(
        connection: &mut Connection,
        credentials: &Credentials,
        address: SocketAddr,
    ) -> std::io::Result<Self> {
        let mut keys = Self::symmetric(connection, credentials, address).await?;
        for (key, spec, usage) in [
            (&mut keys.hmac, "HMAC_256", "GENERATE_VERIFY_MAC"),
            (&mut keys.p256, "ECC_NIST_P256", "SIGN_VERIFY"),
            (&mut keys.rsa2048, "RSA_2048", "SIGN_VERIFY"),
            (&mut keys.rsa4096, "RSA_4096", "SIGN_VERIFY"),
        ] {
            *key = create(connection, credentials, address, &json!({"KeySpec": spec, "KeyUsage": usage})).await?;
        }
        Ok(keys)
    }
}

async fn create(
    connection: &mut Connection,
    credentials: &Credentials,
    address: SocketAddr,
    body: &Value,
) -> std::io::Result<String> {
    let created = call_kms(connection, credentials, address, "CreateKey", body).await?;
    Ok(created["KeyMetadata"]["Arn"].as_str().unwrap_or_default().to_owned())
}
