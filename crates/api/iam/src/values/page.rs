//! Pages of lists: `Marker`, `MaxItems`, `IsTruncated`.

use store::{Cursor, ReadTx, Record};
use wire::shape::Rule;

use crate::values::error::IamError;

/// The rules of `Marker`.
pub(crate) const MARKER_LENGTH: Rule = Rule::Length(1, 320);
/// As AWS prints it.
pub(crate) const MARKER_PATTERN: Rule = Rule::Pattern(r"[\u0020-\u00FF]+");
/// The rule of `MaxItems`.
pub(crate) const MAX_ITEMS: Rule = Rule::Range(1, 1000);

/// How many items a page has when the caller does not say.
const DEFAULT: u32 = 100;

/// How many records one call looks at for those that pass its filter; AWS too may answer a short page that is not
/// the last one.
const SCANNED_MAX: usize = 1000;

/// How many records are read at once at least: a filter may let few of them pass.
const READ_MIN: usize = 100;

/// The part of a list that a call asks for.
pub(crate) struct Window {
    marker: Option<String>,
    limit: usize,
}

/// A page of a list, and where the next one begins.
pub(crate) struct Listed<T> {
    pub(crate) items: Vec<T>,
    pub(crate) marker: Option<String>,
}

impl<T> Listed<T> {
    /// Whether there is another page.
    pub(crate) const fn is_truncated(&self) -> bool {
        self.marker.is_some()
    }
}

impl Window {
    /// From the input's members.
    pub(crate) fn new(marker: Option<String>, max_items: Option<u32>) -> Self {
        Self { marker, limit: usize::try_from(max_items.unwrap_or(DEFAULT)).unwrap_or(1).max(1) }
    }

    /// How many items the page that has `taken` still has room for.
    pub(crate) fn room(max_items: Option<u32>, taken: usize) -> u32 {
        max_items.unwrap_or(DEFAULT).saturating_sub(u32::try_from(taken).unwrap_or(u32::MAX))
    }

    /// The marker of the `count`th item of a list that is at hand.
    pub(crate) fn marker_at(count: usize) -> String {
        format!("{count:08}")
    }

    /// The part of a list that is at hand. The marker is a count, since such lists are short.
    ///
    /// # Errors
    /// `ValidationError` for a marker of another list.
    pub(crate) fn cut<T>(self, items: Vec<T>) -> Result<Listed<T>, IamError> {
        let skipped = self.marker.as_deref().map_or(Ok(0), read_count)?;
        let end = skipped.saturating_add(self.limit);
        let marker = (end < items.len()).then(|| Self::marker_at(end));
        Ok(Listed { items: items.into_iter().skip(skipped).take(self.limit).collect(), marker })
    }

    /// The records of `parent` that pass `keep`.
    ///
    /// # Errors
    /// `ValidationError` for a marker of another list.
    pub(crate) fn read<R: Record, T>(
        self,
        tx: &ReadTx<'_>,
        parent: &str,
        id: impl Fn(&R) -> String,
        mut keep: impl FnMut(R) -> Result<Option<T>, IamError>,
    ) -> Result<Listed<T>, IamError> {
        let mut after = self.marker.as_deref().map(Cursor::from_text).transpose()?;
        let mut items = Vec::new();
        let mut scanned = 0;
        loop {
            let page = tx.page::<R>(parent, after.as_ref(), self.limit.max(READ_MIN))?;
            let mut records = page.items.into_iter().peekable();
            while let Some(record) = records.next() {
                let name = id(&record);
                items.extend(keep(record)?);
                if items.len() == self.limit {
                    let more = records.peek().is_some() || page.next.is_some();
                    let marker = more.then(|| tx.cursor_after::<R>(parent, &name).to_text());
                    return Ok(Listed { items, marker });
                }
                scanned += 1;
            }
            after = page.next;
            if after.is_none() || scanned >= SCANNED_MAX {
                return Ok(Listed { items, marker: after.map(|cursor| cursor.to_text()) });
            }
        }
    }
}

fn read_count(marker: &str) -> Result<usize, IamError> {
    marker.parse().map_err(|_| IamError::Validation("Invalid Marker.".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_at_hand_is_cut_into_pages_that_join_up() {
        let mut marker = None;
        let mut pages = Vec::new();
        loop {
            let listed = Window::new(marker, Some(3)).cut((0..7).collect()).expect("a page");
            pages.push(listed.items);
            marker = listed.marker;
            if marker.is_none() {
                break;
            }
        }
        assert_eq!(pages, [vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
    }

    #[test]
    fn a_list_that_just_fits_is_not_truncated() {
        for (count, truncated) in [(0, false), (99, false), (100, false), (101, true)] {
            let listed = Window::new(None, None).cut(vec![(); count]).expect("a page");
            assert_eq!(listed.marker.is_some(), truncated, "{count}");
        }
    }

    #[test]
    fn a_marker_of_something_else_is_refused() {
        let listed = Window::new(Some("made up".to_owned()), None).cut(vec![1]);
        assert!(matches!(listed, Err(IamError::Validation(_))));
    }
}
