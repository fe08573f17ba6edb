//! AWS calls over HTTP: bodies within the bounds of their operations, refusals in the protocol that is spoken, and the
//! server's own pages.
//!
//! Knows headers and protocols; what a call means is the services' behind the gateway.

use std::future::Future;
use std::net::IpAddr;

use bytes::Bytes;
use front::pages::{self, HealthProblem, Page};
use front::{Application, BodyError, Peer, Request, Response, ResponseBody};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode, request};
use service::{Incoming, Reply};
use wire::shape::BODY_BYTES_LEAST;
use wire::{CommonFault, Fault};

const REQUEST_ID: HeaderName = HeaderName::from_static(wire::REQUEST_ID_HEADER);
const ERROR_TYPE: HeaderName = HeaderName::from_static(wire::ERROR_TYPE_HEADER);
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// The services behind the HTTP front, so that it can be tested without them.
pub(crate) trait Api: Send + Sync + 'static {
    /// Answers a call, whatever is in it.
    fn handle(&self, incoming: &Incoming) -> impl Future<Output = Reply> + Send;

    /// The most bytes that the body of a request with this head may have. No head's limit is less than
    /// [`BODY_BYTES_LEAST`].
    fn body_bytes_max(&self, head: &request::Parts) -> usize;

    /// Records a request of `ip` that is refused with `fault` before its body was read. Returns its id.
    fn unread(&self, _head: &request::Parts, _ip: IpAddr, _fault: &Fault) -> String {
        String::new()
    }

    /// Why no request can be served at the moment; `None` when all is well.
    fn health_problem(&self) -> Option<HealthProblem>;

    /// The metrics in the OpenMetrics text format.
    fn metrics(&self) -> String;
}

/// An API as the front serves it.
#[derive(Default)]
pub(crate) struct AwsHttp<A>(pub(crate) A);

impl<A: Api> Application for AwsHttp<A> {
    async fn handle(&self, request: Request<'_>) -> Response {
        let Request { head, body, peer } = request;
        // Nearly all bodies are so short that nobody's limit need be looked up.
        let short = body.stated_length().is_some_and(|bytes| bytes <= BODY_BYTES_LEAST as u64);
        let bytes_max = if short { usize::MAX } else { self.0.body_bytes_max(&head) };
        let body = match body.whole(bytes_max).await {
            Ok(body) => body,
            Err(error) => return self.refuse(&head, peer.ip, &error),
        };
        let Peer { ip, secure } = peer;
        let incoming = Incoming { method: head.method, uri: head.uri, headers: head.headers, body, ip, secure };
        let reply = self.0.handle(&incoming).await;
        let Reply { status, request_id, error, .. } = &reply;
        tracing::debug!(%ip, status, request_id, error, "answered");
        from_reply(reply, incoming.headers)
    }

    fn page(&self, head: &request::Parts, peer: Peer, draining: bool) -> Option<Response> {
        Some(match Page::asked(head)? {
            Page::Health => {
                let problem = draining.then_some(HealthProblem::DRAINING).or_else(|| self.0.health_problem());
                pages::health(problem, env!("CARGO_PKG_VERSION"))
            }
            Page::Metrics => pages::metrics(head, peer, || self.0.metrics()),
        })
    }
}

impl<A: Api> AwsHttp<A> {
    /// Refuses a request whose body cannot be had, in the protocol that it speaks.
    fn refuse(&self, head: &request::Parts, ip: IpAddr, error: &BodyError) -> Response {
        let fault = match error {
            BodyError::TooLarge => CommonFault::RequestEntityTooLarge,
            BodyError::Crowded => CommonFault::ServiceUnavailable,
            BodyError::TimedOut | BodyError::Broken(_) | BodyError::Closed => return error.response(),
        };
        let protocol = if head.headers.contains_key(TARGET) {
            wire::Protocol::Json { version: "1.1" }
        } else {
            wire::Protocol::Query { namespace: "" }
        };
        let fault = fault.fault(protocol);
        let id = self.0.unread(head, ip, &fault);
        let body = wire::encode_fault(protocol, &id, &fault);
        let mut response =
            Response::new(status(fault.status), HeaderValue::from_static(wire::content_type(protocol)), body);
        if matches!(protocol, wire::Protocol::Json { .. }) {
            response.headers.insert(ERROR_TYPE, HeaderValue::from_static(fault.code));
        }
        if let Ok(id) = HeaderValue::try_from(id)
            && !id.is_empty()
        {
            response.headers.insert(REQUEST_ID, id);
        }
        response
    }
}

/// The response that a reply is. Its headers take the room of the request's, and leave it to the connection's next.
fn from_reply(reply: Reply, mut headers: HeaderMap) -> Response {
    headers.clear();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    // Request ids are made by the server and are always fit for a header.
    if let Ok(id) = HeaderValue::from_maybe_shared(Bytes::from(reply.request_id)) {
        headers.insert(REQUEST_ID, id);
    }
    if let Some(error) = reply.error {
        headers.insert(ERROR_TYPE, HeaderValue::from_static(error));
    }
    Response { status: status(reply.status), headers, body: ResponseBody::Whole(reply.body) }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

#[cfg(test)]
mod tests;
