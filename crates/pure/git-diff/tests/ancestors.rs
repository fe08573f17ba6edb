//! Common ancestors are compared with those of `git merge-base`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use common::history::{Files, Histories};
use common::{Chance, Objects, git, resolve};
use git_diff::{Ancestors, DiffError};

#[test]
fn common_ancestors_are_gits() {
    let directory = tempfile::tempdir().unwrap();
    git(directory.path(), &["init", "-q", "--bare"], b"");
    let mut chance = Chance(5);
    let mut histories = Histories::default();
    let mut names = Vec::new();
    for graph in 0..12 {
        let mut marks = Vec::new();
        for number in 0..25_u64 {
            let parents: Vec<usize> = match chance.below(8) {
                0 if number > 0 && chance.percent(40) => Vec::new(),
                1..=5 if number > 3 => vec![marks[chance.below(marks.len())], marks[chance.below(marks.len())]],
                _ => marks.iter().rev().take(5).nth(chance.below(5)).copied().into_iter().collect(),
            };
            let mut parents = parents;
            parents.dedup();
            let files = Files::from([("f".to_owned(), ("100644", vec![format!("{graph} {number}")]))]);
            // Now and then a clock that is wrong.
            let seconds = if chance.percent(20) { chance.below(3000) as u64 } else { 1000 + 60 * number };
            let name = format!("refs/heads/g{graph}-{number}");
            marks.push(histories.commit(&name, &parents, &files, seconds));
            names.push(name);
        }
    }
    histories.write(directory.path());
    let objects = Objects::load(directory.path());
    let mut ancestors = Ancestors::new(&objects, 10_000);
    let mut several = 0;
    for graph in names.chunks(25) {
        for _ in 0..40 {
            let (one, other) = (&graph[chance.below(25)], &graph[chance.below(25)]);
            let (a, b) = (resolve(directory.path(), one), resolve(directory.path(), other));
            let (_, expected) = git(directory.path(), &["merge-base", "--all", one, other], b"");
            let expected: Vec<String> = String::from_utf8(expected).unwrap().lines().map(str::to_owned).collect();
            let found = ancestors.best_common(&a, &b).unwrap();
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            assert_eq!(found, expected, "{one} {other}");
            several += usize::from(found.len() > 1);
            let (code, _) = git(directory.path(), &["merge-base", "--is-ancestor", one, other], b"");
            assert_eq!(ancestors.contains(&b, &a).unwrap(), code == 0);
        }
    }
    assert!(several > 10, "{several} had several best ones");
    let (a, b) = (resolve(directory.path(), "g0-24"), resolve(directory.path(), "g1-24"));
    assert!(matches!(Ancestors::new(&objects, 1).best_common(&a, &b), Err(DiffError::Large)));
}
