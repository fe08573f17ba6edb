//! Reports on an account, and simulations of its policies. Changes nothing.

pub(crate) mod account_summary;
pub(crate) mod authorization_details;
pub(crate) mod credential_report;
pub(crate) mod last_access;
pub(crate) mod service_access;
pub(crate) mod simulation;
