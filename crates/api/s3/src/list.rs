//! Listings of a bucket: objects, versions and uploads, in the order of their names' bytes; and the parts of an upload.

mod encoding;
pub(crate) mod objects;
pub(crate) mod parts;
pub(crate) mod uploads;
pub(crate) mod versions;

use buckets::{ChecksumKind, EntryVersion};
use service::Need;
use wire::Timestamp;

pub(crate) use encoding::{Encoder, EncodingType};

/// How many keys and groups a page has at most.
pub(crate) const PAGE_MAX: usize = 1000;

wire::output! {
    /// A group of keys.
    pub(crate) struct CommonPrefix {
        "Prefix" prefix: String, required;
    }
}

/// The size of a page, of which a caller asked for so many.
pub(crate) fn page_size(asked: Option<i32>) -> usize {
    asked.map_or(PAGE_MAX, |asked| usize::try_from(asked).unwrap_or_default().min(PAGE_MAX))
}

/// The number that an answer shows for the size of a page.
pub(crate) fn shown_size(size: usize) -> i32 {
    i32::try_from(size).unwrap_or(i32::MAX)
}

/// The need with the condition keys of a listing. Parameters that were not sent have none.
pub(crate) fn need_of_listing<'n>(
    mut need: Need<'n>,
    prefix: Option<&'n str>,
    delimiter: Option<&'n str>,
    size: Option<i32>,
) -> Need<'n> {
    if let Some(prefix) = prefix {
        need = need.with("s3:prefix", prefix);
    }
    if let Some(delimiter) = delimiter {
        need = need.with("s3:delimiter", delimiter);
    }
    match size {
        Some(size) => need.with("s3:max-keys", i64::from(size)),
        None => need,
    }
}

/// When a version was written.
fn modified(entry: &EntryVersion) -> Timestamp {
    Timestamp::from_millis(i64::try_from(entry.modified_ms).unwrap_or(i64::MAX))
}

/// An entity tag as answers have it.
fn quoted(etag: &str) -> String {
    ["\"", etag, "\""].concat()
}

/// The length of a content.
fn size(entry: &EntryVersion) -> i64 {
    i64::try_from(entry.bytes).unwrap_or(i64::MAX)
}

/// The storage class as answers have it.
fn storage_class(entry: &EntryVersion) -> String {
    entry.storage_class.clone().unwrap_or_else(|| "STANDARD".to_owned())
}

/// The algorithm and the type of a checksum.
fn checksum(kind: Option<&ChecksumKind>) -> (Vec<String>, Option<String>) {
    let Some(ChecksumKind { algorithm, composite }) = kind else { return (Vec::new(), None) };
    (vec![algorithm.clone()], Some(if *composite { "COMPOSITE" } else { "FULL_OBJECT" }.to_owned()))
}
