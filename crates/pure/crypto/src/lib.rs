//! The only home of primitives and secret bytes: nothing else in the workspace names a crypto provider.
//!
//! Owns how keys are kept in memory, made, derived and used. Refuses to know what any key is for, where it is stored,
//! and what time it is.

pub mod aead;
mod digest;
pub mod ecdh;
mod error;
pub mod hardening;
pub mod hkdf;
pub mod jws;
pub mod kdf;
mod locked;
mod mac;
pub mod password;
mod random;
mod root;
pub mod rsa;
pub mod sealed;
mod secret;
pub mod signature;
pub mod tls;

pub use digest::{Sha256, Sha384, sha256, sha384};
pub use error::CryptoError;
pub use locked::{LockedMemory, locked_memory};
pub use mac::{HmacKey, constant_time_eq};
pub use random::random_bytes;
pub use root::{RootKey, RootKeyId};
pub use secret::{Key256, SecretBytes};
