//! The state of the service: the store, the caches that the hot path reads, and lookups that many operations share.

use std::sync::Arc;

use store::{Cache, ListCache, Store, StoreError};

use crate::authority::authenticate::{Callers, SigningKeys};
use crate::authority::authorize::{Held, ParsedPolicy};
use crate::authority::epoch::Epoch;
use crate::authority::session::Sessions;
use crate::credentials::provider_keys::ProviderKeys;
use crate::records::access_key::AccessKey;
use crate::records::account::{self, Account};
use crate::records::entity::{self, Entity};
use crate::records::group::Group;
use crate::records::inline_policy::InlinePolicy;
use crate::records::last_use::LastUses;
use crate::records::managed_policy::PolicyDocument;
use crate::records::role::Role;
use crate::records::service_control::ServiceControl;
use crate::records::user::User;
use crate::reports::credential_report::Reports;
use crate::reports::last_access::Jobs;
use crate::values::error::Result;

/// How many access keys, users and roles the hot path remembers, each.
const IDENTITIES_CACHED: usize = 20_000;

/// How many groups the hot path remembers.
const GROUPS_CACHED: usize = 2000;

/// How many accounts' service control policies the hot path remembers.
const ACCOUNTS_CACHED: usize = 1000;

/// How many managed policies the hot path remembers.
const POLICIES_CACHED: usize = 5000;

/// The IAM service: everything that an account has, and the [`Authority`](service::ports::Authority) over every call.
pub struct Iam {
    pub(crate) store: Store,
    pub(crate) access_keys: Cache<AccessKey>,
    pub(crate) users: Cache<User>,
    pub(crate) groups: Cache<Group>,
    pub(crate) roles: Cache<Role>,
    /// The inline policies of a user, group or role, by its unique id.
    pub(crate) inline: ListCache<Vec<Option<ParsedPolicy>>>,
    /// The documents in force, by ARN.
    pub(crate) documents: Cache<Option<ParsedPolicy>>,
    /// The service control policies, by account.
    pub(crate) service_control: Cache<Vec<Option<ParsedPolicy>>>,
    /// The policies of each caller, assembled from the above, by unique id.
    pub(crate) held: quick_cache::sync::Cache<String, Arc<Held>>,
    pub(crate) epoch: Epoch,
    pub(crate) callers: Callers,
    pub(crate) sessions: Sessions,
    pub(crate) provider_keys: ProviderKeys,
    pub(crate) signing_keys: SigningKeys,
    pub(crate) last_uses: LastUses,
    pub(crate) reports: Reports,
    pub(crate) access_jobs: Jobs,
}

impl Iam {
    /// The service over a store. Nothing is read until it is asked for.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            access_keys: Cache::new(&store, IDENTITIES_CACHED, |key: AccessKey| key),
            users: Cache::new(&store, IDENTITIES_CACHED, |user: User| user),
            groups: Cache::new(&store, GROUPS_CACHED, |group: Group| group),
            roles: Cache::new(&store, IDENTITIES_CACHED, |role: Role| role),
            inline: ListCache::new(&store, IDENTITIES_CACHED, |policies: Vec<InlinePolicy>| {
                policies.into_iter().map(|policy| ParsedPolicy::parse(policy.name, &policy.document)).collect()
            }),
            documents: Cache::new(&store, POLICIES_CACHED, |document: PolicyDocument| {
                ParsedPolicy::parse(document.arn, &document.text)
            }),
            service_control: Cache::new(&store, ACCOUNTS_CACHED, |control: ServiceControl| {
                ParsedPolicy::of_control(&control)
            }),
            held: quick_cache::sync::Cache::new(IDENTITIES_CACHED),
            // After the caches: see there.
            epoch: Epoch::watching(&store),
            callers: Callers::new(),
            sessions: Sessions::new(),
            provider_keys: ProviderKeys::default(),
            signing_keys: SigningKeys::new(),
            last_uses: LastUses::default(),
            reports: Reports::default(),
            access_jobs: Jobs::default(),
            store,
        }
    }

    /// The same service, which finds the keys of identity providers in `directory`: for the provider at
    /// `https://host/path`, a JSON web key set in the file `host_path.jwks`. Without them no provider's token is accepted.
    #[must_use]
    pub fn with_provider_keys(mut self, directory: std::path::PathBuf) -> Self {
        self.provider_keys.directory = Some(directory);
        self
    }

    /// Writes when access keys were last used, which is noted in memory only until then. To be called every minute or
    /// so, and before the server ends.
    ///
    /// # Errors
    /// Those of [`Store::write`]; unwritten uses stay in memory for the next time.
    pub async fn flush_last_uses(&self) -> Result<(), StoreError> {
        self.last_uses.flush(&self.store).await
    }

    /// The user, group or role of `account` that bears `name`.
    pub(crate) async fn entity<E: Entity>(&self, account: &str, name: &str) -> Result<E> {
        let (account, name) = (account.to_owned(), name.to_owned());
        self.store.read(move |tx| entity::load(tx, &account, &name)).await
    }

    /// The account with this id.
    pub(crate) async fn account(&self, id: &str) -> Result<Option<Account>, StoreError> {
        let id = id.to_owned();
        self.store.read(move |tx| account::find(tx, &id)).await
    }
}
