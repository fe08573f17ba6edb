//! The external key store proxy API, version 1: what a key service and a proxy before somebody's key manager tell each
//! other. Both sides are spoken here.
//!
//! Owns messages, paths, error names, bounds and integrity values. Refuses to know sockets, keys and who may do what.
//!
//! Source: AWS KMS External Key Store Proxy API Specification.

mod answer;
mod error;
mod integrity;
mod request;
mod route;

pub use answer::{DecryptAnswer, EncryptAnswer, HealthAnswer, KeyManager, KeyStatus, ManagerHealth, MetadataAnswer};
pub use error::{ErrorAnswer, ErrorName};
pub use integrity::{integrity_value, manager_aad};
pub use request::{DecryptRequest, EncryptRequest, HealthRequest, KeyRequest, RequestMetadata};
pub use route::{Action, PATH_END, Route, is_key_id};

/// The service in the scope of the requests' signatures.
pub const SERVICE: &str = "kms-xks-proxy";

/// The one algorithm.
pub const AES_GCM: &str = "AES_GCM";

/// The one hash of integrity values.
pub const SHA_256: &str = "SHA_256";

/// Bytes of a plaintext or ciphertext that every proxy takes.
pub const PLAINTEXT_MAX: usize = 4300;

/// Bytes of associated data that every proxy takes.
pub const AAD_MAX: usize = 8192;

/// Bytes of ciphertext metadata at most.
pub const METADATA_MAX: usize = 20;

/// Bytes of an authentication tag.
pub const TAG_LENGTH: usize = 16;

/// Whether an initialization vector has one of the two lengths that are allowed.
#[must_use]
pub const fn is_vector(bytes: &[u8]) -> bool {
    matches!(bytes.len(), 12 | 16)
}
