//! The entity tag and the checksum of an object by those of its parts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use buckets::{Checksum, ChecksumKind, Etag, UploadPart};
use crypto::hex;
use md5::{Digest as _, Md5};
use wire::body::{Algorithm, combine, composite};

use crate::error::S3Error;

/// The entity tag of an object in parts: the digest of the parts' digests, or random digits, and the number of parts.
///
/// # Errors
/// [`S3Error::Damaged`] for an entity tag that is no digest.
pub(super) fn etag<'p>(parts: impl ExactSizeIterator<Item = &'p str>, kind: Etag) -> Result<String, S3Error> {
    let count = parts.len();
    let digits = match kind {
        Etag::Md5 => {
            let mut digest = Md5::new();
            for part in parts {
                let bytes = hex::decode_lower::<16>(part);
                digest.update(bytes.ok_or_else(|| S3Error::Damaged("the entity tag of a part".to_owned()))?);
            }
            hex::encode(&digest.finalize())
        }
        Etag::Random => hex::encode(&crypto::random_nonce::<16>()),
    };
    Ok(format!("{digits}-{count}"))
}

/// The checksum of an object in parts; `None` if a part has none.
pub(super) fn checksum(parts: &[UploadPart], kind: ChecksumKind) -> Option<Checksum> {
    let algorithm = Algorithm::of_name(&kind.algorithm)?;
    let digests = parts.iter().map(|part| algorithm.parse(part.checksum.as_deref()?.as_bytes()));
    let digests: Vec<_> = digests.collect::<Option<_>>()?;
    let value = if kind.composite {
        let digest = composite(algorithm, digests.iter().map(Vec::as_slice));
        format!("{}-{}", STANDARD.encode(digest), parts.len())
    } else {
        let mut all = digests.iter().zip(parts);
        let (first, _) = all.next()?;
        let whole = all.try_fold(first.clone(), |whole, (next, part)| combine(algorithm, &whole, next, part.bytes))?;
        STANDARD.encode(whole)
    };
    Some(Checksum { kind, value })
}
