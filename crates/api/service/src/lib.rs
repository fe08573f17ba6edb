//! How every call is served: one trait for an operation, one table of them, one dispatch, one audit record.
//!
//! Knows protocols, policies and the journal; never what a key or a user is. The API crates meet only here, through
//! the traits in [`ports`].

mod anchor;
mod body;
mod call;
mod core;
mod cross_origin;
mod deliveries;
mod dispatch;
mod download;
mod endpoint;
mod event;
mod form;
mod gateway;
mod hosts;
mod maybe_ready;
mod need;
mod omitted;
mod operation;
mod operator;
mod pager;
mod perform;
pub mod ports;
mod regions;
mod reply;
mod request_id;
mod resource;
mod strangers;
mod trail;
mod unavailable;
mod upkeep;
mod upload;
mod use_stamp;

pub use anchor::{Anchor, Comparison};
pub use body::{BodyError, ByteStream, RequestBody};
pub use call::{Call, Caller, RequestOrigin};
pub use core::{Core, Observer, Seen, legible};
pub use cross_origin::{CrossOrigin, CrossOriginAnswer};
pub use deliveries::{Deliveries, Nowhere};
pub use download::{AnswerStream, Download};
pub use form::FormUpload;
pub use gateway::{Gateway, Head, Incoming};
pub use hosts::Hosts;
pub use maybe_ready::{BoxFuture, MaybeReady};
pub use need::{Need, ResourcePolicy, Side};
pub use operation::{
    AuditClass, Bound, Entry, Operation, OperationInput, OperationOutput, Permit, Service, ServiceError,
};
pub use operator::{Operator, OperatorEvent};
pub use pager::{Listed, TokenKey, Window};
pub use perform::{Behalf, Performer, Unrecorded};
pub use regions::{Regions, is_region};
pub use reply::Reply;
pub use resource::{Account, Resource, ResourceOperation};
pub use trail::Trail;
pub use unavailable::unavailable;
pub use upkeep::Upkeep;
pub use upload::{Upload, UploadError, UploadStream};
pub use use_stamp::UseStamp;
