//! Policies and who has them: the operations on managed and inline policies, attachments and boundaries.

pub(crate) mod attachments;
pub(crate) mod boundaries;
pub(crate) mod entities;
pub(crate) mod inline_policies;
pub(crate) mod last_administrator;
pub(crate) mod list;
pub(crate) mod managed_policies;
pub(crate) mod source;
pub(crate) mod versions;
