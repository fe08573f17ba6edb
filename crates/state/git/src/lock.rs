//! Locks on paths, which clients of Git LFS take so that nobody else changes a file that cannot be merged. Knows no wire, and
//! not whether a path is there.

use std::ops::Bound;

use serde::{Deserialize, Serialize};
use store::Indexed;

use crate::{GitError, Repository};

/// The longest path, in bytes: the longest key of an index.
pub const LOCKED_PATH_BYTES_MAX: usize = 1000;

/// A lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Its id.
    pub id: String,
    /// The path that it is on.
    pub path: String,
    /// Whose it is.
    pub owner: String,
    /// Since when, in seconds since 1970.
    pub at: i64,
}

/// A lock. Its key is the path.
#[derive(Serialize, Deserialize)]
pub(crate) struct LockRecord {
    #[serde(rename = "i")]
    id: String,
    #[serde(rename = "o")]
    owner: String,
    #[serde(rename = "t")]
    at: i64,
}

impl Indexed for LockRecord {
    const NAME: &'static str = "git-lock";
}

/// The path of a lock. Its key is the lock's id.
#[derive(Serialize, Deserialize)]
pub(crate) struct LockedPath {
    #[serde(rename = "p")]
    path: String,
}

impl Indexed for LockedPath {
    const NAME: &'static str = "git-lock-id";
}

/// The outcome of locking or unlocking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Locking {
    /// It was done.
    Done(Lock),
    /// Somebody has the lock: for a new one anybody, for one that is to go somebody else.
    Held(Lock),
    /// There is no such lock.
    NotFound,
}

impl Lock {
    fn of(path: &[u8], record: LockRecord) -> Self {
        let LockRecord { id, owner, at } = record;
        Self { id, path: String::from_utf8_lossy(path).into_owned(), owner, at }
    }
}

impl Repository {
    /// Locks a path for `owner`, at a time in seconds since 1970.
    ///
    /// # Errors
    /// [`GitError::BadRequest`] for no path, or one that is too long; [`GitError::NotFound`]; those of writing.
    pub async fn lock(&self, path: &str, owner: &str, at: i64) -> Result<Locking, GitError> {
        if path.is_empty() || path.len() > LOCKED_PATH_BYTES_MAX {
            return Err(GitError::BadRequest { reason: "a path has 1 to 1000 bytes".to_owned() });
        }
        let mut id = [0; 16];
        crypto::random_bytes(&mut id);
        let lock = Lock { id: crypto::hex::encode(&id), path: path.to_owned(), owner: owner.to_owned(), at };
        let repository = self.0.id.clone();
        let locked = self.0.git.0.store.write(move |tx| {
            if tx.get::<crate::record::Meta>("", &repository)?.is_none() {
                return Err(GitError::NotFound);
            }
            if let Some(held) = tx.index::<LockRecord>(&repository)?.get(lock.path.as_bytes())? {
                return Ok(Locking::Held(Lock::of(lock.path.as_bytes(), held)));
            }
            let record = LockRecord { id: lock.id.clone(), owner: lock.owner.clone(), at };
            tx.index_mut(&repository).insert(lock.path.as_bytes(), &record)?;
            tx.index_mut(&repository).insert(lock.id.as_bytes(), &LockedPath { path: lock.path.clone() })?;
            Ok(Locking::Done(lock))
        });
        locked.await
    }

    /// Removes a lock of `owner`, or with `force` of anybody.
    ///
    /// # Errors
    /// Those of writing.
    pub async fn unlock(&self, id: &str, owner: &str, force: bool) -> Result<Locking, GitError> {
        let (repository, id, owner) = (self.0.id.clone(), id.to_owned(), owner.to_owned());
        let unlocked = self.0.git.0.store.write(move |tx| {
            let Some(LockedPath { path }) = tx.index::<LockedPath>(&repository)?.get(id.as_bytes())? else {
                return Ok(Locking::NotFound);
            };
            let Some(held) = tx.index::<LockRecord>(&repository)?.get(path.as_bytes())? else {
                return Err(GitError::damaged("a lock has no path"));
            };
            let held = Lock::of(path.as_bytes(), held);
            if held.owner != owner && !force {
                return Ok(Locking::Held(held));
            }
            tx.index_mut::<LockRecord>(&repository).remove(path.as_bytes())?;
            tx.index_mut::<LockedPath>(&repository).remove(id.as_bytes())?;
            Ok(Locking::Done(held))
        });
        unlocked.await
    }

    /// At most `limit` locks in the order of their paths, behind the path `after`, and whether there are more.
    ///
    /// # Errors
    /// Those of reading.
    pub async fn locks(&self, after: Option<String>, limit: usize) -> Result<(Vec<Lock>, bool), GitError> {
        let repository = self.0.id.clone();
        let read = self.0.git.0.store.read(move |tx| {
            let after = after.as_ref().map_or(Bound::Unbounded, |path| Bound::Excluded(path.as_bytes()));
            let found = tx.index::<LockRecord>(&repository)?.range(&[], after, limit)?;
            let locks = found.items.into_iter().map(|(path, record)| Lock::of(&path, record)).collect();
            Ok::<_, GitError>((locks, found.more))
        });
        read.await
    }

    /// The lock on a path.
    ///
    /// # Errors
    /// Those of reading.
    pub async fn lock_on(&self, path: &str) -> Result<Option<Lock>, GitError> {
        let (repository, path) = (self.0.id.clone(), path.to_owned());
        let read = self.0.git.0.store.read(move |tx| {
            let found = tx.index::<LockRecord>(&repository)?.get(path.as_bytes())?;
            Ok::<_, GitError>(found.map(|record| Lock::of(path.as_bytes(), record)))
        });
        read.await
    }
}
