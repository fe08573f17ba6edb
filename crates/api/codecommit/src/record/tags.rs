//! Rules of tags.

use std::collections::BTreeMap;

use crate::error::{CodeCommitError, Refusal};

/// How many tags a repository has at most.
pub(crate) const TAGS_MAX: usize = 50;

/// Checks tags that a repository is given.
///
/// AWS takes keys that differ in letter case only. Condition keys such as `aws:ResourceTag/Team` do not distinguish
/// them, so whoever may not change the one could add the other.
///
/// # Errors
/// [`Refusal::TooManyTags`], [`Refusal::InvalidTagsMap`], [`Refusal::InvalidSystemTagUsage`].
pub(crate) fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), CodeCommitError> {
    if tags.len() > TAGS_MAX {
        return Err(Refusal::TooManyTags { most: TAGS_MAX }.into());
    }
    for (key, value) in tags {
        check_key(key)?;
        if !(1..=128).contains(&key.chars().count()) || value.chars().count() > 256 {
            return Err(Refusal::InvalidTagsMap.into());
        }
        if tags.keys().any(|other| other != key && other.eq_ignore_ascii_case(key)) {
            return Err(Refusal::InvalidTagsMap.into());
        }
    }
    Ok(())
}

/// Checks that a key is not one of AWS's own.
///
/// # Errors
/// [`Refusal::InvalidSystemTagUsage`].
pub(crate) fn check_key(key: &str) -> Result<(), CodeCommitError> {
    let reserved = key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"));
    if reserved { Err(Refusal::InvalidSystemTagUsage.into()) } else { Ok(()) }
}
