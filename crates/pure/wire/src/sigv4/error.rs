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

impl MissingParameters {
    /// A presigned request that does not say when it ceases to be valid.
    pub const EXPIRY: Self =
        Self { presigned: true, credential: false, signature: false, signed_headers: false, date: false };
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
    /// A field is missing in a form with a signature.
    #[error(
        "Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
    )]
    FormField {
        /// Its name.
        name: &'static str,
    },
    /// Signed in another way than Signature Version 4.
    #[error("The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.")]
    Mechanism,
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
    PresignedExpired {
        /// How long it was to be valid.
        seconds: u32,
        /// When it ceased to be valid.
        expiry: Timestamp,
        /// The server's time.
        now: Timestamp,
    },
    /// `x-amz-content-sha256` is not the hash of the body.
    #[error("The provided 'x-amz-content-sha256' header does not match what was computed.")]
    Payload,
    /// `x-amz-content-sha256` is missing where a service wants it.
    #[error("Missing required header for this request: x-amz-content-sha256")]
    PayloadUnstated,
    /// `x-amz-content-sha256` is neither a hash nor another form that the operation takes.
    #[error(
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
         STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value."
    )]
    PayloadForm,
    /// The signature is wrong.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details."
    )]
    Signature,
    /// No such access key.
    #[error("The security token included in the request is invalid.")]
    UnknownAccessKey,
    /// A session token that is not its access key's.
    #[error("The security token included in the request is invalid.")]
    UnknownToken,
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
            Self::Missing | Self::Mechanism | Self::FormField { .. } => {
                ("MissingAuthenticationTokenException", "MissingAuthenticationToken", 403)
            }
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
            | Self::PayloadUnstated
            | Self::PayloadForm
            | Self::Signature => ("InvalidSignatureException", "SignatureDoesNotMatch", 403),
            Self::PresignedExpired { .. } => ("RequestExpired", "RequestExpired", 400),
            Self::UnknownAccessKey | Self::UnknownToken => ("UnrecognizedClientException", "InvalidClientTokenId", 403),
            Self::ExpiredToken => ("ExpiredTokenException", "ExpiredToken", 403),
        };
        let (code, status) = match protocol.dialect() {
            Dialect::Json => (json, 400),
            Dialect::Query => (query, status),
            Dialect::Rest => return self.rest_fault(),
        };
        Fault::new(code, status, self.to_string())
    }

    /// The fault of a presigned request as a protocol names it: what is malformed is a parameter and not the header.
    #[must_use]
    pub fn presigned_fault(&self, protocol: Protocol) -> Fault {
        let mut fault = self.fault(protocol);
        if fault.code == HEADER_MALFORMED {
            fault.code = QUERY_MALFORMED;
            if matches!(self, Self::Credential | Self::Terminator) {
                fault.message = format!("Error parsing the X-Amz-Credential parameter; {CREDENTIAL_FORM}");
            }
        }
        fault
    }

    /// The fault as S3 names it.
    ///
    /// Source: Amazon S3 API Reference, "Error responses".
    fn rest_fault(&self) -> Fault {
        let denied = |message: &str| Fault::new("AccessDenied", 403, message);
        match self {
            Self::Missing => denied("Access Denied"),
            Self::TwiceSigned => Fault::sender(
                "InvalidArgument",
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
                 parameter or the Authorization header should be specified",
            )
            .with_detail("ArgumentName", "Authorization"),
            Self::Parameters(MissingParameters { presigned: true, .. }) => Fault::sender(
                QUERY_MALFORMED,
                "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
                 X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
            ),
            Self::ExpiryRange => Fault::sender(QUERY_MALFORMED, self.to_string()),
            Self::Mechanism => Fault::sender("InvalidRequest", self.to_string()),
            Self::FormField { name } => {
                Fault::sender("InvalidArgument", self.to_string()).with_detail("ArgumentName", *name)
            }
            Self::Algorithm
            | Self::Parameters(_)
            | Self::Pair
            | Self::Repeated { .. }
            | Self::TooLong { .. }
            | Self::Illegible { .. }
            | Self::Date
            | Self::ScopeDate { .. }
            | Self::Region { .. }
            | Self::Service { .. } => Fault::sender(HEADER_MALFORMED, self.to_string()),
            Self::Credential | Self::Terminator => {
                Fault::sender(HEADER_MALFORMED, format!("The authorization header is malformed; {CREDENTIAL_FORM}"))
            }
            Self::HostUnsigned => denied(UNSIGNED_HEADERS).with_detail("HeadersNotSigned", "host"),
            Self::HeaderUnsigned { name } => denied(UNSIGNED_HEADERS).with_detail("HeadersNotSigned", name),
            Self::Expired { signed, now, minutes } | Self::NotYetCurrent { signed, now, minutes } => {
                let skew_millis = u32::from(*minutes) * 60_000;
                Fault::new(
                    "RequestTimeTooSkewed",
                    403,
                    "The difference between the request time and the current time is too large.",
                )
                .with_detail("RequestTime", signed.amz_date())
                .with_detail("ServerTime", now.iso8601())
                .with_detail("MaxAllowedSkewMilliseconds", skew_millis.to_string())
            }
            Self::PresignedExpired { seconds, expiry, now } => denied("Request has expired")
                .with_detail("X-Amz-Expires", seconds.to_string())
                .with_detail("Expires", expiry.iso8601())
                .with_detail("ServerTime", now.iso8601()),
            Self::Payload => Fault::sender("XAmzContentSHA256Mismatch", self.to_string()),
            Self::PayloadUnstated => Fault::sender("InvalidRequest", self.to_string()),
            Self::PayloadForm => {
                Fault::sender("InvalidArgument", self.to_string()).with_detail("ArgumentName", "x-amz-content-sha256")
            }
            Self::Signature => Fault::new(
                "SignatureDoesNotMatch",
                403,
                "The request signature we calculated does not match the signature you provided. Check your key and \
                 signing method.",
            ),
            Self::UnknownAccessKey => Fault::new(
                "InvalidAccessKeyId",
                403,
                "The AWS Access Key Id you provided does not exist in our records.",
            ),
            Self::UnknownToken => {
                Fault::sender("InvalidToken", "The provided token is malformed or otherwise invalid.")
            }
            Self::ExpiredToken => Fault::sender("ExpiredToken", "The provided token has expired."),
        }
    }
}

/// S3's words for a credential that cannot be read.
const CREDENTIAL_FORM: &str =
    "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".";

/// S3's code for an authorization that cannot be read.
const HEADER_MALFORMED: &str = "AuthorizationHeaderMalformed";

/// The same for the parameters of a presigned request.
const QUERY_MALFORMED: &str = "AuthorizationQueryParametersError";

const UNSIGNED_HEADERS: &str = "There were headers present in the request which were not signed";
