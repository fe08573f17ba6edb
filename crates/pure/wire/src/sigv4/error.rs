//! Why a request was not accepted as signed, and what each protocol calls it.

use crate::protocol::Dialect;
use crate::{Fault, Protocol, Timestamp};

/// The parts of an authorization that were not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingParameters {
    /// Whether they were looked for in the query rather than in the `Authorization` header.
    pub presigned: bool,
    /// No `Credential`.
    pub credential: bool,
    /// No `Signature`.
    pub signature: bool,
    /// No `SignedHeaders`.
    pub signed_headers: bool,
    /// No date.
    pub date: bool,
}

/// A request was not accepted as signed.
///
/// The texts are AWS's, without its echo of the `Authorization` header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigV4Error {
    /// The request is not signed at all.
    #[error("Request is missing Authentication Token")]
    Missing,
    /// Signed by header and by query at once.
    #[error("Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.")]
    TwiceSigned,
    /// An algorithm other than AWS4-HMAC-SHA256.
    #[error("Unsupported AWS 'algorithm' (only AWS4-HMAC-SHA256 for now).")]
    Algorithm,
    /// Parts of the authorization are missing.
    #[error("{0}")]
    Parameters(MissingParameters),
    /// A part of the `Authorization` header is not `name=value`.
    #[error("Invalid key=value pair (missing equal-sign) in Authorization header.")]
    Pair,
    /// A header or parameter that counts once was given twice.
    #[error("'{name}' must be given only once.")]
    Repeated {
        /// Its name.
        name: &'static str,
    },
    /// A header or parameter is longer than any that a client makes.
    #[error("'{name}' is too long.")]
    TooLong {
        /// Its name.
        name: &'static str,
    },
    /// A header has characters that it never has.
    #[error("'{name}' is malformed.")]
    Illegible {
        /// Its name.
        name: &'static str,
    },
    /// The time of signing cannot be read.
    #[error("Date must be in ISO-8601 'basic format'. See http://en.wikipedia.org/wiki/ISO_8601")]
    Date,
    /// The credential is not `keyid/date/region/service/aws4_request`.
    #[error("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.")]
    Credential,
    /// The credential scope ends in something else.
    #[error("Credential should be scoped with a valid terminator: 'aws4_request'.")]
    Terminator,
    /// The credential is scoped to another day than that of signing.
    #[error(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
         '{scope}' != '{}', from '{}'.",
        time.amz_date().get(..8).unwrap_or_default(),
        time.amz_date()
    )]
    ScopeDate {
        /// The day of the scope, as given.
        scope: String,
        /// The time of signing.
        time: Timestamp,
    },
    /// The credential is scoped to a region that does not exist here.
    #[error("Credential should be scoped to a valid region, not '{region}'. ")]
    Region {
        /// The region of the scope.
        region: String,
    },
    /// The credential is scoped to another service than the one called.
    #[error("Credential should be scoped to correct service: '{service}'. ")]
    Service {
        /// The service called.
        service: &'static str,
    },
    /// `X-Amz-Expires` is not a number of seconds up to seven days.
    #[error("X-Amz-Expires must be a number of seconds between 1 and 604800")]
    ExpiryRange,
    /// The host is not signed.
    #[error("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")]
    HostUnsigned,
    /// A header of AWS's is present but not signed.
    #[error("'{name}' must be a 'SignedHeader' in the AWS Authorization.")]
    HeaderUnsigned {
        /// The header's name.
        name: String,
    },
    /// Signed too long ago.
    #[error(
        "Signature expired: {} is now earlier than {} ({} - {minutes} min.)",
        signed.amz_date(),
        earlier(*now, *minutes),
        now.amz_date()
    )]
    Expired {
        /// The time of signing.
        signed: Timestamp,
        /// The server's time.
        now: Timestamp,
        /// The skew allowed.
        minutes: u16,
    },
    /// Signed too far in the future.
    #[error(
        "Signature not yet current: {} is still later than {} ({} + {minutes} min.)",
        signed.amz_date(),
        later(*now, *minutes),
        now.amz_date()
    )]
    NotYetCurrent {
        /// The time of signing.
        signed: Timestamp,
        /// The server's time.
        now: Timestamp,
        /// The skew allowed.
        minutes: u16,
    },
    /// A presigned request past its own expiry.
    #[error("Request has expired.")]
    PresignedExpired,
    /// `x-amz-content-sha256` is not the hash of the body, or not a form that the service accepts.
    #[error("The provided 'x-amz-content-sha256' header does not match what was computed.")]
    Payload,
    /// The signature is wrong.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details."
    )]
    Signature,
    /// No such access key, or a session token that is not its own.
    #[error("The security token included in the request is invalid.")]
    UnknownAccessKey,
    /// The session is over.
    #[error("The security token included in the request is expired")]
    ExpiredToken,
}

fn earlier(now: Timestamp, minutes: u16) -> String {
    Timestamp::from_millis(now.millis().saturating_sub(i64::from(minutes) * 60_000)).amz_date()
}

fn later(now: Timestamp, minutes: u16) -> String {
    Timestamp::from_millis(now.millis().saturating_add(i64::from(minutes) * 60_000)).amz_date()
}

impl std::fmt::Display for MissingParameters {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { presigned, credential, signature, signed_headers, date } = *self;
        let parameters =
            [(credential, "Credential"), (signature, "Signature"), (signed_headers, "SignedHeaders"), (date, "Date")];
        let mut separator = "";
        for (_, name) in parameters.into_iter().filter(|(missing, _)| *missing) {
            out.write_str(separator)?;
            separator = " ";
            match (presigned, name) {
                (true, _) => write!(out, "AWS query-string parameters must include 'X-Amz-{name}'.")?,
                (false, "Date") => out.write_str(
                    "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
                )?,
                (false, _) => write!(out, "Authorization header requires '{name}' parameter.")?,
            }
        }
        if presigned { out.write_str(" Re-examine the query-string parameters.") } else { Ok(()) }
    }
}

impl SigV4Error {
    /// The fault as a protocol names it. awsJson answers every one with 400, query with 403 or 400.
    ///
    /// Source: "Common errors" in the KMS and the IAM API references.
    #[must_use]
    pub fn fault(&self, protocol: Protocol) -> Fault {
        let (json, query, status) = match self {
            Self::Missing => ("MissingAuthenticationTokenException", "MissingAuthenticationToken", 403),
            Self::Algorithm
            | Self::Parameters(_)
            | Self::Pair
            | Self::Repeated { .. }
            | Self::TooLong { .. }
            | Self::Illegible { .. }
            | Self::Date
            | Self::Credential
            | Self::ExpiryRange => ("IncompleteSignatureException", "IncompleteSignature", 400),
            Self::TwiceSigned
            | Self::Terminator
            | Self::ScopeDate { .. }
            | Self::Region { .. }
            | Self::Service { .. }
            | Self::HostUnsigned
            | Self::HeaderUnsigned { .. }
            | Self::Expired { .. }
            | Self::NotYetCurrent { .. }
            | Self::Payload
            | Self::Signature => ("InvalidSignatureException", "SignatureDoesNotMatch", 403),
            Self::PresignedExpired => ("RequestExpired", "RequestExpired", 400),
            Self::UnknownAccessKey => ("UnrecognizedClientException", "InvalidClientTokenId", 403),
            Self::ExpiredToken => ("ExpiredTokenException", "ExpiredToken", 403),
        };
        let (code, status) = match protocol.dialect() {
            Dialect::Json => (json, 400),
            Dialect::Query => (query, status),
            Dialect::Rest => return self.rest_fault(),
        };
        Fault { code, status, message: self.to_string() }
    }

    /// The fault as S3 names it.
    ///
    /// Source: Amazon S3 API Reference, "Error responses".
    fn rest_fault(&self) -> Fault {
        let own = |code, status| Fault { code, status, message: self.to_string() };
        let named = |code, status, message: &str| Fault { code, status, message: message.to_owned() };
        match self {
            Self::Missing => named("AccessDenied", 403, "Access Denied"),
            Self::TwiceSigned => named(
                "InvalidArgument",
                400,
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
                 parameter or the Authorization header should be specified",
            ),
            Self::Parameters(MissingParameters { presigned: true, .. }) => named(
                "AuthorizationQueryParametersError",
                400,
                "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
                 X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
            ),
            Self::ExpiryRange => own("AuthorizationQueryParametersError", 400),
            Self::Algorithm
            | Self::Parameters(_)
            | Self::Pair
            | Self::Repeated { .. }
            | Self::TooLong { .. }
            | Self::Illegible { .. }
            | Self::Date
            | Self::Credential
            | Self::Terminator
            | Self::ScopeDate { .. }
            | Self::Region { .. }
            | Self::Service { .. } => own("AuthorizationHeaderMalformed", 400),
            Self::HostUnsigned | Self::HeaderUnsigned { .. } => {
                named("AccessDenied", 403, "There were headers present in the request which were not signed")
            }
            Self::Expired { .. } | Self::NotYetCurrent { .. } => named(
                "RequestTimeTooSkewed",
                403,
                "The difference between the request time and the current time is too large.",
            ),
            Self::PresignedExpired => named("AccessDenied", 403, "Request has expired"),
            Self::Payload => own("XAmzContentSHA256Mismatch", 400),
            Self::Signature => named(
                "SignatureDoesNotMatch",
                403,
                "The request signature we calculated does not match the signature you provided. Check your key and \
                 signing method.",
            ),
            Self::UnknownAccessKey => {
                named("InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records.")
            }
            Self::ExpiredToken => named("ExpiredToken", 400, "The provided token has expired."),
        }
    }
}
