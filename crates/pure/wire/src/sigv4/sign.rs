//! Signing as a client does: for the command line, the load generator and the tests.

use crypto::hex;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::canonical::{self, Canonical, Headers, encode};
use super::{
    ALGORITHM, CONTENT_HASH, DATE, EXPIRY_SECONDS_MAX, Payload, RequestParts, Rules, SigningKey, TERMINATOR, TOKEN,
    UNSIGNED_PAYLOAD,
};
use crate::Timestamp;

/// Headers that proxies and HTTP libraries change on the way, so that no client signs them.
const UNSIGNED_HEADERS: [&str; 9] = [
    "authorization",
    "connection",
    "expect",
    "keep-alive",
    "te",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-amzn-trace-id",
];

/// The request cannot be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// There is neither a `Host` header nor an authority.
    #[error("the request has no host")]
    Host,
    /// A credential has characters that a header cannot carry.
    #[error("the credentials cannot be sent in a header")]
    Credentials,
    /// The expiry is not between a second and seven days.
    #[error("a presigned request is valid for 1 to 604800 seconds")]
    Expiry,
    /// [`Payload::Stated`] for a service that hashes the body itself.
    #[error("the service signs the body itself")]
    Payload,
}

/// Someone who signs requests to one service in one region.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// The access key's id.
    pub access_key_id: &'a str,
    /// The access key's secret.
    pub secret_access_key: &'a [u8],
    /// The session's token, for temporary credentials.
    pub session_token: Option<&'a str>,
    /// The region of the scope.
    pub region: &'a str,
    /// The service's signing name.
    pub service: &'a str,
    /// The service's rules for signatures.
    pub rules: Rules,
}

impl Signer<'_> {
    /// The headers that sign the request: they replace any of the same name.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn sign(
        &self,
        parts: &RequestParts<'_>,
        payload: Payload<'_>,
        time: Timestamp,
    ) -> Result<HeaderMap, SignError> {
        let RequestParts { method, path, query, headers, host } = *parts;
        let (mut headers, payload) = (headers.clone(), self.payload_text(headers, payload)?);
        let time = time.amz_date();
        self.add(&self.key(&time), (method, path, query, host), &mut headers, &payload, &time)?;
        let token = self.session_token.map(|_| &TOKEN);
        let hash = self.rules.stated_payload.then_some(&CONTENT_HASH);
        let added = [Some(&DATE), token, hash, Some(&http::header::AUTHORIZATION)].into_iter().flatten();
        Ok(added.filter_map(|name| Some((name.clone(), headers.remove(name)?))).collect())
    }

    /// Signs a request with the signing key of these credentials, scope and day, which somebody kept: adds headers to
    /// those of the request, `Host` among them. `query` is as in [`RequestParts`].
    ///
    /// # Errors
    /// [`SignError`].
    pub fn sign_with(
        &self,
        key: &SigningKey,
        (method, path, query): (&str, &str, &str),
        headers: &mut HeaderMap,
        payload: Payload<'_>,
        time: Timestamp,
    ) -> Result<(), SignError> {
        let payload = self.payload_text(headers, payload)?;
        self.add(key, (method, path, query, None), headers, &payload, &time.amz_date())
    }

    /// Adds the headers that sign a request to `headers`, which are the request's.
    fn add(
        &self,
        key: &SigningKey,
        (method, path, query, host): (&str, &str, &str, Option<&str>),
        headers: &mut HeaderMap,
        payload: &str,
        time: &str,
    ) -> Result<(), SignError> {
        let value = |text: &str| HeaderValue::from_str(text).map_err(|_| SignError::Credentials);
        headers.insert(&DATE, value(time)?);
        if let Some(token) = self.session_token {
            headers.insert(&TOKEN, value(token)?);
        }
        if self.rules.stated_payload {
            headers.insert(&CONTENT_HASH, value(payload)?);
        }
        let parts = RequestParts { method, path, query, headers, host };
        let signed_headers = signed_headers(&parts)?;
        let signature = self.signature(key, &parts, (false, &signed_headers), payload, time)?;
        let credential = self.credential(time);
        let mut authorization = value(&format!(
            "{ALGORITHM} Credential={credential}, SignedHeaders={signed_headers}, Signature={signature}"
        ))?;
        authorization.set_sensitive(true);
        headers.insert(http::header::AUTHORIZATION, authorization);
        Ok(())
    }

    /// The query that presigns the request: `parts.query` with the authorization and the signature appended.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn presign(
        &self,
        parts: &RequestParts<'_>,
        payload: Payload<'_>,
        time: Timestamp,
        expires_seconds: u32,
    ) -> Result<String, SignError> {
        if !(1..=EXPIRY_SECONDS_MAX).contains(&expires_seconds) {
            return Err(SignError::Expiry);
        }
        let time_text = time.amz_date();
        let payload = if self.rules.stated_payload {
            UNSIGNED_PAYLOAD.to_owned()
        } else {
            self.payload_text(parts.headers, payload)?
        };
        let signed_headers = signed_headers(parts)?;
        let mut query = parts.query.to_owned();
        let expires = expires_seconds.to_string();
        let credential = self.credential(&time_text);
        for (name, value) in [
            ("X-Amz-Algorithm", Some(ALGORITHM)),
            ("X-Amz-Credential", Some(credential.as_str())),
            ("X-Amz-Date", Some(&time_text)),
            ("X-Amz-SignedHeaders", Some(&signed_headers)),
            ("X-Amz-Expires", Some(&expires)),
            ("X-Amz-Security-Token", self.session_token),
        ] {
            if let Some(value) = value {
                push_parameter(name, value, &mut query);
            }
        }
        let presigned = RequestParts { query: &query, ..*parts };
        let key = self.key(&time_text);
        let signature = self.signature(&key, &presigned, (true, &signed_headers), &payload, &time_text)?;
        push_parameter("X-Amz-Signature", &signature, &mut query);
        Ok(query)
    }

    fn credential(&self, time: &str) -> String {
        format!("{}/{}", self.access_key_id, self.scope(time))
    }

    fn scope(&self, time: &str) -> String {
        format!("{}/{}/{}/{TERMINATOR}", day(time), self.region, self.service)
    }

    fn payload_text(&self, headers: &HeaderMap, payload: Payload<'_>) -> Result<String, SignError> {
        let hash = match payload {
            Payload::Body(body) => crypto::sha256(body),
            Payload::Hash(hash) => hash,
            Payload::Stated if self.rules.stated_payload => {
                let stated = headers.get(&CONTENT_HASH).and_then(|value| value.to_str().ok());
                return Ok(stated.unwrap_or(UNSIGNED_PAYLOAD).to_owned());
            }
            Payload::Stated => return Err(SignError::Payload),
        };
        Ok(hex::encode(&hash))
    }

    fn key(&self, time: &str) -> SigningKey {
        SigningKey::derive(self.secret_access_key, day(time), self.region, self.service)
    }

    fn signature(
        &self,
        key: &SigningKey,
        parts: &RequestParts<'_>,
        (presigned, signed_headers): (bool, &str),
        payload: &str,
        time: &str,
    ) -> Result<String, SignError> {
        let canonical = Canonical {
            parts,
            headers: &Headers::of(parts.headers),
            path: self.rules.path,
            presigned,
            signed_headers,
            payload: payload.as_bytes(),
        }
        .write()
        .map_err(|_| SignError::Host)?;
        Ok(hex::encode(&canonical::signature(key, time.as_bytes(), &self.scope(time), canonical)))
    }
}

/// The names of the headers to sign, sorted and joined.
fn signed_headers(parts: &RequestParts<'_>) -> Result<String, SignError> {
    let mut names: Vec<&str> =
        parts.headers.keys().map(HeaderName::as_str).filter(|name| !UNSIGNED_HEADERS.contains(name)).collect();
    if !names.contains(&"host") {
        parts.host.ok_or(SignError::Host)?;
        names.push("host");
    }
    names.sort_unstable();
    Ok(names.join(";"))
}

fn push_parameter(name: &str, value: &str, query: &mut String) {
    let mut encoded = Vec::with_capacity(value.len() * 3);
    encode(value.as_bytes(), false, &mut encoded);
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(name);
    query.push('=');
    query.push_str(&String::from_utf8_lossy(&encoded));
}

fn day(time: &str) -> &str {
    time.get(..8).unwrap_or_default()
}
