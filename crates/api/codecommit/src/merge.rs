//! Merges: what they would come to, conflicts hunk by hunk, and merges of branches and pull requests.

mod attempt;
pub(crate) mod branches;
mod conflict;
pub(crate) mod describe;
pub(crate) mod options;
pub(crate) mod pull_requests;
mod resolution;
pub(crate) mod unreferenced;

pub(crate) use attempt::{DetailLevel, Settings, Sides, Strategy};
pub(crate) use resolution::{ConflictResolution, Resolved};

use git_object::ObjectId;

/// The branch that a specifier of a destination names, if it is no id.
fn branch_of(specifier: &str) -> Option<&str> {
    let name = specifier.strip_prefix("refs/heads/").unwrap_or(specifier);
    crate::content::object_id(specifier).is_none().then_some(name)
}

/// A text for an id that may not be there.
fn text_of(id: Option<ObjectId>) -> Option<String> {
    id.map(|id| id.to_string())
}
