//! Pages of lists: `Marker` and `MaxItems` in inputs, `IsTruncated` and `Marker` in answers.

use serde::ser::{Serialize, SerializeStruct as _, Serializer};
use service::{Listed, Window};
use wire::shape::Rule;

use crate::values::name;

/// The rules of `Marker`.
pub(crate) const MARKER_LENGTH: Rule = Rule::Length(1, 320);
/// As AWS prints it.
pub(crate) const MARKER_PATTERN: Rule = Rule::Pattern(r"[\u0020-\u00FF]+");
/// The rule of `MaxItems`.
pub(crate) const MAX_ITEMS: Rule = Rule::Range(1, 1000);

/// Items of a page when the caller does not say.
pub(crate) const DEFAULT: usize = 100;

/// Items of a page at most.
const MOST: usize = 1000;

/// How many records one call looks at for those that pass its filter; AWS too may answer a short page that is not
/// the last one.
pub(crate) const SCANNED_MAX: usize = 1000;

wire::shape! {
    /// The input of an operation that lists what has a path.
    pub struct PathListInput {
        "PathPrefix" path_prefix: String, optional, [Rule::Length(1, 512), Rule::Pattern(name::PATH_PREFIX)];
        "Marker" marker: String, optional, [MARKER_LENGTH, MARKER_PATTERN];
        "MaxItems" max_items: u32, optional, [MAX_ITEMS];
    }
}

/// The part of a list that an input's members ask for.
pub(crate) fn window(marker: Option<String>, max_items: Option<u32>) -> Window {
    Window::new(marker, max_items, DEFAULT, MOST)
}

/// Something that answers list.
pub(crate) trait Item: Serialize {
    /// The member of the answer that has the list.
    const LIST: &'static str;
}

/// A page of a list as answers carry it.
pub(crate) struct Page<T>(Listed<T>);

impl<T> From<Listed<T>> for Page<T> {
    fn from(listed: Listed<T>) -> Self {
        Self(listed)
    }
}

impl<T: Item> Serialize for Page<T> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut members = out.serialize_struct("Page", 3)?;
        members.serialize_field(T::LIST, &self.0.items)?;
        members.serialize_field("IsTruncated", &self.0.is_truncated())?;
        members.serialize_field("Marker", &self.0.next)?;
        members.end()
    }
}
