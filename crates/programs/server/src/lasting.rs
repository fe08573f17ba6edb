//! What lasts: the root seal, the database under it, and the audit log under the database's keyring. Opened in that
//! order, by the server and by the commands that work without one.

use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;
use std::sync::Arc;

use crypto::{Key256, SecretBytes};
use journal::Journal;
use seal::{Kind, Opened};
use store::{Store, StoreError};

use crate::config::{AuditConfig, SealConfig, SealKind};
use crate::data_dir::{DataDir, Layout};
use crate::error::ServerError;

/// The variable that holds the passphrase, unless a file does.
const PASSPHRASE: &str = "SEALSTACK_SEAL_PASSPHRASE";

/// The variable that holds the passphrase of a seal to be made by a rotation, unless a file does.
const NEW_PASSPHRASE: &str = "SEALSTACK_NEW_SEAL_PASSPHRASE";

/// The keyring's name for the key that the audit log is sealed under.
const AUDIT_KEY: &str = "audit";

/// A disk with less room than this is full: it is what the database needs to be opened at all.
const ROOM_BYTES: u64 = 64 * 1024;

/// The database and the audit log of a server, opened.
pub(crate) struct Lasting {
    pub(crate) store: Store,
    pub(crate) journal: Journal,
    /// What the audit log is sealed under, for reading it.
    pub(crate) audit_key: Arc<Key256>,
}

impl Lasting {
    /// Opens everything in the directory, or makes it.
    pub(crate) async fn open(layout: &Layout, seal: &SealConfig, audit: &AuditConfig) -> Result<Self, ServerError> {
        let (own, seal) = (layout.clone(), seal.clone());
        // Argon2id alone takes a good part of a second, and the database reads and syncs.
        let store = unblocked(move || open_store(&own, &seal)).await?;
        Self::over(store, layout, audit).await
    }

    /// The same in memory, under a root key that nobody else has: when the process ends, so does everything.
    pub(crate) async fn in_memory(layout: &Layout, audit: &AuditConfig) -> Result<Self, ServerError> {
        Self::over(Store::open_in_memory()?, layout, audit).await
    }

    async fn over(store: Store, layout: &Layout, audit: &AuditConfig) -> Result<Self, ServerError> {
        let key = audit_key(&store).await?;
        let config = journal::Config {
            segment_bytes_max: audit.segment_bytes_max,
            segment_hours_max: audit.segment_hours_max,
            retention: journal::Retention { segments: None, bytes: audit.keep_bytes, days: audit.keep_days },
            ..journal::Config::new(layout.audit())
        };
        let opened = Arc::clone(&key);
        let journal = unblocked(move || Ok(Journal::open(config, &opened)?)).await?;
        Ok(Self { store, journal, audit_key: key })
    }

    /// Writes out everything and closes it.
    pub(crate) async fn close(self) -> Result<(), ServerError> {
        let Self { store, journal, .. } = self;
        unblocked(move || {
            let closed = journal.close();
            // Also when the audit log could not be written: each keeps what it can.
            store.checkpoint()?;
            Ok(closed?)
        })
        .await
    }
}

/// Opens the database under its root seal, and makes what is missing. Finishes a rotation that was interrupted.
pub(crate) fn open_store(layout: &Layout, seal: &SealConfig) -> Result<Store, ServerError> {
    let (directory, database) = (layout.seal(), layout.database());
    let sealed = seal::status(&directory)?;
    if sealed.is_none() && database.exists() {
        return Err(ServerError::SealGone { path: directory });
    }
    let config = configured(seal, sealed.map(|status| status.kind), PASSPHRASE)?;
    let opened: Opened = seal::open_or_create(&directory, &config, |old, new| rewrap(&database, old, new))?;
    Store::open(&database, &opened.root).map_err(|error| match error {
        // The engine's own words for a disk without room for its shared memory are about a failing disk.
        StoreError::Io { path, .. } if !has_room(layout.root()) => ServerError::Store(StoreError::Full { path }),
        error => ServerError::Store(error),
    })
}

/// Whether the directory's disk has room for anything.
fn has_room(directory: &Path) -> bool {
    match rustix::fs::statvfs(directory) {
        Ok(found) => found.f_bavail.saturating_mul(found.f_frsize) >= ROOM_BYTES,
        Err(_) => true,
    }
}

/// Replaces the root key and its seal by new ones, as `next` describes, and moves every key under the new one.
///
/// # Errors
/// [`ServerError::NoData`], [`ServerError::Seal`], [`ServerError::NoPassphrase`], [`ServerError::Store`].
pub fn rotate_root(data_dir: &DataDir, seal: &SealConfig, next: &SealConfig) -> Result<Opened, ServerError> {
    let layout = data_dir.layout();
    let (directory, database) = (layout.seal(), layout.database());
    let kind = existing(layout)?.kind;
    let config = configured(seal, Some(kind), PASSPHRASE)?;
    let next = configured(next, Some(config.kind()), NEW_PASSPHRASE)?;
    seal::rotate(&directory, &config, &next, |old, new| rewrap(&database, old, new))
}

/// The key that the audit log of the directory is sealed under. A server may be running there.
///
/// # Errors
/// [`ServerError::NoData`], [`ServerError::Seal`], [`ServerError::NoPassphrase`], [`ServerError::Store`].
pub fn read_audit_key(layout: &Layout, seal: &SealConfig) -> Result<Arc<Key256>, ServerError> {
    // Opening the seal changes it only to finish a rotation, which is for one process at a time.
    let _alone = if existing(layout)?.rotating { Some(DataDir::open(layout.root())?) } else { None };
    let store = open_store(layout, seal)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|cause| ServerError::System { action: "start a runtime", cause })?;
    runtime.block_on(audit_key(&store))
}

/// What the root seal of a directory says, in which a server has been before.
fn existing(layout: &Layout) -> Result<seal::Status, ServerError> {
    let sealed = seal::status(&layout.seal())?;
    sealed.filter(|_| layout.database().exists()).ok_or_else(|| ServerError::NoData { path: layout.root().to_owned() })
}

async fn audit_key(store: &Store) -> Result<Arc<Key256>, ServerError> {
    Ok(store.keyring().key(AUDIT_KEY).await?)
}

fn rewrap(database: &Path, old: &seal::RootKey, new: &seal::RootKey) -> Result<(), ServerError> {
    // Died before the database was made: there is nothing to move.
    if !database.exists() {
        return Ok(());
    }
    Ok(store::rewrap(database, old, new)?)
}

/// The seal as the seal crate takes it, with the passphrase read: of the kind that is configured, or else of the kind
/// that there is, or else a key file.
fn configured(seal: &SealConfig, kind: Option<Kind>, variable: &str) -> Result<seal::SealConfig, ServerError> {
    let kind = seal.kind.map_or(kind.unwrap_or(Kind::KeyFile), |kind| match kind {
        SealKind::KeyFile => Kind::KeyFile,
        SealKind::Passphrase => Kind::Passphrase,
    });
    match kind {
        Kind::KeyFile => Ok(seal::SealConfig::KeyFile { path: seal.file.clone() }),
        Kind::Passphrase => Ok(seal::SealConfig::passphrase(passphrase(seal.passphrase_file.as_deref(), variable)?)),
    }
}

/// The passphrase from its file, less the line's end, or from the variable.
fn passphrase(file: Option<&Path>, variable: &str) -> Result<SecretBytes, ServerError> {
    let Some(path) = file else {
        let value = std::env::var_os(variable);
        let value = value.ok_or_else(|| ServerError::NoPassphrase { variable: variable.to_owned() })?;
        return Ok(SecretBytes::from(value.into_vec()));
    };
    let read = std::fs::read(path).map_err(|cause| ServerError::Io { action: "read", path: path.to_owned(), cause })?;
    let mut passphrase = SecretBytes::from(read);
    let line = passphrase.expose();
    let length = line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line)).len();
    passphrase.truncate(length);
    Ok(passphrase)
}

async fn unblocked<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ServerError> + Send + 'static,
) -> Result<T, ServerError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(ServerError::System { action: "finish a task", cause: std::io::Error::other(error) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_from_a_file_ends_with_its_line() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("passphrase");
        for (content, expected) in [
            ("correct horse", "correct horse"),
            ("correct horse\n", "correct horse"),
            ("correct horse\r\n", "correct horse"),
            ("two\nlines\n", "two\nlines"),
            (" spaces \n", " spaces "),
        ] {
            std::fs::write(&path, content).expect("a file");
            assert_eq!(passphrase(Some(&path), "UNUSED").expect("read").expose(), expected.as_bytes());
        }
    }

    #[test]
    fn a_database_without_its_seal_is_not_given_a_new_one() {
        let dir = tempfile::tempdir().expect("a directory");
        let layout = Layout::new(dir.path().to_owned());
        let seal = SealConfig::default();
        open_store(&layout, &seal).expect("made");
        open_store(&layout, &seal).expect("opened");
        std::fs::remove_dir_all(layout.seal()).expect("removed");
        assert!(matches!(open_store(&layout, &seal), Err(ServerError::SealGone { .. })));
        assert!(!layout.seal().exists());
    }
}
