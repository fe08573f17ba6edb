//! Operators' actions on the host, beside the API, as the trail records them.

use wire::Timestamp;

use crate::event::{Event, Kind, UserIdentity};
use crate::request_id;
use crate::trail::Trail;

/// Who acts on the host, beside the API, and when.
#[derive(Clone, Copy, Debug)]
pub struct Operator {
    /// The user id of the process.
    pub uid: u32,
    /// When.
    pub time: Timestamp,
}

impl Operator {
    /// The event of an action called `name`, for the outbox of the change that it makes.
    #[must_use]
    pub fn event(&self, name: &str, parameters: &serde_json::Value) -> Vec<u8> {
        let parameters = parameters.to_string();
        let (time, uid, parameters) = (self.time, self.uid, Some(parameters.as_str()));
        OperatorEvent { time, name, uid, parameters, error: None }.to_bytes()
    }
}

/// An operator's action.
pub struct OperatorEvent<'a> {
    /// When.
    pub time: Timestamp,
    /// What, named as operations are: `RotateRootSeal`.
    pub name: &'a str,
    /// The user id of the process that asked for it.
    pub uid: u32,
    /// Parameters of the action, a JSON object without secrets.
    pub parameters: Option<&'a str>,
    /// Why it failed, if it did.
    pub error: Option<&'a str>,
}

impl OperatorEvent<'_> {
    /// The event, for the outbox of the change that it describes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.with(|event| event.to_bytes())
    }

    fn with<T>(&self, then: impl FnOnce(&Event<'_>) -> T) -> T {
        then(&Event {
            kind: Kind::Operator,
            user_identity: UserIdentity::Operator { uid: self.uid },
            time: self.time,
            source: "sealstack",
            name: self.name,
            region: "-",
            source_ip_address: None,
            user_agent: "sealstack",
            via: None,
            error_code: self.error.map(|_| "Failed"),
            error_message: self.error,
            request_parameters: self.parameters.map(str::as_bytes),
            request_id: &request_id::next(),
            event_id: &request_id::next(),
            read_only: false,
            resources: &[],
            recipient_account_id: None,
            counted: None,
            additional: b"",
        })
    }
}

impl Trail {
    /// Records an operator's action, and returns when it is durable.
    ///
    /// # Errors
    /// Those of the journal.
    pub async fn record_operator(&self, action: &OperatorEvent<'_>) -> Result<(), journal::JournalError> {
        self.append_durable(&action.to_bytes()).await
    }
}
