//! From an access key to its caller and the key that verifies its signatures.
//!
//! A caller is remembered as long as nothing has changed since its access key and user were looked up, and changes count
//! before they are acknowledged: a key that was deactivated, or whose user is gone, is refused from then on.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use policy::{Context, Principal};
use quick_cache::Equivalent;
use quick_cache::sync::Cache;
use service::Caller;
use service::ports::{Claim, Credential, CredentialError};
use wire::Timestamp;
use wire::sigv4::SigningKey;

use crate::Iam;
use crate::records::access_key::{self, AccessKey, Status};
use crate::records::entity::Entity;
use crate::records::user::User;
use crate::values::secret::SecretAccessKey;
use crate::values::tag;

/// How many callers are remembered.
const CALLERS_CACHED: usize = 20_000;

/// How many signing keys are remembered: one for each access key, day, region and service in use.
const SIGNING_KEYS_CACHED: usize = 4096;

/// Lengths that the ids of access keys can have.
const ID_LENGTHS: std::ops::RangeInclusive<usize> = 16..=128;

/// How the ids of long-lived access keys begin.
const LONG_LIVED: &str = "AKIA";

/// A caller, and the records it was made from: it stands for them only as long as they are the current ones.
pub(crate) struct Known {
    /// The count of changes when the records were last found to be current.
    epoch: AtomicU64,
    key: Arc<AccessKey>,
    user: Option<Arc<User>>,
    pub(crate) caller: Arc<Caller>,
}

/// Callers by access key.
pub(crate) struct Callers(Cache<String, Arc<Known>>);

impl Callers {
    pub(crate) fn new() -> Self {
        Self(Cache::new(CALLERS_CACHED))
    }

    pub(crate) fn get(&self, access_key_id: &str) -> Option<Arc<Known>> {
        self.0.get(access_key_id)
    }

    /// The caller of these very records, made once.
    fn of(&self, key: Arc<AccessKey>, user: Option<Arc<User>>, epoch: u64) -> Arc<Known> {
        let same = |known: &Known| {
            Arc::ptr_eq(&known.key, &key)
                && match (&known.user, &user) {
                    (Some(known), Some(user)) => Arc::ptr_eq(known, user),
                    (None, None) => true,
                    _ => false,
                }
        };
        if let Some(known) = self.get(&key.id).filter(|known| same(known)) {
            known.epoch.store(epoch, Ordering::Release);
            return known;
        }
        let known = Arc::new(Known {
            epoch: AtomicU64::new(epoch),
            caller: Arc::new(describe(&key.id, &key.account, user.as_deref())),
            key,
            user,
        });
        self.0.insert(known.key.id.clone(), Arc::clone(&known));
        known
    }
}

/// The caller that a credential of `account` stands for: its user, or else the account's root user.
pub(crate) fn describe(credential_id: &str, account: &str, user: Option<&User>) -> Caller {
    let mut context = Context::new();
    context.insert("aws:ViaAWSService", false);
    let principal = match user {
        Some(user) => {
            tag::on_principal(&mut context, &user.tags);
            Principal::user(user.arn(), &user.identity.id)
        }
        None => Principal::root(account),
    };
    Caller::new(principal, credential_id.to_owned(), context, None)
}

/// The scope that a signing key is derived for.
#[derive(PartialEq, Eq, Hash)]
struct Scope {
    access_key_id: Box<str>,
    date: Box<str>,
    region: Box<str>,
    service: Box<str>,
}

/// Borrowed twin of [`Scope`]: hashes alike, costs nothing to make.
#[derive(Clone, Copy, Hash)]
struct ScopeRef<'a> {
    access_key_id: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
}

impl Equivalent<Scope> for ScopeRef<'_> {
    fn equivalent(&self, scope: &Scope) -> bool {
        *self.access_key_id == *scope.access_key_id
            && *self.date == *scope.date
            && *self.region == *scope.region
            && *self.service == *scope.service
    }
}

/// Derived signing keys. A secret never changes, so neither do they; one whose access key is gone is never asked for
/// again.
pub(crate) struct SigningKeys(Cache<Scope, Arc<SigningKey>>);

impl SigningKeys {
    pub(crate) fn new() -> Self {
        Self(Cache::new(SIGNING_KEYS_CACHED))
    }

    fn get(&self, secret: &SecretAccessKey, claim: Claim<'_>, now: Timestamp) -> Arc<SigningKey> {
        let Claim { access_key_id, date, region, service, .. } = claim;
        let scope = ScopeRef { access_key_id, date, region, service };
        if let Some(signing_key) = self.0.get(&scope) {
            return signing_key;
        }
        let signing_key = Arc::new(SigningKey::derive(secret.expose().as_bytes(), date, region, service));
        // A scope of another day can only be refused, or be a presigned request's: not worth a place.
        if [-1, 0, 1].iter().any(|days| now.plus_days(*days).amz_date().starts_with(date)) {
            let scope = Scope {
                access_key_id: access_key_id.into(),
                date: date.into(),
                region: region.into(),
                service: service.into(),
            };
            self.0.insert(scope, Arc::clone(&signing_key));
        }
        signing_key
    }
}

impl Iam {
    /// The credential of a request that is yet to be verified.
    pub(crate) async fn look_up(&self, claim: Claim<'_>, now: Timestamp) -> Result<Credential, CredentialError> {
        if let Some(token) = claim.session_token {
            let known = self.session(claim, token, now).await?;
            let signing_key = self.signing_keys.get(known.secret(), claim, now);
            return Ok(Credential { caller: known.caller, signing_key });
        }
        let known = self.known(claim.access_key_id).await?;
        Ok(self.credential_of(&known, claim, now))
    }

    /// The credential of a request whose caller is remembered, without a session's token.
    pub(crate) fn remembered(&self, claim: Claim<'_>, now: Timestamp) -> Option<Credential> {
        if claim.session_token.is_some() {
            return None;
        }
        // Before anything else: it proves that records read from here on are current.
        let epoch = self.epoch.now();
        let known = self.callers.get(claim.access_key_id)?;
        let current = known.epoch.load(Ordering::Acquire) == epoch;
        current.then(|| self.credential_of(&known, claim, now))
    }

    fn credential_of(&self, known: &Known, claim: Claim<'_>, now: Timestamp) -> Credential {
        let signing_key = self.signing_keys.get(&known.key.secret, claim, now);
        Credential { caller: Arc::clone(&known.caller), signing_key }
    }

    /// The caller whose access key has this id, if it is active, looked up in the store's caches.
    async fn known(&self, id: &str) -> Result<Arc<Known>, CredentialError> {
        // Before anything else: it proves that records read from here on are current.
        let epoch = self.epoch.now();
        // What cannot be a key is not worth a look into the store.
        let formed = ID_LENGTHS.contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !formed || !id.starts_with(LONG_LIVED) {
            return Err(CredentialError::Unknown);
        }
        let key = self.access_keys.get(access_key::PARENT, id).await?;
        let key = key.filter(|key| key.status == Status::Active).ok_or(CredentialError::Unknown)?;
        let user = match &key.user {
            Some(user) => Some(self.users.get(&key.account, user).await?.ok_or(CredentialError::Unknown)?),
            None => None,
        };
        Ok(self.callers.of(key, user, epoch))
    }
}
