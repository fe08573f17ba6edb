//! Objects: put, got, copied, described and removed; their tags and locks.

mod answer;
mod checksum;
mod conditions;
pub(crate) mod delete;
mod described;
pub(crate) mod get;
pub(crate) mod head;
mod locks;
pub(crate) mod put;
mod range;
mod stored;
mod target;
