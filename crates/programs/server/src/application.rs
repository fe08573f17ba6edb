//! What the connections serve, so that they can be tested without the services behind it.

use std::future::Future;
use std::net::IpAddr;

use http::request;
use service::{Incoming, Reply};
use wire::Fault;

/// Why no request can be served, as `/health` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HealthProblem {
    /// In one word, for programs.
    pub(crate) status: &'static str,
    /// In a sentence, for people.
    pub(crate) reason: &'static str,
}

impl HealthProblem {
    /// Something that passes or has to be repaired.
    pub(crate) const fn unavailable(reason: &'static str) -> Self {
        Self { status: "unavailable", reason }
    }
}

/// Everything behind the HTTP connections.
pub(crate) trait Application: Send + Sync + 'static {
    /// Answers a request, whatever is in it.
    fn handle(&self, incoming: &Incoming) -> impl Future<Output = Reply> + Send;

    /// The most bytes that the body of a request with this head may have. No head's limit is less than
    /// [`wire::shape::BODY_BYTES_LEAST`].
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
