//! Blobs as files of a directory: 256 subdirectories by the first byte of the id, and `drafts`.
//! Follows no link below the directory, and does not know what the files hold.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::num::NonZeroU64;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{
    Advice, AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, Stat, fadvise, flock, fstat, mkdirat, openat, statat,
    unlinkat,
};
use rustix::io::Errno;

use crate::BlobId;
use crate::disk::Disk;
use crate::id::shelf_name;

const DRAFTS: &str = "drafts";
const DIR_FLAGS: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR);

/// How much of a file is written before the operating system is asked to bring it to the disk, in bytes.
const WRITEBACK_BYTES: u64 = 8 << 20;

/// A blob's file, as a listing shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The blob's id.
    pub id: BlobId,
    /// The length of the file in bytes.
    pub sealed_bytes: u64,
    /// When it was written, by the clock of the file system.
    pub written_at: SystemTime,
}

/// The directory. Its calls block.
pub(crate) struct Directory {
    path: PathBuf,
    root: OwnedFd,
    drafts: OwnedFd,
    disk: Box<dyn Disk>,
}

impl Directory {
    /// Opens the directory; it and its subdirectories are made if they are missing, and are durable afterwards.
    pub(crate) fn open(path: &Path, disk: Box<dyn Disk>) -> io::Result<Self> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        disk.sync_dir(&File::open(parent)?.into())?;
        let root = OwnedFd::from(OpenOptions::new().read(true).open(path)?);
        for name in (0..=u8::MAX).map(shelf_name).chain([DRAFTS.to_owned()]) {
            match mkdirat(&root, &*name, Mode::RWXU) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // As above also when all were there: whoever made them may have died before this.
        disk.sync_dir(&root)?;
        let drafts = openat(&root, DRAFTS, DIR_FLAGS, Mode::empty())?;
        Ok(Self { path: path.to_owned(), root, drafts, disk })
    }

    /// Where it is, for messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn shelf(&self, shelf: u8) -> io::Result<OwnedFd> {
        Ok(openat(&self.root, &*shelf_name(shelf), DIR_FLAGS, Mode::empty())?)
    }

    /// Begins the file of a draft.
    pub(crate) fn create(self: &Arc<Self>, id: BlobId) -> io::Result<FileUpload> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.drafts, &*id.to_string(), flags, FILE_MODE)?;
        let (file, stage) = (Some(file.into()), Stage::Draft);
        Ok(FileUpload { directory: Arc::clone(self), id, file, stage, written_bytes: 0, begun_bytes: 0 })
    }

    /// Opens a blob's file for reading. Anything in its place that is not a file is [`io::ErrorKind::InvalidData`].
    pub(crate) fn open_file(&self, id: &BlobId) -> io::Result<File> {
        // Without waiting, in case a pipe was put there.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match openat(self.shelf(id.shelf())?, &*id.to_string(), flags, Mode::empty()) {
            Err(Errno::LOOP) => return Err(io::ErrorKind::InvalidData.into()),
            opened => opened?,
        };
        if !is_file(&fstat(&file)?) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(file.into())
    }

    /// The first `limit` blobs after `after`, in the order of their ids.
    pub(crate) fn list(&self, after: Option<BlobId>, limit: usize) -> io::Result<Vec<Listed>> {
        let mut listed = Vec::new();
        for shelf in after.map_or(0, |after| after.shelf())..=u8::MAX {
            let dir = self.shelf(shelf)?;
            let mut ids = ids(&dir)?;
            ids.retain(|id| after.is_none_or(|after| *id > after));
            ids.sort_unstable();
            for id in ids {
                if listed.len() >= limit {
                    return Ok(listed);
                }
                listed.extend(describe(&dir, id)?);
            }
        }
        Ok(listed)
    }

    /// The drafts, also those that a process left behind.
    pub(crate) fn list_drafts(&self) -> io::Result<Vec<Listed>> {
        list_dir(&self.drafts)
    }

    /// The right to remove blobs; `None` while somebody copies them, in this process or another.
    pub(crate) fn lock_for_sweep(&self) -> io::Result<Option<SweepLock>> {
        let file = self.root_again()?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(SweepLock(Some(file)))),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Keeps sweeps of every process away. Waits for one that is under way.
    pub(crate) fn lock_for_copy(&self) -> io::Result<SweepLock> {
        let file = self.root_again()?;
        flock(&file, FlockOperation::LockShared)?;
        Ok(SweepLock(Some(file)))
    }

    /// The directory, opened once more: a lock belongs to what was opened, and ends when that is closed.
    fn root_again(&self) -> io::Result<OwnedFd> {
        Ok(openat(&self.root, ".", DIR_FLAGS, Mode::empty())?)
    }

    /// Removes a blob's file, if it is there.
    pub(crate) fn remove(&self, id: &BlobId) -> io::Result<()> {
        remove(&self.shelf(id.shelf())?, id)
    }

    /// Removes a draft's file, if it is there.
    pub(crate) fn remove_draft(&self, id: &BlobId) -> io::Result<()> {
        remove(&self.drafts, id)
    }
}

/// A lock that ends when it is dropped, or with its process.
pub(crate) struct SweepLock(#[expect(dead_code, reason = "closing the file ends the lock")] Option<OwnedFd>);

impl SweepLock {
    /// A lock where nothing needs one.
    pub(crate) const fn none() -> Self {
        Self(None)
    }
}

fn remove(dir: &OwnedFd, id: &BlobId) -> io::Result<()> {
    match unlinkat(dir, &*id.to_string(), AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The ids that name entries of a directory.
fn ids(dir: &OwnedFd) -> io::Result<Vec<BlobId>> {
    let mut ids = Vec::new();
    for entry in Dir::read_from(dir)? {
        ids.extend(entry?.file_name().to_str().ok().and_then(BlobId::parse));
    }
    Ok(ids)
}

fn list_dir(dir: &OwnedFd) -> io::Result<Vec<Listed>> {
    ids(dir)?.into_iter().filter_map(|id| describe(dir, id).transpose()).collect()
}

/// Length and age of a file; `None` if it went away meanwhile, or is no file.
fn describe(dir: &OwnedFd, id: BlobId) -> io::Result<Option<Listed>> {
    let stat = match statat(dir, &*id.to_string(), AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(None),
        found => found?,
    };
    let nanos = u32::try_from(stat.st_mtime_nsec).unwrap_or_default();
    let since_1970 = Duration::new(u64::try_from(stat.st_mtime).unwrap_or_default(), nanos);
    let listed = Listed {
        id,
        sealed_bytes: u64::try_from(stat.st_size).unwrap_or_default(),
        written_at: UNIX_EPOCH + since_1970,
    };
    Ok(is_file(&stat).then_some(listed))
}

fn is_file(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

/// A file that is being written. Dropped before [`FileUpload::publish`] succeeded, it is removed.
pub(crate) struct FileUpload {
    directory: Arc<Directory>,
    id: BlobId,
    /// Always there; taken when it is dropped.
    file: Option<File>,
    stage: Stage,
    /// How much was written.
    written_bytes: u64,
    /// How much of that the operating system was asked to bring to the disk.
    begun_bytes: u64,
}

/// Which name a [`FileUpload`] has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Draft,
    Renamed,
    Published,
}

impl FileUpload {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Err(io::ErrorKind::NotFound.into()) };
        self.directory.disk.write_all(file, bytes)?;
        self.written_bytes += bytes.len() as u64;
        let waiting = self.written_bytes - self.begun_bytes;
        if waiting >= WRITEBACK_BYTES {
            // What is not needed in memory goes to the disk now, beside what is sealed next, and not all at once at the end.
            // Only a matter of time: whether it is there is what the sync at the end finds out.
            let _ = fadvise(&*file, self.begun_bytes, NonZeroU64::new(waiting), Advice::DontNeed);
            self.begun_bytes = self.written_bytes;
        }
        Ok(())
    }

    /// Makes the file a blob, durably.
    pub(crate) fn publish(mut self) -> io::Result<()> {
        let Some(file) = &self.file else { return Err(io::ErrorKind::NotFound.into()) };
        let Directory { disk, drafts, .. } = &*self.directory;
        // Before it has its name: a name without content must not outlive a loss of power.
        disk.sync_file(file)?;
        let shelf = self.directory.shelf(self.id.shelf())?;
        disk.rename(drafts.as_fd(), shelf.as_fd(), &self.id.to_string())?;
        self.stage = Stage::Renamed;
        disk.sync_dir(&shelf)?;
        self.stage = Stage::Published;
        Ok(())
    }
}

impl Drop for FileUpload {
    fn drop(&mut self) {
        let removed = match self.stage {
            Stage::Draft => self.directory.remove_draft(&self.id),
            Stage::Renamed => self.directory.remove(&self.id),
            Stage::Published => Ok(()),
        };
        if let Err(cause) = removed {
            tracing::warn!(id = %self.id, %cause, "cannot remove a blob's draft; the next sweep will");
        }
        // Closing frees the space of a removed file, which takes long if it is large.
        let file = self.file.take();
        if self.stage != Stage::Published
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn_blocking(move || drop(file));
        }
    }
}
