//! Contents that nothing shows any more and that take long to remove: parts of versions that are gone and of uploads that were aborted, and uploads
//! to removed buckets. Knows no callers.

use blobs::{BlobId, Reference};
use serde::{Deserialize, Serialize};
use store::{Indexed, Tx};

use crate::entry::Sequence;
use crate::parts::PartList;
use crate::upload::{PartEntry, UploadRow};
use crate::{Bucket, BucketsError, row};

/// Something to be removed. The key is `bucket 16 ‖ kind u8 ‖ sequence u64`.
#[derive(Clone, Copy)]
pub(crate) enum Garbage {
    /// The parts of an upload that was aborted.
    Upload(u64),
    /// The parts of a version that came from this upload.
    Version(u64),
    /// All uploads to the bucket.
    Bucket,
}

#[derive(Serialize, Deserialize)]
struct GarbageEntry {}

impl Indexed for GarbageEntry {
    const NAME: &'static str = "bucket.garbage";
}

impl Garbage {
    fn key(self, bucket: &Bucket) -> Vec<u8> {
        let (kind, sequence) = match self {
            Self::Upload(sequence) => (0, sequence),
            Self::Version(sequence) => (1, sequence),
            Self::Bucket => (2, 0),
        };
        [&bucket.to_bytes()[..], &[kind], &sequence.to_be_bytes()].concat()
    }

    fn parse(key: &[u8]) -> Option<(Bucket, Self)> {
        let (bucket, rest) = key.split_first_chunk()?;
        let (kind, sequence) = rest.split_first()?;
        let sequence = u64::from_be_bytes(sequence.try_into().ok()?);
        let garbage = match kind {
            0 => Self::Upload(sequence),
            1 => Self::Version(sequence),
            2 => Self::Bucket,
            _ => return None,
        };
        Some((Bucket::from_bytes(*bucket), garbage))
    }

    /// Leaves something to [`collect`].
    pub(crate) fn insert(self, tx: &mut Tx<'_>, bucket: &Bucket) -> Result<(), BucketsError> {
        Ok(tx.index_mut("").put(&self.key(bucket), &GarbageEntry {})?)
    }

    /// Removes at most `limit` things. Yields how many; fewer are the last.
    fn collect(self, tx: &mut Tx<'_>, bucket: &Bucket, limit: usize) -> Result<usize, BucketsError> {
        match self {
            Self::Upload(sequence) => collect_parts(tx, bucket, sequence, limit),
            Self::Version(upload) => collect_list(tx, bucket, upload, limit),
            Self::Bucket => collect_uploads(tx, bucket, limit),
        }
    }
}

/// Removes at most `limit` things that nobody sees any more. Yields how many those were: none when nothing is left.
///
/// # Errors
/// Those of reading and writing.
pub fn collect(tx: &mut Tx<'_>, limit: usize) -> Result<usize, BucketsError> {
    let Some((key, _)) = tx.index::<GarbageEntry>("")?.iter(&[])?.next()? else { return Ok(0) };
    let (bucket, garbage) = Garbage::parse(&key).ok_or(BucketsError::damaged("garbage of an unknown kind"))?;
    let removed = garbage.collect(tx, &bucket, limit)?;
    if removed < limit {
        tx.index_mut::<GarbageEntry>("").remove(&key)?;
    }
    // The entry itself counts, so that a caller goes on until nothing is left.
    Ok(removed.max(1))
}

fn collect_parts(tx: &mut Tx<'_>, bucket: &Bucket, upload: u64, limit: usize) -> Result<usize, BucketsError> {
    let name = bucket.to_string();
    let parts = tx.index::<PartEntry>(&name)?.range(&upload.to_be_bytes(), std::ops::Bound::Unbounded, limit)?.items;
    for (key, part) in &parts {
        remove_blob(tx, &part.blob)?;
        tx.index_mut::<PartEntry>(&name).remove(key)?;
    }
    Ok(parts.len())
}

fn collect_list(tx: &mut Tx<'_>, bucket: &Bucket, upload: u64, limit: usize) -> Result<usize, BucketsError> {
    let Some(mut list) = PartList::find(tx, bucket, upload)? else { return Ok(0) };
    let rest = list.parts.len().saturating_sub(limit);
    let removed = list.parts.split_off(rest);
    for part in &removed {
        Reference::remove(tx, &part.blob)?;
    }
    if removed.len() == limit {
        list.put(tx, bucket, upload)?;
    } else {
        tx.remove_bytes(row::PARTS, &bucket.to_string(), &upload.to_string())?;
    }
    Ok(removed.len())
}

fn collect_uploads(tx: &mut Tx<'_>, bucket: &Bucket, limit: usize) -> Result<usize, BucketsError> {
    let uploads = bucket.upload_entries(tx, limit)?;
    for (number, upload) in &uploads {
        let key = UploadRow::find(tx, bucket, upload.sequence)?.map(|row| row.key).unwrap_or_default();
        bucket.forget_upload(tx, &key, *number, upload.sequence)?;
        Garbage::Upload(upload.sequence).insert(tx, bucket)?;
    }
    if uploads.len() < limit {
        tx.index_mut::<Sequence>("").remove(&bucket.to_bytes())?;
    }
    Ok(uploads.len())
}

fn remove_blob(tx: &mut Tx<'_>, id: &str) -> Result<(), BucketsError> {
    let id = BlobId::parse(id).ok_or(BucketsError::damaged("a blob has no id"))?;
    Reference::remove(tx, &id)?;
    Ok(())
}
