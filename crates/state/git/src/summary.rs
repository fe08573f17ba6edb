//! The summary of a pack, stored besides its index so that most uploads need no walk: the order of the entries, the
//! kind of each object, and which objects the pack needs and offers.
//!
//! The objects of a pack are numbered in two ways: by *place*, in the order of their entries, and by *row*, in the
//! order of their ids. Does no I/O.

use git_object::{Kind, ObjectFormat, ObjectId};
use git_pack::Table;

/// The most ids of a list: a pack with more has none, and is walked.
pub(crate) const IDS_MAX: usize = 16_384;

/// Before the tables: version, and the number of ids in each list.
const HEAD_BYTES: usize = 16;

const VERSION: u32 = 1;

/// Pieces are at least so long, but for the last one.
const PIECE_BYTES: usize = 64 << 10;

/// There is no list.
const ABSENT: u32 = u32::MAX;

/// The summary of a pack, as it is written.
pub(crate) struct Summary<'a> {
    /// The place of each object, by row.
    pub(crate) places: &'a [u32],
    /// The objects with their offsets and kinds, by place.
    pub(crate) table: &'a Table,
    /// Objects that no other object of the pack needs. `None` if there are too many.
    pub(crate) roots: Option<&'a [ObjectId]>,
    /// Objects outside of the pack that some object of it needs. `None` if there are too many.
    pub(crate) needs: Option<&'a [ObjectId]>,
    /// Objects that were added since deltas of the pack have them as bases: they are elsewhere as well.
    pub(crate) borrowed: Option<&'a [ObjectId]>,
}

/// Where the tables are in the summary of a pack of so many objects.
#[derive(Clone, Copy)]
pub(crate) struct Tables {
    /// Rows by place, 4 bytes each.
    pub(crate) rows: u64,
    /// Places by row, 4 bytes each.
    pub(crate) places: u64,
    /// Offsets by place, 8 bytes each.
    pub(crate) offsets: u64,
    /// Kinds by place, a byte each.
    pub(crate) kinds: u64,
    /// All lists.
    lists: u64,
}

impl Tables {
    pub(crate) const fn new(objects: u32) -> Self {
        let (head, objects) = (HEAD_BYTES as u64, objects as u64);
        Self {
            rows: head,
            places: head + 4 * objects,
            offsets: head + 8 * objects,
            kinds: head + 16 * objects,
            lists: head + 17 * objects,
        }
    }
}

impl Summary<'_> {
    /// Hands the summary to `each` in pieces: `version u32 ‖ count u32 of each list ‖ rows u32* ‖ places u32* ‖ offsets
    /// u64* ‖ kinds u8* ‖ the ids of each list`. Yields its length.
    pub(crate) fn write<E>(&self, each: &mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<u64, E> {
        let lists = [self.roots, self.needs, self.borrowed].map(|list| list.filter(|list| list.len() <= IDS_MAX));
        let mut rows = vec![0_u32; self.places.len()];
        for (row, place) in (0..).zip(self.places) {
            if let Some(slot) = rows.get_mut(*place as usize) {
                *slot = row;
            }
        }
        let mut out = Pieces { piece: Vec::new(), bytes: 0, each };
        out.put(&VERSION.to_be_bytes())?;
        for list in lists {
            let count = list.and_then(|list| u32::try_from(list.len()).ok()).unwrap_or(ABSENT);
            out.put(&count.to_be_bytes())?;
        }
        rows.iter().try_for_each(|row| out.put(&row.to_be_bytes()))?;
        drop(rows);
        self.places.iter().try_for_each(|place| out.put(&place.to_be_bytes()))?;
        let all = 0..self.table.len();
        all.clone().try_for_each(|place| out.put(&self.table.offset(place).to_be_bytes()))?;
        // Each has a kind: the table of a pack that was not resolved is not stored.
        all.into_iter().try_for_each(|place| out.put(&[self.table.kind(place).map_or(0, kind_number)]))?;
        lists.iter().flatten().copied().flatten().try_for_each(|id| out.put(id.as_bytes()))?;
        out.finish()
    }
}

/// Gathers small values into pieces.
struct Pieces<'a, E> {
    piece: Vec<u8>,
    bytes: u64,
    each: &'a mut dyn FnMut(&[u8]) -> Result<(), E>,
}

impl<E> Pieces<'_, E> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), E> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() < PIECE_BYTES { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), E> {
        self.bytes += self.piece.len() as u64;
        (self.each)(&self.piece)?;
        self.piece.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<u64, E> {
        self.flush()?;
        Ok(self.bytes)
    }
}

/// The lists of a summary. `None` for one that would be too long.
pub(crate) struct Lists {
    /// Objects that no other object of the pack needs.
    pub(crate) roots: Option<Vec<ObjectId>>,
    /// Objects outside of the pack that some object of it needs.
    pub(crate) needs: Option<Vec<ObjectId>>,
    /// Objects that are there as bases of deltas only, in order.
    pub(crate) borrowed: Option<Vec<ObjectId>>,
}

impl Lists {
    /// Reads the lists of a summary through `read`, which yields bytes at an offset. `None`: it is no summary.
    pub(crate) fn read<E>(
        format: ObjectFormat,
        objects: u32,
        summary_bytes: u64,
        mut read: impl FnMut(u64, &mut [u8]) -> Result<(), E>,
    ) -> Result<Option<Self>, E> {
        let mut head = [0; HEAD_BYTES];
        read(0, &mut head)?;
        let ([version, counts @ ..], []) = head.as_chunks::<4>() else { return Ok(None) };
        let counts = counts.iter().map(|bytes| u32::from_be_bytes(*bytes));
        let counts: Vec<Option<usize>> = counts.map(|count| (count != ABSENT).then_some(count as usize)).collect();
        if u32::from_be_bytes(*version) != VERSION || counts.iter().flatten().any(|count| *count > IDS_MAX) {
            return Ok(None);
        }
        let start = Tables::new(objects).lists;
        let bytes = counts.iter().flatten().sum::<usize>() * format.id_bytes();
        if start + bytes as u64 != summary_bytes {
            return Ok(None);
        }
        let mut ids = vec![0; bytes];
        read(start, &mut ids)?;
        let mut ids = ids.chunks_exact(format.id_bytes()).filter_map(|id| ObjectId::from_bytes(format, id).ok());
        let mut lists = counts.into_iter().map(|count| count.map(|count| ids.by_ref().take(count).collect()));
        let mut next = || lists.next().flatten();
        Ok(Some(Self { roots: next(), needs: next(), borrowed: next() }))
    }
}

/// A kind's number, as in the headers of entries.
pub(crate) const fn kind_number(kind: Kind) -> u8 {
    match kind {
        Kind::Commit => 1,
        Kind::Tree => 2,
        Kind::Blob => 3,
        Kind::Tag => 4,
    }
}

/// The kind of a number.
pub(crate) const fn kind_of(number: u8) -> Option<Kind> {
    Some(match number {
        1 => Kind::Commit,
        2 => Kind::Tree,
        3 => Kind::Blob,
        4 => Kind::Tag,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use git_object::{Kind, ObjectFormat, ObjectId};
    use git_pack::Table;

    use super::{IDS_MAX, Lists, Summary, Tables, kind_of};

    fn id(number: u8) -> ObjectId {
        ObjectId::from_bytes(ObjectFormat::Sha1, &[number; 20]).unwrap()
    }

    fn read(bytes: &[u8], objects: u32) -> Option<Lists> {
        let read = Lists::read(ObjectFormat::Sha1, objects, bytes.len() as u64, |offset, into| {
            let from = bytes.get(offset as usize..).and_then(|rest| rest.get(..into.len())).ok_or(())?;
            into.copy_from_slice(from);
            Ok::<_, ()>(())
        });
        read.ok().flatten()
    }

    /// Three objects, of which the second in the pack is the first by its id.
    fn table() -> Table {
        let mut table = Table::new(ObjectFormat::Sha1);
        for (number, kind, end) in [(9, Kind::Commit, 700), (4, Kind::Tree, 1 << 40), (6, Kind::Tag, (1 << 40) + 9)] {
            table.append(&id(number), kind, 0, end);
        }
        table
    }

    fn write(summary: &Summary<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        let length = summary.write(&mut |piece| {
            bytes.extend_from_slice(piece);
            Ok::<_, ()>(())
        });
        assert_eq!(length, Ok(bytes.len() as u64));
        bytes
    }

    #[test]
    fn a_summary_is_read_as_it_was_written_and_no_part_of_it_is() {
        let (roots, needs, table) = ([id(1), id(2)], [id(3)], table());
        let (roots, needs) = (Some(&roots[..]), Some(&needs[..]));
        let bytes = write(&Summary { places: &table.by_id(), table: &table, roots, needs, borrowed: None });
        let lists = read(&bytes, 3).unwrap();
        assert_eq!((lists.roots.as_deref(), lists.needs.as_deref(), lists.borrowed), (roots, needs, None));
        let tables = Tables::new(3);
        let number = |at: u64| u32::from_be_bytes(bytes[at as usize..][..4].try_into().unwrap());
        assert_eq!([0, 4, 8].map(|at| number(tables.rows + at)), [2, 0, 1]);
        assert_eq!([0, 4, 8].map(|at| number(tables.places + at)), [1, 2, 0]);
        assert_eq!(&bytes[tables.offsets as usize + 16..][..8], (1_u64 << 40).to_be_bytes());
        assert_eq!(kind_of(bytes[tables.kinds as usize + 2]), Some(Kind::Tag));
        assert!((0..bytes.len()).all(|length| read(&bytes[..length], 3).is_none()));
        assert!(read(&bytes, 2).is_none() && read(&bytes, 4).is_none());
    }

    #[test]
    fn a_list_that_is_too_long_is_left_out() {
        let (long, table) = (vec![id(7); IDS_MAX + 1], Table::new(ObjectFormat::Sha1));
        let (needs, borrowed) = (Some(&[][..]), Some(&[][..]));
        let mut summary = Summary { places: &[], table: &table, roots: Some(&long), needs, borrowed };
        let lists = read(&write(&summary), 0).unwrap();
        assert!(lists.roots.is_none() && lists.needs == Some(Vec::new()) && lists.borrowed == Some(Vec::new()));
        summary.roots = long.get(1..);
        assert_eq!(read(&write(&summary), 0).unwrap().roots.map(|roots| roots.len()), Some(IDS_MAX));
    }
}
