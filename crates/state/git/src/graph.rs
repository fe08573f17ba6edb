//! The commit graph of a pack: tree, parents and time of each commit as numbers, so that a walk over commits expands none.
//! Owns the form of its rows. Refuses to know where they are stored; a commit without a row is read instead.

/// `place u32 ‖ tree u32 ‖ first parent u32 ‖ second parent u32 ‖ time i64`, in the order of places.
pub(crate) const ROW_BYTES: usize = 24;

/// No parent.
const NONE: u32 = u32::MAX;

/// A commit with at most two parents. All but the time are places in its pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) place: u32,
    pub(crate) tree: u32,
    pub(crate) parents: [Option<u32>; 2],
    /// The committer's time in seconds since 1970.
    pub(crate) time: i64,
}

impl Row {
    /// The row of a commit; `None` if it has more parents than a row.
    pub(crate) fn new(place: u32, tree: u32, parents: &[u32], time: i64) -> Option<Self> {
        let parents = match parents {
            [] => [None, None],
            [one] => [Some(*one), None],
            [one, other] => [Some(*one), Some(*other)],
            _ => return None,
        };
        Some(Self { place, tree, parents, time })
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let [one, other] = self.parents.map(|parent| parent.unwrap_or(NONE));
        [self.place, self.tree, one, other].iter().for_each(|number| out.extend(number.to_be_bytes()));
        out.extend(self.time.to_be_bytes());
    }

    fn decode(bytes: &[u8; ROW_BYTES]) -> Self {
        let (numbers, time) = bytes.split_at(16);
        let (numbers, _) = numbers.as_chunks::<4>();
        let mut numbers = numbers.iter().map(|bytes| u32::from_be_bytes(*bytes));
        let mut next = || numbers.next().unwrap_or(NONE);
        let (place, tree) = (next(), next());
        let parents = [next(), next()].map(|parent| (parent != NONE).then_some(parent));
        Self { place, tree, parents, time: time.first_chunk().map_or(0, |time| i64::from_be_bytes(*time)) }
    }
}

/// Finds the row of the commit at a place among `count` rows, which `read` yields by their numbers.
pub(crate) fn find<E>(
    count: u32,
    place: u32,
    mut read: impl FnMut(u32) -> Result<[u8; ROW_BYTES], E>,
) -> Result<Option<Row>, E> {
    // Commits are the first objects of a pack as a rule: then a row's number is its place.
    let (mut low, mut high, mut at) = (0, count, place.min(count.saturating_sub(1)));
    while low < high {
        let row = Row::decode(&read(at)?);
        match row.place.cmp(&place) {
            std::cmp::Ordering::Less => low = at + 1,
            std::cmp::Ordering::Equal => return Ok(Some(row)),
            std::cmp::Ordering::Greater => high = at,
        }
        at = low + high.saturating_sub(low) / 2;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_found_as_it_was_written_and_no_other() {
        for step in [1, 3] {
            let rows: Vec<Row> = (0..50_u32)
                .filter_map(|number| {
                    let parents: Vec<u32> = (0..number % 3).map(|parent| number + parent).collect();
                    Row::new(number * step, 1000 + number, &parents, -i64::from(number))
                })
                .collect();
            let mut bytes = Vec::new();
            rows.iter().for_each(|row| row.encode(&mut bytes));
            let (encoded, rest) = bytes.as_chunks::<ROW_BYTES>();
            assert!(encoded.len() == 50 && rest.is_empty());
            for place in 0..200 {
                let found = find(50, place, |number| encoded.get(number as usize).copied().ok_or(()));
                let expected = rows.iter().find(|row| row.place == place).copied();
                assert_eq!(found, Ok(expected), "{place} of every {step}");
            }
        }
        assert_eq!(find(0, 0, |_| Err(())), Ok(None));
    }

    #[test]
    fn a_commit_of_many_parents_has_no_row() {
        assert_eq!(Row::new(1, 2, &[3, 4, 5], 0), None);
    }
}
