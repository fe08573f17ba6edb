//! An anchor: a small sealed file that says where the database and the audit log stood. It lies with the root seal, and
//! wherever the operator wants another one, so that putting back database and log alone is noticed.
//!
//! Knows the file and its bytes; what follows from them is `continuity`'s.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crypto::{Key256, kdf, sealed};
use journal::End;
use service::Anchor;

use crate::data_dir::replace_file;
use crate::error::ServerError;

/// How often an anchor is written that says nothing new but where the audit log ends.
const LOG_PERIOD: Duration = Duration::from_secs(10);

const MAGIC: &[u8; 10] = b"SEALANCH\0\x01";

/// Where database and audit log stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoredAnchor {
    pub(crate) database: Anchor,
    pub(crate) log: End,
}

impl StoredAnchor {
    /// Reads the anchor at `path`; `None` if there is no such file.
    ///
    /// # Errors
    /// [`ServerError::Io`]; [`ServerError::Anchor`] for a file that was changed or belongs elsewhere.
    pub(crate) fn read(path: &Path, key: &Key256) -> Result<Option<Self>, ServerError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(ServerError::Io { action: "read", path: path.to_owned(), cause }),
        };
        let refused = || ServerError::Anchor { path: path.to_owned() };
        Self::open(&bytes, key).ok_or_else(refused).map(Some)
    }

    /// Writes it to `path`, whole or not at all.
    ///
    /// # Errors
    /// [`ServerError::Io`].
    pub(crate) fn write(&self, path: &Path, key: &Key256) -> Result<(), ServerError> {
        let fields = [&self.database.to_bytes()[..], &self.log.to_bytes()].concat();
        let sealed = sealed::seal(key, MAGIC, &fields);
        replace_file(path, &[&MAGIC[..], &sealed].concat())
    }

    fn open(bytes: &[u8], key: &Key256) -> Option<Self> {
        let fields = sealed::open(key, MAGIC, bytes.strip_prefix(MAGIC)?).ok()?;
        let (database, log) = fields.expose().split_first_chunk::<64>()?;
        Some(Self { database: Anchor::from_bytes(database)?, log: End::from_bytes(log)? })
    }
}

/// The key that anchors are sealed under.
pub(crate) fn key(audit_key: &Key256) -> Key256 {
    kdf::derive(audit_key, b"sealstack anchor", &[])
}

/// The anchors of a directory, written as database and log go on.
pub(crate) struct Anchors {
    key: Key256,
    paths: Vec<PathBuf>,
    last: Mutex<Option<(StoredAnchor, Instant)>>,
}

impl Anchors {
    pub(crate) fn new(audit_key: &Key256, paths: Vec<PathBuf>) -> Self {
        Self { key: key(audit_key), paths, last: Mutex::new(None) }
    }

    /// Writes the anchors if the database was changed since, or the log a while ago. Blocks.
    ///
    /// # Errors
    /// [`ServerError::Io`], after every anchor was tried.
    pub(crate) fn update(&self, now: StoredAnchor) -> Result<(), ServerError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((before, at)) = &*last
            && before.database == now.database
            && (before.log == now.log || at.elapsed() < LOG_PERIOD)
        {
            return Ok(());
        }
        let mut written = Ok(());
        for path in &self.paths {
            written = written.and(now.write(path, &self.key));
        }
        written?;
        *last = Some((now, Instant::now()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use store::Digest;

    use super::*;

    #[test]
    fn an_anchor_opens_where_it_belongs_and_nowhere_else() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("anchor");
        let keys = [Key256::random(), Key256::random()].map(|audit| key(&audit));
        let stored = StoredAnchor {
            database: Anchor { version: 7, digest: Digest::from_bytes(&[3; 32]), recorded: 5 },
            log: End { journal: [1; 16], segment: 1, offset: 9, sequence: 8, chain: [2; 32], marked: 5 },
        };
        assert_eq!(StoredAnchor::read(&path, &keys[0]).expect("nothing there"), None);
        stored.write(&path, &keys[0]).expect("written");
        assert_eq!(StoredAnchor::read(&path, &keys[0]).expect("it opens"), Some(stored));
        assert!(matches!(StoredAnchor::read(&path, &keys[1]), Err(ServerError::Anchor { .. })), "another directory's");
        let mut bytes = std::fs::read(&path).expect("it");
        for index in 0..bytes.len() {
            bytes[index] ^= 1;
            assert_eq!(StoredAnchor::open(&bytes, &keys[0]), None, "byte {index}");
            bytes[index] ^= 1;
        }
    }
}
