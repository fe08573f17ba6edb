//! AWS calls over HTTP: requests and replies in the front's form, and the server's own pages.
//!
//! Knows headers and protocols; what a call means is the services' behind the gateway.

use std::future::Future;

use bytes::Bytes;
use front::pages::{self, HealthProblem, Page};
use front::{Application, Body, Peer, Request, Response, ResponseBody};
use git_front::GitHttp;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode, request};
use http_body_util::BodyExt as _;
use service::{BodyError, ByteStream, Head, Reply, RequestBody};

const REQUEST_ID: HeaderName = HeaderName::from_static(wire::REQUEST_ID_HEADER);
const ERROR_TYPE: HeaderName = HeaderName::from_static(wire::ERROR_TYPE_HEADER);

/// The services behind the HTTP front, so that it can be tested without them.
pub trait Api: Send + Sync + 'static {
    /// Answers a call, whatever is in it.
    fn serve(&self, head: Head<'_>, body: Arriving<'_>) -> impl Future<Output = Reply> + Send;

    /// Whether the request's host stands for a resource, such as a bucket, so that its path is below that.
    fn is_below_name(&self, _head: &Head<'_>) -> bool {
        false
    }

    /// Git over HTTP; none while no service is there.
    fn git(&self) -> Option<&GitHttp> {
        None
    }

    /// Why no request can be served at the moment; `None` when all is well.
    fn health_problem(&self) -> Option<HealthProblem>;

    /// The metrics in the OpenMetrics text format.
    fn metrics(&self) -> String;
}

/// The body of a request as the services take it.
pub struct Arriving<'a>(&'a mut Body);

impl RequestBody for Arriving<'_> {
    async fn whole(&mut self, bytes_max: usize) -> Result<Bytes, BodyError> {
        self.0.whole(bytes_max).await.map_err(|error| convert(&error))
    }

    fn stated_length(&self) -> Option<u64> {
        self.0.stated_length()
    }

    fn stream(&mut self) -> ByteStream {
        Box::pin(self.0.stream().map_err(|error| convert(&error)))
    }
}

fn convert(error: &front::BodyError) -> BodyError {
    match error {
        front::BodyError::TooLarge => BodyError::TooLarge,
        front::BodyError::Crowded => BodyError::Crowded,
        front::BodyError::TimedOut => BodyError::Stalled,
        front::BodyError::Broken(_) | front::BodyError::Closed => BodyError::Aborted,
    }
}

/// An API as the front serves it.
#[derive(Default)]
pub struct AwsHttp<A>(pub A);

impl<A: Api> Application for AwsHttp<A> {
    async fn handle(&self, request: Request<'_>) -> Response {
        if git_front::is_git_path(request.head.uri.path())
            && !self.0.is_below_name(&head_of(&request.head, request.peer))
        {
            // Boxed, because most requests are none of Git's and their future would grow.
            return match self.0.git() {
                Some(git) => Box::pin(git.handle(request)).await,
                None => Response::text(StatusCode::SERVICE_UNAVAILABLE, "The server is not ready.\n"),
            };
        }
        let Request { head: request::Parts { method, uri, headers, .. }, body, peer: Peer { ip, secure } } = request;
        let head = Head { method: &method, uri: &uri, headers: &headers, ip, secure };
        let reply = self.0.serve(head, Arriving(body)).await;
        let Reply { status, request_id, error, .. } = &reply;
        tracing::debug!(%ip, status, request_id, error, "answered");
        from_reply(reply, headers)
    }

    fn page(&self, head: &request::Parts, peer: Peer, draining: bool) -> Option<Response> {
        let asked = Page::asked(head).filter(|_| !self.0.is_below_name(&head_of(head, peer)))?;
        Some(match asked {
            Page::Health => {
                let problem = draining.then_some(HealthProblem::DRAINING).or_else(|| self.0.health_problem());
                pages::health(problem, env!("CARGO_PKG_VERSION"))
            }
            Page::Metrics => pages::metrics(head, peer, || self.0.metrics()),
        })
    }
}

/// A request's head as the services take it.
const fn head_of(parts: &request::Parts, peer: Peer) -> Head<'_> {
    let request::Parts { method, uri, headers, .. } = parts;
    Head { method, uri, headers, ip: peer.ip, secure: peer.secure }
}

/// The response that a reply is. Its headers take the room of the request's, and leave it to the connection's next.
fn from_reply(reply: Reply, mut headers: HeaderMap) -> Response {
    let (protocol, content_type) = (reply.protocol, reply.content_type());
    headers.clear();
    if let Some(content_type) = content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    if !reply.headers.is_empty() {
        headers.extend(reply.headers);
    }
    headers.extend(protocol.headers().iter().cloned());
    headers.extend(protocol.host_id(&reply.request_id).map(|(name, value)| (Some(name), value)));
    // Request ids are made by the server and are always fit for a header.
    if let Ok(id) = HeaderValue::from_maybe_shared(Bytes::from(reply.request_id)) {
        let name = match protocol.request_id_header() {
            wire::REQUEST_ID_HEADER => REQUEST_ID,
            other => HeaderName::from_static(other),
        };
        headers.insert(name, id);
    }
    if let Some(error) = reply.error.filter(|_| protocol.has_error_type_header()) {
        headers.insert(ERROR_TYPE, HeaderValue::from_static(error));
    }
    let body = match reply.stream {
        Some(stream) => ResponseBody::Stream(stream),
        None => ResponseBody::Whole(reply.body),
    };
    Response { status: status(reply.status), headers, body }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

#[cfg(test)]
mod tests;
