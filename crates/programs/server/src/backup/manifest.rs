//! What a backup says of itself: `about.json` at its beginning, `manifest.json` at its end.

use serde::{Deserialize, Serialize};

use super::{BackupError, FORMAT};

/// What comes first.
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

/// What comes last but its tag: every member between.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) members: Vec<Listed>,
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
    pub(super) fn now(made: String) -> Self {
        Self { what: WHAT.to_owned(), format: FORMAT, made, program: env!("CARGO_PKG_VERSION").to_owned() }
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
        Self { name: name.to_owned(), bytes, sha256: hex(digest) }
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            out.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    out
}

/// The 32 bytes of 64 hexadecimal digits.
pub(crate) fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut out = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, digits) in out.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(out)
}
