//! Keys as such: the operations that create, describe, change and delete them.

pub(crate) mod create;
pub(crate) mod deletion;
pub(crate) mod describe;
pub(crate) mod description;
pub(crate) mod enable;
pub(crate) mod last_usage;
pub(crate) mod list;
pub(crate) mod policy;
pub(crate) mod primary_region;
pub(crate) mod replicate;
pub(crate) mod tag;
