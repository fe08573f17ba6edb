//! The only home of primitives and secret bytes: nothing else in the workspace names a crypto provider.
//!
//! Owns how keys are stored in memory, made, derived and used. Refuses to know what any key is for, where it is stored,
//! and what time it is.

pub mod aead;
mod aws_lc;
mod der;
mod digest;
pub mod ecdh;
mod ed25519;
mod error;
pub mod hardening;
pub mod hex;
pub mod hkdf;
pub mod jws;
pub mod kdf;
pub mod kem;
pub mod key_wrap;
mod locked;
mod mac;
mod ml_dsa;
mod pair;
pub mod password;
mod random;
mod root;
pub mod rsa;
pub mod sealed;
mod secret;
pub mod shamir;
pub mod signature;
pub mod signing;
pub mod tls;

pub use digest::{Hash, Sha1, Sha1Checked, Sha256, Sha384, Sha512, sha256, sha384};
pub use error::CryptoError;
pub use locked::{LockedMemory, locked_memory};
pub use mac::{HmacKey, MacKey, constant_time_eq};
pub use pair::{KeyPair, PairKind};
pub use random::{random_bytes, random_nonce};
pub use root::{RootKey, RootKeyId};
pub use secret::{Key256, SecretBytes, wipe};
