//! An audit record: the shape of a CloudTrail event.

use policy::PrincipalKind;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::call::Caller;

/// One call as the trail keeps it.
///
/// Source: CloudTrail User Guide, "CloudTrail record contents".
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event<'a> {
    pub(crate) event_version: &'static str,
    pub(crate) user_identity: UserIdentity<'a>,
    pub(crate) event_time: String,
    pub(crate) event_source: &'a str,
    pub(crate) event_name: &'a str,
    pub(crate) aws_region: &'a str,
    #[serde(rename = "sourceIPAddress")]
    pub(crate) source_ip_address: std::net::IpAddr,
    pub(crate) user_agent: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_message: Option<&'a str>,
    pub(crate) request_parameters: Option<&'a RawValue>,
    // Answers carry data keys, plaintexts and secret access keys: none is kept. What a call made is in `resources`.
    pub(crate) response_elements: (),
    #[serde(rename = "requestID")]
    pub(crate) request_id: &'a str,
    #[serde(rename = "eventID")]
    pub(crate) event_id: String,
    pub(crate) read_only: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) resources: &'a [Resource<'a>],
    pub(crate) event_type: &'static str,
    pub(crate) management_event: bool,
    pub(crate) recipient_account_id: Option<&'a str>,
    pub(crate) event_category: &'static str,
}

/// A resource that a call acted on.
#[derive(Serialize)]
pub(crate) struct Resource<'a> {
    #[serde(rename = "accountId", skip_serializing_if = "Option::is_none")]
    pub(crate) account_id: Option<&'a str>,
    #[serde(rename = "ARN")]
    pub(crate) arn: &'a str,
}

impl<'a> Resource<'a> {
    pub(crate) fn of(arn: &'a str) -> Self {
        Self { account_id: arn.split(':').nth(4).filter(|account| !account.is_empty()), arn }
    }
}

/// Who called, as far as it is known.
pub(crate) enum UserIdentity<'a> {
    /// A caller whose signature was verified.
    Known(&'a Caller),
    /// A call that failed authentication; the access key is what it claimed.
    Unknown(Option<&'a str>),
}

impl Serialize for UserIdentity<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut map = out.serialize_map(None)?;
        match self {
            Self::Known(caller) => {
                let principal = &caller.principal;
                let kind = match principal.kind {
                    PrincipalKind::Root => "Root",
                    PrincipalKind::User => "IAMUser",
                    PrincipalKind::Role { .. } => "AssumedRole",
                    PrincipalKind::FederatedUser { .. } => "FederatedUser",
                    PrincipalKind::Federated { .. } => "WebIdentityUser",
                    PrincipalKind::Service { .. } => "AWSService",
                    PrincipalKind::Anonymous => "Unknown",
                };
                map.serialize_entry("type", kind)?;
                map.serialize_entry("principalId", &principal.unique_id)?;
                map.serialize_entry("arn", &principal.arn)?;
                map.serialize_entry("accountId", &principal.account)?;
                map.serialize_entry("accessKeyId", &caller.access_key_id)?;
                if principal.kind == PrincipalKind::User {
                    let name = principal.arn.resource().rsplit('/').next().unwrap_or_default();
                    map.serialize_entry("userName", name)?;
                }
            }
            Self::Unknown(claimed) => {
                map.serialize_entry("type", "Unknown")?;
                if let Some(access_key_id) = claimed {
                    map.serialize_entry("accessKeyId", access_key_id)?;
                }
            }
        }
        map.end()
    }
}
