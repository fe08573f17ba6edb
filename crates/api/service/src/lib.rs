//! How every call is served: one trait for an operation, one table of them, one dispatch, one audit record.
//!
//! Knows protocols, policies and the journal; never what a key or a user is. The API crates meet only here, through
//! the traits in [`ports`].

mod call;
mod dispatch;
mod event;
mod gateway;
mod need;
mod noted;
mod operation;
mod operator;
pub mod ports;
mod regions;
mod request_id;
mod soon;
mod trail;
mod unavailable;

pub use call::{Call, Caller, Source};
pub use gateway::{Gateway, Incoming, Observer, Reply, Seen};
pub use need::{Guard, Need, Needed, Side};
pub use noted::Noted;
pub use operation::{Effect, Entry, Operation, Permit, Service, ServiceError};
pub use operator::OperatorEvent;
pub use regions::{Regions, is_region};
pub use soon::{Boxed, Soon};
pub use trail::Trail;
pub use unavailable::unavailable;
