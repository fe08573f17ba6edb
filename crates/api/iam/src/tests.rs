//! Whole calls, signed and answered in XML, against a store in memory.

mod access_keys;
mod accounts;
mod attachments;
mod authorization;
mod boundaries;
mod groups;
mod inline_policies;
mod invariants;
mod oidc_providers;
mod policies;
mod roles;
pub(crate) mod server;
mod sessions;
mod sts;
mod tags;
mod users;
