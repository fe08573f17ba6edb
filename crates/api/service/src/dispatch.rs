//! The one way from a request's bytes to an answer's: decode, find, decide, run, encode.

use std::borrow::Cow;
use std::future::Future;
use std::sync::PoisonError;

use bytes::Bytes;
use journal::Room;
use policy::{Context, PolicyLayer, Reason};
use wire::form::Fields;
use wire::protocol::{Answer, Answering, Claim, Head};
use wire::shape::Audited;
use wire::{CommonFault, Fault};

use crate::call::Call;
use crate::download::AnswerStream;
use crate::need::Need;
use crate::operation::{
    AuditClass, Operation, OperationInput as _, OperationOutput as _, Permit, Service, ServiceError,
};
use crate::upload::UploadStream;

/// Outcome of a call: its answer and what the audit record needs.
pub(crate) struct Outcome {
    /// The encoded output and the stream behind it, or why there is none.
    pub(crate) answer: Result<(Answer, Option<AnswerStream>), Fault>,
    /// The input as the audit trail shows it, as JSON; `None` if it could not be decoded.
    pub(crate) parameters: Option<Vec<u8>>,
    /// The resources that the call needed.
    pub(crate) resources: Vec<String>,
    /// Whether a change of the call is durable, and a record of its success with it.
    pub(crate) written: bool,
}

/// A request whose sender is known.
pub(crate) struct Request<'a> {
    pub(crate) head: &'a Head<'a>,
    pub(crate) claim: &'a Claim<'a>,
    pub(crate) given: Given,
}

/// The body of a request.
pub(crate) enum Given {
    Whole(Bytes),
    Stream(Box<UploadStream>),
}

impl Default for Given {
    fn default() -> Self {
        Self::Whole(Bytes::new())
    }
}

impl Given {
    /// The fields of a form.
    pub(crate) fn fields(&self) -> Option<&Fields> {
        match self {
            Self::Whole(_) => None,
            Self::Stream(upload) => upload.fields(),
        }
    }

    /// The bytes of a whole body; none of a stream.
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) => bytes,
            Self::Stream(_) => &[],
        }
    }
}

/// Room in the journal for what an event says besides the parameters, in bytes.
const EVENT_BYTES: usize = 8 * 1024;

/// Serves a call: decodes its input, runs it and encodes its output.
#[expect(clippy::manual_async_fn, reason = "an async fn stores its arguments twice")]
pub(crate) fn serve<'a, O: Operation>(
    mut call: Call<'a, O::Service>,
    request: Request<'a>,
) -> impl Future<Output = Outcome> + Send + 'a {
    async move {
        let Request { head, claim, given } = request;
        let fault_of = |breach| O::Service::fault_of(O::NAME, breach);
        let decoded = wire::protocol::decode_request_with(call.protocol, head, claim, given.bytes(), fault_of);
        let input = decoded.and_then(|shape| {
            let payload = match given {
                Given::Stream(payload) => Some(*payload),
                Given::Whole(_) => None,
            };
            O::Input::of(shape, payload).ok_or_else(|| CommonFault::InternalFailure.fault(call.protocol))
        });
        let input = match input {
            Ok(input) => input,
            Err(fault) => return Outcome::refused(fault),
        };
        let status = if let Claim::Route(matched) = claim { matched.route.status } else { 200 };
        let answer = run::<O>(&mut call, input).await.and_then(|output| {
            let (shape, stream) = output.split();
            let (operation, request_id, members) = (O::NAME, call.request_id, O::Output::MEMBERS);
            let answering = Answering { operation, request_id, members, status };
            Ok((wire::protocol::encode(call.protocol, answering, &shape)?, stream))
        });
        let (parameters, resources, written) = call.record.into_parts();
        Outcome { answer, parameters, resources, written }
    }
}

/// Runs an operation if the caller may: find, needs, decide, room for the record, run.
#[expect(clippy::manual_async_fn, reason = "an async fn stores its arguments twice")]
pub(crate) fn run<'c, 'a: 'c, O: Operation>(
    call: &'c mut Call<'a, O::Service>,
    input: O::Input,
) -> impl Future<Output = Result<O::Output, Fault>> + Send + 'c {
    async move {
        call.record.parameters = wire::json::encode(&Audited(input.shape())).ok();
        let found = O::find(&input, call).await;
        let needs = O::needs(&input, found.as_ref().ok(), call);
        let refusal = refusal(call, &needs).await;
        let mut resources = Vec::with_capacity(needs.len());
        resources.extend(needs.into_iter().map(|need| need.resource).filter(|name| name != "*").map(Cow::into_owned));
        *call.record.resources.get_mut().unwrap_or_else(PoisonError::into_inner) = resources;
        if let Some(fault) = refusal {
            return Err(O::refused(found.as_ref().ok(), fault));
        }
        // Only a caller who passed every need learns that nothing was found.
        let target = found.map_err(|error| log_and_convert(&error, call.request_id))?;
        let _room = room::<O>(call)?;
        let output = O::run(input, Permit::new(target), call).await;
        output.map_err(|error| log_and_convert(&error, call.request_id))
    }
}

/// Room for the record of a change, taken before it is made. Others are recorded when they are over.
fn room<O: Operation>(call: &Call<'_, O::Service>) -> Result<Option<Room>, Fault> {
    if O::AUDIT != AuditClass::Change {
        return Ok(None);
    }
    let bytes = call.record.parameters.as_ref().map_or(0, Vec::len) + EVENT_BYTES;
    call.trail.reserve(bytes).map(Some).map_err(|error| {
        tracing::warn!(call.request_id, %error, "a change is refused, since its audit record could not be kept");
        CommonFault::ServiceUnavailable.fault(call.protocol)
    })
}

impl Outcome {
    pub(crate) const fn refused(fault: Fault) -> Self {
        Self { answer: Err(fault), parameters: None, resources: Vec::new(), written: false }
    }
}

/// Why the caller may not have all of `needs`; `None` if they may.
async fn refusal<S: Service>(call: &Call<'_, S>, needs: &[Need<'_>]) -> Option<Fault> {
    for need in needs {
        call.authority.record_use(call.caller, need.action, call.region, call.now);
        let context = need.context_over(call.context);
        match call.authority.decide(call.caller, need, &context).await {
            Ok(Ok(())) => {}
            Ok(Err(reason)) => return Some(Box::pin(denied(call, need, &context, &reason)).await),
            Err(error) => return Some(S::Error::from(error).fault()),
        }
    }
    None
}

/// Logs the chain of causes behind an error, which the caller does not see.
fn log_and_convert<E: ServiceError>(error: &E, request_id: &str) -> Fault {
    let fault = error.fault();
    let mut cause = std::error::Error::source(error);
    if fault.status >= 500 {
        tracing::error!(request_id, error = %error, cause = cause.map(tracing::field::display), "call failed");
    } else {
        while let Some(inner) = cause {
            tracing::debug!(request_id, code = fault.code, cause = %inner, "call refused");
            cause = inner.source();
        }
    }
    fault
}

/// Separator between a refusal's message and what [`Authority::sealed_refusal`] adds to it, as in AWS's messages.
pub(crate) const ENCODED: &str = ". Encoded authorization failure message: ";

/// AWS's wording, which names caller, action and resource, and which kind of policy decided.
///
/// A deny in a policy of the caller's own account is named down to the statement. What the policies of other accounts'
/// resources say is for those who keep them: the message says no more than their kind, and what was sealed into it
/// tells the rest to whoever may know.
pub(crate) async fn denied<S: Service>(
    call: &Call<'_, S>,
    need: &Need<'_>,
    context: &Context<'_>,
    reason: &Reason,
) -> Fault {
    // AWS says no more to somebody unknown.
    if call.protocol.is_rest() && call.caller.is_anonymous() {
        return CommonFault::AccessDenied("Access Denied".to_owned()).fault(call.protocol);
    }
    let principal = &call.caller.principal;
    let (arn, action) = (&principal.arn, need.action);
    let resource = need.shown.as_deref().unwrap_or(&need.resource);
    let phrase = reason.phrase(action);
    let mut message = format!("User: {arn} is not authorized to perform: {action} on resource: {resource} {phrase}");
    if let Reason::ExplicitDeny(cited) = reason
        && (!matches!(cited.source, PolicyLayer::Resource | PolicyLayer::Trust) || owns(&principal.account, need))
    {
        let sid = cited.sid.as_deref().map(|sid| format!(" ({sid})")).unwrap_or_default();
        message.push_str(&format!(": Statement[{}]{sid} of {}", cited.statement, cited.policy));
    }
    if let Some(sealed) = call.authority.sealed_refusal(call.caller, need, context, reason).await {
        message.push_str(ENCODED);
        message.push_str(&sealed);
    }
    CommonFault::AccessDenied(message).fault(call.protocol)
}

/// Whether a need's resource belongs to an account, as far as that is known.
fn owns(account: &str, need: &Need<'_>) -> bool {
    !account.is_empty() && need.owner() == Some(account)
}
