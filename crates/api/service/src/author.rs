//! On whose behalf a change is made: what is recorded of it, in the same transaction.

use std::future::Future;

use store::{Store, StoreError, Tx};
use wire::Timestamp;

use crate::event::{Event, Kind, UserIdentity};
use crate::request_id;

/// Who changes something, and what the audit trail says of it.
pub trait Author: Sync {
    /// Runs `change` as one transaction. If it changes anything its audit record is written with it, or neither is.
    fn write<T, E>(
        &self,
        store: &Store,
        change: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> impl Future<Output = Result<T, E>> + Send
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static;
}

/// What a service does by itself, such as rotating a key whose time has come.
///
/// Source: CloudTrail User Guide, "AWS service events".
pub struct Upkeep<'a> {
    /// When.
    pub time: Timestamp,
    /// The service, such as `kms.amazonaws.com`.
    pub source: &'a str,
    /// What it does, such as `RotateKey`.
    pub name: &'a str,
    /// The region.
    pub region: &'a str,
    /// The account that it is done for.
    pub account: &'a str,
    /// The ARN of what is changed.
    pub resource: &'a str,
}

impl Upkeep<'_> {
    /// The event, for the outbox of the change that it tells of.
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
            error_code: None,
            error_message: None,
            request_parameters: None,
            request_id: &request_id::next(),
            event_id: &request_id::next(),
            read_only: false,
            resources: &[self.resource.to_owned()],
            recipient_account_id: Some(self.account),
            counted: None,
        }
        .to_bytes()
    }
}

/// A service that changes something by itself. What it does is recorded by `change`, if it is done at all.
pub struct Unattended;

impl Author for Unattended {
    async fn write<T, E>(
        &self,
        store: &Store,
        change: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        store.write(change).await
    }
}
