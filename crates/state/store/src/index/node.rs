//! A page of an index, decoded: sorted keys with values in a leaf, with child pages in an inner node.
//!
//! `level u8 ‖ count u16 ‖ prefix length u16 ‖ prefix ‖ {suffix length u16, value length u16, suffix, value}*`, padded
//! with zeros. Knows no tree, no sealing and no storage.

use std::cmp::Ordering;

/// The length of every page before it is sealed, in bytes. Sealed, a page and its row fill one page of the engine.
pub(crate) const PAGE_BYTES: usize = 3968;

/// The longest key, in bytes.
pub(crate) const KEY_BYTES_MAX: usize = 1024;

/// The longest value, in bytes. Two entries always fit a page, so that a page that overflows can be split in two.
pub(crate) const VALUE_BYTES_MAX: usize = 900;

/// Before the prefix.
const HEAD_BYTES: usize = 5;

/// Before each entry's suffix.
const ENTRY_HEAD_BYTES: usize = 4;

/// No tree grows so high: each level multiplies the number of keys by at least two.
const LEVEL_MAX: u8 = 32;

/// A key and its value.
type Entry = (Vec<u8>, Vec<u8>);

/// Where an entry's suffix and value end in [`Node::data`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ends {
    suffix: usize,
    value: usize,
}

/// A decoded page. While it is being changed it may be longer than a page.
///
/// The key of an inner node's entry is at most as large as all keys below its child, and larger than all keys below the
/// child before. The first entry's key is a hint alone: its child has all that is smaller than the second's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    level: u8,
    prefix: Vec<u8>,
    /// Suffixes and values, alternating.
    data: Vec<u8>,
    ends: Vec<Ends>,
}

impl Node {
    /// An empty node; leaves have level 0.
    pub(crate) const fn empty(level: u8) -> Self {
        Self { level, prefix: Vec::new(), data: Vec::new(), ends: Vec::new() }
    }

    /// The node of these entries, which must be in order, with the longest prefix that they allow.
    pub(crate) fn of(level: u8, entries: &[Entry]) -> Self {
        let mut node = Self::empty(level);
        if let (Some((first, _)), Some((last, _))) = (entries.first(), entries.last()) {
            let common = common_prefix(first, last);
            node.prefix.extend_from_slice(first.get(..common).unwrap_or(first));
            for (key, value) in entries {
                node.data.extend_from_slice(key.get(common..).unwrap_or_default());
                let suffix = node.data.len();
                node.data.extend_from_slice(value);
                node.ends.push(Ends { suffix, value: node.data.len() });
            }
        }
        node
    }

    /// Parses a page. `None` unless it is exactly what [`to_bytes`](Self::to_bytes) makes of some node.
    #[must_use]
    pub fn parse(page: &[u8]) -> Option<Self> {
        if page.len() != PAGE_BYTES {
            return None;
        }
        let (&level, rest) = page.split_first()?;
        let (count, rest) = take_length(rest)?;
        let (prefix_length, rest) = take_length(rest)?;
        let (prefix, mut rest) = rest.split_at_checked(prefix_length)?;
        // As long as the rest at most; entries have at least their lengths in it.
        let data = Vec::with_capacity(rest.len());
        let ends = Vec::with_capacity(count.min(rest.len() / ENTRY_HEAD_BYTES));
        let mut node = Self { level, prefix: prefix.to_vec(), data, ends };
        for _ in 0..count {
            let (suffix_length, after) = take_length(rest)?;
            let (value_length, after) = take_length(after)?;
            let (suffix, after) = after.split_at_checked(suffix_length)?;
            let (value, after) = after.split_at_checked(value_length)?;
            let value_fits = if level == 0 { value_length <= VALUE_BYTES_MAX } else { value_length == 4 };
            let in_order = node.ends.is_empty() || node.suffix(node.len() - 1) < suffix;
            if !value_fits || !in_order || prefix_length + suffix_length > KEY_BYTES_MAX {
                return None;
            }
            node.data.extend_from_slice(suffix);
            let suffix = node.data.len();
            node.data.extend_from_slice(value);
            node.ends.push(Ends { suffix, value: node.data.len() });
            rest = after;
        }
        // What is cached has no room to spare.
        node.data.shrink_to_fit();
        let whole = level <= LEVEL_MAX && (level == 0 || count > 0) && (count > 0 || prefix_length == 0);
        (whole && rest.iter().all(|byte| *byte == 0)).then_some(node)
    }

    /// The page, padded. `None` if the node is longer than a page.
    #[must_use]
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let mut page = Vec::with_capacity(PAGE_BYTES);
        page.push(self.level);
        page.extend(length(self.len())?);
        page.extend(length(self.prefix.len())?);
        page.extend_from_slice(&self.prefix);
        for at in 0..self.len() {
            let (suffix, value) = (self.suffix(at), self.value(at));
            page.extend(length(suffix.len())?);
            page.extend(length(value.len())?);
            page.extend_from_slice(suffix);
            page.extend_from_slice(value);
        }
        if page.len() > PAGE_BYTES {
            return None;
        }
        page.resize(PAGE_BYTES, 0);
        Some(page)
    }

    /// How high the node stands above the leaves.
    pub(crate) const fn level(&self) -> u8 {
        self.level
    }

    /// How many entries there are.
    pub(crate) const fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The length without padding, in bytes.
    pub(crate) const fn bytes(&self) -> usize {
        HEAD_BYTES + self.prefix.len() + self.data.len() + ENTRY_HEAD_BYTES * self.ends.len()
    }

    /// Roughly what the decoded node takes of memory, in bytes.
    pub(crate) const fn memory(&self) -> usize {
        self.prefix.capacity() + self.data.capacity() + size_of::<Ends>() * self.ends.capacity()
    }

    fn start(&self, at: usize) -> usize {
        at.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |ends| ends.value)
    }

    fn suffix(&self, at: usize) -> &[u8] {
        let end = self.ends.get(at).map_or(0, |ends| ends.suffix);
        self.data.get(self.start(at)..end).unwrap_or_default()
    }

    /// The value of an entry; empty past the end.
    pub(crate) fn value(&self, at: usize) -> &[u8] {
        self.ends.get(at).and_then(|ends| self.data.get(ends.suffix..ends.value)).unwrap_or_default()
    }

    /// The key of an entry.
    pub(crate) fn key(&self, at: usize) -> Vec<u8> {
        [&self.prefix[..], self.suffix(at)].concat()
    }

    /// The child page of an inner node's entry.
    pub(crate) fn child(&self, at: usize) -> Option<u32> {
        self.value(at).try_into().ok().map(u32::from_be_bytes)
    }

    /// Where the key stands, or else would stand.
    pub(crate) fn search(&self, key: &[u8]) -> Result<usize, usize> {
        let (head, suffix) = key.split_at(key.len().min(self.prefix.len()));
        match head.cmp(&self.prefix) {
            Ordering::Less => return Err(0),
            Ordering::Greater => return Err(self.len()),
            Ordering::Equal => {}
        }
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.suffix(middle).cmp(suffix) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Ok(middle),
            }
        }
        Err(low)
    }

    /// The entry of an inner node below which the key belongs.
    pub(crate) fn descend(&self, key: &[u8]) -> usize {
        self.search(key).unwrap_or_else(|after| after.saturating_sub(1))
    }

    /// Inserts an entry at its place, which the caller has searched.
    pub(crate) fn insert(&mut self, at: usize, key: &[u8], value: &[u8]) {
        if self.is_empty() {
            self.prefix.clear();
            self.prefix.extend_from_slice(key);
        }
        self.shorten_prefix(common_prefix(&self.prefix, key));
        let suffix = key.get(self.prefix.len()..).unwrap_or_default();
        let start = self.start(at);
        let added = suffix.len() + value.len();
        for ends in self.ends.iter_mut().skip(at) {
            ends.suffix += added;
            ends.value += added;
        }
        self.ends.insert(at, Ends { suffix: start + suffix.len(), value: start + added });
        let end = self.data.len();
        self.data.resize(end + added, 0);
        self.data.copy_within(start..end, start + added);
        let room = self.data.get_mut(start..start + added);
        if let Some((for_suffix, for_value)) = room.and_then(|room| room.split_at_mut_checked(suffix.len())) {
            for_suffix.copy_from_slice(suffix);
            for_value.copy_from_slice(value);
        }
    }

    /// Replaces the value of an entry.
    pub(crate) fn replace(&mut self, at: usize, value: &[u8]) {
        let Some(Ends { suffix, value: end }) = self.ends.get(at).copied() else { return };
        self.data.splice(suffix..end, value.iter().copied());
        for (index, ends) in self.ends.iter_mut().enumerate().skip(at) {
            if index > at {
                ends.suffix = ends.suffix + value.len() - (end - suffix);
            }
            ends.value = ends.value + value.len() - (end - suffix);
        }
    }

    /// Removes an entry.
    pub(crate) fn remove(&mut self, at: usize) {
        let start = self.start(at);
        let Some(Ends { value: end, .. }) = self.ends.get(at).copied() else { return };
        self.data.drain(start..end);
        self.ends.remove(at);
        for ends in self.ends.iter_mut().skip(at) {
            ends.suffix -= end - start;
            ends.value -= end - start;
        }
        if self.is_empty() {
            self.prefix.clear();
        }
    }

    /// Inserts a child of an inner node behind the entry `before`, whose child was split at `separator`.
    pub(crate) fn insert_child(&mut self, before: usize, separator: &[u8], child: u32) {
        if before == 0 && self.key(0).as_slice() >= separator {
            // The first key is a hint, and the child had smaller keys than it says.
            let common = common_prefix(&self.key(0), separator).min(separator.len().saturating_sub(1));
            let (hint, first) = (separator.get(..common).unwrap_or_default(), self.value(0).to_vec());
            self.remove(0);
            self.insert(0, hint, &first);
        }
        self.insert(before + 1, separator, &child.to_be_bytes());
    }

    fn shorten_prefix(&mut self, to: usize) {
        if to >= self.prefix.len() {
            return;
        }
        let moved = self.prefix.split_off(to);
        let mut data = Vec::with_capacity(self.data.len() + moved.len() * self.len());
        let mut ends = Vec::with_capacity(self.len() + 1);
        for at in 0..self.len() {
            data.extend_from_slice(&moved);
            data.extend_from_slice(self.suffix(at));
            let suffix = data.len();
            data.extend_from_slice(self.value(at));
            ends.push(Ends { suffix, value: data.len() });
        }
        (self.data, self.ends) = (data, ends);
    }

    fn entries(&self) -> Vec<Entry> {
        (0..self.len()).map(|at| (self.key(at), self.value(at).to_vec())).collect()
    }

    /// Splits a node that is longer than a page in two that are not: what stays, the separator, and what comes behind
    /// it. The first stays as full as it can be if `keep_full`.
    pub(crate) fn split(&self, keep_full: bool) -> Option<(Self, Vec<u8>, Self)> {
        let entries = self.entries();
        // The bytes of the entries before each place, with whole keys.
        let mut sums = vec![0];
        let mut sum = 0;
        for (key, value) in &entries {
            sum += ENTRY_HEAD_BYTES + key.len() + value.len();
            sums.push(sum);
        }
        let bytes = |from: usize, to: usize| {
            let (first, last) = (entries.get(from)?, entries.get(to.checked_sub(1)?)?);
            let common = common_prefix(&first.0, &last.0);
            Some(HEAD_BYTES + common + sums.get(to)? - sums.get(from)? - common * (to - from))
        };
        // The shortest key that is larger than all on the left and not larger than any on the right.
        let separator = |at: usize| {
            let ((last, _), (first, _)) = (entries.get(at.checked_sub(1)?)?, entries.get(at)?);
            let shortest = if self.level == 0 { common_prefix(last, first) + 1 } else { first.len() };
            first.get(..shortest)
        };
        let places = (1..entries.len()).filter_map(|at| {
            let longer = bytes(0, at)?.max(bytes(at, entries.len())?);
            // A short separator is worth its bytes in the parent.
            let cost = if keep_full { entries.len() - at } else { longer + separator(at)?.len() };
            (longer <= PAGE_BYTES).then_some((cost, at))
        });
        let (_, at) = places.min()?;
        let (left, right) = entries.split_at_checked(at)?;
        Some((Self::of(self.level, left), separator(at)?.to_vec(), Self::of(self.level, right)))
    }

    /// This node and its right neighbour, which begins at `separator`, as one.
    pub(crate) fn merged(&self, separator: &[u8], right: &Self) -> Self {
        let mut entries = self.entries();
        let mut others = right.entries();
        if self.level > 0
            && let Some((hint, _)) = others.first_mut()
        {
            *hint = separator.to_vec();
        }
        entries.append(&mut others);
        Self::of(self.level, &entries)
    }
}

/// How many bytes two keys have in common at their beginnings.
pub(crate) fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

fn length(length: usize) -> Option<[u8; 2]> {
    u16::try_from(length).ok().map(u16::to_be_bytes)
}

fn take_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    bytes.split_first_chunk().map(|(length, rest)| (usize::from(u16::from_be_bytes(*length)), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_parses_to_the_node_that_it_was_made_of_and_no_changed_length_does() {
        let mut node = Node::empty(0);
        for n in 0..40_u8 {
            let key = format!("photos/{n:03}");
            let at = node.search(key.as_bytes()).unwrap_err();
            node.insert(at, key.as_bytes(), &[n; 60]);
        }
        assert_eq!(node.prefix, b"photos/0");
        let page = node.to_bytes().unwrap();
        assert_eq!((page.len(), Node::parse(&page)), (PAGE_BYTES, Some(node.clone())));
        for at in 1..5 {
            let mut changed = page.clone();
            changed[at] ^= 0x40;
            assert_eq!(Node::parse(&changed), None, "byte {at}");
        }
        let mut padded = page.clone();
        *padded.last_mut().unwrap() = 1;
        assert_eq!(Node::parse(&padded), None);
        assert_eq!(Node::parse(&page[1..]), None);
        // Two entries out of order.
        let swapped = Node::of(0, &[(b"b".to_vec(), vec![]), (b"a".to_vec(), vec![])]);
        assert_eq!(Node::parse(&swapped.to_bytes().unwrap()), None);
    }

    #[test]
    fn whatever_parses_is_written_back_to_the_same_bytes() {
        let mut leaf = Node::empty(0);
        (0..30_u8).for_each(|n| leaf.insert(leaf.len(), &[b'k', n, n], &[n; 50]));
        let mut inner = Node::empty(1);
        (0..30_u8).for_each(|n| inner.insert(inner.len(), &[b'k', n], &u32::from(n).to_be_bytes()));
        let pages = [&leaf, &inner].map(|node| node.to_bytes().unwrap());
        let (mut parsed, mut refused) = (0, 0);
        for at in 0..pages[0].len() {
            for change in [1, 0x0f, 0x80, 0xff] {
                for page in &pages {
                    let mut page = page.clone();
                    page[at] ^= change;
                    match Node::parse(&page) {
                        Some(node) => {
                            assert_eq!(node.to_bytes(), Some(page));
                            (0..node.len()).for_each(|at| assert_eq!(node.search(&node.key(at)), Ok(at)));
                            parsed += 1;
                        }
                        None => refused += 1,
                    }
                }
            }
        }
        assert!(parsed > 1_000 && refused > 1_000, "{parsed} {refused}");
    }

    #[test]
    fn any_overflow_splits_in_two_pages_with_a_shortest_separator() {
        // A thousand bytes in common, then one key without them before or behind: the worst case.
        for odd in [&b"a"[..], b"z"] {
            let mut node = Node::empty(0);
            for n in 0..150_u8 {
                let key = [&[b'm'; 1000][..], &[n]].concat();
                let at = node.search(&key).unwrap_err();
                node.insert(at, &key, b"value");
            }
            assert!(node.bytes() < PAGE_BYTES);
            let at = node.search(odd).unwrap_err();
            node.insert(at, odd, b"value");
            assert_eq!(node.to_bytes(), None);
            let (left, separator, right) = node.split(false).unwrap();
            assert!(left.to_bytes().is_some() && right.to_bytes().is_some());
            assert_eq!((left.len() + right.len(), separator.len()), (151, 1));
            assert_eq!(left.merged(&separator, &right).entries(), node.entries());
        }
        // The largest entries of all.
        let mut node = Node::empty(0);
        for n in 0..3 {
            node.insert(n, &[u8::try_from(n).unwrap(); KEY_BYTES_MAX], &[0; VALUE_BYTES_MAX]);
        }
        assert!(node.split(false).is_some() && node.split(true).is_some());
    }

    #[test]
    fn a_child_whose_keys_are_below_its_hint_can_be_split() {
        let child = |n: u32| n.to_be_bytes().to_vec();
        let mut node = Node::of(1, &[(b"mn".to_vec(), child(1)), (b"t".to_vec(), child(2))]);
        assert_eq!(node.descend(b"a"), 0);
        node.insert_child(0, b"m", 3);
        assert_eq!((0..3).map(|at| node.child(at).unwrap()).collect::<Vec<_>>(), [1, 3, 2]);
        assert_eq!((node.descend(b"a"), node.descend(b"m"), node.descend(b"z")), (0, 1, 2));
        assert!(Node::parse(&node.to_bytes().unwrap()).is_some());
    }
}
