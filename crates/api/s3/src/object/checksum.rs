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

/// Declares an output that has a checksum among its members, each algorithm's as one of its own, and how it is set.
macro_rules! with_checksums {
    ($(#[$doc:meta])* $vis:vis struct $name:ident { $($members:tt)* }) => {
        wire::output! {
            $(#[$doc])*
            $vis struct $name {
                $($members)*
                "ChecksumCRC32" checksum_crc32: String, optional;
                "ChecksumCRC32C" checksum_crc32c: String, optional;
                "ChecksumCRC64NVME" checksum_crc64nvme: String, optional;
                "ChecksumSHA1" checksum_sha1: String, optional;
                "ChecksumSHA256" checksum_sha256: String, optional;
                "ChecksumSHA512" checksum_sha512: String, optional;
                "ChecksumMD5" checksum_md5: String, optional;
                "ChecksumXXHASH64" checksum_xxhash64: String, optional;
                "ChecksumXXHASH3" checksum_xxhash3: String, optional;
                "ChecksumXXHASH128" checksum_xxhash128: String, optional;
            }
        }

        impl $name {
            /// Sets the checksum of an algorithm.
            fn set_checksum(&mut self, algorithm: &str, value: &str) {
                let place = match algorithm {
                    "CRC32" => &mut self.checksum_crc32,
                    "CRC32C" => &mut self.checksum_crc32c,
                    "CRC64NVME" => &mut self.checksum_crc64nvme,
                    "SHA1" => &mut self.checksum_sha1,
                    "SHA256" => &mut self.checksum_sha256,
                    "SHA512" => &mut self.checksum_sha512,
                    "MD5" => &mut self.checksum_md5,
                    "XXHASH64" => &mut self.checksum_xxhash64,
                    "XXHASH3" => &mut self.checksum_xxhash3,
                    "XXHASH128" => &mut self.checksum_xxhash128,
                    _ => return,
                };
                *place = Some(value.to_owned());
            }
        }
    };
}
pub(crate) use with_checksums;
