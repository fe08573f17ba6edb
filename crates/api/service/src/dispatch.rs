//! The one way from a request's bytes to an answer's: decode, find, decide, run, encode.

use std::sync::PoisonError;

use policy::{Context, Decision, Reason, Source};
use store::StoreError;
use wire::shape::Audited;
use wire::{CommonFault, Fault};

use crate::call::{Call, Caller};
use crate::need::Need;
use crate::operation::{Operation, Permit, Service, ServiceError};
use crate::ports::Authority;

/// What became of a call, for its answer and its audit record.
pub(crate) struct Outcome {
    /// The encoded output, or why there is none.
    pub(crate) answer: Result<Vec<u8>, Fault>,
    /// The input as the audit trail shows it, as JSON; `None` if it could not be decoded.
    pub(crate) parameters: Option<Vec<u8>>,
    /// The resources that the call needed.
    pub(crate) resources: Vec<String>,
}

pub(crate) async fn serve<O: Operation>(call: Call<'_, O::Service>, body: &[u8]) -> Outcome {
    let protocol = <O::Service as Service>::PROTOCOL;
    let input: O::Input = match wire::decode(protocol, body) {
        Ok(input) => input,
        Err(fault) => return Outcome { answer: Err(fault), parameters: None, resources: Vec::new() },
    };
    let parameters = wire::json::encode(&Audited(&input)).ok();
    let mut resources = Vec::new();
    let answer = permitted::<O>(input, &call, &mut resources)
        .await
        .and_then(|output| wire::encode_output(protocol, O::NAME, call.request_id, &output));
    resources.extend(call.touched.into_inner().unwrap_or_else(PoisonError::into_inner));
    Outcome { answer, parameters, resources }
}

async fn permitted<O: Operation>(
    input: O::Input,
    call: &Call<'_, O::Service>,
    resources: &mut Vec<String>,
) -> Result<O::Output, Fault> {
    let found = O::find(&input, call).await;
    let needs = O::needs(&input, found.as_ref().ok(), call);
    resources.extend(needs.iter().filter(|need| need.resource != "*").map(|need| need.resource.clone()));
    for need in &needs {
        call.authority.note(call.caller, need.action, call.region);
        let decided = decide(call.authority, call.caller, need, call.context).await;
        let decided = decided.map_err(|error| <O::Service as Service>::Error::from(error).fault())?;
        if let Err(reason) = decided {
            return Err(Box::pin(denied(<O::Service as Service>::PROTOCOL, call, need, &reason)).await);
        }
    }
    // Only a caller who passed every need learns that nothing was found.
    let target = found.map_err(|error| told(&error, call.request_id))?;
    O::run(input, Permit::new(target), call).await.map_err(|error| told(&error, call.request_id))
}

/// Logs what the caller is not told: the chain of causes behind an error.
fn told<E: ServiceError>(error: &E, request_id: &str) -> Fault {
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

/// Asks the authority, with the need's own condition keys laid over the request's.
pub(crate) async fn decide(
    authority: &dyn Authority,
    caller: &Caller,
    need: &Need,
    context: &Context<'_>,
) -> Result<Result<(), Reason>, StoreError> {
    let decision = if need.context.is_empty() {
        authority.decide(caller, need, context).get().await?
    } else {
        authority.decide(caller, need, &need.context_over(context)).get().await?
    };
    Ok(match decision {
        Decision::Allowed(_) => Ok(()),
        Decision::Denied(reason) => Err(reason),
    })
}

/// What stands between a refusal's message and what [`Authority::sealed_refusal`] adds to it, as in AWS's messages.
pub(crate) const ENCODED: &str = ". Encoded authorization failure message: ";

/// AWS's wording, which names caller, action and resource, and which kind of policy decided.
///
/// A deny in a policy of the caller's own account is named down to the statement. What the policies of other accounts'
/// resources say is for those who keep them: the message says no more than their kind, and what was sealed into it
/// tells the rest to whoever may know.
async fn denied<S: Service>(protocol: wire::Protocol, call: &Call<'_, S>, need: &Need, reason: &Reason) -> Fault {
    let principal = &call.caller.principal;
    let (arn, action) = (&principal.arn, need.action);
    let resource = need.shown.as_ref().unwrap_or(&need.resource);
    let phrase = reason.phrase(action);
    let mut message = format!("User: {arn} is not authorized to perform: {action} on resource: {resource} {phrase}");
    if let Reason::ExplicitDeny(cited) = reason
        && (!matches!(cited.source, Source::Resource | Source::Trust) || owns(&principal.account, &need.resource))
    {
        let sid = cited.sid.as_deref().map(|sid| format!(" ({sid})")).unwrap_or_default();
        message.push_str(&format!(": Statement[{}]{sid} of {}", cited.statement, cited.policy));
    }
    let context = need.context_over(call.context);
    if let Some(sealed) = call.authority.sealed_refusal(call.caller, need, &context, reason).await {
        message.push_str(ENCODED);
        message.push_str(&sealed);
    }
    CommonFault::AccessDenied(message).fault(protocol)
}

/// Whether a resource belongs to an account, as far as its ARN says.
fn owns(account: &str, resource: &str) -> bool {
    !account.is_empty() && wire::account_of(resource) == Some(account)
}
