//! SigV4: what is refused and in which words, besides the published vectors and the properties.

mod properties;
mod refusals;
mod vectors;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;
use crate::Timestamp;

pub(super) const SECRET: &[u8] = b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// 2015-08-30T12:36:00Z, the time of the published vectors.
pub(super) const TIME: Timestamp = Timestamp::from_millis(1_440_938_160_000);

/// A request that owns its parts.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn new(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_bytes(name.as_bytes()).expect("a header name"),
                HeaderValue::from_bytes(value.as_bytes()).expect("a header value"),
            );
        }
        Self { method: method.into(), path: path.into(), query: query.into(), headers: map, body: body.into() }
    }

    pub(super) fn parts(&self) -> RequestParts<'_> {
        RequestParts { method: &self.method, path: &self.path, query: &self.query, headers: &self.headers, host: None }
    }

    pub(super) fn add(&mut self, headers: &HeaderMap) {
        for (name, value) in headers {
            self.headers.insert(name, value.clone());
        }
    }

    pub(super) fn verify(&self, rules: Rules, now: Timestamp) -> Result<(), SigV4Error> {
        let parts = self.parts();
        let authorization = Authorization::parse(&parts)?;
        // The secret is looked up by this id, so a changed one finds another secret or none.
        if authorization.access_key_id() != "AKIDEXAMPLE" {
            return Err(SigV4Error::UnknownAccessKey);
        }
        let key = SigningKey::derive(SECRET, authorization.date(), authorization.region(), authorization.service());
        authorization.verify(&parts, Payload::Body(&self.body), &key, rules, now)
    }
}

pub(super) fn signer(service: &str, rules: Rules) -> Signer<'_> {
    Signer {
        access_key_id: "AKIDEXAMPLE",
        secret_access_key: SECRET,
        session_token: None,
        region: "us-east-1",
        service,
        rules,
    }
}
