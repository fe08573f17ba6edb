//! The changes feed: which records each commit changed, sealed, one row for each commit and space.
//!
//! Knows neither who reads it nor where the rows are.

use crypto::{Key256, kdf, sealed};

use crate::changes::Touched;
use crate::space::Space;

/// How many commits of a space the feed keeps. A process that falls further behind drops all that it cached.
pub(crate) const COMMITS_KEPT: u64 = 1024;

/// How many more accumulate before the feed is trimmed.
pub(crate) const COMMITS_SLACK: u64 = 256;

/// The longest list of names that a row has, in bytes. A commit that changed more says that anything may have changed.
const NAMES_BYTES_MAX: usize = 256 * 1024;

/// The names of the records that a transaction changed so far.
#[derive(Default)]
pub(crate) struct Names {
    /// `length u32 ‖ name` three times a record: its collection, parent and id.
    bytes: Vec<u8>,
    /// The space of each record, and where its names end.
    ends: Vec<(Space, usize)>,
}

impl Names {
    pub(crate) fn push(&mut self, space: Space, names: [&str; 3]) {
        for name in names {
            // A name of 4 GiB does not fit memory twice.
            self.bytes.extend_from_slice(&u32::try_from(name.len()).unwrap_or(u32::MAX).to_be_bytes());
            self.bytes.extend_from_slice(name.as_bytes());
        }
        self.ends.push((space, self.bytes.len()));
    }

    /// How many records there are.
    pub(crate) const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Forgets the records behind the first `count`.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.ends.truncate(count);
        self.bytes.truncate(self.ends.last().map_or(0, |(_, end)| *end));
    }

    /// The spaces that records were changed in, each with the records' names.
    pub(crate) fn by_space(&self) -> Vec<(Space, Vec<u8>)> {
        let mut spaces: Vec<(Space, Vec<u8>)> = Vec::new();
        let mut start = 0;
        for (space, end) in &self.ends {
            let names = self.bytes.get(start..*end).unwrap_or_default();
            start = *end;
            match spaces.iter_mut().find(|(found, _)| found == space) {
                Some((_, all)) => all.extend_from_slice(names),
                None => spaces.push((*space, names.to_vec())),
            }
        }
        spaces
    }
}

/// The key of a feed.
pub(crate) struct Feed(Key256);

impl Feed {
    /// The feed of the database whose records are sealed under `record`.
    pub(crate) fn new(record: &Key256) -> Self {
        Self(kdf::derive(record, b"sealstack changes feed", &[]))
    }

    /// The row of a commit: the names, bound to its space and its version.
    pub(crate) fn seal(&self, space: Space, version: u64, names: &[u8]) -> Vec<u8> {
        let names = if names.len() > NAMES_BYTES_MAX { &[][..] } else { names };
        sealed::seal(&self.0, &associated(space, version), names)
    }

    /// The records that a commit changed; `None` when it may have been any. An error when the row is not authentic.
    pub(crate) fn open(&self, space: Space, version: u64, row: &[u8]) -> Result<Option<Vec<Touched>>, Damaged> {
        let names = sealed::open(&self.0, &associated(space, version), row).map_err(|_| Damaged)?;
        let (mut rest, mut touched) = (names.expose(), Vec::new());
        if rest.is_empty() {
            return Ok(None);
        }
        while !rest.is_empty() {
            let [collection, parent, id] = [take(&mut rest)?, take(&mut rest)?, take(&mut rest)?];
            touched.push(Touched { collection, parent, id });
        }
        Ok(Some(touched))
    }
}

/// A row of the feed that cannot be read.
#[derive(Debug)]
pub(crate) struct Damaged;

fn take(rest: &mut &[u8]) -> Result<String, Damaged> {
    let (length, after) = rest.split_first_chunk().ok_or(Damaged)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| Damaged)?;
    let (name, after) = after.split_at_checked(length).ok_or(Damaged)?;
    *rest = after;
    std::str::from_utf8(name).map(str::to_owned).map_err(|_| Damaged)
}

fn associated(space: Space, version: u64) -> [u8; 9] {
    let mut associated = [space.number(); 9];
    associated.iter_mut().skip(1).zip(version.to_be_bytes()).for_each(|(to, from)| *to = from);
    associated
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touched(names: [&str; 3]) -> Touched {
        Touched::new(names[0], names[1], names[2])
    }

    #[test]
    fn a_row_has_the_names_of_its_space_and_opens_in_its_place_alone() {
        let (feed, other) = (Feed::new(&Key256::random()), Space::new(5).unwrap());
        let mut names = Names::default();
        names.push(Space::MAIN, ["c", "", "a"]);
        names.push(other, ["c", "p", "b"]);
        names.push(Space::MAIN, ["d", "p\0", "é"]);
        names.push(other, ["undone", "p", "c"]);
        names.truncate(3);
        let rows: Vec<_> =
            names.by_space().iter().map(|(space, names)| (*space, feed.seal(*space, 7, names))).collect();
        assert_eq!(rows.len(), 2);
        let open = |at: usize| feed.open(rows[at].0, 7, &rows[at].1).unwrap().unwrap();
        assert_eq!(open(0), [touched(["c", "", "a"]), touched(["d", "p\0", "é"])]);
        assert_eq!(open(1), [touched(["c", "p", "b"])]);
        assert!(feed.open(other, 7, &rows[0].1).is_err() && feed.open(Space::MAIN, 8, &rows[0].1).is_err());
    }

    #[test]
    fn a_commit_that_changed_too_much_to_list_says_that_it_may_be_anything() {
        let feed = Feed::new(&Key256::random());
        let mut names = Names::default();
        (0..10_000).for_each(|n| names.push(Space::MAIN, ["collection", "parent", &format!("{n:020}")]));
        let (_, bytes) = names.by_space().remove(0);
        let row = feed.seal(Space::MAIN, 1, &bytes);
        assert!(row.len() < 100);
        assert!(feed.open(Space::MAIN, 1, &row).unwrap().is_none());
    }
}
