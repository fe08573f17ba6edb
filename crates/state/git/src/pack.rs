//! A pack that is open: its sections, read through the cache of chunks. Knows no other packs. Blocks.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use blobs::{Blob, BlobError, BlobId, Owner};
use git_object::{Kind, ObjectFormat, ObjectId};
use git_pack::{Index, PACK_HEADER_BYTES, ReadAt, ReadError, encode_pack_header};

use crate::GitError;
use crate::chunks::Chunks;
use crate::git::Inner;
use crate::objects::stored;
use crate::record::PackRecord;
use crate::summary::{Lists, Tables, kind_of};

/// The blobs of a pack, one behind the other.
struct Sections {
    blobs: Vec<Blob>,
    chunks: Chunks,
}

impl Sections {
    /// How long all of them are.
    fn bytes(&self) -> u64 {
        self.blobs.iter().map(Blob::plaintext_bytes).sum()
    }

    /// Fills `bytes` with the content of the blobs from `offset` on.
    fn fill(&self, mut offset: u64, mut bytes: &mut [u8]) -> Result<(), BlobError> {
        for blob in &self.blobs {
            let here = blob.plaintext_bytes().saturating_sub(offset).min(bytes.len() as u64);
            // Not more than there is room for.
            let (now, rest) = bytes.split_at_mut(here as usize);
            self.chunks.read_at(blob, offset, now)?;
            offset = (offset + here).saturating_sub(blob.plaintext_bytes());
            bytes = rest;
            if bytes.is_empty() {
                return Ok(());
            }
        }
        let blob = self.blobs.last().map(|blob| (blob.id(), blob.plaintext_bytes()));
        let Some((id, plaintext_bytes)) = blob else { return Ok(()) };
        Err(BlobError::OutOfRange { id, plaintext_bytes })
    }
}

impl ReadAt for Sections {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize, ReadError> {
        let room = self.bytes().saturating_sub(offset).min(into.len() as u64);
        let (into, _) = into.split_at_mut(room as usize);
        self.fill(offset, into)?;
        Ok(into.len())
    }
}

/// A pack whose blobs are open. The objects of a pack are numbered by row and by place: see `summary.rs`.
pub(crate) struct Pack {
    pub(crate) format: ObjectFormat,
    pub(crate) record: Arc<PackRecord>,
    key: BlobId,
    /// Says which key it was opened with.
    fingerprint: [u8; 32],
    sections: Arc<Sections>,
    tables: Tables,
    index: Index<Arc<Sections>>,
    lists: OnceLock<Lists>,
}

impl Pack {
    /// Opens a pack, or finds it among those that are open. `fingerprint` is of the owner's key.
    pub(crate) fn open(
        git: &Inner,
        format: ObjectFormat,
        owner: &Owner,
        fingerprint: &[u8; 32],
        record: &Arc<PackRecord>,
    ) -> Result<Arc<Self>, GitError> {
        let mut ids = Vec::with_capacity(record.blobs.len());
        for id in record.blob_ids() {
            ids.push(id.ok_or(GitError::damaged("a pack names no blob"))?);
        }
        let first = *ids.first().ok_or(GitError::damaged("a pack names no blob"))?;
        if let Some(known) = git.packs.get(&first)
            && crypto::constant_time_eq(&known.fingerprint, fingerprint)
        {
            return Ok(known);
        }
        let blobs = ids.iter().map(|id| git.blobs.blob_blocking(owner, id)).collect::<Result<Vec<_>, _>>()?;
        let pack = Arc::new(Self::over(format, Arc::clone(record), *fingerprint, blobs, git.chunks.clone())?);
        git.packs.insert(first, Arc::clone(&pack));
        Ok(pack)
    }

    fn over(
        format: ObjectFormat,
        record: Arc<PackRecord>,
        fingerprint: [u8; 32],
        blobs: Vec<Blob>,
        chunks: Chunks,
    ) -> Result<Self, GitError> {
        let tables = Tables::new(record.objects);
        let key = blobs.first().map(Blob::id).ok_or(GitError::damaged("a pack names no blob"))?;
        let sections = Arc::new(Sections { blobs, chunks });
        if sections.bytes() != record.entries_bytes + record.index_bytes + record.summary_bytes {
            return Err(GitError::damaged("a pack has not the length that it was written with"));
        }
        let (at, bytes) = (record.entries_bytes, record.index_bytes);
        let index = Index::open(Arc::clone(&sections), format, at, bytes).map_err(stored)?;
        if index.len() != record.objects {
            return Err(GitError::damaged("an index contradicts itself"));
        }
        Ok(Self { format, record, key, fingerprint, sections, tables, index, lists: OnceLock::new() })
    }

    /// The key of the pack in caches.
    pub(crate) fn key(&self) -> BlobId {
        self.key
    }

    /// How many objects there are.
    pub(crate) fn objects(&self) -> u32 {
        self.record.objects
    }

    /// Fills `bytes` with the pack file's content from `offset` on, which is behind its header.
    pub(crate) fn file_bytes(&self, offset: u64, bytes: &mut [u8]) -> Result<(), BlobError> {
        self.sections.fill(offset.saturating_sub(PACK_HEADER_BYTES as u64), bytes)
    }

    /// Fills `bytes` with the summary's content from `offset` on.
    pub(crate) fn summary_bytes(&self, offset: u64, bytes: &mut [u8]) -> Result<(), BlobError> {
        self.sections.fill(self.record.entries_bytes + self.record.index_bytes + offset, bytes)
    }

    fn number(&self, table: u64, place: u32) -> Result<u32, BlobError> {
        let mut bytes = [0; 4];
        self.summary_bytes(table + u64::from(place) * 4, &mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    /// The row of an object, if the pack has it.
    pub(crate) fn find(&self, id: &ObjectId) -> Result<Option<u32>, GitError> {
        self.index.find(id).map_err(stored)
    }

    /// The id of the object in a row.
    pub(crate) fn id(&self, row: u32) -> Result<ObjectId, GitError> {
        self.index.id(row).map_err(stored)
    }

    /// The place of the object in a row.
    pub(crate) fn place(&self, row: u32) -> Result<u32, BlobError> {
        self.number(self.tables.places, row)
    }

    /// The row of the object at a place.
    pub(crate) fn row(&self, place: u32) -> Result<u32, BlobError> {
        self.number(self.tables.rows, place)
    }

    /// Where the entry of the object at a place begins, in the pack file; behind the last, where all end.
    pub(crate) fn offset(&self, place: u32) -> Result<u64, BlobError> {
        if place >= self.objects() {
            return Ok(self.end());
        }
        let mut bytes = [0; 8];
        self.summary_bytes(self.tables.offsets + u64::from(place) * 8, &mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }

    /// The place of the object whose entry begins there, in the pack file.
    pub(crate) fn place_at(&self, offset: u64) -> Result<Option<u32>, BlobError> {
        let (mut low, mut high) = (0, self.objects());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.offset(middle)?.cmp(&offset) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Ok(Some(middle)),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    /// Where the entries end, in the pack file.
    pub(crate) fn end(&self) -> u64 {
        self.record.entries_bytes + PACK_HEADER_BYTES as u64
    }

    /// The kind of the object at a place.
    pub(crate) fn kind(&self, place: u32) -> Result<Kind, GitError> {
        let mut kind = [0; 1];
        self.summary_bytes(self.tables.kinds + u64::from(place), &mut kind)?;
        kind_of(kind[0]).ok_or(GitError::damaged("an object of a pack has no kind"))
    }

    /// The kinds of all objects, by place.
    pub(crate) fn kinds(&self) -> Result<Vec<u8>, BlobError> {
        let mut kinds = vec![0; self.objects() as usize];
        self.summary_bytes(self.tables.kinds, &mut kinds)?;
        Ok(kinds)
    }

    /// The lists of its summary.
    pub(crate) fn lists(&self) -> Result<&Lists, GitError> {
        if let Some(lists) = self.lists.get() {
            return Ok(lists);
        }
        let (objects, bytes) = (self.objects(), self.record.summary_bytes);
        let read = Lists::read(self.format, objects, bytes, |offset, bytes| self.summary_bytes(offset, bytes))?;
        let read = read.ok_or(GitError::damaged("a pack's summary contradicts itself"))?;
        Ok(self.lists.get_or_init(|| read))
    }

    /// The blobs that hold the bytes of the pack file from `start` to `end`, with the range of each.
    pub(crate) fn pieces(&self, start: u64, end: u64) -> Vec<(Blob, Range<u64>)> {
        let head = PACK_HEADER_BYTES as u64;
        let (start, end) = (start.saturating_sub(head), end.saturating_sub(head).min(self.record.entries_bytes));
        let (mut pieces, mut base) = (Vec::new(), 0);
        for blob in &self.sections.blobs {
            let bytes = blob.plaintext_bytes();
            let range = start.max(base) - base..end.clamp(base, base + bytes) - base;
            if range.start < range.end {
                pieces.push((blob.clone(), range));
            }
            base += bytes;
        }
        pieces
    }
}

/// As a pack file, without its trailer.
impl ReadAt for Pack {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize, ReadError> {
        let head = encode_pack_header(self.objects());
        if let Some(rest) = usize::try_from(offset).ok().and_then(|offset| head.get(offset..))
            && !rest.is_empty()
        {
            return rest.read_at(0, into);
        }
        let room = self.end().saturating_sub(offset).min(into.len() as u64);
        let (into, _) = into.split_at_mut(room as usize);
        self.sections.fill(offset - PACK_HEADER_BYTES as u64, into)?;
        Ok(into.len())
    }
}
