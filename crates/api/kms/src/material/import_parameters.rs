//! `GetParametersForImport`: a wrapping key and a token, with which material can be imported for a day.

use serde::Serialize;
use service::{AuditClass, Call, Need, Permit, ResourceOperation};
use wire::{Blob, Timestamp};

use crate::Kms;
use crate::access::{Found, KeyRef};
use crate::error::KmsError;
use crate::material::import_token;
use crate::material::wrapping::{WrappingAlgorithm, WrappingKeySpec};
use crate::rules::KEY_ID;

/// How many days a token is valid.
const VALID_DAYS: i64 = 1;

wire::shape! {
    pub(crate) struct GetParametersForImportInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "WrappingAlgorithm" wrapping_algorithm: WrappingAlgorithm, required, [];
        "WrappingKeySpec" wrapping_key_spec: WrappingKeySpec, required, [];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetParametersForImportOutput {
    key_id: String,
    import_token: Blob,
    public_key: Blob,
    parameters_valid_to: Timestamp,
}

/// Generates a wrapping key, and returns its public half together with the sealed private one.
///
/// Source: AWS KMS API Reference, GetParametersForImport.
pub(crate) struct GetParametersForImport;

impl ResourceOperation for GetParametersForImport {
    type On = Found;
    const NAME: &'static str = "GetParametersForImport";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetParametersForImportInput;
    type Output = GetParametersForImportOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::own(&input.key_id)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Found>, need: Need<'n>) -> Need<'n> {
        need.with("kms:WrappingAlgorithm", input.wrapping_algorithm.as_str())
            .with("kms:WrappingKeySpec", input.wrapping_key_spec.as_str())
    }

    async fn run(input: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let (kms, key, algorithm) = (&**call.service, &found.key, input.wrapping_algorithm);
        algorithm.check(input.wrapping_key_spec, key.record.spec)?;
        let pair = kms.random_material(input.wrapping_key_spec.key_spec()).await?.into_parts();
        let (private, Some(public)) = pair else {
            return Err(KmsError::Damaged("a wrapping key has no public half".to_owned()));
        };
        let valid_to = call.now.plus_days(VALID_DAYS);
        let tokens = kms.token_key(call.region).await?;
        let token = import_token::seal(&tokens, &key.arn, algorithm, &private, valid_to)?;
        Ok(GetParametersForImportOutput {
            key_id: key.arn.clone(),
            import_token: Blob(token),
            public_key: Blob(public),
            parameters_valid_to: valid_to,
        })
    }
}
