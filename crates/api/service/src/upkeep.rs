//! Services' own actions, as the trail records them: an event that the change itself records.

use wire::Timestamp;

use crate::event::{Event, Kind, UserIdentity};
use crate::request_id;

/// A service's own action, such as rotating a key whose time has come.
///
/// Source: CloudTrail User Guide, "AWS service events".
pub struct Upkeep<'a> {
    /// When.
    pub time: Timestamp,
    /// The service, such as `kms.amazonaws.com`.
    pub source: &'a str,
    /// Name of the action, such as `RotateKey`.
    pub name: &'a str,
    /// The region.
    pub region: &'a str,
    /// The account that it is done for.
    pub account: &'a str,
    /// The ARNs of what is changed.
    pub resources: &'a [String],
}

impl Upkeep<'_> {
    /// The event, for the outbox of the change that it describes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        Event {
            kind: Kind::Service,
            user_identity: UserIdentity::Service { account: self.account },
            time: self.time,
            source: self.source,
            name: self.name,
            region: self.region,
            source_ip_address: None,
            user_agent: "AWS Internal",
            via: None,
            error_code: None,
            error_message: None,
            request_parameters: None,
            request_id: &request_id::next(),
            event_id: &request_id::next(),
            read_only: false,
            resources: self.resources,
            recipient_account_id: Some(self.account),
            counted: None,
            additional: b"",
        }
        .to_bytes()
    }
}
