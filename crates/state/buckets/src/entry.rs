//! Entries of a bucket's indexes: what listings show of versions. Knows no contents.

use serde::{Deserialize, Serialize};
use store::Indexed;

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// The kind of checksum that a version has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChecksumKind {
    /// The algorithm's name, such as `CRC64NVME`.
    #[serde(rename = "a")]
    pub algorithm: String,
    /// Whether it is of the parts' checksums instead of the content.
    #[serde(rename = "p", default, skip_serializing_if = "is_false")]
    pub composite: bool,
}

/// A version or a delete marker, as listings need it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryVersion {
    /// Its number in the bucket: later versions of a key have larger ones.
    #[serde(rename = "s")]
    pub sequence: u64,
    /// Its id; `None` for the null version.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// When it was written, in milliseconds since 1970.
    #[serde(rename = "m")]
    pub modified_ms: u64,
    /// Whether it is a delete marker.
    #[serde(rename = "d", default, skip_serializing_if = "is_false")]
    pub marker: bool,
    /// The length of the content in bytes.
    #[serde(rename = "b", default, skip_serializing_if = "is_zero")]
    pub bytes: u64,
    /// The entity tag, without quotes; empty for a delete marker.
    #[serde(rename = "e", default, skip_serializing_if = "String::is_empty")]
    pub etag: String,
    /// The storage class; `None` for `STANDARD`.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// The kind of its checksum.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<ChecksumKind>,
    /// Whether the content lies elsewhere than in the version's row.
    #[serde(rename = "x", default, skip_serializing_if = "is_false")]
    pub(crate) outside: bool,
    /// Whether it has, or may have, a retention or a legal hold.
    #[serde(rename = "l", default, skip_serializing_if = "is_false")]
    pub(crate) lockable: bool,
}

impl EntryVersion {
    /// The version id as requests and answers have it: `null` for the null version.
    #[must_use]
    pub fn id(&self) -> &str {
        self.version_id.as_deref().unwrap_or(crate::version_id::NULL)
    }
}

/// A key that has versions. The index's key is the object's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ObjectEntry {
    /// The sequence number of the key's first version, by which its versions are found.
    #[serde(rename = "n")]
    pub(crate) number: u64,
    /// The newest version.
    #[serde(rename = "c")]
    pub(crate) current: EntryVersion,
    /// How many others there are.
    #[serde(rename = "o", default, skip_serializing_if = "is_zero")]
    pub(crate) others: u64,
    /// The sequence number of the null version, if there is one.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub(crate) null: Option<u64>,
}

impl Indexed for ObjectEntry {
    const NAME: &'static str = "bucket.object";
}

/// Versions that are not the newest. The key is `version_key`.
impl Indexed for EntryVersion {
    const NAME: &'static str = "bucket.version";
}

/// `number u64 ‖ !sequence u64`: the newest version of a key comes first.
pub(crate) fn version_key(number: u64, sequence: u64) -> [u8; 16] {
    let mut key = [0; 16];
    let bytes = number.to_be_bytes().into_iter().chain((!sequence).to_be_bytes());
    key.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
    key
}

/// The last sequence number that a bucket has given. The key is the bucket's id.
#[derive(Serialize, Deserialize)]
pub(crate) struct Sequence {
    #[serde(rename = "n")]
    pub(crate) last: u64,
}

impl Indexed for Sequence {
    const NAME: &'static str = "bucket.sequence";
}
