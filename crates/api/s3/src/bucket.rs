//! Buckets themselves: made, looked at, listed and deleted, and what is left of them.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod head;
pub(crate) mod list;
pub(crate) mod location;
mod purge;
