//! Sets of places in a pack, in memory and in few bytes. Knows no pack.

/// A set of places in a pack.
#[derive(Clone)]
pub(crate) struct Places {
    words: Vec<u64>,
    count: u32,
}

impl Places {
    pub(crate) fn none(objects: u32) -> Self {
        Self { words: vec![0; (objects as usize).div_ceil(64)], count: 0 }
    }

    pub(crate) fn all(objects: u32) -> Self {
        let mut places = Self { words: vec![u64::MAX; (objects as usize).div_ceil(64)], count: objects };
        if let Some(last) = places.words.last_mut()
            && !objects.is_multiple_of(64)
        {
            *last = (1 << (objects % 64)) - 1;
        }
        places
    }

    pub(crate) fn contains(&self, place: u32) -> bool {
        self.words.get(place as usize / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    /// Yields whether it was missing.
    pub(crate) fn insert(&mut self, place: u32) -> bool {
        let Some(word) = self.words.get_mut(place as usize / 64) else { return false };
        let missing = *word >> (place % 64) & 1 == 0;
        *word |= 1 << (place % 64);
        self.count += u32::from(missing);
        missing
    }

    pub(crate) fn remove(&mut self, place: u32) {
        if self.contains(place)
            && let Some(word) = self.words.get_mut(place as usize / 64)
        {
            *word &= !(1 << (place % 64));
            self.count -= 1;
        }
    }

    /// Takes out all that another set of the same pack has.
    pub(crate) fn subtract(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
        self.count = self.words.iter().map(|word| word.count_ones()).sum();
    }

    pub(crate) const fn count(&self) -> u32 {
        self.count
    }

    /// The places in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        (0_u32..).zip(&self.words).flat_map(|(number, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros();
                left &= left.checked_sub(1)?;
                Some(number * 64 + bit)
            })
        })
    }
}

impl Places {
    /// The set in few bytes, if it is one of long runs: the lengths of what is out and what is in by turns, as LEB128.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let (mut out, mut end, mut run) = (Vec::new(), 0, None::<(u32, u32)>);
        let mut put = |(first, last): (u32, u32)| {
            write_number(first - end, &mut out);
            write_number(last - first, &mut out);
            end = last;
        };
        for place in self.iter() {
            match &mut run {
                Some((_, last)) if *last == place => *last += 1,
                _ => run.replace((place, place + 1)).into_iter().for_each(&mut put),
            }
        }
        run.into_iter().for_each(put);
        out
    }

    /// Adds what [`encode`](Self::encode) wrote. `None` when that is no set of these places.
    pub(crate) fn add_encoded(&mut self, mut bytes: &[u8]) -> Option<()> {
        let mut at = 0_u32;
        while !bytes.is_empty() {
            let (out, inside);
            (out, bytes) = read_number(bytes)?;
            (inside, bytes) = read_number(bytes)?;
            at = at.checked_add(out)?;
            let end = at.checked_add(inside)?;
            self.add_run(at, end)?;
            at = end;
        }
        self.count = self.words.iter().map(|word| word.count_ones()).sum();
        Some(())
    }

    fn add_run(&mut self, mut at: u32, end: u32) -> Option<()> {
        while at < end {
            let word = self.words.get_mut(at as usize / 64)?;
            let (from, to) = (at % 64, (at % 64 + (end - at)).min(64));
            let below = |bit: u32| if bit == 64 { u64::MAX } else { (1 << bit) - 1 };
            *word |= below(to) & !below(from);
            at += to - from;
        }
        Some(())
    }
}

fn write_number(mut number: u32, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn read_number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (mut number, mut rest) = (0_u32, bytes);
    for shift in (0..35).step_by(7) {
        let (byte, after) = rest.split_first()?;
        rest = after;
        let bits = u32::from(byte & 0x7f);
        if shift == 28 && bits > 0xf {
            return None;
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Some((number, rest));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Places;

    #[test]
    fn places_are_counted_and_come_in_order() {
        for objects in [0, 1, 63, 64, 65, 200] {
            let mut all = Places::all(objects);
            assert_eq!((all.count(), all.iter().collect::<Vec<_>>()), (objects, (0..objects).collect()));
            let mut none = Places::none(objects);
            assert_eq!((none.count(), none.iter().count()), (0, 0));
            for place in (0..objects).step_by(3) {
                assert!(none.insert(place) && !none.insert(place));
                all.remove(place);
                all.remove(place);
                assert!(none.contains(place) && !all.contains(place));
            }
            assert_eq!(none.count() + all.count(), objects);
            assert_eq!(none.iter().collect::<Vec<_>>(), (0..objects).step_by(3).collect::<Vec<_>>());
            assert!(!none.insert(objects + 64) && !none.contains(objects + 64));
        }
    }

    proptest! {
        #[test]
        fn a_set_in_few_bytes_is_the_set(objects in 0..500_u32, seed: Vec<(u32, u32)>) {
            let (mut places, mut other) = (Places::none(objects), Places::none(objects));
            for (first, length) in seed {
                (first % 500..(first % 500 + length % 90).min(objects)).for_each(|place| {
                    places.insert(place);
                });
            }
            prop_assume!(places.iter().all(|place| place < objects));
            prop_assert_eq!(other.add_encoded(&places.encode()), Some(()));
            prop_assert!(other.iter().eq(places.iter()));
            prop_assert_eq!(other.count(), places.count());
            let mut left = Places::all(objects);
            left.subtract(&places);
            prop_assert!(left.iter().eq((0..objects).filter(|place| !places.contains(*place))));
            prop_assert_eq!(left.count() + places.count(), objects);
        }

        #[test]
        fn foreign_bytes_are_no_panic(objects in 0..500_u32, bytes: Vec<u8>) {
            let _ = Places::none(objects).add_encoded(&bytes);
        }
    }

    #[test]
    fn a_number_beyond_the_pack_is_no_set() {
        for bytes in
            [&[0x80][..], &[5], &[0, 101], &[0xff, 0xff, 0xff, 0xff, 0x0f, 1], &[0xff, 0xff, 0xff, 0xff, 0x1f, 1]]
        {
            assert_eq!(Places::none(64).add_encoded(bytes), None, "{bytes:x?}");
        }
    }
}
