//! Triggers of a repository as they are stored.

use serde::{Deserialize, Serialize};
use store::Record;

/// All triggers of a repository, stored under its id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TriggersRecord {
    pub(crate) configuration_id: String,
    pub(crate) triggers: Vec<Trigger>,
}

impl Record for TriggersRecord {
    const COLLECTION: &'static str = "codecommit-triggers";
}

/// A trigger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trigger {
    pub(crate) name: String,
    pub(crate) destination_arn: String,
    pub(crate) custom_data: Option<String>,
    /// The branches that it is for; all of them if there are none.
    pub(crate) branches: Vec<String>,
    pub(crate) events: Vec<TriggerEvent>,
}

wire::text_enum! {
    /// A trigger event type.
    pub(crate) enum TriggerEvent {
        All = "all",
        UpdateReference = "updateReference",
        CreateReference = "createReference",
        DeleteReference = "deleteReference",
    }
}
