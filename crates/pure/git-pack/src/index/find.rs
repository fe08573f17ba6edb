//! Looks up ids and offsets in indexes that lie somewhere in pieces.

use std::cmp::Ordering;
use std::ops::Range;

use git_object::{ObjectFormat, ObjectId};

use super::{FAN_OUT_BYTES, INDEX_HEADER, LARGE, REVERSE_HEADER, REVERSE_HEADER_BYTES};
use crate::read::read_exact;
use crate::{PackError, ReadAt};

/// Ids that are read and compared at once.
const WINDOW: u32 = 48;

/// An index of version 2. The fan-out is in memory (1 KiB); all else is read when it is needed.
pub struct Index<R> {
    source: R,
    format: ObjectFormat,
    /// Where the index begins in its source, and where the table of large offsets ends.
    at: u64,
    fan_out: Box<[u32; 256]>,
    large: u64,
}

impl<R: ReadAt> Index<R> {
    /// Opens the index of `bytes` bytes that begins at `at` in the source. Its checksum is not looked at.
    ///
    /// # Errors
    /// [`PackError::Index`] when header, fan-out and length contradict each other; [`PackError::Read`].
    pub fn open(source: R, format: ObjectFormat, at: u64, bytes: u64) -> Result<Self, PackError> {
        let mut header = [0; INDEX_HEADER.len() + FAN_OUT_BYTES as usize];
        read_exact(&source, at, &mut header)?;
        let (start, counts) = header.split_at(INDEX_HEADER.len());
        if start != INDEX_HEADER {
            return Err(PackError::Index { what: "signature or version" });
        }
        let (mut fan_out, mut before) = (Box::new([0; 256]), 0);
        for (place, count) in fan_out.iter_mut().zip(counts.chunks_exact(4)) {
            *place = u32::from_be_bytes(count.try_into().unwrap_or_default());
            if *place < before {
                return Err(PackError::Index { what: "fan-out" });
            }
            before = *place;
        }
        let (objects, id) = (u64::from(before), format.id_bytes() as u64);
        let fixed = header.len() as u64 + objects * (id + 8) + 2 * id;
        let large = bytes.checked_sub(fixed).filter(|large| large % 8 == 0 && large / 8 <= objects);
        let large = large.ok_or(PackError::Index { what: "length" })? / 8;
        Ok(Self { source, format, at, fan_out, large })
    }

    /// The number of objects.
    #[must_use]
    pub fn len(&self) -> u32 {
        let [.., objects] = *self.fan_out;
        objects
    }

    /// Whether there are no objects.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The format of the ids.
    #[must_use]
    pub fn format(&self) -> ObjectFormat {
        self.format
    }

    /// The place of an id among all.
    ///
    /// # Errors
    /// [`PackError::Read`], [`PackError::Truncated`].
    pub fn find(&self, id: &ObjectId) -> Result<Option<u32>, PackError> {
        let (mut range, target) = (self.bucket(id.as_bytes().first().copied().unwrap_or_default()), id.as_bytes());
        let mut guess = guess(target, &range);
        let mut ids = Vec::new();
        while !range.is_empty() {
            // Ids are even distributed: the first window has the id as a rule, wherever it is.
            let from = guess.saturating_sub(WINDOW / 2).clamp(range.start, range.end - 1);
            let to = range.end.min(from + WINDOW);
            self.ids(from..to, &mut ids)?;
            let (mut low, mut high) = (from, to);
            while low < high {
                let middle = low + (high - low) / 2;
                match self.window(&ids, middle - from).cmp(target) {
                    Ordering::Equal => return Ok(Some(middle)),
                    Ordering::Less => low = middle + 1,
                    Ordering::Greater => high = middle,
                }
            }
            if low > from && low < to {
                return Ok(None);
            }
            range = if low == from { range.start..from } else { to..range.end };
            guess = range.start + (range.end - range.start) / 2;
        }
        Ok(None)
    }

    /// The places of all ids that begin with these hexadecimal digits, given as bytes of 0 to 15.
    ///
    /// # Errors
    /// [`PackError::Read`], [`PackError::Truncated`].
    pub fn prefix(&self, digits: &[u8]) -> Result<Range<u32>, PackError> {
        // The least and the greatest id with that prefix.
        let bound = |rest: u8| {
            let mut bytes = vec![rest << 4 | rest; self.format.id_bytes()];
            for (at, digit) in digits.iter().enumerate().take(2 * bytes.len()) {
                if let Some(byte) = bytes.get_mut(at / 2) {
                    *byte = if at % 2 == 0 { digit << 4 | *byte & 15 } else { *byte & 0xf0 | digit & 15 };
                }
            }
            bytes
        };
        if digits.len() > 2 * self.format.id_bytes() {
            return Ok(0..0);
        }
        let (first, last) = (bound(0), bound(15));
        let start = self.partition(&first, |id, first| id < first)?;
        let end = self.partition(&last, |id, last| id <= last)?;
        Ok(start..end.max(start))
    }

    /// The first place whose id is not `before` the bound.
    fn partition(&self, bound: &[u8], before: impl Fn(&[u8], &[u8]) -> bool) -> Result<u32, PackError> {
        let (mut range, mut id) = (self.bucket(bound.first().copied().unwrap_or_default()), Vec::new());
        while !range.is_empty() {
            let middle = range.start + (range.end - range.start) / 2;
            self.ids(middle..middle + 1, &mut id)?;
            range = if before(&id, bound) { middle + 1..range.end } else { range.start..middle };
        }
        Ok(range.start)
    }

    /// The id at a place.
    ///
    /// # Errors
    /// [`PackError::Index`] for a place that does not exist; [`PackError::Read`], [`PackError::Truncated`].
    pub fn id(&self, position: u32) -> Result<ObjectId, PackError> {
        self.check(position)?;
        let mut id = [0; 32];
        let id = id.get_mut(..self.format.id_bytes()).unwrap_or_default();
        read_exact(&self.source, self.ids_at(position), id)?;
        ObjectId::from_bytes(self.format, id).map_err(|_| PackError::Index { what: "id" })
    }

    /// The CRC-32 of the entry of the object at a place.
    ///
    /// # Errors
    /// As [`Index::id`].
    pub fn crc32(&self, position: u32) -> Result<u32, PackError> {
        self.check(position)?;
        self.word(self.ids_at(self.len()) + 4 * u64::from(position))
    }

    /// Where the entry of the object at a place begins in the pack.
    ///
    /// # Errors
    /// As [`Index::id`].
    pub fn offset(&self, position: u32) -> Result<u64, PackError> {
        self.check(position)?;
        let (crcs, objects) = (self.ids_at(self.len()), u64::from(self.len()));
        let word = u64::from(self.word(crcs + 4 * (objects + u64::from(position)))?);
        if word < LARGE {
            return Ok(word);
        }
        let large = word - LARGE;
        if large >= self.large {
            return Err(PackError::Index { what: "large offset" });
        }
        let mut bytes = [0; 8];
        read_exact(&self.source, crcs + 8 * (objects + large), &mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }

    /// The checksum of the pack.
    ///
    /// # Errors
    /// As [`Index::id`].
    pub fn pack_checksum(&self) -> Result<ObjectId, PackError> {
        let mut bytes = [0; 32];
        let bytes = bytes.get_mut(..self.format.id_bytes()).unwrap_or_default();
        let objects = u64::from(self.len());
        read_exact(&self.source, self.ids_at(self.len()) + 8 * (objects + self.large), bytes)?;
        ObjectId::from_bytes(self.format, bytes).map_err(|_| PackError::Index { what: "checksum" })
    }

    fn check(&self, position: u32) -> Result<(), PackError> {
        if position < self.len() { Ok(()) } else { Err(PackError::Index { what: "place" }) }
    }

    fn word(&self, at: u64) -> Result<u32, PackError> {
        let mut bytes = [0; 4];
        read_exact(&self.source, at, &mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn bucket(&self, first: u8) -> Range<u32> {
        let end = |byte: usize| self.fan_out.get(byte).copied().unwrap_or_default();
        let start = usize::from(first).checked_sub(1).map_or(0, end);
        start..end(usize::from(first))
    }

    fn ids_at(&self, position: u32) -> u64 {
        let header = INDEX_HEADER.len() as u64 + FAN_OUT_BYTES;
        self.at + header + u64::from(position) * self.format.id_bytes() as u64
    }

    fn ids(&self, range: Range<u32>, into: &mut Vec<u8>) -> Result<(), PackError> {
        into.resize(range.len() * self.format.id_bytes(), 0);
        read_exact(&self.source, self.ids_at(range.start), into)
    }

    fn window<'a>(&self, ids: &'a [u8], place: u32) -> &'a [u8] {
        let id = self.format.id_bytes();
        ids.get(place as usize * id..).and_then(|rest| rest.get(..id)).unwrap_or_default()
    }
}

/// Where an id would be in its bucket if all ids had the same distance.
fn guess(id: &[u8], bucket: &Range<u32>) -> u32 {
    let after = id.get(1..5).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes);
    let length = u64::from(bucket.end - bucket.start);
    bucket.start + ((length * u64::from(after)) >> 32) as u32
}

/// A reverse index: the objects of a pack in the order of their entries. Nothing of it is in memory.
pub struct Reverse<R> {
    source: R,
    at: u64,
    objects: u32,
}

impl<R: ReadAt> Reverse<R> {
    /// Opens the reverse index of `bytes` bytes that begins at `at` in the source.
    ///
    /// # Errors
    /// [`PackError::Index`] when header and length contradict each other; [`PackError::Read`].
    pub fn open(source: R, format: ObjectFormat, at: u64, bytes: u64) -> Result<Self, PackError> {
        let mut header = [0; REVERSE_HEADER.len()];
        read_exact(&source, at, &mut header)?;
        if header != REVERSE_HEADER {
            return Err(PackError::Index { what: "signature or version" });
        }
        let fixed = REVERSE_HEADER_BYTES + 2 * format.id_bytes() as u64;
        let objects = bytes.checked_sub(fixed).filter(|table| table % 4 == 0).map(|table| table / 4);
        let objects = objects.and_then(|objects| u32::try_from(objects).ok());
        Ok(Self { source, at, objects: objects.ok_or(PackError::Index { what: "length" })? })
    }

    /// The number of objects.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.objects
    }

    /// Whether there are no objects.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects == 0
    }

    /// The place in the index of an object, by its number in the order of the pack.
    ///
    /// # Errors
    /// [`PackError::Index`] for a number that does not exist; [`PackError::Read`], [`PackError::Truncated`].
    pub fn position(&self, entry: u32) -> Result<u32, PackError> {
        if entry >= self.objects {
            return Err(PackError::Index { what: "place" });
        }
        let mut bytes = [0; 4];
        read_exact(&self.source, self.at + REVERSE_HEADER_BYTES + 4 * u64::from(entry), &mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    /// The number of the entry that begins at `offset`, in the order of the pack.
    ///
    /// # Errors
    /// Those of [`Reverse::position`] and [`Index::offset`].
    pub fn find<I: ReadAt>(&self, index: &Index<I>, offset: u64) -> Result<Option<u32>, PackError> {
        let mut range = 0..self.objects;
        while !range.is_empty() {
            let middle = range.start + (range.end - range.start) / 2;
            match index.offset(self.position(middle)?)?.cmp(&offset) {
                Ordering::Equal => return Ok(Some(middle)),
                Ordering::Less => range.start = middle + 1,
                Ordering::Greater => range.end = middle,
            }
        }
        Ok(None)
    }

    /// Where the entry that begins at `offset` ends, in a pack whose entries end at `pack_end`.
    ///
    /// # Errors
    /// Those of [`Reverse::find`]; [`PackError::Index`] when no entry begins there.
    pub fn entry_end<I: ReadAt>(&self, index: &Index<I>, offset: u64, pack_end: u64) -> Result<u64, PackError> {
        let entry = self.find(index, offset)?.ok_or(PackError::Index { what: "offset" })?;
        match entry.checked_add(1).filter(|next| *next < self.objects) {
            Some(next) => index.offset(self.position(next)?),
            None => Ok(pack_end),
        }
    }
}
