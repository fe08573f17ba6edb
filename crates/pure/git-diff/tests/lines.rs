//! Hunks are compared with those of `git diff`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use common::{Chance, git, join};
use git_diff::lines::{Algorithm, Options, Side, hunks};

/// The hunks as `git diff` prints them, without what it says about functions and the ends of files.
fn show(before: &[u8], after: &[u8], options: &Options) -> String {
    let mut out = String::new();
    for hunk in hunks(before, after, options) {
        let range = |range: &std::ops::Range<u32>| match range.len() {
            0 => format!("{},0", range.start),
            1 => format!("{}", range.start + 1),
            length => format!("{},{length}", range.start + 1),
        };
        out.push_str(&format!("@@ -{} +{} @@\n", range(&hunk.before), range(&hunk.after)));
        for line in &hunk.lines {
            let text = std::str::from_utf8(line.content).unwrap();
            out.push(match line.side {
                Side::Context => ' ',
                Side::Deleted => '-',
                Side::Added => '+',
            });
            out.push_str(text.strip_suffix('\n').unwrap_or(text));
            out.push('\n');
        }
    }
    out
}

/// The hunks as `git diff` finds them, in the same form.
fn show_gits(directory: &std::path::Path, before: &[u8], after: &[u8], options: &Options) -> String {
    std::fs::write(directory.join("a"), before).unwrap();
    std::fs::write(directory.join("b"), after).unwrap();
    let context = format!("-U{}", options.context);
    let mut arguments = vec!["diff", "--no-index", "--no-color", &context];
    if options.ignore_whitespace {
        arguments.push("-w");
    }
    if options.algorithm == Algorithm::Histogram {
        arguments.push("--histogram");
    }
    arguments.extend(["a", "b"]);
    let (_, git) = git(directory, &arguments, b"");
    let git = String::from_utf8(git).unwrap();
    git.lines()
        .skip_while(|line| !line.starts_with("@@"))
        .filter(|line| !line.starts_with('\\'))
        .map(|line| match line.strip_prefix("@@").and_then(|line| line.split_once("@@")) {
            Some((range, _)) => format!("@@{range}@@\n"),
            None => format!("{line}\n"),
        })
        .collect()
}

fn compare(chance: &mut Chance, rounds: usize, lines: usize, edits: usize) {
    let directory = tempfile::tempdir().unwrap();
    for round in 0..rounds {
        let base = chance.text(lines);
        // Now and then a text that has little to do with the other.
        let edited = if chance.percent(10) { chance.text(lines) } else { chance.edit(&base, edits) };
        let (before, after) = (join(chance, &base), join(chance, &edited));
        let options = Options {
            context: [0, 1, 3, 20][chance.below(4)],
            ignore_whitespace: chance.percent(30),
            algorithm: if chance.percent(50) { Algorithm::Myers } else { Algorithm::Histogram },
        };
        let git = show_gits(directory.path(), &before, &after, &options);
        let ours = show(&before, &after, &options);
        assert_eq!(git, ours, "{round} {options:?}");
    }
}

#[test]
fn hunks_are_gits() {
    compare(&mut Chance(7), 400, 60, 6);
    compare(&mut Chance(8), 100, 12, 12);
}

#[test]
fn hunks_of_long_files_are_gits() {
    compare(&mut Chance(9), 40, 4000, 400);
}

#[test]
fn hard_texts_take_bounded_time() {
    // Each line is there often, and the files share no long run.
    let mut chance = Chance(10);
    let mut text =
        || -> Vec<u8> { (0..20_000).flat_map(|_| format!("{}\n", chance.below(300)).into_bytes()).collect() };
    let (before, after) = (text(), text());
    for algorithm in [Algorithm::Myers, Algorithm::Histogram] {
        let start = std::time::Instant::now();
        let hunks = hunks(&before, &after, &Options { algorithm, ..Options::default() });
        assert!(!hunks.is_empty());
        assert!(start.elapsed().as_secs() < 60);
    }
}
