//! Policies and who has them: the operations on managed and inline policies, attachments and boundaries.

pub(crate) mod attachment;
pub(crate) mod boundary;
pub(crate) mod inline_policy;
pub(crate) mod last_administrator;
pub(crate) mod managed_policy;
pub(crate) mod policy_entities;
pub(crate) mod policy_list;
pub(crate) mod policy_source;
pub(crate) mod policy_version;
