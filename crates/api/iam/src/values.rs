//! The values that records and operations are made of: names, ids, tags, documents, pages, errors. Knows no record.

pub(crate) mod answer;
pub(crate) mod document;
pub(crate) mod error;
pub(crate) mod kind;
pub(crate) mod name;
pub(crate) mod page;
pub(crate) mod policy_arn;
pub(crate) mod secret;
pub(crate) mod tag;
pub(crate) mod unique_id;
