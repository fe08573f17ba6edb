//! Messages decrypted in memory and as streams.

use std::io::{self, Read, Seek, SeekFrom, Write};

use crate::buffer::Buffer;
use crate::opening::{Opened, Opening, OpeningCore, Progress};
use crate::revisit::{Marking, Rechecking};
use crate::sealing::READ_BYTES;
use crate::{Decryption, Error};

/// How much is read of a body at first, in bytes.
const FIRST_READ: usize = 16 << 10;

impl Decryption<'_> {
    /// Decrypts a message in memory.
    ///
    /// # Errors
    /// Those of [`begin`](Self::begin); [`Error::Truncated`], [`Error::TrailingBytes`]; [`Error::FrameOrder`],
    /// [`Error::FrameNotAuthentic`], [`Error::SignatureNotAuthentic`].
    pub fn decrypt(&self, message: &[u8]) -> Result<(Vec<u8>, Opened), Error> {
        let mut source = message;
        // The message is in memory already, so one frame of it is no danger.
        let unbounded = self.clone().frame_bytes_max(self.frame_bytes_max.max(message.len() as u64));
        let (opening, input) = unbounded.begin_from(&mut source)?;
        OpeningReader::new(opening, input, source).into_plaintext()
    }

    /// A reader of the plaintext of a message without a signature. Each frame is released once it is authentic; only at
    /// the end is it certain that none was cut off.
    ///
    /// # Errors
    /// Those of [`begin`](Self::begin); [`Error::Signed`].
    pub fn reader<R: Read>(&self, mut source: R) -> Result<OpeningReader<R>, Error> {
        let (opening, input) = self.begin_from(&mut source)?;
        if opening.header().suite.signs() {
            return Err(Error::Signed);
        }
        Ok(OpeningReader::new(opening, input, source))
    }

    /// A reader of the plaintext of any message, which releases frames before a signature is verified. Whoever holds
    /// the data key could have made them: what was read counts only after the reader came to its end without an
    /// error.
    ///
    /// # Errors
    /// Those of [`begin`](Self::begin).
    pub fn unverified_reader<R: Read>(&self, mut source: R) -> Result<OpeningReader<R>, Error> {
        let (opening, input) = self.begin_from(&mut source)?;
        Ok(OpeningReader::new(opening, input, source))
    }

    /// Decrypts a message without a signature from `source` to `sink`, in the memory of some frames.
    ///
    /// # Errors
    /// Those of [`reader`](Self::reader) and of [`decrypt`](Self::decrypt).
    pub fn decrypt_stream(&self, source: impl Read, mut sink: impl Write) -> Result<Opened, Error> {
        let mut reader = self.reader(source)?;
        reader.copy(&mut sink)?;
        sink.flush()?;
        Ok(reader.core.opening.opened)
    }

    /// Decrypts any message from `source` to `sink` as [`unverified_reader`](Self::unverified_reader) does.
    ///
    /// # Errors
    /// Those of [`decrypt`](Self::decrypt). What `sink` got before is not to be used.
    pub fn decrypt_stream_unverified(&self, source: impl Read, mut sink: impl Write) -> Result<Opened, Error> {
        let mut reader = self.unverified_reader(source)?;
        reader.copy(&mut sink)?;
        sink.flush()?;
        Ok(reader.core.opening.opened)
    }

    /// Decrypts any message from a source that can be read again, to `sink`. A signed message is read twice: first it
    /// is verified as a whole, then decrypted, provided that it still is what was verified.
    ///
    /// # Errors
    /// Those of [`decrypt`](Self::decrypt). Nothing of a signed message was written to `sink` unless its signature is
    /// good.
    pub fn decrypt_seekable(&self, mut source: impl Read + Seek, sink: impl Write) -> Result<Opened, Error> {
        let begin = source.stream_position()?;
        let (opening, input) = self.begin_from(&mut source)?;
        if !opening.header().suite.signs() {
            return finish(OpeningReader::new(opening, input, source), sink);
        }
        let again = opening.again();
        source.seek(SeekFrom::Start(begin))?;
        let mut marking = Marking::new(source, io::sink());
        marking.skip(opening.body_offset())?;
        OpeningReader::new(opening, Buffer::default(), &mut marking).copy(&mut io::sink())?;
        let (mut source, marks, _) = marking.finish()?;
        source.seek(SeekFrom::Start(begin))?;
        let mut rechecking = Rechecking::new(source, marks);
        rechecking.skip(again.body_offset())?;
        finish(OpeningReader::new(again, Buffer::default(), rechecking), sink)
    }

    /// Decrypts any message from `source` to `sink`. A signed message is first copied, still encrypted, to `spool`,
    /// which has to be empty, and verified on the way.
    ///
    /// # Errors
    /// Those of [`decrypt`](Self::decrypt). Nothing of a signed message was written to `sink` unless its signature is
    /// good.
    pub fn decrypt_spooled(
        &self,
        mut source: impl Read,
        mut spool: impl Read + Write + Seek,
        sink: impl Write,
    ) -> Result<Opened, Error> {
        let (opening, input) = self.begin_from(&mut source)?;
        if !opening.header().suite.signs() {
            return finish(OpeningReader::new(opening, input, source), sink);
        }
        let again = opening.again();
        let mut beginning = opening.bytes.clone();
        beginning.extend_from_slice(input.filled());
        let begin = spool.stream_position()?;
        let mut marking = Marking::new(io::Cursor::new(beginning).chain(source), &mut spool);
        marking.skip(opening.body_offset())?;
        OpeningReader::new(opening, Buffer::default(), &mut marking).copy(&mut io::sink())?;
        let (_, marks, spool) = marking.finish()?;
        spool.seek(SeekFrom::Start(begin))?;
        let mut rechecking = Rechecking::new(spool, marks);
        rechecking.skip(again.body_offset())?;
        finish(OpeningReader::new(again, Buffer::default(), rechecking), sink)
    }
}

impl Opening {
    /// Opens the rest of a message in memory, which follows its header.
    ///
    /// # Errors
    /// Those of [`Decryption::decrypt`].
    pub fn open(self, body: &[u8]) -> Result<(Vec<u8>, Opened), Error> {
        self.unverified_reader(body).into_plaintext()
    }

    /// A reader of the plaintext of a message without a signature, as [`Decryption::reader`] gives; `body` yields
    /// what follows the header.
    ///
    /// # Errors
    /// [`Error::Signed`].
    pub fn reader<R: Read>(self, body: R) -> Result<OpeningReader<R>, Error> {
        if self.header().suite.signs() { Err(Error::Signed) } else { Ok(self.unverified_reader(body)) }
    }

    /// A reader of the plaintext of any message, as [`Decryption::unverified_reader`] gives; `body` yields what
    /// follows the header.
    #[must_use]
    pub fn unverified_reader<R: Read>(self, body: R) -> OpeningReader<R> {
        OpeningReader::new(self, Buffer::default(), body)
    }
}

fn finish<R: Read>(mut reader: OpeningReader<R>, mut sink: impl Write) -> Result<Opened, Error> {
    reader.copy(&mut sink)?;
    sink.flush()?;
    Ok(reader.core.opening.opened)
}

/// A reader of plaintext.
pub struct OpeningReader<R> {
    core: OpeningCore,
    source: R,
    input: Buffer,
    ended: bool,
    plaintext: Buffer,
    /// How much of the plaintext may be released. The rest waits until everything is verified.
    released: usize,
    /// How much of it was read.
    read: usize,
    /// How much to read at a time. It grows, so that a short message costs no long buffer.
    read_bytes: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Done,
    Refused,
}

impl<R: Read> OpeningReader<R> {
    pub(crate) fn new(opening: Opening, input: Buffer, source: R) -> Self {
        Self {
            core: OpeningCore::new(opening),
            source,
            input,
            ended: false,
            plaintext: Buffer::default(),
            released: 0,
            read: 0,
            read_bytes: FIRST_READ,
            state: State::Open,
        }
    }

    /// Header, encryption context and wrapping key of the message. The header is authentic; the rest is fully
    /// verified only when the reader has come to its end.
    #[must_use]
    pub const fn opened(&self) -> &Opened {
        &self.core.opening.opened
    }

    /// Releases the next plaintext; false at the end. After an error of the source it may be called again.
    fn advance(&mut self) -> Result<bool, Error> {
        if self.released > 0 {
            self.plaintext.clear();
            (self.released, self.read) = (0, 0);
        }
        loop {
            match self.state {
                State::Open => {}
                State::Done => return Ok(false),
                State::Refused => return Err(io::Error::other("the message was refused before").into()),
            }
            match self.core.advance(&mut self.input, self.ended, &mut self.plaintext) {
                Ok(Progress::Needs(bytes)) => {
                    self.fill(bytes)?;
                    continue;
                }
                Ok(Progress::Released) => {}
                Ok(Progress::Done) => self.state = State::Done,
                Err(error) => {
                    self.plaintext.clear();
                    self.state = State::Refused;
                    return Err(error);
                }
            }
            self.released = self.plaintext.len();
            return Ok(self.released > 0);
        }
    }

    /// Reads once: what is needed if the source has it ready, and no more than suits the message.
    fn fill(&mut self, needed: usize) -> io::Result<()> {
        let have = self.input.len();
        let wanted = self.read_bytes.saturating_sub(have).max(needed.min(READ_BYTES));
        self.read_bytes = self.read_bytes.saturating_mul(4).min(self.core.read_bytes());
        let read = loop {
            let read = self.source.read(self.input.extend(wanted));
            match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => self.input.truncate(have),
                read => break read,
            }
        };
        self.input.truncate(have + read.as_ref().map_or(0, |read| *read));
        self.ended = read? == 0;
        Ok(())
    }

    /// The whole plaintext.
    pub(crate) fn into_plaintext(mut self) -> Result<(Vec<u8>, Opened), Error> {
        let mut plaintext = Vec::new();
        self.copy(&mut plaintext)?;
        Ok((plaintext, self.core.opening.opened))
    }

    /// Writes the whole plaintext to `sink`.
    fn copy(&mut self, sink: &mut impl Write) -> Result<(), Error> {
        while self.advance()? {
            sink.write_all(self.plaintext.filled())?;
        }
        Ok(())
    }
}

impl<R: Read> Read for OpeningReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || (self.read == self.released && !self.advance()?) {
            return Ok(0);
        }
        let rest = self.plaintext.filled().get(self.read..self.released).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.read += count;
        Ok(count)
    }
}
