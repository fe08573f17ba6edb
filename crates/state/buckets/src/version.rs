//! A version of an object, whole: what its row has. Knows neither where rows are nor whose keys protect it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::entry::{ChecksumKind, EntryVersion};

fn is_false(value: &bool) -> bool {
    !value
}

/// Headers that are stored as they came and answered so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headers {
    /// `Content-Type`.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// `Cache-Control`.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    /// `Content-Disposition`.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub content_disposition: Option<String>,
    /// `Content-Encoding`.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    /// `Content-Language`.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub content_language: Option<String>,
    /// `Expires`.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// `x-amz-website-redirect-location`.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub website_redirect: Option<String>,
}

/// A checksum of a content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum {
    /// Which it is.
    #[serde(rename = "k")]
    pub kind: ChecksumKind,
    /// The value as answers have it: base64, and `-N` behind that of N parts.
    #[serde(rename = "v")]
    pub value: String,
}

/// How strict a retention is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RetentionMode {
    /// Callers with a permission of their own may end it.
    #[serde(rename = "g")]
    Governance,
    /// Nobody may.
    #[serde(rename = "c")]
    Compliance,
}

/// A time before which a version cannot be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// How strict it is.
    #[serde(rename = "m")]
    pub mode: RetentionMode,
    /// When it ends, in milliseconds since 1970.
    #[serde(rename = "t")]
    pub until_ms: u64,
}

/// Sealed bytes, in JSON as base64.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

impl Serialize for Sealed {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD_NO_PAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let bytes = STANDARD_NO_PAD.decode(text);
        bytes.map(Self).map_err(|_| serde::de::Error::custom("this is not base64"))
    }
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} sealed bytes", self.0.len())
    }
}

/// An object key wrapped under a key of a key service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrappedKey {
    /// The data key, encrypted by the key service.
    #[serde(rename = "d")]
    pub data_key: Sealed,
    /// The object key, wrapped under the data key.
    #[serde(rename = "k")]
    pub key: Sealed,
}

/// How a version's object key is wrapped: under whose key, and the wrapped bytes. Data only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Protection {
    /// Under the bucket's own key (SSE-S3).
    #[serde(rename = "s3")]
    Bucket(Sealed),
    /// Under a data key of a key of the key service (SSE-KMS).
    #[serde(rename = "kms")]
    Kms {
        /// The key's ARN.
        #[serde(rename = "a")]
        key_arn: String,
        /// The wrapped object key.
        #[serde(rename = "w")]
        wrapped: WrappedKey,
        /// The encryption context of the data key.
        #[serde(rename = "c")]
        context: BTreeMap<String, String>,
        /// Whether the data key is the bucket's, for many objects.
        #[serde(rename = "b", default, skip_serializing_if = "is_false")]
        bucket_key: bool,
    },
    /// Two object keys under two data keys, for two layers (DSSE-KMS).
    #[serde(rename = "dsse")]
    Dsse {
        /// The key's ARN.
        #[serde(rename = "a")]
        key_arn: String,
        /// The wrapped key of the layer that lies on the disk.
        #[serde(rename = "o")]
        outer: WrappedKey,
        /// The wrapped key of the layer below.
        #[serde(rename = "i")]
        inner: WrappedKey,
        /// The encryption context of both data keys.
        #[serde(rename = "c")]
        context: BTreeMap<String, String>,
    },
    /// Under a key that the caller sends with each request (SSE-C). Which that is shows when the wrapped key opens.
    #[serde(rename = "c")]
    Customer(Sealed),
}

/// All of a version but its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The entity tag, without quotes.
    #[serde(rename = "e")]
    pub etag: String,
    /// The headers that are answered as they came.
    #[serde(rename = "h", default)]
    pub headers: Headers,
    /// User metadata, without the prefix of its headers.
    #[serde(rename = "m", default, skip_serializing_if = "Vec::is_empty")]
    pub metadata: Vec<(String, String)>,
    /// Tags.
    #[serde(rename = "g", default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<(String, String)>,
    /// The storage class; `None` for `STANDARD`.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// The checksum.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// How the object key is wrapped.
    #[serde(rename = "p")]
    pub protection: Protection,
    /// The retention.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    /// Whether there is a legal hold.
    #[serde(rename = "l", default, skip_serializing_if = "is_false")]
    pub legal_hold: bool,
}

impl Details {
    /// Whether the version cannot be removed at `now_ms`, by a caller who ends retentions of governance mode or does not.
    #[must_use]
    pub fn locked(&self, now_ms: u64, bypass_governance: bool) -> bool {
        let retained = self.retention.is_some_and(|retention| {
            retention.until_ms > now_ms && !(bypass_governance && retention.mode == RetentionMode::Governance)
        });
        self.legal_hold || retained
    }
}

/// Where a version's content is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Place {
    /// In the version's row, behind its JSON.
    #[serde(rename = "r")]
    Row,
    /// In a blob of this id.
    #[serde(rename = "b")]
    Blob(String),
    /// In the blobs of the parts of the upload of this sequence number.
    #[serde(rename = "p")]
    Parts(u64),
}

/// A version of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// All but the content.
    #[serde(rename = "d")]
    pub details: Details,
    /// The length of the content in bytes.
    #[serde(rename = "b")]
    pub bytes: u64,
    /// When it was written, in milliseconds since 1970.
    #[serde(rename = "t")]
    pub modified_ms: u64,
    /// How many parts it was uploaded in, if it was.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<u32>,
    /// The id of the upload that it came from, if it came in parts.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub(crate) upload_id: Option<String>,
    #[serde(rename = "c")]
    pub(crate) place: Place,
}

/// A version with its content, if that is in its row.
pub struct Stored {
    /// The version.
    pub version: Version,
    /// The sealed content; empty if it is elsewhere.
    pub(crate) inline: Vec<u8>,
}

/// A version or a delete marker that was found.
pub struct Found {
    /// The entry that listings have of it.
    pub entry: EntryVersion,
    /// Whether it is the newest of its key.
    pub is_latest: bool,
    /// The version; `None` for a delete marker.
    pub stored: Option<Stored>,
}
