//! Data keys under an RSA key in KMS: encrypted here with its public half, decrypted there.

use std::sync::{Arc, OnceLock};

use crypto::SecretBytes;
use crypto::rsa::{Padding, RsaPublicKey};
use crypto::{CryptoError, constant_time_eq, sha384};

use super::{Attempts, KeyFailure, KeyFailureReason, Keyring, Pending, Unwrapped, Unwrapping, Wrapping, data_key};
use crate::kms::{Decrypt, Decrypted, GetPublicKey, KeyArn, KmsClient, multi_region_match};
use crate::{DataKey, EncryptedDataKey, EncryptionContext};

const PROVIDER: &str = "aws-kms-rsa";

const SIGNED: &str =
    "it takes no signed suite: its public key lets anybody encrypt, so a signature would prove nothing";

/// The shortest key that is used, in bits: shorter ones have no room for the context's digest.
const BITS_MIN: usize = 2048;

/// An RSA key in KMS, named by its ARN.
///
/// The encryption context is bound to the data key by its digest. Signed algorithm suites are refused.
///
/// Source: AWS Encryption SDK Specification, AWS KMS RSA Keyring.
pub struct KmsRsaKeyring {
    client: Option<Arc<dyn KmsClient>>,
    key_id: String,
    algorithm: &'static str,
    padding: Padding,
    public: OnceLock<RsaPublicKey>,
    grant_tokens: Vec<String>,
}

impl KmsRsaKeyring {
    /// A keyring of the key with the ARN `key_id`, with OAEP by SHA-256. To encrypt it asks for the public key once.
    pub fn new(client: Arc<dyn KmsClient>, key_id: impl Into<String>) -> Self {
        Self { client: Some(client), ..Self::without_client(key_id.into()) }
    }

    /// A keyring that encrypts without any call, under a public key as a SubjectPublicKeyInfo in PEM or DER.
    ///
    /// # Errors
    /// [`CryptoError::Key`], [`CryptoError::Length`] for one of less than 2048 bits.
    pub fn for_encryption(key_id: impl Into<String>, public_key: &[u8]) -> Result<Self, CryptoError> {
        Self::without_client(key_id.into()).with_public_key(public_key)
    }

    const fn without_client(key_id: String) -> Self {
        Self {
            client: None,
            key_id,
            algorithm: "RSAES_OAEP_SHA_256",
            padding: Padding::OaepSha256,
            public: OnceLock::new(),
            grant_tokens: Vec::new(),
        }
    }

    /// Sets the public key, a SubjectPublicKeyInfo in PEM or DER, instead of asking for it.
    ///
    /// # Errors
    /// [`CryptoError::Key`], [`CryptoError::Length`] for one of less than 2048 bits.
    pub fn with_public_key(mut self, encoded: &[u8]) -> Result<Self, CryptoError> {
        self.public = OnceLock::from(read(encoded)?);
        Ok(self)
    }

    /// Uses OAEP by SHA-1, for readers that know no better.
    #[must_use]
    pub const fn oaep_sha1(mut self) -> Self {
        self.algorithm = "RSAES_OAEP_SHA_1";
        self.padding = Padding::OaepSha1;
        self
    }

    /// Sets the grant tokens of every call.
    #[must_use]
    pub fn grant_tokens(mut self, tokens: Vec<String>) -> Self {
        self.grant_tokens = tokens;
        self
    }

    fn describe(&self) -> String {
        format!("KMS RSA key {}", self.key_id)
    }

    async fn public(&self) -> Result<&RsaPublicKey, KeyFailureReason> {
        if let Some(public) = self.public.get() {
            return Ok(public);
        }
        let client = self.client.as_ref().ok_or(KeyFailureReason::Incapable("it has no public key to encrypt with"))?;
        let request = GetPublicKey { key_id: &self.key_id, grant_tokens: &self.grant_tokens };
        let public =
            read(&client.get_public_key(request).await?).map_err(|error| KeyFailureReason::Other(error.into()))?;
        Ok(self.public.get_or_init(|| public))
    }

    async fn encrypt(&self, keys: &mut Wrapping<'_>) -> Result<EncryptedDataKey, KeyFailureReason> {
        if keys.suite().signs() {
            return Err(KeyFailureReason::Incapable(SIGNED));
        }
        let public = self.public().await?;
        let digest = digest(keys.context())?;
        let secret = SecretBytes::from([&digest, keys.data_key_or_random().expose()].concat());
        let ciphertext = public.encrypt(self.padding, secret.expose());
        Ok(EncryptedDataKey {
            provider_id: PROVIDER.to_owned(),
            provider_info: self.key_id.clone().into_bytes(),
            ciphertext: ciphertext.map_err(|error| KeyFailureReason::Other(error.into()))?,
        })
    }

    async fn decrypt(
        &self,
        client: &dyn KmsClient,
        keys: &Unwrapping<'_>,
        key: &EncryptedDataKey,
    ) -> Result<DataKey, KeyFailureReason> {
        let request = Decrypt {
            key_id: &self.key_id,
            ciphertext: &key.ciphertext,
            context: &EncryptionContext::new(),
            algorithm: Some(self.algorithm),
            grant_tokens: &self.grant_tokens,
        };
        let Decrypted { plaintext, key_id } = client.decrypt(request).await?;
        if key_id != self.key_id {
            return Err(KeyFailureReason::OtherKey { key_id });
        }
        let expected = digest(keys.context())?;
        match plaintext.expose().split_at_checked(expected.len()) {
            Some((found, secret)) if constant_time_eq(found, &expected) => {
                data_key(keys.suite(), SecretBytes::from(secret))
            }
            _ => Err(KeyFailureReason::NotAuthentic),
        }
    }
}

fn read(encoded: &[u8]) -> Result<RsaPublicKey, CryptoError> {
    let key = RsaPublicKey::read(encoded)?;
    if key.bits() < BITS_MIN { Err(CryptoError::Length { bytes: key.bits() / 8 }) } else { Ok(key) }
}

fn digest(context: &EncryptionContext) -> Result<[u8; 48], KeyFailureReason> {
    Ok(sha384(&context.serialize().map_err(|error| KeyFailureReason::Other(error.into()))?))
}

impl Keyring for KmsRsaKeyring {
    fn wrap<'a>(&'a self, keys: &'a mut Wrapping<'_>) -> Pending<'a, Result<(), KeyFailure>> {
        Box::pin(async move {
            let encrypted = self.encrypt(keys).await.map_err(|reason| KeyFailure::new(self.describe(), reason))?;
            keys.push(encrypted);
            Ok(())
        })
    }

    fn open<'a>(&'a self, keys: &'a Unwrapping<'_>) -> Pending<'a, Result<Unwrapped, Vec<KeyFailure>>> {
        Box::pin(async move {
            let mut attempts = Attempts::new(self.describe());
            let client = match &self.client {
                Some(_) if keys.suite().signs() => Err(SIGNED),
                Some(client) => Ok(client),
                None => Err("it has no client to decrypt with"),
            };
            let client = match client {
                Ok(client) => client,
                Err(what) => {
                    attempts.failed(KeyFailureReason::Incapable(what));
                    return Err(attempts.exhausted());
                }
            };
            for (index, key) in keys.of_provider(PROVIDER) {
                let text = std::str::from_utf8(&key.provider_info).unwrap_or_default();
                if KeyArn::parse_key(&key.provider_info).is_none() || !multi_region_match(&self.key_id, text) {
                    continue;
                }
                match self.decrypt(&**client, keys, key).await {
                    Ok(data_key) => return Ok(attempts.opened(index, data_key)),
                    Err(reason) => attempts.failed(reason),
                }
            }
            Err(attempts.exhausted())
        })
    }
}
