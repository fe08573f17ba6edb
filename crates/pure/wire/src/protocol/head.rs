//! A request's head, and the parts of it that protocols are recognised by.

use http::{HeaderMap, HeaderName, Method, Uri, header};

use super::rest_xml::Matched;

/// A request without its body.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its target as sent: path and query, raw.
    pub uri: &'a Uri,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// The service in its credential scope, if it is signed.
    pub scope: Option<&'a str>,
    /// The value of the path's first label when the host gives it, such as the bucket of `BUCKET.s3.example`.
    pub host_label: Option<&'a str>,
}

/// The operation that a claimed request asks for, as far as its head names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim<'a> {
    /// The operation of this name, if there is one.
    Operation(&'a str),
    /// The operation that the form's `Action` names: [`query::action`](crate::query::action) finds it.
    Form,
    /// The operation of this route.
    Route(Matched),
    /// No operation: the service has none at this method and path.
    Nowhere,
}

static TARGET: HeaderName = HeaderName::from_static("x-amz-target");
static SMITHY_PROTOCOL: HeaderName = HeaderName::from_static("smithy-protocol");

impl<'a> Head<'a> {
    /// The query, raw and without its question mark.
    #[must_use]
    pub fn query(&self) -> &'a str {
        self.uri.query().unwrap_or_default()
    }

    /// The prefix and the operation of `X-Amz-Target`; `Some(None)` if that is malformed.
    pub(super) fn target(&self) -> Option<Option<(&'a str, &'a str)>> {
        self.headers.get(&TARGET).map(|target| target.to_str().ok().and_then(split_target))
    }

    /// Whether it speaks Smithy RPC v2 CBOR.
    pub(super) fn is_cbor(&self) -> bool {
        self.headers.get(&SMITHY_PROTOCOL).is_some_and(|name| name == super::cbor::NAME)
    }

    /// Whether a header names a protocol that claims by header.
    #[must_use]
    pub fn names_protocol(&self) -> bool {
        self.headers.contains_key(&SMITHY_PROTOCOL) || self.headers.contains_key(&TARGET)
    }

    pub(super) fn is_signed(&self) -> bool {
        self.headers.contains_key(header::AUTHORIZATION)
    }

    /// Whether the parameters are those of the query protocol: a form, or a query string that names an action.
    pub(super) fn is_form(&self) -> bool {
        if self.method == Method::POST {
            let kind = self.headers.get(header::CONTENT_TYPE).map(http::HeaderValue::as_bytes).unwrap_or_default();
            return kind.get(..FORM.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(FORM));
        }
        self.query().split('&').any(|pair| pair.starts_with("Action="))
    }
}

/// The content type of a form.
const FORM: &[u8] = b"application/x-www-form-urlencoded";

/// A service's prefix and the name of its operation. The name is short: its letters are looked at from the end.
fn split_target(target: &str) -> Option<(&str, &str)> {
    let dot = target.bytes().rposition(|byte| byte == b'.')?;
    Some((target.get(..dot)?, target.get(dot + 1..)?)).filter(|(prefix, name)| !prefix.is_empty() && !name.is_empty())
}
