//! `GenerateMac` and `VerifyMac`.

use crypto::MacKey;
use serde::Serialize;
use service::{AuditClass, Call, Need, Permit, ResourceOperation};
use wire::{Blob, SecretBlob};

use crate::Kms;
use crate::access::{Found, KeyRef, end_dry_run};
use crate::error::KmsError;
use crate::record::{GrantOperation, MacAlgorithm, Material, check_use};
use crate::rules::{EACH_GRANT_TOKEN, GRANT_TOKENS, KEY_ID, PLAINTEXT, SIGNATURE};

wire::shape! {
    pub(crate) struct GenerateMacInput {
        "Message" message: SecretBlob, required, [PLAINTEXT];
        "KeyId" key_id: String, required, [KEY_ID];
        "MacAlgorithm" mac_algorithm: MacAlgorithm, required, [];
        "GrantTokens" grant_tokens: Vec<String>, default, [GRANT_TOKENS, EACH_GRANT_TOKEN];
        "DryRun" dry_run: bool, default, [];
    }
}

wire::shape! {
    pub(crate) struct VerifyMacInput {
        "Message" message: SecretBlob, required, [PLAINTEXT];
        "KeyId" key_id: String, required, [KEY_ID];
        "MacAlgorithm" mac_algorithm: MacAlgorithm, required, [];
        "Mac" mac: SecretBlob, required, [SIGNATURE];
        "GrantTokens" grant_tokens: Vec<String>, default, [GRANT_TOKENS, EACH_GRANT_TOKEN];
        "DryRun" dry_run: bool, default, [];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GenerateMacOutput {
    mac: Blob,
    mac_algorithm: MacAlgorithm,
    key_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct VerifyMacOutput {
    key_id: String,
    mac_valid: bool,
    mac_algorithm: MacAlgorithm,
}

/// The key, ready for use with an algorithm that goes with it. A dry run ends here.
async fn mac_key<'k>(
    found: &'k Found,
    (algorithm, dry_run): (MacAlgorithm, bool),
    operation: &'static str,
    call: &Call<'_, Kms>,
) -> Result<&'k MacKey, KmsError> {
    let key = &found.key;
    check_use(key, algorithm, operation)?;
    end_dry_run(dry_run)?;
    match call.service.material(key, key.current()?).await? {
        Material::Mac(mac) => Ok(mac),
        _ => Err(key.damaged("it is no HMAC key")),
    }
}

/// Generates a message's code.
///
/// Source: AWS KMS API Reference, GenerateMac.
pub(crate) struct GenerateMac;

impl ResourceOperation for GenerateMac {
    type On = Found;
    const NAME: &'static str = "GenerateMac";
    const AUDIT: AuditClass = AuditClass::Use;
    type Input = GenerateMacInput;
    type Output = GenerateMacOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::plain(&input.key_id, &input.grant_tokens, GrantOperation::GenerateMac)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Found>, need: Need<'n>) -> Need<'n> {
        need.with("kms:MacAlgorithm", input.mac_algorithm.as_str())
    }

    async fn run(input: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let key = mac_key(found, (input.mac_algorithm, input.dry_run), Self::NAME, call).await?;
        let mac = Blob(key.sign(&input.message.0));
        Ok(GenerateMacOutput { mac, mac_algorithm: input.mac_algorithm, key_id: found.key.arn.clone() })
    }
}

/// Verifies a message's code, in a time that does not depend on where it differs.
///
/// Source: AWS KMS API Reference, VerifyMac.
pub(crate) struct VerifyMac;

impl ResourceOperation for VerifyMac {
    type On = Found;
    const NAME: &'static str = "VerifyMac";
    const AUDIT: AuditClass = AuditClass::Use;
    type Input = VerifyMacInput;
    type Output = VerifyMacOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::plain(&input.key_id, &input.grant_tokens, GrantOperation::VerifyMac)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Found>, need: Need<'n>) -> Need<'n> {
        need.with("kms:MacAlgorithm", input.mac_algorithm.as_str())
    }

    async fn run(input: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let key = mac_key(found, (input.mac_algorithm, input.dry_run), Self::NAME, call).await?;
        if !key.verify(&input.message.0, &input.mac.0) {
            return Err(KmsError::InvalidMac);
        }
        Ok(VerifyMacOutput { key_id: found.key.arn.clone(), mac_valid: true, mac_algorithm: input.mac_algorithm })
    }
}
