//! Two changes of one text made into one.
//!
//! Owns which lines of which side go into the result, and how conflicts are written, as git does it line by line. Refuses
//! to know files and what is no text.
//!
//! Sources: git-merge-file; git-merge, "How conflicts are presented".

mod eol;
mod region;

use std::ops::Range;

pub use region::{Region, Taken, regions};

use crate::lines::{Algorithm, split};
use eol::Eol;

/// The handling of a conflict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Favor {
    /// It stays one.
    #[default]
    Neither,
    /// Ours is taken where both have changed the same lines.
    Ours,
    /// Theirs is taken there.
    Theirs,
    /// Both are, ours first.
    Union,
}

/// How a conflict is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Both sides, and as few lines of them as can be.
    #[default]
    Merge,
    /// Both sides whole, and the lines of the base.
    Diff3,
    /// As that, without the lines that both sides begin or end with.
    ZealousDiff3,
}

/// How texts are merged.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// How equal lines are found. `git merge` takes the histogram, `git merge-file` Myers' algorithm.
    pub algorithm: Algorithm,
    /// The handling of conflicts.
    pub favor: Favor,
    /// How they are written.
    pub style: Style,
    /// Whether conflicts with nothing but punctuation between them are made one, as `git merge-file` does.
    pub join_over_punctuation: bool,
    /// Characters of a marker, of which git has 7.
    pub marker_size: usize,
    /// The label behind the marker of our side; nothing if empty.
    pub ours: &'a [u8],
    /// The label behind the marker of the base.
    pub base: &'a [u8],
    /// The label behind the marker of their side.
    pub theirs: &'a [u8],
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::Histogram,
            favor: Favor::Neither,
            style: Style::Merge,
            join_over_punctuation: false,
            marker_size: 7,
            ours: b"ours",
            base: b"base",
            theirs: b"theirs",
        }
    }
}

/// A merged text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedText {
    /// The text, with markers around conflicts.
    pub content: Vec<u8>,
    /// How many conflicts there are, settled ones included.
    pub conflicts: usize,
}

/// Merges what two sides have made of `base`.
#[must_use]
pub fn merge(base: &[u8], ours: &[u8], theirs: &[u8], options: &Options<'_>) -> MergedText {
    let lines = Lines { base: split(base), ours: split(ours), theirs: split(theirs) };
    let Some(regions) = region::find(&lines, options) else {
        // One side has changed nothing.
        let content = if base == ours { theirs } else { ours };
        return MergedText { content: content.to_vec(), conflicts: 0 };
    };
    let conflicts = regions.iter().filter(|region| region.taken == Taken::Conflict).count();
    let mut content = Vec::with_capacity(ours.len() + theirs.len() / 4);
    let mut at = 0;
    for region in &regions {
        let taken = match (region.taken, options.favor) {
            (Taken::Conflict, Favor::Ours) => Taken::Ours,
            (Taken::Conflict, Favor::Theirs) => Taken::Theirs,
            (Taken::Conflict, Favor::Union) => Taken::Both,
            (taken, _) => taken,
        };
        if taken == Taken::Same {
            continue;
        }
        push_lines(&mut content, &lines.ours, at..region.ours.start, None);
        match taken {
            Taken::Conflict => push_conflict(&mut content, &lines, region, options),
            Taken::Ours => push_lines(&mut content, &lines.ours, region.ours.clone(), None),
            Taken::Theirs => push_lines(&mut content, &lines.theirs, region.theirs.clone(), None),
            Taken::Both => {
                push_lines(&mut content, &lines.ours, region.ours.clone(), Some(eol::of(&lines, region)));
                push_lines(&mut content, &lines.theirs, region.theirs.clone(), None);
            }
            Taken::Same => {}
        }
        at = region.ours.end;
    }
    push_lines(&mut content, &lines.ours, at..lines.ours.len(), None);
    MergedText { content, conflicts }
}

/// The lines of the three texts.
struct Lines<'a> {
    base: Vec<&'a [u8]>,
    ours: Vec<&'a [u8]>,
    theirs: Vec<&'a [u8]>,
}

/// Appends lines; with `ends`, the last one gets an end if it has none.
fn push_lines(out: &mut Vec<u8>, lines: &[&[u8]], range: Range<usize>, ends: Option<Eol>) {
    let lines = lines.get(range).unwrap_or_default();
    lines.iter().for_each(|line| out.extend_from_slice(line));
    if let (Some(eol), Some(last)) = (ends, lines.last())
        && !last.ends_with(b"\n")
    {
        out.extend_from_slice(eol.bytes());
    }
}

fn push_conflict(out: &mut Vec<u8>, lines: &Lines<'_>, region: &Region, options: &Options<'_>) {
    let eol = eol::of(lines, region);
    let marker = |out: &mut Vec<u8>, character: u8, label: &[u8]| {
        out.resize(out.len() + options.marker_size, character);
        if !label.is_empty() {
            out.push(b' ');
            out.extend_from_slice(label);
        }
        out.extend_from_slice(eol.bytes());
    };
    marker(out, b'<', options.ours);
    push_lines(out, &lines.ours, region.ours.clone(), Some(eol));
    if options.style != Style::Merge {
        marker(out, b'|', options.base);
        push_lines(out, &lines.base, region.base.clone(), Some(eol));
    }
    marker(out, b'=', b"");
    push_lines(out, &lines.theirs, region.theirs.clone(), Some(eol));
    marker(out, b'>', options.theirs);
}
