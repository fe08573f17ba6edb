//! Each rule is broken on purpose, and the finding compared with what the real git says of the same object.

#![allow(clippy::expect_used, reason = "a test that cannot go on has to stop, saying why")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use git_object::fsck::{self, Message, Named, Options, Severity};
use git_object::{Kind, ObjectFormat, ObjectId, hash_object};

const FORMAT: ObjectFormat = ObjectFormat::Sha1;
/// The empty tree.
const ID: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
const WHO: &str = "A U Thor <a@example.com> 1700000000 +0100";

/// An object, and what is wrong with it.
struct Case {
    kind: Kind,
    content: Vec<u8>,
    expected: Option<Message>,
}

fn commit(lines: &str, expected: impl Into<Option<Message>>) -> Case {
    let lines = lines.replace("ID", ID).replace("WHO", WHO).replace("PARENT", &"1".repeat(40));
    Case { kind: Kind::Commit, content: lines.into_bytes(), expected: expected.into() }
}

fn tag(lines: &str, expected: impl Into<Option<Message>>) -> Case {
    Case { kind: Kind::Tag, ..commit(lines, expected) }
}

fn author(line: &str, expected: impl Into<Option<Message>>) -> Case {
    commit(&format!("tree ID\nauthor {line}\ncommitter WHO\n\nm\n"), expected)
}

/// The case with ids of the other format.
fn with_sha256(case: Case) -> Option<Case> {
    let empty = hash_object(ObjectFormat::Sha256, Kind::Tree, b"").expect("no collision").to_string();
    let content = match case.kind {
        Kind::Tree => {
            // Cases of bytes that are no tree have no id to change.
            let entry = [0x17; 20];
            let at = case.content.windows(20).position(|bytes| bytes == entry);
            at?;
            let mut content = Vec::new();
            let mut rest = case.content.as_slice();
            while let Some(at) = rest.windows(20).position(|bytes| bytes == entry) {
                content.extend_from_slice(rest.get(..at)?);
                content.extend_from_slice(&[0x17; 32]);
                rest = rest.get(at + 20..)?;
            }
            content
        }
        _ => {
            let text = String::from_utf8(case.content).expect("text");
            text.replace(ID, &empty).replace(&"1".repeat(40), &"1".repeat(64)).into_bytes()
        }
    };
    Some(Case { content, ..case })
}

fn tree(entries: &[(&str, &str)], expected: impl Into<Option<Message>>) -> Case {
    let mut content = Vec::new();
    for (mode, name) in entries {
        content.extend_from_slice(format!("{mode} {name}\0").as_bytes());
        content.extend_from_slice(&[0x17; 20]);
    }
    Case { kind: Kind::Tree, content, expected: expected.into() }
}

fn header_cases() -> Vec<Case> {
    use Message as M;
    vec![
        commit("tree ID\nauthor WHO\ncommitter WHO\n\nm\n", None),
        commit("tree ID\nauthor WHO\ncommitter WHO\n", None),
        commit("tree ID\nparent PARENT\nparent PARENT\nauthor WHO\ncommitter WHO\nencoding x\ngpgsig a\n b\n\nm", None),
        commit("tree ID\nauthor WHO\ncommitter WHO\nx\0\n\nm\n", M::NulInHeader),
        commit("tree ID\nauthor WHO\ncommitter WHO", M::UnterminatedHeader),
        commit("", M::UnterminatedHeader),
        commit("tree ID\nauthor WHO\ncommitter WHO\n\nm\0\n", M::NulInCommit),
        commit("author WHO\ncommitter WHO\n\nm\n", M::MissingTree),
        commit("tree 123\nauthor WHO\ncommitter WHO\n\nm\n", M::BadTreeSha1),
        commit("tree ID0\nauthor WHO\ncommitter WHO\n\nm\n", M::BadTreeSha1),
        commit("tree ID\nparent ID x\nauthor WHO\ncommitter WHO\n\nm\n", M::BadParentSha1),
        commit("tree ID\ncommitter WHO\n\nm\n", M::MissingAuthor),
        commit("tree ID\nauthor WHO\nauthor WHO\ncommitter WHO\n\nm\n", M::MultipleAuthors),
        commit("tree ID\nauthor WHO\n\nm\n", M::MissingCommitter),
        commit("tree ID\nauthor WHO\nx y\ncommitter WHO\n\nm\n", M::MissingCommitter),
        author("<a@x> 1 +0000", M::MissingNameBeforeEmail),
        author(" <a@x> 1 +0000", None),
        author("A 1 +0000", M::MissingEmail),
        author("A> <a@x> 1 +0000", M::BadName),
        author("A<a@x> 1 +0000", M::MissingSpaceBeforeEmail),
        author("A <a<x> 1 +0000", M::BadEmail),
        author("A <a", M::BadEmail),
        author("A <a>1 +0000", M::MissingSpaceBeforeDate),
        author("A <a>", M::MissingSpaceBeforeDate),
        author("A <a> ", M::BadDate),
        author("A <a> x +0000", M::BadDate),
        author("A <a> 1", M::BadDate),
        author("A <a> 1x +0000", M::BadDate),
        author("A <a>  \t1 +0000", None),
        author("A <a> 0 +0000", None),
        author("A <a> 01 +0000", M::ZeroPaddedDate),
        author("A <a> 0", M::ZeroPaddedDate),
        author("A <a> 9223372036854775807 +0000", None),
        author("A <a> 9223372036854775808 +0000", M::BadDateOverflow),
        author("A <a> 18446744073709551616 +0000", M::BadDateOverflow),
        author("A <a> 1 0000", M::BadTimezone),
        author("A <a> 1 +00000", M::BadTimezone),
        author("A <a> 1 +0000 ", M::BadTimezone),
        author("A <a> 1 +51800", M::BadTimezone),
        commit("tree ID\nauthor WHO\ncommitter A <a> 1 +000\n\nm\n", M::BadTimezone),
        tag("object ID\ntype tree\ntag v1\ntagger WHO\n\nm\n", None),
        tag("object ID\ntype tree\ntag v1\ntagger WHO\n", None),
        tag("object ID\ntype tree\ntag v1\ntagger WHO\ngpgsig a\n b\n c\n\nm\n", None),
        tag("object ID\ntype tree\ntag v1\ntagger A\n\nm\n", M::MissingEmail),
        tag("object ID\ntype tree\ntag v1\nx\0\ntagger WHO\n\nm\n", M::NulInHeader),
        tag("object ID\ntype tree\ntag v1", M::UnterminatedHeader),
        tag("x ID\ntype tree\ntag v1\ntagger WHO\n\nm\n", M::MissingObject),
        tag("object 12\ntype tree\ntag v1\ntagger WHO\n\nm\n", M::BadObjectSha1),
        tag("object ID\ntag v1\ntagger WHO\n\nm\n", M::MissingTypeEntry),
        tag("object ID\ntype trees\ntag v1\ntagger WHO\n\nm\n", M::BadType),
        tag("object ID\ntype tree\ntagger WHO\n\nm\n", M::MissingTagEntry),
        tag("object ID\ntype tree\n", M::MissingTagEntry),
        tag("object ID\ntype tree\ntag v..1\ntagger WHO\n\nm\n", M::BadTagName),
        tag("object ID\ntype tree\ntag v1\n\nm\n", M::MissingTaggerEntry),
        tag("object ID\ntype tree\ntag v1\ntagger WHO\nx y\n\nm\n", M::ExtraHeaderEntry),
    ]
}

fn tree_cases() -> Vec<Case> {
    use Message as M;
    let long = "x".repeat(4097);
    let raw =
        |content: &[u8], expected: M| Case { kind: Kind::Tree, content: content.to_vec(), expected: Some(expected) };
    let mut cases = vec![
        tree(&[], None),
        tree(&[("100644", "a"), ("100755", "b"), ("120000", "c"), ("160000", "d"), ("40000", "e")], None),
        raw(b"100644", M::BadTree),
        raw(b"100644 a\0short", M::BadTree),
        raw(b"100648 a\0aaaaaaaaaaaaaaaaaaaa", M::BadTree),
        raw(b" a\0aaaaaaaaaaaaaaaaaaaa", M::BadTree),
        raw(b"100644 \0aaaaaaaaaaaaaaaaaaaa", M::BadTree),
        raw(b"100644 a\0aaaaaaaaaaaaaaaaaaaa1", M::BadTree),
        raw(b"100644 a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", M::NullSha1),
        tree(&[("100644", "b"), ("100644", "a")], M::TreeNotSorted),
        tree(&[("40000", "foo"), ("100644", "foo.c")], M::TreeNotSorted),
        tree(&[("100644", "foo.c"), ("40000", "foo")], None),
        tree(&[("100644", "a"), ("100644", "a")], M::DuplicateEntries),
        tree(&[("100644", "a"), ("40000", "a")], M::DuplicateEntries),
        tree(
            &[("100644", "a"), ("100644", "a.b"), ("100644", "a.b.c"), ("40000", "a.b"), ("40000", "a")],
            M::DuplicateEntries,
        ),
        tree(&[("100644", "a"), ("100644", "a-b"), ("100644", "a-c"), ("40000", "a")], M::DuplicateEntries),
        tree(&[("100644", "a"), ("100644", "a-b"), ("40000", "a-b.d"), ("40000", "a-bb")], None),
        tree(&[("100644", "a/b")], M::FullPathname),
        tree(&[("100644", ".")], M::HasDot),
        tree(&[("40000", "..")], M::HasDotdot),
        tree(&[("0100644", "a")], M::ZeroPaddedFilemode),
        tree(&[("040000", "a")], M::ZeroPaddedFilemode),
        tree(&[("100644", &long)], M::LargePathname),
        tree(&[("100644", long.get(1..).expect("shorter"))], None),
        tree(&[("100600", "a")], M::BadFilemode),
        tree(&[("100664", "a")], M::BadFilemode),
        tree(&[("120000", ".gitattributes")], M::GitattributesSymlink),
        tree(&[("120000", ".gitignore")], M::GitignoreSymlink),
        tree(&[("120000", ".mailmap")], M::MailmapSymlink),
        tree(&[("120000", "maba30~1")], M::MailmapSymlink),
    ];
    for name in [
        ".git",
        ".GIT",
        "git~1",
        "GIT~1",
        ".git.",
        ".git ",
        ".git...",
        ".git::$INDEX_ALLOCATION",
        ".git:x",
        "a\\.git",
        "a\\git~1\\b",
        ".git\\x",
        ".g\u{200c}it",
        "\u{202e}.git",
        ".GiT\u{feff}",
        "\u{206a}.git\u{206f}",
    ] {
        cases.push(tree(&[("40000", name)], M::HasDotgit));
    }
    for name in ["git", ".gitx", "git~2", ".git~1", ".g\u{200b}it", "x.git", ".\u{130}git", "git", ".gıt"] {
        cases.push(tree(&[("40000", name)], None));
    }
    for name in [
        ".gitmodules",
        ".GITMODULES",
        "gitmod~1",
        "GITMOD~4",
        "gi7eba~1",
        "gi7eb~12",
        ".gitmodules ",
        ".gitmodules:x",
        ".gitm\u{200d}odules",
        "x\\.gitmodules",
        "x\\gitmod~2",
    ] {
        cases.push(tree(&[("120000", name)], M::GitmodulesSymlink));
    }
    for name in ["gitmod~5", "gi7eba~0", ".gitmodulesx", "gi7eb~1", ".gitmodule"] {
        cases.push(tree(&[("120000", name)], None));
    }
    cases
}

fn blobs() -> Vec<(&'static str, Vec<u8>, Option<Message>)> {
    use Message as M;
    let mut cases = vec![
        (".gitattributes", b"* text\n".repeat(2000), None),
        (".gitattributes", [b"a".repeat(2047), b"\n".to_vec(), b"b".repeat(2047)].concat(), None),
        (".gitattributes", b"a".repeat(2048), Some(M::GitattributesLineLength)),
        (".gitattributes", [b"x\0".to_vec(), b"a".repeat(2048)].concat(), None),
        ("GITATT~1", b"a".repeat(2048), Some(M::GitattributesLineLength)),
        (".gitmodules", b"[submodule \"a\"\n".to_vec(), Some(M::GitmodulesParse)),
        (".gitmodules", b"[submodule \"../x\"]\nurl=a\n[x\n".to_vec(), Some(M::GitmodulesName)),
    ];
    for (name, expected) in [
        ("a", None),
        ("a/b", None),
        ("a..b", None),
        ("...", None),
        ("..", Some(M::GitmodulesName)),
        ("a/../b", Some(M::GitmodulesName)),
        ("a\\\\..", Some(M::GitmodulesName)),
        ("", Some(M::GitmodulesName)),
    ] {
        cases.push((".gitmodules", format!("[submodule \"{name}\"]\n\tpath = x\n").into_bytes(), expected));
    }
    for (key, value, expected) in [
        ("path", "-x", Some(M::GitmodulesPath)),
        ("path", "x-", None),
        ("update", "!sh", Some(M::GitmodulesUpdate)),
        ("update", "rebase", None),
        ("update", "nonsense", None),
        ("url", "-x", Some(M::GitmodulesUrl)),
        ("url", "\"-x\"", Some(M::GitmodulesUrl)),
        ("url", "../x", None),
        ("url", "./x", None),
        ("url", "../:x", Some(M::GitmodulesUrl)),
        ("url", "../..//x", Some(M::GitmodulesUrl)),
        ("url", "./%0ax", Some(M::GitmodulesUrl)),
        ("url", "./%00x", None),
        ("url", "git://x/%0a", Some(M::GitmodulesUrl)),
        ("url", "git://x/y", None),
        ("url", "ssh://x/%0a", None),
        ("url", "user@host:x", None),
        ("url", "https://example.com/x.git", None),
        ("url", "https://u:p@example.com:8443/x.git?a=b#c", None),
        ("url", "https://[::1]:80/x", None),
        ("url", "https://example.com/%0a", Some(M::GitmodulesUrl)),
        ("url", "https://example.com/%0a/../x", None),
        ("url", "https://example.com/x/../../y", Some(M::GitmodulesUrl)),
        ("url", "https://example.com/%zz", Some(M::GitmodulesUrl)),
        ("url", "https://example.com/?%0a", Some(M::GitmodulesUrl)),
        ("url", "https:///x", Some(M::GitmodulesUrl)),
        ("url", "https://:80/x", Some(M::GitmodulesUrl)),
        ("url", "https://ex%61mple.com/x", Some(M::GitmodulesUrl)),
        ("url", "https://example.com:99999/x", Some(M::GitmodulesUrl)),
        ("url", "https://example.com:0/x", Some(M::GitmodulesUrl)),
        ("url", "https://example.com:/x", None),
        ("url", "https://example.com:00443/x", None),
        ("url", "https://example.com:8x/x", Some(M::GitmodulesUrl)),
        ("url", "https://u%0a@example.com/x", Some(M::GitmodulesUrl)),
        ("url", "http::https://example.com/x", None),
        ("url", "http::nonsense", Some(M::GitmodulesUrl)),
        ("url", "https::/x", Some(M::GitmodulesUrl)),
        ("url", "http::file:///x", None),
        ("url", "ftp://example.com/a b", None),
        ("url", "HTTPS://example.com/%0a", None),
    ] {
        cases.push((".gitmodules", format!("[submodule \"a\"]\n\t{key} = {value}\n").into_bytes(), expected));
    }
    cases
}

fn run(git: &Path, repository: &Path, arguments: &[&str], input: &[u8]) -> (bool, Vec<u8>, String) {
    let mut child = Command::new(git)
        .arg("-C")
        .arg(repository)
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("git runs");
    // A git that refuses early does not read everything.
    let _ = child.stdin.take().expect("piped").write_all(input);
    let output = child.wait_with_output().expect("git ends");
    (output.status.success(), output.stdout, String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The gits of this machine, whose versions differ.
fn gits() -> Vec<&'static Path> {
    ["/usr/local/bin/git", "/usr/bin/git"].into_iter().map(Path::new).filter(|git| git.exists()).collect()
}

/// The ids of the rules that git names, in its order.
fn named(stderr: &str) -> Vec<Message> {
    stderr.lines().flat_map(|line| line.split([' ', ':'])).filter_map(Message::from_id).collect()
}

/// One of the gits, with a repository to write to and one to send to.
struct Git {
    git: &'static Path,
    directory: tempfile::TempDir,
}

impl Git {
    /// The gits of this machine, the newest first.
    fn all(format: ObjectFormat) -> Vec<Self> {
        let made = gits().into_iter().map(|git| {
            let directory = tempfile::tempdir().expect("a directory");
            for repository in ["from", "to"] {
                assert!(
                    run(
                        git,
                        directory.path(),
                        &["init", "-q", "--bare", &format!("--object-format={}", format.name()), repository],
                        b""
                    )
                    .0
                );
            }
            Self { git, directory }
        });
        made.collect()
    }

    /// Packs objects that are written without a check, and has `git index-pack` check them. Returns what it says.
    fn index_pack(&self, objects: &[(Kind, &[u8])]) -> (bool, String) {
        let (from, to) = (self.directory.path().join("from"), self.directory.path().join("to"));
        let mut ids = String::new();
        for (kind, content) in objects {
            let arguments = ["hash-object", "-w", "--literally", "-t", kind.name(), "--stdin"];
            let (done, id, stderr) = run(self.git, &from, &arguments, content);
            assert!(done, "{stderr}");
            ids.push_str(std::str::from_utf8(&id).expect("an id"));
        }
        let (done, pack, stderr) = run(self.git, &from, &["pack-objects", "-q", "--stdout"], ids.as_bytes());
        assert!(done, "{stderr}");
        let (accepted, _, stderr) = run(self.git, &to, &["index-pack", "--fsck-objects", "--stdin"], &pack);
        (accepted, stderr)
    }

    /// Asks the newest git what `hash-object` finds, infos included.
    fn hash_object(&self, kind: Kind, content: &[u8]) -> (bool, String) {
        let from = self.directory.path().join("from");
        let (accepted, _, stderr) = run(self.git, &from, &["hash-object", "-t", kind.name(), "--stdin"], content);
        (accepted, stderr)
    }
}

fn shown(content: &[u8]) -> String {
    String::from_utf8_lossy(content.get(..300).unwrap_or(content)).into_owned()
}

#[test]
fn what_is_wrong_with_commits_tags_and_trees_is_what_git_finds() {
    compare(FORMAT, header_cases().into_iter().chain(tree_cases()));
}

#[test]
fn what_is_wrong_in_the_other_format_is_what_git_finds() {
    compare(ObjectFormat::Sha256, header_cases().into_iter().chain(tree_cases()).filter_map(with_sha256));
}

fn compare(format: ObjectFormat, cases: impl Iterator<Item = Case>) {
    let gits = Git::all(format);
    let (newest, older) = gits.split_first().expect("a git");
    for Case { kind, content, expected } in cases {
        let shown = shown(&content);
        let id = hash_object(format, kind, &content).expect("no collision");
        let found = fsck::check(kind, &id, &content, &Options::default()).err().map(|error| error.message);
        let passes = expected.is_none_or(|message| message.severity() == Severity::Info);
        assert_eq!(found, expected.filter(|_| !passes), "{shown}");
        let (accepted, stderr) = newest.hash_object(kind, &content);
        // Some do not come as far as the rules.
        if stderr.contains("fsck") || accepted {
            let git = named(&stderr).into_iter().find(|message| !passes || message.severity() == Severity::Info);
            // This rule is asked for by name alone.
            assert_eq!(git, expected.filter(|message| *message != Message::ExtraHeaderEntry), "{shown}: {stderr}");
        }
        let (accepted, stderr) = newest.index_pack(&[(kind, &content)]);
        assert_eq!(accepted, passes, "{shown}: {stderr}");
        if let Some(first) = named(&stderr).first().filter(|_| !passes) {
            assert_eq!(Some(*first), expected, "{shown}: {stderr}");
        }
        for git in older {
            // Older gits have fewer rules, and the same ids for those that they have.
            let (accepted, stderr) = git.index_pack(&[(kind, &content)]);
            assert!(accepted || !passes, "{:?} of {shown}: {stderr}", git.git);
            if let Some(first) = named(&stderr).first().filter(|_| !passes) {
                assert_eq!(Some(*first), expected, "{:?} of {shown}: {stderr}", git.git);
            }
        }
        // Let pass, it passes.
        if let Some(message) = expected.filter(|message| message.severity() != Severity::Fatal) {
            let mut options = Options::default();
            options.pass(message);
            let rest = fsck::check(kind, &id, &content, &options).err().map(|error| error.message);
            assert_ne!(rest, Some(message), "{shown}");
        }
        let mut options = Options::default();
        options.pass_object(id);
        assert!(fsck::check(kind, &id, &content, &options).is_ok(), "{shown}");
    }
}

#[test]
fn what_is_wrong_with_files_that_git_reads_is_what_git_finds() {
    let gits = Git::all(FORMAT);
    // Older ones refuse a few addresses more.
    let newest = gits.first().expect("a git");
    for (name, content, expected) in blobs() {
        let shown = shown(&content);
        let blob = hash_object(FORMAT, Kind::Blob, &content).expect("no collision");
        let mut tree = format!("100644 {name}\0").into_bytes();
        tree.extend_from_slice(blob.as_bytes());
        let id = hash_object(FORMAT, Kind::Tree, &tree).expect("no collision");
        let findings = fsck::check(Kind::Tree, &id, &tree, &Options::default()).expect("a good tree");
        let options = Options::default();
        let checked = if findings.gitmodules == [blob] {
            fsck::check_gitmodules(&blob, Named::Blob(&content), &options)
        } else {
            assert_eq!(findings.gitattributes, [blob]);
            fsck::check_gitattributes(&blob, Named::Blob(&content), &options)
        };
        let passes = expected.is_none_or(|message| message.severity() == Severity::Info);
        assert_eq!(checked.err().map(|error| error.message), expected.filter(|_| !passes), "{shown}");
        let (accepted, stderr) = newest.index_pack(&[(Kind::Tree, &tree), (Kind::Blob, &content)]);
        assert_eq!(accepted, passes, "{shown}: {stderr}");
        assert_eq!(named(&stderr).first().copied(), expected, "{shown}: {stderr}");
    }
}

#[test]
fn what_is_missing_or_no_blob_is_named() {
    let id = ObjectId::null(FORMAT);
    let options = Options::default();
    let modules = |found| fsck::check_gitmodules(&id, found, &options).err().map(|error| error.id());
    assert_eq!(modules(Named::Missing), Some("gitmodulesMissing"));
    assert_eq!(modules(Named::Other), Some("gitmodulesBlob"));
    assert_eq!(modules(Named::Large), Some("gitmodulesLarge"));
    let attributes = |found| fsck::check_gitattributes(&id, found, &options).err().map(|error| error.id());
    assert_eq!(attributes(Named::Missing), Some("gitattributesMissing"));
    assert_eq!(attributes(Named::Other), Some("gitattributesBlob"));
    assert_eq!(attributes(Named::Large), Some("gitattributesLarge"));
}

#[test]
fn every_rule_is_known_to_git() {
    let output = Command::new("git").args(["help", "--config"]).output().expect("git runs");
    let known = String::from_utf8(output.stdout).expect("text");
    for message in Message::ALL {
        // Newer than git 2.47.
        let is_new = matches!(message, Message::BadGpgsig | Message::BadHeaderContinuation);
        assert!(is_new || known.contains(&format!("fsck.{}\n", message.id())), "{}", message.id());
        assert_eq!(Message::from_id(&message.id().to_lowercase()), Some(*message));
    }
}
