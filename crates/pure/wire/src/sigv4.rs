//! Signature Version 4, both sides: verifying what a client signed, and signing as a client does.
//!
//! Knows requests as borrowed parts, secrets only as bytes handed in, and the time only as an argument. Which access
//! keys exist and what their holders may do is for others.
//!
//! Source: IAM User Guide, "AWS Signature Version 4 for API requests".

use http::HeaderName;

mod authorization;
mod canonical;
mod error;
mod form;
mod git;
mod key;
mod rules;
mod sign;
pub mod streaming;
mod verify;

pub use authorization::Authorization;
pub use error::{MissingParameters, SigV4Error};
pub use git::{GIT_SERVICE, GitPassword, sign_git};
pub use key::SigningKey;
pub use rules::{PathForm, Rules};
pub use sign::{SignError, Signer};
pub use streaming::ChunkChain;
pub use verify::{StatedPayload, anonymous};

/// The one algorithm that is spoken here.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// How every credential scope ends.
const TERMINATOR: &str = "aws4_request";

/// The payload text of a request whose body is not signed; S3 only.
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// The header, and in presigned requests the parameter, that states the body's hash.
static CONTENT_HASH: HeaderName = HeaderName::from_static("x-amz-content-sha256");

/// The header of the time of signing.
static DATE: HeaderName = HeaderName::from_static("x-amz-date");

/// The header of a session's token.
static TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// The longest validity of a presigned request: seven days.
pub const EXPIRY_SECONDS_MAX: u32 = 604_800;

/// The parts of a request that a signature covers, as they came over the wire.
#[derive(Clone, Copy)]
pub struct RequestParts<'a> {
    /// `GET`, `POST`, ...
    pub method: &'a str,
    /// The path of the request line, still percent-encoded, without the query.
    pub path: &'a str,
    /// The query of the request line, still percent-encoded, without the question mark.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a http::HeaderMap,
    /// `:authority` of an HTTP/2 request, used when there is no `Host` header.
    pub host: Option<&'a str>,
}

/// The body that a signature covers.
#[derive(Clone, Copy)]
pub enum Payload<'a> {
    /// The whole body: it is hashed here.
    Body(&'a [u8]),
    /// The SHA-256 of the whole body.
    Hash([u8; 32]),
    /// Not read yet: what the request states is taken for the signature, and whoever reads the body holds it to
    /// that ([`Authorization::stated_payload`]). Only under [`Rules::S3`].
    Stated,
}

#[cfg(test)]
mod tests;
