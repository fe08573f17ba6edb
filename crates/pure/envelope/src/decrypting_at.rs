//! Messages decrypted at positions: as a whole on several threads, and in ranges.

use std::io::Write;
use std::ops::Range;

use crate::ending::{Ending, find};
use crate::header::Framing;
use crate::layout::{Layout, Run};
use crate::opening::{Opened, Opening};
use crate::placed::Placed;
use crate::positioned::{FromStart, ReadAt, WriteAt};
use crate::{Decryption, Error, Part, runs};

impl Decryption<'_> {
    fn begin_at(&self, source: &impl ReadAt, length: u64) -> Result<Opening, Error> {
        Ok(self.begin_from(&mut FromStart { source, offset: 0, length })?.0)
    }

    /// Decrypts the message that is the first `length` bytes of `source` into `staging` on several threads, in no
    /// order.
    ///
    /// `staging` gets plaintext before all of the message is verified: nobody else may read it before this returns,
    /// and after an error it has to be thrown away. A file that gets its name afterwards is such a place.
    ///
    /// # Errors
    /// Those of [`decrypt`](Self::decrypt).
    pub fn decrypt_at(&self, source: &impl ReadAt, length: u64, staging: &impl WriteAt) -> Result<Opened, Error> {
        self.begin_at(source, length)?.open_at(source, length, staging)
    }

    /// Decrypts `range` of the plaintext of an unsigned message, the first `length` bytes of `source`, to `sink`.
    /// Reads the header and the frames that hold the range, and nothing else. A range that goes beyond the end is cut
    /// there.
    ///
    /// # Errors
    /// [`Error::NotFramed`]; [`Error::Signed`], since no signature covers a part alone; and those of
    /// [`decrypt`](Self::decrypt).
    pub fn decrypt_range(
        &self,
        source: &impl ReadAt,
        length: u64,
        range: Range<u64>,
        sink: impl Write,
    ) -> Result<Opened, Error> {
        self.begin_at(source, length)?.open_range(source, length, range, sink)
    }

    /// Decrypts a range as [`decrypt_range`](Self::decrypt_range) does, of signed messages too. The signature is not
    /// verified: whoever holds the data key could have made these frames.
    ///
    /// # Errors
    /// [`Error::NotFramed`], and those of [`decrypt`](Self::decrypt).
    pub fn decrypt_range_unverified(
        &self,
        source: &impl ReadAt,
        length: u64,
        range: Range<u64>,
        sink: impl Write,
    ) -> Result<Opened, Error> {
        self.begin_at(source, length)?.open_range_unverified(source, length, range, sink)
    }

    /// The length in bytes of the plaintext of a message with frames, the first `length` bytes of `source`, and what
    /// is known of it. Reads the header and the final frame.
    ///
    /// # Errors
    /// [`Error::NotFramed`], and those of [`decrypt`](Self::decrypt).
    pub fn plaintext_bytes(&self, source: &impl ReadAt, length: u64) -> Result<(u64, Opened), Error> {
        let opening = self.begin_at(source, length)?;
        let (ending, begin) = opening.ending(source, length)?;
        let last = u64::from(ending.layout.last_sequence()) - 1;
        let (mut body, mut plaintext) = <(Placed, Placed)>::default();
        opening.open_run(source, begin, ending.layout.frames(last, last + 1), &mut body, &mut plaintext)?;
        Ok((ending.layout.plaintext_bytes(), opening.opened))
    }
}

impl Opening {
    /// Opens the message, the first `length` bytes of `source`, as [`Decryption::decrypt_at`] does.
    ///
    /// # Errors
    /// Those of [`Decryption::decrypt`].
    pub fn open_at(self, source: &impl ReadAt, length: u64, staging: &impl WriteAt) -> Result<Opened, Error> {
        if let Framing::Framed(_) = self.header().framing {
            self.open_frames_at(source, length, staging)?;
            return Ok(self.opened);
        }
        let body = FromStart { source, offset: self.bytes.len() as u64, length };
        let (plaintext, opened) = self.unverified_reader(body).into_plaintext()?;
        staging.write_all_at(&plaintext, 0)?;
        Ok(opened)
    }

    /// Opens a range of an unsigned message as [`Decryption::decrypt_range`] does.
    ///
    /// # Errors
    /// [`Error::NotFramed`], [`Error::Signed`], and those of [`Decryption::decrypt`].
    pub fn open_range(
        self,
        source: &impl ReadAt,
        length: u64,
        range: Range<u64>,
        sink: impl Write,
    ) -> Result<Opened, Error> {
        if self.header().suite.signs() {
            return Err(Error::Signed);
        }
        self.open_range_unverified(source, length, range, sink)
    }

    /// Where the message ends, and where its body begins.
    fn ending(&self, source: &impl ReadAt, length: u64) -> Result<(Ending, u64), Error> {
        let Framing::Framed(frame_length) = self.header().framing else { return Err(Error::NotFramed) };
        let begin = self.bytes.len() as u64;
        Ok((find(source, begin, length, frame_length, self.header().suite.signs())?, begin))
    }

    /// Reads and opens a run.
    fn open_run(
        &self,
        source: &impl ReadAt,
        begin: u64,
        run: Option<Run>,
        body: &mut Placed,
        plaintext: &mut Placed,
    ) -> Result<(), Error> {
        let run = run.ok_or(Error::Truncated { part: Part::Body })?;
        let offset = begin + run.body_offset;
        let body = body.at(offset, run.body_bytes);
        source.read_exact_at(body, offset)?;
        let plaintext = plaintext.at(run.plaintext_offset, run.plaintext_bytes);
        runs::open(&self.cipher, &run, body, plaintext)
    }

    fn check_layout(&self, layout: &Layout) -> Result<(), Error> {
        self.check_memory(layout.frame_bytes_max())
    }

    fn open_frames_at(&self, source: &impl ReadAt, length: u64, staging: &impl WriteAt) -> Result<(), Error> {
        let (Ending { layout, signature }, begin) = self.ending(source, length)?;
        self.check_layout(&layout)?;
        let open = |plaintext: &mut Placed, index: u64, body: &mut Placed| {
            let Some(run) = layout.run(index) else { return Ok(()) };
            self.open_run(source, begin, Some(run), body, plaintext)?;
            Ok(staging.write_all_at(plaintext.bytes(), run.plaintext_offset)?)
        };
        let runs = layout.runs();
        match (self.digest(), &self.verification_key) {
            (Some(mut digest), Some(key)) => {
                let buffer_bytes = layout.run_bytes_max().1;
                runs::each_digested(self.threads, runs, buffer_bytes, &mut digest, Placed::default, open)?;
                key.verify(&digest.finish(), &signature)
            }
            _ if self.header().suite.signs() => Err(Error::PublicKeyMissing),
            _ => {
                let buffers = <(Placed, Placed)>::default;
                runs::each(self.threads, runs, buffers, |(plaintext, body), index| open(plaintext, index, body))
            }
        }
    }

    /// Opens a range of any message as [`Decryption::decrypt_range_unverified`] does.
    ///
    /// # Errors
    /// [`Error::NotFramed`], and those of [`Decryption::decrypt`].
    pub fn open_range_unverified(
        self,
        source: &impl ReadAt,
        length: u64,
        range: Range<u64>,
        mut sink: impl Write,
    ) -> Result<Opened, Error> {
        let (Ending { layout, .. }, begin) = self.ending(source, length)?;
        self.check_layout(&layout)?;
        let total = layout.plaintext_bytes();
        let (start, end) = (range.start.min(total), range.end.min(total));
        let (mut body, mut plaintext) = <(Placed, Placed)>::default();
        let (first, stop) = layout.frames_of(start, end.max(start));
        if range.end > total {
            // Only the final frame tells that the plaintext ends here.
            let last = u64::from(layout.last_sequence()) - 1;
            if stop <= last {
                self.open_run(source, begin, layout.frames(last, last + 1), &mut body, &mut plaintext)?;
            }
        }
        let mut next = first;
        while next < stop {
            let upto = stop.min(next + layout.frames_per_run());
            let run = layout.frames(next, upto);
            self.open_run(source, begin, run, &mut body, &mut plaintext)?;
            let offset = run.map_or(0, |run| run.plaintext_offset);
            let from = usize::try_from(start.saturating_sub(offset)).unwrap_or(usize::MAX);
            let to = usize::try_from(end - offset).unwrap_or(usize::MAX).min(plaintext.bytes().len());
            sink.write_all(plaintext.bytes().get(from..to).unwrap_or_default())?;
            next = upto;
        }
        sink.flush()?;
        Ok(self.opened)
    }
}
