//! No bytes make anything panic, and what is said about any two or three texts is true of them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::collections::HashMap;

use common::Objects;
use git_diff::lines::{self, Algorithm, Side, hunks};
use git_diff::merge::{Options, merge_trees};
use git_diff::text_merge::{self, Style, merge};
use git_diff::{TreeDiff, renames};
use git_object::{Kind, ObjectFormat, ObjectId, hash_object};
use proptest::prelude::*;

/// Texts of few different lines, so that many are equal.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![Just("a\n"), Just("b\n"), Just("c\n"), Just("\n"), Just(" x\n"), Just("y\r\n"), Just("z")];
    prop::collection::vec(line, 0..40).prop_map(|lines| lines.concat().into_bytes())
}

fn apply(before: &[u8], hunks: &[lines::Hunk<'_>]) -> Vec<u8> {
    let before: Vec<&[u8]> = before.split_inclusive(|byte| *byte == b'\n').collect();
    let (mut out, mut at) = (Vec::new(), 0);
    for hunk in hunks {
        let range = hunk.before.start as usize..hunk.before.end as usize;
        out.extend(before[at..range.start].concat());
        out.extend(hunk.lines.iter().filter(|line| line.side != Side::Deleted).flat_map(|line| line.content));
        at = range.end;
    }
    out.extend(before[at..].concat());
    out
}

fn algorithms() -> impl Strategy<Value = Algorithm> {
    prop_oneof![Just(Algorithm::Myers), Just(Algorithm::Histogram)]
}

proptest! {
    #[test]
    fn hunks_make_one_text_of_the_other(before in text(), after in text(), context in 0..5_u32, algorithm in algorithms()) {
        let options = lines::Options { context, ignore_whitespace: false, algorithm };
        let found = hunks(&before, &after, &options);
        prop_assert_eq!(apply(&before, &found), &after[..]);
        prop_assert_eq!(found.is_empty(), before == after);
        let blind = lines::Options { ignore_whitespace: true, ..options };
        prop_assert!(hunks(&before, &before, &blind).is_empty());
    }

    #[test]
    fn a_merge_with_what_has_not_changed_is_the_change(base in text(), change in text(), algorithm in algorithms()) {
        let options = text_merge::Options { algorithm, ..text_merge::Options::default() };
        for (ours, theirs) in [(&change, &base), (&base, &change), (&change, &change)] {
            let merged = merge(&base, ours, theirs, &options);
            prop_assert_eq!(&merged.content, &change);
            prop_assert_eq!(merged.conflicts, 0);
        }
    }

    #[test]
    fn any_bytes_are_compared_and_merged(texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 3)) {
        for style in [Style::Merge, Style::Diff3, Style::ZealousDiff3] {
            let options = text_merge::Options { style, ..text_merge::Options::default() };
            let _ = merge(&texts[0], &texts[1], &texts[2], &options);
        }
        let found = hunks(&texts[0], &texts[1], &lines::Options::default());
        prop_assert_eq!(apply(&texts[0], &found), &texts[1][..]);
    }

    #[test]
    fn any_trees_are_compared_and_merged_or_refused(
        entries in prop::collection::vec(prop::collection::vec((0..6_usize, 0..7_usize, 0..5_usize), 0..7), 3),
        noise in prop::collection::vec((0..3_usize, any::<prop::sample::Index>(), any::<u8>()), 0..2),
    ) {
        let mut objects = Objects(HashMap::new());
        let mut add = |kind, content: Vec<u8>| {
            let id = hash_object(ObjectFormat::Sha1, kind, &content).unwrap();
            objects.0.insert(id, (kind, content));
            id
        };
        let blobs: Vec<ObjectId> = ["one\ntwo\nthree\n", "one\n2\nthree\n", "", "\0", "one\ntwo\n"]
            .map(|text| add(Kind::Blob, text.as_bytes().to_vec()))
            .to_vec();
        let tree = |entries: &[(usize, usize, usize)]| {
            let mut content = Vec::new();
            for (mode, name, blob) in entries {
                let mode = ["100644", "100755", "120000", "40000", "160000", "0"][*mode];
                let name = ["a", "b", "a", "..", ".git", "a/b", "z"][*name];
                content.extend_from_slice(format!("{mode} {name}\0").as_bytes());
                content.extend_from_slice(blobs[*blob].as_bytes());
            }
            content
        };
        let mut contents: Vec<Vec<u8>> = entries.iter().map(|entries| tree(entries)).collect();
        for (which, at, byte) in noise {
            if !contents[which].is_empty() {
                let at = at.index(contents[which].len());
                contents[which][at] = byte;
            }
        }
        let trees: Vec<ObjectId> = contents.into_iter().map(|content| add(Kind::Tree, content)).collect();
        // Folders of these folders.
        let roots: Vec<ObjectId> = trees
            .iter()
            .map(|id| add(Kind::Tree, [b"40000 d\0", id.as_bytes(), b"100644 f\0", blobs[0].as_bytes()].concat()))
            .collect();
        for trees in [&trees, &roots] {
            let options = Options::default();
            if let Ok(merged) = merge_trees(&objects, Some(&trees[0]), &trees[1], &trees[2], &options) {
                prop_assert!(merged.objects.iter().any(|(id, ..)| *id == merged.tree));
            }
            let mut changes: Vec<_> = TreeDiff::new(&objects, Some(&trees[0]), Some(&trees[1])).unwrap().flatten().collect();
            let _ = renames::find(&objects, &mut changes, &renames::Options::default());
        }
    }
}
