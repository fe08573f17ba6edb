//! Buckets themselves: made, looked at, listed and deleted.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod head;
pub(crate) mod list;
pub(crate) mod location;
