//! Names that a file system takes for `.git` and for the files that git reads.
//!
//! Owns how HFS+ and NTFS match names. Refuses to know trees.
//!
//! Sources: Apple TN1150, "Case-insensitive string comparison"; Microsoft, "Naming files, paths, and namespaces" (trailing
//! dots and spaces, streams, short names); git's advisories for CVE-2014-9390, CVE-2019-1352 and CVE-2019-1353.

/// A name that means something to git.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// `.git`
    Git,
    /// `.gitmodules`
    Modules,
    /// `.gitattributes`
    Attributes,
    /// `.gitignore`
    Ignore,
    /// `.mailmap`
    Mailmap,
}

impl Special {
    /// All but `.git`.
    pub(super) const FILES: [Self; 4] = [Self::Modules, Self::Attributes, Self::Ignore, Self::Mailmap];

    /// The name behind the dot.
    const fn name(self) -> &'static [u8] {
        match self {
            Self::Git => b"git",
            Self::Modules => b"gitmodules",
            Self::Attributes => b"gitattributes",
            Self::Ignore => b"gitignore",
            Self::Mailmap => b"mailmap",
        }
    }

    /// The start of Windows' short name when those that are easy to guess are taken: two characters and a hash of
    /// the name.
    const fn hashed(self) -> &'static [u8] {
        match self {
            Self::Git => b"",
            Self::Modules => b"gi7eba",
            Self::Attributes => b"gi7d29",
            Self::Ignore => b"gi250a",
            Self::Mailmap => b"maba30",
        }
    }
}

/// Code points that HFS+ leaves out when it compares names.
const fn is_ignored(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

/// Whether HFS+ takes `name`, or its part before the first slash, for `special`.
#[must_use]
pub fn hfs(name: &[u8], special: Special) -> bool {
    // Invalid UTF-8 ends the name: it is stored in an escaped form that is no part of any of these.
    let mut chars = name
        .utf8_chunks()
        .flat_map(|chunk| {
            let invalid = (!chunk.invalid().is_empty()).then_some(char::REPLACEMENT_CHARACTER);
            chunk.valid().chars().chain(invalid)
        })
        .filter(|c| !is_ignored(*c));
    chars.next() == Some('.')
        && special
            .name()
            .iter()
            .all(|expected| chars.next().is_some_and(|c| c.eq_ignore_ascii_case(&char::from(*expected))))
        && matches!(chars.next(), None | Some('/'))
}

/// Whether NTFS takes `name` for `special`: in any case, by a short name, with dots and spaces at its end, or with the name
/// of a stream.
#[must_use]
pub fn ntfs(name: &[u8], special: Special) -> bool {
    // A separator ends `.git` alone: the folder matters, whatever is in it.
    let is_separator = |byte: u8| special == Special::Git && matches!(byte, b'/' | b'\\');
    let ends = |rest: &[u8]| {
        let rest = rest.iter().find(|byte| !matches!(byte, b'.' | b' '));
        rest.is_none_or(|byte| *byte == b':' || is_separator(*byte))
    };
    let after = |prefix: &[u8]| {
        let (start, rest) = name.split_at_checked(prefix.len())?;
        start.eq_ignore_ascii_case(prefix).then_some(rest)
    };
    if let Some(rest) = name.strip_prefix(b".") {
        let (start, rest) = rest.split_at_checked(special.name().len()).unwrap_or((rest, &[]));
        return start.eq_ignore_ascii_case(special.name()) && ends(rest);
    }
    if special == Special::Git {
        return after(b"git~1").is_some_and(ends);
    }
    let short = special.name().get(..6).and_then(after);
    match short {
        Some([b'~', b'1'..=b'4', rest @ ..]) if ends(rest) => true,
        _ => hashed_short_name(name, special).is_some_and(ends),
    }
}

/// Bytes after a short name of eight characters: some of `hashed()`, a tilde and a number.
fn hashed_short_name(name: &[u8], special: Special) -> Option<&[u8]> {
    let (short, rest) = name.split_at_checked(8)?;
    let tilde = short.iter().position(|byte| *byte == b'~')?;
    let (start, number) = short.split_at_checked(tilde)?;
    let [b'~', b'1'..=b'9', digits @ ..] = number else { return None };
    let expected = special.hashed().get(..tilde)?;
    (start.eq_ignore_ascii_case(expected) && digits.iter().all(u8::is_ascii_digit)).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::{Special, hfs, ntfs};

    #[test]
    fn git_is_known_in_every_disguise() {
        for name in [
            ".git",
            ".GIT",
            ".gIt",
            "git~1",
            "GIT~1",
            ".git.",
            ".git ",
            ".git. .",
            ".git::$INDEX_ALLOCATION",
            ".git:x",
            "git~1:x",
            ".git\\x",
            ".git/x",
            "git~1. ./",
        ] {
            assert!(ntfs(name.as_bytes(), Special::Git), "{name}");
        }
        for name in [".git", ".g\u{200c}it", "\u{feff}.git", ".Git\u{206f}", ".git/x"] {
            assert!(hfs(name.as_bytes(), Special::Git), "{name}");
        }
        for name in ["git", ".gi", ".gitx", "git~2", ".git x", "git~12", "", ".", ".g\u{200b}it"] {
            assert!(!ntfs(name.as_bytes(), Special::Git) && !hfs(name.as_bytes(), Special::Git), "{name}");
        }
        assert!(!hfs(b".git\xff", Special::Git));
    }

    #[test]
    fn files_are_known_by_their_short_names() {
        for name in [
            ".gitmodules",
            ".GitModules . ",
            ".gitmodules:x",
            "GITMOD~1",
            "gitmod~4",
            "gi7eba~1",
            "GI7EBA~9",
            "gi7eb~10",
            "gi7e~123",
            "~1000000",
            "gitmod~1 .",
        ] {
            assert!(ntfs(name.as_bytes(), Special::Modules), "{name}");
        }
        for name in
            [".gitmodules~1", "gitmod~5", "gi7eba~0", "gi7eba~", "gitmod~1x", ".gitmodule", "gi7eba~12", "gi8eba~1"]
        {
            assert!(!ntfs(name.as_bytes(), Special::Modules), "{name}");
        }
        assert!(ntfs(b"maba30~1", Special::Mailmap) && ntfs(b"gi7d29~1", Special::Attributes));
    }
}
