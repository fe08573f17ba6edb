//! How callers prove who they are: the operations on access keys, passwords, SSH keys and identity providers.

pub(crate) mod access_key;
pub(crate) mod login_profile;
pub(crate) mod oidc_provider;
pub(crate) mod password_policy;
pub(crate) mod provider_keys;
pub(crate) mod service_credential;
pub(crate) mod ssh_public_key;
