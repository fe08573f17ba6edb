//! Streams of tokio: encryption and decryption between an `AsyncRead` and an `AsyncWrite`, with key services awaited.
//!
//! Sealing and opening run on the task's own thread, about a millisecond at a time. For large data, the functions
//! that wait serve better on a thread where they may: they use several cores.

use std::io::{self, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncSeek, AsyncSeekExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};

use crate::buffer::Buffer;
use crate::header::next_read;
use crate::opening::{Opened, Opening, OpeningCore, Progress};
use crate::revisit::{Marker, Marks, Rechecking};
use crate::sealing::{READ_BYTES, Sealed, SealingCore};
use crate::{Decryption, Encryption, Error, Part};

/// How much is read at a time, in bytes: little enough that the task gives way to others.
const PIECE_BYTES: usize = READ_BYTES / 4;

impl Encryption<'_> {
    /// Encrypts what `source` yields up to its end and writes the message to `sink`, in the memory of some frames.
    ///
    /// # Errors
    /// Those of [`begin`](Self::begin); [`Error::PlaintextTooLong`]; [`Error::Io`].
    pub async fn encrypt_async(
        &self,
        mut source: impl AsyncRead + Unpin,
        mut sink: impl AsyncWrite + Unpin,
    ) -> Result<Sealed, Error> {
        let mut sealing = self.begin(None).await?;
        sealing.threads = 1;
        let (header, mut core) = SealingCore::new(sealing);
        sink.write_all(&header).await?;
        let (mut plaintext, mut sealed) = (vec![0; PIECE_BYTES], Vec::new());
        let collect = |bytes: &[u8], into: &mut Vec<u8>| {
            into.extend_from_slice(bytes);
            Ok(())
        };
        loop {
            let read = source.read(&mut plaintext).await?;
            if read == 0 {
                break;
            }
            core.push(plaintext.get(..read).unwrap_or_default(), |bytes| collect(bytes, &mut sealed))?;
            sink.write_all(&sealed).await?;
            sealed.clear();
        }
        let outcome = core.finish(|bytes| collect(bytes, &mut sealed))?;
        sink.write_all(&sealed).await?;
        sink.flush().await?;
        Ok(outcome)
    }
}

impl Decryption<'_> {
    /// Decrypts a message without a signature from `source` to `sink`, in the memory of some frames. Each frame is
    /// released once it is authentic; only a good end tells that none was cut off.
    ///
    /// # Errors
    /// Those of [`begin`](Self::begin) and of [`decrypt`](Self::decrypt); [`Error::Signed`].
    pub async fn decrypt_async(
        &self,
        mut source: impl AsyncRead + Unpin,
        sink: impl AsyncWrite + Unpin,
    ) -> Result<Opened, Error> {
        let (opening, input) = self.begin_async(&mut source).await?;
        if opening.header().suite.signs() {
            return Err(Error::Signed);
        }
        open(opening, input, source, sink).await
    }

    /// Decrypts any message from `source` to `sink`, and releases frames before a signature is verified. Whoever
    /// holds the data key could have made them: what `sink` got counts only after a good end.
    ///
    /// # Errors
    /// Those of [`begin`](Self::begin) and of [`decrypt`](Self::decrypt).
    pub async fn decrypt_async_unverified(
        &self,
        mut source: impl AsyncRead + Unpin,
        sink: impl AsyncWrite + Unpin,
    ) -> Result<Opened, Error> {
        let (opening, input) = self.begin_async(&mut source).await?;
        open(opening, input, source, sink).await
    }

    /// Decrypts any message from a source that can be read again, to `sink`, as
    /// [`decrypt_seekable`](Self::decrypt_seekable) does: a signed message is verified as a whole first.
    ///
    /// # Errors
    /// Those of [`begin`](Self::begin) and of [`decrypt`](Self::decrypt). Nothing of a signed message was written to
    /// `sink` unless its signature is good.
    pub async fn decrypt_seekable_async(
        &self,
        mut source: impl AsyncRead + AsyncSeek + Unpin,
        sink: impl AsyncWrite + Unpin,
    ) -> Result<Opened, Error> {
        let begin = source.stream_position().await?;
        let (opening, input) = self.begin_async(&mut source).await?;
        if !opening.header().suite.signs() {
            return open(opening, input, source, sink).await;
        }
        let again = opening.again();
        let marks = verify(opening, input, &mut source, tokio::io::sink()).await?;
        source.seek(SeekFrom::Start(begin)).await?;
        open_again(again, source, marks, sink).await
    }

    /// Decrypts any message from `source` to `sink`, as [`decrypt_spooled`](Self::decrypt_spooled) does: a signed
    /// message is first copied, still encrypted, to `spool`, which has to be empty, and verified on the way.
    ///
    /// # Errors
    /// Those of [`begin`](Self::begin) and of [`decrypt`](Self::decrypt). Nothing of a signed message was written to
    /// `sink` unless its signature is good.
    pub async fn decrypt_spooled_async(
        &self,
        mut source: impl AsyncRead + Unpin,
        mut spool: impl AsyncRead + AsyncWrite + AsyncSeek + Unpin,
        sink: impl AsyncWrite + Unpin,
    ) -> Result<Opened, Error> {
        let (opening, input) = self.begin_async(&mut source).await?;
        if !opening.header().suite.signs() {
            return open(opening, input, source, sink).await;
        }
        let again = opening.again();
        let begin = spool.stream_position().await?;
        let marks = verify(opening, input, source, &mut spool).await?;
        spool.seek(SeekFrom::Start(begin)).await?;
        open_again(again, spool, marks, sink).await
    }

    /// Reads a header from a source and begins its message; what was read beyond the header is in the buffer.
    async fn begin_async(&self, source: &mut (impl AsyncRead + Unpin)) -> Result<(Opening, Buffer), Error> {
        let mut input = Buffer::default();
        loop {
            if let Some(opening) = self.begin(input.filled()).await? {
                input.consume(opening.body_offset());
                return Ok((opening, input));
            }
            let have = input.len();
            let read = source.read(input.extend(next_read(have))).await?;
            input.truncate(have + read);
            if read == 0 {
                return Err(Error::Truncated { part: Part::Header });
            }
        }
    }
}

/// Reads once what a message needs next, or no more than suits it. False at the end of the source.
async fn read(
    core: &OpeningCore,
    needed: usize,
    source: &mut (impl AsyncRead + Unpin),
    input: &mut Buffer,
) -> io::Result<bool> {
    let have = input.len();
    let wanted = core.read_bytes().min(PIECE_BYTES).saturating_sub(have).max(needed.min(PIECE_BYTES));
    let read = source.read(input.extend(wanted)).await;
    input.truncate(have + read.as_ref().map_or(0, |read| *read));
    Ok(read? > 0)
}

async fn open(
    mut opening: Opening,
    mut input: Buffer,
    mut source: impl AsyncRead + Unpin,
    mut sink: impl AsyncWrite + Unpin,
) -> Result<Opened, Error> {
    opening.threads = 1;
    let mut core = OpeningCore::new(opening);
    let (mut plaintext, mut ended) = (Buffer::default(), false);
    loop {
        let progress = core.advance(&mut input, ended, &mut plaintext)?;
        if let Progress::Needs(bytes) = progress {
            ended = !read(&core, bytes, &mut source, &mut input).await?;
            continue;
        }
        sink.write_all(plaintext.filled()).await?;
        plaintext.clear();
        if progress == Progress::Done {
            sink.flush().await?;
            return Ok(core.opening.opened);
        }
    }
}

/// Verifies a message without releasing any of it, copies it to `copy`, and keeps marks of what it was.
async fn verify(
    mut opening: Opening,
    mut input: Buffer,
    mut source: impl AsyncRead + Unpin,
    mut copy: impl AsyncWrite + Unpin,
) -> Result<Marks, Error> {
    opening.threads = 1;
    let mut marker = Marker::new();
    for bytes in [&opening.bytes[..], input.filled()] {
        marker.pass(bytes)?;
        copy.write_all(bytes).await?;
    }
    let mut core = OpeningCore::new(opening);
    let (mut unreleased, mut ended) = (Buffer::default(), false);
    loop {
        match core.advance(&mut input, ended, &mut unreleased)? {
            Progress::Needs(bytes) => {
                let have = input.len();
                ended = !read(&core, bytes, &mut source, &mut input).await?;
                let new = input.filled().get(have..).unwrap_or_default();
                marker.pass(new)?;
                copy.write_all(new).await?;
            }
            Progress::Released => unreleased.clear(),
            Progress::Done => {
                copy.flush().await?;
                return Ok(marker.finish()?);
            }
        }
    }
}

/// Opens a verified message once more, from a source that has to be what it was.
async fn open_again(
    opening: Opening,
    source: impl AsyncRead + Unpin,
    marks: Marks,
    sink: impl AsyncWrite + Unpin,
) -> Result<Opened, Error> {
    let mut source = Rechecking::new(source, marks);
    let header = opening.body_offset() as u64;
    if tokio::io::copy(&mut (&mut source).take(header), &mut tokio::io::sink()).await? != header {
        return Err(Error::Truncated { part: Part::Header });
    }
    open(opening, Buffer::default(), source, sink).await
}

impl<R: AsyncRead + Unpin> Rechecking<R> {
    fn poll_refill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let (have, room) = self.chunks.room();
            if room.is_empty() {
                return Poll::Ready(self.chunks.check());
            }
            let mut room = ReadBuf::new(room);
            let polled = Pin::new(&mut self.source).poll_read(context, &mut room);
            let read = room.filled().len();
            self.chunks.filled(have + read);
            ready!(polled)?;
            if read == 0 {
                return Poll::Ready(self.chunks.check());
            }
        }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Rechecking<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.chunks.spent() {
            ready!(self.poll_refill(context))?;
        }
        let count = self.chunks.hand_out(buffer.initialize_unfilled());
        buffer.advance(count);
        Poll::Ready(Ok(()))
    }
}
