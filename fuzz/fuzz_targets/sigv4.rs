//! Requests as they come over the wire: no panic, and nothing verifies under a key that did not sign it.
#![no_main]

use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use wire::Timestamp;
use wire::sigv4::{Authorization, Payload, RequestParts, Rules, SigningKey};

fuzz_target!(|input: (&str, &str, &str, Vec<(&str, &[u8])>, &[u8])| {
    let (method, path, query, named, body) = input;
    let mut headers = HeaderMap::new();
    for (name, value) in named.into_iter().take(64) {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    let parts = RequestParts { method, path, query, headers: &headers, host: Some("localhost") };
    let Ok(authorization) = Authorization::parse(&parts) else { return };
    let key = SigningKey::derive(
        b"a secret nobody knows",
        authorization.date(),
        authorization.region(),
        authorization.service(),
    );
    for rules in [Rules::STANDARD, Rules::S3] {
        // The clock is set to the time that the request claims, so that it is the signature that decides.
        let now: Timestamp = authorization.time();
        assert!(authorization.verify(&parts, Payload::Body(body), &key, rules, now).is_err());
    }
});
