//! Lists and maps as they are decoded: so many elements, and how many there were.
//!
//! Elements over the limit are skipped and take no memory. Knows no rules: the limit is given.

use std::collections::BTreeMap;

use super::{COUNT_MAX, Member};
use crate::reader::{Malformed, Reader};

/// A list or map of which no more than a limit was decoded.
#[derive(Debug, PartialEq, Eq)]
pub struct Counted<C> {
    /// The first elements, up to the limit.
    pub kept: C,
    /// How many elements were sent.
    pub count: usize,
}

impl<W> Counted<Vec<W>> {
    pub(super) const fn new() -> Self {
        Self { kept: Vec::new(), count: 0 }
    }

    /// Reads one element more.
    pub(super) fn push<T: Member<Wire = W>>(
        &mut self,
        reader: &mut Reader<'_>,
        count_max: usize,
    ) -> Result<(), Malformed> {
        if self.kept.len() < count_max {
            self.kept.push(T::read(reader, COUNT_MAX)?);
        } else {
            reader.skip()?;
        }
        self.count += 1;
        Ok(())
    }
}

impl Counted<BTreeMap<String, String>> {
    pub(super) fn read(reader: &mut Reader<'_>, count_max: usize) -> Result<Self, Malformed> {
        let mut open = reader.open_map()?;
        let (mut kept, mut over) = (BTreeMap::new(), 0);
        while let Some(key) = reader.next_key(&mut open)? {
            if kept.len() < count_max {
                kept.insert(key.into_owned(), reader.text()?.into_owned());
            } else {
                reader.skip()?;
                over += 1;
            }
        }
        Ok(Self { count: kept.len() + over, kept })
    }
}
