//! Git's wire with the real clients, case by case: bodies that are compressed, chunked or announced, both versions of
//! HTTP, thin packs, many references, tags of tags, empty and shallow repositories.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has to stop, saying why")]

use std::process::{Command, Output};

use testkit::{GitWorld, gits, noise};

fn world(repositories: &[&str]) -> GitWorld {
    GitWorld::start(env!("CARGO_BIN_EXE_sealstack"), Vec::new(), repositories)
}

/// Each git with a version of the protocol: `git.rs` plays them all, here each is played once.
fn gits_and_versions() -> Vec<(usize, &'static str, &'static str)> {
    gits()
        .into_iter()
        .zip(["protocol.version=2", "protocol.version=0"])
        .enumerate()
        .map(|(number, (git, version))| (number, git, version))
        .collect()
}

/// Makes the first commit of a repository, with a file of `length` bytes that do not compress.
fn pushed(world: &GitWorld, name: &str, length: usize) -> String {
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
    let world = world(&["r0-1.1", "r0-2", "r1-1.1", "r1-2"]);
    for (number, git) in gits().into_iter().enumerate() {
        for (http, request) in [("1.1", "HTTP/1.1"), ("2", "HTTP/2")] {
            let name = format!("r{number}-{http}");
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
    let world = world(&["first"]);
    let remote = pushed(&world, "first", 100);
    world.git("git", ".", &["clone", "-q", &remote, "other"]);
    for (number, git, version) in gits_and_versions() {
        world.commit("git", "first", &format!("more-{number}"), "more\n");
        world.git("git", "first", &["push", "-q", "origin", "main"]);
        // Newer commits than that, which the server does not have: the client asks for one after the other.
        let unknown = |age: u32| {
            format!("commit refs/heads/unknown-{number}\ncommitter A <a> {} +0000\ndata 0\n", 2_000_000_000 + age)
        };
        let unknown: String = (0..100).map(unknown).collect();
        let _ = world.git_reading("git", "other", &["fast-import", "--quiet"], unknown.as_bytes());
        let (trace, _) = traced(&world, git, "other", &["-c", version, "fetch", "-q"]);
        assert!(trace.to_lowercase().contains("content-encoding: gzip"), "{trace}");
    }
    world.git("git", "other", &["fsck", "--strict"]);
    let tip = |at: &str, name: &str| world.git("git", at, &["rev-parse", name]);
    assert_eq!(tip("first", "main"), tip("other", "origin/main"));
}

/// A push as it goes over the wire: branches made at the tip of `at`.
fn push_body(world: &GitWorld, at: &str, branches: &[String]) -> Vec<u8> {
    let tip = world.git("git", at, &["rev-parse", "HEAD"]);
    let none = "0".repeat(tip.len());
    let mut body = Vec::new();
    for (number, branch) in branches.iter().enumerate() {
        let capabilities = if number == 0 { "\0 report-status side-band-64k agent=crafted/1" } else { "" };
        let line = format!("{none} {tip} refs/heads/{branch}{capabilities}");
        body.extend_from_slice(format!("{:04x}{line}", line.len() + 4).as_bytes());
    }
    body.extend_from_slice(b"0000");
    body.extend_from_slice(&world.git_reading("git", at, &["pack-objects", "--revs", "--stdout", "-q"], b"HEAD\n"));
    body
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
    let world = world(&["first"]);
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
        world.write(".", branch, push_body(&world, "first", &[branch.to_owned()]));
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
    let whole = push_body(&world, "first", &["broken".to_owned()]);
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

/// Runs git. Returns how many bytes of packs it sent or received.
fn pack_bytes(world: &GitWorld, git: &str, at: &str, arguments: &[&str]) -> u64 {
    let file = world.path("packs");
    let output = world.command(git, at, arguments).env("GIT_TRACE_PACKFILE", &file).output().expect("git runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let bytes = std::fs::metadata(&file).expect("packs").len();
    std::fs::remove_file(file).expect("packs");
    bytes
}

#[test]
fn thin_packs_go_both_ways() {
    let world = world(&["r0", "r1"]);
    for (number, git, version) in gits_and_versions() {
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
        assert!(shown.contains(" bytes | ") && shown.contains("Writing objects: 100%"), "less than a KiB: {shown}");
        let bytes = pack_bytes(&world, git, &clone, &["-c", version, "pull", "-q", "--ff-only"]);
        assert!((1..2000).contains(&bytes), "a delta on what the client has: {bytes}");
        world.same_files(&name, &clone);
        world.git(git, &clone, &["fsck", "--strict"]);
    }
}

#[test]
fn five_thousand_references_are_pushed_listed_and_fetched() {
    let world = world(&["first"]);
    let remote = pushed(&world, "first", 100);
    // Made by hand: git's own comparison of so many names takes a minute.
    let names =
        |part: &str, count: usize| -> Vec<String> { (0..count).map(|number| format!("{part}/{number}")).collect() };
    for (part, count) in [("a", 4000), ("b", 1000)] {
        world.write(".", part, push_body(&world, "first", &names(part, count)));
        let output = post(&world, "first", part, &["--http1.1"]);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("unpack ok") && said.contains(&format!("ok refs/heads/{part}/{}", count - 1)), "{said}");
    }
    for (number, git, version) in gits_and_versions() {
        let place = format!("clone{number}");
        world.git(git, ".", &["-c", version, "clone", "-q", "--mirror", &remote, &place]);
        assert_eq!(world.git(git, &place, &["for-each-ref", "--format=x"]).lines().count(), 5001);
        let some = world.git(git, ".", &["-c", version, "ls-remote", &remote, "refs/heads/a/17*"]);
        assert_eq!(some.lines().count(), 111, "{some}");
        world.git(git, &place, &["fsck", "--connectivity-only"]);
    }
    // More than one push may change: said in words that the client shows, with each version of HTTP.
    world.write(".", "more", push_body(&world, "first", &names("c", 4001)));
    for http in ["--http1.1", "--http2"] {
        let output = post(&world, "first", "more", &[http]);
        let (said, heads) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && heads.contains(" 200"), "{said}\n{heads}");
        assert!(said.get(4..5) == Some("\u{3}") && said.contains("4000"), "{said}\n{heads}");
    }
    world.git("git", "first", &["push", "-q", &remote, ":refs/heads/b/0", ":refs/heads/b/1"]);
    assert_eq!(world.git("git", ".", &["ls-remote", "--heads", &remote]).lines().count(), 4999);
}

#[test]
fn tags_of_tags_are_peeled_and_follow_what_is_fetched() {
    let world = world(&["first"]);
    let remote = pushed(&world, "first", 100);
    for (number, git, _) in gits_and_versions() {
        world.git(git, ".", &["clone", "-q", &remote, &format!("clone{number}")]);
    }
    world.commit("git", "first", "more", "more\n");
    world.git("git", "first", &["tag", "-a", "-m", "inner", "inner"]);
    world.git("git", "first", &["tag", "-a", "-m", "outer", "outer", "inner"]);
    world.git("git", "first", &["push", "-q", "origin", "main", "outer"]);
    let commit = world.git("git", "first", &["rev-parse", "HEAD"]);
    for (number, git, version) in gits_and_versions() {
        let clone = format!("clone{number}");
        let shown = world.git(git, &clone, &["-c", version, "ls-remote", "--tags", "origin"]);
        assert!(shown.ends_with(&format!("{commit}\trefs/tags/outer^{{}}")), "{shown}");
        world.git(git, &clone, &["-c", version, "fetch", "-q", "origin", "main:refs/remotes/origin/main"]);
        assert_eq!(world.git(git, &clone, &["rev-parse", "outer^{commit}"]), commit);
        world.git(git, &clone, &["fsck", "--strict"]);
    }
}

#[test]
fn an_empty_repository_is_cloned_and_takes_the_first_branch_as_its_default() {
    let world = world(&["r0", "r1"]);
    for (number, git, version) in gits_and_versions() {
        let name = format!("r{number}");
        let remote = world.remote(&name);
        world.git(git, ".", &["-c", version, "clone", "-q", &remote, &name]);
        assert_eq!(world.git(git, &name, &["ls-remote"]), "");
        world.git(git, &name, &["checkout", "-q", "-b", "trunk"]);
        world.commit(git, &name, "file", "one\n");
        world.git(git, &name, &["-c", version, "push", "-q", "-u", "origin", "trunk"]);
        let clone = format!("clone-{name}");
        world.git(git, ".", &["-c", version, "clone", "-q", &remote, &clone]);
        assert_eq!(world.git(git, &clone, &["symbolic-ref", "HEAD"]), "refs/heads/trunk");
        world.same_files(&name, &clone);
    }
}

#[test]
fn a_shallow_clone_pushes_and_goes_deeper_by_date_and_by_branch() {
    let world = world(&["first"]);
    let name = "first";
    world.git("git", ".", &["init", "-q", name]);
    for day in 1..=9 {
        world.write(name, "file", format!("{day}\n"));
        world.git("git", name, &["add", "."]);
        let date = format!("2026-01-0{day}T12:00:00Z");
        let mut commit = world.command("git", name, &["commit", "-q", "-m", &date]);
        let status = commit.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date).status();
        assert!(status.expect("git").success());
    }
    world.git("git", name, &["branch", "old", "HEAD~6"]);
    let remote = world.remote(name);
    world.git("git", name, &["push", "-q", &remote, "main", "old"]);
    let count = |at: &str| world.git("git", at, &["rev-list", "--count", "HEAD"]);
    for (number, git, version) in gits_and_versions() {
        let (shallow, whole) = (format!("shallow{number}"), format!("whole{number}"));
        world.git(git, ".", &["-c", version, "clone", "-q", "--shallow-since=2026-01-07", &remote, &shallow]);
        assert_eq!(count(&shallow), "3");
        world.git(git, &shallow, &["-c", version, "fetch", "-q", "--shallow-exclude=old", "origin", "main"]);
        assert_eq!(count(&shallow), "6");
        let branch = format!("from-{shallow}");
        world.git(git, &shallow, &["checkout", "-q", "-b", &branch]);
        world.commit(git, &shallow, "of-shallow", "shallow\n");
        world.git(git, &shallow, &["-c", version, "push", "-q", "origin", &branch]);
        world.git(git, ".", &["clone", "-q", "-b", &branch, &remote, &whole]);
        assert_eq!(count(&whole), "10");
        world.same_files(&shallow, &whole);
        world.git(git, &whole, &["fsck", "--strict"]);
    }
}
