//! CodeCommit's port to the server: events of triggers brought to where the operator wants them.

use service::BoxFuture;

/// Brings the events of triggers to their destinations.
pub trait TriggerDelivery: Send + Sync + 'static {
    /// Brings a message, JSON, to a destination: the ARN of a topic or function, which the operator maps to an endpoint.
    /// Returns once the endpoint has taken it.
    ///
    /// # Errors
    /// Why it did not, in words for the owner of the trigger.
    fn deliver<'a>(&'a self, destination: &'a str, message: &'a str) -> BoxFuture<'a, Result<(), String>>;
}

/// A delivery to nowhere: no destination is mapped.
pub(crate) struct Nowhere;

impl TriggerDelivery for Nowhere {
    fn deliver<'a>(&'a self, destination: &'a str, _: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move { Err(format!("no endpoint is configured for {destination}")) })
    }
}
