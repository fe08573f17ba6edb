//! Cryptography: the operations that use keys, on data, messages and secrets.

pub(crate) mod data_key;
pub(crate) mod data_key_pair;
mod data_keys;
pub(crate) mod decrypt;
pub(crate) mod encrypt;
pub(crate) mod mac;
pub(crate) mod public_key;
pub(crate) mod random;
pub(crate) mod reencrypt;
pub(crate) mod rsa_cipher;
pub(crate) mod shared_secret;
pub(crate) mod sign;

pub use data_keys::ServiceDataKeys;
