//! Merges are compared with those of `git merge-tree`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::path::Path;

use common::history::{Histories, change, first};
use common::{Chance, Objects, git, resolve};
use git_diff::merge::{Options, merge_commits};

/// What git makes of a merge: the tree, and the paths in conflict.
struct Expected {
    tree: String,
    conflicts: Vec<String>,
}

/// Has git merge pairs of branches.
fn gits(directory: &Path, configuration: &[&str], pairs: &[(String, String)]) -> Vec<Expected> {
    let input: String = pairs.iter().map(|(ours, theirs)| format!("{ours} {theirs}\n")).collect();
    let arguments =
        ["merge-tree", "--write-tree", "--name-only", "--no-messages", "--allow-unrelated-histories", "--stdin"];
    let arguments: Vec<&str> = configuration.iter().chain(&arguments).copied().collect();
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

fn compare(seed: u64, rounds: usize, moves: usize, criss_cross: bool, configuration: &[&str]) {
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
    let expected = gits(directory.path(), configuration, &pairs);
    let objects = Objects::load(directory.path());
    let (mut different, mut clean) = (Vec::new(), 0);
    for ((ours, theirs), expected) in pairs.iter().zip(&expected) {
        let ids = (resolve(directory.path(), ours), resolve(directory.path(), theirs));
        let options = Options { ours: ours.as_bytes(), theirs: theirs.as_bytes(), ..Options::default() };
        let merged = merge_commits(&objects, &ids.0, &ids.1, &options).unwrap();
        let conflicts: Vec<String> =
            merged.conflicts.iter().map(|conflict| String::from_utf8(conflict.path.clone()).unwrap()).collect();
        clean += usize::from(conflicts.is_empty());
        if merged.tree.to_string() != expected.tree || conflicts != expected.conflicts {
            different.push(format!(
                "{ours} {theirs}\n git:  {} {:?}\n ours: {} {:?}",
                expected.tree, expected.conflicts, merged.tree, merged.conflicts
            ));
        }
        for (id, kind, content) in &merged.objects {
            assert_eq!(git_object::hash_object(id.format(), *kind, content).unwrap(), *id);
        }
    }
    if std::env::var_os("KEEP").is_some() && !different.is_empty() {
        std::fs::write("/work/h/tmp-obj/where", format!("{:?}\n{}", directory.keep(), different.join("\n"))).unwrap();
    }
    assert_eq!(expected.len(), rounds);
    assert!(clean > rounds / 10 && clean < rounds, "{clean} of {rounds} are clean");
    let shown: Vec<&String> = different.iter().take(5).collect();
    assert!(different.is_empty(), "{} of {rounds} differ\n{shown:#?}", different.len());
}

const NO_DIRECTORIES: [&str; 2] = ["-c", "merge.directoryRenames=false"];

#[test]
fn histories_are_merged_as_git_merges_them() {
    compare(1, 500, 0, false, &NO_DIRECTORIES);
}

#[test]
fn moved_files_are_merged_as_git_merges_them() {
    compare(2, 500, 30, false, &NO_DIRECTORIES);
}

#[test]
fn several_common_ancestors_are_merged_first() {
    compare(3, 300, 10, true, &NO_DIRECTORIES);
}
