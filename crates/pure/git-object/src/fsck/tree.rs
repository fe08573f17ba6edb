//! The rules for trees.

use super::disguise::{hfs, ntfs};
use super::{Findings, FsckError, Message, Report, Special};
use crate::tree::{RawEntry, Tree};
use crate::{ObjectFormat, ObjectId};

/// Bytes of the longest name of an entry.
const NAME_BYTES_MAX: usize = 4096;

const TYPE: u32 = 0o170_000;
const FOLDER: u32 = 0o040_000;
const SYMLINK: u32 = 0o120_000;

pub(super) fn check(
    format: ObjectFormat,
    content: &[u8],
    report: Report,
    findings: &mut Findings,
) -> Result<(), FsckError> {
    let mut seen = Seen::default();
    let mut order = Order::default();
    let mut tree = Tree::new(format, content);
    while let Some(entry) = tree.next_raw() {
        let Ok(entry) = entry else {
            return report.text(Message::BadTree, "cannot be parsed as a tree");
        };
        seen.look_at(&entry);
        if may_be_special(entry.name) {
            seen.dotgit |= is_dotgit(entry.name);
            look_for_files(&entry, report, findings)?;
        }
        match order.check(entry.bits & TYPE == FOLDER, entry.name) {
            Some(Message::TreeNotSorted) => seen.unsorted = true,
            Some(_) => seen.duplicates = true,
            None => {}
        }
    }
    seen.report(report)
}

/// Faults of any of the entries. Git reports them behind those it reports at once, in this order.
#[derive(Default)]
struct Seen {
    null_id: bool,
    slash: bool,
    dot: bool,
    dotdot: bool,
    dotgit: bool,
    padded: bool,
    mode: bool,
    duplicates: bool,
    unsorted: bool,
    long: bool,
}

impl Seen {
    fn look_at(&mut self, entry: &RawEntry<'_>) {
        let name = entry.name;
        self.null_id |= entry.id.is_null();
        self.slash |= name.contains(&b'/');
        self.dot |= name == b".";
        self.dotdot |= name == b"..";
        self.padded |= entry.mode.starts_with(b"0");
        self.long |= name.len() > NAME_BYTES_MAX;
        self.mode |= !matches!(entry.bits, 0o100_644 | 0o100_755 | 0o120_000 | 0o040_000 | 0o160_000);
    }

    fn report(&self, report: Report) -> Result<(), FsckError> {
        for (wrong, message, detail) in [
            (self.null_id, Message::NullSha1, "contains entries pointing to null sha1"),
            (self.slash, Message::FullPathname, "contains full pathnames"),
            (self.dot, Message::HasDot, "contains '.'"),
            (self.dotdot, Message::HasDotdot, "contains '..'"),
            (self.dotgit, Message::HasDotgit, "contains '.git'"),
            (self.padded, Message::ZeroPaddedFilemode, "contains zero-padded file modes"),
            (self.mode, Message::BadFilemode, "contains bad file modes"),
            (self.duplicates, Message::DuplicateEntries, "contains duplicate file entries"),
            (self.unsorted, Message::TreeNotSorted, "not properly sorted"),
            (self.long, Message::LargePathname, "contains excessively large pathname"),
        ] {
            if wrong {
                report.text(message, detail)?;
            }
        }
        Ok(())
    }
}

/// Whether a file system could take the name for one that means something to git: only then it begins with a dot, perhaps
/// behind characters that HFS+ ignores, or is a short name of NTFS, or has parts that Windows sees. Few names do.
fn may_be_special(name: &[u8]) -> bool {
    // The characters that HFS+ ignores begin with these bytes.
    matches!(name.first(), Some(b'.' | 0xe2 | 0xef)) || name.iter().any(|byte| matches!(byte, b'~' | b'\\'))
}

fn is_dotgit(name: &[u8]) -> bool {
    hfs(name, Special::Git) || ntfs(name, Special::Git) || behind_backslashes(name, Special::Git)
}

/// Whether what follows a backslash, which separates on Windows, is taken for `special`.
fn behind_backslashes(name: &[u8], special: Special) -> bool {
    let starts = name.iter().enumerate().filter(|(_, byte)| **byte == b'\\').map(|(at, _)| at + 1);
    starts.into_iter().any(|start| name.get(start..).is_some_and(|rest| ntfs(rest, special)))
}

/// Finds the files that git reads in this tree: as links they are refused or noted, else their content has rules.
fn look_for_files(entry: &RawEntry<'_>, report: Report, findings: &mut Findings) -> Result<(), FsckError> {
    let is_link = entry.bits & TYPE == SYMLINK;
    for special in Special::FILES {
        let named = hfs(entry.name, special) || ntfs(entry.name, special);
        let named = named || special == Special::Modules && behind_backslashes(entry.name, special);
        if !named {
            continue;
        }
        match special {
            Special::Modules if is_link => {
                report.text(Message::GitmodulesSymlink, ".gitmodules is a symbolic link")?;
            }
            Special::Modules => push(&mut findings.gitmodules, entry.id),
            // The other links are infos: nothing to find in them either.
            Special::Attributes if !is_link => push(&mut findings.gitattributes, entry.id),
            _ => {}
        }
    }
    Ok(())
}

fn push(ids: &mut Vec<ObjectId>, id: ObjectId) {
    if !ids.contains(&id) {
        ids.push(id);
    }
}

/// Whether entries are in git's order and no name is there twice, from one entry to the next.
#[derive(Default)]
struct Order<'a> {
    previous: Option<(bool, &'a [u8])>,
    /// Names of files behind which a folder of the same name may still come, as `a` before `a.b` before `a/`.
    files: Vec<&'a [u8]>,
}

impl<'a> Order<'a> {
    /// The fault of this entry behind the one before.
    fn check(&mut self, is_folder: bool, name: &'a [u8]) -> Option<Message> {
        let (was_folder, previous) = self.previous.replace((is_folder, name))?;
        let common = previous.len().min(name.len());
        match previous.get(..common).cmp(&name.get(..common)) {
            std::cmp::Ordering::Less => return None,
            std::cmp::Ordering::Greater => return Some(Message::TreeNotSorted),
            std::cmp::Ordering::Equal => {}
        }
        if previous.len() == name.len() {
            return Some(Message::DuplicateEntries);
        }
        // The characters that decide: a folder's name ends in a slash, a file's in nothing.
        let next = |name: &[u8], is_folder| name.get(common).copied().unwrap_or(if is_folder { b'/' } else { 0 });
        let (before, here) = (next(previous, was_folder), next(name, is_folder));
        let sorts_before_slash = |byte| 0 < byte && byte < b'/';
        if before == 0 && sorts_before_slash(here) {
            self.files.push(previous);
        } else if here == b'/' && sorts_before_slash(before) {
            while let Some(file) = self.files.pop() {
                match name.strip_prefix(file) {
                    Some([]) => return Some(Message::DuplicateEntries),
                    Some([byte, ..]) if sorts_before_slash(*byte) => {
                        self.files.push(file);
                        break;
                    }
                    _ => {}
                }
            }
        }
        (before >= here).then_some(Message::TreeNotSorted)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Special, behind_backslashes, hfs, is_dotgit, may_be_special, ntfs};

    proptest! {
        #[test]
        fn every_name_that_means_something_is_looked_at(
            name in "[.gitmG~1-4\\\\\u{200c}\u{206f}\u{feff}/ :]{0,4}(git|gitmodules|GITMOD|gi7eba|mailmap)?[~1-9. :]{0,3}",
        ) {
            let name = name.as_bytes();
            let special = is_dotgit(name)
                || Special::FILES.into_iter().any(|special| hfs(name, special) || ntfs(name, special))
                || behind_backslashes(name, Special::Modules);
            prop_assert!(!special || may_be_special(name));
        }
    }
}
