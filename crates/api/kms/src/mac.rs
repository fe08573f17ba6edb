//! Message authentication codes, made and verified.

use serde::Serialize;
use service::{AuditClass, Call, Need};
use wire::{Blob, SecretBlob};

use crate::Kms;
use crate::access::Found;
use crate::algorithm::{MacAlgorithm, check_use};
use crate::error::KmsError;
use crate::grant::{GrantOperation, GrantUse};
use crate::on_key::KeyOperation;
use crate::ready::Material;
use crate::record::LiveKey;
use crate::reference::Forms;
use crate::rules::{EACH_GRANT_TOKEN, GRANT_TOKENS, KEY_ID, PLAINTEXT, SIGNATURE};

wire::shape! {
    /// The input of `GenerateMac`.
    pub(crate) struct GenerateMacInput {
        "Message" message: SecretBlob, required, [PLAINTEXT];
        "KeyId" key_id: String, required, [KEY_ID];
        "MacAlgorithm" mac_algorithm: MacAlgorithm, required, [];
        "GrantTokens" grant_tokens: Vec<String>, default, [GRANT_TOKENS, EACH_GRANT_TOKEN];
        "DryRun" dry_run: bool, default, [];
    }
}

wire::shape! {
    /// The input of `VerifyMac`.
    pub(crate) struct VerifyMacInput {
        "Message" message: SecretBlob, required, [PLAINTEXT];
        "KeyId" key_id: String, required, [KEY_ID];
        "MacAlgorithm" mac_algorithm: MacAlgorithm, required, [];
        "Mac" mac: SecretBlob, required, [SIGNATURE];
        "GrantTokens" grant_tokens: Vec<String>, default, [GRANT_TOKENS, EACH_GRANT_TOKEN];
        "DryRun" dry_run: bool, default, [];
    }
}

/// The output of `GenerateMac`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GenerateMacOutput {
    mac: Blob,
    mac_algorithm: MacAlgorithm,
    key_id: String,
}

/// The output of `VerifyMac`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct VerifyMacOutput {
    key_id: String,
    mac_valid: bool,
    mac_algorithm: MacAlgorithm,
}

/// The key, ready for use.
async fn mac_key<'k>(key: &'k LiveKey, call: &Call<'_, Kms>) -> Result<&'k crypto::MacKey, KmsError> {
    match call.service.material(key, key.current()?).await? {
        Material::Mac(mac) => Ok(mac),
        _ => Err(KmsError::Damaged(format!("{} is no HMAC key", key.arn))),
    }
}

/// Makes a message's code.
///
/// Source: AWS KMS API Reference, GenerateMac.
pub(crate) struct GenerateMac;

impl KeyOperation for GenerateMac {
    const NAME: &'static str = "GenerateMac";
    const ACTION: &'static str = "kms:GenerateMac";
    const AUDIT: AuditClass = AuditClass::Use;
    const FORMS: Forms = Forms::KeyOrAlias;
    type Input = GenerateMacInput;
    type Output = GenerateMacOutput;

    fn key_id(input: &GenerateMacInput) -> &str {
        &input.key_id
    }

    fn granted(_: &GenerateMacInput) -> Option<GrantUse<'_>> {
        Some(GrantUse::Plain(GrantOperation::GenerateMac))
    }

    fn grant_tokens(input: &GenerateMacInput) -> &[String] {
        &input.grant_tokens
    }

    fn describe<'n>(input: &'n GenerateMacInput, need: Need<'n>) -> Need<'n> {
        need.with("kms:MacAlgorithm", input.mac_algorithm.as_str())
    }

    async fn run(input: GenerateMacInput, found: Found, call: &Call<'_, Kms>) -> Result<GenerateMacOutput, KmsError> {
        let (key, algorithm) = (&found.key, input.mac_algorithm);
        check_use(key, algorithm, Self::NAME)?;
        if input.dry_run {
            return Err(KmsError::DryRun);
        }
        let mac = mac_key(key, call).await?.sign(&input.message.0);
        Ok(GenerateMacOutput { mac: Blob(mac), mac_algorithm: algorithm, key_id: key.arn.clone() })
    }
}

/// Verifies a message's code, in a time that does not depend on where it differs.
///
/// Source: AWS KMS API Reference, VerifyMac.
pub(crate) struct VerifyMac;

impl KeyOperation for VerifyMac {
    const NAME: &'static str = "VerifyMac";
    const ACTION: &'static str = "kms:VerifyMac";
    const AUDIT: AuditClass = AuditClass::Use;
    const FORMS: Forms = Forms::KeyOrAlias;
    type Input = VerifyMacInput;
    type Output = VerifyMacOutput;

    fn key_id(input: &VerifyMacInput) -> &str {
        &input.key_id
    }

    fn granted(_: &VerifyMacInput) -> Option<GrantUse<'_>> {
        Some(GrantUse::Plain(GrantOperation::VerifyMac))
    }

    fn grant_tokens(input: &VerifyMacInput) -> &[String] {
        &input.grant_tokens
    }

    fn describe<'n>(input: &'n VerifyMacInput, need: Need<'n>) -> Need<'n> {
        need.with("kms:MacAlgorithm", input.mac_algorithm.as_str())
    }

    async fn run(input: VerifyMacInput, found: Found, call: &Call<'_, Kms>) -> Result<VerifyMacOutput, KmsError> {
        let (key, algorithm) = (&found.key, input.mac_algorithm);
        check_use(key, algorithm, Self::NAME)?;
        if input.dry_run {
            return Err(KmsError::DryRun);
        }
        if !mac_key(key, call).await?.verify(&input.message.0, &input.mac.0) {
            return Err(KmsError::InvalidMac);
        }
        Ok(VerifyMacOutput { key_id: key.arn.clone(), mac_valid: true, mac_algorithm: algorithm })
    }
}
