//! The rules for `.gitmodules`: names, addresses, paths and commands that have attacked those who clone.
//!
//! Sources: gitmodules; git's advisories for CVE-2018-11235, CVE-2018-17456, CVE-2019-1387 and CVE-2020-11008.

use super::config::Config;
use super::{FsckError, Message, Report, url};

pub(super) fn check(content: &[u8], report: Report) -> Result<(), FsckError> {
    let mut config = Config::new(content);
    // A line that cannot be read is an info (gitmodulesParse): git stops reading there as well.
    while let Ok(Some(variable)) = config.variable() {
        // To git these are texts that end at a NUL.
        let name = until_nul(&variable.name);
        let Some((submodule, key)) = name.strip_prefix(b"submodule.").and_then(split_key) else { continue };
        let text = |what: &[u8]| String::from_utf8_lossy(what).into_owned();
        if !is_name(submodule) {
            report.error(Message::GitmodulesName, || format!("disallowed submodule name: {}", text(submodule)))?;
        }
        let Some(value) = variable.value.as_deref().map(until_nul) else { continue };
        let (message, what) = match key {
            b"url" if !url::is_allowed(value) => (Message::GitmodulesUrl, "url"),
            b"path" if value.starts_with(b"-") => (Message::GitmodulesPath, "path"),
            b"update" if value.starts_with(b"!") => (Message::GitmodulesUpdate, "update setting"),
            _ => continue,
        };
        report.error(message, || format!("disallowed submodule {what}: {}", text(value)))?;
    }
    Ok(())
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// The subsection, in which there may be dots, and the key.
fn split_key(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let (subsection, key) = name.split_at_checked(name.iter().rposition(|byte| *byte == b'.')?)?;
    Some((subsection, key.strip_prefix(b".")?))
}

/// Whether it can be a folder below `.git/modules`: not empty, and no `..` between separators of any system.
fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.split(|byte| matches!(byte, b'/' | b'\\')).all(|part| part != b"..")
}
