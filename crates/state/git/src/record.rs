//! The records of a repository: its row, its packs, its references and their history, all sealed.
//! Knows no objects.

use blobs::BlobId;
use git_object::{ObjectFormat, ObjectId};
use serde::{Deserialize, Serialize};
use store::{Indexed, Record};

/// The branch that a new repository's `HEAD` names.
pub(crate) const FIRST_HEAD: &str = "refs/heads/main";

/// A repository. Its id is the record's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meta {
    /// `None` until the first push.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub(crate) format: Option<String>,
    /// The reference that `HEAD` names, which need not be there.
    #[serde(rename = "h")]
    pub(crate) head: String,
    /// Grows with every change of references and packs.
    #[serde(rename = "v")]
    pub(crate) version: u64,
    /// Grows whenever maintenance drops objects.
    #[serde(rename = "d", default)]
    pub(crate) dropped: u64,
    /// The version that maintenance made of all packs, and when, in seconds since 1970.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub(crate) full: Option<(u64, i64)>,
}

impl Record for Meta {
    const COLLECTION: &'static str = "git";
}

impl Meta {
    pub(crate) fn new(format: Option<ObjectFormat>) -> Self {
        Self {
            format: format.map(|format| format.name().to_owned()),
            head: FIRST_HEAD.to_owned(),
            version: 1,
            dropped: 0,
            full: None,
        }
    }

    pub(crate) fn format(&self) -> Option<ObjectFormat> {
        ObjectFormat::from_name(self.format.as_ref()?.as_bytes())
    }
}

/// Origin of a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Origin {
    /// A push.
    #[serde(rename = "p")]
    Push,
    /// A call that made objects.
    #[serde(rename = "c")]
    Call,
    /// Maintenance.
    #[serde(rename = "m")]
    Maintenance,
    /// Maintenance, of objects that no reference led to.
    #[serde(rename = "u")]
    Unreachable,
}

/// A pack. Its content is that of its blobs, one after the other: the entries (a pack file without its header and
/// trailer), the index as a file of version 2, the summary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PackRecord {
    /// One blob, or two of a large push: what arrived, and what was found out about it.
    #[serde(rename = "b")]
    pub(crate) blobs: Vec<String>,
    /// How many objects there are.
    #[serde(rename = "n")]
    pub(crate) objects: u32,
    /// The length of the entries.
    #[serde(rename = "e")]
    pub(crate) entries_bytes: u64,
    /// The length of the index.
    #[serde(rename = "i")]
    pub(crate) index_bytes: u64,
    /// The length of the summary.
    #[serde(rename = "s")]
    pub(crate) summary_bytes: u64,
    /// The pack file's trailer, in hexadecimal digits.
    #[serde(rename = "h")]
    pub(crate) hash: String,
    /// Its origin.
    #[serde(rename = "o")]
    pub(crate) origin: Origin,
    /// When it was made, in seconds since 1970.
    #[serde(rename = "t")]
    pub(crate) at: i64,
}

impl Indexed for PackRecord {
    const NAME: &'static str = "git-pack";
}

impl PackRecord {
    pub(crate) fn blob_ids(&self) -> impl Iterator<Item = Option<BlobId>> {
        self.blobs.iter().map(|text| BlobId::parse(text))
    }
}

/// A pack that maintenance replaced, whose blobs stay for those who read them. Its key begins with the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReplacedRecord {
    /// As in [`PackRecord`].
    #[serde(rename = "b")]
    pub(crate) blobs: Vec<String>,
}

impl Indexed for ReplacedRecord {
    const NAME: &'static str = "git-replaced";
}

impl ReplacedRecord {
    pub(crate) fn blob_ids(&self) -> impl Iterator<Item = Option<BlobId>> {
        self.blobs.iter().map(|text| BlobId::parse(text))
    }
}

/// Bitmaps of a pack, in a blob of their own. Their key is the pack's first blob as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BitmapsRecord {
    /// The blob.
    #[serde(rename = "b")]
    pub(crate) blob: String,
}

impl Indexed for BitmapsRecord {
    const NAME: &'static str = "git-bitmaps";
}

impl BitmapsRecord {
    pub(crate) fn blob_id(&self) -> Option<BlobId> {
        BlobId::parse(&self.blob)
    }
}

/// A reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RefRecord {
    /// The object that it names.
    #[serde(rename = "i")]
    pub(crate) id: String,
    /// The peeled target of the tag that it names.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub(crate) peeled: Option<String>,
}

impl Indexed for RefRecord {
    const NAME: &'static str = "git-ref";
}

/// A change of a reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogRecord {
    /// The old object; absent if it was made.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub(crate) old: Option<String>,
    /// The new object; absent if it was removed.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub(crate) new: Option<String>,
    /// Who did it.
    #[serde(rename = "w")]
    pub(crate) who: String,
    /// When, in seconds since 1970.
    #[serde(rename = "t")]
    pub(crate) at: i64,
}

impl Indexed for LogRecord {
    const NAME: &'static str = "git-reflog";
}

/// The key of a reference's change: the name, a zero byte and the repository's version.
pub(crate) fn log_key(name: &str, version: u64) -> Vec<u8> {
    [name.as_bytes(), &[0], &version.to_be_bytes()].concat()
}

/// The id that a record has as text.
pub(crate) fn parse_id(format: ObjectFormat, text: &str) -> Option<ObjectId> {
    ObjectId::from_hex(format, text.as_bytes()).ok()
}
