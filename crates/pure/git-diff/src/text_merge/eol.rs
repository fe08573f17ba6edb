//! How lines end that a merge adds.

use super::{Lines, Region};

/// The end of a line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Eol {
    Newline,
    CarriageReturnNewline,
}

impl Eol {
    pub(super) const fn bytes(self) -> &'static [u8] {
        match self {
            Self::Newline => b"\n",
            Self::CarriageReturnNewline => b"\r\n",
        }
    }
}

/// The end that lines have around a region. Carriage returns are written if both sides have them, as far as can be told,
/// and the base.
pub(super) fn of(lines: &Lines<'_>, region: &Region) -> Eol {
    let mut carriage_return = has_carriage_return(&lines.ours, region.ours.start.saturating_sub(1));
    if carriage_return != Some(false) {
        carriage_return = has_carriage_return(&lines.theirs, region.theirs.start.saturating_sub(1));
    }
    if carriage_return != Some(false) {
        carriage_return = has_carriage_return(&lines.base, 0);
    }
    if carriage_return == Some(true) { Eol::CarriageReturnNewline } else { Eol::Newline }
}

/// Whether a line ends so, or the one before it if it is the last and has no end.
fn has_carriage_return(lines: &[&[u8]], at: usize) -> Option<bool> {
    let line = lines.get(at)?;
    if line.ends_with(b"\n") {
        return Some(line.ends_with(b"\r\n"));
    }
    let before = lines.get(at.checked_sub(1)?)?;
    Some(before.ends_with(b"\r\n"))
}
