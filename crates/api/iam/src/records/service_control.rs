//! Service control policies as they are stored: under the accounts that they limit.

use serde::{Deserialize, Serialize};
use store::Record;

/// All stand under one parent, by the account that they limit.
pub(crate) const PARENT: &str = "";

/// The service control policy of an account as it is stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct ServiceControl {
    pub(crate) document: String,
}

impl Record for ServiceControl {
    const COLLECTION: &'static str = "iam.service-control";
}
