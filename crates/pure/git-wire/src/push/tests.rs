//! Pushes that clients should not make, and bytes of any kind.

use git_object::ObjectFormat;
use proptest::prelude::*;

use super::{Push, PushReader, Report};
use crate::{COMMANDS_MAX, Packet, WireError};

const ID: &str = "0123456789abcdef0123456789abcdef01234567";
const NULL: &str = "0000000000000000000000000000000000000000";

/// Reads lines; `.` is the flush packet.
fn read(format: Option<ObjectFormat>, lines: &[&str]) -> Result<Option<Push>, WireError> {
    let mut reader = PushReader::new(format);
    let mut push = None;
    for line in lines {
        let packet = if *line == "." { Packet::Flush } else { Packet::Data(line.as_bytes()) };
        push = reader.packet(packet)?.or(push);
    }
    Ok(push)
}

#[test]
fn a_probe_is_a_push_of_nothing() {
    let push = read(None, &["."]).expect("read").expect("a push");
    assert!(push.commands.is_empty() && !push.has_pack() && push.report.is_none());
}

#[test]
fn options_are_read_only_if_they_were_announced() {
    let line = format!("{NULL} {ID} refs/heads/x\0 report-status push-options");
    let push = read(None, &[&line, ".", "a=b", "c", "."]).expect("read").expect("a push");
    assert_eq!(push.options, [b"a=b".to_vec(), b"c".to_vec()]);
    assert_eq!(push.report, Some(Report::V1));
    let line = format!("{NULL} {ID} refs/heads/x\0report-status-v2 atomic quiet");
    let push = read(None, &[&line, "."]).expect("read").expect("a push");
    assert!(push.atomic && push.quiet && push.has_pack() && push.report == Some(Report::V2));
    assert!(read(None, &[&line, ".", "a=b"]).is_err());
}

#[test]
fn a_repository_without_a_format_takes_that_of_the_ids() {
    let (null, id) = ("0".repeat(64), "1".repeat(64));
    let line = format!("{null} {id} refs/heads/x\0object-format=sha256");
    let push = read(None, &[&line, "."]).expect("read").expect("a push");
    assert_eq!(push.format, ObjectFormat::Sha256);
    assert!(read(Some(ObjectFormat::Sha1), &[&line]).expect_err("mismatch").to_string().contains("mismatched"));
    let mixed = format!("{NULL} {ID} refs/heads/x\0object-format=sha256");
    assert!(read(None, &[&mixed]).expect_err("mismatch").to_string().contains("mismatched"));
    let first = format!("{NULL} {ID} refs/heads/x\0");
    assert!(read(None, &[&first, &format!("{null} {id} refs/heads/y")]).is_err());
}

#[test]
fn what_is_no_update_is_refused() {
    for line in ["", "x", ID, &format!("{ID} {ID}"), &format!("{ID} x refs/heads/x"), "push-cert\0", "shallow x"] {
        assert!(read(None, &[line]).is_err(), "{line}");
    }
    let mut lines = vec![format!("{NULL} {ID} refs/heads/x\0"); 1];
    lines.resize(COMMANDS_MAX + 1, format!("{NULL} {ID} refs/heads/x"));
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let error = read(None, &lines).expect_err("too many");
    assert!(error.to_string().starts_with("Too many reference update commands"), "{error}");
    assert!(read(None, &lines[..COMMANDS_MAX]).is_ok());
}

proptest! {
    #[test]
    fn foreign_lines_never_panic(lines in prop::collection::vec("([0-9a-f]{40}| |shallow |\0|\\.|push-options|\\PC){0,8}", 0..6)) {
        let _ = read(None, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    }
}
