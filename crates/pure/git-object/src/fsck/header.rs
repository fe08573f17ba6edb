//! The rules for commits and tags.

use super::{FsckError, Message, Report};
use crate::header::{Lines, split_line};
use crate::{Kind, ObjectFormat, ObjectId, refname};

type Checked = Result<(), FsckError>;

/// Checks that the header ends, and has no NUL. Without that the rest cannot be read.
fn check_end(content: &[u8], report: Report) -> Result<bool, FsckError> {
    let mut previous = 0;
    for (at, byte) in content.iter().enumerate() {
        match byte {
            0 => {
                report.error(Message::NulInHeader, || format!("unterminated header: NUL at offset {at}"))?;
                return Ok(false);
            }
            b'\n' if previous == b'\n' => return Ok(true),
            _ => previous = *byte,
        }
    }
    if previous == b'\n' {
        return Ok(true);
    }
    report.text(Message::UnterminatedHeader, "unterminated header")?;
    Ok(false)
}

pub(super) fn check_commit(format: ObjectFormat, content: &[u8], report: Report) -> Checked {
    if !check_end(content, report)? {
        return Ok(());
    }
    let mut lines = Lines::new(content);
    let Some(tree) = lines.after(b"tree ") else {
        return report.text(Message::MissingTree, "invalid format - expected 'tree' line");
    };
    if ObjectId::from_hex(format, tree).is_err() {
        report.text(Message::BadTreeSha1, "invalid 'tree' line format - bad sha1")?;
    }
    while let Some(parent) = lines.after(b"parent ") {
        if ObjectId::from_hex(format, parent).is_err() {
            report.text(Message::BadParentSha1, "invalid 'parent' line format - bad sha1")?;
        }
    }
    let mut authors = 0;
    while let Some(author) = lines.after(b"author ") {
        authors += 1;
        check_identity(author, report)?;
    }
    match authors {
        0 => report.text(Message::MissingAuthor, "invalid format - expected 'author' line")?,
        1 => {}
        _ => report.text(Message::MultipleAuthors, "invalid format - multiple 'author' lines")?,
    }
    let Some(committer) = lines.after(b"committer ") else {
        return report.text(Message::MissingCommitter, "invalid format - expected 'committer' line");
    };
    check_identity(committer, report)?;
    if content.contains(&0) {
        report.text(Message::NulInCommit, "NUL byte in the commit object body")?;
    }
    Ok(())
}

pub(super) fn check_tag(format: ObjectFormat, content: &[u8], report: Report) -> Checked {
    if !check_end(content, report)? {
        return Ok(());
    }
    let mut lines = Lines::new(content);
    let Some(target) = lines.after(b"object ") else {
        return report.text(Message::MissingObject, "invalid format - expected 'object' line");
    };
    if ObjectId::from_hex(format, target).is_err() {
        report.text(Message::BadObjectSha1, "invalid 'object' line format - bad sha1")?;
    }
    let Some(kind) = whole_line(&mut lines, b"type ") else {
        return report.text(Message::MissingTypeEntry, "invalid format - expected 'type' line");
    };
    let Some(kind) = kind else {
        return report.text(Message::MissingType, "invalid format - unexpected end after 'type' line");
    };
    if Kind::from_name(kind).is_none() {
        report.text(Message::BadType, "invalid 'type' value")?;
    }
    let Some(name) = whole_line(&mut lines, b"tag ") else {
        return report.text(Message::MissingTagEntry, "invalid format - expected 'tag' line");
    };
    let Some(name) = name else {
        return report.text(Message::MissingTag, "invalid format - unexpected end after 'type' line");
    };
    if refname::check_parts(name).is_err() {
        report.text(Message::BadTagName, "invalid 'tag' name")?;
    }
    match lines.after(b"tagger ") {
        Some(tagger) => check_identity(tagger, report)?,
        None => report.text(Message::MissingTaggerEntry, "invalid format - expected 'tagger' line")?,
    }
    check_tag_signature(lines.rest(), report)
}

/// A line that begins so: `None` if it does not, `Some(None)` if it has no end.
fn whole_line<'a>(lines: &mut Lines<'a>, prefix: &[u8]) -> Option<Option<&'a [u8]>> {
    let ends = lines.rest().contains(&b'\n');
    let line = lines.after(prefix)?;
    Some(ends.then_some(line))
}

/// Checks that a signature in a tag's header has an end. What signs a tag of the other format is there.
fn check_tag_signature(mut rest: &[u8], report: Report) -> Checked {
    if rest.starts_with(b"gpgsig ") || rest.starts_with(b"gpgsig-sha256 ") {
        if !rest.contains(&b'\n') {
            let detail = "invalid format - unexpected end after 'gpgsig' or 'gpgsig-sha256' line";
            return report.text(Message::BadGpgsig, detail);
        }
        rest = split_line(rest).1;
        while rest.starts_with(b" ") {
            if !rest.contains(&b'\n') {
                let detail = "invalid format - unexpected end in 'gpgsig' or 'gpgsig-sha256' continuation line";
                return report.text(Message::BadHeaderContinuation, detail);
            }
            rest = split_line(rest).1;
        }
    }
    if !rest.is_empty() && !rest.starts_with(b"\n") {
        report.text(Message::ExtraHeaderEntry, "invalid format - extra header(s) after 'tagger'")?;
    }
    Ok(())
}

/// Checks `Name <email> seconds zone`. A rule that is let pass ends the check, as in git.
fn check_identity(line: &[u8], report: Report) -> Checked {
    let wrong = |message, what: &str| report.error(message, || format!("invalid author/committer line - {what}"));
    if line.starts_with(b"<") {
        return wrong(Message::MissingNameBeforeEmail, "missing space before email");
    }
    let Some(at) = line.iter().position(|byte| matches!(byte, b'<' | b'>')) else {
        return wrong(Message::MissingEmail, "missing email");
    };
    let (name, rest) = line.split_at_checked(at).unwrap_or((line, &[]));
    let Some(rest) = rest.strip_prefix(b"<") else {
        return wrong(Message::BadName, "bad name");
    };
    if !name.ends_with(b" ") {
        return wrong(Message::MissingSpaceBeforeEmail, "missing space before email");
    }
    let Some(at) = rest.iter().position(|byte| matches!(byte, b'<' | b'>')) else {
        return wrong(Message::BadEmail, "bad email");
    };
    let Some(rest) = rest.get(at..).and_then(|rest| rest.strip_prefix(b">")) else {
        return wrong(Message::BadEmail, "bad email");
    };
    let Some(rest) = rest.strip_prefix(b" ") else {
        return wrong(Message::MissingSpaceBeforeDate, "missing space before date");
    };
    let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let rest = rest.get(blanks..).unwrap_or_default();
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
    if digits.is_empty() {
        return wrong(Message::BadDate, "bad date");
    }
    if digits.starts_with(b"0") && (digits.len() > 1 || !rest.starts_with(b" ")) {
        return wrong(Message::ZeroPaddedDate, "zero-padded date");
    }
    if std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<i64>().ok()).is_none() {
        return wrong(Message::BadDateOverflow, "date causes integer overflow");
    }
    let Some(zone) = rest.strip_prefix(b" ") else {
        return wrong(Message::BadDate, "bad date");
    };
    if crate::Zone::parse(zone).is_none() {
        return wrong(Message::BadTimezone, "bad time zone");
    }
    Ok(())
}
