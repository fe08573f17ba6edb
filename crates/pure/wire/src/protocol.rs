//! Protocols as values: each claims the requests that speak it, decodes inputs, and encodes outputs and faults.
//!
//! One file a protocol. Knows bytes, heads and shapes; which service is called by whom, and whether it may, is for the
//! service layer.

mod cbor;
mod common_fault;
mod head;
mod json;
mod query;
mod rest_xml;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;

pub use self::cbor::Cbor;
pub use self::common_fault::CommonFault;
pub use self::head::{Claim, Head};
pub use self::json::Json;
pub use self::query::{Query, parameters};
pub use self::rest_xml::{Matched, RestXml, Route};
use crate::Fault;
use crate::encode::EncodeError;
use crate::reader::Reader;
use crate::shape::{Breach, MemberInfo, Shape};

/// A protocol that a service speaks. A service names all of its protocols; each request is claimed by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// awsJson 1.0 or 1.1: `X-Amz-Target` names the operation.
    Json(Json),
    /// Form parameters in; XML out, or JSON if the caller asks for it.
    Query(Query),
    /// Smithy RPC v2 CBOR: the path names the operation.
    Cbor(Cbor),
    /// Method, path, query and headers name the operation and carry members; XML bodies.
    RestXml(RestXml),
}

/// How the names of faults differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// awsJson and CBOR.
    Json,
    /// Query.
    Query,
    /// restXml, which is S3.
    Rest,
}

/// Parts of an answer besides the output.
#[derive(Clone, Copy)]
pub struct Answering<'a> {
    /// The operation's name; in restXml the name of the root element.
    pub operation: &'a str,
    /// The request's id.
    pub request_id: &'a str,
    /// The output's members; empty where the protocol binds none.
    pub members: &'static [MemberInfo],
    /// The status of success.
    pub status: u16,
}

/// An answer, ready to be sent.
///
/// The body may hold plaintext: whoever takes it wipes it after sending.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers that members travel in. The protocol's own are [`Protocol::headers`].
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Protocol {
    /// awsJson of this version, `1.0` or `1.1`, whose targets begin with `prefix`.
    #[must_use]
    pub const fn json(version: &'static str, prefix: &'static str) -> Self {
        Self::Json(Json { version, prefix })
    }

    /// The query protocol, whose answers are in this namespace.
    #[must_use]
    pub const fn query(namespace: &'static str) -> Self {
        Self::Query(Query { namespace, json: false })
    }

    /// CBOR for this service of the path. Faults are shapes of `namespace`, such as `com.amazonaws.codedeploy`.
    #[must_use]
    pub const fn cbor(service: &'static str, namespace: &'static str) -> Self {
        Self::Cbor(Cbor { service, namespace })
    }

    /// restXml with these routes. Answers are in `namespace`.
    #[must_use]
    pub const fn rest_xml(namespace: &'static str, routes: &'static [Route]) -> Self {
        Self::RestXml(RestXml { namespace, routes })
    }

    /// Whether a request is for `service` in this protocol, and what it asks for. No two protocols of a service claim
    /// the same request.
    #[must_use]
    pub fn claims<'a>(self, service: &str, head: &Head<'a>) -> Option<Claim<'a>> {
        match self {
            Self::Json(json) => json.claims(head),
            Self::Query(_) => query::claims(service, head),
            Self::Cbor(cbor) => cbor.claims(head),
            Self::RestXml(rest) => rest.claims(service, head),
        }
    }

    /// The protocol with what the request asks of its answer: a query service answers in JSON to `Accept`.
    #[must_use]
    pub fn answering(self, head: &Head<'_>) -> Self {
        match self {
            Self::Query(query) => Self::Query(query.answering(head)),
            other => other,
        }
    }

    pub(crate) const fn dialect(self) -> Dialect {
        match self {
            Self::Json(_) | Self::Cbor(_) => Dialect::Json,
            Self::Query(_) => Dialect::Query,
            Self::RestXml(_) => Dialect::Rest,
        }
    }

    /// The content type of every answer that does not give its own.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json(json) => json.content_type(),
            Self::Query(query) => query.content_type(),
            Self::Cbor(_) => "application/cbor",
            Self::RestXml(_) => "application/xml",
        }
    }

    /// Headers of every answer besides content type and request id.
    #[must_use]
    pub fn headers(self) -> &'static [(HeaderName, HeaderValue)] {
        static CBOR: [(HeaderName, HeaderValue); 1] =
            [(HeaderName::from_static("smithy-protocol"), HeaderValue::from_static(cbor::NAME))];
        match self {
            Self::Cbor(_) => &CBOR,
            Self::Json(_) | Self::Query(_) | Self::RestXml(_) => &[],
        }
    }

    /// The header that carries the request id of an answer.
    #[must_use]
    pub const fn request_id_header(self) -> &'static str {
        match self {
            Self::RestXml(_) => "x-amz-request-id",
            Self::Json(_) | Self::Query(_) | Self::Cbor(_) => REQUEST_ID_HEADER,
        }
    }

    /// The header and value of a second id that answers of restXml have; none in other protocols.
    #[must_use]
    pub fn host_id(self, request_id: &str) -> Option<(HeaderName, HeaderValue)> {
        static HOST_ID: HeaderName = HeaderName::from_static("x-amz-id-2");
        let Self::RestXml(_) = self else { return None };
        HeaderValue::try_from(rest_xml::host_id(request_id)).ok().map(|value| (HOST_ID.clone(), value))
    }

    /// Whether answers carry a fault's code in [`ERROR_TYPE_HEADER`].
    ///
    /// Query's do as well here, and always did.
    #[must_use]
    pub const fn has_error_type_header(self) -> bool {
        !matches!(self, Self::RestXml(_) | Self::Cbor(_))
    }

    /// Whether it is restXml, whose requests are signed by S3's rules.
    #[must_use]
    pub const fn is_rest(self) -> bool {
        matches!(self, Self::RestXml(_))
    }

    /// Whether the operation is named by the parameters of a form, which may be the body.
    #[must_use]
    pub const fn has_form(self) -> bool {
        matches!(self, Self::Query(_))
    }
}

/// A service that has claimed a request.
#[derive(Clone, Debug)]
pub struct Routed<'a, S> {
    /// The service, as it was given.
    pub service: S,
    /// The protocol of request and answer.
    pub protocol: Protocol,
    /// The operation that is asked for.
    pub claim: Claim<'a>,
}

/// Finds the service that a request is for. Each of `services` is a value that stands for it, its name in credential
/// scopes, and its protocols.
pub fn route<'a, S>(
    services: impl IntoIterator<Item = (S, &'static str, &'static [Protocol])>,
    head: &Head<'a>,
) -> Option<Routed<'a, S>> {
    services.into_iter().find_map(|(service, name, protocols)| {
        let claimed = protocols.iter().find_map(|protocol| Some((*protocol, protocol.claims(name, head)?)));
        claimed.map(|(protocol, claim)| Routed { service, protocol: protocol.answering(head), claim })
    })
}

/// The protocol that a request seems to speak, for the answer when no service has claimed it.
#[must_use]
pub fn presumed(head: &Head<'_>) -> Protocol {
    if head.is_cbor() {
        return Protocol::cbor("", "");
    }
    if head.target().is_some() {
        return Protocol::json("1.1", "");
    }
    if head.scope == Some("s3") {
        return Protocol::rest_xml("", &[]);
    }
    if head.scope.is_some() || head.is_signed() || head.is_form() {
        return Protocol::query("").answering(head);
    }
    Protocol::json("1.1", "")
}

/// Decodes and checks the input of an operation whose members all travel in the body (or, in the query protocol, in the
/// query string).
///
/// # Errors
/// The fault for a body that cannot be read (`SerializationException`, `MalformedInput`, `MalformedXML`) or that breaks
/// a constraint (`ValidationException`, `ValidationError`, `InvalidArgument`).
pub fn decode<T: Shape>(protocol: Protocol, body: &[u8]) -> Result<T, Fault> {
    let headers = HeaderMap::new();
    decode_parts(protocol, &[], &[], &headers, body, |_| None)
}

/// Decodes and checks the input of an operation from all parts of a request. For a body that streams, `body` is empty.
///
/// # Errors
/// As [`decode`], and `InvalidURI` or `InvalidArgument` for a path or query that cannot be read.
pub fn decode_request<T: Shape>(
    protocol: Protocol,
    head: &Head<'_>,
    claim: &Claim<'_>,
    body: &[u8],
) -> Result<T, Fault> {
    decode_request_with(protocol, head, claim, body, |_| None)
}

/// As [`decode_request`], for a service that has faults of its own for members that are missing or break a constraint:
/// `fault_of` names the one for the first violation, if there is one.
///
/// # Errors
/// As [`decode_request`], and what `fault_of` says.
pub fn decode_request_with<T: Shape>(
    protocol: Protocol,
    head: &Head<'_>,
    claim: &Claim<'_>,
    body: &[u8],
    fault_of: impl FnOnce(Breach) -> Option<Fault>,
) -> Result<T, Fault> {
    match (protocol, claim) {
        (Protocol::RestXml(_), Claim::Route(matched)) => {
            let query = rest_xml::query(head.query())?;
            decode_parts(protocol, &matched.labels, &query, head.headers, body, fault_of)
        }
        (Protocol::Query(_), _) => {
            decode_parts(protocol, &[], &[], &HeaderMap::new(), query::parameters(head, body), fault_of)
        }
        _ => decode_parts(protocol, &[], &[], &HeaderMap::new(), body, fault_of),
    }
}

fn decode_parts<T: Shape>(
    protocol: Protocol,
    labels: &[(&'static str, String)],
    query: &[crate::rest::Pair<'_>],
    headers: &HeaderMap,
    body: &[u8],
    fault_of: impl FnOnce(Breach) -> Option<Fault>,
) -> Result<T, Fault> {
    let form;
    let reader = match protocol {
        Protocol::Json(_) => crate::json::Reader::new(body).map(crate::reader::Source::Json),
        Protocol::Cbor(_) => Ok(crate::reader::Source::Cbor(crate::cbor::Reader::new(body))),
        Protocol::Query(_) => match crate::query::Form::parse(body) {
            Ok(parsed) => {
                form = parsed;
                Ok(crate::reader::Source::Query(form.reader()))
            }
            Err(error) => Err(error),
        },
        Protocol::RestXml(_) => {
            let parts = crate::rest::Parts { labels, query, headers, body };
            Ok(crate::reader::Source::Rest(Box::new(crate::rest::Reader::new(parts))))
        }
    };
    let wire = reader.map(Reader::new).and_then(|mut reader| {
        let wire = T::read(&mut reader, 0)?;
        reader.finish().map(|()| wire)
    });
    let wire = wire.map_err(|error| CommonFault::malformed(error, protocol))?;
    T::accept(wire).map_err(|refused| {
        let own = refused.first.and_then(fault_of);
        own.unwrap_or_else(|| CommonFault::Validation(refused.message).fault(protocol))
    })
}

/// Encodes the output of an operation. An output of type `()` is an empty body in awsJson, an empty map in CBOR and no
/// result element in XML.
///
/// # Errors
/// `InternalFailure`, when the output has a form that the protocol cannot carry.
pub fn encode<T: Serialize>(protocol: Protocol, answering: Answering<'_>, output: &T) -> Result<Answer, Fault> {
    let mut sink = crate::encode::Sink::new(match protocol {
        Protocol::Json(_) => crate::encode::Form::Json,
        Protocol::Query(query) => query.form(),
        Protocol::Cbor(_) => crate::encode::Form::Cbor,
        Protocol::RestXml(_) => crate::encode::Form::Bound,
    });
    let written = match protocol {
        Protocol::Query(query) => {
            let (result, start) = query.begin(&mut sink, answering.operation);
            sink.value(&result, output).map(|()| query.end(&mut sink, answering, start))
        }
        Protocol::RestXml(rest) => sink.root(answering.operation, rest.namespace, answering.members, output),
        Protocol::Json(_) | Protocol::Cbor(_) => sink.value("", output),
    };
    // Only a type that has no place in the protocol fails: an error in the program, which its tests show.
    written.map_err(|_: EncodeError| CommonFault::InternalFailure.fault(protocol))?;
    let (status, headers) = (sink.status.unwrap_or(answering.status), std::mem::take(&mut sink.headers));
    let body = sink.buffer.into_bytes();
    let body = match protocol {
        Protocol::Json(_) if body == b"null" => Vec::new(),
        Protocol::Cbor(_) if body == [0xf6] => vec![0xa0],
        _ => body,
    };
    Ok(Answer { status, headers, body })
}

/// Encodes the output of an operation that succeeds with status 200 and binds nothing; only the body.
///
/// # Errors
/// As [`encode`].
pub fn encode_output<T: Serialize>(
    protocol: Protocol,
    operation: &str,
    request_id: &str,
    output: &T,
) -> Result<Vec<u8>, Fault> {
    encode(protocol, Answering { operation, request_id, members: &[], status: 200 }, output).map(|answer| answer.body)
}

/// Encodes the body of a fault.
#[must_use]
pub fn encode_fault(protocol: Protocol, request_id: &str, fault: &Fault) -> Vec<u8> {
    match protocol {
        Protocol::Json(_) => json::fault(fault),
        Protocol::Query(query) => query.fault(request_id, fault),
        Protocol::Cbor(cbor) => cbor.fault(fault),
        Protocol::RestXml(_) => rest_xml::fault(request_id, fault),
    }
}

/// The header that carries the request id of an answer, in every protocol but restXml.
pub const REQUEST_ID_HEADER: &str = "x-amzn-requestid";

/// The header that carries a fault's code in awsJson.
pub const ERROR_TYPE_HEADER: &str = "x-amzn-errortype";

#[cfg(test)]
mod tests;
