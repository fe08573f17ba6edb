//! Whole calls, signed and answered in XML, against a store in memory.

mod access_keys;
mod account;
mod accounts;
mod attachments;
mod authorization;
mod boundaries;
mod conditions;
mod credentials;
mod groups;
mod inline_policies;
mod invariants;
mod last_administrator;
mod matrix;
mod oidc_providers;
mod policies;
mod refusals;
mod reports;
mod roles;
pub(crate) mod server;
mod sessions;
mod simulation;
mod sts;
mod tags;
mod users;
mod web_identity;
