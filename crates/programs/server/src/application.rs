//! What the connections serve, so that they can be tested without the services behind it.

use std::future::Future;

use service::{Incoming, Reply};

/// Everything behind the HTTP connections.
pub(crate) trait Application: Send + Sync + 'static {
    /// Answers a request, whatever is in it.
    fn handle(&self, incoming: Incoming) -> impl Future<Output = Reply> + Send;

    /// Why no request can be served at the moment; `None` when all is well.
    fn trouble(&self) -> Option<&'static str>;

    /// The metrics in the OpenMetrics text format.
    fn metrics(&self) -> String;
}
