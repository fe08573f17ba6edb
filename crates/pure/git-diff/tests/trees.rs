//! Differences of trees are compared with those of `git diff-tree`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::path::Path;

use common::{Chance, Objects, git, resolve};
use git_diff::{Change, DiffError, TreeDiff, item_at};
use git_object::{Entry, Kind, Mode, ObjectFormat, ObjectId, hash_object, write_tree};

/// A tree of files in folders, some of which are there at other times as folders or with other modes.
fn make_tree(chance: &mut Chance, directory: &Path) -> ObjectId {
    let mut listing = String::new();
    let blobs: Vec<String> = (0..4)
        .map(|number| {
            let (_, id) = git(directory, &["hash-object", "-w", "--stdin"], format!("{number}\n").as_bytes());
            String::from_utf8(id).unwrap().trim().to_owned()
        })
        .collect();
    for name in ["a", "a-b", "a.b", "b", "c/d", "c/e/f", "c-x", "g/h/i/j", "z"] {
        if !chance.percent(80) {
            continue;
        }
        let mode = ["100644", "100755", "120000"][chance.below(8).min(2)];
        let blob = &blobs[chance.below(blobs.len())];
        if chance.percent(20) {
            for below in ["x", "y/z"] {
                listing.push_str(&format!("{mode} {blob}\t{name}/{below}\n"));
            }
        } else {
            listing.push_str(&format!("{mode} {blob}\t{name}\n"));
        }
    }
    git(directory, &["read-tree", "--empty"], b"");
    git(directory, &["update-index", "--index-info"], listing.as_bytes());
    let (_, tree) = git(directory, &["write-tree"], b"");
    ObjectId::from_hex(ObjectFormat::Sha1, tree.trim_ascii()).unwrap()
}

fn show(change: &Change) -> String {
    let mode = |item: Option<git_diff::Item>| item.map_or(0, |item| item.mode.bits());
    let id = |item: Option<git_diff::Item>| item.map_or(ObjectId::null(ObjectFormat::Sha1), |item| item.id);
    let path = String::from_utf8(change.path.clone()).unwrap();
    let (before, after) = (change.before, change.after);
    format!(":{:06o} {:06o} {} {} {path}\n", mode(before), mode(after), id(before), id(after))
}

#[test]
fn changes_are_gits() {
    let directory = tempfile::tempdir().unwrap();
    git(directory.path(), &["init", "-q"], b"");
    let mut chance = Chance(1);
    let trees: Vec<ObjectId> = (0..30).map(|_| make_tree(&mut chance, directory.path())).collect();
    let objects = Objects::load(directory.path());
    for pair in trees.windows(2) {
        let ours = TreeDiff::new(&objects, Some(&pair[0]), Some(&pair[1])).unwrap();
        let ours: String = ours.map(|change| show(&change.unwrap())).collect();
        let arguments = ["diff-tree", "-r", "--no-renames", "--raw", "--no-abbrev"];
        let ids = [pair[0].to_string(), pair[1].to_string()];
        let (_, gits) = git(directory.path(), &[&arguments[..], &[&ids[0], &ids[1]]].concat(), b"");
        let gits: String = String::from_utf8(gits)
            .unwrap()
            .lines()
            .map(|line| {
                let (head, path) = line.split_once('\t').unwrap();
                format!("{} {path}\n", head.rsplit_once(' ').unwrap().0)
            })
            .collect();
        assert_eq!(ours, gits);
        // The same folder of both.
        let below = TreeDiff::at_paths(&objects, (Some(&pair[0]), b"/c/"), (Some(&pair[1]), b"c")).unwrap();
        let below: String = below.map(|change| show(&change.unwrap())).collect();
        let expected: String =
            gits.split_inclusive('\n').filter(|line| line.ends_with(" c\n") || line.contains(" c/")).collect();
        let mut sorted: Vec<&str> = below.split_inclusive('\n').collect();
        let mut expected: Vec<&str> = expected.split_inclusive('\n').collect();
        sorted.sort_unstable();
        expected.sort_unstable();
        assert_eq!(sorted, expected);
        let all = TreeDiff::new(&objects, None, Some(&pair[1])).unwrap().map(Result::unwrap);
        for change in all {
            assert_eq!(item_at(&objects, &pair[1], &change.path).unwrap(), change.after);
            assert_eq!(change.before, None);
        }
    }
    assert_eq!(resolve(directory.path(), &trees[0].to_string()), trees[0]);
}

#[test]
fn a_tree_that_holds_itself_many_times_is_not_unfolded() {
    let mut objects = Objects(std::collections::HashMap::new());
    let blob = hash_object(ObjectFormat::Sha1, Kind::Blob, b"").unwrap();
    let mut item = (Mode::Regular, blob);
    for _ in 0..3000 {
        let names: [&[u8]; 2] = [b"a", b"b"];
        let mut entries = names.map(|name| Entry { mode: item.0, name, id: item.1 });
        let tree = write_tree(&mut entries).unwrap();
        let id = hash_object(ObjectFormat::Sha1, Kind::Tree, &tree).unwrap();
        objects.0.insert(id, (Kind::Tree, tree));
        item = (Mode::Tree, id);
    }
    let mut changes = TreeDiff::new(&objects, None, Some(&item.1)).unwrap();
    assert!(matches!(changes.next(), Some(Err(DiffError::Deep))));
    assert!(changes.next().is_none());
}
