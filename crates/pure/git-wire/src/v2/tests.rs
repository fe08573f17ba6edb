//! Requests of version 2 that clients should not send, and bytes of any kind.

use git_object::ObjectFormat;
use proptest::prelude::*;

use super::{LsRefs, Request, RequestReader, Version};
use crate::{PREFIXES_MAX, Packet, WireError};

/// Reads lines; `-` is the delimiter and `.` the flush packet.
fn read(format: ObjectFormat, lines: &[&str]) -> Result<Vec<Request>, WireError> {
    let mut reader = RequestReader::new(format);
    let packets = lines.iter().map(|line| match *line {
        "-" => Packet::Delimiter,
        "." => Packet::Flush,
        line => Packet::Data(line.as_bytes()),
    });
    packets.filter_map(|packet| reader.packet(packet).transpose()).collect()
}

#[test]
fn requests_follow_each_other_until_a_flush_packet_stands_alone() {
    let lines = ["command=ls-refs", "-", "peel", ".", "command=ls-refs", ".", "."];
    let requests = read(ObjectFormat::Sha1, &lines).expect("requests");
    let peel = LsRefs { peel: true, ..LsRefs::default() };
    assert_eq!(requests, [Request::LsRefs(peel), Request::LsRefs(LsRefs::default()), Request::End]);
}

#[test]
fn what_was_not_offered_is_refused() {
    for (lines, words) in [
        (["command=push", "-"].as_slice(), "expected ls-refs, fetch or object-info"),
        (&["command=ls-refs", "command=fetch"], "expected one command"),
        (&["agent=x", "-"], "expected a command"),
        (&["command=fetch", "-", "sideband-all"], "expected an argument of fetch"),
        (&["command=fetch", "-", "packfile-uris https"], "expected an argument of fetch"),
        (&["command=fetch", "-", "done now"], "expected an argument of fetch"),
        (&["command=fetch", "-", "-"], "expected an argument"),
        (&["command=ls-refs", "-", "want x"], "expected an argument of ls-refs"),
        (&["command=object-info", "-", "type"], "expected an argument of object-info"),
        (&["command=fetch", "object-format=md5"], "expected sha1 or sha256"),
        (&["command=fetch", "object-format=sha256", "-"], "mismatched object format: server sha1; client sha256"),
    ] {
        let error = read(ObjectFormat::Sha1, lines).expect_err("an error");
        assert!(error.to_string().contains(words), "{lines:?}: {error}");
    }
    let silent = read(ObjectFormat::Sha256, &["command=fetch", "-"]).expect_err("an error");
    assert!(silent.to_string().contains("server sha256; client sha1"), "{silent}");
}

#[test]
fn with_too_many_prefixes_all_references_are_shown() {
    let mut reader = RequestReader::new(ObjectFormat::Sha1);
    let lines = ["command=ls-refs"].into_iter().map(|line| Packet::Data(line.as_bytes())).chain([Packet::Delimiter]);
    let prefixes = std::iter::repeat_n(Packet::Data(b"ref-prefix refs/heads/x"), PREFIXES_MAX + 1);
    let mut requests =
        lines.chain(prefixes).chain([Packet::Flush]).filter_map(|packet| reader.packet(packet).expect("read"));
    assert_eq!(requests.next(), Some(Request::LsRefs(LsRefs::default())));
}

#[test]
fn a_prefix_that_another_stands_for_is_left_out() {
    let prefixes =
        ["refs/tags/", "refs/heads/main", "refs/", "HEAD", "refs/"].map(|prefix| format!("ref-prefix {prefix}"));
    let mut lines = vec!["command=ls-refs", "-"];
    lines.extend(prefixes.iter().map(String::as_str).chain(["."]));
    let requests = read(ObjectFormat::Sha1, &lines).expect("requests");
    let [Request::LsRefs(asked)] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!(asked.prefixes, [b"HEAD".to_vec(), b"refs/".to_vec()]);
    assert!(asked.has(b"HEAD") && asked.has(b"refs/heads/x"));
    assert!(!asked.has(b"HEA") && !asked.has(b"a") && !asked.has(b"s"));
}

#[test]
fn the_highest_version_that_is_named_is_spoken() {
    for (text, version) in [
        ("", Version::V0),
        ("version=1", Version::V1),
        ("version=2", Version::V2),
        ("version=3", Version::V0),
        ("a=b:version=2", Version::V2),
        ("version=2:version=1", Version::V2),
        ("version=22", Version::V0),
    ] {
        assert_eq!(Version::of(text.as_bytes()), version, "{text}");
    }
}

proptest! {
    #[test]
    fn foreign_lines_never_panic(
        lines in prop::collection::vec("(command=fetch|want |ref-prefix |object-format=|[0-9a-f]{40}| |-|\\.|\\PC){0,6}", 0..8),
    ) {
        let _ = read(ObjectFormat::Sha1, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    }
}
