//! Git repositories as AWS CodeCommit has them: their API, and what a pull or a push needs.
//!
//! Owns repositories' metadata, pull requests, comments, approvals and triggers, and each repository's data key, which a
//! KMS key of the customer's seals and every call opens as its caller. Objects and references are `git`'s. Refuses to
//! know users, and the wires of Git.
//!
//! Source: AWS CodeCommit API Reference; AWS CodeCommit User Guide.

mod access;
mod addresses;
mod approval;
mod branch;
mod breach;
mod comment;
mod commit;
mod content;
mod difference;
mod error;
mod file;
mod merge;
mod operations;
mod pull_request;
mod record;
mod reference;
mod repository;
mod rules;
mod tag;
mod template;
pub mod transfer;
mod trigger;

use std::sync::Arc;

use git::Git;
use service::ports::{DataKeys, EventDelivery};
use service::{Call, Entry, Nowhere, Service};
use store::{Cache, Store, Tx};
use wire::shape::Breach;
use wire::{Fault, Protocol};

pub use access::{GitPull, GitPullInput, GitPush, GitPushInput, PulledFrom, PushedRef, PushedTo};
pub use addresses::Addresses;
pub use error::{CodeCommitError, KeyFault, Refusal};

use record::{NameRecord, RepositoryRecord};

/// How many repositories are cached.
const REPOSITORIES_CACHED: usize = 10_000;

/// AWS CodeCommit.
pub struct CodeCommit {
    store: Store,
    data_keys: Arc<dyn DataKeys>,
    git: Git,
    repositories: Cache<RepositoryRecord>,
    names: Cache<NameRecord>,
    addresses: Addresses,
    delivery: Arc<dyn EventDelivery>,
}

impl CodeCommit {
    /// CodeCommit over `store`, whose repositories are `git`'s, sealed under data keys of `data_keys`.
    #[must_use]
    pub fn new(store: Store, git: Git, data_keys: Arc<dyn DataKeys>) -> Self {
        Self {
            repositories: Cache::new::<RepositoryRecord>(&store, REPOSITORIES_CACHED, |record| record),
            names: Cache::new::<NameRecord>(&store, REPOSITORIES_CACHED, |record| record),
            store,
            data_keys,
            git,
            addresses: Addresses::default(),
            delivery: Arc::new(Nowhere),
        }
    }

    /// Changes a repository's record for a call.
    async fn change<T: Send + 'static>(
        &self,
        call: &Call<'_, Self>,
        repository: &RepositoryRecord,
        work: impl FnOnce(&mut RepositoryRecord, &mut Tx<'_>) -> Result<T, CodeCommitError> + Send + 'static,
    ) -> Result<T, CodeCommitError> {
        let (domain, id, name) = (repository.domain(), repository.id.clone(), repository.name.clone());
        call.write(&self.store, move |tx| {
            let record = tx.get::<RepositoryRecord>(&domain, &id)?;
            let mut record = record.ok_or(Refusal::RepositoryDoesNotExist { name })?;
            let value = work(&mut record, tx)?;
            tx.put(&domain, &id, &record)?;
            Ok(value)
        })
        .await
    }

    /// The same with a way to the destinations of triggers.
    #[must_use]
    pub fn with_trigger_delivery(mut self, delivery: Arc<dyn EventDelivery>) -> Self {
        self.delivery = delivery;
        self
    }

    /// The same with other addresses for clients of Git.
    #[must_use]
    pub fn with_addresses(mut self, addresses: Addresses) -> Self {
        self.addresses = addresses;
        self
    }
}

impl Service for CodeCommit {
    const NAME: &'static str = "codecommit";
    const EVENT_SOURCE: &'static str = "codecommit.amazonaws.com";
    const PROTOCOLS: &'static [Protocol] = &[Protocol::json("1.1", "CodeCommit_20150413")];
    const NOT_SERVED: &'static str = include_str!("../missing.txt");
    type Error = CodeCommitError;

    fn fault_of(operation: &'static str, breach: Breach) -> Option<Fault> {
        breach::fault_of(operation, breach)
    }

    fn operations() -> &'static [Entry<Self>] {
        operations::TABLE
    }
}

#[cfg(test)]
mod tests;
