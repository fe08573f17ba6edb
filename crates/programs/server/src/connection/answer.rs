//! One request and its answer: the server's own pages, the body's bounds, and the way to the application.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, FORWARDED, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode, request};
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use service::Reply;
use wire::CommonFault;
use wire::shape::BODY_BYTES_LEAST;

use super::body::{self, BodyError};
use super::content::Content;
use super::{Application, ConnectionState, Protocol, Site, Visitor};
use crate::application::HealthProblem;

/// What is sent back.
pub(super) type Answer = Response<Full<Content>>;

const REQUEST_ID: HeaderName = HeaderName::from_static(wire::REQUEST_ID_HEADER);
const ERROR_TYPE: HeaderName = HeaderName::from_static(wire::ERROR_TYPE_HEADER);
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// One connection as its requests see it.
pub(super) struct Visit<A> {
    pub(super) site: Arc<Site<A>>,
    pub(super) visitor: Visitor,
    pub(super) state: Arc<ConnectionState>,
}

impl<A: Application> Visit<A> {
    /// Answers one request.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Answer {
        let Some(mut turn) = self.state.begin() else { return self.closed().await };
        let (parts, body) = request.into_parts();
        if let Some(page) = self.page(&parts) {
            return page;
        }
        let mut charge = self.site.bodies.charge();
        let bytes_max = self.body_bytes_max(&parts, body.size_hint().upper());
        let collected = body::collect(body, bytes_max, &mut charge);
        let collected = match self.visitor.protocol {
            // The connections closes a connection whose only request's body is late.
            Protocol::Http1 => collected.await,
            Protocol::Http2 => match tokio::time::timeout(self.site.limits.body_timeout, collected).await {
                Ok(collected) => collected,
                Err(_) => return plain(StatusCode::REQUEST_TIMEOUT, TEXT, "The body took too long.\n"),
            },
        };
        let body = match collected {
            Ok(body) => body,
            Err(error) => return self.refuse(&parts, &error),
        };
        if !turn.serves() {
            return self.closed().await;
        }
        let incoming = service::Incoming {
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
            body,
            ip: self.visitor.ip,
            secure: self.visitor.secure,
        };
        match self.visitor.protocol {
            Protocol::Http1 => from_reply(reply(&self.site, &incoming).await, incoming.headers),
            // A client that resets the stream drops this, and may not stop the call halfway: what it has changed has
            // to reach the audit trail.
            Protocol::Http2 => {
                let site = Arc::clone(&self.site);
                let serving = tokio::spawn(async move {
                    let answer = from_reply(reply(&site, &incoming).await, incoming.headers);
                    drop(turn);
                    answer
                });
                match serving.await {
                    Ok(answer) => answer,
                    Err(ended) => match ended.try_into_panic() {
                        Ok(panic) => std::panic::resume_unwind(panic),
                        Err(_) => self.closed().await,
                    },
                }
            }
        }
    }

    /// The most bytes that a body may have, of which so many are announced.
    fn body_bytes_max(&self, parts: &request::Parts, announced: Option<u64>) -> usize {
        let most = self.site.limits.body_bytes_max;
        // Nearly all bodies are so short that nobody's limit need be looked up.
        if announced.is_some_and(|bytes| bytes <= BODY_BYTES_LEAST as u64) {
            return most;
        }
        most.min(self.site.application.body_bytes_max(parts))
    }

    /// The server's own pages. A signed request is never one of them: it means a resource of that name.
    fn page(&self, parts: &request::Parts) -> Option<Answer> {
        let page = match parts.uri.path() {
            "/health" => Self::health,
            "/metrics" => Self::metrics,
            _ => return None,
        };
        let asked = parts.method == Method::GET || parts.method == Method::HEAD;
        (asked && !parts.headers.contains_key(AUTHORIZATION)).then(|| page(self, parts))
    }

    fn health(&self, _: &request::Parts) -> Answer {
        let version = env!("CARGO_PKG_VERSION");
        let draining = self.site.draining.load(Ordering::Relaxed);
        let draining = draining.then_some(HealthProblem::unavailable("the server is shutting down"));
        match draining.or_else(|| self.site.application.health_problem()) {
            None => plain(StatusCode::OK, JSON, format!(r#"{{"status":"ok","version":"{version}"}}"#)),
            Some(HealthProblem { status, reason }) => {
                let body = format!(r#"{{"status":"{status}","reason":"{reason}","version":"{version}"}}"#);
                plain(StatusCode::SERVICE_UNAVAILABLE, JSON, body)
            }
        }
    }

    fn metrics(&self, parts: &request::Parts) -> Answer {
        // Behind a proxy on this machine everybody's address is loopback.
        let forwarded = parts.headers.contains_key(FORWARDED) || parts.headers.contains_key(FORWARDED_FOR);
        if !self.visitor.ip.is_loopback() || forwarded {
            return plain(StatusCode::FORBIDDEN, TEXT, "Metrics are for this machine only.\n");
        }
        plain(StatusCode::OK, OPEN_METRICS, self.site.application.metrics())
    }

    /// Refuses a request whose body is not to be had, in the protocol that it speaks.
    fn refuse(&self, parts: &request::Parts, error: &BodyError) -> Answer {
        let fault = match error {
            BodyError::TooLarge => {
                self.site.traffic.bodies_too_large.fetch_add(1, Ordering::Relaxed);
                CommonFault::RequestEntityTooLarge
            }
            BodyError::Crowded => {
                self.site.traffic.bodies_crowded_out.fetch_add(1, Ordering::Relaxed);
                CommonFault::ServiceUnavailable
            }
            BodyError::Broken(error) => {
                tracing::debug!(ip = %self.visitor.ip, %error, "request body aborted");
                return self.closing(plain(StatusCode::BAD_REQUEST, TEXT, "The body is not HTTP.\n"));
            }
        };
        self.state.refuses_the_rest();
        let protocol = if parts.headers.contains_key(TARGET) {
            wire::Protocol::json("1.1", "")
        } else {
            wire::Protocol::query("")
        };
        let fault = fault.fault(protocol);
        let id = self.site.application.unread(parts, self.visitor.ip, &fault);
        let body = wire::encode_fault(protocol, &id, &fault);
        let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut answer = plain(status, HeaderValue::from_static(wire::content_type(protocol)), body);
        if matches!(protocol, wire::Protocol::Json(_)) {
            answer.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(fault.code));
        }
        if let Ok(id) = HeaderValue::try_from(id)
            && !id.is_empty()
        {
            answer.headers_mut().insert(REQUEST_ID, id);
        }
        self.closing(answer)
    }

    /// The last answer of an HTTP/1 connection: the rest of what the client sends is not the next request.
    fn closing(&self, mut answer: Answer) -> Answer {
        if self.visitor.protocol == Protocol::Http1 {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        answer
    }

    /// The connections has closed the connection, and its task is about to end: there is nobody to answer.
    async fn closed(&self) -> Answer {
        std::future::pending().await
    }
}

async fn reply<A: Application>(site: &Site<A>, incoming: &service::Incoming) -> Reply {
    let reply = site.application.handle(incoming).await;
    let Reply { status, request_id, error, .. } = &reply;
    tracing::debug!(ip = %incoming.ip, status, request_id, error, "answered");
    reply
}

/// The answer that a reply is. Its headers take the room of the request's, and leave it to the connection's next.
fn from_reply(reply: Reply, mut headers: HeaderMap) -> Answer {
    let mut answer = Response::new(Full::new(Content::from(reply.body)));
    *answer.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    headers.clear();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    // Request ids are made by the server and are always fit for a header.
    if let Ok(id) = HeaderValue::from_maybe_shared(Bytes::from(reply.request_id)) {
        headers.insert(REQUEST_ID, id);
    }
    if let Some(error) = reply.error {
        headers.insert(ERROR_TYPE, HeaderValue::from_static(error));
    }
    *answer.headers_mut() = headers;
    answer
}

fn plain(status: StatusCode, content_type: HeaderValue, body: impl Into<Vec<u8>>) -> Answer {
    let mut answer = Response::new(Full::new(Content::from(body.into())));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, content_type);
    answer
}
