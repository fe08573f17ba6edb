//! All blobs of one place: begins, opens, lists, checks and sweeps them. Knows no keys but those it is given.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::task::spawn_blocking;

use crate::directory::{Directory, Listed};
use crate::disk::{Disk, OsDisk};
use crate::frames::Frames;
use crate::held::Held;
use crate::{Blob, BlobError, BlobId, Draft, Owner};

/// Where blobs are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// Files in a directory of a local file system, made (mode 0700) if it is missing and its parent is not.
    Directory(PathBuf),
}

/// What a blob holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The length of the content in bytes.
    pub plaintext_bytes: u64,
    /// The length of the file in bytes.
    pub sealed_bytes: u64,
    /// The SHA-256 digest of the content.
    pub sha256: [u8; 32],
}

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Blobs that nothing referred to.
    pub blobs: u64,
    /// Drafts that a process left behind.
    pub drafts: u64,
    /// The length of all of them in bytes.
    pub sealed_bytes: u64,
}

/// The blobs of one place. Clones are the same.
///
/// Open a place once in each process: what one value holds back from its sweeps, another does not know.
#[derive(Clone)]
pub struct Blobs {
    directory: Arc<Directory>,
    held: Held,
}

impl Blobs {
    /// Opens the place. Blocks.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub fn open(location: &Location) -> Result<Self, BlobError> {
        Self::with_disk(location, Box::new(OsDisk))
    }

    pub(crate) fn with_disk(location: &Location, disk: Box<dyn Disk>) -> Result<Self, BlobError> {
        let Location::Directory(path) = location;
        let opened = Directory::open(path, disk);
        let directory = opened.map_err(|cause| BlobError::Io { action: "open", path: path.clone(), cause })?;
        Ok(Self { directory: Arc::new(directory), held: Held::default() })
    }

    /// Begins a blob of the owner.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub async fn draft(&self, owner: &Owner) -> Result<Draft, BlobError> {
        let id = BlobId::generate();
        Draft::begin(Arc::clone(&self.directory), owner.clone(), id, self.held.hold(id)).await
    }

    /// Opens a blob of the owner, and finds out whether its file is as long as what was written.
    ///
    /// # Errors
    /// [`BlobError::Missing`], [`BlobError::NotAuthentic`], [`BlobError::UnknownVersion`], [`BlobError::Io`].
    pub async fn blob(&self, owner: &Owner, id: &BlobId) -> Result<Blob, BlobError> {
        let (directory, owner, id) = (Arc::clone(&self.directory), owner.clone(), *id);
        blocking(move || open(&directory, &owner, &id)).await
    }

    /// Reads all of a blob: whether each byte is what was written.
    ///
    /// # Errors
    /// As for [`Blobs::blob`].
    pub async fn check(&self, owner: &Owner, id: &BlobId) -> Result<Contents, BlobError> {
        let (directory, owner, id) = (Arc::clone(&self.directory), owner.clone(), *id);
        blocking(move || open(&directory, &owner, &id)?.check()).await
    }

    /// The first `limit` blobs after `after`, in the order of their ids, whether something refers to them or not.
    /// Fewer are the last.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub async fn list(&self, after: Option<BlobId>, limit: usize) -> Result<Vec<Listed>, BlobError> {
        let directory = Arc::clone(&self.directory);
        blocking(move || directory.list(after, limit).map_err(|cause| failed(&directory, "list", cause))).await
    }

    /// Removes blobs and drafts that were last written before `before`, that no [`Draft`] or [`crate::Written`] of this
    /// process holds, and that nothing is `referenced` by. A file that cannot be removed is logged; the rest continue.
    ///
    /// `referenced` runs on a thread that may block. It must see every record that was durable when it is called, and
    /// answer true when it cannot tell. `before` must leave other processes the time between finishing a blob and
    /// referring to it, and come from a clock that does not jump ahead: what is removed is gone.
    ///
    /// # Errors
    /// [`BlobError::Io`] when a directory cannot be listed.
    pub async fn sweep(
        &self,
        referenced: impl Fn(&BlobId) -> bool + Send + 'static,
        before: SystemTime,
    ) -> Result<Swept, BlobError> {
        let (directory, held) = (Arc::clone(&self.directory), self.held.clone());
        blocking(move || {
            let mut swept = Swept::default();
            // What is held is looked at first: once it is not, the record that refers to it can be seen.
            let stale = |found: &Listed| found.written_at < before && !held.contains(&found.id);
            let listing = |cause| failed(&directory, "list", cause);
            for shelf in 0..=u8::MAX {
                for found in directory.list_shelf(shelf).map_err(listing)? {
                    if stale(&found) && !referenced(&found.id) {
                        swept.blobs += swept.count(&found, directory.remove(&found.id));
                    }
                }
            }
            for found in directory.list_drafts().map_err(listing)? {
                if stale(&found) {
                    swept.drafts += swept.count(&found, directory.remove_draft(&found.id));
                }
            }
            Ok(swept)
        })
        .await
    }
}

impl Swept {
    /// Adds a removed file's length. Yields how many files were removed.
    fn count(&mut self, found: &Listed, removed: io::Result<()>) -> u64 {
        match removed {
            Ok(()) => {
                self.sealed_bytes += found.sealed_bytes;
                1
            }
            Err(cause) => {
                tracing::warn!(id = %found.id, %cause, "cannot remove a blob that nothing refers to");
                0
            }
        }
    }
}

/// Opens a blob's file. Blocks.
fn open(directory: &Directory, owner: &Owner, id: &BlobId) -> Result<Blob, BlobError> {
    let file = directory.open_file(id).map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound => BlobError::Missing { id: *id },
        io::ErrorKind::InvalidData => BlobError::NotAuthentic { id: *id },
        _ => BlobError::Io { action: "open", path: directory.path().join(id.path()), cause },
    })?;
    Ok(Blob(Arc::new(Frames::open(file, owner, id)?)))
}

fn failed(directory: &Directory, action: &'static str, cause: io::Error) -> BlobError {
    BlobError::Io { action, path: directory.path().to_owned(), cause }
}

/// Runs file operations on a thread that may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, BlobError> {
    spawn_blocking(work).await.unwrap_or(Err(BlobError::Interrupted))
}
