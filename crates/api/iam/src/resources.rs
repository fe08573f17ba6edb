//! The resources that operations act on: how an input names one, how it is found, and what the caller must hold. Knows no
//! operation.

pub(crate) mod at;
pub(crate) mod inputs;
pub(crate) mod named;
pub(crate) mod policy;
pub(crate) mod provider;
pub(crate) mod subject;
