//! Accounts as a whole: the first start, the operator's actions, seeds, aliases and service control policies.

pub(crate) mod account_alias;
pub(crate) mod bootstrap;
pub(crate) mod operator;
pub(crate) mod seed;
pub(crate) mod service_control;
