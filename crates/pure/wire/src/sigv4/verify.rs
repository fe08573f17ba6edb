//! Whether a request is what its signer signed, and signed recently enough.

use crypto::hex;
use http::HeaderMap;
use percent_encoding::percent_decode_str;

use super::authorization::Form;
use super::canonical::{self, Canonical, Headers, names};
use super::{
    Authorization, CONTENT_HASH, MissingParameters, Payload, RequestParts, Rules, SigV4Error, SigningKey,
    UNSIGNED_PAYLOAD,
};
use crate::Timestamp;

/// The value of `x-amz-content-sha256`: the statement of a request to S3 about its body.
///
/// Source: Amazon S3 API Reference, "Signature calculations for the Authorization header".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatedPayload {
    /// The body has this SHA-256.
    Hash([u8; 32]),
    /// The body is not covered by the signature.
    Unsigned,
    /// The body comes in chunks, each with a signature that continues the request's.
    SignedChunks {
        /// Whether signed trailing headers follow.
        trailer: bool,
    },
    /// The body comes in unsigned chunks, followed by a trailing checksum.
    UnsignedChunks,
}

impl StatedPayload {
    /// The statement of a request without a signature. One that states nothing leaves the body unsigned.
    ///
    /// # Errors
    /// [`SigV4Error::PayloadForm`] for a statement that is not known, [`SigV4Error::Missing`] for signed chunks, which have
    /// no signature to continue.
    pub fn of_unsigned(headers: &HeaderMap) -> Result<Self, SigV4Error> {
        let Some(text) = headers.get(&CONTENT_HASH) else { return Ok(Self::Unsigned) };
        match text.to_str().ok().and_then(Self::parse) {
            Some(Self::SignedChunks { .. }) => Err(SigV4Error::Missing),
            Some(stated) => Ok(stated),
            None => Err(SigV4Error::PayloadForm),
        }
    }

    /// Whether the body comes in chunks.
    #[must_use]
    pub const fn is_chunked(self) -> bool {
        matches!(self, Self::SignedChunks { .. } | Self::UnsignedChunks)
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            UNSIGNED_PAYLOAD => Some(Self::Unsigned),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Some(Self::SignedChunks { trailer: false }),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Some(Self::SignedChunks { trailer: true }),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Some(Self::UnsignedChunks),
            _ => hex::decode_lower(text).map(Self::Hash),
        }
    }
}

/// Checks that a request without [`Authorization`] claims none of another kind either, so that nobody takes it for
/// anonymous who means to be somebody.
///
/// # Errors
/// [`SigV4Error::Mechanism`] for another mechanism, [`SigV4Error::Parameters`] for some of a presigned request's
/// parameters.
pub fn anonymous(headers: &HeaderMap, query: &str) -> Result<(), SigV4Error> {
    if headers.contains_key(http::header::AUTHORIZATION) {
        return Err(SigV4Error::Mechanism);
    }
    for pair in query.split('&') {
        let name = percent_decode_str(pair.split('=').next().unwrap_or_default()).decode_utf8_lossy();
        match &*name {
            "AWSAccessKeyId" => return Err(SigV4Error::Mechanism),
            "X-Amz-Algorithm" | "X-Amz-Credential" | "X-Amz-Signature" => {
                return Err(SigV4Error::Parameters(MissingParameters::EXPIRY));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a header is AWS's own, which has to be signed.
fn is_amz(name: &[u8]) -> bool {
    name.starts_with(b"x-amz-")
}

impl Authorization<'_> {
    /// Checks the time, that what must be signed is signed, the body's hash, and the signature.
    ///
    /// `key` is derived from the secret of [`access_key_id`](Self::access_key_id) for this authorization's own scope.
    /// That the scope is the one of the called service and region is for the caller to check: it knows what is called.
    ///
    /// # Errors
    /// The first check that failed; [`SigV4Error::Signature`] for everything that only the signature can show.
    pub fn verify(
        &self,
        parts: &RequestParts<'_>,
        payload: Payload<'_>,
        key: &SigningKey,
        rules: Rules,
        now: Timestamp,
    ) -> Result<(), SigV4Error> {
        self.check_time(rules, now)?;
        let headers = Headers::of(parts.headers);
        self.check_signed_headers(&headers)?;
        let mut digits = [0; 64];
        let payload = self.canonical_payload(payload, rules, &mut digits)?;
        let canonical = Canonical {
            parts,
            headers: &headers,
            path: rules.path,
            presigned: self.is_presigned(),
            signed_headers: &self.signed_headers,
            payload,
        }
        .write()
        .map_err(|_| SigV4Error::Signature)?;
        let expected = hex::encode_hash(&canonical::signature(key, &self.time_text, self.scope(), canonical));
        if crypto::constant_time_eq(&expected, &self.signature) { Ok(()) } else { Err(SigV4Error::Signature) }
    }

    fn check_time(&self, rules: Rules, now: Timestamp) -> Result<(), SigV4Error> {
        let (signed, minutes) = (self.time(), rules.skew_minutes);
        let age = now.millis().saturating_sub(signed.millis());
        if age < -rules.skew_millis() {
            return Err(SigV4Error::NotYetCurrent { signed, now, minutes });
        }
        let lifetime = match self.form {
            Form::Presigned { expires_seconds } => expires_seconds.zip(self.expiry()),
            Form::Header | Form::Policy => None,
        };
        match lifetime {
            Some((seconds, expiry)) if now > expiry => Err(SigV4Error::PresignedExpired { seconds, expiry, now }),
            None if rules.expiry && self.is_presigned() => Err(SigV4Error::Parameters(MissingParameters::EXPIRY)),
            None if age > rules.skew_millis() => Err(SigV4Error::Expired { signed, now, minutes }),
            _ => Ok(()),
        }
    }

    /// The names must be in canonical form, and cover the host and every `x-amz-` header that the request has.
    fn check_signed_headers(&self, headers: &Headers<'_>) -> Result<(), SigV4Error> {
        let mut before: &[u8] = b"";
        let amz = || headers.names().filter(|name| is_amz(name.as_bytes()));
        let (mut host, mut amz_signed) = (false, 0);
        // Every byte is looked at, in a few wide instructions.
        if self.signed_headers.bytes().fold(false, |upper, byte| upper | byte.is_ascii_uppercase()) {
            return Err(SigV4Error::Signature);
        }
        for name in names(&self.signed_headers) {
            // The signer signed them sorted; another order or repetition is not what was signed.
            if name <= before {
                return Err(SigV4Error::Signature);
            }
            host |= name == b"host";
            if is_amz(name) {
                amz_signed += amz().filter(|header| header.as_bytes() == name).count();
            }
            before = name;
        }
        if !host {
            return Err(SigV4Error::HostUnsigned);
        }
        // No name is signed twice, so that the numbers tell.
        if amz_signed < amz().count()
            && let Some(name) = amz().find(|name| !names(&self.signed_headers).any(|signed| signed == name.as_bytes()))
        {
            return Err(SigV4Error::HeaderUnsigned { name: name.to_owned() });
        }
        Ok(())
    }

    /// The request's statement about its body, for a service that takes [`Payload::Stated`] and then has to hold the
    /// body to it.
    ///
    /// # Errors
    /// [`SigV4Error::PayloadUnstated`] and [`SigV4Error::PayloadForm`] when it states nothing, or nothing that is known.
    pub fn stated_payload(&self) -> Result<StatedPayload, SigV4Error> {
        match self.content_hash.as_deref() {
            Some(text) => StatedPayload::parse(text).ok_or(SigV4Error::PayloadForm),
            None => match self.form {
                Form::Presigned { .. } => Ok(StatedPayload::Unsigned),
                Form::Header | Form::Policy => Err(SigV4Error::PayloadUnstated),
            },
        }
    }

    /// The last line of the canonical request. A hash that was computed here is written into `digits`.
    fn canonical_payload<'s>(
        &'s self,
        payload: Payload<'_>,
        rules: Rules,
        digits: &'s mut [u8; 64],
    ) -> Result<&'s [u8], SigV4Error> {
        let stated = self.content_hash.as_deref();
        let hash = match payload {
            Payload::Body(body) => crypto::sha256(body),
            Payload::Hash(hash) => hash,
            Payload::Stated => {
                if !rules.stated_payload {
                    return Err(SigV4Error::Payload);
                }
                self.stated_payload()?;
                return Ok(stated.unwrap_or(UNSIGNED_PAYLOAD).as_bytes());
            }
        };
        match stated {
            None if rules.stated_payload && self.is_presigned() => return Ok(UNSIGNED_PAYLOAD.as_bytes()),
            None => {}
            Some(text) => match StatedPayload::parse(text) {
                Some(StatedPayload::Hash(stated)) if stated == hash => {}
                Some(StatedPayload::Unsigned) if rules.stated_payload => {
                    return Ok(UNSIGNED_PAYLOAD.as_bytes());
                }
                // A whole body has no chunks any more, so its chunks cannot have been checked.
                _ => return Err(SigV4Error::Payload),
            },
        }
        *digits = hex::encode_hash(&hash);
        Ok(digits)
    }
}
