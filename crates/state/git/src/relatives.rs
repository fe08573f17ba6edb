//! Deltas for objects whose stored base is not sent: against another object of the same chain that is sent already. Knows
//! neither selections nor the pack that is written.

use std::collections::HashMap;
use std::sync::Arc;

use git_pack::{DeltaIndex, create};

use crate::memory::FREE_BYTES;
use crate::objects::Object;

/// How many places that are not sent are remembered: those beyond have their objects sent whole.
const PLACES_MAX: usize = 100_000;

/// For bases that are not sent, an object of the same pack that is and that resembles them.
#[derive(Default)]
pub(crate) struct Relatives {
    sent: HashMap<u32, u32>,
    /// The base of the last delta, which may be that of the next one.
    last: Option<(u32, Arc<Object>, DeltaIndex)>,
}

impl Relatives {
    /// The place of the object that is sent in place of the one at `place`.
    pub(crate) fn of(&self, place: u32) -> Option<u32> {
        self.sent.get(&place).copied()
    }

    /// Notes that the object at `sent` stands for those at `places`. The first one that is noted stays.
    pub(crate) fn note(&mut self, places: &[u32], sent: u32) {
        for place in places {
            if self.sent.len() < PLACES_MAX {
                self.sent.entry(*place).or_insert(sent);
            }
        }
    }

    /// A delta that makes `target` of the object at `place`, which `read` yields; `None` unless it is much shorter than the
    /// target. Objects whose memory is counted are not compared.
    pub(crate) fn delta<E>(
        &mut self,
        place: u32,
        target: &Object,
        read: impl FnOnce() -> Result<Option<Arc<Object>>, E>,
    ) -> Result<Option<Vec<u8>>, E> {
        if target.len() as u64 > FREE_BYTES {
            return Ok(None);
        }
        if self.last.as_ref().is_none_or(|(last, ..)| *last != place) {
            let Some(base) = read()? else { return Ok(None) };
            let index = DeltaIndex::new(&base);
            self.last = Some((place, base, index));
        }
        Ok(self.last.as_ref().and_then(|(_, base, index)| create(index, base, target, target.len() / 2)))
    }
}

#[cfg(test)]
mod tests {
    use git_object::Kind;
    use git_pack::apply;

    use super::*;

    fn object(content: Vec<u8>) -> Arc<Object> {
        Arc::new(Object::new(Kind::Blob, content))
    }

    #[test]
    fn the_first_that_is_noted_for_a_place_stays() {
        let mut relatives = Relatives::default();
        relatives.note(&[3, 4], 9);
        relatives.note(&[4, 5], 11);
        assert_eq!([2, 3, 4, 5].map(|place| relatives.of(place)), [None, Some(9), Some(9), Some(11)]);
    }

    #[test]
    fn what_resembles_a_relative_is_a_short_delta_of_it_and_what_does_not_is_none() {
        let lines: Vec<u8> =
            (0..500).flat_map(|line| format!("line {} of it\n", line * 7919 % 5003).into_bytes()).collect();
        let base = object(lines.clone());
        let like = object([&lines[..4000], b"another line\n", &lines[4000..]].concat());
        let unlike = object((0..9000_u32).flat_map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()).collect());
        let mut relatives = Relatives::default();
        let delta = relatives.delta(7, &like, || Ok::<_, ()>(Some(Arc::clone(&base)))).unwrap().unwrap();
        assert!(delta.len() < 100 && apply(&base, &delta, u64::MAX).unwrap() == **like);
        // The base is not read again.
        assert_eq!(relatives.delta(7, &unlike, || Err(())), Ok(None));
        assert_eq!(relatives.delta(8, &like, || Err(())), Err(()));
        let long = object(vec![0; (1 << 20) + 1]);
        assert_eq!(relatives.delta(8, &long, || Err(())), Ok(None));
        assert_eq!(relatives.delta(8, &like, || Ok::<_, ()>(None)), Ok(None));
    }
}
