//! Where a change stands that could stand at several places.
//!
//! Owns moving runs of changed lines up and down past equal lines, as git does it. Refuses to find changes.
//!
//! A run whose first line equals the line behind it can as well begin one line later. Runs that touch when they move become
//! one; a run that can stand beside a run of the other file does; any other goes down as far as it can, or where it reads
//! best by indentation. The weights are those of <https://github.com/mhagger/diff-slider-tools>.

/// Lines that a run is moved past at most, where indentation decides.
const MOVED_MAX: usize = 100;
/// Blank lines that are looked past.
const BLANKS_MAX: usize = 20;
/// Columns of the deepest indentation.
const INDENT_MAX: u32 = 200;

/// One of two files: its lines as numbers, equal for equal lines, and which of them are changed.
pub(super) struct File<'a> {
    pub(super) tokens: &'a [u32],
    pub(super) changed: Vec<bool>,
}

/// A run of changed lines; an empty one lies between any two lines that are not.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Run {
    start: usize,
    end: usize,
}

impl File<'_> {
    fn is_changed(&self, line: usize) -> bool {
        self.changed.get(line).copied().unwrap_or(false)
    }

    fn set(&mut self, line: usize, changed: bool) {
        if let Some(flag) = self.changed.get_mut(line) {
            *flag = changed;
        }
    }

    /// The end of the run that begins there.
    fn end_of(&self, mut line: usize) -> usize {
        while self.is_changed(line) {
            line += 1;
        }
        line
    }

    /// The start of the run that ends there.
    fn start_of(&self, mut line: usize) -> usize {
        while line > 0 && self.is_changed(line - 1) {
            line -= 1;
        }
        line
    }

    fn first(&self) -> Run {
        Run { start: 0, end: self.end_of(0) }
    }

    /// Goes to the run behind the next unchanged line, if there is one.
    fn next(&self, run: &mut Run) -> bool {
        if run.end >= self.tokens.len() {
            return false;
        }
        let start = run.end + 1;
        *run = Run { start, end: self.end_of(start) };
        true
    }

    /// Goes to the run before the last unchanged line, if there is one.
    fn previous(&self, run: &mut Run) {
        if let Some(end) = run.start.checked_sub(1) {
            *run = Run { start: self.start_of(end), end };
        }
    }

    /// Moves the run down by a line, and takes in a run that it then touches.
    fn slide_down(&mut self, run: &mut Run) -> bool {
        if run.end >= self.tokens.len() || self.tokens.get(run.start) != self.tokens.get(run.end) {
            return false;
        }
        self.set(run.start, false);
        self.set(run.end, true);
        *run = Run { start: run.start + 1, end: self.end_of(run.end + 1) };
        true
    }

    /// Moves the run up by a line, and takes in a run that it then touches.
    fn slide_up(&mut self, run: &mut Run) -> bool {
        let (Some(start), Some(end)) = (run.start.checked_sub(1), run.end.checked_sub(1)) else { return false };
        if self.tokens.get(start) != self.tokens.get(end) {
            return false;
        }
        self.set(start, true);
        self.set(end, false);
        *run = Run { start: self.start_of(start), end };
        true
    }
}

/// Settles all runs of `file`. With its `lines` they stand where they read best by indentation, else as far down as they can.
pub(super) fn settle(file: &mut File<'_>, other: &mut File<'_>, lines: Option<&[&[u8]]>) {
    let (mut run, mut beside) = (file.first(), other.first());
    loop {
        if run.start != run.end {
            settle_run(file, other, &mut run, &mut beside, lines);
        }
        if !file.next(&mut run) || !other.next(&mut beside) {
            return;
        }
    }
}

fn settle_run(file: &mut File<'_>, other: &File<'_>, run: &mut Run, beside: &mut Run, lines: Option<&[&[u8]]>) {
    // Until it has touched every run that it can.
    let (earliest, matching, length) = loop {
        let length = run.end - run.start;
        while file.slide_up(run) {
            other.previous(beside);
        }
        let earliest = run.end;
        let mut matching = beside.end > beside.start;
        while file.slide_down(run) {
            other.next(beside);
            matching |= beside.end > beside.start;
        }
        if length == run.end - run.start {
            break (earliest, matching, length);
        }
    };
    if run.end == earliest {
        return;
    }
    if matching {
        // Back to the last place where it stands beside a run of the other file.
        while beside.end == beside.start && file.slide_up(run) {
            other.previous(beside);
        }
    } else if let Some(lines) = lines {
        let best = best_end(lines, *run, earliest, length);
        while run.end > best && file.slide_up(run) {
            other.previous(beside);
        }
    }
}

/// The end at which a run of that length reads best.
fn best_end(lines: &[&[u8]], run: Run, earliest: usize, length: usize) -> usize {
    let first = earliest.max(run.end.saturating_sub(length + 1)).max(run.end.saturating_sub(MOVED_MAX));
    let mut best: Option<(Badness, usize)> = None;
    for end in first..=run.end {
        let mut badness = Badness::default();
        badness.add(&Split::measure(lines, end));
        badness.add(&Split::measure(lines, end.saturating_sub(length)));
        if best.is_none_or(|(least, _)| badness.compare(least) <= 0) {
            best = Some((badness, end));
        }
    }
    best.map_or(run.end, |(_, end)| end)
}

/// Context of a place between two lines. Columns are nothing where there are blank lines only.
struct Split {
    at_end: bool,
    indent: Option<u32>,
    blanks_before: usize,
    indent_before: Option<u32>,
    blanks_after: usize,
    indent_after: Option<u32>,
}

impl Split {
    fn measure(lines: &[&[u8]], at: usize) -> Self {
        let indent = |number: usize| lines.get(number).and_then(|line| indentation(line));
        let look = |numbers: &mut dyn Iterator<Item = usize>| {
            let mut blanks = 0;
            for number in numbers {
                if let Some(columns) = indent(number) {
                    return (blanks, Some(columns));
                }
                blanks += 1;
                if blanks == BLANKS_MAX {
                    return (blanks, Some(0));
                }
            }
            (blanks, None)
        };
        let (blanks_before, indent_before) = look(&mut (0..at).rev());
        let (blanks_after, indent_after) = look(&mut (at + 1..lines.len()));
        let at_end = at >= lines.len();
        let here = if at_end { None } else { indent(at) };
        Self { at_end, indent: here, blanks_before, indent_before, blanks_after, indent_after }
    }
}

/// How badly the two ends of a run stand.
#[derive(Clone, Copy, Default)]
struct Badness {
    indent: i64,
    penalty: i64,
}

impl Badness {
    fn add(&mut self, split: &Split) {
        if split.indent_before.is_none() && split.blanks_before == 0 {
            self.penalty += 1;
        }
        if split.at_end {
            self.penalty += 21;
        }
        let blanks_after = if split.indent.is_none() { 1 + split.blanks_after } else { 0 };
        let blanks = split.blanks_before + blanks_after;
        self.penalty += -30 * blanks as i64 + 6 * blanks_after as i64;
        let indent = split.indent.or(split.indent_after);
        self.indent += indent.map_or(-1, i64::from);
        let (Some(indent), Some(before)) = (indent, split.indent_before) else { return };
        let by_blanks = |without: i64, with: i64| if blanks == 0 { without } else { with };
        self.penalty += if indent > before {
            by_blanks(-4, 10)
        } else if indent == before {
            0
        } else if split.indent_after.is_some_and(|after| after > indent) {
            // The start of a block.
            by_blanks(24, 17)
        } else {
            by_blanks(23, 17)
        };
    }

    fn compare(self, other: Self) -> i64 {
        60 * (self.indent - other.indent).signum() + self.penalty - other.penalty
    }
}

/// The columns of a line's indentation, a tabulator going to the next multiple of 8. Nothing for a blank line.
fn indentation(line: &[u8]) -> Option<u32> {
    let mut columns = 0;
    for byte in line {
        match byte {
            b' ' => columns += 1,
            b'\t' => columns += 8 - columns % 8,
            b'\r' | b'\n' => {}
            _ => return Some(columns),
        }
        if columns >= INDENT_MAX {
            return Some(INDENT_MAX);
        }
    }
    None
}
