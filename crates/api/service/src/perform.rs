//! Calls that arrive without HTTP: one service calling another for a caller, Git over SSH, the pages of a console.
//!
//! They take the same way as a request: find, needs, decide, run, with an audit record and a count. Only decoding and
//! encoding are left out, and who calls was authenticated by whoever performs.

use std::sync::Arc;
use std::time::Instant;

use policy::Context;
use wire::{CommonFault, Fault, Protocol};

use crate::call::{CallContext, Caller, RequestOrigin};
use crate::core::{Core, Ended, REQUEST_KEYS, Seen, describe};
use crate::dispatch;
use crate::operation::{Operation, Service};
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
        };
        let recorded = core.record(&ended).await;
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
        answer
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
