//! A blob that is being written. Knows neither what refers to it nor what it holds.

use bytes::Bytes;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::blobs::{Contents, blocking};
use crate::format::{CHUNK_BYTES, Cipher, FRAME_BYTES, HEADER_BYTES, header};
use crate::held::Hold;
use crate::place::{Place, Upload};
use crate::{BlobError, BlobId, Owner};

/// How much plaintext is sealed and written at once: each time costs the way to another thread and back.
pub(crate) const BATCH_BYTES: usize = 4 * CHUNK_BYTES;

/// A blob that is being written; dropped before [`Draft::finish`] succeeded, it leaves nothing.
///
/// Another thread seals and writes the content while the caller goes on. Holds less than 1 MiB in memory, however
/// long the content is; on its way to a bucket, one part of 8 MiB more, and what the transport needs to send that.
pub struct Draft {
    id: BlobId,
    hold: Hold,
    /// Plaintext that waits for the rest of its batch.
    pending: Vec<u8>,
    writing: Writing,
}

/// Where a draft's writer is.
enum Writing {
    /// Here: nothing is being written.
    Idle(Writer),
    /// With a thread that seals and writes a batch, whose buffer it gives back.
    Busy(JoinHandle<Result<(Writer, Vec<u8>), BlobError>>),
    /// Gone: a write failed, or a call was dropped that had taken it.
    Lost,
}

/// A finished blob, durable and not referred to yet.
///
/// No sweep of this process removes it until this is dropped: drop it once the record that refers to it is durable.
#[must_use = "a blob that no record refers to is swept"]
pub struct Written {
    /// The id by which the caller's record refers to it.
    pub id: BlobId,
    /// The content that was written.
    pub contents: Contents,
    _hold: Hold,
}

impl Draft {
    pub(crate) async fn begin(place: Place, owner: Owner, id: BlobId, hold: Hold) -> Result<Self, BlobError> {
        let writer = blocking(move || Writer::begin(place, &owner, id)).await?;
        Ok(Self { id, hold, pending: Vec::new(), writing: Writing::Idle(writer) })
    }

    /// The id that the blob will have.
    #[must_use]
    pub const fn id(&self) -> BlobId {
        self.id
    }

    /// Appends to the content. A failure to write may be the answer to a later call.
    ///
    /// # Errors
    /// [`BlobError::Io`], also when the disk is full, and [`BlobError::TooLong`]. After either the draft is gone, and
    /// every further call yields [`BlobError::DraftLost`]; so it does when an earlier call's future was dropped.
    pub async fn write(&mut self, mut bytes: Bytes) -> Result<(), BlobError> {
        if matches!(self.writing, Writing::Lost) {
            return Err(BlobError::DraftLost { id: self.id });
        }
        loop {
            let room = BATCH_BYTES - self.pending.len();
            let next = bytes.split_to(room.min(bytes.len()));
            self.pending.extend_from_slice(&next);
            if bytes.is_empty() {
                return Ok(());
            }
            // The batch is full and more follows, so that none of its chunks is the last.
            let (mut writer, spare) = self.idle().await?;
            let batch = std::mem::replace(&mut self.pending, spare);
            self.writing = Writing::Busy(spawn_blocking(move || {
                writer.append(&batch, false)?;
                Ok((writer, batch))
            }));
        }
    }

    /// Makes the blob durable, under its own name in its place. Nothing refers to it yet.
    ///
    /// # Errors
    /// As for [`Draft::write`]; nothing is left then. If the future is dropped, a blob may be left for the next sweep.
    pub async fn finish(mut self) -> Result<Written, BlobError> {
        let (writer, _) = self.idle().await?;
        let pending = std::mem::take(&mut self.pending);
        let contents = blocking(move || writer.finish(&pending)).await?;
        Ok(Written { id: self.id, contents, _hold: self.hold })
    }

    /// The writer, once it has written what was handed over, and an empty buffer.
    async fn idle(&mut self) -> Result<(Writer, Vec<u8>), BlobError> {
        // Lost until the caller puts it back, so that a call that is dropped meanwhile leaves no draft with a gap.
        match std::mem::replace(&mut self.writing, Writing::Lost) {
            Writing::Idle(writer) => Ok((writer, Vec::new())),
            Writing::Busy(task) => {
                let (writer, mut spare) = task.await.unwrap_or(Err(BlobError::Interrupted))?;
                spare.clear();
                Ok((writer, spare))
            }
            Writing::Lost => Err(BlobError::DraftLost { id: self.id }),
        }
    }
}

/// Seals and writes, on a thread that may block.
struct Writer {
    id: BlobId,
    place: Place,
    upload: Upload,
    cipher: Cipher,
    next_chunk: u64,
    plaintext_bytes: u64,
    sealed_bytes: u64,
    /// Sealed chunks on their way to the file.
    sealed: Vec<u8>,
}

impl Writer {
    fn begin(place: Place, owner: &Owner, id: BlobId) -> Result<Self, BlobError> {
        let upload = place.create(id).and_then(|mut upload| {
            upload.write(&header(&id))?;
            Ok(upload)
        });
        let upload = upload.map_err(|cause| BlobError::Io { action: "create", path: place.path(&id), cause })?;
        Ok(Self {
            id,
            place,
            upload,
            cipher: Cipher::new(owner, &id),
            next_chunk: 0,
            plaintext_bytes: 0,
            sealed_bytes: HEADER_BYTES as u64,
            sealed: Vec::new(),
        })
    }

    /// Seals whole chunks, or what there is if it is the `last`.
    fn append(&mut self, plaintext: &[u8], last: bool) -> Result<(), BlobError> {
        let bytes_max = self.place.plaintext_bytes_max();
        self.plaintext_bytes += plaintext.len() as u64;
        if self.plaintext_bytes > bytes_max {
            return Err(BlobError::TooLong { bytes_max });
        }
        self.sealed.clear();
        self.sealed.reserve(plaintext.len().div_ceil(CHUNK_BYTES).max(1) * FRAME_BYTES);
        // The last chunk says that it is the last, so an empty blob has one too.
        let empty = plaintext.is_empty().then_some(plaintext);
        let mut chunks = plaintext.chunks(CHUNK_BYTES).chain(empty).peekable();
        while let Some(chunk) = chunks.next() {
            let last = last && chunks.peek().is_none();
            let sealed = self.cipher.seal(self.next_chunk, last, chunk, &mut self.sealed);
            sealed.map_err(|_| BlobError::TooLong { bytes_max })?;
            self.next_chunk += 1;
        }
        self.sealed_bytes += self.sealed.len() as u64;
        self.upload.write(&self.sealed).map_err(|cause| self.failed("write", cause))
    }

    fn finish(mut self, plaintext: &[u8]) -> Result<Contents, BlobError> {
        self.append(plaintext, true)?;
        let Self { id, place, upload, plaintext_bytes, sealed_bytes, .. } = self;
        upload.publish().map_err(|cause| BlobError::Io { action: "publish", path: place.path(&id), cause })?;
        Ok(Contents { plaintext_bytes, sealed_bytes })
    }

    fn failed(&self, action: &'static str, cause: std::io::Error) -> BlobError {
        BlobError::Io { action, path: self.place.path(&self.id), cause }
    }
}
