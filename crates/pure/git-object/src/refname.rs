//! Names of references and of branches.
//!
//! Owns git's rules for names, and apart from them those of CodeCommit. Refuses to know which references exist.
//!
//! Sources: git-check-ref-format; AWS CodeCommit User Guide, "Quotas".

/// The fault of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// A part between slashes is empty: a slash at an end, or two in a row.
    #[error("a part of the name is empty")]
    Empty,
    /// A control character, a space or one of `~^:?*[\`.
    #[error("the name has a character that no reference's has")]
    Character,
    /// `..` or `@{`, which mean something in revisions, or `@` alone.
    #[error("the name has \"..\" or \"@{{\", or is \"@\"")]
    Sequence,
    /// A part begins with a dot or ends with `.lock`, or the name ends with a dot.
    #[error("a part of the name begins with a dot or ends with \".lock\", or the name ends with a dot")]
    Ends,
    /// One part where two are needed.
    #[error("the name has no slash")]
    OneLevel,
    /// It does not begin with `refs/`.
    #[error("the name does not begin with \"refs/\"")]
    OutsideRefs,
    /// A branch that would be taken for an option, for `HEAD` or for a commit's id.
    #[error("the name would be taken for an option, for HEAD or for a commit id")]
    Ambiguous,
    /// More characters than CodeCommit takes.
    #[error("the name is longer than {BRANCH_CHARACTERS_MAX} characters")]
    Long,
}

/// Characters of the longest name that a branch may have in CodeCommit.
pub const BRANCH_CHARACTERS_MAX: usize = 256;

/// Checks a name as `git check-ref-format NAME` does.
///
/// # Errors
/// The first rule that it breaks.
pub fn check(name: &[u8]) -> Result<(), NameError> {
    check_parts(name)?;
    if name.contains(&b'/') { Ok(()) } else { Err(NameError::OneLevel) }
}

/// Checks a name of one part or more, as `git check-ref-format --allow-onelevel NAME` does.
///
/// # Errors
/// The first rule that it breaks.
pub fn check_parts(name: &[u8]) -> Result<(), NameError> {
    if name == b"@" {
        return Err(NameError::Sequence);
    }
    for part in name.split(|byte| *byte == b'/') {
        if part.is_empty() {
            return Err(NameError::Empty);
        }
        let mut last = 0;
        for byte in part {
            match byte {
                0..=b' ' | 0x7f | b'~' | b'^' | b':' | b'?' | b'*' | b'[' | b'\\' => return Err(NameError::Character),
                b'.' if last == b'.' => return Err(NameError::Sequence),
                b'{' if last == b'@' => return Err(NameError::Sequence),
                _ => last = *byte,
            }
        }
        if part.starts_with(b".") || part.ends_with(b".lock") {
            return Err(NameError::Ends);
        }
    }
    if name.ends_with(b".") { Err(NameError::Ends) } else { Ok(()) }
}

/// Checks the name of a reference that a push creates or moves: `refs/`, and two valid parts or more behind it. A push that
/// deletes one may name a single part.
///
/// # Errors
/// The first rule that it breaks; git calls any of them "funny refname".
pub fn check_pushed(name: &[u8], deletes: bool) -> Result<(), NameError> {
    let short = name.strip_prefix(b"refs/").ok_or(NameError::OutsideRefs)?;
    if deletes { check_parts(short) } else { check(short) }
}

/// Checks the short name of a branch as `git branch` does.
///
/// # Errors
/// The first rule that it breaks.
pub fn check_branch(name: &[u8]) -> Result<(), NameError> {
    check_parts(name)?;
    if name.starts_with(b"-") || name == b"HEAD" { Err(NameError::Ambiguous) } else { Ok(()) }
}

/// Checks the short name of a branch by CodeCommit's limits, after git's rules.
///
/// # Errors
/// The first rule that it breaks.
pub fn check_codecommit_branch(name: &str) -> Result<(), NameError> {
    check_branch(name.as_bytes())?;
    if name.chars().count() > BRANCH_CHARACTERS_MAX {
        return Err(NameError::Long);
    }
    // The ids of both formats.
    let is_id = matches!(name.len(), 40 | 64) && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id { Err(NameError::Ambiguous) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::{check_codecommit_branch, check_pushed};

    #[test]
    fn a_push_names_references_in_full() {
        assert!(check_pushed(b"refs/heads/main", false).is_ok());
        assert!(check_pushed(b"HEAD", false).is_err());
        assert!(check_pushed(b"refs/x", false).is_err());
        assert!(check_pushed(b"refs/x", true).is_ok());
        assert!(check_pushed(b"heads/main", false).is_err());
    }

    #[test]
    fn codecommit_takes_no_id_and_no_long_name() {
        assert!(check_codecommit_branch(&"a".repeat(40)).is_err());
        assert!(check_codecommit_branch(&"0".repeat(64)).is_err());
        assert!(check_codecommit_branch(&"g".repeat(40)).is_ok());
        assert!(check_codecommit_branch(&"é".repeat(256)).is_ok());
        assert!(check_codecommit_branch(&"g".repeat(257)).is_err());
    }
}
