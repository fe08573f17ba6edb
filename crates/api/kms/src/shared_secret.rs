//! Secrets shared with others: agreed on with somebody's public key, or encapsulated for a private key.

use crypto::CryptoError;
use crypto::ecdh::EcdhPublicKey;
use serde::Serialize;
use service::{AuditClass, Call, Need};
use wire::{Blob, SecretBlob};
use zeroize::Zeroizing;

use crate::Kms;
use crate::access::Found;
use crate::algorithm::{EncapsulationAlgorithm, KeyAgreementAlgorithm, check_use};
use crate::blob::BlobError;
use crate::data_key::refuse_recipient;
use crate::error::KmsError;
use crate::grant::{GrantOperation, GrantUse};
use crate::on_key::KeyOperation;
use crate::ready::{Material, PublicMaterial};
use crate::record::LiveKey;
use crate::reference::Forms;
use crate::rules::{CIPHERTEXT, EACH_GRANT_TOKEN, GRANT_TOKENS, KEY_ID, PUBLIC_KEY};
use crate::spec::{Origin, RecipientInfo};

wire::shape! {
    /// The input of `DeriveSharedSecret`.
    pub(crate) struct DeriveSharedSecretInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "KeyAgreementAlgorithm" key_agreement_algorithm: KeyAgreementAlgorithm, required, [];
        "PublicKey" public_key: Blob, required, [PUBLIC_KEY];
        "GrantTokens" grant_tokens: Vec<String>, default, [GRANT_TOKENS, EACH_GRANT_TOKEN];
        "DryRun" dry_run: bool, default, [];
        "Recipient" recipient: RecipientInfo, optional, [];
    }
}

/// The output of `DeriveSharedSecret`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DeriveSharedSecretOutput {
    key_id: String,
    shared_secret: SecretBlob,
    key_agreement_algorithm: KeyAgreementAlgorithm,
    key_origin: Origin,
}

/// Agrees on a secret with the holder of another private key: the x coordinate that both come to.
///
/// Source: AWS KMS API Reference, DeriveSharedSecret.
pub(crate) struct DeriveSharedSecret;

impl KeyOperation for DeriveSharedSecret {
    const NAME: &'static str = "DeriveSharedSecret";
    const ACTION: &'static str = "kms:DeriveSharedSecret";
    const AUDIT: AuditClass = AuditClass::Use;
    const FORMS: Forms = Forms::KeyOrAlias;
    type Input = DeriveSharedSecretInput;
    type Output = DeriveSharedSecretOutput;

    fn key_id(input: &DeriveSharedSecretInput) -> &str {
        &input.key_id
    }

    fn granted(_: &DeriveSharedSecretInput) -> Option<GrantUse<'_>> {
        Some(GrantUse::Plain(GrantOperation::DeriveSharedSecret))
    }

    fn grant_tokens(input: &DeriveSharedSecretInput) -> &[String] {
        &input.grant_tokens
    }

    fn describe<'n>(input: &'n DeriveSharedSecretInput, need: Need<'n>) -> Need<'n> {
        need.with("kms:KeyAgreementAlgorithm", input.key_agreement_algorithm.as_str())
    }

    async fn run(
        input: DeriveSharedSecretInput,
        found: Found,
        call: &Call<'_, Kms>,
    ) -> Result<DeriveSharedSecretOutput, KmsError> {
        let (key, algorithm) = (&found.key, input.key_agreement_algorithm);
        check_use(key, algorithm, Self::NAME)?;
        refuse_recipient(input.recipient.as_ref())?;
        let peer = peer(key, &input.public_key.0)?;
        if input.dry_run {
            return Err(KmsError::DryRun);
        }
        let Material::Agreeing(private) = call.service.material(key, key.current()?).await? else {
            return Err(damaged(key, &CryptoError::Key));
        };
        let secret = private.agree(&peer).map_err(|error| damaged(key, &error))?;
        Ok(DeriveSharedSecretOutput {
            key_id: key.arn.clone(),
            shared_secret: SecretBlob(Zeroizing::new(secret.expose().to_vec())),
            key_agreement_algorithm: algorithm,
            key_origin: key.record.origin,
        })
    }
}

/// The other side's public key, which must be on the key's curve and in the one encoding that AWS takes.
fn peer(key: &LiveKey, encoded: &[u8]) -> Result<EcdhPublicKey, KmsError> {
    let invalid = || KmsError::Validation(format!("The public key is not valid for key spec {}.", key.record.spec));
    let curve = key.record.spec.agreement_curve().ok_or_else(invalid)?;
    // A bare point is no SubjectPublicKeyInfo, and begins with another byte.
    let encoded = Some(encoded).filter(|encoded| encoded.first() == Some(&0x30)).ok_or_else(invalid)?;
    EcdhPublicKey::read(curve, encoded).map_err(|_| invalid())
}

fn damaged(key: &LiveKey, error: &CryptoError) -> KmsError {
    KmsError::Damaged(format!("{}: {error}", key.arn))
}

wire::shape! {
    /// The input of `Encapsulate`.
    pub(crate) struct EncapsulateInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "EncapsulationAlgorithm" encapsulation_algorithm: EncapsulationAlgorithm, required, [];
        "GrantTokens" grant_tokens: Vec<String>, default, [GRANT_TOKENS, EACH_GRANT_TOKEN];
        "DryRun" dry_run: bool, default, [];
    }
}

wire::shape! {
    /// The input of `Decapsulate`.
    pub(crate) struct DecapsulateInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "SharedSecretCiphertextBlob" ciphertext: Blob, required, [CIPHERTEXT];
        "EncapsulationAlgorithm" encapsulation_algorithm: EncapsulationAlgorithm, required, [];
        "GrantTokens" grant_tokens: Vec<String>, default, [GRANT_TOKENS, EACH_GRANT_TOKEN];
        "DryRun" dry_run: bool, default, [];
    }
}

/// The output of `Encapsulate`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct EncapsulateOutput {
    key_id: String,
    shared_secret: SecretBlob,
    shared_secret_ciphertext_blob: Blob,
    encapsulation_algorithm: EncapsulationAlgorithm,
}

/// The output of `Decapsulate`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DecapsulateOutput {
    key_id: String,
    shared_secret: SecretBlob,
    encapsulation_algorithm: EncapsulationAlgorithm,
}

/// Makes a secret, and its ciphertext for the private key.
///
/// Source: AWS KMS API Reference, Encapsulate.
pub(crate) struct Encapsulate;

impl KeyOperation for Encapsulate {
    const NAME: &'static str = "Encapsulate";
    const ACTION: &'static str = "kms:Encapsulate";
    const AUDIT: AuditClass = AuditClass::Use;
    const FORMS: Forms = Forms::KeyOrAlias;
    type Input = EncapsulateInput;
    type Output = EncapsulateOutput;

    fn key_id(input: &EncapsulateInput) -> &str {
        &input.key_id
    }

    fn granted(_: &EncapsulateInput) -> Option<GrantUse<'_>> {
        Some(GrantUse::Plain(GrantOperation::Encapsulate))
    }

    fn grant_tokens(input: &EncapsulateInput) -> &[String] {
        &input.grant_tokens
    }

    fn describe<'n>(input: &'n EncapsulateInput, need: Need<'n>) -> Need<'n> {
        need.with("kms:EncapsulationAlgorithm", input.encapsulation_algorithm.as_str())
    }

    async fn run(input: EncapsulateInput, found: Found, _: &Call<'_, Kms>) -> Result<EncapsulateOutput, KmsError> {
        let (key, algorithm) = (&found.key, input.encapsulation_algorithm);
        check_use(key, algorithm, Self::NAME)?;
        if input.dry_run {
            return Err(KmsError::DryRun);
        }
        let PublicMaterial::Encapsulating(public) = key.current()?.public(key)? else {
            return Err(damaged(key, &CryptoError::Key));
        };
        let (secret, ciphertext) = public.encapsulate().map_err(|error| damaged(key, &error))?;
        Ok(EncapsulateOutput {
            key_id: key.arn.clone(),
            shared_secret: SecretBlob(Zeroizing::new(secret.expose().to_vec())),
            shared_secret_ciphertext_blob: Blob(ciphertext),
            encapsulation_algorithm: algorithm,
        })
    }
}

/// Finds the secret in a ciphertext. One that was not made for this key gives a secret that nobody else has.
///
/// Source: AWS KMS API Reference, Decapsulate.
pub(crate) struct Decapsulate;

impl KeyOperation for Decapsulate {
    const NAME: &'static str = "Decapsulate";
    const ACTION: &'static str = "kms:Decapsulate";
    const AUDIT: AuditClass = AuditClass::Use;
    const FORMS: Forms = Forms::KeyOrAlias;
    type Input = DecapsulateInput;
    type Output = DecapsulateOutput;

    fn key_id(input: &DecapsulateInput) -> &str {
        &input.key_id
    }

    fn granted(_: &DecapsulateInput) -> Option<GrantUse<'_>> {
        Some(GrantUse::Plain(GrantOperation::Decapsulate))
    }

    fn grant_tokens(input: &DecapsulateInput) -> &[String] {
        &input.grant_tokens
    }

    fn describe<'n>(input: &'n DecapsulateInput, need: Need<'n>) -> Need<'n> {
        need.with("kms:EncapsulationAlgorithm", input.encapsulation_algorithm.as_str())
    }

    async fn run(input: DecapsulateInput, found: Found, call: &Call<'_, Kms>) -> Result<DecapsulateOutput, KmsError> {
        let (key, algorithm) = (&found.key, input.encapsulation_algorithm);
        check_use(key, algorithm, Self::NAME)?;
        if input.dry_run {
            return Err(KmsError::DryRun);
        }
        let Material::Decapsulating(private) = call.service.material(key, key.current()?).await? else {
            return Err(damaged(key, &CryptoError::Key));
        };
        let secret = private.decapsulate(&input.ciphertext.0).map_err(|error| match error {
            CryptoError::Length { bytes } => KmsError::InvalidCiphertext(BlobError::Length { bytes }),
            other => damaged(key, &other),
        })?;
        Ok(DecapsulateOutput {
            key_id: key.arn.clone(),
            shared_secret: SecretBlob(Zeroizing::new(secret.expose().to_vec())),
            encapsulation_algorithm: algorithm,
        })
    }
}
