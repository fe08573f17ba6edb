//! Reading who signed a request, for what scope and when. Says nothing yet about whether the signature is right.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::{self, HeaderName};
use memchr::{memchr, memchr_iter};
use percent_encoding::percent_decode_str;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::{
    ALGORITHM, CONTENT_HASH, DATE, EXPIRY_SECONDS_MAX, MissingParameters, RequestParts, SigV4Error, TERMINATOR, TOKEN,
};
use crate::Timestamp;

/// The longest `Authorization` header, in bytes.
const HEADER_LENGTH_MAX: usize = 4096;

/// The longest query, in bytes, in which an authorization is looked for.
const QUERY_LENGTH_MAX: usize = 64 * 1024;

/// The longest session token, in bytes.
const TOKEN_LENGTH_MAX: usize = 8192;

/// The longest credential, in bytes, scope included.
const CREDENTIAL_LENGTH_MAX: usize = 320;

/// The most headers that can be signed.
const SIGNED_HEADERS_MAX: usize = 128;

/// The signature of a request and its parameters. Proves nothing until [`verify`](Self::verify) has passed.
pub struct Authorization<'a> {
    credential: Cow<'a, str>,
    /// Where the credential's slashes are.
    slashes: [usize; 4],
    pub(super) signed_headers: Cow<'a, str>,
    session_token: Option<Cow<'a, str>>,
    /// In digits, as they came.
    pub(super) signature: [u8; 64],
    time: Timestamp,
    /// `time` as it was signed: `20150830T123600Z`.
    pub(super) time_text: [u8; 16],
    /// The request's statement about its body.
    pub(super) content_hash: Option<Cow<'a, str>>,
    pub(super) form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Header,
    Presigned {
        expires_seconds: Option<u32>,
    },
    /// The fields of a form, whose policy is signed.
    Policy,
}

impl std::fmt::Debug for Authorization<'_> {
    /// Leaves out the session token.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Authorization")
            .field("credential", &self.credential)
            .field("signed_headers", &self.signed_headers)
            .field("time", &self.time)
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}

impl<'a> Authorization<'a> {
    /// Reads the `Authorization` header, or else the parameters of a presigned request.
    ///
    /// # Errors
    /// [`SigV4Error::Missing`] when the request is not signed; otherwise what is wrong with the form of it.
    pub fn parse(parts: &RequestParts<'a>) -> Result<Self, SigV4Error> {
        let header = single(parts.headers, &header::AUTHORIZATION, HEADER_LENGTH_MAX)?;
        let mut pairs = parts.query.as_bytes().split(|byte| *byte == b'&');
        let presigned = pairs.any(|pair| pair.starts_with(b"X-Amz-Algorithm="));
        match header {
            Some(_) if presigned => Err(SigV4Error::TwiceSigned),
            Some(header) if header.starts_with("AWS4-") => Self::from_header(header, parts.headers),
            None if presigned => Self::from_query(parts.query, parts.headers),
            _ => Err(SigV4Error::Missing),
        }
    }

    fn from_header(header: &'a str, headers: &'a HeaderMap) -> Result<Self, SigV4Error> {
        let mut rest = header.strip_prefix(ALGORITHM).ok_or(SigV4Error::Algorithm)?;
        if !rest.is_empty() && !rest.starts_with(' ') {
            return Err(SigV4Error::Algorithm);
        }
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        while !rest.is_empty() {
            let (pair, after) = rest.split_at(memchr(b',', rest.as_bytes()).unwrap_or(rest.len()));
            let pair = pair.trim_ascii();
            rest = after.get(1..).unwrap_or_default();
            if pair.is_empty() {
                continue;
            }
            let (slot, name, value) = if let Some(value) = pair.strip_prefix("Credential=") {
                (&mut credential, "Credential", value)
            } else if let Some(value) = pair.strip_prefix("SignedHeaders=") {
                (&mut signed_headers, "SignedHeaders", value)
            } else if let Some(value) = pair.strip_prefix("Signature=") {
                (&mut signature, "Signature", value)
            } else {
                return Err(SigV4Error::Pair);
            };
            if slot.replace(value).is_some() {
                return Err(SigV4Error::Repeated { name });
            }
        }
        let date = match single(headers, &DATE, 64)? {
            Some(date) => Some(date),
            None => single(headers, &header::DATE, 64)?,
        };
        let (Some(credential), Some(signed_headers), Some(signature), Some(date)) =
            (credential, signed_headers, signature, date)
        else {
            return Err(SigV4Error::Parameters(MissingParameters {
                presigned: false,
                credential: credential.is_none(),
                signature: signature.is_none(),
                signed_headers: signed_headers.is_none(),
                date: date.is_none(),
            }));
        };
        Self::assemble(Given {
            credential: credential.into(),
            signed_headers: signed_headers.into(),
            signature,
            date,
            session_token: single(headers, &TOKEN, TOKEN_LENGTH_MAX)?.map(Cow::Borrowed),
            content_hash: single(headers, &CONTENT_HASH, 128)?.map(Cow::Borrowed),
            form: Form::Header,
        })
    }

    fn from_query(query: &'a str, headers: &'a HeaderMap) -> Result<Self, SigV4Error> {
        if query.len() > QUERY_LENGTH_MAX {
            return Err(SigV4Error::TooLong { name: "query" });
        }
        const NAMES: [&str; 8] = [
            "X-Amz-Algorithm",
            "X-Amz-Credential",
            "X-Amz-Date",
            "X-Amz-Expires",
            "X-Amz-SignedHeaders",
            "X-Amz-Security-Token",
            "X-Amz-Content-Sha256",
            "X-Amz-Signature",
        ];
        let mut values: [Option<Cow<'a, str>>; 8] = Default::default();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            // The canonical query drops the signature by its decoded name, so that is how it is looked for.
            let name = percent_decode_str(name).decode_utf8_lossy();
            for (known, slot) in NAMES.into_iter().zip(&mut values) {
                if name == known {
                    let value = percent_decode_str(value).decode_utf8_lossy();
                    if slot.replace(value).is_some() {
                        return Err(SigV4Error::Repeated { name: known });
                    }
                }
            }
        }
        let [algorithm, credential, date, expires, signed_headers, session_token, content_hash, signature] = values;
        match algorithm.as_deref() {
            None => return Err(SigV4Error::Missing),
            Some(ALGORITHM) => {}
            Some(_) => return Err(SigV4Error::Algorithm),
        }
        let missing = MissingParameters {
            presigned: true,
            credential: credential.is_none(),
            signature: signature.is_none(),
            signed_headers: signed_headers.is_none(),
            date: date.is_none(),
        };
        let (Some(credential), Some(signed_headers), Some(signature), Some(date)) =
            (credential, signed_headers, signature, date)
        else {
            return Err(SigV4Error::Parameters(missing));
        };
        if session_token.as_deref().is_some_and(|token| token.len() > TOKEN_LENGTH_MAX) {
            return Err(SigV4Error::TooLong { name: "X-Amz-Security-Token" });
        }
        Self::assemble(Given {
            credential,
            signed_headers,
            signature: &signature,
            date: &date,
            session_token,
            content_hash: match content_hash {
                Some(hash) => Some(hash),
                None => single(headers, &CONTENT_HASH, 128)?.map(Cow::Borrowed),
            },
            form: Form::Presigned { expires_seconds: expires.map(|text| parse_expiry(&text)).transpose()? },
        })
    }

    pub(super) fn assemble(given: Given<'a, '_>) -> Result<Self, SigV4Error> {
        let Given { credential, signed_headers, signature, date, session_token, content_hash, form } = given;
        let (time, time_text) = parse_time(date).ok_or(SigV4Error::Date)?;
        let slashes = parse_credential(&credential)?;
        if memchr_iter(b';', signed_headers.as_bytes()).count() >= SIGNED_HEADERS_MAX {
            return Err(SigV4Error::TooLong { name: "SignedHeaders" });
        }
        let authorization = Self {
            credential,
            slashes,
            signed_headers,
            session_token,
            // Anything but 64 digits is no signature of anything, so it is wrong rather than malformed.
            signature: hash_digits(signature).ok_or(SigV4Error::Signature)?,
            time,
            time_text,
            content_hash,
            form,
        };
        if !time_text.starts_with(authorization.date().as_bytes()) || authorization.date().len() != 8 {
            return Err(SigV4Error::ScopeDate { scope: authorization.date().to_owned(), time });
        }
        Ok(authorization)
    }

    fn element(&self, index: usize) -> &str {
        let start = index.checked_sub(1).and_then(|before| self.slashes.get(before)).map_or(0, |slash| slash + 1);
        let end = self.slashes.get(index).copied().unwrap_or(self.credential.len());
        self.credential.get(start..end).unwrap_or_default()
    }

    /// The access key that the request claims to be signed with.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        self.element(0)
    }

    /// The day of the scope, `YYYYMMDD`; it is the day of [`time`](Self::time).
    #[must_use]
    pub fn date(&self) -> &str {
        self.element(1)
    }

    /// The region of the scope.
    #[must_use]
    pub fn region(&self) -> &str {
        self.element(2)
    }

    /// The service of the scope, by its signing name.
    #[must_use]
    pub fn service(&self) -> &str {
        self.element(3)
    }

    /// The scope: date, region, service and what ends it, with slashes in between.
    pub(super) fn scope(&self) -> &str {
        let [start, ..] = self.slashes;
        self.credential.get(start + 1..).unwrap_or_default()
    }

    /// The names of the signed headers.
    pub fn signed_headers(&self) -> impl Iterator<Item = &str> {
        self.signed_headers.split(';')
    }

    /// The token of the session that the access key belongs to. Opaque here.
    #[must_use]
    pub fn session_token(&self) -> Option<&str> {
        self.session_token.as_deref()
    }

    /// When the request was signed, by the client's clock.
    #[must_use]
    pub const fn time(&self) -> Timestamp {
        self.time
    }

    /// Whether the request is presigned: signed in its query, to be sent by whoever holds the URL.
    #[must_use]
    pub const fn is_presigned(&self) -> bool {
        matches!(self.form, Form::Presigned { .. })
    }

    /// When a presigned request ceases to be valid, if it says so.
    #[must_use]
    pub fn expiry(&self) -> Option<Timestamp> {
        match self.form {
            Form::Presigned { expires_seconds: Some(seconds) } => {
                Some(Timestamp::from_millis(self.time.millis().saturating_add(i64::from(seconds) * 1000)))
            }
            _ => None,
        }
    }
}

/// An authorization in pieces, wherever they came from.
pub(super) struct Given<'a, 'g> {
    pub(super) credential: Cow<'a, str>,
    pub(super) signed_headers: Cow<'a, str>,
    pub(super) signature: &'g str,
    pub(super) date: &'g str,
    pub(super) session_token: Option<Cow<'a, str>>,
    pub(super) content_hash: Option<Cow<'a, str>>,
    pub(super) form: Form,
}

/// The value of a header that counts once.
fn single<'a>(
    headers: &'a HeaderMap,
    name: &'static HeaderName,
    length_max: usize,
) -> Result<Option<&'a str>, SigV4Error> {
    let mut values = headers.get_all(name).iter();
    let name = name.as_str();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(SigV4Error::Repeated { name });
    }
    if value.len() > length_max {
        return Err(SigV4Error::TooLong { name });
    }
    // Besides ASCII, a header's value may have the upper half of the bytes.
    let text = std::str::from_utf8(value.as_bytes()).ok().filter(|text| text.is_ascii());
    text.map(|text| Some(text.trim_ascii())).ok_or(SigV4Error::Illegible { name })
}

/// Finds the slashes of `keyid/date/region/service/aws4_request`.
fn parse_credential(credential: &str) -> Result<[usize; 4], SigV4Error> {
    if credential.len() > CREDENTIAL_LENGTH_MAX {
        return Err(SigV4Error::TooLong { name: "Credential" });
    }
    let mut slashes = [0; 4];
    let mut found = memchr_iter(b'/', credential.as_bytes());
    for slash in &mut slashes {
        *slash = found.next().ok_or(SigV4Error::Credential)?;
    }
    let [_, _, _, last] = slashes;
    // Every byte is looked at, whatever it is: the compiler makes a few wide instructions of it.
    let graphic = credential.bytes().fold(true, |graphic, byte| graphic & byte.is_ascii_graphic());
    if found.next().is_some() || !graphic {
        return Err(SigV4Error::Credential);
    }
    if credential.get(last + 1..) != Some(TERMINATOR) {
        return Err(SigV4Error::Terminator);
    }
    Ok(slashes)
}

/// A text that is 64 hexadecimal digits in lower case.
fn hash_digits(text: &str) -> Option<[u8; 64]> {
    let digits = <[u8; 64]>::try_from(text.as_bytes()).ok()?;
    let all = digits.iter().fold(true, |all, byte| all & (byte.is_ascii_digit() | matches!(byte, b'a'..=b'f')));
    all.then_some(digits)
}

fn parse_expiry(text: &str) -> Result<u32, SigV4Error> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(seconds @ 1..=EXPIRY_SECONDS_MAX) if digits => Ok(seconds),
        _ => Err(SigV4Error::ExpiryRange),
    }
}

/// Reads `20150830T123600Z`, or what HTTP's `Date` header may have instead, and gives it back in the first form.
fn parse_time(text: &str) -> Option<(Timestamp, [u8; 16])> {
    if let Ok(same) = <[u8; 16]>::try_from(text.as_bytes()) {
        return parse_amz_date(&same).map(|time| (time, same));
    }
    let time = Timestamp::from(OffsetDateTime::parse(text, &Rfc2822).ok()?);
    Some((time, time.amz_date().into_bytes().try_into().ok()?))
}

/// Reads `20150830T123600Z`.
pub(super) fn parse_amz_date(text: &[u8; 16]) -> Option<Timestamp> {
    let [c1, c2, y1, y2, m1, m2, d1, d2, b'T', h1, h2, n1, n2, s1, s2, b'Z'] = *text else { return None };
    let number = |high: u8, low: u8| {
        let digits = high.is_ascii_digit() && low.is_ascii_digit();
        digits.then(|| (high - b'0') * 10 + (low - b'0'))
    };
    let year = i32::from(number(c1, c2)?) * 100 + i32::from(number(y1, y2)?);
    let month = time::Month::try_from(number(m1, m2)?).ok()?;
    let date = time::Date::from_calendar_date(year, month, number(d1, d2)?).ok()?;
    let time = time::Time::from_hms(number(h1, h2)?, number(n1, n2)?, number(s1, s2)?).ok()?;
    Some(OffsetDateTime::new_utc(date, time).into())
}
