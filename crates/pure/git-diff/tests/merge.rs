//! Merges are compared with those of `git merge-tree`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::path::Path;

use common::history::{Histories, change, first};
use common::{Chance, Objects, git, resolve};
use git_diff::lines::Algorithm;
use git_diff::merge::{ConflictKind, Detail, Options, Resolution, merge_commits, merge_trees};
use git_diff::text_merge::{Taken, regions};

/// Git's result of a merge: the tree, and the paths in conflict.
struct Expected {
    tree: String,
    conflicts: Vec<String>,
}

/// Has git merge pairs of branches.
fn gits(directory: &Path, options: &[&str], pairs: &[(String, String)]) -> Vec<Expected> {
    let input: String = pairs.iter().map(|(ours, theirs)| format!("{ours} {theirs}\n")).collect();
    let command = ["--write-tree", "--name-only", "--no-messages", "--allow-unrelated-histories", "--stdin"];
    let arguments: Vec<&str> = options.iter().chain(&command).copied().collect();
    let (code, out) = git(directory, &arguments, input.as_bytes());
    assert_eq!(code, 0);
    let out = String::from_utf8(out).unwrap();
    let mut parts = out.split('\0');
    let mut expected = Vec::new();
    while let Some(clean) = parts.next().filter(|status| !status.is_empty()) {
        assert!(clean == "0" || clean == "1", "{clean}");
        let tree = parts.next().unwrap().to_owned();
        let mut conflicts: Vec<String> =
            parts.by_ref().take_while(|path| !path.is_empty()).map(str::to_owned).collect();
        conflicts.sort();
        expected.push(Expected { tree, conflicts });
    }
    expected
}

/// Makes pairs of branches; returns their names. `moves` says how many changes in a hundred move files.
fn make(seed: u64, rounds: usize, moves: usize, criss_cross: bool) -> (tempfile::TempDir, Vec<(String, String)>) {
    let directory = tempfile::tempdir().unwrap();
    git(directory.path(), &["init", "-q", "--bare"], b"");
    let (mut chance, mut histories) = (Chance(seed), Histories::default());
    let mut pairs = Vec::new();
    for round in 0..rounds {
        let files = first(&mut chance);
        let (ours, theirs) = (format!("ours{round}"), format!("theirs{round}"));
        let (our_ref, their_ref) = (format!("refs/heads/{ours}"), format!("refs/heads/{theirs}"));
        let base = histories.commit(&our_ref, &[], &files, 10);
        let mut sides = [(base, files.clone()), (base, files)];
        let mut seconds = 20;
        for step in 0..2 {
            for (side, reference) in [&our_ref, &their_ref].into_iter().enumerate() {
                let (parent, files) = sides[side].clone();
                let files = change(&mut chance, &files, 6, moves);
                sides[side] = (histories.commit(reference, &[parent], &files, seconds), files);
                seconds += 10;
            }
            if criss_cross && step == 0 {
                // Each side merges the other, and settles in its own way what is in conflict.
                let [ours, theirs] = sides.clone();
                for (side, reference) in [&our_ref, &their_ref].into_iter().enumerate() {
                    let (one, other) = if side == 0 { (&ours, &theirs) } else { (&theirs, &ours) };
                    let mut files = one.1.clone();
                    files.extend(
                        other.1.iter().filter(|_| chance.percent(30)).map(|(path, file)| (path.clone(), file.clone())),
                    );
                    let paths: Vec<String> = files.keys().cloned().collect();
                    for path in paths {
                        let below = format!("{path}/");
                        files.keys().any(|other| other.starts_with(&below)).then(|| files.remove(&path));
                    }
                    let mark = histories.commit(reference, &[one.0, other.0], &files, seconds);
                    sides[side] = (mark, files);
                    seconds += 10;
                }
            }
        }
        pairs.push((ours, theirs));
    }
    histories.write(directory.path());
    (directory, pairs)
}

fn compare(seed: u64, rounds: usize, moves: usize, criss_cross: bool, follow_folders: bool) {
    let (directory, pairs) = make(seed, rounds, moves, criss_cross);
    let folders = if follow_folders { "merge.directoryRenames=conflict" } else { "merge.directoryRenames=false" };
    let expected = gits(directory.path(), &["-c", folders, "merge-tree"], &pairs);
    let objects = Objects::load(directory.path());
    let (mut different, mut clean, mut unlike) = (Vec::new(), 0, 0);
    for ((ours, theirs), expected) in pairs.iter().zip(&expected) {
        let ids = (resolve(directory.path(), ours), resolve(directory.path(), theirs));
        let options =
            Options { ours: ours.as_bytes(), theirs: theirs.as_bytes(), follow_folders, ..Options::default() };
        let merged = merge_commits(&objects, &ids.0, &ids.1, &options);
        let Ok(merged) = merged else {
            different.push(format!("{ours} {theirs} {:?}", merged.err()));
            continue;
        };
        let conflicts: Vec<String> = merged
            .conflicts
            .iter()
            // Git says these without naming a path of the result.
            .filter(|conflict| conflict.kind != ConflictKind::Folder)
            .map(|conflict| String::from_utf8(conflict.path.clone()).unwrap())
            .collect();
        clean += usize::from(conflicts.is_empty());
        if merged.tree.to_string() != expected.tree || conflicts != expected.conflicts {
            // What the other side has moved away is in the way of a moved folder's file, but not yet in git 2.47.
            if merged.conflicts.iter().any(|conflict| conflict.kind == ConflictKind::Folder) {
                unlike += 1;
                continue;
            }
            different.push(format!(
                "{ours} {theirs}\n git:  {} {:?}\n ours: {} {:?}",
                expected.tree, expected.conflicts, merged.tree, merged.conflicts
            ));
        }
        for (id, kind, content) in &merged.objects {
            assert_eq!(git_object::hash_object(id.format(), *kind, content).unwrap(), *id);
        }
        for conflict in &merged.conflicts {
            let [base, ours, theirs] = merged.contents(&objects, conflict).unwrap().map(Option::unwrap_or_default);
            // Where lines are in conflict there are regions to show.
            let found = regions(&base, &ours, &theirs, Algorithm::Histogram);
            let shown = found.iter().any(|region| region.taken == Taken::Conflict);
            assert!(shown || !matches!(conflict.kind, ConflictKind::Text(_)), "{conflict:?}");
        }
    }
    assert_eq!(expected.len(), rounds);
    assert!(unlike * 50 <= rounds, "{unlike} of {rounds} are unlike git 2.47's");
    assert!(clean > rounds / 10 && clean < rounds, "{clean} of {rounds} are clean");
    let shown: Vec<&String> = different.iter().take(5).collect();
    assert!(different.is_empty(), "{} of {rounds} differ\n{shown:#?}", different.len());
}

#[test]
fn histories_are_merged_as_git_merges_them() {
    compare(1, 500, 0, false, true);
}

#[test]
fn moved_files_are_merged_as_git_merges_them() {
    compare(2, 500, 30, false, false);
}

#[test]
fn moved_folders_are_merged_as_git_merges_them() {
    compare(106, 500, 40, false, true);
}

#[test]
fn several_common_ancestors_are_merged_first() {
    compare(3, 300, 10, true, true);
}

#[test]
fn conflicts_are_settled_by_one_side() {
    let (directory, pairs) = make(7, 300, 20, false);
    let objects = Objects::load(directory.path());
    for (resolution, option) in [(Resolution::Ours, "ours"), (Resolution::Theirs, "theirs")] {
        let expected = gits(directory.path(), &["merge-tree", "-X", option], &pairs);
        let mut same = 0;
        for ((ours, theirs), expected) in pairs.iter().zip(&expected) {
            let ids = (resolve(directory.path(), ours), resolve(directory.path(), theirs));
            let options =
                Options { ours: ours.as_bytes(), theirs: theirs.as_bytes(), resolution, ..Options::default() };
            let merged = merge_commits(&objects, &ids.0, &ids.1, &options).unwrap();
            // Git settles what is in conflict in texts and binaries; this also settles the rest.
            if expected.conflicts.is_empty() {
                assert_eq!(merged.tree.to_string(), expected.tree, "{ours} {option}");
                same += 1;
            }
            let left = |kind| matches!(kind, ConflictKind::FileFolder | ConflictKind::Folder);
            assert!(merged.conflicts.iter().all(|conflict| left(conflict.kind)), "{:?}", merged.conflicts);
        }
        assert!(same > 50, "{same} were settled by git too");
    }
}

#[test]
fn a_file_is_in_conflict_as_a_whole_if_that_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    git(directory.path(), &["init", "-q", "--bare"], b"");
    let mut histories = Histories::default();
    let lines: Vec<String> = (0..20).map(|number| format!("line {number}")).collect();
    let files = |edits: &[usize]| {
        let mut lines = lines.clone();
        edits.iter().for_each(|at| lines[*at] = "changed".to_owned());
        common::history::Files::from([("f".to_owned(), ("100644", lines))])
    };
    let base = histories.commit("refs/heads/base", &[], &files(&[]), 1);
    histories.commit("refs/heads/one", &[base], &files(&[1]), 2);
    histories.commit("refs/heads/other", &[base], &files(&[18]), 2);
    histories.commit("refs/heads/both", &[base], &files(&[1, 18]), 2);
    histories.write(directory.path());
    let objects = Objects::load(directory.path());
    let tree = |name: &str| resolve(directory.path(), &format!("{name}^{{tree}}"));
    let merge = |detail, resolution| {
        let options = Options { detail, resolution, ..Options::default() };
        merge_trees(&objects, Some(&tree("base")), &tree("one"), &tree("other"), &options).unwrap()
    };
    let merged = merge(Detail::Line, Resolution::None);
    assert!(merged.conflicts.is_empty());
    assert_eq!(merged.tree, tree("both"));
    let merged = merge(Detail::File, Resolution::None);
    assert_eq!(merged.conflicts.len(), 1);
    assert_eq!((merged.conflicts[0].kind, merged.conflicts[0].path.as_slice()), (ConflictKind::Binary, &b"f"[..]));
    assert!(merged.conflicts[0].stages.iter().all(Option::is_some));
    assert_eq!(merge(Detail::File, Resolution::Ours).tree, tree("one"));
    assert_eq!(merge(Detail::File, Resolution::Theirs).tree, tree("other"));
}

#[test]
fn unrelated_histories_have_an_empty_base() {
    let directory = tempfile::tempdir().unwrap();
    git(directory.path(), &["init", "-q", "--bare"], b"");
    let (mut chance, mut histories) = (Chance(9), Histories::default());
    let (one, other) = (first(&mut chance), first(&mut chance));
    histories.commit("refs/heads/one", &[], &one, 1);
    histories.commit("refs/heads/other", &[], &other, 2);
    histories.write(directory.path());
    let pairs = [("one".to_owned(), "other".to_owned())];
    let expected = gits(directory.path(), &["merge-tree"], &pairs);
    let objects = Objects::load(directory.path());
    let ids = (resolve(directory.path(), "one"), resolve(directory.path(), "other"));
    let options = Options { ours: b"one", theirs: b"other", ..Options::default() };
    let merged = merge_commits(&objects, &ids.0, &ids.1, &options).unwrap();
    assert_eq!(merged.tree.to_string(), expected[0].tree);
    assert_eq!(merged.conflicts.len(), expected[0].conflicts.len());
}

#[test]
fn a_merge_that_looks_at_too_much_is_given_up() {
    let (directory, pairs) = make(12, 1, 0, false);
    let objects = Objects::load(directory.path());
    let ids = (resolve(directory.path(), &pairs[0].0), resolve(directory.path(), &pairs[0].1));
    let options = Options { entries_max: 2, ..Options::default() };
    assert!(matches!(merge_commits(&objects, &ids.0, &ids.1, &options), Err(git_diff::DiffError::Large)));
    let options = Options { commits_max: 2, ..Options::default() };
    assert!(matches!(merge_commits(&objects, &ids.0, &ids.1, &options), Err(git_diff::DiffError::Large)));
}
