//! The rules for `.gitattributes`, which protect git's own parser.

use super::{FsckError, Message, Report};

/// Bytes of a line that git's parser no longer takes.
const LINE_BYTES: usize = 2048;

pub(super) fn check(content: &[u8], report: Report) -> Result<(), FsckError> {
    // Git reads text that ends at the first NUL.
    let text = content.split(|byte| *byte == 0).next().unwrap_or_default();
    if text.split(|byte| *byte == b'\n').any(|line| line.len() >= LINE_BYTES) {
        return report.text(Message::GitattributesLineLength, ".gitattributes has too long lines to parse");
    }
    Ok(())
}
