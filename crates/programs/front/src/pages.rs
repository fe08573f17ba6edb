//! The pages that a program has for its operator: `/health` and `/metrics`.
//!
//! Builds the responses; what is in them is the program's.

use http::header::{AUTHORIZATION, FORWARDED, HeaderName, HeaderValue};
use http::{Method, StatusCode, request};

use crate::application::{Peer, Response};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// One of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// `/health`: whether requests can be served.
    Health,
    /// `/metrics`, in the OpenMetrics text format.
    Metrics,
}

/// Why no request can be served, as `/health` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthProblem {
    /// In one word, for programs.
    pub status: &'static str,
    /// In a sentence, for people.
    pub reason: &'static str,
}

impl HealthProblem {
    /// The program finishes the requests that it has and takes no more.
    pub const DRAINING: Self = Self::unavailable("the server is shutting down");

    /// Something that passes or has to be repaired.
    #[must_use]
    pub const fn unavailable(reason: &'static str) -> Self {
        Self { status: "unavailable", reason }
    }
}

impl Page {
    /// The page that a request asks for. A signed request asks for none: it means a resource of that name.
    #[must_use]
    pub fn asked(head: &request::Parts) -> Option<Self> {
        let page = match head.uri.path() {
            "/health" => Self::Health,
            "/metrics" => Self::Metrics,
            _ => return None,
        };
        let reads = head.method == Method::GET || head.method == Method::HEAD;
        let presigned = head.uri.query().is_some_and(|query| query.contains("X-Amz-Signature="));
        (reads && !presigned && !head.headers.contains_key(AUTHORIZATION)).then_some(page)
    }
}

/// The response to `/health`: 200, or 503 if there is a problem.
#[must_use]
pub fn health(problem: Option<HealthProblem>, version: &str) -> Response {
    match problem {
        None => Response::new(StatusCode::OK, JSON, format!(r#"{{"status":"ok","version":"{version}"}}"#)),
        Some(HealthProblem { status, reason }) => {
            let body = format!(r#"{{"status":"{status}","reason":"{reason}","version":"{version}"}}"#);
            Response::new(StatusCode::SERVICE_UNAVAILABLE, JSON, body)
        }
    }
}

/// The response to `/metrics`: 403 for other machines.
pub fn metrics(head: &request::Parts, peer: Peer, text: impl FnOnce() -> String) -> Response {
    // Behind a proxy on this machine everybody's address is loopback.
    let forwarded = head.headers.contains_key(FORWARDED) || head.headers.contains_key(FORWARDED_FOR);
    if !peer.ip.is_loopback() || forwarded {
        return Response::text(StatusCode::FORBIDDEN, "Metrics are for this machine only.\n");
    }
    Response::new(StatusCode::OK, OPEN_METRICS, text())
}
