//! One call as its operation sees it: who calls, where, when, from which address.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use policy::{Context, Policy, Principal};
use wire::Timestamp;

use crate::event;
use crate::noted::Noted;
use crate::operation::Service;
use crate::ports::Authority;

/// An authenticated caller. Made by the [`Authority`], once for each credential, and shared by its calls.
pub struct Caller {
    /// Who it is.
    pub principal: Principal,
    /// The access key that signed.
    pub access_key_id: String,
    /// What [`Principal::describe`] cannot know of it: `aws:PrincipalTag/…`, `aws:MultiFactorAuthPresent`, ….
    pub context: Context<'static>,
    /// What limits the session, if policies were passed when it was made.
    pub session_policies: Option<Vec<Arc<Policy>>>,
    /// What it was last noted with, see [`Authority::note`].
    pub noted: Noted,
    /// The members of `userIdentity` in its audit records, written once they are needed.
    identity: OnceLock<Vec<u8>>,
}

impl Caller {
    /// A caller of these four parts.
    #[must_use]
    pub const fn new(
        principal: Principal,
        access_key_id: String,
        context: Context<'static>,
        session_policies: Option<Vec<Arc<Policy>>>,
    ) -> Self {
        Self { principal, access_key_id, context, session_policies, noted: Noted::new(), identity: OnceLock::new() }
    }

    /// The members of `userIdentity` in its audit records, as JSON.
    pub(crate) fn identity(&self) -> &[u8] {
        self.identity.get_or_init(|| event::identity_of(self))
    }
}

/// Where a request came from.
pub struct Source<'a> {
    /// The peer's address.
    pub ip: IpAddr,
    /// Whether it came over TLS.
    pub secure: bool,
    /// Its `User-Agent`, empty if it sent none.
    pub user_agent: &'a str,
}

/// One call to an operation of `S`.
pub struct Call<'a, S: Service> {
    /// The service and its state.
    pub service: &'a Arc<S>,
    /// Who calls.
    pub caller: &'a Arc<Caller>,
    /// The region in the credential scope.
    pub region: &'a str,
    /// The id by which the answer, the log and the audit record name this call.
    pub request_id: &'a str,
    /// The id of its audit record.
    pub event_id: &'a str,
    /// When it arrived.
    pub now: Timestamp,
    /// Where it came from.
    pub source: &'a Source<'a>,
    /// The request's condition keys, over the caller's.
    pub context: &'a Context<'a>,
    pub(crate) authority: &'a dyn Authority,
    pub(crate) touched: Mutex<Vec<String>>,
}

impl<S: Service> Call<'_, S> {
    /// The caller's account.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.caller.principal.account
    }

    /// Names a resource in the audit record that the needs could not name, such as the key just created.
    pub fn touch(&self, arn: impl Into<String>) {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner).push(arn.into());
    }

    /// Whether the caller would be allowed something more, for rules that are about another action than the call's,
    /// such as the lock-out check of a key policy.
    pub async fn would_allow(&self, need: &crate::Needed<'_>) -> Result<bool, store::StoreError> {
        let context = need.context_over(self.context);
        let decided = self.authority.decide(self.caller, need, &context).await?;
        Ok(decided.is_ok())
    }
}
