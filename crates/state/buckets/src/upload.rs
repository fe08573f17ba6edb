//! Uploads in parts: begun, filled, listed, completed or aborted in transactions of the caller. Knows no contents but their places.

use std::ops::Bound;

use blobs::{BlobId, Reference};
use serde::{Deserialize, Serialize};
use store::{Indexed, ReadTx, Tx};

use crate::content::{NewContent, Placed};
use crate::entry::{ChecksumKind, EntryVersion};
use crate::garbage::Garbage;
use crate::list::{Walked, walk};
use crate::parts::{Part, PartList};
use crate::version::{Details, Place, Version};
use crate::{Bucket, BucketsError, Condition, Found, Put, SERVICE, row, version_id};

/// The most parts that an upload has; their numbers begin with 1.
pub const PARTS_MAX: u16 = 10_000;

/// The least that a part has which is not the last, in bytes.
pub const PART_BYTES_MIN: u64 = 5 << 20;

/// A key to which uploads are under way. The index's key is the object's.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct UploadKey {
    /// The sequence number of the first, by which the uploads are found.
    #[serde(rename = "n")]
    pub(crate) number: u64,
    /// How many there are.
    #[serde(rename = "c")]
    pub(crate) count: u64,
}

impl Indexed for UploadKey {
    const NAME: &'static str = "bucket.upload-key";
}

/// An upload as listings show it. The index's key is `number u64 ‖ sequence u64`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadEntry {
    /// Its number in the bucket: later ones are larger.
    #[serde(rename = "s")]
    pub sequence: u64,
    /// Its id.
    #[serde(rename = "i")]
    pub upload_id: String,
    /// When it began, in milliseconds since 1970.
    #[serde(rename = "m")]
    pub started_ms: u64,
    /// The storage class; `None` for `STANDARD`.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// The kind of checksum that the object is to have.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<ChecksumKind>,
}

impl Indexed for UploadEntry {
    const NAME: &'static str = "bucket.upload";
}

/// A part of an upload. The index's key is `upload's sequence u64 ‖ part number u16`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartEntry {
    #[serde(rename = "b")]
    bytes: u64,
    #[serde(rename = "e")]
    etag: String,
    #[serde(rename = "m")]
    modified_ms: u64,
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    checksum: Option<String>,
    #[serde(rename = "i")]
    pub(crate) blob: String,
}

impl Indexed for PartEntry {
    const NAME: &'static str = "bucket.part";
}

/// A part of an upload that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadPart {
    /// Its number, from 1 on.
    pub number: u16,
    /// The length of its content in bytes.
    pub bytes: u64,
    /// Its entity tag, without quotes.
    pub etag: String,
    /// When it was written, in milliseconds since 1970.
    pub modified_ms: u64,
    /// Its checksum as answers have it, if it has one.
    pub checksum: Option<String>,
    blob: BlobId,
}

/// The row of an upload.
#[derive(Serialize, Deserialize)]
pub(crate) struct UploadRow {
    #[serde(rename = "k")]
    pub(crate) key: String,
    #[serde(rename = "d")]
    pub(crate) details: Details,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    checksum: Option<ChecksumKind>,
    /// The newest version of the key when the upload began.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    current: Option<u64>,
}

/// An upload that was found.
#[derive(Clone, Debug)]
pub struct Upload {
    /// As listings show it.
    pub entry: UploadEntry,
    /// The details that the version is to have, with an empty entity tag and no checksum yet.
    pub details: Details,
    number: u64,
    current: Option<u64>,
}

/// A page of uploads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedUploads {
    /// Keys and uploads, or groups of keys, in order.
    pub items: Vec<Walked<UploadEntry>>,
    /// Whether there are more.
    pub more: bool,
}

impl UploadRow {
    pub(crate) fn find(tx: &ReadTx<'_>, bucket: &Bucket, sequence: u64) -> Result<Option<Self>, BucketsError> {
        let found = tx.get_bytes(row::UPLOADS, &bucket.to_string(), &sequence.to_string())?;
        found.map(|json| row::from_json(json.expose())).transpose()
    }
}

fn upload_key(number: u64, sequence: u64) -> [u8; 16] {
    (u128::from(number) << 64 | u128::from(sequence)).to_be_bytes()
}

fn part_key(sequence: u64, number: u16) -> Vec<u8> {
    [&sequence.to_be_bytes()[..], &number.to_be_bytes()].concat()
}

fn read_part(key: &[u8], entry: PartEntry) -> Result<UploadPart, BucketsError> {
    let damaged = || BucketsError::damaged("a part of an upload cannot be read");
    let number = key.last_chunk().ok_or_else(damaged)?;
    let PartEntry { bytes, etag, modified_ms, checksum, blob } = entry;
    let blob = BlobId::parse(&blob).ok_or_else(damaged)?;
    Ok(UploadPart { number: u16::from_be_bytes(*number), bytes, etag, modified_ms, checksum, blob })
}

impl Bucket {
    /// Begins an upload of a version that is to have `details`, and a checksum of the kind `checksum` if the caller chose one.
    /// Yields the upload's id.
    ///
    /// # Errors
    /// [`BucketsError::KeyLength`]; those of writing.
    pub fn begin_upload(
        &self,
        tx: &mut Tx<'_>,
        key: &str,
        details: Details,
        checksum: Option<ChecksumKind>,
        now_ms: u64,
    ) -> Result<String, BucketsError> {
        let current = self.entry(tx, key)?.map(|entry| entry.current.sequence);
        let sequence = self.next_sequence(tx)?;
        let upload_id = version_id::generate(sequence);
        let storage_class = details.storage_class.clone();
        let entry = UploadEntry {
            sequence,
            upload_id: upload_id.clone(),
            started_ms: now_ms,
            storage_class,
            checksum: checksum.clone(),
        };
        let row = UploadRow { key: key.to_owned(), details, checksum, current };
        let name = self.to_string();
        tx.put_bytes(row::UPLOADS, &name, &sequence.to_string(), &row::to_json(&row)?)?;
        let mut keys = tx.index_mut::<UploadKey>(&name);
        let mut of_key = keys.get(key.as_bytes())?.unwrap_or(UploadKey { number: sequence, count: 0 });
        of_key.count += 1;
        keys.put(key.as_bytes(), &of_key)?;
        tx.index_mut(&name).insert(&upload_key(of_key.number, sequence), &entry)?;
        Ok(upload_id)
    }

    /// The upload of this key and id.
    ///
    /// # Errors
    /// [`BucketsError::NoSuchUpload`]; those of reading.
    pub fn upload(&self, tx: &ReadTx<'_>, key: &str, upload_id: &str) -> Result<Upload, BucketsError> {
        let (number, entry) = self.find_upload(tx, key, upload_id)?;
        let row = UploadRow::find(tx, self, entry.sequence)?.ok_or(BucketsError::damaged("an upload has no row"))?;
        Ok(Upload { entry, details: row.details, number, current: row.current })
    }

    /// Puts a part, in the place of one of the same number. Hold `content` until the transaction is durable, as for
    /// [`put`](Self::put).
    ///
    /// # Errors
    /// [`BucketsError::NoSuchUpload`]; [`BucketsError::InvalidPart`] for a number that no part has; those of writing.
    pub fn put_part(
        &self,
        tx: &mut Tx<'_>,
        (key, upload_id): (&str, &str),
        number: u16,
        (content, checksum): (&NewContent, Option<String>),
        now_ms: u64,
    ) -> Result<(), BucketsError> {
        let (_, UploadEntry { sequence, .. }) = self.find_upload(tx, key, upload_id)?;
        let Placed::Blob(written) = &content.placed else { return Err(BucketsError::InvalidPart { number }) };
        if !(1..=PARTS_MAX).contains(&number) {
            return Err(BucketsError::InvalidPart { number });
        }
        let entry = PartEntry {
            bytes: content.bytes,
            etag: content.etag.clone(),
            modified_ms: now_ms,
            checksum,
            blob: written.id.to_string(),
        };
        Reference::insert(tx, written, SERVICE, &row::upload_owner(self, sequence))?;
        let mut parts = tx.index_mut::<PartEntry>(&self.to_string());
        let place = part_key(sequence, number);
        let replaced = parts.get(&place)?;
        parts.put(&place, &entry)?;
        if let Some(id) = replaced.and_then(|replaced| BlobId::parse(&replaced.blob)) {
            Reference::remove(tx, &id)?;
        }
        Ok(())
    }

    /// At most `limit` parts of an upload with numbers above `after`, and whether there are more.
    ///
    /// # Errors
    /// Those of reading.
    pub fn upload_parts(
        &self,
        tx: &ReadTx<'_>,
        upload: &UploadEntry,
        after: u16,
        limit: usize,
    ) -> Result<(Vec<UploadPart>, bool), BucketsError> {
        let index = tx.index::<PartEntry>(&self.to_string())?;
        let after = part_key(upload.sequence, after);
        let page = index.range(&upload.sequence.to_be_bytes(), Bound::Excluded(&after), limit)?;
        let parts = page.items.into_iter().map(|(key, entry)| read_part(&key, entry)).collect::<Result<_, _>>()?;
        Ok((parts, page.more))
    }

    /// Completes an upload: a version with the content of the `chosen` parts, as [`upload_parts`](Self::upload_parts) yielded
    /// them, becomes the newest of its key. Other parts of the upload go. The version's parts have their checksums if the caller chose
    /// one for the upload.
    ///
    /// # Errors
    /// [`BucketsError::NoSuchUpload`]; [`BucketsError::InvalidPart`] for no part, and for one that was replaced meanwhile;
    /// [`BucketsError::InvalidPartOrder`], [`BucketsError::PartTooSmall`]; those of [`put`](Self::put), and
    /// [`BucketsError::Conflict`] when there is a condition and the object changed since the upload began.
    pub fn complete_upload(
        &self,
        tx: &mut Tx<'_>,
        (key, upload_id): (&str, &str),
        chosen: &[UploadPart],
        details: Details,
        put: &Put,
    ) -> Result<EntryVersion, BucketsError> {
        let Upload { entry: UploadEntry { sequence: upload, checksum: kind, .. }, number: of_key, current, .. } =
            self.upload(tx, key, upload_id)?;
        check_order(chosen)?;
        let found = self.entry(tx, key)?;
        put.condition.check(found.as_ref())?;
        if put.condition != Condition::None && found.as_ref().map(|found| found.current.sequence) != current {
            return Err(BucketsError::Conflict);
        }
        let name = self.to_string();
        let mut rest = chosen.iter().peekable();
        for (place, entry) in
            tx.index::<PartEntry>(&name)?.range(&upload.to_be_bytes(), Bound::Unbounded, usize::MAX)?.items
        {
            let part = read_part(&place, entry)?;
            if rest.next_if(|next| **next == part).is_none() {
                Reference::remove(tx, &part.blob)?;
            }
            tx.index_mut::<PartEntry>(&name).remove(&place)?;
        }
        if let Some(missing) = rest.next() {
            return Err(BucketsError::InvalidPart { number: missing.number });
        }
        self.forget_upload(tx, key, of_key, upload)?;
        let sequence = self.next_sequence(tx)?;
        let number = found.as_ref().map_or(sequence, |found| found.number);
        let part = |part: &UploadPart| Part {
            number: part.number,
            bytes: part.bytes,
            checksum: part.checksum.clone().filter(|_| kind.is_some()),
            blob: part.blob,
        };
        PartList { number, sequence, parts: chosen.iter().map(part).collect() }.put(tx, self, upload)?;
        let version = Version {
            details,
            bytes: chosen.iter().map(|part| part.bytes).sum(),
            modified_ms: put.now_ms,
            parts: u32::try_from(chosen.len()).ok(),
            upload_id: Some(upload_id.to_owned()),
            place: Place::Parts(upload),
        };
        self.add(tx, key, found, sequence, &version, &[], put.versioning)
    }

    /// The newest version of a key, if it came from this upload: for who completes an upload again.
    ///
    /// # Errors
    /// Those of reading.
    pub fn completed(&self, tx: &ReadTx<'_>, key: &str, upload_id: &str) -> Result<Option<Found>, BucketsError> {
        match self.find(tx, key, None) {
            Ok(found) => Ok(Some(found).filter(|found| {
                let stored = found.stored.as_ref();
                stored.is_some_and(|stored| stored.version.upload_id.as_deref() == Some(upload_id))
            })),
            Err(BucketsError::NoSuchKey) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Aborts an upload. Its parts go some time later.
    ///
    /// # Errors
    /// [`BucketsError::NoSuchUpload`]; those of writing.
    pub fn abort_upload(&self, tx: &mut Tx<'_>, key: &str, upload_id: &str) -> Result<(), BucketsError> {
        let (number, entry) = self.find_upload(tx, key, upload_id)?;
        self.forget_upload(tx, key, number, entry.sequence)?;
        Garbage::Upload(entry.sequence).insert(tx, self)
    }

    /// At most `limit` uploads whose keys begin with `prefix`, by key and then by their beginning, after the key `after` or after
    /// one of its uploads. Keys that go on with `delimiter` after the prefix are grouped.
    ///
    /// # Errors
    /// Those of reading. An upload id that is none is as one that every upload comes after.
    pub fn uploads(
        &self,
        tx: &ReadTx<'_>,
        (prefix, delimiter): (&str, &str),
        after: Option<(&str, Option<&str>)>,
        limit: usize,
    ) -> Result<ListedUploads, BucketsError> {
        let name = self.to_string();
        let keys = tx.index::<UploadKey>(&name)?;
        let uploads = tx.index::<UploadEntry>(&name)?;
        let (after_key, after_upload) = after.map_or((None, None), |(key, upload)| (Some(key), upload));
        let mut items = Vec::new();
        let more = walk(&keys, (prefix, delimiter), after_key, after_upload.is_some(), |item: Walked<UploadKey>| {
            let (key, of_key) = match item {
                Walked::Group(_) if items.len() >= limit => return Ok(false),
                Walked::Group(group) => {
                    items.push(Walked::Group(group));
                    return Ok(true);
                }
                Walked::Key(key, of_key) => (key, of_key),
            };
            let mut entries = uploads.iter(&of_key.number.to_be_bytes())?;
            if let Some(id) = after_upload.filter(|_| after_key == Some(&key)) {
                let last = version_id::sequence(id).unwrap_or_default();
                entries.seek(&upload_key(of_key.number, last.saturating_add(1)))?;
            }
            while let Some((_, entry)) = entries.next()? {
                if items.len() >= limit {
                    return Ok(false);
                }
                items.push(Walked::Key(key.clone(), entry));
            }
            Ok(true)
        })?;
        Ok(ListedUploads { items, more })
    }

    /// The first `limit` uploads, each with its key's number.
    pub(crate) fn upload_entries(
        &self,
        tx: &ReadTx<'_>,
        limit: usize,
    ) -> Result<Vec<(u64, UploadEntry)>, BucketsError> {
        let page = tx.index::<UploadEntry>(&self.to_string())?.range(&[], Bound::Unbounded, limit)?;
        let number = |key: Vec<u8>| key.first_chunk().map_or(0, |number| u64::from_be_bytes(*number));
        Ok(page.items.into_iter().map(|(key, entry)| (number(key), entry)).collect())
    }

    /// Removes an upload, but not its parts.
    pub(crate) fn forget_upload(
        &self,
        tx: &mut Tx<'_>,
        key: &str,
        number: u64,
        sequence: u64,
    ) -> Result<(), BucketsError> {
        let name = self.to_string();
        tx.remove_bytes(row::UPLOADS, &name, &sequence.to_string())?;
        tx.index_mut::<UploadEntry>(&name).remove(&upload_key(number, sequence))?;
        let mut keys = tx.index_mut::<UploadKey>(&name);
        match keys.get(key.as_bytes())? {
            Some(UploadKey { number, count }) if count > 1 => {
                keys.put(key.as_bytes(), &UploadKey { number, count: count - 1 })?;
            }
            Some(_) => {
                keys.remove(key.as_bytes())?;
            }
            None => {}
        }
        Ok(())
    }

    fn find_upload(&self, tx: &ReadTx<'_>, key: &str, upload_id: &str) -> Result<(u64, UploadEntry), BucketsError> {
        let sequence = version_id::sequence(upload_id).map_err(|_| BucketsError::NoSuchUpload)?;
        let name = self.to_string();
        let of_key = tx.index::<UploadKey>(&name)?.get(key.as_bytes())?.ok_or(BucketsError::NoSuchUpload)?;
        let found = tx.index::<UploadEntry>(&name)?.get(&upload_key(of_key.number, sequence))?;
        let entry = found.filter(|entry| entry.upload_id == upload_id).ok_or(BucketsError::NoSuchUpload)?;
        Ok((of_key.number, entry))
    }
}

/// Refuses parts that are none, out of order, or too small to be followed by another.
fn check_order(chosen: &[UploadPart]) -> Result<(), BucketsError> {
    let Some((last, others)) = chosen.split_last() else { return Err(BucketsError::InvalidPart { number: 0 }) };
    let numbers = chosen.iter().map(|part| part.number);
    if !numbers.is_sorted_by(|one, next| one < next) {
        return Err(BucketsError::InvalidPartOrder);
    }
    match others.iter().find(|part| part.bytes < PART_BYTES_MIN && part.number != last.number) {
        Some(part) => Err(BucketsError::PartTooSmall { number: part.number, bytes: part.bytes }),
        None => Ok(()),
    }
}
