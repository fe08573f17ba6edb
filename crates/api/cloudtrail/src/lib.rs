//! CloudTrail over the audit log: looks up what was called, by whom and on what.
//!
//! Owns no state: the log is the journal's, and records are written by `service`. Refuses to know any other service.
//!
//! Source: AWS CloudTrail API Reference, LookupEvents.

mod error;
mod lookup_events;
mod record;
mod resource;
mod search;

use std::path::PathBuf;
use std::sync::Arc;

use crypto::Key256;
use service::{Entry, Service, TokenKey};
use tokio::sync::Semaphore;
use wire::Protocol;

pub use error::CloudTrailError;

/// How many searches read the log at once; others wait. AWS takes two a second.
const SEARCHES_AT_ONCE: usize = 2;

/// CloudTrail.
pub struct CloudTrail {
    directory: PathBuf,
    key: Arc<Key256>,
    tokens: TokenKey,
    searches: Arc<Semaphore>,
}

impl CloudTrail {
    /// CloudTrail over the audit log in `directory`, which is sealed under `key`.
    #[must_use]
    pub fn new(directory: PathBuf, key: Arc<Key256>) -> Self {
        let tokens = TokenKey::derive(&key, b"sealstack cloudtrail token 1");
        Self { directory, key, tokens, searches: Arc::new(Semaphore::new(SEARCHES_AT_ONCE)) }
    }
}

impl Service for CloudTrail {
    const NAME: &'static str = "cloudtrail";
    const EVENT_SOURCE: &'static str = "cloudtrail.amazonaws.com";
    const PROTOCOLS: &'static [Protocol] =
        &[Protocol::json("1.1", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101")];
    type Error = CloudTrailError;

    fn operations() -> &'static [Entry<Self>] {
        service::operations![lookup_events::LookupEvents]
    }
}
