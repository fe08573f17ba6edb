//! The differences between two files, line by line.
//!
//! Owns hunks with context, as `git diff` shows them. Refuses to know files, colours and formats.

mod histogram;
mod myers;
mod slide;

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;

use myers::Counts;
use slide::File;

/// How the lines are found that both files have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// Myers' algorithm, which `git diff` uses unless told otherwise.
    #[default]
    Myers,
    /// The histogram algorithm, by which git merges.
    Histogram,
}

/// The options of a comparison.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Lines around a change; changes with no more than twice that between them are one hunk.
    pub context: u32,
    /// Whether lines are equal that differ in blanks alone, as with `git diff --ignore-all-space`.
    pub ignore_whitespace: bool,
    /// How equal lines are found.
    pub algorithm: Algorithm,
}

impl Default for Options {
    fn default() -> Self {
        Self { context: 3, ignore_whitespace: false, algorithm: Algorithm::Myers }
    }
}

/// Lines of both files that replace each other, with lines around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk<'a> {
    /// Lines of the file before, counted from 0; an empty range is in front of its start.
    pub before: Range<u32>,
    /// Lines of the file after.
    pub after: Range<u32>,
    /// All lines of both, those that are deleted before those that are added.
    pub lines: Vec<Line<'a>>,
}

/// A line of a hunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Where it is.
    pub side: Side,
    /// Its number in the file before, counted from 0, unless it is added.
    pub before: Option<u32>,
    /// Its number in the file after, counted from 0, unless it is deleted.
    pub after: Option<u32>,
    /// Its bytes, with the newline unless the file ends without one.
    pub content: &'a [u8],
}

/// Which of the files has a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Both: a line around changes.
    Context,
    /// The file before alone.
    Deleted,
    /// The file after alone.
    Added,
}

/// Lines of the file before, and those of the file after that are in their place.
pub type Replaced = (Range<u32>, Range<u32>);

type Lines<'a> = &'a [&'a [u8]];

/// The lines of a text, with their newlines.
pub(crate) fn split(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

/// The hunks between two texts. They are empty when the texts are equal, or equal but for blanks that are ignored.
#[must_use]
pub fn hunks<'a>(before: &'a [u8], after: &'a [u8], options: &Options) -> Vec<Hunk<'a>> {
    let (old, new) = (split(before), split(after));
    let indentation = Some((old.as_slice(), new.as_slice()));
    let replaced = if options.ignore_whitespace {
        compute(&number(without_blanks(&old), without_blanks(&new)), options.algorithm, indentation)
    } else {
        compute(&number(old.iter().copied(), new.iter().copied()), options.algorithm, indentation)
    };
    group(&replaced, &old, &new, options.context)
}

/// The lines of two files as numbers: equal for equal lines, and counted from 0.
pub(crate) struct Numbered {
    before: Vec<u32>,
    after: Vec<u32>,
    numbers: usize,
}

/// Numbers the lines of both files.
pub(crate) fn number<T: Eq + Hash>(
    before: impl IntoIterator<Item = T>,
    after: impl IntoIterator<Item = T>,
) -> Numbered {
    let mut numbers = HashMap::new();
    let mut number = |line| {
        // Texts of more lines than fit in 32 bits are not compared.
        let next = numbers.len() as u32;
        *numbers.entry(line).or_insert(next)
    };
    let before = before.into_iter().map(&mut number).collect();
    let after = after.into_iter().map(&mut number).collect();
    Numbered { before, after, numbers: numbers.len() }
}

/// Lines without their blanks, which are spaces, tabulators and line ends to git.
fn without_blanks<'a>(lines: &[&'a [u8]]) -> Vec<Cow<'a, [u8]>> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let strip = |line: &&'a [u8]| match line.iter().any(is_blank) {
        true => Cow::Owned(line.iter().copied().filter(|byte| !is_blank(byte)).collect()),
        false => Cow::Borrowed(*line),
    };
    lines.iter().map(strip).collect()
}

/// The replaced line ranges.
///
/// With the lines of both files, a change that could stand at several places stands where it reads best by their indentation.
pub(crate) fn compute(
    lines: &Numbered,
    algorithm: Algorithm,
    indentation: Option<(Lines<'_>, Lines<'_>)>,
) -> Vec<Replaced> {
    let Numbered { before, after, numbers } = lines;
    let (mut removed, mut added) = (vec![false; before.len()], vec![false; after.len()]);
    match algorithm {
        Algorithm::Myers => myers::mark(before, after, &mut removed, &mut added, &mut Counts::new(*numbers)),
        Algorithm::Histogram => histogram::mark(before, after, *numbers, &mut removed, &mut added),
    }
    let mut before = File { tokens: before, changed: removed };
    let mut after = File { tokens: after, changed: added };
    slide::settle(&mut before, &mut after, indentation.map(|(lines, _)| lines));
    slide::settle(&mut after, &mut before, indentation.map(|(_, lines)| lines));
    script(&before.changed, &after.changed)
}

/// Runs of changed lines that stand between the same unchanged ones.
fn script(before: &[bool], after: &[bool]) -> Vec<Replaced> {
    let run = |flags: &[bool], start: usize| flags.iter().skip(start).take_while(|changed| **changed).count();
    let (mut i, mut j, mut script) = (0, 0, Vec::new());
    while i < before.len() || j < after.len() {
        let (removed, added) = (run(before, i), run(after, j));
        if removed + added > 0 {
            script.push((i as u32..(i + removed) as u32, j as u32..(j + added) as u32));
        }
        (i, j) = (i + removed + 1, j + added + 1);
    }
    script
}

fn group<'a>(replaced: &[Replaced], old: &[&'a [u8]], new: &[&'a [u8]], context: u32) -> Vec<Hunk<'a>> {
    let mut hunks = Vec::new();
    let mut start = 0;
    while let Some(first) = replaced.get(start) {
        let mut end = start + 1;
        let mut last = first;
        while let Some(next) = replaced.get(end) {
            // Compared in 64 bits, since a large context is legal.
            if u64::from(next.0.start - last.0.end) > 2 * u64::from(context) {
                break;
            }
            (last, end) = (next, end + 1);
        }
        let lead = context.min(first.0.start).min(first.1.start);
        let (before_lines, after_lines) = (length(old), length(new));
        let trail = context.min(before_lines - last.0.end).min(after_lines - last.1.end);
        let mut hunk = Hunk {
            before: first.0.start - lead..last.0.end + trail,
            after: first.1.start - lead..last.1.end + trail,
            lines: Vec::new(),
        };
        let mut at = (hunk.before.start, hunk.after.start);
        for (before, after) in replaced.get(start..end).unwrap_or_default() {
            push_context(&mut hunk.lines, new, &mut at, after.start);
            for number in before.clone() {
                let content = line(old, number);
                hunk.lines.push(Line { side: Side::Deleted, before: Some(number), after: None, content });
            }
            for number in after.clone() {
                let content = line(new, number);
                hunk.lines.push(Line { side: Side::Added, before: None, after: Some(number), content });
            }
            at = (before.end, after.end);
        }
        let end_of_after = hunk.after.end;
        push_context(&mut hunk.lines, new, &mut at, end_of_after);
        hunks.push(hunk);
        start = end;
    }
    hunks
}

/// Lines that both have, up to `end` of the file after. Where blanks are ignored they are shown as that file has them.
fn push_context<'a>(lines: &mut Vec<Line<'a>>, new: &[&'a [u8]], at: &mut (u32, u32), end: u32) {
    while at.1 < end {
        let content = line(new, at.1);
        lines.push(Line { side: Side::Context, before: Some(at.0), after: Some(at.1), content });
        *at = (at.0 + 1, at.1 + 1);
    }
}

fn length<T>(lines: &[T]) -> u32 {
    u32::try_from(lines.len()).unwrap_or(u32::MAX)
}

fn line<'a>(lines: &[&'a [u8]], number: u32) -> &'a [u8] {
    lines.get(number as usize).copied().unwrap_or_default()
}
