//! Which pages of other sites may call a bucket, and what browsers are to know of it.
//!
//! The first rule of the bucket that fits decides. Grants nothing: whoever calls needs permission besides.
//!
//! Source: Amazon S3 User Guide, "Using cross-origin resource sharing"; Fetch Standard, "HTTP extensions".

use http::{HeaderMap, HeaderValue, header};
use service::CrossOrigin;

use crate::S3;
use crate::error::{Refusal, S3Error};
use crate::record::{BucketRecord, CorsRule};

const NOT_ENABLED: &str = "CORSResponse: CORS is not enabled for this bucket.";
const NO_BUCKET: &str = "CORSResponse: Bucket not found";
const NOT_ALLOWED: &str = "CORSResponse: This CORS request is not allowed. This is usually because the evalution of \
                           Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are \
                           not whitelisted by the resource's CORS spec.";

/// The headers by which caches distinguish answers.
static VARY: HeaderValue =
    HeaderValue::from_static("Origin, Access-Control-Request-Headers, Access-Control-Request-Method");

/// The headers of an answer to a page of another site.
///
/// # Errors
/// [`Refusal::BadRequest`] for a preflight without an origin, [`Refusal::AccessForbidden`] where no rule fits.
pub(crate) async fn answer(service: &S3, asked: &CrossOrigin<'_>) -> Result<HeaderMap, S3Error> {
    let Some(origin) = asked.origin else {
        let reason = "Insufficient information. Origin request header needed.";
        return Err(Refusal::BadRequest { reason }.into());
    };
    let forbidden = |reason, resource_type| {
        let method = asked.method.unwrap_or("OPTIONS").to_owned();
        S3Error::from(Refusal::AccessForbidden { reason, method, resource_type })
    };
    let bucket = service.records.get(BucketRecord::PARENT, &asked.label).await?;
    let bucket = bucket.ok_or_else(|| forbidden(NO_BUCKET, "BUCKET"))?;
    let rules = service.cors.get(&bucket.id, "").await?.ok_or_else(|| forbidden(NOT_ENABLED, "BUCKET"))?;
    let fit = rules.rules.iter().find_map(|rule| headers(rule, origin, asked));
    fit.ok_or_else(|| forbidden(NOT_ALLOWED, if asked.below { "OBJECT" } else { "BUCKET" }))
}

/// The headers that a rule gives, if it fits.
fn headers(rule: &CorsRule, origin: &str, asked: &CrossOrigin<'_>) -> Option<HeaderMap> {
    let allowed_origin = rule.allowed_origins.iter().find(|pattern| fits(pattern, origin))?;
    let method = asked.method?;
    rule.allowed_methods.iter().find(|allowed| *allowed == method)?;
    let asked_headers: Vec<_> = asked.headers.iter().map(|name| name.to_ascii_lowercase()).collect();
    let allowed = |name: &String| rule.allowed_headers.iter().any(|pattern| fits(&pattern.to_ascii_lowercase(), name));
    if !asked_headers.iter().all(allowed) {
        return None;
    }
    let mut headers = HeaderMap::new();
    let mut insert = |name, text: &str| {
        // What cannot stand in a header is left out: the browser refuses then.
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    };
    if allowed_origin == "*" {
        insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    } else {
        insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    }
    insert(header::ACCESS_CONTROL_ALLOW_METHODS, &rule.allowed_methods.join(", "));
    if !asked_headers.is_empty() {
        insert(header::ACCESS_CONTROL_ALLOW_HEADERS, &asked_headers.join(", "));
    }
    if !rule.expose_headers.is_empty() {
        insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, &rule.expose_headers.join(", "));
    }
    if let Some(seconds) = rule.max_age_seconds {
        insert(header::ACCESS_CONTROL_MAX_AGE, &seconds.to_string());
    }
    headers.insert(header::VARY, VARY.clone());
    Some(headers)
}

/// Whether a text fits a pattern in which one asterisk stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => text.strip_prefix(start).is_some_and(|rest| rest.ends_with(end)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(origins: &[&str], methods: &[&str], headers: &[&str]) -> CorsRule {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        CorsRule {
            id: None,
            allowed_headers: texts(headers),
            allowed_methods: texts(methods),
            allowed_origins: texts(origins),
            expose_headers: vec!["x-amz-id-2".to_owned()],
            max_age_seconds: Some(3000),
        }
    }

    fn asked<'a>(method: &'a str, headers: &[&'a str]) -> CrossOrigin<'a> {
        let (label, origin) = ("photos".to_owned(), None);
        CrossOrigin { label, below: true, origin, method: Some(method), headers: headers.to_vec(), preflight: true }
    }

    #[test]
    fn a_rule_fits_by_origin_method_and_headers() {
        let rule = rule(&["http://*.example.com", "https://one.example"], &["GET", "PUT"], &["x-amz-*", "Range"]);
        for (origin, method, names, fit) in [
            ("https://one.example", "GET", &[][..], true),
            ("http://a.example.com", "PUT", &["X-Amz-Acl", "range"][..], true),
            ("http://a.example.com/", "PUT", &[], false),
            ("https://a.example.com", "PUT", &[], false),
            ("HTTPS://one.example", "GET", &[], false),
            ("https://one.example", "DELETE", &[], false),
            ("https://one.example", "get", &[], false),
            ("https://one.example", "GET", &["authorization"], false),
        ] {
            assert_eq!(headers(&rule, origin, &asked(method, names)).is_some(), fit, "{origin} {method} {names:?}");
        }
    }

    #[test]
    fn an_answer_echoes_the_origin_unless_every_one_may() {
        let text =
            |headers: &HeaderMap, name| headers.get(name).and_then(|value| value.to_str().ok().map(str::to_owned));
        let one = headers(&rule(&["https://*"], &["GET", "PUT"], &["*"]), "https://a", &asked("GET", &["X-A", "x-b"]));
        let one = one.expect("fits");
        assert_eq!(text(&one, header::ACCESS_CONTROL_ALLOW_ORIGIN).as_deref(), Some("https://a"));
        assert_eq!(text(&one, header::ACCESS_CONTROL_ALLOW_CREDENTIALS).as_deref(), Some("true"));
        assert_eq!(text(&one, header::ACCESS_CONTROL_ALLOW_METHODS).as_deref(), Some("GET, PUT"));
        assert_eq!(text(&one, header::ACCESS_CONTROL_ALLOW_HEADERS).as_deref(), Some("x-a, x-b"));
        assert_eq!(text(&one, header::ACCESS_CONTROL_MAX_AGE).as_deref(), Some("3000"));
        assert!(one.contains_key(header::VARY));
        let any = headers(&rule(&["*"], &["GET"], &[]), "https://a", &asked("GET", &[])).expect("fits");
        assert_eq!(text(&any, header::ACCESS_CONTROL_ALLOW_ORIGIN).as_deref(), Some("*"));
        assert!(!any.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
    }

    #[test]
    fn an_asterisk_stands_for_anything_once() {
        for (pattern, text, expect) in
            [("*", "", true), ("a*b", "ab", true), ("a*a", "a", false), ("a*b", "axxb", true), ("a", "a*", false)]
        {
            assert_eq!(fits(pattern, text), expect, "{pattern} {text}");
        }
    }
}
