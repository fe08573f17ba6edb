//! All blobs of one place: begins, opens, lists, checks and sweeps them. Knows no keys but those it is given.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::task::spawn_blocking;

use crate::directory::{Directory, Listed, SweepLock};
use crate::disk::{Disk, OsDisk};
use crate::format::{HEADER_BYTES, header_id};
use crate::frames::{FrameSource, Frames};
use crate::held::Held;
use crate::place::{Place, Source};
use crate::s3::Bucket;
use crate::{Blob, BlobError, BlobId, Draft, Owner, S3Location, S3Transport};

/// How many blobs a sweep looks at between two moments in which a copy can begin.
const SWEEP_PAGE: usize = 4096;

/// The length of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The length of the content in bytes.
    pub plaintext_bytes: u64,
    /// The length of the file in bytes.
    pub sealed_bytes: u64,
}

/// The outcome of a sweep: what it removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Blobs that nothing referred to.
    pub blobs: u64,
    /// Drafts that a process left behind.
    pub drafts: u64,
    /// The length of all of them in bytes, without the drafts in a bucket.
    pub sealed_bytes: u64,
    /// Whether it ended early, because somebody copies the blobs.
    pub interrupted: bool,
}

/// Keeps sweeps of every process from removing blobs of a directory until it is dropped.
#[must_use = "sweeps go on once it is dropped"]
pub struct CopyHold(#[expect(dead_code, reason = "dropping it ends the lock")] SweepLock);

/// The blobs of one place. Clones are the same.
///
/// Open a place once in each process: what one value holds back from its sweeps, another does not know.
#[derive(Clone)]
pub struct Blobs {
    place: Place,
    held: Held,
}

impl Blobs {
    /// Opens the directory, made (mode 0700) if it is missing and its parent is not. Blocks.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub fn in_directory(path: &Path) -> Result<Self, BlobError> {
        Self::with_disk(path, Box::new(OsDisk))
    }

    /// Blobs in a bucket, reached through `transport`. Sends nothing yet.
    #[must_use]
    pub fn in_bucket(location: S3Location, transport: Arc<dyn S3Transport>) -> Self {
        Self { place: Place::Bucket(Arc::new(Bucket::new(location, transport))), held: Held::default() }
    }

    pub(crate) fn with_disk(path: &Path, disk: Box<dyn Disk>) -> Result<Self, BlobError> {
        let opened = Directory::open(path, disk);
        let directory = opened.map_err(|cause| BlobError::Io { action: "open", path: path.to_owned(), cause })?;
        Ok(Self { place: Place::Directory(Arc::new(directory)), held: Held::default() })
    }

    /// Begins a blob of the owner.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub async fn draft(&self, owner: &Owner) -> Result<Draft, BlobError> {
        let id = BlobId::generate();
        Draft::begin(self.place.clone(), owner.clone(), id, self.held.hold(id)).await
    }

    /// Opens a blob of the owner, and finds out whether it is as long as what was written.
    ///
    /// # Errors
    /// [`BlobError::Missing`], [`BlobError::NotAuthentic`], [`BlobError::UnknownVersion`], [`BlobError::Io`].
    pub async fn blob(&self, owner: &Owner, id: &BlobId) -> Result<Blob, BlobError> {
        let (place, owner, id) = (self.place.clone(), owner.clone(), *id);
        blocking(move || open(&place, &owner, &id)).await
    }

    /// Opens a blob as [`blob`](Self::blob) does, on a thread that may block.
    ///
    /// # Errors
    /// As for [`Blobs::blob`].
    pub fn blob_blocking(&self, owner: &Owner, id: &BlobId) -> Result<Blob, BlobError> {
        open(&self.place, owner, id)
    }

    /// Reads all of a blob: whether each byte is what was written.
    ///
    /// # Errors
    /// As for [`Blobs::blob`].
    pub async fn check(&self, owner: &Owner, id: &BlobId) -> Result<Contents, BlobError> {
        let (place, owner, id) = (self.place.clone(), owner.clone(), *id);
        blocking(move || open(&place, &owner, &id)?.check()).await
    }

    /// The length of a sealed blob in bytes, whether it is authentic or not; `None` if it is missing.
    pub(crate) async fn sealed_bytes(&self, id: &BlobId) -> Result<Option<u64>, BlobError> {
        self.peek(id, |source| source.length()).await
    }

    /// The id in the header of what is in a blob's place; `None` if there is no header.
    pub(crate) async fn header_id(&self, id: &BlobId) -> Result<Option<BlobId>, BlobError> {
        let read = |source: &Source| {
            let mut header = [0; HEADER_BYTES];
            source.read_exact_at(&mut header, 0)?;
            Ok(header_id(&header))
        };
        Ok(self.peek(id, read).await?.flatten())
    }

    /// Reads something of a blob's file; `None` if there is none.
    async fn peek<T: Send + 'static>(
        &self,
        id: &BlobId,
        read: impl FnOnce(&Source) -> io::Result<T> + Send + 'static,
    ) -> Result<Option<T>, BlobError> {
        let (place, id) = (self.place.clone(), *id);
        blocking(move || match place.open(&id).and_then(|source| read(&source)) {
            Ok(found) => Ok(Some(found)),
            Err(cause) => match cause.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Ok(None),
                _ => Err(BlobError::Io { action: "read", path: place.path(&id), cause }),
            },
        })
        .await
    }

    /// The first `limit` blobs after `after`, in the order of their ids, whether something refers to them or not.
    /// Fewer are the last.
    ///
    /// # Errors
    /// [`BlobError::Io`].
    pub async fn list(&self, after: Option<BlobId>, limit: usize) -> Result<Vec<Listed>, BlobError> {
        let place = self.place.clone();
        blocking(move || place.list(after, limit).map_err(|cause| failed(&place, "list", cause))).await
    }

    /// Removes blobs and drafts that were last written before `before`, that no [`Draft`] or [`crate::Written`] of this
    /// process holds, and that nothing is `referenced` by. What cannot be removed is logged; the rest continue.
    /// Ends early while somebody [copies](Self::hold_for_copy).
    ///
    /// `referenced` runs on a thread that may block. It must see every record that was durable when it is called, and
    /// answer true when it cannot tell. `before` must leave other processes the time between finishing a blob and
    /// referring to it, and come from a clock that does not jump ahead: what is removed is gone. A bucket's ages are by
    /// the clock of its server, so `before` must leave room for that one's error as well.
    ///
    /// # Errors
    /// [`BlobError::Io`] when the place cannot be listed.
    pub async fn sweep(
        &self,
        referenced: impl Fn(&BlobId) -> bool + Send + 'static,
        before: SystemTime,
    ) -> Result<Swept, BlobError> {
        let (place, held) = (self.place.clone(), self.held.clone());
        blocking(move || {
            let mut swept = Swept::default();
            // What is held is looked at first: once it is not, the record that refers to it can be seen.
            let stale = |found: &Listed| found.written_at < before && !held.contains(&found.id);
            let listing = |cause| failed(&place, "list", cause);
            let mut after = None;
            loop {
                let page = place.list(after, SWEEP_PAGE).map_err(listing)?;
                // For one page at a time, so that nobody who wants to copy waits long.
                let Some(_lock) = place.lock_for_sweep().map_err(|cause| failed(&place, "lock", cause))? else {
                    return Ok(Swept { interrupted: true, ..swept });
                };
                for found in &page {
                    if stale(found) && !referenced(&found.id) {
                        swept.blobs += swept.count(found, place.remove(&found.id));
                    }
                }
                match page.last() {
                    Some(last) if page.len() == SWEEP_PAGE => after = Some(last.id),
                    _ => break,
                }
            }
            for draft in place.drafts().map_err(listing)? {
                if stale(draft.listed()) {
                    swept.drafts += swept.count(draft.listed(), place.remove_draft(&draft));
                }
            }
            Ok(swept)
        })
        .await
    }

    /// Keeps the sweeps of every process away while somebody copies the directory. Waits for one that is under way.
    ///
    /// # Errors
    /// [`BlobError::Io`], also for a bucket, which nobody copies.
    pub async fn hold_for_copy(&self) -> Result<CopyHold, BlobError> {
        let place = self.place.clone();
        blocking(move || place.lock_for_copy().map(CopyHold).map_err(|cause| failed(&place, "lock", cause))).await
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

/// Opens a blob. Blocks.
fn open(place: &Place, owner: &Owner, id: &BlobId) -> Result<Blob, BlobError> {
    let source = place.open(id).map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound => BlobError::Missing { id: *id },
        io::ErrorKind::InvalidData => BlobError::NotAuthentic { id: *id },
        _ => BlobError::Io { action: "open", path: place.path(id), cause },
    })?;
    Ok(Blob(Arc::new(Frames::open(source, owner, id)?)))
}

fn failed(place: &Place, action: &'static str, cause: io::Error) -> BlobError {
    BlobError::Io { action, path: place.root(), cause }
}

/// Runs file operations on a thread that may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, BlobError> {
    spawn_blocking(work).await.unwrap_or(Err(BlobError::Interrupted))
}
