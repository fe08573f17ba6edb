//! Records as they are stored. Knows no operations.

mod repository;
mod tags;

pub(crate) use repository::{NameRecord, RepositoryRecord, arn};
pub(crate) use tags::check_tags;

/// What repositories, templates and pull requests of an account in a Region are stored under.
pub(crate) fn domain(account: &str, region: &str) -> String {
    [account, "/", region].concat()
}
