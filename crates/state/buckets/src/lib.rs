//! Objects of buckets: versions under ordered keys, whose contents are sealed in rows or blobs, and uploads in parts.
//!
//! Owns what is stored of an object and in which order, and when it is visible. Refuses to know wires, callers, policies and
//! whose keys these are: whoever writes or reads a content has its [`ObjectKey`].
//!
//! A content is written first, by a [`ContentWriter`]. It becomes visible by [`Bucket::put`], in a transaction of the caller, which
//! also tests conditions. What was written and never put is swept with the blobs.

mod bucket;
mod check;
mod content;
mod entry;
mod error;
mod garbage;
mod hashing;
mod key;
mod layer;
mod list;
mod parts;
mod reading;
mod remove;
mod row;
mod upload;
mod version;
mod version_id;

pub use bucket::{Bucket, Condition, KEY_BYTES_MAX, Put, SERVICE, Versioning};
pub use check::BlobOwner;
pub use content::{ContentWriter, Contents, Etag, INLINE_BYTES_MAX, NewContent};
pub use entry::{ChecksumKind, EntryVersion};
pub use error::BucketsError;
pub use garbage::collect;
pub use key::ObjectKey;
pub use list::{Item, Listed, ListedVersions, Listing, VersionItem, VersionStart, Walked};
pub use parts::Part;
pub use reading::ContentReading;
pub use remove::Removed;
pub use upload::{ListedUploads, PART_BYTES_MIN, PARTS_MAX, Upload, UploadEntry, UploadPart};
pub use version::{
    Checksum, Details, Found, Headers, Protection, Retention, RetentionMode, Sealed, Stored, Version, WrappedKey,
};
