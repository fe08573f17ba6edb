//! Streams of tokio: encryption and decryption between an `AsyncRead` and an `AsyncWrite`, with key services awaited.
//!
//! Sealing and opening run on the task's own thread, about a millisecond at a time. For large data, the functions
//! that wait serve better on a thread where they may: they use several cores.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::buffer::Buffer;
use crate::header::next_read;
use crate::opening::{Opened, Opening, OpeningCore, Progress};
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
            let have = input.len();
            let wanted = core.read_bytes().min(PIECE_BYTES).saturating_sub(have).max(bytes.min(PIECE_BYTES));
            let read = source.read(input.extend(wanted)).await?;
            input.truncate(have + read);
            ended = read == 0;
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
