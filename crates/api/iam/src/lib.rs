//! IAM and STS: who there is in an account, what they may do, and how they prove who they are.
//!
//! Owns users, groups, roles, policies and credentials; authenticates every call and decides whether it may be made.
//! Refuses to know what the other services' resources are: they hand in their policies with each need.

mod access_key;
mod account;
mod account_alias;
mod account_summary;
mod attachment;
mod authenticate;
mod authorization_details;
mod authorize;
mod aws_managed;
mod bootstrap;
mod boundary;
mod credential_report;
mod directory;
mod document;
mod entity;
mod epoch;
mod error;
mod explanation;
mod group;
mod inline_policy;
mod instance_profile;
mod last_access;
mod last_administrator;
mod last_use;
mod login_profile;
mod managed_policy;
mod membership;
mod name;
mod oidc_provider;
mod operations;
mod operator;
mod page;
mod passing;
mod password;
mod password_policy;
mod policy_arn;
mod policy_entities;
mod policy_list;
mod policy_source;
mod policy_version;
mod principals;
mod proof;
mod provider_keys;
mod refusal;
mod role;
mod secret;
mod seed;
mod service_access;
mod service_control;
mod service_credential;
mod service_linked_role;
mod session;
mod simulation;
mod ssh_login;
mod ssh_public_key;
mod sts;
mod tag;
mod tagging;
mod trust;
mod unique_id;
mod user;

pub use account::{Account, accounts};
pub use bootstrap::{FirstAdministrator, bootstrap, end_first_start, unfinished_first_start};
pub use directory::Iam;
pub use error::{Conflict, IamError, Quota};
pub use name::Kind;
pub use operator::{Handover, create_account, recover};
pub use secret::SecretAccessKey;
pub use seed::{SeedAccessKey, SeedAccount, SeedGroup, SeedPolicy, SeedRole, SeedUser, seed};
pub use service_control::{clear_service_control, service_control, set_service_control};
pub use sts::Sts;

#[cfg(test)]
mod tests;
