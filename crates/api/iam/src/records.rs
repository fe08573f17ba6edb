//! What is stored: each record, its index entries, and the changes that keep them in step. Knows no operation.

pub(crate) mod account;
pub(crate) mod aws_managed;
pub(crate) mod entity;
pub(crate) mod last_use;
pub(crate) mod password;
pub(crate) mod trust;
