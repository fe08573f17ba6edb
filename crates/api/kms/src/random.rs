//! Random bytes for callers.

use crypto::random_bytes;
use serde::Serialize;
use service::{AuditClass, Call, Need, Operation, Permit};
use wire::SecretBlob;
use zeroize::Zeroizing;

use crate::Kms;
use crate::data_key::refuse_recipient;
use crate::error::KmsError;
use crate::key_store;
use crate::rules::{CUSTOM_KEY_STORE_ID, NUMBER_OF_BYTES};
use crate::spec::RecipientInfo;

wire::shape! {
    /// The input of `GenerateRandom`.
    pub(crate) struct GenerateRandomInput {
        "NumberOfBytes" number_of_bytes: i32, optional, [NUMBER_OF_BYTES];
        "CustomKeyStoreId" custom_key_store_id: String, optional, [CUSTOM_KEY_STORE_ID];
        "Recipient" recipient: RecipientInfo, optional, [];
    }
}

/// The output of `GenerateRandom`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GenerateRandomOutput {
    plaintext: SecretBlob,
}

/// Gives out random bytes.
pub(crate) struct GenerateRandom;

impl Operation for GenerateRandom {
    type Service = Kms;
    const NAME: &'static str = "GenerateRandom";
    const AUDIT: AuditClass = AuditClass::Use;
    type Input = GenerateRandomInput;
    type Output = GenerateRandomOutput;
    type Target = ();

    async fn find(_: &GenerateRandomInput, _: &Call<'_, Kms>) -> Result<(), KmsError> {
        Ok(())
    }

    fn needs(_: &GenerateRandomInput, _: Option<&()>, call: &Call<'_, Kms>) -> Vec<Need<'static>> {
        vec![Need::identity("kms:GenerateRandom", "*").with("kms:CallerAccount", call.account().to_owned())]
    }

    async fn run(
        input: GenerateRandomInput,
        _: Permit<()>,
        call: &Call<'_, Kms>,
    ) -> Result<GenerateRandomOutput, KmsError> {
        refuse_recipient(input.recipient.as_ref())?;
        let length = input.number_of_bytes.and_then(|bytes| usize::try_from(bytes).ok());
        let length = length.ok_or_else(|| KmsError::Validation("NumberOfBytes is required.".to_owned()))?;
        if let Some(store) = &input.custom_key_store_id {
            return Ok(GenerateRandomOutput { plaintext: key_store::random(store, length, call).await? });
        }
        let mut bytes = Zeroizing::new(vec![0; length]);
        random_bytes(&mut bytes);
        Ok(GenerateRandomOutput { plaintext: SecretBlob(bytes) })
    }
}
