//! How callers prove who they are: the operations on access keys, passwords, SSH keys and identity providers.

pub(crate) mod access_keys;
pub(crate) mod login_profiles;
pub(crate) mod oidc_providers;
pub(crate) mod password_policy;
pub(crate) mod provider_keys;
pub(crate) mod service_credentials;
pub(crate) mod service_password;
pub(crate) mod ssh_public_keys;
