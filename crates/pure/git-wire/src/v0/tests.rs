//! Requests of versions 0 and 1 that clients should not send, and bytes of any kind.

use git_object::ObjectFormat;
use proptest::prelude::*;

use super::UploadReader;
use crate::{Packet, WANTS_MAX, WireError};

const ID: &str = "0123456789abcdef0123456789abcdef01234567";

fn read(lines: &[&str]) -> Result<(), WireError> {
    let mut reader = UploadReader::new(ObjectFormat::Sha1);
    lines.iter().try_for_each(|line| reader.packet(Packet::Data(line.as_bytes())).map(|_| ()))
}

#[test]
fn what_is_no_request_is_refused_with_what_should_have_come() {
    let id = &ID.repeat(2)[..64];
    for (line, words) in [
        ("have x", "expected want <id>"),
        ("want 123", "expected want <id>"),
        (&format!("want {id}"), "mismatched object format: server sha1; client sha256"),
        (&format!("want {ID} object-format=sha256"), "mismatched object format"),
        ("deepen 0", "expected deepen <depth>"),
        ("deepen -1", "expected a number"),
        ("deepen 99999999999", "expected deepen <depth>"),
        ("deepen-since tomorrow", "expected a number"),
        ("shallow x", "expected shallow <id>"),
        ("filter sparse:oid=x", "not supported"),
        ("", "expected want <id>"),
    ] {
        let error = read(&[line]).expect_err(line);
        assert!(error.to_string().contains(words), "{line}: {error}");
    }
}

#[test]
fn more_wants_than_there_may_be_are_refused() {
    let mut reader = UploadReader::new(ObjectFormat::Sha1);
    let line = format!("want {ID}");
    let taken = (0..=WANTS_MAX).take_while(|_| reader.packet(Packet::Data(line.as_bytes())).is_ok()).count();
    assert_eq!(taken, WANTS_MAX);
}

proptest! {
    #[test]
    fn foreign_lines_never_panic(lines in prop::collection::vec("(want |shallow |deepen|filter |[0-9a-f]{40}| |\\PC){0,8}", 0..6)) {
        let _ = read(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    }
}
