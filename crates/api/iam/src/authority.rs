//! Every call's authentication and authorisation, over caches that changes invalidate.

pub(crate) mod authenticate;
pub(crate) mod authorize;
pub(crate) mod epoch;
pub(crate) mod explanation;
pub(crate) mod git;
pub(crate) mod passing;
pub(crate) mod principal;
pub(crate) mod proof;
pub(crate) mod refusal;
pub(crate) mod session;
pub(crate) mod ssh;
