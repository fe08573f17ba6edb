//! The credentials that the proxy accepts: files in the form that AWS's console takes, read again when they change.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use front::private_file;
use serde::{Deserialize, Serialize};
use wire::SecretText;

use crate::error::ProxyError;

/// Letters and digits of an access key's id.
const ID_ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A credential file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CredentialFile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    xks_proxy_uri_path: Option<String>,
    xks_proxy_authentication_credential: Credential,
}

/// Who may ask.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Credential {
    access_key_id: String,
    raw_secret_access_key: SecretText,
}

/// Every credential that is accepted now.
pub(super) struct Credentials {
    files: Vec<PathBuf>,
    current: RwLock<Current>,
}

struct Current {
    known: Arc<Vec<Credential>>,
    modified: Vec<Option<SystemTime>>,
}

impl Credentials {
    /// Reads the files.
    pub(super) fn read(files: Vec<PathBuf>) -> Result<Self, ProxyError> {
        let current = RwLock::new(obtain(&files)?);
        Ok(Self { files, current })
    }

    /// Reads the files again if any has changed. Returns how often it did. Files that cannot be read change nothing.
    pub(super) fn renew(&self) -> Result<usize, ProxyError> {
        let modified = modified(&self.files);
        if self.current.read().unwrap_or_else(PoisonError::into_inner).modified == modified {
            return Ok(0);
        }
        let next = obtain(&self.files)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(1)
    }

    /// Calls `with` with the secret of an access key.
    pub(super) fn secret<T>(&self, access_key_id: &str, with: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let known = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).known);
        let found = known.iter().find(|known| known.access_key_id == access_key_id);
        found.map(|found| with(found.raw_secret_access_key.0.as_bytes()))
    }
}

fn modified(files: &[PathBuf]) -> Vec<Option<SystemTime>> {
    files.iter().map(|file| std::fs::metadata(file).and_then(|found| found.modified()).ok()).collect()
}

fn obtain(files: &[PathBuf]) -> Result<Current, ProxyError> {
    // Before they are read: a change that comes in between is seen the next time.
    let modified = modified(files);
    let mut known = Vec::new();
    for file in files {
        let text = private_file::read(file)?;
        let malformed = |reason| ProxyError::CredentialFile { file: file.clone(), reason };
        let read: CredentialFile = serde_json::from_slice(text.expose()).map_err(|_| {
            malformed("expected XksProxyAuthenticationCredential with AccessKeyId and RawSecretAccessKey")
        })?;
        let credential = read.xks_proxy_authentication_credential;
        let id = credential.access_key_id.as_bytes();
        if !(20..=30).contains(&id.len()) || !id.iter().all(|byte| ID_ALPHABET.contains(byte)) {
            return Err(malformed("AccessKeyId has to be 20 to 30 letters from A to Z and digits from 2 to 7"));
        }
        if !(43..=64).contains(&credential.raw_secret_access_key.0.len()) {
            return Err(malformed("RawSecretAccessKey has to be 43 to 64 characters"));
        }
        known.push(credential);
    }
    Ok(Current { known: Arc::new(known), modified })
}

/// Makes a credential file that only its owner can read.
pub(super) fn create(path: &Path, base: &str) -> Result<(), ProxyError> {
    let mut random = zeroize::Zeroizing::new([0_u8; 52]);
    crypto::random_bytes(random.as_mut_slice());
    let (id, secret) = random.split_at(20);
    let letter = |byte: &u8| ID_ALPHABET.get(usize::from(byte & 31)).copied().map_or('A', char::from);
    let raw_secret_access_key = serde_json::to_value(wire::SecretBlob(zeroize::Zeroizing::new(secret.to_vec())));
    let raw_secret_access_key = raw_secret_access_key.ok().and_then(|value| value.as_str().map(str::to_owned));
    let file = CredentialFile {
        xks_proxy_uri_path: Some(base.to_owned()),
        xks_proxy_authentication_credential: Credential {
            access_key_id: id.iter().map(letter).collect(),
            raw_secret_access_key: SecretText(zeroize::Zeroizing::new(raw_secret_access_key.unwrap_or_default())),
        },
    };
    let failed = |cause| ProxyError::Create { path: path.to_owned(), cause };
    let mut text = crypto::SecretBytes::with_capacity(512);
    serde_json::to_writer_pretty(&mut text, &file).map_err(|error| failed(error.into()))?;
    text.extend(b"\n");
    let mut options = std::fs::OpenOptions::new();
    let mut out = options.write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    out.write_all(text.expose()).and_then(|()| out.sync_all()).map_err(failed)
}
