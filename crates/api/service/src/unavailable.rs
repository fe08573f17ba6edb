//! The answer to a request that nobody can serve now, in the protocol that it speaks.

use http::header::AUTHORIZATION;
use wire::{CommonFault, Protocol};

use crate::gateway::{Incoming, Reply, reply};
use crate::request_id;

/// Refuses a request with `ServiceUnavailable`, saying why.
#[must_use]
pub fn unavailable(incoming: &Incoming, why: &str) -> Reply {
    let protocol = if incoming.headers.contains_key("x-amz-target") || !incoming.headers.contains_key(AUTHORIZATION) {
        Protocol::json("1.1", "")
    } else {
        Protocol::query("")
    };
    let mut fault = CommonFault::ServiceUnavailable.fault(protocol);
    why.clone_into(&mut fault.message);
    reply(protocol, request_id::next(), Err(fault))
}
