//! Blobs in a bucket of S3, or of anything that speaks its protocol.
//!
//! Owns the requests and what answers must be. Who signs and sends them is a program's part, behind [`S3Transport`].

mod bucket;
mod object;
mod transport;
mod upload;
mod xml;

pub(crate) use bucket::{Bucket, Unfinished};
pub(crate) use object::Object;
pub use transport::{S3_ANSWER_BYTES_MAX, S3Answer, S3Request, S3Transport, S3Unanswered};
pub(crate) use upload::{OBJECT_BYTES_MAX, S3Upload};
