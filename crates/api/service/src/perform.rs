//! Calls that arrive without HTTP: one service calling another for a caller, Git over SSH, the pages of a console.
//!
//! They take the same way as a request: find, needs, decide, run, with an audit record and a count. Only decoding and
//! encoding are left out, and who calls was authenticated by whoever performs.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use policy::Context;
use serde::Serialize;
use wire::{CommonFault, Fault, Protocol};

use crate::call::{CallContext, Caller, RequestOrigin};
use crate::core::{Core, Ended, REQUEST_KEYS, Seen, describe};
use crate::dispatch;
use crate::event;
use crate::operation::{AuditClass, Operation, Service};
use crate::request_id;

/// The protocol whose names faults have.
const PROTOCOL: Protocol = Protocol::json("1.1", "");

/// Who a call is performed for, where, and whence.
#[derive(Clone, Copy)]
pub struct Behalf<'a> {
    /// The caller, who must hold what the operation needs.
    pub caller: &'a Arc<Caller>,
    /// The Region that is called.
    pub region: &'a str,
    /// Where the caller's own request came from, and the service that calls for it.
    pub origin: &'a RequestOrigin<'a>,
}

/// Performs operations of one service.
pub struct Performer<S: Service> {
    core: Arc<Core>,
    service: Arc<S>,
}

impl<S: Service> Clone for Performer<S> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core), service: Arc::clone(&self.service) }
    }
}

impl<S: Service> Performer<S> {
    /// A performer of the operations of `service`.
    #[must_use]
    pub const fn new(core: Arc<Core>, service: Arc<S>) -> Self {
        Self { core, service }
    }

    /// Performs `O` for a caller: authorised, recorded and counted as a request of theirs.
    ///
    /// A call that a service makes ([`RequestOrigin::via`]) has the condition keys `aws:ViaAWSService`, `aws:CalledVia`,
    /// `aws:CalledViaFirst`, `aws:CalledViaLast` and, for KMS, `kms:ViaService`.
    ///
    /// # Errors
    /// The fault that a request would have been answered with; `ServiceUnavailable` when the call cannot be recorded.
    ///
    /// Source: IAM User Guide, "AWS global condition context keys"; KMS Developer Guide, "kms:ViaService".
    pub async fn perform<O: Operation<Service = S>>(
        &self,
        behalf: Behalf<'_>,
        input: O::Input,
    ) -> Result<O::Output, Fault> {
        self.carry_out::<O>(behalf, input, true).await.map(|(output, _)| output)
    }

    /// Performs `O`, which changes nothing, and leaves it to whoever asked to record what the caller gets of it: a
    /// transfer of several requests leaves one record. A refusal is recorded at once.
    ///
    /// # Errors
    /// As for [`perform`](Self::perform).
    pub async fn perform_unrecorded<O: Operation<Service = S>>(
        &self,
        behalf: Behalf<'_>,
        input: O::Input,
    ) -> Result<(O::Output, Unrecorded), Fault> {
        const { assert!(!matches!(O::AUDIT, AuditClass::Change), "a change is recorded where it is made") };
        self.carry_out::<O>(behalf, input, false).await
    }

    async fn carry_out<O: Operation<Service = S>>(
        &self,
        behalf: Behalf<'_>,
        input: O::Input,
        records: bool,
    ) -> Result<(O::Output, Unrecorded), Fault> {
        let (started, core) = (Instant::now(), &*self.core);
        let Behalf { caller, region, origin } = behalf;
        let (now, request_id) = ((core.clock)(), request_id::next());
        let mut room = uuid::Uuid::encode_buffer();
        let event_id = request_id::write(&mut room);

        let mut context = Context::with_room(REQUEST_KEYS, &caller.context);
        caller.principal.describe(&mut context);
        describe(&mut context, (origin.ip, origin.secure, origin.user_agent), region, now);
        if let Some(service) = origin.via {
            describe_via::<S>(&mut context, service, region);
        }
        let call = CallContext {
            caller,
            region,
            request_id: &request_id,
            event_id,
            now,
            origin,
            context: &context,
            protocol: PROTOCOL,
            authority: &*core.authority,
            trail: &core.trail,
        };
        let mut call = call.call(&self.service, O::NAME);
        let unavailable = || CommonFault::ServiceUnavailable.fault(PROTOCOL);
        let answer = if !core.trail.healthy() {
            return Err(unavailable());
        } else if core.regions.has(region) {
            dispatch::run::<O>(&mut call, input).await
        } else {
            Err(CommonFault::Validation(format!("there is no Region {}", wire::shape::quote(region))).fault(PROTOCOL))
        };
        let additional = std::mem::take(call.record.additional.get_mut().unwrap_or_else(PoisonError::into_inner));
        let (parameters, resources, written) = call.record.into_parts();
        let ended = Ended {
            source: S::EVENT_SOURCE,
            name: O::NAME,
            class: O::AUDIT,
            caller: Some(caller),
            claimed: None,
            region,
            now,
            origin,
            request_id: &request_id,
            event_id,
            parameters: parameters.as_deref(),
            resources: &resources,
            written,
            error: answer.as_ref().err(),
            additional: &additional,
        };
        let recorded = if records || answer.is_err() { core.record(&ended).await } else { Ok(()) };
        let answer = match recorded {
            Ok(()) => answer,
            Err(error) => {
                tracing::error!(request_id, %error, "the audit record could not be written; the call fails");
                Err(unavailable())
            }
        };
        let index = S::operations().iter().position(|entry| entry.name == O::NAME);
        core.observer.seen(&Seen {
            service: S::NAME,
            operation: O::NAME,
            index,
            error: answer.as_ref().err().map(|fault| fault.code),
            elapsed: started.elapsed(),
        });
        let output = answer?;
        let unrecorded = Unrecorded {
            core: Arc::clone(&self.core),
            source: S::EVENT_SOURCE,
            name: O::NAME,
            caller: Arc::clone(caller),
            region: region.to_owned(),
            ip: origin.ip,
            user_agent: origin.user_agent.to_owned(),
            request_id: request_id.to_string(),
            parameters,
            resources,
        };
        Ok((output, unrecorded))
    }
}

/// A call that was permitted, and that is recorded once its caller gets something of it.
pub struct Unrecorded {
    core: Arc<Core>,
    source: &'static str,
    name: &'static str,
    caller: Arc<Caller>,
    region: String,
    ip: IpAddr,
    user_agent: String,
    request_id: String,
    parameters: Option<Vec<u8>>,
    resources: Vec<String>,
}

impl Unrecorded {
    /// Records what the caller gets of the call, before they get it. `additional` are members of `additionalEventData`.
    ///
    /// # Errors
    /// `ServiceUnavailable` when the call cannot be recorded.
    pub fn record(&self, class: AuditClass, additional: &impl Serialize) -> Result<(), Fault> {
        self.write(class, None, additional)
    }

    /// Records that the change which was meant failed.
    ///
    /// # Errors
    /// As for [`record`](Self::record).
    pub fn record_failure(&self, fault: &Fault, additional: &impl Serialize) -> Result<(), Fault> {
        self.write(AuditClass::Change, Some(fault), additional)
    }

    fn write(&self, class: AuditClass, error: Option<&Fault>, additional: &impl Serialize) -> Result<(), Fault> {
        let Self { core, source, name, caller, region, ip, user_agent, request_id, parameters, resources } = self;
        let origin = RequestOrigin { ip: *ip, secure: false, host: None, user_agent, via: None };
        let ended = Ended {
            source,
            name,
            class,
            caller: Some(caller),
            claimed: None,
            region,
            now: (core.clock)(),
            origin: &origin,
            request_id,
            event_id: "",
            parameters: parameters.as_deref(),
            resources,
            written: false,
            error,
            additional: &event::members_of(additional),
        };
        let mut room = uuid::Uuid::encode_buffer();
        let event = ended.event(request_id::write(&mut room), error).to_bytes();
        core.trail.append_encoded(&event).map_err(|error| {
            tracing::error!(request_id, %error, "the audit record could not be written; the call fails");
            CommonFault::ServiceUnavailable.fault(PROTOCOL)
        })
    }
}

/// Adds the condition keys of a call that `service`, such as `codecommit.amazonaws.com`, makes for a caller.
fn describe_via<'a, S: Service>(context: &mut Context<'a>, service: &'static str, region: &str) {
    context.insert("aws:ViaAWSService", true);
    context.insert_many("aws:CalledVia", [service]);
    context.insert("aws:CalledViaFirst", service);
    context.insert("aws:CalledViaLast", service);
    if S::NAME == "kms"
        && let Some((name, domain)) = service.split_once('.')
    {
        context.insert("kms:ViaService", format!("{name}.{region}.{domain}"));
    }
}
