//! Objects: put, got, copied, described and removed; their tags and locks.

mod answer;
pub(crate) mod checksum;
mod conditions;
pub(crate) mod delete;
pub(crate) mod delete_many;
mod described;
pub(crate) mod get;
pub(crate) mod head;
pub(crate) mod legal_hold;
mod locks;
pub(crate) mod put;
mod range;
pub(crate) mod retention;
mod stored;
pub(crate) mod tagging;
mod target;
