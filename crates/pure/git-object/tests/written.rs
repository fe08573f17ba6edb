//! Written objects have the bytes, and so ids, that the real git gives the same parts.

#![allow(clippy::expect_used, reason = "a test that cannot go on has to stop, saying why")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use git_object::{
    Entry, Identity, Kind, Mode, NewCommit, NewTag, ObjectFormat, ObjectId, Zone, clean, hash_object, write_tree,
};

fn git(repository: &Path, arguments: &[&str], environment: &[(&str, &str)], input: &[u8]) -> String {
    let mut child = Command::new("git")
        .arg("-C")
        .arg(repository)
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("git runs");
    child.stdin.take().expect("piped").write_all(input).expect("read");
    let output = child.wait_with_output().expect("git ends");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

#[test]
fn trees_commits_and_tags_are_gits() {
    for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
        let directory = tempfile::tempdir().expect("a directory");
        let here = directory.path();
        git(here, &["init", "-q", &format!("--object-format={}", format.name())], &[], b"");
        let blob = hash_object(format, Kind::Blob, b"x").expect("no collision");
        let empty = hash_object(format, Kind::Tree, b"").expect("no collision");
        assert_eq!(git(here, &["hash-object", "-w", "--stdin"], &[], b"x"), blob.to_string());
        assert_eq!(git(here, &["mktree"], &[], b""), empty.to_string());

        let mut entries: Vec<Entry<'_>> = [
            (Mode::Tree, "foo"),
            (Mode::Regular, "foo.c"),
            (Mode::Executable, "foo-c"),
            (Mode::Symlink, "foo0"),
            (Mode::Submodule, "z"),
            (Mode::Regular, "\u{e4}"),
        ]
        .into_iter()
        .map(|(mode, name)| {
            let id = match mode {
                Mode::Tree => empty,
                Mode::Submodule => {
                    ObjectId::from_hex(format, "1".repeat(blob.to_string().len()).as_bytes()).expect("an id")
                }
                _ => blob,
            };
            Entry { mode, name: name.as_bytes(), id }
        })
        .collect();
        let listing: String = entries
            .iter()
            .map(|entry| {
                let kind = entry.mode.kind().unwrap_or(Kind::Commit);
                let name = String::from_utf8_lossy(entry.name);
                format!("{:06o} {kind} {}\t{name}\0", entry.mode.bits(), entry.id)
            })
            .collect();
        let tree = write_tree(&mut entries).expect("a tree");
        let tree = hash_object(format, Kind::Tree, &tree).expect("no collision");
        assert_eq!(git(here, &["mktree", "-z"], &[], listing.as_bytes()), tree.to_string());

        let (name, email) = (clean(" .A \"U\"\n Thor, "), clean("<a@example.com>"));
        let zone = Zone::from_minutes(-210).expect("a zone");
        let author = Identity { name: name.as_bytes(), email: email.as_bytes(), seconds: 1_700_000_000, zone };
        let committer = Identity { name: b"C", email: b"", seconds: 5, zone: Zone::UTC };
        let make = |parents: &[ObjectId], message: &[u8]| {
            let commit = NewCommit { tree, parents, author, committer, headers: &[], message };
            hash_object(format, Kind::Commit, &commit.to_bytes().expect("fit")).expect("no collision")
        };
        let environment = [
            ("GIT_AUTHOR_NAME", " .A \"U\"\n Thor, "),
            ("GIT_AUTHOR_EMAIL", "<a@example.com>"),
            ("GIT_AUTHOR_DATE", "1700000000 -0330"),
            ("GIT_COMMITTER_NAME", "C"),
            ("GIT_COMMITTER_EMAIL", ""),
            ("GIT_COMMITTER_DATE", "@5 +0000"),
        ];
        let first = make(&[], b"first\n");
        let tree_text = tree.to_string();
        assert_eq!(git(here, &["commit-tree", &tree_text], &environment, b"first\n"), first.to_string());
        let second = make(&[first], "zw\u{f6}lf\n\nbody".as_bytes());
        let arguments = ["commit-tree", &tree_text, "-p", &first.to_string()];
        assert_eq!(git(here, &arguments, &environment, "zw\u{f6}lf\n\nbody".as_bytes()), second.to_string());

        let tag = NewTag { target: second, kind: Kind::Commit, name: b"v1", tagger: committer, message: b"m\n" };
        let tag = tag.to_bytes().expect("fit");
        let id = hash_object(format, Kind::Tag, &tag).expect("no collision");
        assert_eq!(git(here, &["mktag"], &[], &tag), id.to_string());
        git(here, &["tag", "-a", "-m", "m", "v1", &second.to_string()], &environment, b"");
        assert_eq!(git(here, &["rev-parse", "v1"], &[], b""), id.to_string());
    }
}
