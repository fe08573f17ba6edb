//! One call as its operation sees it: who calls, where, when, from which address.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use policy::{Context, Policy, Principal, PrincipalKind};
use serde::Serialize;
use store::{Store, StoreError, Tx};
use wire::{Fault, Protocol, Timestamp};

use crate::dispatch;
use crate::event::{self, Event, Kind, UserIdentity};
use crate::operation::Service;
use crate::perform::Behalf;
use crate::ports::Authority;
use crate::trail::Trail;
use crate::use_stamp::UseStamp;

/// An authenticated caller. Made by the [`Authority`], once for each credential, and shared by its calls.
pub struct Caller {
    /// Who it is.
    pub principal: Principal,
    /// The access key that signed.
    pub access_key_id: String,
    /// Condition keys that [`Principal::describe`] cannot know: `aws:PrincipalTag/…`, `aws:MultiFactorAuthPresent`, ….
    pub context: Context<'static>,
    /// Policies that limit the session, if any were passed when it was made.
    pub session_policies: Option<Vec<Arc<Policy>>>,
    /// Its last recorded use, see [`Authority::record_use`].
    pub use_stamp: UseStamp,
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
        Self {
            principal,
            access_key_id,
            context,
            session_policies,
            use_stamp: UseStamp::new(),
            identity: OnceLock::new(),
        }
    }

    /// A caller who proved nothing.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::new(Principal::anonymous(), String::new(), Context::new(), None)
    }

    /// Whether nobody knows who it is.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.principal.kind == PrincipalKind::Anonymous
    }

    /// The members of `userIdentity` in its audit records, as JSON.
    pub(crate) fn identity(&self) -> &[u8] {
        self.identity.get_or_init(|| event::identity_of(self))
    }
}

/// Where a request came from.
pub struct RequestOrigin<'a> {
    /// The peer's address.
    pub ip: IpAddr,
    /// Whether it came over TLS.
    pub secure: bool,
    /// The host and port that the request was sent to, as its sender names them; none for a call that came without HTTP.
    pub host: Option<&'a str>,
    /// Its `User-Agent`, empty if it sent none.
    pub user_agent: &'a str,
    /// The service that calls for the caller, such as `codecommit.amazonaws.com`; none for a request of the caller's own.
    pub via: Option<&'static str>,
}

/// Everything of a call but its service.
pub(crate) struct CallContext<'a> {
    pub(crate) caller: &'a Arc<Caller>,
    pub(crate) region: &'a str,
    pub(crate) request_id: &'a str,
    pub(crate) event_id: &'a str,
    pub(crate) now: Timestamp,
    pub(crate) origin: &'a RequestOrigin<'a>,
    pub(crate) context: &'a Context<'a>,
    pub(crate) protocol: Protocol,
    pub(crate) authority: &'a dyn Authority,
    pub(crate) trail: &'a Trail,
}

impl<'a> CallContext<'a> {
    /// The call of `operation` of `service`.
    pub(crate) fn call<S: Service>(self, service: &'a Arc<S>, operation: &'static str) -> Call<'a, S> {
        let Self { caller, region, request_id, event_id, now, origin, context, protocol, authority, trail } = self;
        let record = Record::of(operation);
        Call { service, caller, region, request_id, event_id, now, origin, context, protocol, authority, trail, record }
    }
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
    pub origin: &'a RequestOrigin<'a>,
    /// The request's condition keys, over the caller's.
    pub context: &'a Context<'a>,
    /// The protocol in which it is answered.
    pub protocol: Protocol,
    pub(crate) authority: &'a dyn Authority,
    pub(crate) trail: &'a Trail,
    pub(crate) record: Record,
}

/// Parts of a call's audit record, as far as they are known by now.
pub(crate) struct Record {
    /// The operation's name.
    pub(crate) name: &'static str,
    /// The input without its secrets, as JSON; none until it was decoded.
    pub(crate) parameters: Option<Vec<u8>>,
    /// The resources that the call needs and makes.
    pub(crate) resources: Mutex<Vec<String>>,
    /// Whether a change of the call is durable, and its record with it.
    pub(crate) written: AtomicBool,
    /// The data that its service adds, see [`Event::additional`].
    pub(crate) additional: Mutex<Vec<u8>>,
}

impl Record {
    pub(crate) const fn of(name: &'static str) -> Self {
        Self {
            name,
            parameters: None,
            resources: Mutex::new(Vec::new()),
            written: AtomicBool::new(false),
            additional: Mutex::new(Vec::new()),
        }
    }

    /// The parameters, the resources, and whether a change was written.
    pub(crate) fn into_parts(self) -> (Option<Vec<u8>>, Vec<String>, bool) {
        let resources = self.resources.into_inner().unwrap_or_else(PoisonError::into_inner);
        (self.parameters, resources, self.written.into_inner())
    }
}

impl<S: Service> Call<'_, S> {
    /// The caller's account.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.caller.principal.account
    }

    /// Names a resource in the audit record that the needs could not name, such as the key about to be created. Before
    /// the change is written, since its record is written with it.
    pub fn touch(&self, arn: impl Into<String>) {
        self.record.resources.lock().unwrap_or_else(PoisonError::into_inner).push(arn.into());
    }

    /// Runs `change` as one transaction, and writes the call's audit record with it: if the change is there, so is the
    /// record. Further transactions of the call are part of what the first one recorded.
    ///
    /// # Errors
    /// Those of [`Store::write`].
    pub async fn write<T, E>(
        &self,
        store: &Store,
        change: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        if self.record.written.load(Ordering::Relaxed) {
            return store.write(change).await;
        }
        let event = self.success(|event| event.to_bytes());
        let (value, recorded) = store.write_recorded(|_: &T| event, change).await?;
        self.record.written.store(recorded, Ordering::Relaxed);
        Ok(value)
    }

    /// Does the same for a call that writes once, and adds what `additional` says of the outcome to the audit record, as
    /// members of `additionalEventData`.
    ///
    /// # Errors
    /// Those of [`Store::write`].
    pub async fn write_with<T, E, A>(
        &self,
        store: &Store,
        change: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        additional: impl Fn(&T) -> A + Clone + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        A: Serialize,
    {
        let (event, in_event) = (self.success(|event| event.prepare()), additional.clone());
        let event = move |value: &T| event.with(&event::members_of(&in_event(value)));
        let (value, recorded) = store.write_recorded(event, change).await?;
        self.record.written.store(recorded, Ordering::Relaxed);
        self.add(&additional(&value));
        Ok(value)
    }

    /// Adds to the call's audit record, as members of `additionalEventData`: what a record that is not written with a
    /// change says beside the parameters.
    pub fn add(&self, additional: &impl Serialize) {
        *self.record.additional.lock().unwrap_or_else(PoisonError::into_inner) = event::members_of(additional);
    }

    /// The audit record of the call, should it succeed.
    fn success<T>(&self, then: impl FnOnce(&Event<'_>) -> T) -> T {
        let resources = self.record.resources.lock().unwrap_or_else(PoisonError::into_inner);
        then(&Event {
            kind: Kind::Call,
            user_identity: UserIdentity::Known(self.caller),
            time: self.now,
            source: S::EVENT_SOURCE,
            name: self.record.name,
            region: self.region,
            source_ip_address: Some(self.origin.ip),
            user_agent: self.origin.user_agent,
            via: self.origin.via,
            error_code: None,
            error_message: None,
            request_parameters: self.record.parameters.as_deref(),
            request_id: self.request_id,
            event_id: self.event_id,
            read_only: false,
            resources: &resources,
            recipient_account_id: Some(self.account()),
            counted: None,
            additional: b"",
        })
    }

    /// Whether the caller would be allowed something more, for rules that are about another action than the call's,
    /// such as the lock-out check of a key policy.
    pub async fn would_allow(&self, need: &crate::Need<'_>) -> Result<bool, store::StoreError> {
        let context = need.context_over(self.context);
        let decided = self.authority.decide(self.caller, need, &context).await?;
        Ok(decided.is_ok())
    }

    /// The refusal of something more, worded as the call's own would be; `None` if the caller may have it. For
    /// operations that decide over several things and do those that are permitted, such as a push of several branches.
    ///
    /// # Errors
    /// Those of reading policies.
    pub async fn refusal(&self, need: &crate::Need<'_>) -> Result<Option<Fault>, StoreError> {
        let context = need.context_over(self.context);
        match self.authority.decide(self.caller, need, &context).await? {
            Ok(()) => Ok(None),
            Err(reason) => Ok(Some(Box::pin(dispatch::denied(self, need, &context, &reason)).await)),
        }
    }

    /// The call as another that the service makes for the same caller, such as one of KMS.
    #[must_use]
    pub const fn behalf<'b>(&'b self, origin: &'b RequestOrigin<'b>) -> Behalf<'b> {
        Behalf { caller: self.caller, region: self.region, origin }
    }

    /// Where the call came from, for another that `service`, such as `codecommit.amazonaws.com`, makes for the caller.
    #[must_use]
    pub const fn origin_via(&self, service: &'static str) -> RequestOrigin<'_> {
        let RequestOrigin { ip, secure, host, user_agent, .. } = *self.origin;
        RequestOrigin { ip, secure, host, user_agent, via: Some(service) }
    }
}
