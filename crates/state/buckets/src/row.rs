//! Rows of versions and of uploads as bytes. Knows no transactions.
//!
//! A version's row is `form u8 ‖ JSON length u32 ‖ JSON ‖ sealed content`, in which the content may be elsewhere. One row for both
//! makes a PUT one row: content, headers and tags become durable together, with one entry in the database's own index.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::version::{Stored, Version};
use crate::{Bucket, BucketsError};

/// The collection of versions' rows.
pub(crate) const VERSIONS: &str = "bucket.version";

/// The collection of uploads' rows.
pub(crate) const UPLOADS: &str = "bucket.upload";

/// The collection of lists of parts.
pub(crate) const PARTS: &str = "bucket.parts";

/// The form that is written.
const FORM: u8 = 1;

/// The id of a version's row in its bucket.
pub(crate) fn version_id(number: u64, sequence: u64) -> String {
    format!("{number}.{sequence}")
}

/// The owner of a blob in its reference: a version of the bucket.
pub(crate) fn version_owner(bucket: &Bucket, number: u64, sequence: u64) -> String {
    format!("{bucket}/{number}.{sequence}")
}

/// The owner of a blob in its reference: an upload to the bucket, or the version that it became.
pub(crate) fn upload_owner(bucket: &Bucket, sequence: u64) -> String {
    format!("{bucket}/u{sequence}")
}

pub(crate) fn encode(version: &Version, inline: &[u8]) -> Result<Vec<u8>, BucketsError> {
    let mut row = Vec::with_capacity(1024 + inline.len());
    row.extend_from_slice(&[FORM, 0, 0, 0, 0]);
    serde_json::to_writer(&mut row, version).map_err(|_| BucketsError::damaged("a version cannot be written"))?;
    let length = u32::try_from(row.len() - 5).map_err(|_| BucketsError::damaged("a version is too long"))?;
    row.iter_mut().skip(1).zip(length.to_be_bytes()).for_each(|(place, byte)| *place = byte);
    row.extend_from_slice(inline);
    Ok(row)
}

pub(crate) fn decode(row: &[u8]) -> Result<Stored, BucketsError> {
    let malformed = || BucketsError::damaged("a version cannot be read");
    let rest = row.strip_prefix(&[FORM]).ok_or_else(malformed)?;
    let (length, rest) = rest.split_first_chunk().ok_or_else(malformed)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| malformed())?;
    let (json, inline) = rest.split_at_checked(length).ok_or_else(malformed)?;
    Ok(Stored { version: from_json(json)?, inline: inline.to_vec() })
}

pub(crate) fn to_json(value: &impl Serialize) -> Result<Vec<u8>, BucketsError> {
    serde_json::to_vec(value).map_err(|_| BucketsError::damaged("a row cannot be written"))
}

pub(crate) fn from_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, BucketsError> {
    serde_json::from_slice(json).map_err(|_| BucketsError::damaged("a row cannot be read"))
}
