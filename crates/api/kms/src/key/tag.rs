//! Tags of keys, which policies can refer to.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use service::{AuditClass, Call, Listed, Need, Permit, ResourceOperation, Window};
use store::Tx;
use wire::shape::Rule;

use crate::Kms;
use crate::access::{Found, KeyPageInput, KeyRef};
use crate::error::{KmsError, TagFault};
use crate::record::KeyRecord;
use crate::rules::KEY_ID;

/// How many tags a key can have.
const TAGS_MAX: usize = 50;

const TAG_KEY: Rule = Rule::Length(1, 128);

wire::shape! {
    /// A tag.
    pub(crate) struct Tag {
        "TagKey" key: String, required, [TAG_KEY];
        "TagValue" value: String, required, [Rule::Length(0, 256)];
    }
}

/// Adds tags to those that a key has, replacing values.
///
/// AWS takes keys that differ in letter case only. Condition keys such as `aws:ResourceTag/Team` do not
/// distinguish them, so whoever may not change the one could add the other.
///
/// # Errors
/// [`KmsError::Tag`].
pub(crate) fn add(tags: &mut BTreeMap<String, String>, more: Vec<Tag>) -> Result<(), KmsError> {
    let mut seen = BTreeSet::new();
    for Tag { key, value } in more {
        check_key(&key)?;
        if !seen.insert(key.clone()) {
            return Err(KmsError::Tag(TagFault::Duplicate));
        }
        // Those of this request that were added already are among them.
        if tags.keys().any(|known| *known != key && known.eq_ignore_ascii_case(&key)) {
            return Err(KmsError::Tag(TagFault::DuplicateButForCase));
        }
        tags.insert(key, value);
    }
    if tags.len() > TAGS_MAX { Err(KmsError::Tag(TagFault::TooMany)) } else { Ok(()) }
}

fn check_key(key: &str) -> Result<(), KmsError> {
    let reserved = key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"));
    if reserved { Err(KmsError::Tag(TagFault::Reserved)) } else { Ok(()) }
}

/// Adds the condition keys of tags that a request gives.
pub(crate) fn describe_tags<'n>(need: Need<'n>, tags: &[Tag]) -> Need<'n> {
    let need = need.with_many("aws:TagKeys", tags.iter().map(|tag| tag.key.clone()));
    need.with_named("aws:RequestTag/", tags.iter().map(|tag| (&tag.key, tag.value.clone())))
}

wire::shape! {
    pub(crate) struct TagResourceInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "Tags" tags: Vec<Tag>, required, [];
    }
}

/// Adds tags to a key, or changes their values.
pub(crate) struct TagResource;

impl ResourceOperation for TagResource {
    type On = Found;
    const NAME: &'static str = "TagResource";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = TagResourceInput;
    type Output = ();

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::own(&input.key_id)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Found>, need: Need<'n>) -> Need<'n> {
        describe_tags(need, &input.tags)
    }

    async fn run(input: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let change = move |record: &mut KeyRecord, _: &mut Tx<'_>| add(&mut record.tags, input.tags);
        call.service.change(call, Self::NAME, &found.key, change).await
    }
}

wire::shape! {
    pub(crate) struct UntagResourceInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "TagKeys" tag_keys: Vec<String>, required, [Rule::Each(&[TAG_KEY])];
    }
}

/// Removes tags from a key.
pub(crate) struct UntagResource;

impl ResourceOperation for UntagResource {
    type On = Found;
    const NAME: &'static str = "UntagResource";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UntagResourceInput;
    type Output = ();

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::own(&input.key_id)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Found>, need: Need<'n>) -> Need<'n> {
        need.with_many("aws:TagKeys", input.tag_keys.iter().cloned())
    }

    async fn run(input: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        input.tag_keys.iter().try_for_each(|key| check_key(key))?;
        let change = move |record: &mut KeyRecord, _: &mut Tx<'_>| {
            record.tags.retain(|key, _| !input.tag_keys.contains(key));
            Ok(())
        };
        call.service.change(call, Self::NAME, &found.key, change).await
    }
}

/// A tag in an answer.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TagListEntry {
    tag_key: String,
    tag_value: String,
}

impl From<(&String, &String)> for TagListEntry {
    fn from((key, value): (&String, &String)) -> Self {
        Self { tag_key: key.clone(), tag_value: value.clone() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListResourceTagsOutput {
    tags: Vec<TagListEntry>,
    next_marker: Option<String>,
    truncated: bool,
}

/// Lists a key's tags.
pub(crate) struct ListResourceTags;

impl ResourceOperation for ListResourceTags {
    type On = Found;
    const NAME: &'static str = "ListResourceTags";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = KeyPageInput;
    type Output = ListResourceTagsOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::own(&input.key_id)
    }

    async fn run(input: Self::Input, found: &Permit<Found>, _: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let tags = Window::new(input.marker, input.limit, 50, 50).by_name(&found.key.record.tags, |(key, _)| key)?;
        let Listed { items, next } = tags.map(TagListEntry::from);
        Ok(ListResourceTagsOutput { tags: items, truncated: next.is_some(), next_marker: next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add_all(tags: &mut BTreeMap<String, String>, more: &[(&str, &str)]) -> Result<(), String> {
        let more = more.iter().map(|(key, value)| Tag { key: (*key).to_owned(), value: (*value).to_owned() });
        add(tags, more.collect()).map_err(|error| format!("{}: {error}", error.code()))
    }

    const BUT_FOR_CASE: &str = "TagException: Duplicate tag keys: keys that differ in letter case only are one key to the \
                                conditions of policies";

    #[test]
    fn a_second_key_that_differs_in_case_only_is_refused_whichever_there_is() {
        let mut tags = BTreeMap::new();
        add_all(&mut tags, &[("Team", "red")]).expect("added");
        assert_eq!(add_all(&mut tags, &[("team", "red")]), Err(BUT_FOR_CASE.to_owned()));
        add_all(&mut tags, &[("Team", "blue")]).expect("changed");
        // As an older version left it: neither can be changed until one is gone.
        tags.insert("team".to_owned(), String::new());
        assert_eq!(add_all(&mut tags, &[("Team", "red")]), Err(BUT_FOR_CASE.to_owned()));
    }

    #[test]
    fn tags_are_added_and_changed() {
        let mut tags = BTreeMap::new();
        add_all(&mut tags, &[("a", "1"), ("b", "2")]).expect("added");
        add_all(&mut tags, &[("b", "3"), ("c", "")]).expect("added");
        let expected = [("a", "1"), ("b", "3"), ("c", "")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(tags, expected.into());
    }

    #[test]
    fn tags_are_refused_as_aws_refuses_them() {
        let many: Vec<_> = (0..51).map(|number| number.to_string()).collect();
        let many: Vec<_> = many.iter().map(|key| (key.as_str(), "")).collect();
        for (more, expected) in [
            (&[("a", "1"), ("a", "2")][..], "TagException: Duplicate tag keys"),
            (&[("a", "1"), ("A", "1")], BUT_FOR_CASE),
            (&[("aws:x", "")], "TagException: Tags beginning with aws: are reserved"),
            (&[("AwS:x", "")], "TagException: Tags beginning with aws: are reserved"),
            (&many, "TagException: Too many tags"),
        ] {
            assert_eq!(add_all(&mut BTreeMap::new(), more), Err(expected.to_owned()));
        }
        let mut tags = BTreeMap::from([("x".to_owned(), String::new())]);
        assert_eq!(add_all(&mut tags, &many[..50]), Err("TagException: Too many tags".to_owned()));
        assert_eq!(add_all(&mut BTreeMap::new(), &many[..50]), Ok(()));
    }
}
