//! Renames are compared with those of `git diff-tree`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use common::history::{Histories, change, first};
use common::{Chance, Objects, git, resolve};
use git_diff::{TreeDiff, renames};

#[test]
fn renames_are_gits() {
    let directory = tempfile::tempdir().unwrap();
    git(directory.path(), &["init", "-q", "--bare"], b"");
    let (mut chance, mut histories) = (Chance(11), Histories::default());
    let rounds = 150;
    for round in 0..rounds {
        let files = first(&mut chance);
        let after = change(&mut chance, &files, 8, 70);
        let base = histories.commit(&format!("refs/heads/before{round}"), &[], &files, 1);
        histories.commit(&format!("refs/heads/after{round}"), &[base], &after, 2);
    }
    histories.write(directory.path());
    let objects = Objects::load(directory.path());
    let (mut count, mut similar) = (0, 0);
    for round in 0..rounds {
        let (b, a) = (format!("before{round}^{{tree}}"), format!("after{round}^{{tree}}"));
        let trees = [resolve(directory.path(), &b), resolve(directory.path(), &a)];
        let arguments = ["diff-tree", "-r", "--find-renames", "--no-rename-empty", "--raw", "-z", &b, &a];
        let (_, out) = git(directory.path(), &arguments, b"");
        let out = String::from_utf8(out).unwrap();
        let mut parts = out.split('\0');
        let mut expected = Vec::new();
        while let Some(head) = parts.next().filter(|head| !head.is_empty()) {
            let status = head.rsplit(' ').next().unwrap();
            let from = parts.next().unwrap();
            if let Some(score) = status.strip_prefix('R') {
                expected.push((score.parse::<u8>().unwrap(), from.to_owned(), parts.next().unwrap().to_owned()));
            }
        }
        let mut changes: Vec<_> =
            TreeDiff::new(&objects, Some(&trees[0]), Some(&trees[1])).unwrap().map(Result::unwrap).collect();
        let found = renames::find(&objects, &mut changes, &renames::Options::default()).unwrap();
        let text = |path: &[u8]| String::from_utf8(path.to_vec()).unwrap();
        let mut found: Vec<_> =
            found.iter().map(|rename| (rename.similarity_percent, text(&rename.from), text(&rename.to))).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{round}");
        count += found.len();
        similar += found.iter().filter(|(score, ..)| *score < 100).count();
        assert!(found.iter().all(|(_, from, to)| changes.iter().all(|change| {
            change.path != from.as_bytes() && change.path != to.as_bytes()
                || change.before.is_some() == change.after.is_some()
        })));
    }
    assert!(count > 200 && similar > 50, "{count} renames, {similar} of them with changes");
}
