//! The parts of a request that are stored with an object: headers, metadata, tags, storage class. Knows no locks.

use std::collections::BTreeMap;

use buckets::Headers;
use percent_encoding::percent_decode_str;

use crate::error::{Refusal, S3Error};
use crate::record::{Tag, tags_of_object};

/// The most bytes that user metadata has, names and values.
const METADATA_BYTES_MAX: usize = 2048;

/// The storage classes that an object can have. All are stored alike here.
const STORAGE_CLASSES: [&str; 8] = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "GLACIER_IR",
    "DEEP_ARCHIVE",
];

/// The content type of an object whose request names none.
pub(crate) const CONTENT_TYPE: &str = "binary/octet-stream";

/// Headers without what is about the request alone.
pub(crate) fn headers(mut headers: Headers) -> Headers {
    headers.content_type.get_or_insert_with(|| CONTENT_TYPE.to_owned());
    headers.content_encoding = headers.content_encoding.and_then(|encodings| {
        let own = encodings.split(',').map(str::trim).filter(|encoding| !encoding.eq_ignore_ascii_case("aws-chunked"));
        let own: Vec<_> = own.filter(|encoding| !encoding.is_empty()).collect();
        (!own.is_empty()).then(|| own.join(", "))
    });
    headers
}

/// User metadata, checked.
///
/// # Errors
/// [`Refusal::MetadataTooLarge`].
pub(crate) fn metadata(metadata: BTreeMap<String, String>) -> Result<Vec<(String, String)>, S3Error> {
    let size = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > METADATA_BYTES_MAX {
        return Err(Refusal::MetadataTooLarge { size, most: METADATA_BYTES_MAX }.into());
    }
    Ok(metadata.into_iter().collect())
}

/// The storage class, checked; `None` for the standard one.
///
/// # Errors
/// [`Refusal::InvalidStorageClass`].
pub(crate) fn storage_class(class: Option<String>) -> Result<Option<String>, S3Error> {
    match class {
        Some(class) if !STORAGE_CLASSES.contains(&&*class) => Err(Refusal::InvalidStorageClass { class }.into()),
        class => Ok(class.filter(|class| class != "STANDARD")),
    }
}

/// The tags of the header `x-amz-tagging`: a query's parameters.
///
/// # Errors
/// [`Refusal::InvalidArgument`], [`Refusal::BadRequest`], [`Refusal::InvalidTag`].
pub(crate) fn tags(header: Option<&str>) -> Result<Vec<(String, String)>, S3Error> {
    let Some(header) = header else { return Ok(Vec::new()) };
    let refuse = || {
        let reason = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without \
                      tag name duplicates.";
        let (argument, value) = ("x-amz-tagging", header.to_owned());
        Refusal::InvalidArgument { argument, value, reason: reason.to_owned() }
    };
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| refuse())
    };
    let mut tags: Vec<Tag> = Vec::new();
    for pair in header.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (key, value) = (decode(key)?, decode(value)?);
        if tags.iter().any(|tag| tag.key == key) {
            return Err(refuse().into());
        }
        tags.push(Tag { key, value });
    }
    Ok(tags_of_object(&tags)?.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_those_of_a_query() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(tags(Some("a=b&c=%C3%A4+x&d")).unwrap(), [pair("a", "b"), pair("c", "ä x"), pair("d", "")]);
        assert_eq!(tags(None).unwrap(), []);
        for header in ["a=1&a=2", "a=%ff", &"k=v&".repeat(2), "aws:x=1"] {
            assert!(tags(Some(header)).is_err(), "{header}");
        }
        let eleven: String = (0..11).map(|number| format!("k{number}=v&")).collect();
        assert!(tags(Some(&eleven)).is_err());
    }

    #[test]
    fn what_is_about_the_transfer_is_not_stored() {
        let of = |encoding: &str| {
            headers(Headers { content_encoding: Some(encoding.to_owned()), ..Headers::default() }).content_encoding
        };
        for (value, expected) in [
            ("aws-chunked", None),
            ("", None),
            ("gzip,aws-chunked", Some("gzip")),
            ("aws-chunked,gzip", Some("gzip")),
            ("gzip", Some("gzip")),
            ("gzip, AWS-Chunked , br", Some("gzip, br")),
        ] {
            assert_eq!(of(value).as_deref(), expected, "{value}");
        }
    }
}
