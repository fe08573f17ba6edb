//! The parts that a version was uploaded in: one row for all of them, so that completing an upload moves no content.
//! Knows neither uploads' entries nor contents.
//!
//! `form u8 ‖ number u64 ‖ sequence u64 ‖ {part number u16, bytes u64, blob 16, checksum length u8, checksum}*`, where number and
//! sequence are those of the version.

use blobs::BlobId;
use store::{ReadTx, Tx};

use crate::{Bucket, BucketsError, row};

const FORM: u8 = 1;

/// A part of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its number, from 1 on.
    pub number: u16,
    /// The length of its content in bytes.
    pub bytes: u64,
    /// Its checksum as answers have it, if it has one.
    pub checksum: Option<String>,
    pub(crate) blob: BlobId,
}

/// The parts of a version, and which version that is.
pub(crate) struct PartList {
    pub(crate) number: u64,
    pub(crate) sequence: u64,
    pub(crate) parts: Vec<Part>,
}

impl PartList {
    /// The list that a version of the upload `upload` has.
    pub(crate) fn find(tx: &ReadTx<'_>, bucket: &Bucket, upload: u64) -> Result<Option<Self>, BucketsError> {
        let found = tx.get_bytes(row::PARTS, &bucket.to_string(), &upload.to_string())?;
        let malformed = BucketsError::damaged("a list of parts cannot be read");
        found.map(|row| Self::parse(row.expose()).ok_or(malformed)).transpose()
    }

    pub(crate) fn put(&self, tx: &mut Tx<'_>, bucket: &Bucket, upload: u64) -> Result<(), BucketsError> {
        Ok(tx.put_bytes(row::PARTS, &bucket.to_string(), &upload.to_string(), &self.write())?)
    }

    fn write(&self) -> Vec<u8> {
        let mut row = Vec::with_capacity(17 + self.parts.len() * 48);
        row.push(FORM);
        row.extend_from_slice(&self.number.to_be_bytes());
        row.extend_from_slice(&self.sequence.to_be_bytes());
        for part in &self.parts {
            row.extend_from_slice(&part.number.to_be_bytes());
            row.extend_from_slice(&part.bytes.to_be_bytes());
            row.extend_from_slice(&part.blob.to_bytes());
            let checksum = part.checksum.as_deref().unwrap_or_default();
            // The longest, of SHA-512, has 88 characters.
            row.push(u8::try_from(checksum.len()).unwrap_or_default());
            row.extend_from_slice(checksum.as_bytes());
        }
        row
    }

    fn parse(row: &[u8]) -> Option<Self> {
        let rest = row.strip_prefix(&[FORM])?;
        let (number, rest) = rest.split_first_chunk()?;
        let (sequence, mut rest) = rest.split_first_chunk()?;
        let mut parts = Vec::with_capacity(rest.len() / 27);
        while !rest.is_empty() {
            let (number, after) = rest.split_first_chunk()?;
            let (bytes, after) = after.split_first_chunk()?;
            let (blob, after) = after.split_first_chunk()?;
            let (length, after) = after.split_first()?;
            let (checksum, after) = after.split_at_checked(usize::from(*length))?;
            parts.push(Part {
                number: u16::from_be_bytes(*number),
                bytes: u64::from_be_bytes(*bytes),
                checksum: (!checksum.is_empty()).then(|| String::from_utf8_lossy(checksum).into_owned()),
                blob: BlobId::from_bytes(*blob),
            });
            rest = after;
        }
        Some(Self { number: u64::from_be_bytes(*number), sequence: u64::from_be_bytes(*sequence), parts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_it_was_written_and_no_part_of_it_is() {
        let part = |number, checksum: Option<&str>| Part {
            number,
            bytes: u64::from(number) << 32,
            checksum: checksum.map(str::to_owned),
            blob: BlobId::from_bytes([u8::try_from(number).unwrap(); 16]),
        };
        let list = PartList { number: 5, sequence: 7, parts: vec![part(1, Some("AAAAAA==")), part(9, None)] };
        let row = list.write();
        let read = PartList::parse(&row).unwrap();
        assert_eq!((read.number, read.sequence, read.parts), (5, 7, list.parts));
        let ends = [17, 17 + 27 + 8, row.len()];
        for length in 0..row.len() {
            assert_eq!(PartList::parse(&row[..length]).is_some(), ends.contains(&length), "{length}");
        }
    }
}
