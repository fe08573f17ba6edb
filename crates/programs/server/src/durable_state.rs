//! Durable state: the root seal, the database under it, and the audit log under the database's keyring. Opened in that
//! order, by the server and by the commands that work without one.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crypto::Key256;
use journal::{Journal, Order};
use seal::{Kind, Opened};
use serde::{Deserialize, Serialize};
use service::{OperatorEvent, Trail};
use store::{Store, StoreError};
use wire::Timestamp;

use crate::anchor_file::{Anchors, StoredAnchor};
use crate::config::{AuditConfig, SealConfig};
use crate::continuity::Evidence;
use crate::data_dir::{DataDir, Layout};
use crate::error::ServerError;
use crate::steady::Steady;
use crate::{clock, root_seal};

/// The keyring's name for the key that the audit log is sealed under.
const AUDIT_KEY: &str = "audit";

/// A disk with less room than this is full: it is what the database needs to be opened at all.
const ROOM_BYTES: u64 = 64 * 1024;

/// The database and the audit log of a server, opened.
pub(crate) struct DurableState {
    pub(crate) store: Store,
    pub(crate) journal: Journal,
    /// The audit trail, which is stored in the journal and takes over what the database records.
    pub(crate) trail: Trail,
    /// The key that the audit log is sealed under, for reading it.
    pub(crate) audit_key: Arc<Key256>,
    /// The time by which things are destroyed.
    pub(crate) steady: Arc<Steady>,
    /// None in memory.
    anchors: Option<Arc<Anchors>>,
}

/// Says that the root key and its seal were replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotated {
    /// Which root key it is now.
    pub root_key_id: String,
    /// How many there have been.
    pub generation: u32,
    /// How it is sealed.
    pub kind: Kind,
    /// How the server that runs is configured to find it sealed, if it is.
    pub configured: Option<Kind>,
}

impl DurableState {
    /// Opens everything in the directory, or makes it.
    pub(crate) async fn open(
        layout: &Layout,
        seal: &Arc<seal::SealConfig>,
        audit: &AuditConfig,
    ) -> Result<Self, ServerError> {
        let (own, seal) = (layout.clone(), Arc::clone(seal));
        // Argon2id alone takes a good part of a second, and the database reads and syncs.
        let (store, opened) = unblocked(move || open_both(&own, &seal)).await?;
        let key = audit_key(&store).await?;
        let (own, compared, elsewhere) = (layout.clone(), store.clone(), audit.anchor.clone());
        let known = Arc::clone(&key);
        unblocked(move || Evidence::gather(&compared, &own, &known, elsewhere.as_deref())?.verify()).await?;
        let anchors = Arc::new(Anchors::new(&key, layout.anchors(audit.anchor.as_deref())));
        let durable_state = Self::over(store, key, layout, audit, Some(anchors)).await?;
        if opened.finished {
            let rotated = Rotated::from(&opened);
            durable_state.record("FinishRootSealRotation", own_uid(), Some(&rotated.parameters()), None).await?;
        }
        Ok(durable_state)
    }

    /// The same in memory, under a root key that nobody else has: when the process ends, so does everything.
    pub(crate) async fn in_memory(layout: &Layout, audit: &AuditConfig) -> Result<Self, ServerError> {
        let store = Store::open_in_memory()?;
        let key = audit_key(&store).await?;
        Self::over(store, key, layout, audit, None).await
    }

    async fn over(
        store: Store,
        key: Arc<Key256>,
        layout: &Layout,
        audit: &AuditConfig,
        anchors: Option<Arc<Anchors>>,
    ) -> Result<Self, ServerError> {
        // Before the journal is opened: what is written from here on proves nothing.
        let steady = Arc::new(Steady::open(store.clone(), last_recorded(layout.audit(), &key)).await?);
        let config = journal::Config {
            segment_bytes_max: audit.segment_bytes_max,
            segment_hours_max: audit.segment_hours_max,
            retention: journal::Retention {
                segments: None,
                bytes: audit.keep_bytes(layout.root()),
                days: audit.keep_days,
            },
            retention_clock: Some(steady.of_retention()),
            ..journal::Config::new(layout.audit())
        };
        let audit_key = Arc::clone(&key);
        let journal = unblocked(move || Ok(Journal::open(config, &key)?)).await?;
        let trail = Trail::new(journal.clone());
        let durable_state = Self { store, journal, trail, audit_key, steady, anchors };
        // Before the database says that it has met this log: from then on the anchor has to be there.
        let standing = durable_state.store.clone();
        let standing = unblocked(move || Ok(standing.standing()?)).await?;
        store::Outlet::committed(&durable_state.trail, &standing);
        durable_state.update_anchors().await?;
        durable_state.store.attach(Arc::new(durable_state.trail.clone()));
        Ok(durable_state)
    }

    /// The writer of the anchors; `None` if everything is in memory.
    pub(crate) fn anchoring(&self) -> Option<Anchoring> {
        let anchors = self.anchors.clone()?;
        Some(Anchoring { anchors, trail: self.trail.clone(), journal: self.journal.clone() })
    }

    async fn update_anchors(&self) -> Result<(), ServerError> {
        match self.anchoring() {
            Some(anchoring) => anchoring.update().await,
            None => Ok(()),
        }
    }

    /// Replaces the root key and its seal by new ones, as `next` describes, and moves every key under the new one while
    /// the database is in use. `uid` is the user who wants it.
    pub(crate) async fn rotate_root(
        &self,
        layout: &Layout,
        current: &Arc<seal::SealConfig>,
        next: seal::SealConfig,
        uid: u32,
    ) -> Result<Rotated, ServerError> {
        let wanted = format!(r#"{{"from":"{}","to":"{}"}}"#, name(current.kind()), name(next.kind()));
        // Before anything changes: what cannot be audited does not happen.
        self.record("BeginRootSealRotation", uid, Some(&wanted), None).await?;
        let (directory, store, current) = (layout.seal(), self.store.clone(), Arc::clone(current));
        let rotated = unblocked(move || {
            let next = root_seal::resolved(next)?;
            let opened = seal::rotate(&directory, &current, &next, |old, new| {
                Ok::<_, ServerError>(store.keyring().rewrap(old, new)?)
            })?;
            // The database's log still has the keys as they were wrapped before.
            if let Err(error) = store.checkpoint() {
                tracing::warn!(%error, "keys wrapped under the old root key stay in the database's log for a while");
            }
            Ok(Rotated::from(&opened))
        })
        .await;
        match &rotated {
            Ok(rotated) => self.record("RotateRootSeal", uid, Some(&rotated.parameters()), None).await?,
            Err(error) => self.record("RotateRootSeal", uid, Some(&wanted), Some(&error.to_string())).await?,
        }
        rotated
    }

    /// Records an operator's action in the audit log, durably.
    pub(crate) async fn record(
        &self,
        name: &str,
        uid: u32,
        parameters: Option<&str>,
        error: Option<&str>,
    ) -> Result<(), ServerError> {
        let action = OperatorEvent { time: clock::now(), name, uid, parameters, error };
        Ok(self.trail.record_operator(&action).await?)
    }

    /// Writes out everything and closes it.
    pub(crate) async fn close(self) -> Result<(), ServerError> {
        // What the database recorded last goes to the log before the anchors say where both stand.
        if self.store.tidy().await.is_ok() && self.journal.sync().await.is_ok() {
            let tidied = self.store.tidy().await;
            if let Err(error) = tidied.map_err(ServerError::from).and(self.update_anchors().await) {
                tracing::warn!(%error, "the anchors do not say where the database stands now");
            }
        }
        let Self { store, journal, .. } = self;
        unblocked(move || {
            let closed = journal.close();
            // Also when the audit log could not be written: each stores what it can.
            store.checkpoint()?;
            Ok(closed?)
        })
        .await
    }
}

/// Writes the anchors of a database and a log that are in use.
#[derive(Clone)]
pub(crate) struct Anchoring {
    anchors: Arc<Anchors>,
    trail: Trail,
    journal: Journal,
}

impl Anchoring {
    /// Writes them, if there is anything new.
    pub(crate) async fn update(&self) -> Result<(), ServerError> {
        let Some(database) = self.trail.database() else { return Ok(()) };
        let (anchors, log) = (Arc::clone(&self.anchors), self.journal.durable_end());
        unblocked(move || anchors.update(StoredAnchor { database, log })).await
    }
}

impl From<&Opened> for Rotated {
    fn from(opened: &Opened) -> Self {
        let (generation, kind) = (opened.generation, opened.kind);
        Self { root_key_id: opened.root.id().to_string(), generation, kind, configured: None }
    }
}

impl Rotated {
    fn parameters(&self) -> String {
        let (kind, id) = (name(self.kind), &self.root_key_id);
        format!(r#"{{"generation":{},"rootKeyId":"{id}","seal":"{kind}"}}"#, self.generation)
    }
}

/// The kind of seal as the configuration calls it.
const fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::KeyFile => "key-file",
        Kind::Passphrase => "passphrase",
        Kind::Shares => "shares",
        Kind::Kms => "kms",
        Kind::Token => "token",
    }
}

/// When the last record of an audit log was written; 1970 if it cannot be read, so that nothing is taken for granted.
async fn last_recorded(directory: PathBuf, key: &Arc<Key256>) -> Option<Timestamp> {
    let key = Arc::clone(key);
    let read = unblocked(move || {
        let mut last = None;
        if directory.exists() {
            journal::read(&directory, &key, 1..=u64::MAX, Order::NewestFirst, |record| {
                last = Some(Timestamp::from(time::OffsetDateTime::from(record.sealed_at)));
                ControlFlow::Break(())
            })?;
        }
        Ok(last)
    });
    read.await.unwrap_or_else(|error| {
        tracing::warn!(%error, "the audit log does not tell the time");
        Some(Timestamp::from_millis(0))
    })
}

/// The user that this process is.
pub(crate) fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Opens the database under its root seal, and makes what is missing. Finishes a rotation that was interrupted.
pub(crate) fn open_store(layout: &Layout, seal: &seal::SealConfig) -> Result<Store, ServerError> {
    open_both(layout, seal).map(|(store, _)| store)
}

fn open_both(layout: &Layout, seal: &seal::SealConfig) -> Result<(Store, Opened), ServerError> {
    let database = layout.database();
    let opened: Opened = seal::open_or_create(&layout.seal(), seal, |old, new| rewrap(&database, old, new))?;
    let store = Store::open(&database, &opened.root).map_err(|error| match error {
        // The engine's own words for a disk without room for its shared memory are about a failing disk.
        StoreError::Io { database, .. } if !has_room(layout.root()) => {
            ServerError::Store(StoreError::Full { database })
        }
        error => ServerError::Store(error),
    })?;
    Ok((store, opened))
}

/// Whether the directory's disk has room for anything.
fn has_room(directory: &Path) -> bool {
    match rustix::fs::statvfs(directory) {
        Ok(found) => found.f_bavail.saturating_mul(found.f_frsize) >= ROOM_BYTES,
        Err(_) => true,
    }
}

/// The key that the audit log of the directory is sealed under. A server may be running there.
///
/// # Errors
/// [`ServerError::NoData`], [`ServerError::Seal`], [`ServerError::NoSecret`], [`ServerError::Store`].
pub fn read_audit_key(layout: &Layout, seal: &SealConfig) -> Result<Arc<Key256>, ServerError> {
    let store = open_beside(layout, seal)?;
    runtime()?.block_on(audit_key(&store))
}

/// A runtime for the commands that work without a server.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, ServerError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.map_err(|cause| ServerError::System { action: "start a runtime", cause })
}

/// Opens the database to be read, beside a server that may be running.
pub(crate) fn open_beside(layout: &Layout, seal: &SealConfig) -> Result<Store, ServerError> {
    // Opening the seal changes it only to finish a rotation, which is for one process at a time.
    let _alone = if existing(layout)?.rotating { Some(DataDir::open(layout.root())?) } else { None };
    open_store(layout, &root_seal::open(layout, seal)?)
}

/// The status of the root seal of a directory in which a server has run before.
pub(crate) fn existing(layout: &Layout) -> Result<seal::Status, ServerError> {
    let sealed = seal::status(&layout.seal())?;
    sealed.filter(|_| layout.database().exists()).ok_or_else(|| ServerError::NoData { path: layout.root().to_owned() })
}

pub(crate) async fn audit_key(store: &Store) -> Result<Arc<Key256>, ServerError> {
    Ok(store.keyring().key(AUDIT_KEY).await?)
}

fn rewrap(database: &Path, old: &seal::RootKey, new: &seal::RootKey) -> Result<(), ServerError> {
    // Died before the database was made: there is nothing to move.
    if !database.exists() {
        return Ok(());
    }
    Ok(store::rewrap(database, old, new)?)
}

pub(crate) async fn unblocked<T: Send + 'static>(
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
    fn a_database_without_its_seal_is_not_given_a_new_one() {
        let dir = tempfile::tempdir().expect("a directory");
        let layout = Layout::new(dir.path().to_owned());
        let seal = SealConfig::default();
        let open = || open_store(&layout, &root_seal::open(&layout, &seal)?);
        open().expect("made");
        open().expect("opened");
        std::fs::remove_dir_all(layout.seal()).expect("removed");
        assert!(matches!(open(), Err(ServerError::SealGone { .. })));
        assert!(!layout.seal().exists());
    }
}
