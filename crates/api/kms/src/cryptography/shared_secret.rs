//! Secrets shared with others: agreed on with somebody's public key, or encapsulated for a private key.

use crypto::ecdh::EcdhPublicKey;
use crypto::{CryptoError, SecretBytes};
use serde::Serialize;
use service::{AuditClass, Call, Need, Permit, ResourceOperation};
use wire::{Blob, SecretBlob};
use zeroize::Zeroizing;

use crate::Kms;
use crate::access::{Found, KeyRef, end_dry_run};
use crate::cryptography::data_key::refuse_recipient;
use crate::error::KmsError;
use crate::record::{
    BlobError, EncapsulationAlgorithm, GrantOperation, KeyAgreementAlgorithm, LiveKey, Material, Origin,
    PublicMaterial, RecipientInfo, check_use,
};
use crate::rules::{CIPHERTEXT, EACH_GRANT_TOKEN, GRANT_TOKENS, KEY_ID, PUBLIC_KEY};

wire::shape! {
    pub(crate) struct DeriveSharedSecretInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "KeyAgreementAlgorithm" key_agreement_algorithm: KeyAgreementAlgorithm, required, [];
        "PublicKey" public_key: Blob, required, [PUBLIC_KEY];
        "GrantTokens" grant_tokens: Vec<String>, default, [GRANT_TOKENS, EACH_GRANT_TOKEN];
        "DryRun" dry_run: bool, default, [];
        "Recipient" recipient: RecipientInfo, optional, [];
    }
}

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

impl ResourceOperation for DeriveSharedSecret {
    type On = Found;
    const NAME: &'static str = "DeriveSharedSecret";
    const AUDIT: AuditClass = AuditClass::Use;
    type Input = DeriveSharedSecretInput;
    type Output = DeriveSharedSecretOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::plain(&input.key_id, &input.grant_tokens, GrantOperation::DeriveSharedSecret)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Found>, need: Need<'n>) -> Need<'n> {
        need.with("kms:KeyAgreementAlgorithm", input.key_agreement_algorithm.as_str())
    }

    async fn run(input: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let (key, algorithm) = (&found.key, input.key_agreement_algorithm);
        check_use(key, algorithm, Self::NAME)?;
        refuse_recipient(input.recipient.as_ref())?;
        let peer = peer(key, &input.public_key.0)?;
        end_dry_run(input.dry_run)?;
        let Material::Agreeing(private) = call.service.material(key, key.current()?).await? else {
            return Err(key.damaged(CryptoError::Key));
        };
        let secret = private.agree(&peer).map_err(|error| key.damaged(error))?;
        Ok(DeriveSharedSecretOutput {
            key_id: key.arn.clone(),
            shared_secret: secret_blob(&secret),
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

fn secret_blob(secret: &SecretBytes) -> SecretBlob {
    SecretBlob(Zeroizing::new(secret.expose().to_vec()))
}

wire::shape! {
    pub(crate) struct EncapsulateInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "EncapsulationAlgorithm" encapsulation_algorithm: EncapsulationAlgorithm, required, [];
        "GrantTokens" grant_tokens: Vec<String>, default, [GRANT_TOKENS, EACH_GRANT_TOKEN];
        "DryRun" dry_run: bool, default, [];
    }
}

wire::shape! {
    pub(crate) struct DecapsulateInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "SharedSecretCiphertextBlob" ciphertext: Blob, required, [CIPHERTEXT];
        "EncapsulationAlgorithm" encapsulation_algorithm: EncapsulationAlgorithm, required, [];
        "GrantTokens" grant_tokens: Vec<String>, default, [GRANT_TOKENS, EACH_GRANT_TOKEN];
        "DryRun" dry_run: bool, default, [];
    }
}

/// A secret, with its ciphertext if that is new.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct EncapsulationOutput {
    key_id: String,
    shared_secret: SecretBlob,
    shared_secret_ciphertext_blob: Option<Blob>,
    encapsulation_algorithm: EncapsulationAlgorithm,
}

/// Generates a secret, and its ciphertext for the private key.
///
/// Source: AWS KMS API Reference, Encapsulate.
pub(crate) struct Encapsulate;

impl ResourceOperation for Encapsulate {
    type On = Found;
    const NAME: &'static str = "Encapsulate";
    const AUDIT: AuditClass = AuditClass::Use;
    type Input = EncapsulateInput;
    type Output = EncapsulationOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::plain(&input.key_id, &input.grant_tokens, GrantOperation::Encapsulate)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Found>, need: Need<'n>) -> Need<'n> {
        need.with("kms:EncapsulationAlgorithm", input.encapsulation_algorithm.as_str())
    }

    async fn run(input: Self::Input, found: &Permit<Found>, _: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let (key, encapsulation_algorithm) = (&found.key, input.encapsulation_algorithm);
        check_use(key, encapsulation_algorithm, Self::NAME)?;
        end_dry_run(input.dry_run)?;
        let PublicMaterial::Encapsulating(public) = key.current()?.public(key)? else {
            return Err(key.damaged(CryptoError::Key));
        };
        let (secret, ciphertext) = public.encapsulate().map_err(|error| key.damaged(error))?;
        let (key_id, shared_secret_ciphertext_blob) = (key.arn.clone(), Some(Blob(ciphertext)));
        let shared_secret = secret_blob(&secret);
        Ok(EncapsulationOutput { key_id, shared_secret, shared_secret_ciphertext_blob, encapsulation_algorithm })
    }
}

/// Finds the secret in a ciphertext. One that was not made for this key gives a secret that nobody else has.
///
/// Source: AWS KMS API Reference, Decapsulate.
pub(crate) struct Decapsulate;

impl ResourceOperation for Decapsulate {
    type On = Found;
    const NAME: &'static str = "Decapsulate";
    const AUDIT: AuditClass = AuditClass::Use;
    type Input = DecapsulateInput;
    type Output = EncapsulationOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::plain(&input.key_id, &input.grant_tokens, GrantOperation::Decapsulate)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Found>, need: Need<'n>) -> Need<'n> {
        need.with("kms:EncapsulationAlgorithm", input.encapsulation_algorithm.as_str())
    }

    async fn run(input: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let (key, encapsulation_algorithm) = (&found.key, input.encapsulation_algorithm);
        check_use(key, encapsulation_algorithm, Self::NAME)?;
        end_dry_run(input.dry_run)?;
        let Material::Decapsulating(private) = call.service.material(key, key.current()?).await? else {
            return Err(key.damaged(CryptoError::Key));
        };
        let secret = private.decapsulate(&input.ciphertext.0).map_err(|error| match error {
            CryptoError::Length { bytes } => KmsError::InvalidCiphertext(BlobError::Length { bytes }),
            other => key.damaged(other),
        })?;
        let (key_id, shared_secret) = (key.arn.clone(), secret_blob(&secret));
        Ok(EncapsulationOutput { key_id, shared_secret, shared_secret_ciphertext_blob: None, encapsulation_algorithm })
    }
}
