//! Immutable sealed files, written once as a stream and read from any place in them.
//!
//! Owns their format, their places (a directory or a bucket) and what makes them durable. Knows contents as bytes, and owners as bytes and a
//! key: a content is the caller's record, and a [`Reference`] beside it says that there is one.
//!
//! A blob becomes visible in three steps: [`Blobs::draft`] begins it; [`Draft::finish`] makes it durable under a new
//! id; the caller writes that id into a record of its own and inserts a [`Reference`], in the transaction that makes the
//! content visible, and only then drops [`Written`]. [`Blobs::sweep`] removes what nothing refers to.

mod blob;
mod blobs;
mod check;
mod directory;
mod disk;
mod draft;
mod error;
mod format;
mod frames;
mod held;
mod id;
mod location;
mod owner;
mod place;
mod reading;
mod reference;
mod s3;
#[cfg(test)]
mod tests;
mod whole;

pub use blob::Blob;
pub use blobs::{Blobs, Contents, CopyHold, Swept};
pub use check::{BlobReport, Fault, FaultyBlob, OwnerFuture, Owners};
pub use directory::Listed;
pub use draft::{Draft, Written};
pub use error::BlobError;
pub use format::{CHUNK_BYTES, PLAINTEXT_BYTES_MAX};
pub use id::BlobId;
pub use location::{Location, LocationError, S3Location};
pub use owner::Owner;
pub use reading::Reading;
pub use reference::{Reference, referenced};
pub use s3::{S3_ANSWER_BYTES_MAX, S3Answer, S3Request, S3Transport, S3Unanswered};
pub use whole::{open_whole, seal_whole};
