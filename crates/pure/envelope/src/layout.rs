//! Where the frames of a body stand: every frame but the final one has the same length, so each offset can be computed.

use std::num::NonZeroU32;

use crate::Error;
use crate::frame::{FINAL_OVERHEAD, FRAMES_MAX, REGULAR_OVERHEAD};

/// Frames are worked on in runs of about this much plaintext: long enough that positioned reads and writes cost
/// nothing beside the cipher, short enough to stay in a core's cache.
const RUN_BYTES: u64 = 1 << 20;

/// The frames of one body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    frame_length: u64,
    /// How many frames come before the final one.
    regular: u64,
    /// The plaintext in the final frame, in bytes.
    last: u64,
}

/// Some consecutive frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// The sequence number of the first.
    pub(crate) first: u32,
    /// How many regular frames there are.
    pub(crate) regular: usize,
    /// The plaintext of the final frame in bytes, if it is among them.
    pub(crate) last: Option<usize>,
    /// Where they begin in the plaintext.
    pub(crate) plaintext_offset: u64,
    /// Where they begin in the body.
    pub(crate) body_offset: u64,
    /// How much plaintext they hold, in bytes.
    pub(crate) plaintext_bytes: usize,
    /// How many bytes of the body they take.
    pub(crate) body_bytes: usize,
}

const fn regular_bytes(frame_length: u64) -> u64 {
    frame_length + REGULAR_OVERHEAD as u64
}

impl Layout {
    /// The frames that `length` bytes of plaintext are sealed into. The final one is empty only when the plaintext is.
    pub(crate) fn of_plaintext(length: u64, frame_length: NonZeroU32) -> Result<Self, Error> {
        let frame_length = u64::from(frame_length.get());
        let regular = length.saturating_sub(1) / frame_length;
        if regular >= FRAMES_MAX {
            return Err(Error::PlaintextTooLong { max: frame_length * FRAMES_MAX });
        }
        Ok(Self { frame_length, regular, last: length - regular * frame_length })
    }

    /// The frames of a body of `bytes` bytes; `None` when no body has that length.
    pub(crate) fn of_body(bytes: u64, frame_length: NonZeroU32) -> Option<Self> {
        let frame_length = u64::from(frame_length.get());
        let frames = bytes.checked_sub(FINAL_OVERHEAD as u64)?;
        let (regular, last) = (frames / regular_bytes(frame_length), frames % regular_bytes(frame_length));
        (last <= frame_length && regular < FRAMES_MAX).then_some(Self { frame_length, regular, last })
    }

    /// The plaintext's length in bytes.
    pub(crate) const fn plaintext_bytes(&self) -> u64 {
        self.regular * self.frame_length + self.last
    }

    /// The body's length in bytes.
    pub(crate) const fn body_bytes(&self) -> u64 {
        self.regular * regular_bytes(self.frame_length) + FINAL_OVERHEAD as u64 + self.last
    }

    /// The final frame's sequence number.
    pub(crate) fn last_sequence(&self) -> u32 {
        u32::try_from(self.regular + 1).unwrap_or(u32::MAX)
    }

    /// How many frames a run has.
    pub(crate) const fn frames_per_run(&self) -> u64 {
        let frames = RUN_BYTES / self.frame_length;
        if frames == 0 { 1 } else { frames }
    }

    /// How many runs there are.
    pub(crate) const fn runs(&self) -> u64 {
        (self.regular + 1).div_ceil(self.frames_per_run())
    }

    /// The longest plaintext and the longest part of the body that a run takes, in bytes.
    pub(crate) fn run_bytes_max(&self) -> (usize, usize) {
        let frames = self.frames_per_run().min(self.regular + 1);
        let plaintext = (frames * self.frame_length).min(self.plaintext_bytes());
        let body = plaintext + frames * REGULAR_OVERHEAD as u64 + 8;
        (usize::try_from(plaintext).unwrap_or(usize::MAX), usize::try_from(body).unwrap_or(usize::MAX))
    }

    /// The longest frame's plaintext in bytes.
    pub(crate) const fn frame_bytes_max(&self) -> u64 {
        if self.regular == 0 { self.last } else { self.frame_length }
    }

    /// The indexes, from 0, of the first frame that holds plaintext from `start` up to but not `end`, and of the
    /// first after it that holds none.
    pub(crate) const fn frames_of(&self, start: u64, end: u64) -> (u64, u64) {
        let first = start / self.frame_length;
        if start < end { (first, end.div_ceil(self.frame_length)) } else { (first, first) }
    }

    /// Run number `index`, from 0.
    pub(crate) fn run(&self, index: u64) -> Option<Run> {
        let first = index.checked_mul(self.frames_per_run())?;
        self.frames(first, first.saturating_add(self.frames_per_run()))
    }

    /// The run of the frames with indexes from `first` up to but not `end`, from 0; `None` when there is none of them.
    pub(crate) fn frames(&self, first: u64, end: u64) -> Option<Run> {
        if first > self.regular || end <= first {
            return None;
        }
        let regular = end.min(self.regular) - first;
        let last = (end > self.regular).then_some(self.last);
        let plaintext_bytes = regular * self.frame_length + last.unwrap_or(0);
        let body_bytes =
            regular * regular_bytes(self.frame_length) + last.map_or(0, |last| last + FINAL_OVERHEAD as u64);
        Some(Run {
            first: u32::try_from(first + 1).ok()?,
            regular: usize::try_from(regular).ok()?,
            last: last.map(usize::try_from).transpose().ok()?,
            plaintext_offset: first * self.frame_length,
            body_offset: first * regular_bytes(self.frame_length),
            plaintext_bytes: usize::try_from(plaintext_bytes).ok()?,
            body_bytes: usize::try_from(body_bytes).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames_of(length: u32) -> NonZeroU32 {
        NonZeroU32::new(length).unwrap()
    }

    #[test]
    fn runs_cover_the_plaintext_and_the_body_without_gap_or_overlap() {
        for frame_length in [1, 7, 4096, 1 << 20, 3 << 20, u32::MAX] {
            for length in [0, 1, 6, 7, 8, 4095, 4096, 4097, 1 << 20, (1 << 20) + 1, 33 << 20] {
                if frame_length == 1 && length > 1 << 20 {
                    continue;
                }
                let layout = Layout::of_plaintext(length, frames_of(frame_length)).unwrap();
                assert_eq!(layout.plaintext_bytes(), length);
                assert_eq!(Layout::of_body(layout.body_bytes(), frames_of(frame_length)), Some(layout));
                let (mut plaintext, mut body, mut sequence) = (0, 0, 1);
                for index in 0..layout.runs() {
                    let run = layout.run(index).unwrap();
                    assert_eq!((run.plaintext_offset, run.body_offset, run.first), (plaintext, body, sequence));
                    assert_eq!(run.last.is_some(), index + 1 == layout.runs());
                    let (plaintext_max, body_max) = layout.run_bytes_max();
                    assert!(run.plaintext_bytes <= plaintext_max && run.body_bytes <= body_max);
                    plaintext += run.plaintext_bytes as u64;
                    body += run.body_bytes as u64;
                    sequence += u32::try_from(run.regular).unwrap() + u32::from(run.last.is_some());
                }
                assert_eq!((plaintext, body, sequence), (length, layout.body_bytes(), layout.last_sequence() + 1));
                assert_eq!(layout.run(layout.runs()), None);
            }
        }
    }

    #[test]
    fn only_an_empty_plaintext_has_an_empty_final_frame_when_sealed() {
        let cases = [(0, 0, 0), (1, 0, 1), (10, 0, 10), (11, 1, 1), (20, 1, 10), (21, 2, 1)];
        for (length, regular, last) in cases {
            let layout = Layout::of_plaintext(length, frames_of(10)).unwrap();
            assert_eq!((layout.regular, layout.last), (regular, last));
        }
    }

    #[test]
    fn an_empty_final_frame_after_full_ones_is_read() {
        let layout = Layout::of_body(2 * 42 + 40, frames_of(10)).unwrap();
        assert_eq!((layout.regular, layout.last), (2, 0));
    }

    #[test]
    fn lengths_that_no_body_has_are_refused() {
        for bytes in [0, 39, 51, 81] {
            assert_eq!(Layout::of_body(bytes, frames_of(10)), None, "{bytes}");
        }
        assert!(Layout::of_body(40 + FRAMES_MAX * 33, frames_of(1)).is_none());
        assert!(Layout::of_plaintext(FRAMES_MAX, frames_of(1)).is_ok());
        assert!(matches!(Layout::of_plaintext(FRAMES_MAX + 1, frames_of(1)), Err(Error::PlaintextTooLong { .. })));
    }
}
