//! Requests that real botocore signs and sends are accepted, and nothing that differs from them.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has to stop, saying why"
)]

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use wire::sigv4::{Authorization, Payload, RequestParts, Rules, SigV4Error, SigningKey, StatedPayload};

/// A request as `botocore_signatures.py` prints it.
#[derive(Deserialize)]
struct Recorded {
    name: String,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    head: String,
    body: String,
}

#[derive(Clone)]
struct Request {
    method: String,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Request {
    fn parse(recorded: &Recorded) -> Self {
        let head = STANDARD.decode(&recorded.head).expect("base64");
        let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let line = std::str::from_utf8(lines.next().expect("a request line")).expect("ASCII");
        let [method, target, "HTTP/1.1"] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = HeaderMap::new();
        for line in lines.filter(|line| !line.is_empty()) {
            let colon = line.iter().position(|byte| *byte == b':').expect("a header");
            let name = HeaderName::from_bytes(&line[..colon]).expect("a header name");
            headers.append(name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).expect("a header value"));
        }
        let body = STANDARD.decode(&recorded.body).expect("base64");
        Self { method: method.into(), path: path.into(), query: query.into(), headers, body }
    }

    fn parts(&self) -> RequestParts<'_> {
        RequestParts { method: &self.method, path: &self.path, query: &self.query, headers: &self.headers, host: None }
    }

    /// As a service does it that knows one access key.
    fn verify(&self, recorded: &Recorded) -> Result<(), SigV4Error> {
        let parts = self.parts();
        let authorization = Authorization::parse(&parts)?;
        if authorization.access_key_id() != recorded.access_key_id
            || authorization.session_token() != recorded.session_token.as_deref()
        {
            return Err(SigV4Error::UnknownAccessKey);
        }
        let key = SigningKey::derive(
            recorded.secret_access_key.as_bytes(),
            authorization.date(),
            authorization.region(),
            authorization.service(),
        );
        let rules =
            if recorded.name.contains("s3") || recorded.name.starts_with("S3") { Rules::S3 } else { Rules::STANDARD };
        authorization.verify(&parts, Payload::Body(&self.body), &key, rules, authorization.time())
    }

    /// Whether the signature covers the body.
    fn signs_body(&self, recorded: &Recorded) -> bool {
        let s3 = recorded.name.contains("s3") || recorded.name.starts_with("S3");
        let parts = self.parts();
        let stated = Authorization::parse(&parts).expect("signed").stated_payload();
        !s3 || matches!(stated, Ok(StatedPayload::Hash(_)))
    }
}

fn recorded() -> Vec<Recorded> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/botocore_signatures.py");
    let output = installed::Python::installed().command("python").arg(script).output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let recorded: Vec<Recorded> =
        output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(parse).collect();
    assert!(recorded.len() > 250, "only {} requests were recorded", recorded.len());
    recorded
}

fn parse(line: &[u8]) -> Recorded {
    serde_json::from_slice(line).expect("a recorded request")
}

/// Each text that differs from this one in one letter or digit, escapes left alone: their case is free.
fn mutations(text: &str) -> impl Iterator<Item = String> {
    let bytes = text.as_bytes();
    (0..bytes.len())
        .filter(move |at| bytes[*at].is_ascii_alphanumeric() && !bytes[at.saturating_sub(2)..*at].contains(&b'%'))
        .map(move |at| {
            let mut changed = bytes.to_vec();
            changed[at] = if changed[at] == b'x' { b'y' } else { b'x' };
            String::from_utf8(changed).expect("ASCII was replaced by ASCII")
        })
}

#[test]
fn what_botocore_signs_is_accepted_and_nothing_that_differs() {
    let mut refused = 0;
    for recorded in recorded() {
        let name = &recorded.name;
        let request = Request::parse(&recorded);
        assert_eq!(request.verify(&recorded), Ok(()), "{name}");

        let mut changed = Vec::new();
        // Segments that `..` resolves away are not signed.
        if name.contains("s3") || name.starts_with("S3") || !request.path.contains("..") {
            changed.extend(mutations(&request.path).map(|path| Request { path, ..request.clone() }));
        }
        changed.extend(mutations(&request.query).map(|query| Request { query, ..request.clone() }));
        let parts = request.parts();
        let authorization = Authorization::parse(&parts).expect("signed");
        let signed: BTreeSet<&str> = authorization.signed_headers().chain(["authorization"]).collect();
        for (header, value) in &request.headers {
            if !signed.contains(header.as_str()) {
                continue;
            }
            for value in value.to_str().map(mutations).into_iter().flatten() {
                let mut request = request.clone();
                request.headers.insert(header, HeaderValue::from_str(&value).expect("a header value"));
                changed.push(request);
            }
            let mut request = request.clone();
            request.headers.remove(header);
            changed.push(request);
        }
        changed.push(Request { query: format!("{}&added=1", request.query), ..request.clone() });
        changed.push(Request { method: "PATCH".into(), ..request.clone() });
        let mut added = request.clone();
        added.headers.insert("x-amz-added", HeaderValue::from_static("1"));
        changed.push(added);
        if request.signs_body(&recorded) {
            changed.push(Request { body: [&request.body[..], b"!"].concat(), ..request.clone() });
            for at in 0..request.body.len() {
                let mut request = request.clone();
                request.body[at] ^= 1;
                changed.push(request);
            }
        }
        for request in changed {
            let verdict = request.verify(&recorded);
            let Request { method, path, query, headers, .. } = &request;
            assert!(verdict.is_err(), "{name}: {method} {path}?{query} {headers:?}");
            refused += 1;
        }
    }
    assert!(refused > 10_000, "only {refused} changed requests were tried");
}
