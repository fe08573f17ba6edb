//! Where blobs lie, as the rest of the crate uses it: a directory or a bucket. Knows no keys and no format.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::BlobId;
use crate::directory::{Directory, FileUpload, Listed, SweepLock};
use crate::format::PLAINTEXT_BYTES_MAX;
use crate::frames::FrameSource;
use crate::s3::{Bucket, OBJECT_BYTES_MAX, Object, S3Upload, Unfinished};

/// Where blobs lie. Its calls block.
#[derive(Clone)]
pub(crate) enum Place {
    Directory(Arc<Directory>),
    Bucket(Arc<Bucket>),
}

/// A file or an object that is being written. Dropped before [`Upload::publish`] succeeded, it is removed.
pub(crate) enum Upload {
    File(FileUpload),
    S3(Box<S3Upload>),
}

/// Sealed bytes of a blob.
pub(crate) enum Source {
    File(File),
    Object(Object),
}

/// A draft that a sweep found.
pub(crate) enum LeftDraft {
    File(Listed),
    Upload(Unfinished),
}

impl Place {
    /// Where a blob is, for messages.
    pub(crate) fn path(&self, id: &BlobId) -> PathBuf {
        match self {
            Self::Directory(directory) => directory.path().join(id.path()),
            Self::Bucket(bucket) => bucket.path(id),
        }
    }

    /// Where all blobs are, for messages.
    pub(crate) fn root(&self) -> PathBuf {
        match self {
            Self::Directory(directory) => directory.path().to_owned(),
            Self::Bucket(bucket) => bucket.place(),
        }
    }

    /// The longest content that fits, in bytes.
    pub(crate) const fn plaintext_bytes_max(&self) -> u64 {
        match self {
            Self::Directory(_) => PLAINTEXT_BYTES_MAX,
            // Rounded down by what headers and tags take at most.
            Self::Bucket(_) => OBJECT_BYTES_MAX - OBJECT_BYTES_MAX / 4096 - (1 << 20),
        }
    }

    pub(crate) fn create(&self, id: BlobId) -> io::Result<Upload> {
        match self {
            Self::Directory(directory) => directory.create(id).map(Upload::File),
            Self::Bucket(bucket) => Ok(Upload::S3(Box::new(S3Upload::new(Arc::clone(bucket), id)))),
        }
    }

    /// Opens a blob for reading. Anything in its place that cannot be one is [`io::ErrorKind::InvalidData`].
    pub(crate) fn open(&self, id: &BlobId) -> io::Result<Source> {
        match self {
            Self::Directory(directory) => directory.open_file(id).map(Source::File),
            Self::Bucket(bucket) => Object::open(bucket, id).map(Source::Object),
        }
    }

    /// The first `limit` blobs after `after`, in the order of their ids.
    pub(crate) fn list(&self, after: Option<BlobId>, limit: usize) -> io::Result<Vec<Listed>> {
        match self {
            Self::Directory(directory) => directory.list(after, limit),
            Self::Bucket(bucket) => bucket.list(after, limit),
        }
    }

    /// The drafts, also those that a process left behind.
    pub(crate) fn drafts(&self) -> io::Result<Vec<LeftDraft>> {
        match self {
            Self::Directory(directory) => Ok(directory.list_drafts()?.into_iter().map(LeftDraft::File).collect()),
            Self::Bucket(bucket) => Ok(bucket.unfinished()?.into_iter().map(LeftDraft::Upload).collect()),
        }
    }

    pub(crate) fn remove(&self, id: &BlobId) -> io::Result<()> {
        match self {
            Self::Directory(directory) => directory.remove(id),
            Self::Bucket(bucket) => bucket.remove(id),
        }
    }

    pub(crate) fn remove_draft(&self, draft: &LeftDraft) -> io::Result<()> {
        match (self, draft) {
            (Self::Directory(directory), LeftDraft::File(listed)) => directory.remove_draft(&listed.id),
            (Self::Bucket(bucket), LeftDraft::Upload(upload)) => bucket.remove_unfinished(upload),
            _ => Ok(()),
        }
    }

    /// The right to remove blobs; `None` while somebody copies them.
    pub(crate) fn lock_for_sweep(&self) -> io::Result<Option<SweepLock>> {
        match self {
            Self::Directory(directory) => directory.lock_for_sweep(),
            // Nobody copies what lies in a bucket.
            Self::Bucket(_) => Ok(Some(SweepLock::none())),
        }
    }

    /// Keeps sweeps of every process away. Waits for one that is under way.
    pub(crate) fn lock_for_copy(&self) -> io::Result<SweepLock> {
        match self {
            Self::Directory(directory) => directory.lock_for_copy(),
            Self::Bucket(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

impl LeftDraft {
    pub(crate) const fn listed(&self) -> &Listed {
        match self {
            Self::File(listed) => listed,
            Self::Upload(upload) => &upload.listed,
        }
    }
}

impl Upload {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::File(upload) => upload.write(bytes),
            Self::S3(upload) => upload.write(bytes),
        }
    }

    /// Makes the content a blob, durably.
    pub(crate) fn publish(self) -> io::Result<()> {
        match self {
            Self::File(upload) => upload.publish(),
            Self::S3(upload) => upload.publish(),
        }
    }
}

impl FrameSource for Source {
    fn length(&self) -> io::Result<u64> {
        match self {
            Self::File(file) => file.length(),
            Self::Object(object) => object.length(),
        }
    }

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        match self {
            Self::File(file) => file.read_exact_at(bytes, offset),
            Self::Object(object) => object.read_exact_at(bytes, offset),
        }
    }

    fn batch(&self) -> u64 {
        match self {
            Self::File(file) => file.batch(),
            Self::Object(object) => object.batch(),
        }
    }
}
