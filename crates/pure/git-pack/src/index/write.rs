//! Writes indexes and reverse indexes, byte for byte as git does.

use git_object::{Checksum, ObjectFormat, ObjectId};

use super::{FAN_OUT_BYTES, INDEX_HEADER, LARGE, REVERSE_HEADER, REVERSE_HEADER_BYTES};
use crate::Table;

/// Pieces are at least so long, but for the last one.
const PIECE_BYTES: usize = 64 << 10;

/// Gathers small values into pieces, and hashes them.
struct Out<'a, E> {
    piece: Vec<u8>,
    checksum: Checksum,
    each: &'a mut dyn FnMut(&[u8]) -> Result<(), E>,
}

impl<'a, E> Out<'a, E> {
    fn new(format: ObjectFormat, each: &'a mut dyn FnMut(&[u8]) -> Result<(), E>) -> Self {
        Self { piece: Vec::with_capacity(PIECE_BYTES + 32), checksum: Checksum::new(format), each }
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), E> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() < PIECE_BYTES { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), E> {
        self.checksum.update(&self.piece);
        (self.each)(&self.piece)?;
        self.piece.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<ObjectId, E> {
        self.flush()?;
        let checksum = self.checksum.finish();
        (self.each)(checksum.as_bytes())?;
        Ok(checksum)
    }
}

/// Writes the index of a pack whose deltas are resolved. `order` is [`Table::by_id`], and `checksum` the pack's. Each piece
/// of the index goes to `each`. Returns the index's own checksum.
///
/// # Errors
/// Those of `each`.
pub fn write_index<E>(
    table: &Table,
    order: &[u32],
    checksum: &ObjectId,
    each: &mut dyn FnMut(&[u8]) -> Result<(), E>,
) -> Result<ObjectId, E> {
    let format = table.format();
    let id = |entry: u32| table.id(entry).unwrap_or(ObjectId::null(format));
    let mut out = Out::new(format, each);
    out.put(&INDEX_HEADER)?;
    let mut fan_out = [0_u32; 256];
    for entry in order {
        let first = id(*entry).as_bytes().first().copied().unwrap_or_default();
        if let Some(count) = fan_out.get_mut(usize::from(first)) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for count in fan_out {
        sum += count;
        out.put(&sum.to_be_bytes())?;
    }
    for entry in order {
        out.put(id(*entry).as_bytes())?;
    }
    for entry in order {
        out.put(&table.crc32(*entry).to_be_bytes())?;
    }
    let mut large = 0;
    for entry in order {
        let offset = table.offset(*entry);
        if offset < LARGE {
            out.put(&(offset as u32).to_be_bytes())?;
        } else {
            out.put(&(LARGE as u32 | large).to_be_bytes())?;
            large += 1;
        }
    }
    for offset in order.iter().map(|entry| table.offset(*entry)).filter(|offset| *offset >= LARGE) {
        out.put(&offset.to_be_bytes())?;
    }
    out.put(checksum.as_bytes())?;
    out.finish()
}

/// The length of the index that [`write_index`] writes.
#[must_use]
pub fn index_bytes(table: &Table) -> u64 {
    let (id, objects) = (table.format().id_bytes() as u64, u64::from(table.len()));
    let large = (0..table.len()).rev().take_while(|entry| table.offset(*entry) >= LARGE).count() as u64;
    INDEX_HEADER.len() as u64 + FAN_OUT_BYTES + objects * (id + 8) + large * 8 + 2 * id
}

/// Writes the reverse index of a pack: for each object in the order of the pack, its place in the index.
///
/// # Errors
/// Those of `each`.
pub fn write_reverse<E>(
    table: &Table,
    order: &[u32],
    checksum: &ObjectId,
    each: &mut dyn FnMut(&[u8]) -> Result<(), E>,
) -> Result<ObjectId, E> {
    let mut positions = vec![0_u32; order.len()];
    for (position, entry) in order.iter().enumerate() {
        if let Some(place) = positions.get_mut(*entry as usize) {
            *place = position as u32;
        }
    }
    let mut out = Out::new(table.format(), each);
    out.put(&REVERSE_HEADER)?;
    let hash: u32 = match table.format() {
        ObjectFormat::Sha1 => 1,
        ObjectFormat::Sha256 => 2,
    };
    out.put(&hash.to_be_bytes())?;
    for position in positions {
        out.put(&position.to_be_bytes())?;
    }
    out.put(checksum.as_bytes())?;
    out.finish()
}

/// The length of the reverse index that [`write_reverse`] writes.
#[must_use]
pub fn reverse_bytes(table: &Table) -> u64 {
    REVERSE_HEADER_BYTES + 4 * u64::from(table.len()) + 2 * table.format().id_bytes() as u64
}
