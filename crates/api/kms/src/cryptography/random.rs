//! Random bytes for callers.

use crypto::random_bytes;
use serde::Serialize;
use service::{AuditClass, Call, Permit, ResourceOperation};
use wire::SecretBlob;
use zeroize::Zeroizing;

use crate::Kms;
use crate::access::Account;
use crate::cryptography::data_key::refuse_recipient;
use crate::error::KmsError;
use crate::key_store;
use crate::record::RecipientInfo;
use crate::rules::{CUSTOM_KEY_STORE_ID, NUMBER_OF_BYTES};

wire::shape! {
    pub(crate) struct GenerateRandomInput {
        "NumberOfBytes" number_of_bytes: i32, optional, [NUMBER_OF_BYTES];
        "CustomKeyStoreId" custom_key_store_id: String, optional, [CUSTOM_KEY_STORE_ID];
        "Recipient" recipient: RecipientInfo, optional, [];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GenerateRandomOutput {
    plaintext: SecretBlob,
}

/// Returns random bytes.
pub(crate) struct GenerateRandom;

impl ResourceOperation for GenerateRandom {
    type On = Account;
    const NAME: &'static str = "GenerateRandom";
    const AUDIT: AuditClass = AuditClass::Use;
    type Input = GenerateRandomInput;
    type Output = GenerateRandomOutput;

    fn key(_: &Self::Input) {}

    async fn run(input: Self::Input, _: &Permit<Account>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
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
