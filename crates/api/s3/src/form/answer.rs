//! The answer to a form: nothing, a document, or where the browser goes next, as the form's fields say.

use std::collections::BTreeMap;

use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use service::Call;
use wire::shape::Binding::{Header, Payload, PrefixHeaders, Status};

use super::fields::{Field, value};
use crate::S3;
use crate::object::put::PutObjectOutput;

/// The characters that are encoded in addresses: all but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The status of an answer with a document.
const CREATED: i32 = 201;

/// The status of an answer that has nothing more to say.
const NO_CONTENT: i32 = 204;

/// The status of an answer that sends the browser elsewhere.
const SEE_OTHER: i32 = 303;

wire::output! {
    /// The document about an object that a form put.
    pub(crate) struct PostResponse {
        "Location" location: String, required;
        "Bucket" bucket: String, required;
        "Key" key: String, required;
        "ETag" e_tag: String, required;
    }
}

wire::output! {
    /// The answer to a form.
    pub(crate) struct PostObjectOutput {
        "StatusCode" status: i32, required, [Status];
        "Location" location: String, required, [Header("location")];
        "ETag" e_tag: String, required, [Header("etag")];
        "Checksums" checksums: BTreeMap<String, String>, default, [PrefixHeaders("x-amz-checksum-")];
        "Encryption" encryption: BTreeMap<String, String>, default, [PrefixHeaders("x-amz-server-side-encryption")];
        "Expiration" expiration: String, optional, [Header("x-amz-expiration")];
        "VersionId" version_id: String, optional, [Header("x-amz-version-id")];
        "PostResponse" document: PostResponse, optional, [Payload];
    }
}

/// How a form wants to be answered.
pub(crate) struct Wanted {
    status: i32,
    /// Where the browser goes next, if it goes elsewhere.
    redirect: Option<String>,
}

impl Wanted {
    /// The answer that the fields ask for. A status that forms cannot have, and an address that is none, count as not given.
    pub(super) fn of(fields: &[Field<'_>]) -> Self {
        let status = match value(fields, "success_action_status") {
            Some("200") => 200,
            Some("201") => CREATED,
            _ => NO_CONTENT,
        };
        let redirect = value(fields, "success_action_redirect").or_else(|| value(fields, "redirect"));
        let is_address = |text: &&str| {
            let uri = text.parse::<Uri>().ok();
            uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some())
        };
        Self { status, redirect: redirect.filter(is_address).map(str::to_owned) }
    }

    /// The answer about the object that was put.
    pub(super) fn answer(
        self,
        bucket: &str,
        key: String,
        put: PutObjectOutput,
        call: &Call<'_, S3>,
    ) -> PostObjectOutput {
        let PutObjectOutput { e_tag, checksums, encryption, expiration, version_id } = put;
        let encode = |text| utf8_percent_encode(text, ENCODED);
        let (status, location) = match self.redirect {
            Some(address) => {
                let join = if address.contains('?') { '&' } else { '?' };
                let query = format!("bucket={}&key={}&etag={}", encode(bucket), encode(&key), encode(&e_tag));
                (SEE_OTHER, format!("{address}{join}{query}"))
            }
            None => {
                let scheme = if call.origin.secure { "https" } else { "http" };
                let host = call.origin.host.unwrap_or_default();
                let named = host.strip_prefix(bucket).is_some_and(|rest| rest.starts_with('.'));
                let path = if named { String::new() } else { format!("{bucket}/") };
                (self.status, format!("{scheme}://{host}/{path}{}", encode(&key)))
            }
        };
        let document = (status == CREATED).then(|| PostResponse {
            location: location.clone(),
            bucket: bucket.to_owned(),
            key,
            e_tag: e_tag.clone(),
        });
        PostObjectOutput { status, location, e_tag, checksums, encryption, expiration, version_id, document }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_or_address_that_a_form_cannot_have_counts_as_not_given() {
        for (name, given, status, redirect) in [
            ("success_action_status", "200", 200, None),
            ("success_action_status", "201", 201, None),
            ("success_action_status", "404", 204, None),
            ("success_action_redirect", "https://example.com/done?x=1", 204, Some("https://example.com/done?x=1")),
            ("redirect", "http://example.com", 204, Some("http://example.com")),
            ("success_action_redirect", "javascript:alert(1)", 204, None),
            ("success_action_redirect", "/done", 204, None),
            ("success_action_redirect", "https://example.com/\r\nx: y", 204, None),
        ] {
            let wanted = Wanted::of(&[(name, given.to_owned())]);
            assert_eq!((wanted.status, wanted.redirect.as_deref()), (status, redirect), "{given:?}");
        }
    }
}
