//! A tree's header, and the tables of its pages' versions. Knows no sealing and no storage.

use super::node::PAGE_BYTES;

/// How many pages' versions one table page has.
pub(crate) const VERSIONS: u32 = 950;

/// Set in the numbers of table pages.
pub(crate) const TABLE: u32 = 1 << 31;

/// No page: the end of the list of free pages.
pub(crate) const NONE: u32 = u32::MAX;

/// The version of the header's form.
const FORM: u8 = 1;

/// A tree's header. Versions are the low 32 bits of the commit that wrote a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// The tree's number in the names of its pages' rows; 0 until its first commit.
    pub(crate) number: u32,
    /// Generated when the tree is made, so that no page of another tree fits this one, whatever its name and number.
    pub(crate) id: [u8; 16],
    pub(crate) root: u32,
    /// The first page that was never used.
    pub(crate) next: u32,
    /// The first free page. The place of a free page's version has the number of the next one.
    pub(crate) free: u32,
    /// The versions of the table pages.
    pub(crate) tables: Vec<u32>,
}

impl Header {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORM];
        bytes.extend_from_slice(&self.id);
        for field in [self.number, self.root, self.next, self.free].iter().chain(&self.tables) {
            bytes.extend_from_slice(&field.to_be_bytes());
        }
        bytes
    }

    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (&form, rest) = bytes.split_first()?;
        let (id, rest) = rest.split_first_chunk()?;
        let (fields, odd) = rest.as_chunks::<4>();
        let mut fields = fields.iter().map(|field| u32::from_be_bytes(*field));
        let mut field = || fields.next();
        let (number, root, next, free) = (field()?, field()?, field()?, field()?);
        let tables: Vec<u32> = fields.collect();
        let sound = form == FORM && odd.is_empty() && root < next && next < TABLE && (free < next || free == NONE);
        let covered = u32::try_from(tables.len()).ok()? == next.div_ceil(VERSIONS);
        (sound && covered && number > 0 && number < TABLE).then_some(Self { number, id: *id, root, next, free, tables })
    }
}

/// A table page: where the version of a page stands in it.
pub(crate) const fn table_of(page: u32) -> (u32, u32) {
    (TABLE | (page / VERSIONS), page % VERSIONS)
}

/// The versions that a table page has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table(Vec<u32>);

impl Table {
    pub(crate) fn empty() -> Self {
        Self((0..VERSIONS).map(|_| 0).collect())
    }

    pub(crate) fn parse(page: &[u8]) -> Option<Self> {
        let versions: Vec<u32> = page.as_chunks::<4>().0.iter().map(|field| u32::from_be_bytes(*field)).collect();
        let (versions, padding) = versions.split_at_checked(usize::try_from(VERSIONS).ok()?)?;
        let sound = page.len() == PAGE_BYTES && padding.iter().all(|field| *field == 0);
        sound.then(|| Self(versions.to_vec()))
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut page = Vec::with_capacity(PAGE_BYTES);
        self.0.iter().for_each(|version| page.extend_from_slice(&version.to_be_bytes()));
        page.resize(PAGE_BYTES, 0);
        page
    }

    pub(crate) fn at(&self, slot: u32) -> Option<u32> {
        self.0.get(usize::try_from(slot).ok()?).copied()
    }

    pub(crate) fn set(&mut self, slot: u32, version: u32) {
        if let Some(place) = usize::try_from(slot).ok().and_then(|slot| self.0.get_mut(slot)) {
            *place = version;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_parses_to_what_it_was_and_an_unsound_one_does_not() {
        let sound = Header { number: 1, id: [7; 16], root: 3, next: 951, free: 5, tables: vec![1, 2] };
        assert_eq!(Header::parse(&sound.to_bytes()), Some(sound.clone()));
        for unsound in [
            Header { root: 951, ..sound.clone() },
            Header { free: 951, ..sound.clone() },
            Header { number: 0, ..sound.clone() },
            Header { tables: vec![1], ..sound.clone() },
        ] {
            assert_eq!(Header::parse(&unsound.to_bytes()), None, "{unsound:?}");
        }
        let bytes = sound.to_bytes();
        assert_eq!(Header::parse(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Header::parse(&[]), None);
    }

    #[test]
    fn a_table_parses_to_what_it_was() {
        let mut table = Table::empty();
        table.set(949, 7);
        assert_eq!(Table::parse(&table.to_bytes()).and_then(|table| table.at(949)), Some(7));
        assert_eq!((table.at(950), Table::parse(&[0; 100])), (None, None));
    }
}
