//! Merged texts are compared with those of `git merge-file`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use common::{Chance, git, join};
use git_diff::lines::Algorithm;
use git_diff::text_merge::{Favor, Options, Style, Taken, merge, regions};

#[test]
fn texts_are_merged_as_git_merges_them() {
    let directory = tempfile::tempdir().unwrap();
    let mut chance = Chance(3);
    let mut conflicts = 0;
    for round in 0..600 {
        let lines = [6, 30, 80][chance.below(3)];
        let base = chance.text(lines);
        let (one, other) = (chance.edit(&base, 5), chance.edit(&base, 5));
        let crlf = chance.percent(15);
        let [base, ours, theirs] = [&base, &one, &other].map(|text| {
            let text = join(&mut chance, text);
            // Also texts of which some lines end otherwise.
            if crlf && chance.percent(85) {
                String::from_utf8(text).unwrap().replace('\n', "\r\n").into_bytes()
            } else {
                text
            }
        });
        for (name, text) in [("base", &base), ("ours", &ours), ("theirs", &theirs)] {
            std::fs::write(directory.path().join(name), text).unwrap();
        }
        let options = Options {
            algorithm: if chance.percent(50) { Algorithm::Myers } else { Algorithm::Histogram },
            favor: [Favor::Neither, Favor::Ours, Favor::Theirs, Favor::Union][chance.below(12).saturating_sub(8)],
            style: [Style::Merge, Style::Diff3, Style::ZealousDiff3][chance.below(3)],
            join_over_punctuation: true,
            marker_size: 7 + chance.below(3),
            ours: b"ours",
            base: b"base",
            theirs: b"theirs",
        };
        let marker = format!("--marker-size={}", options.marker_size);
        let mut arguments = vec!["merge-file", "-p", "-q", &marker];
        match options.style {
            Style::Merge => {}
            Style::Diff3 => arguments.push("--diff3"),
            Style::ZealousDiff3 => arguments.push("--zdiff3"),
        }
        match options.favor {
            Favor::Neither => {}
            Favor::Ours => arguments.push("--ours"),
            Favor::Theirs => arguments.push("--theirs"),
            Favor::Union => arguments.push("--union"),
        }
        arguments.push(match options.algorithm {
            Algorithm::Myers => "--diff-algorithm=myers",
            Algorithm::Histogram => "--diff-algorithm=histogram",
        });
        arguments.extend(["ours", "base", "theirs"]);
        let (code, expected) = git(directory.path(), &arguments, b"");
        let merged = merge(&base, &ours, &theirs, &options);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(text(&expected), text(&merged.content), "{round} {options:?}");
        if options.favor == Favor::Neither {
            assert_eq!(usize::try_from(code).unwrap(), merged.conflicts.min(127), "{round} {options:?}");
            conflicts += merged.conflicts;
        }
        // Without refinement there are conflicts where, and only where, the whole merge has some.
        let whole = regions(&base, &ours, &theirs, options.algorithm);
        let has_conflict = whole.iter().any(|region| region.taken == Taken::Conflict);
        if options.style == Style::Diff3 && base != ours && base != theirs {
            assert_eq!(has_conflict, merged.conflicts > 0, "{round}");
        }
    }
    assert!(conflicts > 250, "{conflicts} conflicts were compared");
}
