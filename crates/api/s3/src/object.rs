//! Objects: put, got, copied, described and removed; their tags and locks.

mod answer;
pub(crate) mod attributes;
pub(crate) mod checksum;
pub(crate) mod conditions;
pub(crate) mod copy;
pub(crate) mod delete;
pub(crate) mod delete_many;
mod described;
pub(crate) mod get;
pub(crate) mod head;
pub(crate) mod legal_hold;
pub(crate) mod locks;
pub(crate) mod put;
mod range;
pub(crate) mod rename;
pub(crate) mod retention;
mod source;
pub(crate) mod stored;
pub(crate) mod tagging;
mod target;
pub(crate) mod update_encryption;
