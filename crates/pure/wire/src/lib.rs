//! AWS's wire protocols as functions of bytes: awsJson, query and XML, SigV4, ARNs, shapes and faults.
//!
//! No sockets, no storage, no clock: whoever calls hands in bytes and the time, and gets bytes or a fault back.

mod arn;
mod blob;
mod buffer;
mod fault;
pub mod json;
mod protocol;
pub mod query;
pub mod shape;
mod shown;
pub mod sigv4;
mod timestamp;
mod unanswered;
mod xml;

pub use arn::{Arn, ArnError, account_of};
pub use blob::{Blob, SecretBlob, SecretText};
pub use fault::{Culprit, Fault, Protocol};
pub use protocol::{
    CommonFault, ERROR_TYPE_HEADER, REQUEST_ID_HEADER, content_type, decode, encode_fault, encode_output,
};
pub use shown::{Shown, shown, shown_bytes, shown_json, shown_lines, shown_path};
pub use timestamp::Timestamp;
