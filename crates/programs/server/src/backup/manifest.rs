//! Descriptions in a backup: `about.json` at its beginning, `manifest.json` at its end.

use crypto::hex;
use serde::{Deserialize, Serialize};

use super::{BackupError, FORMAT, FORMAT_WITHOUT_BLOBS};

/// The first member, `about.json`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct About {
    /// Always `sealstack backup`.
    what: String,
    format: u32,
    /// When it was made, ISO 8601.
    pub(super) made: String,
    /// The version of the program that made it.
    program: String,
}

/// The last member but its tag, `manifest.json`: lists every member between.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) members: Vec<Listed>,
    /// Where the blobs lie that the database refers to and that are not in the backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) blobs_elsewhere: Option<String>,
}

/// A member.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) bytes: u64,
    /// Its digest, hexadecimal.
    pub(super) sha256: String,
}

const WHAT: &str = "sealstack backup";

impl About {
    /// `blobs`: whether there are any, or a place for them elsewhere, of which earlier versions know nothing.
    pub(super) fn now(made: String, blobs: bool) -> Self {
        let format = if blobs { FORMAT } else { FORMAT_WITHOUT_BLOBS };
        Self { what: WHAT.to_owned(), format, made, program: env!("CARGO_PKG_VERSION").to_owned() }
    }

    /// Reads the first member of a file that is said to be a backup.
    pub(super) fn read(json: &[u8]) -> Result<Self, BackupError> {
        let about: Self = serde_json::from_slice(json).map_err(|_| BackupError::Foreign)?;
        match about {
            Self { what, .. } if what != WHAT => Err(BackupError::Foreign),
            Self { format, .. } if format > FORMAT => Err(BackupError::Newer { found: format, known: FORMAT }),
            about => Ok(about),
        }
    }
}

impl Listed {
    pub(super) fn new(name: &str, bytes: u64, digest: &[u8; 32]) -> Self {
        Self { name: name.to_owned(), bytes, sha256: hex::encode(digest) }
    }
}
