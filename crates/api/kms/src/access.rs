//! From a caller's name for a key to the key, and to what the caller must hold to use it.

mod explain;
pub(crate) mod grant_token;
pub(crate) mod managed;
mod shapes;

use std::borrow::Cow;
use std::sync::Arc;

use service::{Call, Caller, MaybeReady, Need, Resource, ResourcePolicy};

pub(crate) use shapes::{GrantedKeyInput, KeyIdInput, KeyIdOutput, KeyMaterialOutput, KeyPageInput};

use crate::Kms;
use crate::error::KmsError;
use crate::record::{
    Claim, EncryptionAlgorithm, EncryptionContext, Forms, GrantOperation, GrantUse, Grants, KeyRecord, KeyStoreRecord,
    LiveKey, Reference, Target, Usage, alias_arn, domain, key_arn, key_store, policy, state,
};

/// How an operation names its key, and on which grounds it may use it.
pub(crate) struct KeyRef<'a> {
    name: &'a str,
    forms: Forms,
    grant_tokens: &'a [String],
    granted: Option<GrantUse<'a>>,
    /// Whether policies can ask how long the key has not been used.
    asks_idleness: bool,
}

impl<'a> KeyRef<'a> {
    const fn new(name: &'a str, forms: Forms, grant_tokens: &'a [String], granted: Option<GrantUse<'a>>) -> Self {
        Self { name, forms, grant_tokens, granted, asks_idleness: false }
    }

    /// A key of the caller's own account, under no grant.
    pub(crate) const fn own(name: &'a str) -> Self {
        Self::new(name, Forms::OwnKey, &[], None)
    }

    /// A key of any account, under no grant.
    pub(crate) const fn any(name: &'a str) -> Self {
        Self::new(name, Forms::Key, &[], None)
    }

    /// A key of any account, to be granted to others.
    pub(crate) const fn to_grant(name: &'a str, grant_tokens: &'a [String], grant: GrantUse<'a>) -> Self {
        Self::new(name, Forms::Key, grant_tokens, Some(grant))
    }

    /// A key or alias of any account, to be used; grants can allow it.
    pub(crate) const fn plain(name: &'a str, grant_tokens: &'a [String], operation: GrantOperation) -> Self {
        Self::new(name, Forms::KeyOrAlias, grant_tokens, Some(GrantUse::Plain(operation)))
    }

    /// The same with an encryption context, which grants can constrain.
    pub(crate) const fn with_context(
        name: &'a str,
        grant_tokens: &'a [String],
        operation: GrantOperation,
        context: &'a EncryptionContext,
    ) -> Self {
        Self::new(name, Forms::KeyOrAlias, grant_tokens, Some(GrantUse::Crypto(operation, context)))
    }

    /// The same for an operation about which policies can ask how long the key has not been used.
    pub(crate) fn asking_idleness(self) -> Self {
        Self { asks_idleness: true, ..self }
    }
}

/// A key that a call names, with all that decides whether the call may use it.
#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) key: Arc<LiveKey>,
    /// The alias by which it was named.
    alias: Option<String>,
    grants: Option<Arc<Grants>>,
    /// The store that holds it, if one does.
    pub(crate) store: Option<Arc<KeyStoreRecord>>,
    /// Whether a grant token is not one of this server's.
    bad_token: bool,
    /// Whether the key is an AWS-managed one that nobody has used yet.
    unmade: bool,
    /// How many days the key has not been used, if policies can ask.
    idle_days: Option<i64>,
}

impl Found {
    /// Finds the key that `reference` names.
    ///
    /// # Errors
    /// Those of [`Reference::parse`]; [`KmsError::KeyNotFound`], [`KmsError::AliasNotFound`].
    pub(crate) fn named<'a>(
        reference: &'a str,
        forms: Forms,
        grant_tokens: &'a [String],
        call: &'a Call<'_, Kms>,
    ) -> MaybeReady<'a, Result<Self, KmsError>> {
        match Reference::parse(reference, call.region, call.account(), forms) {
            Err(error) => MaybeReady::ready(Err(error)),
            // Not for other accounts, whatever the key's policy says.
            Ok(Reference { account, target: Target::Key(id) })
                if forms == Forms::OwnKey && account != call.account() =>
            {
                MaybeReady::ready(Err(KmsError::KeyNotFound { arn: key_arn(call.region, account, id) }))
            }
            Ok(Reference { account, target: Target::Key(id) }) => Self::of_key(account, id, None, grant_tokens, call),
            Ok(Reference { account, target: Target::Alias(name) }) => {
                MaybeReady::boxed(Self::of_alias(account, name, grant_tokens, call))
            }
        }
    }

    /// Finds the key of an alias, or what an AWS-managed key of that alias will be.
    async fn of_alias(
        account: &str,
        name: &str,
        grant_tokens: &[String],
        call: &Call<'_, Kms>,
    ) -> Result<Self, KmsError> {
        if let Some(alias) = call.service.aliases.get(&domain(account, call.region), name).await? {
            return Self::of_key(account, &alias.key_id, Some(name), grant_tokens, call).await;
        }
        let unmade = managed::service_of(name).map(|service| managed::record(service, account, call));
        let record = unmade.ok_or_else(|| KmsError::AliasNotFound { arn: alias_arn(call.region, account, name) })?;
        Ok(Self { unmade: true, ..Self::plain(Arc::new(LiveKey::from(record)), Some(name)) })
    }

    /// A key that nobody has granted and that is held here.
    fn plain(key: Arc<LiveKey>, alias: Option<&str>) -> Self {
        let alias = alias.map(str::to_owned);
        Self { key, alias, grants: None, store: None, bad_token: false, unmade: false, idle_days: None }
    }

    /// Whether `text` names this key, which was found without an alias, by its id or ARN.
    pub(crate) fn is_named(&self, text: &str, call: &Call<'_, Kms>) -> bool {
        let by_id = || text == self.key.record.id && self.key.record.account == call.account();
        self.alias.is_none() && (text == self.key.arn || by_id())
    }

    /// Finds the key `id` of `account`.
    ///
    /// # Errors
    /// [`KmsError::KeyNotFound`].
    pub(crate) fn of_key<'a>(
        account: &'a str,
        id: &'a str,
        alias: Option<&'a str>,
        grant_tokens: &'a [String],
        call: &'a Call<'_, Kms>,
    ) -> MaybeReady<'a, Result<Self, KmsError>> {
        match call.service.live(call.region, account, id) {
            MaybeReady::Ready(known) => match known.into_inner() {
                Err(error) => MaybeReady::ready(Err(error)),
                Ok(key) if key.record.grants == 0 && key.record.held.is_none() && grant_tokens.is_empty() => {
                    MaybeReady::ready(Ok(Self::plain(key, alias)))
                }
                Ok(key) => MaybeReady::boxed(Self::of_live(key, alias, grant_tokens, call)),
            },
            MaybeReady::Boxed(key) => {
                MaybeReady::boxed(async move { Self::of_live(key.await?, alias, grant_tokens, call).await })
            }
        }
    }

    /// The key with its grants, those that tokens name included, and its store.
    async fn of_live(
        key: Arc<LiveKey>,
        alias: Option<&str>,
        grant_tokens: &[String],
        call: &Call<'_, Kms>,
    ) -> Result<Self, KmsError> {
        let kms = &**call.service;
        let mut grants = match key.record.grants {
            0 => None,
            _ => Some(kms.grants.get(&key.record.path()).await?),
        };
        let store = match &key.record.held {
            None => None,
            Some(_) => kms.store_of(&key.record).await?,
        };
        let mut bad_token = false;
        if !grant_tokens.is_empty() {
            bad_token = grant_token::add_granted(grant_tokens, &key, &mut grants, kms).await?;
        }
        Ok(Self { grants, store, bad_token, ..Self::plain(key, alias) })
    }

    /// Finds a related key in another region, which only policies allow to be used from here.
    ///
    /// # Errors
    /// [`KmsError::KeyNotFound`].
    pub(crate) async fn in_region(
        region: &str,
        account: &str,
        id: &str,
        call: &Call<'_, Kms>,
    ) -> Result<Self, KmsError> {
        Ok(Self::plain(call.service.live(region, account, id).await?, None))
    }

    /// Refuses a [concealed](Resource::concealed) key to a caller who does not hold `need` on it.
    ///
    /// # Errors
    /// [`KmsError::AliasNotFound`].
    pub(crate) async fn unless_concealed<'n>(
        &'n self,
        need: impl FnOnce(&'n Self) -> Need<'n> + Send,
        call: &Call<'_, Kms>,
    ) -> Result<(), KmsError> {
        let Some(concealed) = self.concealed(call) else { return Ok(()) };
        Box::pin(async move { if call.would_allow(&need(self)).await? { Ok(()) } else { Err(concealed) } }).await
    }

    /// The need of `action` on the key: by its policy, or by a grant for `granted`.
    pub(crate) fn need_of<'n>(
        &'n self,
        action: &'static str,
        granted: Option<&GrantUse<'_>>,
        call: &'n Call<'_, Kms>,
    ) -> Need<'n> {
        let key = &*self.key;
        let guard = guard(key, self.grants.as_deref(), granted, call.caller, action);
        let (resource, context) = (Cow::Borrowed(&*key.arn), Vec::with_capacity(12));
        let need = Need { action, resource, account: None, context, guard, shown: None };
        let mut need = describe_key(need, &key.record, call);
        if let Some(alias) = &self.alias {
            need = need.with("kms:RequestAlias", alias);
        }
        match self.idle_days {
            Some(days) => need.with("kms:TrailingDaysWithoutKeyUsage", days),
            None => need,
        }
    }

    /// Checks that the grant tokens are genuine and the key's state permits the operation.
    ///
    /// # Errors
    /// [`KmsError::InvalidGrantToken`]; those of [`state::check`].
    pub(crate) fn ready(&self, operation: &str, call: &Call<'_, Kms>) -> Result<(), KmsError> {
        if self.bad_token {
            return Err(KmsError::InvalidGrantToken);
        }
        let record = &self.key.record;
        let state = key_store::state(record.state_at(call.now), self.store.as_deref());
        state::check(operation, state, record.origin, &self.key.arn)
    }

    /// Makes the key if it is an AWS-managed one that nobody has used before.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn make(&mut self, call: &Call<'_, Kms>) -> Result<(), KmsError> {
        if self.unmade {
            self.key = Box::pin(managed::make(&self.key.record, call)).await?;
            self.unmade = false;
        }
        Ok(())
    }
}

/// The key's part in a decision: its policy, and whether a grant allows the use.
pub(crate) fn guard(
    key: &LiveKey,
    grants: Option<&Grants>,
    usage: Option<&GrantUse<'_>>,
    caller: &Caller,
    action: &str,
) -> ResourcePolicy {
    match usage.zip(grants).and_then(|(usage, grants)| grants.claim(caller, usage)) {
        None => ResourcePolicy::Mandatory(Arc::clone(&key.policy)),
        Some(Claim::Principal) => ResourcePolicy::Granted(Arc::clone(&key.policy)),
        Some(Claim::Session) => ResourcePolicy::GrantedToSession(Arc::clone(&key.policy)),
        // The account decides over it by identity policies, as if the key policy said so.
        Some(Claim::Account) => {
            let account = caller.principal.account.as_str();
            ResourcePolicy::Mandatory(key.record.policy.delegating(&[account], action, true, &key.arn))
        }
    }
}

impl Resource for Found {
    type Service = Kms;
    type Key<'a> = KeyRef<'a>;

    fn find<'a>(key: KeyRef<'a>, call: &'a Call<'_, Kms>) -> impl Future<Output = Result<Self, KmsError>> + Send {
        async move {
            let mut found = Self::named(key.name, key.forms, key.grant_tokens, call).await?;
            if key.asks_idleness {
                found.idle_days = Some(Box::pin(call.service.idle_days(&found.key, call.now)).await?);
            }
            Ok(found)
        }
    }

    fn need<'n>(&'n self, key: KeyRef<'n>, action: &'static str, call: &'n Call<'_, Kms>) -> Need<'n> {
        self.need_of(action, key.granted.as_ref(), call)
    }

    fn need_of_missing<'n>(key: KeyRef<'n>, action: &'static str, call: &'n Call<'_, Kms>) -> Option<Need<'n>> {
        need_of_unnamed(key.name, key.forms, action, call)
    }

    /// A caller who names the key by another account's alias and may not use it: the refusal would name the key, and
    /// reveal that there is such an alias.
    fn concealed(&self, call: &Call<'_, Kms>) -> Option<KmsError> {
        let account = &self.key.record.account;
        let alias = self.alias.as_ref().filter(|_| account != call.account())?;
        Some(KmsError::AliasNotFound { arn: alias_arn(call.region, account, alias) })
    }

    async fn begin(&mut self, operation: &'static str, call: &Call<'_, Kms>) -> Result<(), KmsError> {
        self.ready(operation, call)?;
        self.make(call).await
    }

    /// Records the use of the key, which only operations that use keys are.
    fn end(&self, operation: &'static str, call: &Call<'_, Kms>) {
        if let Some(usage) = Usage::from_text(operation) {
            call.service.used(&self.key, usage, call);
        }
    }
}

/// Ends a dry run, which has come as far as the operation itself.
///
/// # Errors
/// [`KmsError::DryRun`].
pub(crate) const fn end_dry_run(dry_run: bool) -> Result<(), KmsError> {
    if dry_run { Err(KmsError::DryRun) } else { Ok(()) }
}

/// The keys and key stores of the caller's account in a Region, over which only identity policies decide.
pub(crate) struct Account;

impl Resource for Account {
    type Service = Kms;
    type Key<'a> = ();

    async fn find((): (), _: &Call<'_, Kms>) -> Result<Self, KmsError> {
        Ok(Self)
    }

    fn need<'n>(&'n self, (): (), action: &'static str, call: &'n Call<'_, Kms>) -> Need<'n> {
        Need::identity(action, "*").with("kms:CallerAccount", call.account())
    }

    fn need_of_missing<'n>((): (), action: &'static str, call: &'n Call<'_, Kms>) -> Option<Need<'n>> {
        Some(Self.need((), action, call).into_owned())
    }
}

/// The need of `action` on a key that was not found by `reference`, so that a stranger cannot distinguish a missing key
/// from a forbidden one; `None` for a text that names no key, whose refusal reveals nothing.
pub(crate) fn need_of_unnamed(
    reference: &str,
    forms: Forms,
    action: &'static str,
    call: &Call<'_, Kms>,
) -> Option<Need<'static>> {
    let Reference { account, target } = Reference::parse(reference, call.region, call.account(), forms).ok()?;
    let arn = match target {
        Target::Key(id) => key_arn(call.region, account, id),
        Target::Alias(name) => alias_arn(call.region, account, name),
    };
    Some(need_of_missing(arn, account, action, call))
}

/// As [`need_of_unnamed`], for a key at `arn` in `account`.
pub(crate) fn need_of_missing(arn: String, account: &str, action: &'static str, call: &Call<'_, Kms>) -> Need<'static> {
    let need = Need::identity(action, arn);
    if account == call.account() { need } else { need.guarded(ResourcePolicy::Mandatory(policy::nothing())) }
}

/// Adds the condition keys that every action on a key has.
///
/// Source: AWS KMS Developer Guide, "AWS KMS condition keys".
pub(crate) fn describe_key<'n>(need: Need<'n>, key: &'n KeyRecord, call: &'n Call<'_, Kms>) -> Need<'n> {
    describe_key_to(need, key, call.account())
}

/// The same for a caller of this account.
pub(crate) fn describe_key_to<'n>(need: Need<'n>, key: &'n KeyRecord, account: &'n str) -> Need<'n> {
    let mut need = need
        .with("kms:CallerAccount", account)
        .with("kms:KeySpec", key.spec.as_str())
        .with("kms:KeyUsage", key.usage.as_str())
        .with("kms:KeyOrigin", key.origin.as_str())
        .with("kms:MultiRegion", key.multi_region.is_some())
        .with("aws:ResourceAccount", &key.account);
    if let Some(key_type) = key.multi_region_key_type() {
        need = need.with("kms:MultiRegionKeyType", key_type.as_str());
    }
    if !key.aliases.is_empty() {
        need = need.with_many("kms:ResourceAliases", &key.aliases);
    }
    need.with_named("aws:ResourceTag/", &key.tags)
}

/// Adds the condition keys of encrypting and decrypting.
pub(crate) fn describe_encryption<'n>(
    need: Need<'n>,
    algorithm: EncryptionAlgorithm,
    context: &'n EncryptionContext,
) -> Need<'n> {
    describe_context(need.with("kms:EncryptionAlgorithm", algorithm.as_str()), context)
}

/// Adds the condition keys of an encryption context.
pub(crate) fn describe_context<'n>(mut need: Need<'n>, context: &'n EncryptionContext) -> Need<'n> {
    if !context.is_empty() {
        need = need.with_many("kms:EncryptionContextKeys", context.keys());
    }
    need.with_named("kms:EncryptionContext:", context)
}
