//! The fields of a form: the name of the file in their values, the policy over them, and the object that they describe.

use std::ops::RangeInclusive;

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use wire::form::{Fields, FormPolicy};
use wire::protocol::{Claim, Head, Matched, Route, decode, decode_request};
use wire::shape::Binding::Payload;
use wire::{Fault, Timestamp};

use crate::configuration::tagging::Tagging;
use crate::error::{PROTOCOL, Refusal, S3Error};
use crate::object::put::{CONTENT_BYTES_MAX, PutObjectInput};
use crate::routes::ROUTES;

/// The variable that stands for the file's name.
const FILE_NAME: &str = "${filename}";

/// Fields whose values are signed text or a signature, in which nothing is replaced.
const VERBATIM: [&str; 2] = ["policy", "x-amz-signature"];

/// Headers of `PutObject` that have fields of another name in forms.
const RENAMED: [&str; 2] = ["x-amz-acl", "x-amz-tagging"];

wire::shape! {
    /// The field `tagging`.
    pub(super) struct TaggingField {
        "Tagging" tagging: Tagging, required, [], [Payload];
    }
}

/// A field's name in lower case and its value.
pub(super) type Field<'a> = (&'a str, String);

/// The value of a field.
pub(super) fn value<'a>(fields: &'a [Field<'_>], name: &str) -> Option<&'a str> {
    fields.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

/// The fields with the file's name where their values ask for it: without the path that some browsers send.
pub(super) fn expanded(fields: &Fields) -> Vec<Field<'_>> {
    let sent = fields.file_name.as_deref().unwrap_or_default();
    let file_name = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    let expand = |name: &str, value: &str| match VERBATIM.contains(&name) {
        true => value.to_owned(),
        false => value.replace(FILE_NAME, file_name),
    };
    fields.iter().map(|(name, value)| (name, expand(name, value))).collect()
}

/// Checks the fields by the form's policy. Yields the bounds on the file's size in bytes. A form without a policy is nobody's,
/// who may do what the bucket's policy allows everybody.
///
/// # Errors
/// [`S3Error::Form`].
pub(super) fn check_policy(bucket: &str, fields: &[Field<'_>], now: Timestamp) -> Result<RangeInclusive<u64>, S3Error> {
    let Some(policy) = value(fields, "policy") else { return Ok(0..=CONTENT_BYTES_MAX) };
    let policy = FormPolicy::parse(policy)?;
    let pairs: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    policy.check(bucket, &pairs, now)?;
    Ok(policy.size().cloned().unwrap_or(0..=CONTENT_BYTES_MAX))
}

/// The object that the fields describe: as the headers of `PutObject` of the same names do.
///
/// # Errors
/// [`Refusal::InvalidArgument`] without a key, or with an empty one; [`S3Error::Field`].
pub(super) fn object(bucket: &str, fields: &[Field<'_>]) -> Result<PutObjectInput, S3Error> {
    let key_refused = |reason: &str| {
        let (argument, value) = ("key", String::new());
        S3Error::from(Refusal::InvalidArgument { argument, value, reason: reason.to_owned() })
    };
    let missing =
        "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.";
    let key = value(fields, "key").ok_or_else(|| key_refused(missing))?;
    if key.is_empty() {
        return Err(key_refused("User key must have a length greater than 0."));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let header = match *name {
            "acl" => "x-amz-acl",
            name if RENAMED.contains(&name) => continue,
            name => name,
        };
        // A field whose name is that of no header describes nothing.
        let Ok(header) = header.parse::<HeaderName>() else { continue };
        let refuse = |_| {
            let reason = format!("The value of the field '{name}' cannot be that of a header.");
            S3Error::Field(Fault::sender("InvalidArgument", reason).with_detail("ArgumentName", *name))
        };
        headers.append(header, HeaderValue::from_bytes(value.as_bytes()).map_err(refuse)?);
    }
    let route = route()?;
    let labels = vec![("Bucket", bucket.to_owned()), ("Key", key.to_owned())];
    let (method, uri) = (http::Method::PUT, http::Uri::from_static("/"));
    let head = Head { method: &method, uri: &uri, headers: &headers, scope: None, host_label: None };
    let claim = Claim::Route(Matched { route, labels });
    let mut object: PutObjectInput = decode_request(PROTOCOL, &head, &claim, b"").map_err(S3Error::Field)?;
    if let Some(document) = value(fields, "tagging") {
        object.tagging = Some(tagging(document)?);
    }
    Ok(object)
}

/// The route of `PutObject`.
fn route() -> Result<&'static Route, S3Error> {
    let route = ROUTES.iter().find(|route| route.operation == "PutObject");
    route.ok_or_else(|| S3Error::Damaged("PutObject has no route".to_owned()))
}

/// Tags of a document as the header `x-amz-tagging` has them.
fn tagging(document: &str) -> Result<String, S3Error> {
    let field: TaggingField = decode(PROTOCOL, document.as_bytes()).map_err(S3Error::Field)?;
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let pairs = field.tagging.tag_set.iter().map(|tag| format!("{}={}", encode(&tag.key), encode(&tag.value)));
    Ok(pairs.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&'static str, &str)]) -> Vec<Field<'static>> {
        pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    }

    #[test]
    fn the_files_name_stands_where_a_value_asks_for_it_without_its_path() {
        let pairs = [("key", "u/${filename}"), ("policy", "${filename}")];
        let owned = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut sent: Fields = owned.collect();
        for (file_name, key) in [(Some("C:\\photos\\a.png"), "u/a.png"), (Some("x/b"), "u/b"), (None, "u/")] {
            sent.file_name = file_name.map(str::to_owned);
            assert_eq!(expanded(&sent), fields(&[("key", key), ("policy", "${filename}")]));
        }
    }

    #[test]
    fn fields_describe_an_object_as_headers_do() {
        let tagging = "<Tagging><TagSet><Tag><Key>a b</Key><Value>\u{e4}</Value></Tag></TagSet></Tagging>";
        let described = [
            ("key", "dir/name"),
            ("acl", "private"),
            ("content-type", "image/png"),
            ("x-amz-meta-colour", "\u{e4}"),
            ("x-amz-tagging", "no=field"),
            ("x-amz-server-side-encryption", "aws:kms"),
            ("tagging", tagging),
        ];
        let object = object("bkt", &fields(&described)).expect("described");
        assert_eq!((&*object.bucket, &*object.key), ("bkt", "dir/name"));
        assert_eq!(object.acl.as_deref(), Some("private"));
        assert_eq!(object.content_type.as_deref(), Some("image/png"));
        assert_eq!(object.metadata.get("colour").map(String::as_str), Some("\u{e4}"));
        assert_eq!(object.server_side_encryption.as_deref(), Some("aws:kms"));
        assert_eq!(object.tagging.as_deref(), Some("a%20b=%C3%A4"));
    }

    #[test]
    fn fields_that_describe_no_object_are_refused() {
        for (name, pairs) in [
            ("InvalidArgument", &[("acl", "private")][..]),
            ("InvalidArgument", &[("key", "")]),
            ("InvalidArgument", &[("key", "a"), ("cache-control", "a\nb")]),
            ("MalformedXML", &[("key", "a"), ("tagging", "a=b")]),
        ] {
            use service::ServiceError as _;
            let refused = object("bkt", &fields(pairs)).err().expect("refused");
            assert_eq!(refused.fault().code, name, "{pairs:?}");
        }
    }
}
