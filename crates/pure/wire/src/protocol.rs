//! One door to the protocols: decodes an input, encodes an output or a fault, in whichever protocol the caller speaks.
//!
//! Knows bytes and shapes; which operation runs, and whether it may, is for the service layer.

use serde::Serialize;

use crate::shape::Shape;
use crate::{Fault, Protocol, json, query, xml};

/// Decodes and checks the input of an operation.
///
/// # Errors
/// What AWS answers to a body that cannot be read (`SerializationException`, `MalformedInput`) or that breaks a
/// constraint (`ValidationException`, `ValidationError`).
pub fn decode<T: Shape>(protocol: Protocol, body: &[u8]) -> Result<T, Fault> {
    match protocol {
        Protocol::Json { .. } => {
            T::accept(json::decode(body)?).map_err(|message| Fault::sender("ValidationException", message))
        }
        Protocol::Query { .. } => {
            T::accept(query::decode(body)?).map_err(|message| Fault::sender("ValidationError", message))
        }
    }
}

/// Encodes the output of an operation. An output of type `()` is an empty body in awsJson and no result element in XML.
///
/// The buffer may hold plaintext: growing it leaves no copy behind, and whoever takes it wipes it after sending.
///
/// # Errors
/// `InternalFailure`, when the output has a form that the protocol cannot carry.
pub fn encode_output<T: Serialize>(
    protocol: Protocol,
    operation: &str,
    request_id: &str,
    output: &T,
) -> Result<Vec<u8>, Fault> {
    match protocol {
        Protocol::Json { .. } => json::encode_output(output).ok(),
        Protocol::Query { namespace } => xml::encode_output(namespace, operation, request_id, output).ok(),
    }
    // Only a type that has no place in the protocol gets here: an error in the program, which its tests show.
    .ok_or_else(|| CommonFault::InternalFailure.fault(protocol))
}

/// Encodes a fault. awsJson repeats the code in the header [`ERROR_TYPE_HEADER`].
#[must_use]
pub fn encode_fault(protocol: Protocol, request_id: &str, fault: &Fault) -> Vec<u8> {
    match protocol {
        Protocol::Json { .. } => json::encode_fault(fault),
        Protocol::Query { namespace } => xml::encode_fault(namespace, request_id, fault),
    }
}

/// The content type of every answer in this protocol.
#[must_use]
pub fn content_type(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Json { version: "1.0" } => "application/x-amz-json-1.0",
        Protocol::Json { .. } => "application/x-amz-json-1.1",
        Protocol::Query { .. } => "text/xml",
    }
}

/// The header that carries the request id of an answer, in every protocol.
pub const REQUEST_ID_HEADER: &str = "x-amzn-requestid";

/// The header that carries a fault's code in awsJson.
pub const ERROR_TYPE_HEADER: &str = "x-amzn-errortype";

/// Faults that every service gives, whose code depends on the protocol.
///
/// Source: "Common errors" in the KMS and the IAM API references.
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
        let json = matches!(protocol, Protocol::Json { .. });
        let name = |in_json, in_query| if json { in_json } else { in_query };
        let (code, status, message) = match self {
            Self::UnknownOperation { operation, version } => {
                let message = if json {
                    String::new()
                } else {
                    format!("Could not find operation {operation} for version {version}")
                };
                (name("UnknownOperationException", "InvalidAction"), 400, message)
            }
            Self::NotServed { operation, service } => {
                let message = format!("{service}:{operation} is an operation of AWS that this server does not serve");
                (name("UnknownOperationException", "InvalidAction"), 400, message)
            }
            Self::MissingAction => (
                name("UnknownOperationException", "MissingAction"),
                400,
                if json { String::new() } else { "Missing Action".to_owned() },
            ),
            Self::AccessDenied(message) => {
                (name("AccessDeniedException", "AccessDenied"), if json { 400 } else { 403 }, message)
            }
            Self::Throttling => (name("ThrottlingException", "Throttling"), 400, "Rate exceeded".to_owned()),
            Self::InternalFailure => ("InternalFailure", 500, String::new()),
            Self::ServiceUnavailable => (name("ServiceUnavailableException", "ServiceUnavailable"), 503, String::new()),
            Self::Serialization(message) => (name("SerializationException", "MalformedInput"), 400, message),
            Self::RequestEntityTooLarge => {
                (name("RequestEntityTooLargeException", "RequestEntityTooLarge"), 413, String::new())
            }
            Self::Validation(message) => (name("ValidationException", "ValidationError"), 400, message),
        };
        Fault { code, status, message }
    }
}

#[cfg(test)]
mod tests;
