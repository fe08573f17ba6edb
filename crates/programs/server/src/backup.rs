//! Backups: one file with everything that a server keeps but the secret that opens it.
//!
//! A backup is a tar archive. First comes `about.json`, then the root seal's header, the database as it was at one
//! moment, the audit log, what the operator put beside them, and the blobs of the data directory, sealed as they are; at
//! the end `manifest.json`, which lists length and
//! SHA-256 of each, and `manifest.tag`, a MAC of it under a key of the keyring. Everything that is secret in it is sealed
//! as in the data directory. A key file is not in it, nor is `aws/credentials`.
//!
//! Blobs that lie elsewhere are not in it: the manifest says where, and the database which they are.

mod contents;
mod create;
mod error;
mod manifest;
mod restore;
#[cfg(test)]
mod tests;

pub use create::{Made, create};
pub use error::BackupError;
pub use restore::{Restored, restore};

use crypto::{HmacKey, Key256};

/// The keyring's name for the key that authenticates backups.
pub(crate) const KEY: &str = "backup";

/// The format of an archive with blobs, or with a place for them elsewhere.
const FORMAT: u32 = 2;

/// The format of any other archive.
const FORMAT_WITHOUT_BLOBS: u32 = 1;

/// The archive's first member.
const ABOUT: &str = "about.json";

/// The list of all other members.
const MANIFEST: &str = "manifest.json";

/// The MAC of the list, the archive's last member.
const TAG: &str = "manifest.tag";

/// Computes the tag of the manifest with this SHA-256 digest.
pub(crate) fn tag(key: &Key256, manifest_digest: &[u8; 32]) -> [u8; 32] {
    HmacKey::new(key.expose()).sign(&[b"sealstack backup manifest 1\0", manifest_digest])
}

/// Receives progress: bytes done, and bytes in all as far as they are known.
pub type Progress<'a> = &'a mut dyn FnMut(u64, Option<u64>);
