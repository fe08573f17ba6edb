//! Tags: their rules, how those of an entity change, and the condition keys that they make.

use policy::Context;
use serde::{Deserialize, Serialize};
use service::Need;
use wire::shape::Rule;

use crate::values::error::{IamError, Quota, Result};
use crate::values::kind::Kind;

/// How many tags an entity can have, and how many one call can name.
const TAGS_MAX: usize = 50;

/// The rule of a list of tags.
pub(crate) const LIST: Rule = Rule::Length(0, TAGS_MAX);

/// The rule of each tag key in a list of them.
pub(crate) const EACH_KEY: Rule = Rule::Each(&[Rule::Length(1, 128)]);

/// A tag as records keep it and answers carry it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

wire::shape! {
    /// A tag as a caller gives it.
    pub struct TagInput {
        "Key" key: String, required, [Rule::Length(1, 128)];
        "Value" value: String, required, [Rule::Length(0, 256)];
    }
}

/// Whether a new tag replaces an old one: users and roles ignore letter case, policies do not.
fn same(kind: Kind, a: &str, b: &str) -> bool {
    match kind {
        Kind::Policy => a == b,
        Kind::User | Kind::Group | Kind::Role | Kind::InstanceProfile => a.eq_ignore_ascii_case(b),
    }
}

/// AWS's words for users, roles and sessions. Here they hold for everything that has tags: condition keys such as
/// `aws:ResourceTag/Team` ignore letter case, so whoever may not change `Team` could add `team`.
pub(crate) const DUPLICATE: &str = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";

/// The tags of something new.
///
/// # Errors
/// `ValidationError`, `InvalidInput`.
pub(crate) fn checked(given: &[TagInput]) -> Result<Vec<Tag>> {
    let mut tags: Vec<Tag> = Vec::with_capacity(given.len());
    for (index, TagInput { key, value }) in given.iter().enumerate() {
        check_letters(key, '+', || format!("tags.{}.member.key", index + 1))?;
        check_letters(value, '*', || format!("tags.{}.member.value", index + 1))?;
        check_prefix(key)?;
        if tags.iter().any(|tag| tag.key.eq_ignore_ascii_case(key)) {
            return Err(IamError::InvalidInput(DUPLICATE));
        }
        tags.push(Tag { key: key.clone(), value: value.clone() });
    }
    sort(&mut tags);
    Ok(tags)
}

/// Adds tags, replacing those of the same key.
///
/// # Errors
/// `InvalidInput`, `LimitExceeded`.
pub(crate) fn add(kind: Kind, tags: &mut Vec<Tag>, new: Vec<Tag>) -> Result<()> {
    tags.retain(|tag| !new.iter().any(|new| same(kind, &tag.key, &new.key)));
    if tags.iter().any(|tag| new.iter().any(|new| tag.key.eq_ignore_ascii_case(&new.key))) {
        return Err(IamError::InvalidInput(DUPLICATE));
    }
    tags.extend(new);
    if tags.len() > TAGS_MAX {
        return Err(IamError::LimitExceeded(Quota::Tags));
    }
    sort(tags);
    Ok(())
}

/// Takes tags away.
///
/// # Errors
/// `ValidationError`, `InvalidInput`.
pub(crate) fn remove(kind: Kind, tags: &mut Vec<Tag>, keys: &[String]) -> Result<()> {
    for key in keys {
        check_letters(key, '+', || "tagKeys".to_owned())?;
        check_prefix(key)?;
    }
    tags.retain(|tag| !keys.iter().any(|key| same(kind, &tag.key, key)));
    Ok(())
}

fn sort(tags: &mut [Tag]) {
    tags.sort_by(|a, b| a.key.cmp(&b.key));
}

/// Letters, separators and digits of any script, and `_.:/=+-@`. The engine that checks the other patterns knows no
/// Unicode classes.
fn check_letters(text: &str, repeat: char, path: impl FnOnce() -> String) -> Result<()> {
    let allowed = |letter: char| {
        letter.is_alphanumeric() || (letter.is_whitespace() && !letter.is_control()) || "_.:/=+-@".contains(letter)
    };
    if text.chars().all(allowed) {
        return Ok(());
    }
    Err(IamError::Validation(format!(
        r"1 validation error detected: Value at '{}' failed to satisfy constraint: Member must satisfy regular expression pattern: [\p{{L}}\p{{Z}}\p{{N}}_.:/=+\-@]{repeat}",
        path()
    )))
}

fn check_prefix(key: &str) -> Result<()> {
    if key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
        return Err(IamError::InvalidInput("Caller is an end user and not allowed to mutate system tags"));
    }
    Ok(())
}

/// The condition keys for the tags that the resource has.
pub(crate) fn on_resource<'n>(need: Need<'n>, tags: &[Tag]) -> Need<'n> {
    let pairs = || tags.iter().map(|tag| (&tag.key, tag.value.clone()));
    need.with_named("aws:ResourceTag/", pairs()).with_named("iam:ResourceTag/", pairs())
}

/// The condition keys for the tags that the request gives.
pub(crate) fn in_request<'n>(need: Need<'n>, tags: &[TagInput]) -> Need<'n> {
    in_request_on(need, &[], tags)
}

/// The same for a request that changes the tags of something. See [`keys_in_request`].
pub(crate) fn in_request_on<'n>(need: Need<'n>, own: &[Tag], tags: &[TagInput]) -> Need<'n> {
    let need = need.with_named("aws:RequestTag/", tags.iter().map(|tag| (&tag.key, tag.value.clone())));
    keys_in_request(need, own, tags.iter().map(|tag| &tag.key))
}

/// The condition keys for the tags of who calls.
pub(crate) fn on_principal(context: &mut Context<'static>, tags: &[Tag]) {
    context.insert_named("aws:PrincipalTag/", tags.iter().map(|tag| (&tag.key, tag.value.clone())));
}

/// The condition key for the tag keys that the request names: as it spells them, and as those are spelled that they
/// replace or take away. Otherwise whoever may not touch `Team` would change it as `team`.
pub(crate) fn keys_in_request<'a, 'n>(
    need: Need<'n>,
    own: &'a [Tag],
    keys: impl Iterator<Item = &'a String> + Clone,
) -> Need<'n> {
    let meant = |tag: &&Tag| keys.clone().any(|key| *key != tag.key && key.eq_ignore_ascii_case(&tag.key));
    let own: Vec<_> = own.iter().filter(meant).map(|tag| &tag.key).collect();
    need.with_many("aws:TagKeys", keys.chain(own).cloned())
}
