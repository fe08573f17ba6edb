//! Requests of pages of other sites: what a browser asks before it sends one, and what it may see of the answer.
//!
//! Finds out what is asked. Which sites may is the service's to say.

use http::{HeaderMap, HeaderValue, Method, header};
use wire::Fault;

use crate::maybe_ready::BoxFuture;

/// A request of a page of another site, or its question before one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrossOrigin<'a> {
    /// The first label of the path, decoded, or the one that the host gives: a bucket's name.
    pub label: String,
    /// Whether more of the path follows.
    pub below: bool,
    /// The page's site; `None` only if a preflight does not say it.
    pub origin: Option<&'a str>,
    /// The method; `None` if a preflight does not say it.
    pub method: Option<&'a str>,
    /// The headers that the page means to send; empty but in a preflight.
    pub headers: Vec<&'a str>,
    /// Whether a browser asks before it sends the request.
    pub preflight: bool,
}

/// The headers by which a browser knows what a page may do and see, or why it may not.
pub type CrossOriginAnswer<'a> = BoxFuture<'a, Result<HeaderMap, Fault>>;

impl<'a> CrossOrigin<'a> {
    /// The question of a request; `None` for one that no page of another site makes.
    pub(crate) fn of(head: &wire::protocol::Head<'a>) -> Option<Self> {
        let preflight = head.method == Method::OPTIONS;
        let origin = head.headers.get(header::ORIGIN);
        if origin.is_none() && !preflight {
            return None;
        }
        let path = head.uri.path().trim_start_matches('/');
        let (label, below) = match (head.host_label, path.split_once('/')) {
            (Some(label), _) => (label.to_owned(), path),
            (None, Some((label, below))) => (decoded(label), below),
            (None, None) => (decoded(path), ""),
        };
        let asked = |name| head.headers.get(name).and_then(text);
        let (method, headers) = if preflight {
            let headers = asked(header::ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or_default();
            let headers = headers.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
            (asked(header::ACCESS_CONTROL_REQUEST_METHOD), headers)
        } else {
            (Some(head.method.as_str()), Vec::new())
        };
        Some(Self { label, below: !below.is_empty(), origin: origin.and_then(text), method, headers, preflight })
    }
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}

fn decoded(label: &str) -> String {
    percent_encoding::percent_decode_str(label).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: Method, target: &str, host_label: Option<&str>, fields: &[(&'static str, &str)]) -> String {
        let headers = fields
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value")));
        let (headers, uri) = (headers.collect(), target.parse().expect("a target"));
        let head = wire::protocol::Head { method: &method, uri: &uri, headers: &headers, scope: None, host_label };
        CrossOrigin::of(&head).map_or_else(String::new, |asked| {
            let CrossOrigin { label, below, origin, method, headers, preflight } = asked;
            format!("{label} {below} {origin:?} {method:?} {headers:?} {preflight}")
        })
    }

    #[test]
    fn a_preflight_says_what_a_page_means_to_do() {
        let origin = ("origin", "https://page.example");
        let (method, headers) =
            (("access-control-request-method", "PUT"), ("access-control-request-headers", "x-a, X-B,"));
        for (given, expect) in [
            (asked(Method::GET, "/photos/cat", None, &[]), ""),
            (
                asked(Method::GET, "/photos/cat", None, &[origin]),
                r#"photos true Some("https://page.example") Some("GET") [] false"#,
            ),
            (asked(Method::OPTIONS, "/photos/", None, &[]), "photos false None None [] true"),
            (
                asked(Method::OPTIONS, "/cat", Some("photos"), &[origin, method, headers]),
                r#"photos true Some("https://page.example") Some("PUT") ["x-a", "X-B"] true"#,
            ),
            (asked(Method::OPTIONS, "/ph%6Ftos", None, &[]), "photos false None None [] true"),
        ] {
            assert_eq!(given, expect);
        }
    }
}
