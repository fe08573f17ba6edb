//! Grants: the operations that create, list and end them.

pub(crate) mod create;
pub(crate) mod list;
pub(crate) mod retire;
