//! No bytes make anything panic: neither any at all, nor objects that were changed at random. What `fsck` passes can be
//! read.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use git_object::fsck::{self, Findings, Named, Options};
use git_object::{Commit, Kind, ObjectFormat, Tag, Tree, hash_object, refname, write_tree};
use proptest::prelude::*;

const COMMIT: &[u8] =
    b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nparent 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\
    author A <a@x> 17 +0100\ncommitter C <c@x> 18 -0330\ngpgsig a\n b\nx y\n\nsubject\n\nbody\n";
const TAG: &[u8] = b"object 4b825dc642cb6eb9a060e54bf8d69288fbee4904\ntype tree\ntag v1\ntagger T <t@x> 5 +0000\n\nm\n";
const TREE: &[u8] = b"100644 .gitattributes\0aaaaaaaaaaaaaaaaaaaa100644 .gitmodules\0aaaaaaaaaaaaaaaaaaaa100755 a\0\
    bbbbbbbbbbbbbbbbbbbb40000 b\0cccccccccccccccccccc";
const MODULES: &[u8] = b"[submodule \"a\"]\n\tpath = \"a b\"\\\n\turl = https://u:p@example.com:80/a/../b%20?c\n";

fn try_everything(kind: Kind, content: &[u8]) {
    for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
        let id = hash_object(format, kind, content).unwrap();
        let options = Options::default();
        let checked = fsck::check(kind, &id, content, &options);
        let _ = (fsck::check_gitmodules(&id, Named::Blob(content), &options), Findings::default());
        let _ = fsck::check_gitattributes(&id, Named::Blob(content), &options);
        let commit = Commit::parse(format, content);
        if let Ok(commit) = &commit {
            let _ = (commit.parents().count(), commit.author(), commit.committer(), commit.signature());
            assert!(commit.headers().map(|header| header.value().len()).sum::<usize>() <= content.len());
        }
        let tag = Tag::parse(format, content);
        if let Ok(tag) = &tag {
            let _ = (tag.tagger(), tag.headers().count(), tag.message());
        }
        let tree: Result<Vec<_>, _> = Tree::new(format, content).collect();
        match kind {
            Kind::Commit if checked.is_ok() => assert!(commit.is_ok()),
            Kind::Tag if checked.is_ok() => assert!(tag.is_ok()),
            Kind::Tree if checked.is_ok() => {
                // Modes may be written otherwise, and the order of files and folders with them.
                assert!(write_tree(&mut tree.unwrap()).is_ok());
            }
            _ => {}
        }
    }
    let _ = (refname::check(content), refname::check_pushed(content, true), refname::check_branch(content));
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Commit), Just(Kind::Tree), Just(Kind::Blob), Just(Kind::Tag)]
}

proptest! {
    #[test]
    fn random_bytes_are_read_or_refused(kind in kinds(), content in prop::collection::vec(any::<u8>(), 0..300)) {
        try_everything(kind, &content);
    }

    #[test]
    fn changed_objects_are_read_or_refused(
        which in 0..4_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3), 0..4),
    ) {
        let (kind, content) = [(Kind::Commit, COMMIT), (Kind::Tag, TAG), (Kind::Tree, TREE), (Kind::Blob, MODULES)][which];
        let mut content = content.to_vec();
        for (at, byte, how) in changes {
            let at = at.index(content.len());
            match how {
                0 => content[at] = byte,
                1 => drop(content.remove(at)),
                _ => content.insert(at, byte),
            }
        }
        try_everything(kind, &content);
    }
}
