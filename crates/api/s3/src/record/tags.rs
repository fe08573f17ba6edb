//! Tags of buckets and of objects, and their rules.
//!
//! Source: Amazon S3 User Guide, "Categorizing your objects using tags" and "Tagging buckets".

use std::collections::BTreeMap;

use crate::error::{Refusal, S3Error};

/// How many tags a bucket has at most.
const BUCKET_TAGS_MAX: usize = 50;

/// How many tags an object has at most.
const OBJECT_TAGS_MAX: usize = 10;

wire::document! {
    /// A tag.
    pub(crate) struct Tag {
        "Key" key: String, required, [];
        "Value" value: String, required, [];
    }
}

impl Tag {
    /// Tags as documents have them.
    pub(crate) fn listed(tags: &BTreeMap<String, String>) -> Vec<Self> {
        tags.iter().map(|(key, value)| Self { key: key.clone(), value: value.clone() }).collect()
    }
}

/// The tags of a bucket, checked.
///
/// # Errors
/// [`Refusal::InvalidTag`].
pub(crate) fn tags_of_bucket(tags: &[Tag]) -> Result<BTreeMap<String, String>, S3Error> {
    if tags.len() > BUCKET_TAGS_MAX {
        let reason = "Bucket tag count cannot be greater than 50";
        return Err(Refusal::BadRequest { reason }.into());
    }
    checked(tags)
}

/// The tags of an object, checked.
///
/// # Errors
/// [`Refusal::BadRequest`], [`Refusal::InvalidTag`].
pub(crate) fn tags_of_object(tags: &[Tag]) -> Result<BTreeMap<String, String>, S3Error> {
    if tags.len() > OBJECT_TAGS_MAX {
        return Err(Refusal::BadRequest { reason: "Object tags cannot be greater than 10" }.into());
    }
    checked(tags)
}

fn checked(tags: &[Tag]) -> Result<BTreeMap<String, String>, S3Error> {
    let mut checked = BTreeMap::new();
    for Tag { key, value } in tags {
        let refuse = |reason| Err(Refusal::InvalidTag { reason, tag_key: key.clone() }.into());
        if key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:")) {
            return refuse("System tags cannot be added/updated by requester");
        }
        if !(1..=128).contains(&key.chars().count()) || !key.chars().all(is_allowed) {
            return refuse("The TagKey you have provided is invalid");
        }
        if value.chars().count() > 256 || !value.chars().all(is_allowed) {
            return refuse("The TagValue you have provided is invalid");
        }
        if checked.insert(key.clone(), value.clone()).is_some() {
            return refuse("Cannot provide multiple Tags with the same key");
        }
    }
    Ok(checked)
}

/// Whether a tag can have the character.
fn is_allowed(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, ' ' | '_' | '.' | ':' | '/' | '=' | '+' | '-' | '@')
}
