//! The answer to a request that nobody can serve now, in the protocol that it speaks.

use wire::CommonFault;
use wire::sigv4::Authorization;

use crate::gateway::{Head, request_parts, wire_head};
use crate::reply::Reply;
use crate::request_id;

/// Refuses a request with `ServiceUnavailable`, saying why.
#[must_use]
pub fn unavailable(head: &Head<'_>, why: &str) -> Reply {
    let authorization = Authorization::parse(&request_parts(head)).ok();
    let protocol = wire::protocol::presumed(&wire_head(head, authorization.as_ref(), None));
    let mut fault = CommonFault::ServiceUnavailable.fault(protocol);
    why.clone_into(&mut fault.message);
    Reply::fault(protocol, request_id::next(), &fault)
}
