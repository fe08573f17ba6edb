//! Faults that every service gives, whose codes depend on the protocol.

use super::{Dialect, Protocol};
use crate::Fault;
use crate::reader::Malformed;

/// Faults that every service gives.
///
/// Source: "Common errors" in the KMS and the IAM API references; "Error responses" in that of S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommonFault {
    /// The operation, or the whole service, is not known.
    UnknownOperation {
        /// The name that was asked for.
        operation: String,
        /// The API version of the query protocol, empty in awsJson.
        version: String,
    },
    /// AWS has the operation; this server does not serve it.
    NotServed {
        /// Its name.
        operation: &'static str,
        /// The service's prefix.
        service: &'static str,
    },
    /// A query request without `Action`.
    MissingAction,
    /// The caller may not do this; the message names caller, action and resource.
    AccessDenied(String),
    /// Too many calls.
    Throttling,
    /// The server is at fault. The cause is in its log.
    InternalFailure,
    /// The server cannot answer now and the call may be repeated.
    ServiceUnavailable,
    /// The body cannot be read.
    Serialization(String),
    /// The body is longer than any operation allows.
    RequestEntityTooLarge,
    /// A constraint is violated.
    Validation(String),
}

impl CommonFault {
    /// The fault as this protocol names it.
    #[must_use]
    pub fn fault(self, protocol: Protocol) -> Fault {
        let dialect = protocol.dialect();
        let name = |json: (&'static str, u16), query: (&'static str, u16), rest: (&'static str, u16)| match dialect {
            Dialect::Json => json,
            Dialect::Query => query,
            Dialect::Rest => rest,
        };
        let words = |words: &str| match dialect {
            Dialect::Json => String::new(),
            Dialect::Query | Dialect::Rest => words.to_owned(),
        };
        let rest_words = |words: &str| if dialect == Dialect::Rest { words.to_owned() } else { String::new() };
        let unknown = name(("UnknownOperationException", 400), ("InvalidAction", 400), ("NotImplemented", 501));
        let ((code, status), message) = match self {
            Self::UnknownOperation { operation, version } => match dialect {
                Dialect::Rest => {
                    (("MethodNotAllowed", 405), words("The specified method is not allowed against this resource."))
                }
                _ => (unknown, words(&format!("Could not find operation {operation} for version {version}"))),
            },
            Self::NotServed { operation, service } => {
                (unknown, format!("{service}:{operation} is an operation of AWS that this server does not serve"))
            }
            Self::MissingAction => (
                name(("UnknownOperationException", 400), ("MissingAction", 400), ("MethodNotAllowed", 405)),
                words("Missing Action"),
            ),
            Self::AccessDenied(message) => {
                (name(("AccessDeniedException", 400), ("AccessDenied", 403), ("AccessDenied", 403)), message)
            }
            Self::Throttling => (
                name(("ThrottlingException", 400), ("Throttling", 400), ("SlowDown", 503)),
                if dialect == Dialect::Rest { "Please reduce your request rate." } else { "Rate exceeded" }.to_owned(),
            ),
            Self::InternalFailure => (
                name(("InternalFailure", 500), ("InternalFailure", 500), ("InternalError", 500)),
                rest_words("We encountered an internal error. Please try again."),
            ),
            Self::ServiceUnavailable => (
                name(("ServiceUnavailableException", 503), ("ServiceUnavailable", 503), ("ServiceUnavailable", 503)),
                rest_words("Service is unable to handle request."),
            ),
            Self::Serialization(message) => match dialect {
                // S3 has one message, whatever is wrong.
                Dialect::Rest => (("MalformedXML", 400), MALFORMED_XML.to_owned()),
                _ => (name(("SerializationException", 400), ("MalformedInput", 400), ("MalformedXML", 400)), message),
            },
            Self::RequestEntityTooLarge => (
                name(("RequestEntityTooLargeException", 413), ("RequestEntityTooLarge", 413), ("EntityTooLarge", 400)),
                rest_words("Your proposed upload exceeds the maximum allowed size."),
            ),
            Self::Validation(message) => {
                (name(("ValidationException", 400), ("ValidationError", 400), ("InvalidArgument", 400)), message)
            }
        };
        Fault::new(code, status, message)
    }

    /// The fault for an input that cannot be decoded. In restXml a parameter or header of the wrong type is an
    /// argument, and everything in the body malformed XML.
    pub(super) fn malformed(error: Malformed, protocol: Protocol) -> Fault {
        match (protocol.dialect(), error) {
            (Dialect::Rest, Malformed::Form(message)) => Self::Validation(message),
            (_, error) => Self::Serialization(error.into_message()),
        }
        .fault(protocol)
    }
}

/// S3's message for every body that is not what it should be.
const MALFORMED_XML: &str = "The XML you provided was not well-formed or did not validate against our published schema";
