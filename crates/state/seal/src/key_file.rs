//! The key file: one line of base64 for the owner's eyes only.
//!
//! While the file is being replaced its successor stands beside it with the suffix `.next`, so a key is looked for in
//! both places.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::{Key256, SecretBytes};

use crate::{KeySeal, SealError, files};

/// The length of a line in bytes.
const LINE_BYTES: usize = 45;

/// More than any editor adds to a line.
const BYTES_MAX: usize = 256;

/// Where the successor of the key file stands.
pub(crate) fn next_path(path: &Path) -> PathBuf {
    files::with_suffix(path, ".next")
}

/// The key in a file; `None` if there is no file.
pub(crate) fn read(path: &Path) -> Result<Option<KeySeal>, SealError> {
    let Some(content) = files::read(path, BYTES_MAX)? else { return Ok(None) };
    let refused = || SealError::NotKeyFile { path: path.to_owned() };
    // Room for what the decoder reckons with at most.
    let mut key = SecretBytes::from(vec![0; BYTES_MAX]);
    let decoded = STANDARD.decode_slice(content.expose().trim_ascii(), key.expose_mut());
    key.truncate(decoded.map_err(|_| refused())?);
    Key256::from_slice(key.expose()).map(|key| Some(KeySeal(key))).map_err(|_| refused())
}

/// Makes a key and writes it to a file.
pub(crate) fn make(path: &Path) -> Result<KeySeal, SealError> {
    let key = Key256::random();
    let mut line = SecretBytes::from(vec![b'\n'; LINE_BYTES]);
    // It fits: 32 bytes are 44 characters.
    let encoded = STANDARD.encode_slice(key.expose(), line.expose_mut());
    debug_assert_eq!(encoded, Ok(LINE_BYTES - 1));
    files::write(path, line.expose())?;
    Ok(KeySeal(key))
}
