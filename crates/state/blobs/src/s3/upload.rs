//! The object of a blob that is being written: one request if it is short, parts if it is long.
//! Knows nothing of the bytes.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::bucket::{Bucket, Created};
use crate::BlobId;
use crate::format::FRAME_BYTES;

/// The length of every part but the last. S3 asks for 5 MiB, and some servers for parts of one length.
pub(crate) const PART_BYTES: usize = 8 << 20;

/// How many parts an upload has at most.
const PARTS_MAX: usize = 10_000;

/// The longest object in bytes.
pub(crate) const OBJECT_BYTES_MAX: u64 = PART_BYTES as u64 * PARTS_MAX as u64;

/// An object that is being written. Dropped before [`S3Upload::publish`] succeeded, it is abandoned.
///
/// Holds one part in memory, and the transport may copy that while it is sent.
pub(crate) struct S3Upload {
    bucket: Arc<Bucket>,
    id: BlobId,
    /// Bytes that wait for the rest of their part.
    pending: Vec<u8>,
    sealed_bytes: u64,
    /// The end of what was written so far.
    tail: Vec<u8>,
    upload_id: Option<String>,
    parts: Vec<String>,
    /// Whether the object may be there without being complete or acknowledged.
    may_exist: bool,
}

impl S3Upload {
    pub(crate) fn new(bucket: Arc<Bucket>, id: BlobId) -> Self {
        Self {
            bucket,
            id,
            pending: Vec::new(),
            sealed_bytes: 0,
            tail: Vec::new(),
            upload_id: None,
            parts: Vec::new(),
            may_exist: false,
        }
    }

    /// Appends bytes, and uploads the parts that are full.
    pub(crate) fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.sealed_bytes += bytes.len() as u64;
        if self.sealed_bytes > OBJECT_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.remember_tail(bytes);
        while self.pending.len() + bytes.len() > PART_BYTES {
            let (now, later) = bytes.split_at(PART_BYTES - self.pending.len());
            self.pending.extend_from_slice(now);
            bytes = later;
            self.send_part()?;
        }
        self.pending.extend_from_slice(bytes);
        Ok(())
    }

    fn remember_tail(&mut self, bytes: &[u8]) {
        let (_, end) = bytes.split_at(bytes.len().saturating_sub(FRAME_BYTES));
        let surplus = (self.tail.len() + end.len()).saturating_sub(FRAME_BYTES).min(self.tail.len());
        self.tail.drain(..surplus);
        self.tail.extend_from_slice(end);
    }

    fn send_part(&mut self) -> io::Result<()> {
        let upload_id = match &self.upload_id {
            Some(upload_id) => upload_id,
            None => self.upload_id.insert(self.bucket.begin(&self.id)?),
        };
        let sealed = Bytes::from(std::mem::take(&mut self.pending));
        let tag = self.bucket.part(&self.id, upload_id, self.parts.len() + 1, sealed)?;
        self.parts.push(tag);
        Ok(())
    }

    /// Makes the object visible, and finds out whether the server has its end and all of its length.
    pub(crate) fn publish(mut self) -> io::Result<()> {
        let published = self.try_publish();
        match published {
            Ok(()) => (self.upload_id, self.may_exist) = (None, false),
            // Now, so that nothing is left when the caller learns of it.
            Err(_) => self.give_up(),
        }
        published
    }

    fn try_publish(&mut self) -> io::Result<()> {
        if self.upload_id.is_some() {
            self.send_part()?;
        }
        let created = match &self.upload_id {
            Some(upload_id) => {
                self.may_exist = true;
                self.bucket.complete(&self.id, upload_id, &self.parts)?
            }
            None => {
                self.may_exist = true;
                self.bucket.put(&self.id, Bytes::from(std::mem::take(&mut self.pending)))?
            }
        };
        let stored = self.bucket.tail(&self.id, self.tail.len());
        // The end is sealed for this id and place, so whoever has it has what this upload wrote.
        if stored.as_ref().is_ok_and(|(tail, length)| **tail == *self.tail && *length == self.sealed_bytes) {
            return Ok(());
        }
        if created == Created::Unclear {
            // Somebody else's object: it stays.
            self.may_exist = false;
        }
        stored?;
        Err(io::Error::other("the server does not have what was written"))
    }

    /// Aborts the upload, and removes an object whose id was not returned.
    fn give_up(&mut self) {
        let Self { bucket, id, .. } = self;
        let aborted = self.upload_id.take().map_or(Ok(()), |upload_id| bucket.abort(id, &upload_id));
        let removed = if std::mem::take(&mut self.may_exist) { bucket.remove(id) } else { Ok(()) };
        if let Err(cause) = aborted.and(removed) {
            tracing::warn!(%id, %cause, "cannot remove a blob's draft; the next sweep will");
        }
    }
}

impl Drop for S3Upload {
    fn drop(&mut self) {
        if self.upload_id.is_none() && !self.may_exist {
            return;
        }
        let mut left = Self::new(Arc::clone(&self.bucket), self.id);
        (left.upload_id, left.may_exist) = (self.upload_id.take(), std::mem::take(&mut self.may_exist));
        let abandoned = Abandoned(left);
        match tokio::runtime::Handle::try_current() {
            // Requests take long, and whoever drops a draft may be a task.
            Ok(runtime) => drop(runtime.spawn_blocking(move || drop(abandoned))),
            Err(_) => drop(abandoned),
        }
    }
}

/// An upload that is aborted when this is dropped: on whichever thread that is, if a runtime that ends runs nothing more.
struct Abandoned(S3Upload);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.give_up();
    }
}
