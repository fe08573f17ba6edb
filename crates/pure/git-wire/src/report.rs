//! The report of a push.
//!
//! Source: gitprotocol-pack, "Report Status".

use git_object::ObjectId;

use crate::packet::{FLUSH, line, line_of};
use crate::push::Report;
use crate::text::clean;

/// The outcome of a reference update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefReport<'a> {
    /// It was made, as asked for.
    Ok,
    /// It was made, but otherwise than asked for; told in version 2 alone.
    Changed {
        /// The object that the reference named before.
        old: ObjectId,
        /// The object that it names now.
        new: ObjectId,
    },
    /// It was not made.
    Refused(&'a str),
}

impl Report {
    /// Writes the report: what became of the pack, then of each update, by the name that the client sent.
    pub fn write<'a>(
        self,
        unpacked: Result<(), &str>,
        references: impl IntoIterator<Item = (&'a [u8], RefReport<'a>)>,
        out: &mut Vec<u8>,
    ) {
        match unpacked {
            Ok(()) => line_of(out, format_args!("unpack ok")),
            Err(reason) => line_of(out, format_args!("unpack {}", one_line(reason))),
        }
        for (name, report) in references {
            match report {
                RefReport::Refused(reason) => {
                    line(out, &[b"ng ", name, b" ", one_line(reason).as_bytes(), b"\n"]);
                }
                RefReport::Ok => line(out, &[b"ok ", name, b"\n"]),
                RefReport::Changed { old, new } => {
                    line(out, &[b"ok ", name, b"\n"]);
                    if self == Self::V2 {
                        line_of(out, format_args!("option old-oid {old}"));
                        line_of(out, format_args!("option new-oid {new}"));
                    }
                }
            }
        }
        out.extend_from_slice(FLUSH);
    }
}

/// A reason as the rest of a line.
fn one_line(reason: &str) -> String {
    clean(reason.as_bytes()).replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_a_line_for_each_update() {
        let mut out = Vec::new();
        let references: [(&[u8], RefReport<'_>); 2] =
            [(b"refs/heads/main", RefReport::Ok), (b"refs/heads/x", RefReport::Refused("stale\ninfo"))];
        Report::V1.write(Ok(()), references, &mut out);
        let expected = "000eunpack ok\n0017ok refs/heads/main\n001fng refs/heads/x stale info\n0000";
        assert_eq!(String::from_utf8_lossy(&out), expected);
        let mut out = Vec::new();
        Report::V2.write(Err("index-pack\x1b failed"), [], &mut out);
        assert_eq!(String::from_utf8_lossy(&out), "001funpack index-pack^[ failed\n0000");
    }
}
