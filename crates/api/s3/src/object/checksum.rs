//! Checksums of objects as they are stored and answered.

use std::collections::BTreeMap;

use buckets::{Checksum, ChecksumKind};
use wire::body::{Algorithm, Finished};

/// The algorithm of contents for which the sender gives no checksum.
pub(crate) const OWN: Algorithm = Algorithm::Crc64Nvme;

/// The checksum of a content that arrived: the sender's, or else our own.
pub(crate) fn of_finished(finished: &Finished) -> Option<Checksum> {
    let algorithm = finished.given.unwrap_or(OWN);
    let value = finished.base64(algorithm)?;
    Some(Checksum { kind: ChecksumKind { algorithm: algorithm.name().to_owned(), composite: false }, value })
}

/// The type of a checksum in answers.
pub(crate) const fn kind_name(composite: bool) -> &'static str {
    if composite { "COMPOSITE" } else { "FULL_OBJECT" }
}

/// Headers that begin with `x-amz-checksum-`, by the rest of their names.
pub(crate) fn headers(checksum: &Checksum) -> BTreeMap<String, String> {
    let Checksum { kind: ChecksumKind { algorithm, composite }, value } = checksum;
    let kind = ("type".to_owned(), kind_name(*composite).to_owned());
    BTreeMap::from([(algorithm.to_ascii_lowercase(), value.clone()), kind])
}
