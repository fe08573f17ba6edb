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
pub(crate) mod range;
pub(crate) mod rename;
pub(crate) mod retention;
pub(crate) mod source;
pub(crate) mod stored;
pub(crate) mod tagging;
pub(crate) mod target;
pub(crate) mod update_encryption;
