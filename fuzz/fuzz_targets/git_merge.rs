//! Texts that are compared and merged: nothing panics, hunks make one text of the other, and a merge with what has not
//! changed is the change.
#![no_main]

use git_diff::lines::{self, Algorithm, Side, hunks};
use git_diff::text_merge::{Options, Style, merge};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, Vec<u8>, Vec<u8>, Vec<u8>)| {
    let (choice, base, ours, theirs) = input;
    let algorithm = if choice & 1 == 0 { Algorithm::Myers } else { Algorithm::Histogram };
    let options = lines::Options { context: u32::from(choice >> 4), ignore_whitespace: choice & 2 != 0, algorithm };
    let found = hunks(&base, &ours, &options);
    if !options.ignore_whitespace {
        let lines: Vec<&[u8]> = base.split_inclusive(|byte| *byte == b'\n').collect();
        let (mut out, mut at) = (Vec::new(), 0);
        for hunk in &found {
            out.extend(lines[at..hunk.before.start as usize].concat());
            out.extend(hunk.lines.iter().filter(|line| line.side != Side::Deleted).flat_map(|line| line.content));
            at = hunk.before.end as usize;
        }
        out.extend(lines[at..].concat());
        assert_eq!(out, ours);
    }
    let style = [Style::Merge, Style::Diff3, Style::ZealousDiff3, Style::Merge][usize::from(choice >> 2 & 3)];
    let options = Options { algorithm, style, ..Options::default() };
    let _ = merge(&base, &ours, &theirs, &options);
    assert_eq!(merge(&base, &ours, &base, &options).content, ours);
    assert_eq!(merge(&base, &base, &theirs, &options).content, theirs);
});
