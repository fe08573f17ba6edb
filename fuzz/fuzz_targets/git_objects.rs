//! Objects of Git: reading and checking them never panics, and what the rules pass can be read.
#![no_main]

use git_object::fsck::{self, Named, Options};
use git_object::{Commit, Kind, ObjectFormat, ObjectId, Tag, Tree, refname, write_tree};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, content)) = bytes.split_first() else { return };
    let format = if first & 4 == 0 { ObjectFormat::Sha1 } else { ObjectFormat::Sha256 };
    let id = ObjectId::null(format);
    let options = Options::default();
    match first & 3 {
        0 => {
            let commit = Commit::parse(format, content);
            if fsck::check(Kind::Commit, &id, content, &options).is_ok() {
                assert!(commit.is_ok());
            }
            if let Ok(commit) = commit {
                let _ = (commit.parents().count(), commit.author(), commit.committer(), commit.signature());
                assert!(commit.headers().map(|header| header.value().len()).sum::<usize>() <= content.len());
            }
        }
        1 => {
            let entries: Result<Vec<_>, _> = Tree::new(format, content).collect();
            if fsck::check(Kind::Tree, &id, content, &options).is_ok() {
                assert!(write_tree(&mut entries.expect("entries")).is_ok());
            }
        }
        2 => {
            let tag = Tag::parse(format, content);
            if fsck::check(Kind::Tag, &id, content, &options).is_ok() {
                assert!(tag.is_ok());
            }
            if let Ok(tag) = tag {
                let _ = (tag.tagger(), tag.headers().count());
            }
        }
        _ => {
            let _ = fsck::check_gitmodules(&id, Named::Blob(content), &options);
            let _ = fsck::check_gitattributes(&id, Named::Blob(content), &options);
            if refname::check_pushed(content, false).is_ok() {
                assert!(refname::check(content).is_ok());
            }
        }
    }
});
