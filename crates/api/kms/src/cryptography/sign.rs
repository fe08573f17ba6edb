//! Signing and verifying, of messages and of what was hashed elsewhere.

use std::sync::Arc;

use crypto::CryptoError;
use crypto::signing::{Message, Scheme};
use serde::Serialize;
use service::{AuditClass, Call, Need, Permit, ResourceOperation};
use wire::{Blob, SecretBlob};

use crate::Kms;
use crate::access::{Found, KeyRef, end_dry_run};
use crate::error::KmsError;
use crate::record::{GrantOperation, LiveKey, Material, PublicMaterial, SigningAlgorithm, check_use};
use crate::rules::{EACH_GRANT_TOKEN, GRANT_TOKENS, KEY_ID, PLAINTEXT, SIGNATURE};

wire::text_enum! {
    /// The form of a message.
    pub(crate) enum MessageType {
        Raw = "RAW",
        Digest = "DIGEST",
        ExternalMu = "EXTERNAL_MU",
    }
}

wire::shape! {
    pub(crate) struct SignInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "Message" message: SecretBlob, required, [PLAINTEXT];
        "MessageType" message_type: MessageType, optional, [];
        "GrantTokens" grant_tokens: Vec<String>, default, [GRANT_TOKENS, EACH_GRANT_TOKEN];
        "SigningAlgorithm" signing_algorithm: SigningAlgorithm, required, [];
        "DryRun" dry_run: bool, default, [];
    }
}

wire::shape! {
    pub(crate) struct VerifyInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "Message" message: SecretBlob, required, [PLAINTEXT];
        "MessageType" message_type: MessageType, optional, [];
        "Signature" signature: Blob, required, [SIGNATURE];
        "SigningAlgorithm" signing_algorithm: SigningAlgorithm, required, [];
        "GrantTokens" grant_tokens: Vec<String>, default, [GRANT_TOKENS, EACH_GRANT_TOKEN];
        "DryRun" dry_run: bool, default, [];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SignOutput {
    key_id: String,
    signature: Blob,
    signing_algorithm: SigningAlgorithm,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct VerifyOutput {
    key_id: String,
    signature_valid: bool,
    signing_algorithm: SigningAlgorithm,
}

/// The scheme of an algorithm, and the message as the scheme takes it.
///
/// Ed25519ph comes with `DIGEST`, and the digest is then hashed once more: AWS takes it for the message.
///
/// # Errors
/// [`KmsError::Validation`] when algorithm and type do not go together, or the length is not the type's.
///
/// Source: AWS KMS API Reference, Sign, `MessageType`.
fn taken(
    algorithm: SigningAlgorithm,
    message_type: MessageType,
    message: &[u8],
) -> Result<(Scheme, Message<'_>), KmsError> {
    let apart = || KmsError::Validation(format!("MessageType {message_type} is incompatible with {algorithm}."));
    let scheme = algorithm.scheme().ok_or_else(apart)?;
    let (length, message) = match (message_type, scheme) {
        (MessageType::Raw, Scheme::Ed25519ph) => return Err(apart()),
        (MessageType::Raw, _) => return Ok((scheme, Message::Raw(message))),
        (MessageType::Digest, Scheme::RsaPkcs1(hash) | Scheme::RsaPss(hash) | Scheme::Ecdsa(hash)) => {
            (hash.length(), Message::Digest(message))
        }
        (MessageType::Digest, Scheme::Ed25519ph) => (64, Message::Raw(message)),
        (MessageType::ExternalMu, Scheme::MlDsa) => (64, Message::Mu(message)),
        (MessageType::Digest | MessageType::ExternalMu, _) => return Err(apart()),
    };
    let (Message::Raw(bytes) | Message::Digest(bytes) | Message::Mu(bytes)) = message;
    if bytes.len() != length {
        return Err(KmsError::Validation(format!("Digest is invalid length for algorithm {algorithm}.")));
    }
    Ok((scheme, message))
}

/// The scheme and message of a call, if the key goes with the algorithm. A dry run ends here.
fn prepared<'m>(
    key: &LiveKey,
    operation: &'static str,
    algorithm: SigningAlgorithm,
    (message_type, message): (Option<MessageType>, &'m SecretBlob),
    dry_run: bool,
) -> Result<(Scheme, Message<'m>), KmsError> {
    check_use(key, algorithm, operation)?;
    let taken = taken(algorithm, message_type.unwrap_or(MessageType::Raw), &message.0)?;
    end_dry_run(dry_run).map(|()| taken)
}

fn describe(need: Need<'_>, algorithm: SigningAlgorithm, message_type: Option<MessageType>) -> Need<'_> {
    let message_type = message_type.unwrap_or(MessageType::Raw);
    need.with("kms:SigningAlgorithm", algorithm.as_str()).with("kms:MessageType", message_type.as_str())
}

/// Signs with the private key, which is ready.
fn signature(key: &LiveKey, input: &SignInput) -> Result<Vec<u8>, KmsError> {
    let message_type = input.message_type.unwrap_or(MessageType::Raw);
    let (scheme, message) = taken(input.signing_algorithm, message_type, &input.message.0)?;
    let Some(Material::Signing(private)) = key.current()?.peek() else { return Err(key.damaged(CryptoError::Key)) };
    private.sign(scheme, message).map_err(|error| key.damaged(error))
}

/// Signs with a private key.
///
/// Source: AWS KMS API Reference, Sign.
pub(crate) struct Sign;

impl ResourceOperation for Sign {
    type On = Found;
    const NAME: &'static str = "Sign";
    const AUDIT: AuditClass = AuditClass::Use;
    type Input = SignInput;
    type Output = SignOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::plain(&input.key_id, &input.grant_tokens, GrantOperation::Sign)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Found>, need: Need<'n>) -> Need<'n> {
        describe(need, input.signing_algorithm, input.message_type)
    }

    async fn run(input: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let (kms, key, algorithm) = (call.service, &found.key, input.signing_algorithm);
        prepared(key, Self::NAME, algorithm, (input.message_type, &input.message), input.dry_run)?;
        kms.material(key, key.current()?).await?;
        let signature = if key.record.spec.is_slow_to_use() {
            let key = Arc::clone(key);
            Box::pin(kms.slow_key_use.run(move || signature(&key, &input))).await?
        } else {
            signature(key, &input)?
        };
        Ok(SignOutput { key_id: key.arn.clone(), signature: Blob(signature), signing_algorithm: algorithm })
    }
}

/// Verifies a signature with the public key.
///
/// Source: AWS KMS API Reference, Verify.
pub(crate) struct Verify;

impl ResourceOperation for Verify {
    type On = Found;
    const NAME: &'static str = "Verify";
    const AUDIT: AuditClass = AuditClass::Use;
    type Input = VerifyInput;
    type Output = VerifyOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::plain(&input.key_id, &input.grant_tokens, GrantOperation::Verify)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Found>, need: Need<'n>) -> Need<'n> {
        describe(need, input.signing_algorithm, input.message_type)
    }

    async fn run(input: Self::Input, found: &Permit<Found>, _: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let (key, algorithm) = (&found.key, input.signing_algorithm);
        let message = (input.message_type, &input.message);
        let (scheme, message) = prepared(key, Self::NAME, algorithm, message, input.dry_run)?;
        let PublicMaterial::Verifying(public) = key.current()?.public(key)? else {
            return Err(key.damaged(CryptoError::Key));
        };
        public.verify(scheme, message, &input.signature.0).map_err(|error| match error {
            CryptoError::NotAuthentic => KmsError::InvalidSignature,
            other => key.damaged(other),
        })?;
        Ok(VerifyOutput { key_id: key.arn.clone(), signature_valid: true, signing_algorithm: algorithm })
    }
}
