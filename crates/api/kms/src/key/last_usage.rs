//! `GetKeyLastUsage`.

use serde::Serialize;
use service::{AuditClass, Call, Permit, ResourceOperation};
use wire::Timestamp;

use crate::Kms;
use crate::access::{Found, KeyIdInput, KeyRef};
use crate::error::KmsError;
use crate::record::Usage;

/// `KeyLastUsageData`; empty for a key that was never used.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeyLastUsageData {
    operation: Option<Usage>,
    timestamp: Option<Timestamp>,
    cloud_trail_event_id: Option<String>,
    kms_request_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetKeyLastUsageOutput {
    key_id: String,
    key_last_usage: KeyLastUsageData,
    tracking_start_date: Timestamp,
    key_creation_date: Timestamp,
}

/// Returns the last use of a key.
///
/// Source: AWS KMS API Reference, GetKeyLastUsage.
pub(crate) struct GetKeyLastUsage;

impl ResourceOperation for GetKeyLastUsage {
    type On = Found;
    const NAME: &'static str = "GetKeyLastUsage";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = KeyIdInput;
    type Output = GetKeyLastUsageOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::own(&input.key_id)
    }

    async fn run(_: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let last = call.service.last_usage(&found.key).await?;
        let record = &found.key.record;
        Ok(GetKeyLastUsageOutput {
            key_id: record.id.clone(),
            key_last_usage: last.map_or_else(KeyLastUsageData::default, |last| KeyLastUsageData {
                operation: Some(last.usage),
                timestamp: Some(last.at),
                cloud_trail_event_id: Some(last.event_id),
                kms_request_id: Some(last.request_id),
            }),
            // Every key has been watched since it was made.
            tracking_start_date: record.created,
            key_creation_date: record.created,
        })
    }
}
