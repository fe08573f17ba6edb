//! Git's wire with the real clients, case by case: bodies that are compressed, chunked or announced, both versions of
//! HTTP, thin packs, many references, tags of tags, empty and shallow repositories.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has to stop, saying why")]

use std::process::{Command, Output};

use testkit::{GitWorld, gits, noise};

fn world() -> GitWorld {
    GitWorld::start(env!("CARGO_BIN_EXE_sealstack"), Vec::new())
}

/// Makes a repository on both sides, with a file of `length` bytes that do not compress.
fn pushed(world: &GitWorld, name: &str, length: usize) -> String {
    world.repository(name);
    world.git("git", ".", &["init", "-q", name]);
    world.commit("git", name, "noise", noise(7, length));
    let remote = world.remote(name);
    world.git("git", name, &["remote", "add", "origin", &remote]);
    world.git("git", name, &["push", "-q", "origin", "main"]);
    remote
}

/// Runs git with a record of its HTTP. Returns the record, and what it showed its user.
fn traced(world: &GitWorld, git: &str, at: &str, arguments: &[&str]) -> (String, String) {
    let file = world.path("trace");
    let mut command = world.command(git, at, arguments);
    let output = command.env("GIT_TRACE_CURL", &file).env("GIT_TRACE_CURL_NO_DATA", "1").output().expect("git runs");
    let shown = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{git} {arguments:?}: {shown}\n{}", world.server().log());
    let trace = std::fs::read_to_string(&file).expect("a record");
    std::fs::remove_file(file).expect("a record");
    (trace, shown)
}

#[test]
fn both_versions_of_http_carry_fetches_and_pushes_of_every_size() {
    let world = world();
    for (number, git) in gits().into_iter().enumerate() {
        for (http, request) in [("1.1", "HTTP/1.1"), ("2", "HTTP/2")] {
            let name = format!("r{number}-{}", http.len());
            let remote = pushed(&world, &name, 100);
            let version = format!("http.version=HTTP/{http}");
            // More than http.postBuffer: git probes with an empty request and then sends chunks.
            world.commit(git, &name, "large", noise(3, 1_300_000));
            let (trace, _) = traced(&world, git, &name, &["-c", &version, "push", "-q", "origin", "main"]);
            let posts = trace.lines().filter(|line| line.contains("Send header: POST ")).count();
            assert_eq!(posts, 2, "a probe and the push: {trace}");
            assert!(trace.contains(&format!("git-receive-pack {request}")), "{trace}");
            assert_eq!(http == "1.1", trace.contains("Transfer-Encoding: chunked"), "{trace}");
            let clone = format!("clone-{name}");
            let (trace, _) = traced(&world, git, ".", &["-c", &version, "clone", "-q", &remote, &clone]);
            assert!(trace.contains(&format!("git-upload-pack {request}")), "{trace}");
            world.same_files(&name, &clone);
            world.git(git, &clone, &["fsck", "--strict"]);
        }
    }
}

#[test]
fn a_fetch_with_much_to_say_is_compressed_and_taken() {
    let world = world();
    let remote = pushed(&world, "first", 100);
    world.git("git", ".", &["clone", "-q", &remote, "other"]);
    // Commits that the server does not have: the client goes through them, hash after hash.
    for number in 0..60 {
        world.git("git", "other", &["commit", "-q", "--allow-empty", "-m", &format!("unknown {number}")]);
    }
    for (number, git) in gits().into_iter().enumerate() {
        for version in ["0", "2"] {
            world.commit("git", "first", &format!("more-{number}-{version}"), "more\n");
            world.git("git", "first", &["push", "-q", "origin", "main"]);
            let protocol = format!("protocol.version={version}");
            let (trace, _) = traced(&world, git, "other", &["-c", &protocol, "fetch", "-q"]);
            assert!(trace.to_lowercase().contains("content-encoding: gzip"), "{trace}");
        }
    }
    world.git("git", "other", &["fsck", "--strict"]);
    let tip = |at: &str, name: &str| world.git("git", at, &["rev-parse", name]);
    assert_eq!(tip("first", "main"), tip("other", "origin/main"));
}

/// A push as it goes over the wire: the reference `branch` made at the tip of `at`.
fn push_body(world: &GitWorld, at: &str, branch: &str) -> Vec<u8> {
    let tip = world.git("git", at, &["rev-parse", "HEAD"]);
    let none = "0".repeat(tip.len());
    let line = format!("{none} {tip} refs/heads/{branch}\0 report-status side-band-64k agent=crafted/1");
    let pack = world.git_reading("git", at, &["pack-objects", "--revs", "--stdout", "-q"], b"HEAD\n");
    [format!("{:04x}{line}0000", line.len() + 4).as_bytes(), &pack].concat()
}

/// Posts a push with curl.
fn post(world: &GitWorld, repository: &str, file: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new("curl");
    let authority = world.server().data().join("tls/ca.pem");
    world.prepare(&mut command, ".").args(["-sSv", "--max-time", "60", "--cacert"]).arg(authority);
    let kind = "Content-Type: application/x-git-receive-pack-request";
    command.args(["-H", kind, "--data-binary", &format!("@{file}")]).args(arguments);
    command.arg(format!("{}/git-receive-pack", world.remote(repository))).output().expect("curl runs")
}

#[test]
fn a_push_may_be_chunked_compressed_and_wait_to_be_asked_for() {
    let world = world();
    pushed(&world, "first", 1_300_000);
    let cases: [(&str, &[&str], &str); 6] = [
        ("plain", &["--http1.1", "-H", "Expect:"], ""),
        ("chunked", &["--http1.1", "-H", "Expect:", "-H", "Transfer-Encoding: chunked"], ""),
        ("waits", &["--http1.1", "-H", "Expect: 100-continue"], "HTTP/1.1 100"),
        (
            "chunked-waits",
            &["--http1.1", "-H", "Expect: 100-continue", "-H", "Transfer-Encoding: chunked"],
            "HTTP/1.1 100",
        ),
        (
            "compressed",
            &["--http1.1", "-H", "Expect:", "-H", "Content-Encoding: gzip", "-H", "Transfer-Encoding: chunked"],
            "",
        ),
        ("compressed-2", &["--http2", "-H", "Content-Encoding: gzip"], "HTTP/2 200"),
    ];
    for (branch, arguments, answered) in cases {
        world.write(".", branch, push_body(&world, "first", branch));
        if branch.starts_with("compressed") {
            assert!(Command::new("gzip").arg(world.path(branch)).status().expect("gzip").success());
            std::fs::rename(world.path(&format!("{branch}.gz")), world.path(branch)).expect("a file");
        }
        let output = post(&world, "first", branch, arguments);
        let (said, heads) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && said.contains("unpack ok"), "{branch}: {said}\n{heads}");
        assert!(
            said.contains(&format!("ok refs/heads/{branch}")) && heads.contains(answered),
            "{branch}: {said}\n{heads}"
        );
        assert!(answered.is_empty() || heads.contains("< HTTP"), "{heads}");
    }
    let shown = world.git("git", "first", &["ls-remote", "--heads", "origin"]);
    assert_eq!(shown.lines().count(), cases.len() + 1, "{shown}");
    world.git("git", ".", &["clone", "-q", "--mirror", &world.remote("first"), "whole"]);
    world.git("git", "whole", &["fsck", "--strict"]);

    // What is not whole, or not what it says, moves nothing.
    let whole = push_body(&world, "first", "broken");
    let mut wrong = whole.clone();
    let middle = wrong.len() / 2;
    wrong[middle] ^= 1;
    for (name, body) in [("cut", &whole[..whole.len() - 1000]), ("wrong", &wrong)] {
        world.write(".", name, body);
        let output = post(&world, "first", name, &["--http1.1"]);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(!said.contains("unpack ok") && said.contains("unpack "), "{name}: {said}");
    }
    assert_eq!(world.git("git", "first", &["ls-remote", "--heads", "origin"]), shown);
}

/// How many bytes git said that it sent or received.
fn bytes(shown: &str, what: &str) -> f64 {
    let line = shown.split(['\r', '\n']).rfind(|line| line.contains(what) && line.contains("100%"));
    let line = line.unwrap_or_else(|| panic!("{what} in {shown}"));
    let (_, rest) = line.split_once("), ").unwrap_or_else(|| panic!("{what} in {shown}"));
    let mut words = rest.split([' ', ',']);
    let number: f64 = words.next().and_then(|number| number.parse().ok()).expect("a number");
    match words.next() {
        Some("bytes") => number,
        Some("KiB") => number * 1024.0,
        other => panic!("{other:?} in {shown}"),
    }
}

#[test]
fn thin_packs_go_both_ways() {
    let world = world();
    for (number, git) in gits().into_iter().enumerate() {
        let name = format!("r{number}");
        let remote = pushed(&world, &name, 200_000);
        let clone = format!("clone{number}");
        world.git(git, ".", &["clone", "-q", &remote, &clone]);
        let mut changed = noise(7, 200_000);
        changed.extend_from_slice(b"and more\n");
        world.commit(git, &name, "noise", changed);
        let push = world.ends(git, &name, &["push", "--progress", "origin", "main"]);
        let shown = String::from_utf8_lossy(&push.stderr).into_owned();
        assert!(push.status.success(), "{shown}");
        assert!(bytes(&shown, "Writing objects") < 2000.0, "a delta on what the server has: {shown}");
        let fetch = world.ends(git, &clone, &["pull", "--progress", "--ff-only"]);
        let shown = String::from_utf8_lossy(&fetch.stderr).into_owned();
        assert!(fetch.status.success(), "{shown}");
        assert!(bytes(&shown, "Unpacking objects") < 2000.0, "a delta on what the client has: {shown}");
        world.same_files(&name, &clone);
        world.git(git, &clone, &["fsck", "--strict"]);
    }
}

#[test]
fn five_thousand_references_are_pushed_listed_and_fetched() {
    let world = world();
    let remote = pushed(&world, "first", 100);
    for part in ["a", "b"] {
        let lines: String = (0..2500).map(|number| format!("create refs/heads/{part}/{number} HEAD\n")).collect();
        let _ = world.git_reading("git", "first", &["update-ref", "--stdin"], lines.as_bytes());
        let all = format!("refs/heads/{part}/*:refs/heads/{part}/*");
        world.git("git", "first", &["push", "-q", "origin", &all]);
    }
    for (number, git) in gits().into_iter().enumerate() {
        for version in ["protocol.version=0", "protocol.version=2"] {
            let place = format!("c{number}{version}");
            world.git(git, ".", &["-c", version, "clone", "-q", "--mirror", &remote, &place]);
            assert_eq!(world.git(git, &place, &["for-each-ref", "--format=x"]).lines().count(), 5001);
            world.git(git, &place, &["fsck", "--connectivity-only"]);
            let some = world.git(git, ".", &["-c", version, "ls-remote", &remote, "refs/heads/a/17*"]);
            assert_eq!(some.lines().count(), 111, "{some}");
        }
    }
    // More than one push may change.
    let shown = world.git_fails("git", "first", &["push", "-q", "origin", "refs/heads/*:refs/heads/c/*"]);
    assert!(shown.contains("4000") || shown.contains("4,000"), "{shown}");
    world.git("git", "first", &["push", "-q", "origin", ":refs/heads/b/0", ":refs/heads/b/1"]);
    assert_eq!(world.git("git", ".", &["ls-remote", "--heads", &remote]).lines().count(), 4999);
}

#[test]
fn tags_of_tags_are_peeled_and_follow_what_is_fetched() {
    let world = world();
    let remote = pushed(&world, "first", 100);
    let clones = gits().into_iter().flat_map(|git| ["0", "2"].map(|version| (git, version)));
    let clones: Vec<_> = clones.map(|(git, version)| (git, version, format!("c{}{version}", git.len()))).collect();
    for (git, _, clone) in &clones {
        world.git(git, ".", &["clone", "-q", &remote, clone]);
    }
    world.commit("git", "first", "more", "more\n");
    world.git("git", "first", &["tag", "-a", "-m", "inner", "inner"]);
    world.git("git", "first", &["tag", "-a", "-m", "outer", "outer", "inner"]);
    world.git("git", "first", &["push", "-q", "origin", "main", "outer"]);
    let commit = world.git("git", "first", &["rev-parse", "HEAD"]);
    for (git, version, clone) in &clones {
        let protocol = format!("protocol.version={version}");
        let shown = world.git(git, clone, &["-c", &protocol, "ls-remote", "--tags", "origin"]);
        assert!(shown.ends_with(&format!("{commit}\trefs/tags/outer^{{}}")), "{shown}");
        let fetch = ["-c", &protocol, "fetch", "-q", "origin", "main:refs/remotes/origin/main"];
        world.git(git, clone, &fetch);
        assert_eq!(world.git(git, clone, &["rev-parse", "outer^{commit}"]), commit);
        world.git(git, clone, &["fsck", "--strict"]);
    }
}

#[test]
fn an_empty_repository_is_cloned_and_takes_the_first_branch_as_its_default() {
    let world = world();
    for (number, git) in gits().into_iter().enumerate() {
        for version in ["0", "2"] {
            let (name, protocol) = (format!("r{number}-{version}"), format!("protocol.version={version}"));
            world.repository(&name);
            let remote = world.remote(&name);
            world.git(git, ".", &["-c", &protocol, "clone", "-q", &remote, &name]);
            assert_eq!(world.git(git, &name, &["ls-remote"]), "");
            world.git(git, &name, &["checkout", "-q", "-b", "trunk"]);
            world.commit(git, &name, "file", "one\n");
            world.git(git, &name, &["-c", &protocol, "push", "-q", "-u", "origin", "trunk"]);
            let clone = format!("clone-{name}");
            world.git(git, ".", &["-c", &protocol, "clone", "-q", &remote, &clone]);
            assert_eq!(world.git(git, &clone, &["symbolic-ref", "HEAD"]), "refs/heads/trunk");
            world.same_files(&name, &clone);
        }
    }
}

#[test]
fn a_shallow_clone_pushes_and_goes_deeper_by_date_and_by_branch() {
    let world = world();
    for (number, git) in gits().into_iter().enumerate() {
        let name = format!("r{number}");
        world.repository(&name);
        world.git(git, ".", &["init", "-q", &name]);
        for day in 1..=9 {
            world.write(&name, "file", format!("{day}\n"));
            world.git(git, &name, &["add", "."]);
            let date = format!("2026-01-0{day}T12:00:00Z");
            let mut commit = world.command(git, &name, &["commit", "-q", "-m", &date]);
            let status = commit.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date).status();
            assert!(status.expect("git").success());
        }
        world.git(git, &name, &["branch", "old", "HEAD~6"]);
        let remote = world.remote(&name);
        world.git(git, &name, &["push", "-q", &remote, "main", "old"]);
        for version in ["0", "2"] {
            let (shallow, protocol) = (format!("s{number}{version}"), format!("protocol.version={version}"));
            let count = |at: &str| world.git(git, at, &["rev-list", "--count", "HEAD"]);
            world.git(git, ".", &["-c", &protocol, "clone", "-q", "--shallow-since=2026-01-07", &remote, &shallow]);
            assert_eq!(count(&shallow), "3");
            world.git(git, &shallow, &["-c", &protocol, "fetch", "-q", "--shallow-exclude=old", "origin", "main"]);
            assert_eq!(count(&shallow), "6");
            let branch = format!("from-{shallow}");
            world.git(git, &shallow, &["checkout", "-q", "-b", &branch]);
            world.commit(git, &shallow, "of-shallow", "shallow\n");
            world.git(git, &shallow, &["-c", &protocol, "push", "-q", "origin", &branch]);
            let whole = format!("w{number}{version}");
            world.git(git, ".", &["clone", "-q", "-b", &branch, &remote, &whole]);
            assert_eq!(count(&whole), "10");
            world.same_files(&shallow, &whole);
            world.git(git, &whole, &["fsck", "--strict"]);
        }
    }
}
