//! Whether a caller may: gathers the policies that bear on a need and has them evaluated.
//!
//! Reads caches only: documents are parsed when they are loaded, a caller's policies are assembled once, and both are
//! dropped before a change to them is acknowledged. What the policies mean is for the policy engine; what a resource's
//! own policy is, for the service that owns it.

use std::sync::Arc;

use policy::{
    Context, Explanation, Kind as Grammar, Named, Policies, Policy, PolicyLayer, Principal, PrincipalKind, Reason,
    Request, ResourceSide,
};
use service::ports::{Authority, Claim, Credential, CredentialError, Proof};
use service::{BoxFuture, Caller, MaybeReady, Need, ResourcePolicy};
use smallvec::SmallVec;
use store::{Record, StoreError};
use wire::Timestamp;

use crate::Iam;
use crate::authority::refusal::Refusal;
use crate::records::aws_managed::{self, ADMINISTRATOR_ACCESS, AwsManaged};
use crate::records::entity::Holder;
use crate::records::inline_policy::InlinePolicy;
use crate::records::last_use::{Actor, Use, Used};
use crate::records::managed_policy::{DEFAULT, PolicyDocument};
use crate::records::service_control::{self, ServiceControl};
use crate::values::unique_id;

/// A policy, parsed when it was loaded, and the name that explanations call it by.
pub(crate) struct ParsedPolicy {
    name: String,
    policy: Arc<Policy>,
}

impl ParsedPolicy {
    /// Parses a stored document. `None` if it is not a policy, which the operations that store it do not let happen.
    pub(crate) fn parse(name: String, document: &str) -> Option<Self> {
        match Policy::parse(document, Grammar::Identity) {
            Ok(policy) => Some(Self { name, policy: Arc::new(policy) }),
            Err(error) => {
                tracing::error!(policy = name, %error, "a stored policy cannot be read");
                None
            }
        }
    }

    /// The service control policy of an account, as the hot path reads it.
    pub(crate) fn of_control(control: &ServiceControl) -> Vec<Option<Self>> {
        vec![Self::parse("service control policy".to_owned(), &control.document)]
    }

    fn named(&self) -> Named<'_> {
        Named { name: &self.name, policy: &self.policy }
    }
}

/// The name of the policies passed for a session in explanations.
const SESSION_POLICY: &str = "session policy";

/// The policies of one caller.
pub(crate) struct Held {
    /// The count of changes when they were gathered.
    epoch: u64,
    managed: Vec<Managed>,
    inline: Vec<Arc<Vec<Option<ParsedPolicy>>>>,
    boundary: Option<Managed>,
    /// The limits of the caller's account.
    service_control: Option<Arc<Vec<Option<ParsedPolicy>>>>,
}

pub(crate) enum Managed {
    Own(Arc<Option<ParsedPolicy>>),
    Aws(&'static AwsManaged),
}

/// A stored document that does not parse denies everything: its denies cannot be known.
const fn unreadable(collection: &'static str) -> StoreError {
    StoreError::Unreadable { collection, line: 0, column: 0 }
}

impl Managed {
    fn named(&self) -> Result<Named<'_>, StoreError> {
        match self {
            Self::Own(parsed) => match &**parsed {
                Some(parsed) => Ok(parsed.named()),
                None => Err(unreadable(PolicyDocument::COLLECTION)),
            },
            Self::Aws(managed) => Ok(Named { name: managed.arn.as_str(), policy: &managed.policy }),
        }
    }

    /// The policy, for whoever keeps it.
    pub(crate) fn policy(&self) -> Result<Arc<Policy>, StoreError> {
        match self {
            Self::Own(parsed) => match &**parsed {
                Some(parsed) => Ok(Arc::clone(&parsed.policy)),
                None => Err(unreadable(PolicyDocument::COLLECTION)),
            },
            Self::Aws(managed) => Ok(Arc::clone(&managed.policy)),
        }
    }
}

/// All of these, or an error if one cannot be read.
fn named<'a>(policies: &'a [Option<ParsedPolicy>], collection: &'static str) -> Result<Vec<Named<'a>>, StoreError> {
    policies.iter().map(|parsed| parsed.as_ref().map(ParsedPolicy::named).ok_or(unreadable(collection))).collect()
}

impl Held {
    const fn nothing(epoch: u64) -> Self {
        Self { epoch, managed: Vec::new(), inline: Vec::new(), boundary: None, service_control: None }
    }

    fn identity(&self) -> Result<SmallVec<[Named<'_>; 8]>, StoreError> {
        let mut named = SmallVec::new();
        for managed in &self.managed {
            named.push(managed.named()?);
        }
        for parsed in self.inline.iter().flat_map(|policies| policies.iter()) {
            let Some(parsed) = parsed else { return Err(unreadable(InlinePolicy::COLLECTION)) };
            named.push(parsed.named());
        }
        Ok(named)
    }
}

impl Held {
    /// Puts the caller's policies and the resource's side together for the policy engine.
    fn weigh<T>(
        &self,
        caller: &Caller,
        (action, resource, owner, guard): (&str, &str, Option<&str>, &ResourcePolicy),
        context: &Context<'_>,
        ask: impl FnOnce(&Request<'_>, &Policies<'_>) -> T,
    ) -> Result<T, StoreError> {
        let identity = self.identity()?;
        let boundary = self.boundary.as_ref().map(Managed::named).transpose()?;
        let control = self.service_control.as_deref();
        let control = control.map(|policies| named(policies, ServiceControl::COLLECTION)).transpose()?;
        let control = control.as_deref();
        let limits: Option<Vec<_>> = caller
            .session_policies
            .as_ref()
            .map(|policies| policies.iter().map(|policy| Named { name: SESSION_POLICY, policy }).collect());
        let request = Request { principal: &caller.principal, action, resource, resource_account: owner, context };
        let policies = Policies {
            identity: &identity,
            boundary,
            session: limits.as_deref(),
            service_control: control.as_slice(),
            resource: side(resource, guard),
        };
        Ok(ask(&request, &policies))
    }
}

/// The resource's side, whose policy is called by the resource's ARN.
fn side<'a>(resource: &'a str, guard: &'a ResourcePolicy) -> ResourceSide<'a> {
    let named = |policy| Named { name: resource, policy };
    match guard {
        ResourcePolicy::Identity => ResourceSide::None,
        ResourcePolicy::Shared(policy) => ResourceSide::Shared(named(policy)),
        ResourcePolicy::Mandatory(policy) => ResourceSide::Mandatory(named(policy)),
        ResourcePolicy::Granted(policy) => ResourceSide::Granted(named(policy)),
        ResourcePolicy::GrantedToSession(policy) => ResourceSide::GrantedToSession(named(policy)),
        ResourcePolicy::Trust(policy) => ResourceSide::Trust(named(policy)),
    }
}

impl Iam {
    /// A managed policy in force.
    pub(crate) async fn managed(&self, arn: &str) -> Result<Option<Managed>, StoreError> {
        if let Some(managed) = aws_managed::find(arn) {
            return Ok(Some(Managed::Aws(managed)));
        }
        Ok(self.documents.get(arn, DEFAULT).await?.map(Managed::Own))
    }

    /// Adds what is attached to and in `holder`. Returns false if its boundary is gone, so that nothing may be allowed.
    async fn gather<E: Holder>(&self, holder: &E, held: &mut Held) -> Result<bool, StoreError> {
        for arn in holder.attached() {
            // One that is gone was detached and deleted since the holder was looked up.
            held.managed.extend(self.managed(arn).await?);
        }
        let inline = self.inline.get(&holder.identity().id).await?;
        if !inline.is_empty() {
            held.inline.push(inline);
        }
        if let Some(arn) = holder.boundary() {
            held.boundary = self.managed(arn).await?;
            return Ok(held.boundary.is_some());
        }
        Ok(true)
    }

    /// The caller's policies, if they are cached and current.
    fn held_now(&self, caller: &Caller) -> Option<Arc<Held>> {
        // Before anything else: it proves that records read from here on are current.
        let epoch = self.epoch.now();
        self.held.get(caller.principal.bare_id()).filter(|held| held.epoch == epoch)
    }

    /// The caller's policies; `None` if the caller is gone.
    async fn held(&self, caller: &Caller) -> Result<Option<Arc<Held>>, StoreError> {
        if let Some(held) = self.held_now(caller) {
            return Ok(Some(held));
        }
        // Before anything else: it proves that records read from here on are current.
        let epoch = self.epoch.now();
        let (principal, id) = (&caller.principal, caller.principal.bare_id());
        let mut held = Held::nothing(epoch);
        if !principal.account.is_empty() {
            held.service_control = self.service_control.get(service_control::PARENT, &principal.account).await?;
        }
        let whole = match &principal.kind {
            // The root user federated: it may do everything that the session's policies do not limit.
            PrincipalKind::FederatedUser { .. } if id == principal.account => {
                held.managed.extend(self.managed(ADMINISTRATOR_ACCESS).await?);
                return Ok(Some(Arc::new(held)));
            }
            PrincipalKind::User | PrincipalKind::FederatedUser { .. } => {
                let Some(user) = self.users.get(&principal.account, id).await? else { return Ok(None) };
                for group in &user.groups {
                    if let Some(group) = self.groups.get(&principal.account, group).await? {
                        self.gather(&*group, &mut held).await?;
                    }
                }
                self.gather(&*user, &mut held).await?
            }
            PrincipalKind::Role { .. } => {
                let Some(role) = self.roles.get(&principal.account, id).await? else { return Ok(None) };
                self.gather(&*role, &mut held).await?
            }
            // Nothing can be attached to these.
            PrincipalKind::Root
            | PrincipalKind::Federated { .. }
            | PrincipalKind::Service { .. }
            | PrincipalKind::Anonymous => return Ok(Some(Arc::new(held))),
        };
        if !whole {
            return Ok(None);
        }
        let held = Arc::new(held);
        self.held.insert(id.to_owned(), Arc::clone(&held));
        Ok(Some(held))
    }

    /// Whether the caller may have the need, by policies that have to be put together first.
    pub(crate) async fn authorize(
        &self,
        caller: &Caller,
        need: &Need<'_>,
        context: &Context<'_>,
    ) -> Result<Result<(), Reason>, StoreError> {
        let Some(held) = self.held(caller).await? else {
            return Ok(Err(Reason::NoAllow(PolicyLayer::Identity)));
        };
        held.weigh(caller, parts(need), context, policy::permit)
    }

    /// All that bears on a decision; `None` if the caller or the caller's boundary is gone.
    pub(crate) async fn explain(
        &self,
        caller: &Caller,
        (action, resource, owner, guard): (&str, &str, Option<&str>, &ResourcePolicy),
        context: &Context<'_>,
    ) -> Result<Option<Explanation>, StoreError> {
        let Some(held) = self.held(caller).await? else { return Ok(None) };
        held.weigh(caller, (action, resource, owner, guard), context, policy::explain).map(Some)
    }

    async fn seal_refusal(
        &self,
        caller: &Caller,
        need: &Need<'_>,
        context: &Context<'_>,
        reason: &Reason,
    ) -> Result<Option<String>, StoreError> {
        let explained = self.explain(caller, parts(need), context).await?;
        let matched = explained.map(|explained| explained.matched);
        let refusal = Refusal::new(caller, need, context, reason, matched.unwrap_or_default());
        refusal.seal(&self.store).await
    }

    /// Notes that the caller's credential is in use, and what the user or role asks for. Only verified callers get this
    /// far.
    pub(crate) fn note_use(&self, caller: &Caller, action: &'static str, region: &str, at: Timestamp) {
        if !caller.use_stamp.is_new(action, at) {
            return;
        }
        let id = &caller.access_key_id;
        let used = if self.callers.get(id).is_some() {
            Some(Used::AccessKey(id.clone()))
        } else if let Some(known) = self.sessions.get(id) {
            known.used()
        } else {
            return;
        };
        self.last_uses.note(&Use { action, region, at }, used, actor(&caller.principal));
    }
}

/// The user or role that a caller is, or is a session of.
fn actor(principal: &Principal) -> Option<Actor> {
    match principal.kind {
        PrincipalKind::User | PrincipalKind::FederatedUser { .. } | PrincipalKind::Role { .. } => {
            Some(Actor { account: principal.account.clone(), id: principal.bare_id().to_owned() })
        }
        _ => None,
    }
}

/// The action, the resource, its owner and its side of a need.
fn parts<'n>(need: &'n Need<'_>) -> (&'n str, &'n str, Option<&'n str>, &'n ResourcePolicy) {
    (need.action, &need.resource, need.account.as_deref().or_else(|| owner(&need.resource)), &need.guard)
}

/// The account that owns a resource, as far as its ARN says.
pub(crate) fn owner(resource: &str) -> Option<&str> {
    wire::account_of(resource).filter(|account| unique_id::is_account(account))
}

impl Authority for Iam {
    fn credential<'a>(
        &'a self,
        claim: Claim<'a>,
        now: Timestamp,
    ) -> MaybeReady<'a, Result<Credential, CredentialError>> {
        match self.remembered(claim, now) {
            Some(credential) => MaybeReady::ready(Ok(credential)),
            None => MaybeReady::boxed(self.look_up(claim, now)),
        }
    }

    fn authenticate<'a>(
        &'a self,
        proof: Proof<'a>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Arc<Caller>, CredentialError>> {
        Box::pin(self.prove(proof, now))
    }

    fn decide<'a>(
        &'a self,
        caller: &'a Caller,
        need: &'a Need<'a>,
        context: &'a Context<'a>,
    ) -> MaybeReady<'a, Result<Result<(), Reason>, StoreError>> {
        match self.held_now(caller) {
            Some(held) => MaybeReady::ready(held.weigh(caller, parts(need), context, policy::permit)),
            None => MaybeReady::boxed(self.authorize(caller, need, context)),
        }
    }

    fn record_use(&self, caller: &Caller, action: &'static str, region: &str, at: Timestamp) {
        self.note_use(caller, action, region, at);
    }

    fn sealed_refusal<'a>(
        &'a self,
        caller: &'a Caller,
        need: &'a Need<'a>,
        context: &'a Context<'a>,
        reason: &'a Reason,
    ) -> BoxFuture<'a, Option<String>> {
        Box::pin(async move {
            match self.seal_refusal(caller, need, context, reason).await {
                Ok(sealed) => sealed,
                Err(error) => {
                    tracing::error!(%error, "a refusal could not be sealed");
                    None
                }
            }
        })
    }
}

#[cfg(test)]
mod tests;
