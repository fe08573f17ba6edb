//! AWS's published signing test suite, through the verifier and through the signer.

use serde::Deserialize;

use super::*;
use crate::sigv4::canonical::{Canonical, Headers};

#[derive(Deserialize)]
struct Vector {
    name: String,
    context: Option<Context>,
    request: String,
    header: Option<Answer>,
    query: Option<Answer>,
}

#[derive(Deserialize)]
struct Context {
    credentials: Credentials,
    expiration_in_seconds: u32,
    normalize: bool,
    region: String,
    service: String,
    sign_body: bool,
    timestamp: String,
    #[serde(default)]
    omit_session_token: bool,
}

#[derive(Deserialize)]
struct Credentials {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    canonical: String,
    signature: Option<String>,
    signed: Option<String>,
}

impl Context {
    fn rules(&self) -> Rules {
        let path = if self.normalize { PathForm::Normalized } else { PathForm::Unnormalized };
        Rules { path, ..Rules::STANDARD }
    }

    fn now(&self) -> Timestamp {
        Timestamp::parse_rfc3339(&self.timestamp).expect("a timestamp")
    }

    fn signer(&self) -> Signer<'_> {
        Signer {
            access_key_id: &self.credentials.access_key_id,
            secret_access_key: self.credentials.secret_access_key.as_bytes(),
            session_token: self.credentials.token.as_deref().filter(|_| !self.omit_session_token),
            region: &self.region,
            service: &self.service,
            rules: self.rules(),
        }
    }
}

fn vectors() -> Vec<Vector> {
    let vectors: Vec<Vector> =
        serde_json::from_str(include_str!("../../../tests/vectors/sigv4.json")).expect("the vectors");
    assert_eq!(vectors.len(), 40);
    vectors
}

/// Reads a request as the suite writes it: with raw spaces in the target and folded header lines.
fn parse(text: &str) -> Request {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let unfolded = head.replace("\n ", " ");
    let mut lines = unfolded.lines();
    let line = lines.next().expect("a request line").strip_suffix(" HTTP/1.1").expect("HTTP/1.1");
    let (method, target) = line.split_once(' ').expect("a method and a target");
    let headers: Vec<(&str, &str)> =
        lines.map(|line| line.split_once(':').expect("a header")).map(|(name, value)| (name, value.trim())).collect();
    Request::new(method, target, &headers, body.as_bytes())
}

#[test]
fn every_signed_request_verifies_and_no_other_secret_does() {
    for vector in vectors() {
        let Some(context) = &vector.context else { continue };
        for answer in [&vector.header, &vector.query].into_iter().flatten() {
            let mut request = parse(answer.signed.as_deref().expect("a signed request"));
            let rules = context.rules();
            if context.omit_session_token {
                // The suite adds this token after signing. Here, as in the services that the SDKs sign it for, a token
                // that the signature does not cover is refused.
                assert!(request.verify(rules, context.now()).is_err(), "{}", vector.name);
                request.headers.remove("x-amz-security-token");
                request.query = without_token(&request.query);
            }
            assert_eq!(request.verify(rules, context.now()), Ok(()), "{}", vector.name);

            let parts = request.parts();
            let authorization = Authorization::parse(&parts).expect("an authorization");
            let key = SigningKey::derive(b"another secret", "20150830", &context.region, &context.service);
            let verdict = authorization.verify(&parts, Payload::Body(&request.body), &key, rules, context.now());
            assert_eq!(verdict, Err(SigV4Error::Signature), "{}", vector.name);

            assert_eq!(authorization.access_key_id(), context.credentials.access_key_id);
            assert_eq!(
                [authorization.date(), authorization.region(), authorization.service()],
                ["20150830", "us-east-1", "service"]
            );
            assert_eq!(authorization.time(), context.now());
            if !context.omit_session_token {
                assert_eq!(authorization.session_token(), context.credentials.token.as_deref(), "{}", vector.name);
            }
        }
    }
}

fn without_token(query: &str) -> String {
    query.split('&').filter(|pair| !pair.starts_with("X-Amz-Security-Token=")).collect::<Vec<_>>().join("&")
}

#[test]
fn the_canonical_requests_are_the_published_ones() {
    for vector in vectors() {
        let Some(context) = &vector.context else {
            // The older cases: only their canonical path is consistent with their request.
            let request = parse(&vector.request);
            let expected = vector.header.expect("a canonical request").canonical;
            assert_eq!(
                canonical(&request, PathForm::Normalized, false, "host", "").lines().nth(1),
                expected.lines().nth(1),
                "{}",
                vector.name
            );
            continue;
        };
        for (answer, presigned) in [(&vector.header, false), (&vector.query, true)] {
            let answer = answer.as_ref().expect("an answer");
            let mut request = parse(answer.signed.as_deref().expect("a signed request"));
            if context.omit_session_token {
                request.query = without_token(&request.query);
            }
            let mut last = answer.canonical.lines().rev();
            let payload = last.next().expect("a payload line");
            let signed_headers = last.next().expect("a line of signed headers");
            assert_eq!(
                canonical(&request, context.rules().path, presigned, signed_headers, payload),
                answer.canonical,
                "{}",
                vector.name
            );
        }
    }
}

fn canonical(request: &Request, path: PathForm, presigned: bool, signed_headers: &str, payload: &str) -> String {
    let (parts, headers) = (request.parts(), Headers::of(&request.headers));
    let text =
        Canonical { parts: &parts, headers: &headers, path, presigned, signed_headers, payload: payload.as_bytes() }
            .write();
    String::from_utf8(text.ok().expect("every header is there")).expect("UTF-8")
}

#[test]
fn the_signer_arrives_at_the_published_signatures() {
    for vector in vectors() {
        let Some(context) = &vector.context else { continue };
        let [header, query] = [vector.header.expect("an answer"), vector.query.expect("an answer")];

        let mut request = parse(&vector.request);
        // One case escapes a space in the request that its answers were made without.
        request.path = parse(header.signed.as_deref().expect("a signed request")).path;
        let presigned = context
            .signer()
            .presign(&request.parts(), Payload::Body(&request.body), context.now(), context.expiration_in_seconds)
            .expect("presigned");
        let mut expected = parse(&query.signed.expect("a signed request")).query;
        if context.omit_session_token {
            expected = without_token(&expected);
        }
        assert_eq!(presigned, expected, "{}", vector.name);

        if context.sign_body {
            let hash = crypto::hex::encode(&crypto::sha256(&request.body));
            request.headers.insert(&CONTENT_HASH, HeaderValue::from_str(&hash).expect("a header value"));
        }
        let added =
            context.signer().sign(&request.parts(), Payload::Body(&request.body), context.now()).expect("signed");
        let authorization = added["authorization"].to_str().expect("text");
        assert!(authorization.ends_with(&header.signature.expect("a signature")), "{}", vector.name);
        request.add(&added);
        let expected = parse(&header.signed.expect("a signed request"));
        assert_eq!(request.headers["authorization"], expected.headers["authorization"], "{}", vector.name);
    }
}
