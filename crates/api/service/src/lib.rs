//! How every call is served: one trait for an operation, one table of them, one dispatch, one audit record.
//!
//! Knows protocols, policies and the journal; never what a key or a user is. The API crates meet only here, through
//! the traits in [`ports`].

mod anchor;
mod call;
mod dispatch;
mod event;
mod gateway;
mod need;
mod noted;
mod omitted;
mod operation;
mod operator;
pub mod ports;
mod regions;
mod request_id;
mod soon;
mod strangers;
mod trail;
mod unavailable;
mod upkeep;

pub use anchor::{Anchor, Comparison};
pub use call::{Call, Caller, Source};
pub use gateway::{Gateway, Incoming, Observer, Reply, Seen};
pub use need::{Guard, Need, Needed, Side};
pub use noted::Noted;
pub use operation::{Effect, Entry, Operation, Permit, Service, ServiceError};
pub use operator::{Operator, OperatorEvent};
pub use regions::{Regions, is_region};
pub use soon::{Boxed, Soon};
pub use trail::Trail;
pub use unavailable::unavailable;
pub use upkeep::Upkeep;
