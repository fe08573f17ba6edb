//! AWS's wire protocols as functions of bytes: awsJson, query, CBOR, restXml, SigV4, ARNs, shapes and faults.
//!
//! No sockets, no storage, no clock: whoever calls hands in bytes and the time, and gets bytes or a fault back.

mod arn;
mod blob;
pub mod body;
mod buffer;
mod cbor;
mod encode;
mod fault;
pub mod form;
pub mod json;
pub mod protocol;
pub mod query;
mod reader;
mod rest;
pub mod shape;
mod shown;
pub mod sigv4;
mod timestamp;

pub use arn::{Arn, ArnError, account_of};
pub use blob::{Blob, SecretBlob, SecretText};
pub use encode::EncodeError;
pub use fault::{Culprit, Fault};
pub use protocol::{CommonFault, ERROR_TYPE_HEADER, Protocol, REQUEST_ID_HEADER, decode, encode_fault, encode_output};
pub use reader::{Malformed, Open, Reader};
pub use shown::{Shown, shown, shown_bytes, shown_json, shown_lines, shown_path};
pub use timestamp::Timestamp;
