//! A message that is begun: its body sealed in memory, from a stream, or at positions on several threads.

use std::io::{self, Read, Write};
use std::sync::Arc;

use crypto::signature::EcdsaKey;

use crate::buffer::Buffer;
use crate::frame::{FINAL_OVERHEAD, FRAMES_MAX, FrameCipher, REGULAR_OVERHEAD, UNFRAMED_MAX, UNFRAMED_OVERHEAD};
use crate::header::{Framing, Header};
use crate::layout::{Layout, Run};
use crate::message_digest::{DigestLane, MessageDigest, footer, footer_bytes};
use crate::placed::Placed;
use crate::positioned::{ReadAt, WriteAt};
use crate::{EncryptionContext, Error, runs};

/// How much is read from a stream at a time, in bytes.
pub(crate) const READ_BYTES: usize = 1 << 20;

/// A message that is begun: its key is there and its header is sealed.
pub struct Sealing {
    pub(crate) header: Header,
    pub(crate) context: EncryptionContext,
    pub(crate) bytes: Vec<u8>,
    pub(crate) cipher: Arc<FrameCipher>,
    pub(crate) signing_key: Option<Arc<EcdsaKey>>,
    pub(crate) plaintext_max: Option<u64>,
    pub(crate) threads: usize,
}

/// A message that was encrypted.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// Its header.
    pub header: Header,
    /// Its whole encryption context, with what the header does not store.
    pub context: EncryptionContext,
    /// The plaintext's length in bytes.
    pub plaintext_bytes: u64,
    /// The message's length in bytes.
    pub message_bytes: u64,
}

impl Sealing {
    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The length of the message of `length` bytes of plaintext, in bytes.
    ///
    /// # Errors
    /// [`Error::PlaintextTooLong`].
    pub fn message_bytes(&self, length: u64) -> Result<u64, Error> {
        let body = match self.header.framing {
            Framing::Framed(frame_length) => Layout::of_plaintext(length, frame_length)?.body_bytes(),
            Framing::Unframed => length + UNFRAMED_OVERHEAD as u64,
        };
        Ok(self.bytes.len() as u64 + body + self.footer_bytes())
    }

    fn footer_bytes(&self) -> u64 {
        self.signing_key.as_ref().map_or(0, |key| footer_bytes(key.algorithm()) as u64)
    }

    fn digest(&self) -> Option<MessageDigest> {
        let mut digest = MessageDigest::new(self.signing_key.as_ref()?.algorithm());
        digest.update(&self.bytes);
        Some(digest)
    }

    fn sealed(self, plaintext_bytes: u64, message_bytes: u64) -> Sealed {
        Sealed { header: self.header, context: self.context, plaintext_bytes, message_bytes }
    }

    /// The bound on the plaintext: the caller's or the format's.
    fn plaintext_max(&self) -> u64 {
        let format = match self.header.framing {
            Framing::Framed(length) => u64::from(length.get()) * FRAMES_MAX,
            Framing::Unframed => UNFRAMED_MAX,
        };
        self.plaintext_max.map_or(format, |max| max.min(format))
    }

    /// Seals bytes in memory and returns the message.
    ///
    /// # Errors
    /// [`Error::PlaintextTooLong`].
    pub fn seal(self, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        let length = plaintext.len() as u64;
        if length > self.plaintext_max() {
            return Err(Error::PlaintextTooLong { max: self.plaintext_max() });
        }
        let whole = usize::try_from(self.message_bytes(length)?);
        let whole = whole.map_err(|_| Error::PlaintextTooLong { max: usize::MAX as u64 })?;
        let mut writer = self.writer(Vec::with_capacity(whole))?;
        writer.push(plaintext)?;
        Ok(writer.finish()?.0)
    }

    /// Seals what `source` yields up to its end and writes the message to `sink`.
    ///
    /// # Errors
    /// [`Error::PlaintextTooLong`], [`Error::Io`].
    pub fn seal_stream(self, mut source: impl Read, sink: impl Write) -> Result<Sealed, Error> {
        let mut writer = self.writer(sink)?;
        let mut buffer = vec![0; READ_BYTES];
        loop {
            match source.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => writer.push(buffer.get(..read).unwrap_or_default())?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(writer.finish()?.1)
    }

    /// A writer that seals what is written to it. The header is written at once.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn writer<W: Write>(self, mut sink: W) -> Result<SealingWriter<W>, Error> {
        let (first, core) = SealingCore::new(self);
        sink.write_all(&first)?;
        Ok(SealingWriter { core, sink })
    }

    /// Seals the first `length` bytes of `source` into `sink` on several threads, in no order.
    ///
    /// # Errors
    /// [`Error::PlaintextTooLong`], [`Error::Io`].
    pub fn seal_at(self, source: &impl ReadAt, length: u64, sink: &impl WriteAt) -> Result<Sealed, Error> {
        if length > self.plaintext_max() {
            return Err(Error::PlaintextTooLong { max: self.plaintext_max() });
        }
        let Framing::Framed(frame_length) = self.header.framing else {
            let mut plaintext = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
            source.read_exact_at(&mut plaintext, 0)?;
            let (header, context) = (self.header.clone(), self.context.clone());
            let message = self.seal(&plaintext)?;
            sink.write_all_at(&message, 0)?;
            return Ok(Sealed { header, context, plaintext_bytes: length, message_bytes: message.len() as u64 });
        };
        let layout = Layout::of_plaintext(length, frame_length)?;
        let begin = self.bytes.len() as u64;
        sink.write_all_at(&self.bytes, 0)?;
        let seal = |plaintext: &mut Placed, index: u64, body: &mut Placed| {
            let Some(run) = layout.run(index) else { return Ok(()) };
            let plaintext = plaintext.at(run.plaintext_offset, run.plaintext_bytes);
            source.read_exact_at(plaintext, run.plaintext_offset)?;
            let offset = begin + run.body_offset;
            let body = body.at(offset, run.body_bytes);
            runs::seal(&self.cipher, &run, plaintext, body)?;
            Ok(sink.write_all_at(body, offset)?)
        };
        match (self.digest(), &self.signing_key) {
            (Some(mut digest), Some(key)) => {
                runs::each_digested(
                    self.threads,
                    layout.runs(),
                    layout.run_bytes_max().1,
                    &mut digest,
                    Placed::default,
                    seal,
                )?;
                sink.write_all_at(&footer(key, &digest.finish())?, begin + layout.body_bytes())?;
            }
            _ => {
                let buffers = <(Placed, Placed)>::default;
                runs::each(self.threads, layout.runs(), buffers, |(plaintext, body), index| {
                    seal(plaintext, index, body)
                })?;
            }
        }
        let message_bytes = self.message_bytes(length)?;
        Ok(self.sealed(length, message_bytes))
    }
}

/// Seals a stream piece by piece, without doing I/O: both the writer and the async functions are made of it.
pub(crate) struct SealingCore {
    sealing: Sealing,
    /// Regular frames are sealed as soon as this many bytes of plaintext are followed by more.
    run_bytes: usize,
    pending: Vec<u8>,
    next_sequence: u32,
    plaintext_bytes: u64,
    body_bytes: u64,
    lane: Option<DigestLane>,
    spare: Buffer,
    /// Whether something failed: then it is unknown which bytes came through, and the message cannot be completed.
    failed: bool,
}

impl SealingCore {
    /// Begins the body, and returns the header's bytes.
    pub(crate) fn new(sealing: Sealing) -> (Vec<u8>, Self) {
        let lane = sealing.digest().map(|digest| DigestLane::new(digest, sealing.threads > 1));
        let header = sealing.bytes.clone();
        let run_bytes = match sealing.header.framing {
            Framing::Framed(length) => {
                let frame = usize::try_from(length.get()).unwrap_or(usize::MAX);
                frame * (READ_BYTES / frame).max(1)
            }
            Framing::Unframed => usize::MAX,
        };
        let core = Self {
            sealing,
            run_bytes,
            pending: Vec::new(),
            next_sequence: 1,
            plaintext_bytes: 0,
            body_bytes: 0,
            lane,
            spare: Buffer::default(),
            failed: false,
        };
        (header, core)
    }

    fn frame_length(&self) -> usize {
        match self.sealing.header.framing {
            Framing::Framed(length) => usize::try_from(length.get()).unwrap_or(usize::MAX),
            Framing::Unframed => 0,
        }
    }

    fn check_intact(&self) -> Result<(), Error> {
        if self.failed { Err(io::Error::other("the message failed before").into()) } else { Ok(()) }
    }

    /// Takes in plaintext, and gives sealed bytes to `emit` as soon as there are many.
    pub(crate) fn push(&mut self, plaintext: &[u8], emit: impl FnMut(&[u8]) -> io::Result<()>) -> Result<(), Error> {
        self.check_intact()?;
        let pushed = self.push_intact(plaintext, emit);
        self.failed = pushed.is_err();
        pushed
    }

    fn push_intact(
        &mut self,
        mut plaintext: &[u8],
        mut emit: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), Error> {
        let max = self.sealing.plaintext_max();
        self.plaintext_bytes += plaintext.len() as u64;
        if self.plaintext_bytes > max {
            return Err(Error::PlaintextTooLong { max });
        }
        // The last bytes wait for more, since the final frame takes them.
        while self.pending.len().saturating_add(plaintext.len()) > self.run_bytes {
            if self.pending.is_empty() {
                let Some((run, rest)) = plaintext.split_at_checked(self.run_bytes) else { break };
                let sealed = self.seal_regular(run)?;
                emit(sealed.filled())?;
                self.hashed(sealed);
                plaintext = rest;
            } else {
                let (head, rest) =
                    plaintext.split_at_checked(self.run_bytes - self.pending.len()).unwrap_or((plaintext, &[]));
                self.pending.extend_from_slice(head);
                plaintext = rest;
                let run = std::mem::take(&mut self.pending);
                let sealed = self.seal_regular(&run)?;
                emit(sealed.filled())?;
                self.hashed(sealed);
                self.pending = run;
                self.pending.clear();
            }
        }
        self.pending.extend_from_slice(plaintext);
        Ok(())
    }

    /// An empty buffer.
    fn buffer(&mut self) -> Buffer {
        let mut buffer = match &mut self.lane {
            Some(lane) => lane.spare(),
            None => std::mem::take(&mut self.spare),
        };
        buffer.clear();
        buffer
    }

    /// Takes in bytes of the body that were written.
    fn hashed(&mut self, sealed: Buffer) {
        self.body_bytes += sealed.len() as u64;
        match &mut self.lane {
            Some(lane) => lane.push(sealed),
            None => self.spare = sealed,
        }
    }

    /// Seals whole regular frames.
    fn seal_regular(&mut self, plaintext: &[u8]) -> Result<Buffer, Error> {
        let frame_length = self.frame_length();
        let regular = plaintext.len().checked_div(frame_length).unwrap_or(0);
        let mut body = self.buffer();
        let frames = body.extend(plaintext.len() + regular * REGULAR_OVERHEAD);
        let run = self.run(regular, None, plaintext.len(), frames.len());
        runs::seal(&self.sealing.cipher, &run, plaintext, frames)?;
        self.next_sequence = self.next_sequence.saturating_add(u32::try_from(regular).unwrap_or(u32::MAX));
        Ok(body)
    }

    const fn run(&self, regular: usize, last: Option<usize>, plaintext_bytes: usize, body_bytes: usize) -> Run {
        let first = self.next_sequence;
        Run { first, regular, last, plaintext_offset: 0, body_offset: 0, plaintext_bytes, body_bytes }
    }

    /// Seals what is left, signs, and gives the end of the message to `emit`.
    pub(crate) fn finish(mut self, mut emit: impl FnMut(&[u8]) -> io::Result<()>) -> Result<Sealed, Error> {
        self.check_intact()?;
        let pending = std::mem::take(&mut self.pending);
        let mut body = self.buffer();
        if self.sealing.header.framing == Framing::Unframed {
            self.sealing.cipher.seal_unframed(&pending, body.extend(pending.len() + UNFRAMED_OVERHEAD))?;
        } else {
            let regular = pending.len().saturating_sub(1).checked_div(self.frame_length()).unwrap_or(0);
            let last = pending.len() - regular * self.frame_length();
            let frames = body.extend(pending.len() + regular * REGULAR_OVERHEAD + FINAL_OVERHEAD);
            let run = self.run(regular, Some(last), pending.len(), frames.len());
            runs::seal(&self.sealing.cipher, &run, &pending, frames)?;
        }
        emit(body.filled())?;
        self.hashed(body);
        let mut message_bytes = self.sealing.bytes.len() as u64 + self.body_bytes;
        if let (Some(lane), Some(key)) = (self.lane, &self.sealing.signing_key) {
            let footer = footer(key, &lane.finish()?)?;
            emit(&footer)?;
            message_bytes += footer.len() as u64;
        }
        Ok(self.sealing.sealed(self.plaintext_bytes, message_bytes))
    }
}

/// A writer that encrypts. A message that is not [`finish`](Self::finish)ed is truncated, and refused by every reader.
pub struct SealingWriter<W> {
    core: SealingCore,
    sink: W,
}

impl<W: Write> SealingWriter<W> {
    fn push(&mut self, plaintext: &[u8]) -> Result<(), Error> {
        self.core.push(plaintext, |sealed| self.sink.write_all(sealed))
    }

    /// Completes the message: seals the rest, signs, flushes, and returns the sink.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn finish(mut self) -> Result<(W, Sealed), Error> {
        let sealed = self.core.finish(|bytes| self.sink.write_all(bytes))?;
        self.sink.flush()?;
        Ok((self.sink, sealed))
    }
}

impl<W: Write> Write for SealingWriter<W> {
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        self.push(plaintext)?;
        Ok(plaintext.len())
    }

    /// Flushes the sink. Plaintext that fills no frame yet stays here.
    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
