//! Signing and verifying, of messages and of what was hashed elsewhere.

use std::sync::Arc;

use crypto::CryptoError;
use crypto::signing::{Message, Scheme};
use serde::Serialize;
use service::{AuditClass, Call, Need};
use wire::{Blob, SecretBlob};

use crate::Kms;
use crate::access::Found;
use crate::algorithm::{SigningAlgorithm, check_use};
use crate::error::KmsError;
use crate::grant::{GrantOperation, GrantUse};
use crate::on_key::KeyOperation;
use crate::ready::{Material, PublicMaterial};
use crate::record::LiveKey;
use crate::reference::Forms;
use crate::rules::{EACH_GRANT_TOKEN, GRANT_TOKENS, KEY_ID, PLAINTEXT, SIGNATURE};

wire::text_enum! {
    /// What a message is.
    pub(crate) enum MessageType {
        Raw = "RAW",
        Digest = "DIGEST",
        ExternalMu = "EXTERNAL_MU",
    }
}

wire::shape! {
    /// The input of `Sign`.
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
    /// The input of `Verify`.
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

/// The output of `Sign`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SignOutput {
    key_id: String,
    signature: Blob,
    signing_algorithm: SigningAlgorithm,
}

/// The output of `Verify`.
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

/// What both operations begin with: the key serves the algorithm, and the scheme takes the message. A dry run ends here.
fn prepared<'m>(
    key: &LiveKey,
    operation: &'static str,
    algorithm: SigningAlgorithm,
    (message_type, message): (Option<MessageType>, &'m SecretBlob),
    dry_run: bool,
) -> Result<(Scheme, Message<'m>), KmsError> {
    check_use(key, algorithm, operation)?;
    let taken = taken(algorithm, message_type.unwrap_or(MessageType::Raw), &message.0)?;
    if dry_run { Err(KmsError::DryRun) } else { Ok(taken) }
}

fn describe(need: Need<'_>, algorithm: SigningAlgorithm, message_type: Option<MessageType>) -> Need<'_> {
    let message_type = message_type.unwrap_or(MessageType::Raw);
    need.with("kms:SigningAlgorithm", algorithm.as_str()).with("kms:MessageType", message_type.as_str())
}

fn damaged(key: &LiveKey, error: &CryptoError) -> KmsError {
    KmsError::Damaged(format!("{}: {error}", key.arn))
}

/// Signs with the private key, which is ready.
fn signature(key: &LiveKey, input: &SignInput) -> Result<Vec<u8>, KmsError> {
    let message_type = input.message_type.unwrap_or(MessageType::Raw);
    let (scheme, message) = taken(input.signing_algorithm, message_type, &input.message.0)?;
    let Some(Material::Signing(private)) = key.current()?.peek() else {
        return Err(damaged(key, &CryptoError::Key));
    };
    private.sign(scheme, message).map_err(|error| damaged(key, &error))
}

/// Signs with a private key.
///
/// Source: AWS KMS API Reference, Sign.
pub(crate) struct Sign;

impl KeyOperation for Sign {
    const NAME: &'static str = "Sign";
    const ACTION: &'static str = "kms:Sign";
    const AUDIT: AuditClass = AuditClass::Use;
    const FORMS: Forms = Forms::KeyOrAlias;
    type Input = SignInput;
    type Output = SignOutput;

    fn key_id(input: &SignInput) -> &str {
        &input.key_id
    }

    fn granted(_: &SignInput) -> Option<GrantUse<'_>> {
        Some(GrantUse::Plain(GrantOperation::Sign))
    }

    fn grant_tokens(input: &SignInput) -> &[String] {
        &input.grant_tokens
    }

    fn describe<'n>(input: &'n SignInput, need: Need<'n>) -> Need<'n> {
        describe(need, input.signing_algorithm, input.message_type)
    }

    async fn run(input: SignInput, found: Found, call: &Call<'_, Kms>) -> Result<SignOutput, KmsError> {
        let (kms, key, algorithm) = (call.service, found.key, input.signing_algorithm);
        prepared(&key, Self::NAME, algorithm, (input.message_type, &input.message), input.dry_run)?;
        kms.material(&key, key.current()?).await?;
        let signature = if key.record.spec.is_slow_to_use() {
            let key = Arc::clone(&key);
            Box::pin(kms.slow_key_use.run(move || signature(&key, &input))).await?
        } else {
            signature(&key, &input)?
        };
        Ok(SignOutput { key_id: key.arn.clone(), signature: Blob(signature), signing_algorithm: algorithm })
    }
}

/// Verifies a signature with the public key.
///
/// Source: AWS KMS API Reference, Verify.
pub(crate) struct Verify;

impl KeyOperation for Verify {
    const NAME: &'static str = "Verify";
    const ACTION: &'static str = "kms:Verify";
    const AUDIT: AuditClass = AuditClass::Use;
    const FORMS: Forms = Forms::KeyOrAlias;
    type Input = VerifyInput;
    type Output = VerifyOutput;

    fn key_id(input: &VerifyInput) -> &str {
        &input.key_id
    }

    fn granted(_: &VerifyInput) -> Option<GrantUse<'_>> {
        Some(GrantUse::Plain(GrantOperation::Verify))
    }

    fn grant_tokens(input: &VerifyInput) -> &[String] {
        &input.grant_tokens
    }

    fn describe<'n>(input: &'n VerifyInput, need: Need<'n>) -> Need<'n> {
        describe(need, input.signing_algorithm, input.message_type)
    }

    async fn run(input: VerifyInput, found: Found, _: &Call<'_, Kms>) -> Result<VerifyOutput, KmsError> {
        let (key, algorithm) = (&found.key, input.signing_algorithm);
        let message = (input.message_type, &input.message);
        let (scheme, message) = prepared(key, Self::NAME, algorithm, message, input.dry_run)?;
        let PublicMaterial::Verifying(public) = key.current()?.public(key)? else {
            return Err(damaged(key, &CryptoError::Key));
        };
        public.verify(scheme, message, &input.signature.0).map_err(|error| match error {
            CryptoError::NotAuthentic => KmsError::InvalidSignature,
            other => damaged(key, &other),
        })?;
        Ok(VerifyOutput { key_id: key.arn.clone(), signature_valid: true, signing_algorithm: algorithm })
    }
}
