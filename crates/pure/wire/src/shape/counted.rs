//! Lists and maps as they are decoded: so many elements, and how many there were.
//!
//! What is over the limit is read past and takes no memory. Knows no rules: the limit is given.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::COUNT_MAX;

/// A list or map of which no more than a limit was decoded.
#[derive(Debug, PartialEq, Eq)]
pub struct Counted<C> {
    /// The first elements, up to the limit.
    pub kept: C,
    /// How many elements were sent.
    pub count: usize,
}

impl<W> Counted<Vec<W>> {
    pub(super) fn list<'de, D: Deserializer<'de>>(from: D, count_max: usize) -> Result<Self, D::Error>
    where
        W: Deserialize<'de>,
    {
        from.deserialize_seq(Counting::<Vec<W>> { count_max, kept: PhantomData })
    }
}

impl Counted<BTreeMap<String, String>> {
    pub(super) fn map<'de, D: Deserializer<'de>>(from: D, count_max: usize) -> Result<Self, D::Error> {
        from.deserialize_map(Counting::<BTreeMap<String, String>> { count_max, kept: PhantomData })
    }
}

impl<'de, W: Deserialize<'de>> Deserialize<'de> for Counted<Vec<W>> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::list(from, COUNT_MAX)
    }
}

impl<'de> Deserialize<'de> for Counted<BTreeMap<String, String>> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::map(from, COUNT_MAX)
    }
}

struct Counting<C> {
    count_max: usize,
    kept: PhantomData<C>,
}

impl<'de, W: Deserialize<'de>> Visitor<'de> for Counting<Vec<W>> {
    type Value = Counted<Vec<W>>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut kept = Vec::new();
        while kept.len() < self.count_max {
            match elements.next_element()? {
                Some(element) => kept.push(element),
                None => return Ok(Counted { count: kept.len(), kept }),
            }
        }
        let mut count = kept.len();
        while elements.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Counted { kept, count })
    }
}

impl<'de> Visitor<'de> for Counting<BTreeMap<String, String>> {
    type Value = Counted<BTreeMap<String, String>>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut kept = BTreeMap::new();
        while kept.len() < self.count_max {
            match entries.next_entry()? {
                Some((key, value)) => kept.insert(key, value),
                None => return Ok(Counted { count: kept.len(), kept }),
            };
        }
        let mut count = kept.len();
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Counted { kept, count })
    }
}
