//! Records as they are stored. Knows no operations.

pub(crate) mod comment;
pub(crate) mod merge;
pub(crate) mod pull_request;
mod repository;
pub(crate) mod rule;
mod tags;
pub(crate) mod template;
mod token;
pub(crate) mod trigger;

pub(crate) use repository::{NameRecord, RepositoryRecord, arn};
pub(crate) use tags::{TAGS_MAX, check_key, check_tags};
pub(crate) use token::{TokenOfRecord, TokenRecord, Tokened};

/// The parent key of repositories, templates and pull requests of an account in a Region.
pub(crate) fn domain(account: &str, region: &str) -> String {
    [account, "/", region].concat()
}
