//! The table of a pack's entries: where each is, what it is, whose delta it is. Holds no object.
//!
//! Compact, as there may be millions: 17 bytes an entry, and its id.

use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use git_object::{Kind, ObjectFormat, ObjectId};

use crate::EntryKind;

/// Bits of a form. The lowest two are the kind, once it is known.
const KIND: u8 = 0b11;
const DELTA: u8 = 0b100;
const KNOWN: u8 = 0b1000;

/// The number of no entry.
pub(crate) const NONE: u32 = u32::MAX;

/// The entries of a pack, in the order of their offsets.
///
/// Ids and kinds of deltas become known when they are resolved, by several threads at once.
pub struct Table {
    format: ObjectFormat,
    offsets: Vec<u64>,
    crcs: Vec<u32>,
    forms: Vec<AtomicU8>,
    /// Deltas' bases: numbers of entries, or from `len` on of bases outside of the pack.
    bases: Vec<AtomicU32>,
    /// Ids, each as 5 or 8 words.
    words: Vec<AtomicU32>,
    /// Deltas whose base is named by its id.
    pub(crate) references: Vec<(ObjectId, u32)>,
    end: u64,
}

fn kind_of(form: u8) -> Kind {
    match form & KIND {
        0 => Kind::Commit,
        1 => Kind::Tree,
        2 => Kind::Blob,
        _ => Kind::Tag,
    }
}

fn form_of(kind: Kind) -> u8 {
    match kind {
        Kind::Commit => 0,
        Kind::Tree => 1,
        Kind::Blob => 2,
        Kind::Tag => 3,
    }
}

impl Table {
    /// A table of no entries.
    #[must_use]
    pub fn new(format: ObjectFormat) -> Self {
        Self {
            format,
            offsets: Vec::new(),
            crcs: Vec::new(),
            forms: Vec::new(),
            bases: Vec::new(),
            words: Vec::new(),
            references: Vec::new(),
            end: crate::PACK_HEADER_BYTES as u64,
        }
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> u32 {
        // No pack has more than 2³² - 1: its header could not say so.
        self.offsets.len() as u32
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// The format of the ids.
    #[must_use]
    pub fn format(&self) -> ObjectFormat {
        self.format
    }

    /// Where the last entry ends: the place of the trailer.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Where an entry begins.
    #[must_use]
    pub fn offset(&self, entry: u32) -> u64 {
        self.offsets.get(entry as usize).copied().unwrap_or(self.end)
    }

    /// Where an entry ends.
    #[must_use]
    pub fn entry_end(&self, entry: u32) -> u64 {
        self.offset(entry.saturating_add(1))
    }

    /// The CRC-32 of an entry's packed bytes, its header among them.
    #[must_use]
    pub fn crc32(&self, entry: u32) -> u32 {
        self.crcs.get(entry as usize).copied().unwrap_or_default()
    }

    /// Whether an entry is a delta.
    #[must_use]
    pub fn is_delta(&self, entry: u32) -> bool {
        self.form(entry) & DELTA != 0
    }

    /// The kind of an entry's object; `None` for a delta that is not resolved.
    #[must_use]
    pub fn kind(&self, entry: u32) -> Option<Kind> {
        let form = self.form(entry);
        (form & KNOWN != 0).then(|| kind_of(form))
    }

    /// The id of an entry's object; `None` for a delta that is not resolved.
    #[must_use]
    pub fn id(&self, entry: u32) -> Option<ObjectId> {
        self.kind(entry)?;
        let mut bytes = [0; 32];
        for (to, word) in bytes.chunks_exact_mut(4).zip(self.words(entry)?) {
            to.copy_from_slice(&word.load(Ordering::Relaxed).to_ne_bytes());
        }
        ObjectId::from_bytes(self.format, bytes.get(..self.format.id_bytes())?).ok()
    }

    /// The entry that begins at `offset`.
    #[must_use]
    pub fn at(&self, offset: u64) -> Option<u32> {
        self.offsets.binary_search(&offset).ok().map(|entry| entry as u32)
    }

    /// The numbers of the entries in the order of their ids, as an index has them. Two entries of one id stay in the
    /// order of their offsets.
    #[must_use]
    pub fn by_id(&self) -> Vec<u32> {
        let word = |word: &AtomicU32| u32::from_be(word.load(Ordering::Relaxed));
        let words = |entry: u32| self.words(entry).unwrap_or_default().iter().map(word);
        // The first 8 bytes are beside each other: few ids have those in common.
        let first = |entry: u32| words(entry).take(2).fold(0, |first, word| first << 32 | u64::from(word));
        let mut order: Vec<(u64, u32)> = (0..self.len()).map(|entry| (first(entry), entry)).collect();
        order.sort_unstable_by(|(one, entry), (other, other_entry)| {
            let rest = || words(*entry).cmp(words(*other_entry)).then(entry.cmp(other_entry));
            one.cmp(other).then_with(rest)
        });
        order.into_iter().map(|(_, entry)| entry).collect()
    }

    /// Adds a whole object behind the last entry, as the bases of a thin pack are. `end` is where it ends.
    pub fn append(&mut self, id: &ObjectId, kind: Kind, crc32: u32, end: u64) {
        self.offsets.push(self.end);
        self.crcs.push(crc32);
        self.forms.push(AtomicU8::new(0));
        self.bases.push(AtomicU32::new(NONE));
        self.words.extend(std::iter::repeat_with(|| AtomicU32::new(0)).take(self.format.id_bytes() / 4));
        self.end = end;
        self.settle(self.len() - 1, kind, id);
    }

    /// Adds an entry that was scanned; `id` is that of a whole object, `base` the entry of an offset delta's base.
    pub(crate) fn push(&mut self, kind: EntryKind, id: Option<&ObjectId>, base: u32, crc32: u32, end: u64) {
        let entry = self.len();
        match (kind, id) {
            (EntryKind::Object(kind), Some(id)) => return self.append(id, kind, crc32, end),
            (EntryKind::ReferenceDelta { base }, _) => self.references.push((base, entry)),
            _ => {}
        }
        self.offsets.push(self.end);
        self.crcs.push(crc32);
        self.forms.push(AtomicU8::new(DELTA));
        self.bases.push(AtomicU32::new(base));
        self.words.extend(std::iter::repeat_with(|| AtomicU32::new(0)).take(self.format.id_bytes() / 4));
        self.end = end;
    }

    /// The base of a delta, once it is known: the number of an entry, or of a base outside from `len` on.
    pub(crate) fn base(&self, entry: u32) -> Option<u32> {
        let base = self.bases.get(entry as usize)?.load(Ordering::Relaxed);
        (base != NONE).then_some(base)
    }

    pub(crate) fn set_base(&self, entry: u32, base: u32) {
        if let Some(place) = self.bases.get(entry as usize) {
            place.store(base, Ordering::Relaxed);
        }
    }

    /// Notes what an entry's object is.
    pub(crate) fn settle(&self, entry: u32, kind: Kind, id: &ObjectId) {
        for (word, bytes) in self.words(entry).unwrap_or_default().iter().zip(id.as_bytes().chunks_exact(4)) {
            word.store(u32::from_ne_bytes(bytes.try_into().unwrap_or_default()), Ordering::Relaxed);
        }
        if let Some(form) = self.forms.get(entry as usize) {
            form.fetch_or(KNOWN | form_of(kind), Ordering::Relaxed);
        }
    }

    fn form(&self, entry: u32) -> u8 {
        self.forms.get(entry as usize).map_or(0, |form| form.load(Ordering::Relaxed))
    }

    fn words(&self, entry: u32) -> Option<&[AtomicU32]> {
        let words = self.format.id_bytes() / 4;
        self.words.get(entry as usize * words..)?.get(..words)
    }
}
