//! Whole calls, signed and answered in XML, against a store in memory.

mod access_keys;
mod account;
mod accounts;
mod attachments;
mod authorization;
mod boundaries;
mod credentials;
mod groups;
mod inline_policies;
mod invariants;
mod oidc_providers;
mod policies;
mod roles;
mod last_administrator;
pub(crate) mod server;
mod simulation;
mod sessions;
mod sts;
mod tags;
mod users;
mod web_identity;
