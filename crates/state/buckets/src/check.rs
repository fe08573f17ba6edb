//! Whose a blob is, by what its reference says: for checks of all blobs. Opens nothing.

use blobs::Reference;
use store::ReadTx;

use crate::parts::PartList;
use crate::upload::UploadRow;
use crate::version::Protection;
use crate::{Bucket, BucketsError, SERVICE, row};

/// The bucket of a blob, and how its key is wrapped.
#[derive(Clone, Debug)]
pub struct BlobOwner {
    /// The bucket.
    pub bucket: Bucket,
    /// How the object key is wrapped.
    pub protection: Protection,
}

impl BlobOwner {
    /// The owner that a reference names; `None` if it is another service's, or nobody sees the blob any more.
    ///
    /// # Errors
    /// Those of reading.
    pub fn find(tx: &ReadTx<'_>, reference: &Reference) -> Result<Option<Self>, BucketsError> {
        if reference.service != SERVICE {
            return Ok(None);
        }
        let Some((bucket, place)) = reference.owner.split_once('/') else { return Ok(None) };
        let Some(bucket) = Bucket::parse(bucket) else { return Ok(None) };
        let of_version = |number: u64, sequence: u64| {
            let found = tx.get_bytes(row::VERSIONS, &bucket.to_string(), &row::version_id(number, sequence))?;
            found.map(|row| row::decode(row.expose())).transpose()
        };
        let stored = match place.strip_prefix('u').map(str::parse::<u64>) {
            Some(Ok(upload)) => {
                if let Some(row) = UploadRow::find(tx, &bucket, upload)? {
                    return Ok(Some(Self { bucket, protection: row.details.protection }));
                }
                let Some(PartList { number, sequence, .. }) = PartList::find(tx, &bucket, upload)? else {
                    return Ok(None);
                };
                of_version(number, sequence)?
            }
            Some(Err(_)) => None,
            None => {
                let number = |text: &str| text.parse::<u64>().ok();
                let Some((of_key, sequence)) = place.split_once('.') else { return Ok(None) };
                let (Some(of_key), Some(sequence)) = (number(of_key), number(sequence)) else { return Ok(None) };
                of_version(of_key, sequence)?
            }
        };
        Ok(stored.map(|stored| Self { bucket, protection: stored.version.details.protection }))
    }
}
