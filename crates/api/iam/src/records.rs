//! The stored records: each record, its index entries, and the changes that keep them in step. Knows no operation.

pub(crate) mod access_key;
pub(crate) mod account;
pub(crate) mod attachment;
pub(crate) mod aws_managed;
pub(crate) mod entity;
pub(crate) mod group;
pub(crate) mod inline_policy;
pub(crate) mod instance_profile;
pub(crate) mod last_use;
pub(crate) mod login_profile;
pub(crate) mod managed_policy;
pub(crate) mod membership;
pub(crate) mod oidc_provider;
pub(crate) mod password;
pub(crate) mod principal;
pub(crate) mod role;
pub(crate) mod service_control;
pub(crate) mod service_credential;
pub(crate) mod ssh_key_owner;
pub(crate) mod ssh_public_key;
pub(crate) mod trust;
pub(crate) mod user;
