//! An answer on its way out, in the protocol of its request.

use http::HeaderMap;
use wire::protocol::Answer;
use wire::{Fault, Protocol};

use crate::download::AnswerStream;

/// An answer.
pub struct Reply {
    /// The protocol that says which headers it has besides [`headers`](Self::headers).
    pub protocol: Protocol,
    /// The HTTP status.
    pub status: u16,
    /// Its request id.
    pub request_id: String,
    /// The error's name, if it is a fault.
    pub error: Option<&'static str>,
    /// Headers that members of the output travel in, or that a fault has.
    pub headers: HeaderMap,
    /// Its body; empty if it is a stream.
    pub body: Vec<u8>,
    /// Its body, if that is a stream.
    pub stream: Option<AnswerStream>,
}

impl std::fmt::Debug for Reply {
    /// Leaves out the body, which may hold a plaintext.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { status, request_id, error, .. } = self;
        out.debug_struct("Reply")
            .field("status", status)
            .field("request_id", request_id)
            .field("error", error)
            .finish_non_exhaustive()
    }
}

impl Reply {
    pub(crate) fn success(protocol: Protocol, request_id: String, answer: (Answer, Option<AnswerStream>)) -> Self {
        let (Answer { status, headers, body }, stream) = answer;
        Self { protocol, status, request_id, error: None, headers, body, stream }
    }

    pub(crate) fn fault(protocol: Protocol, request_id: String, fault: &Fault) -> Self {
        // Such an answer has no body in HTTP.
        let bodiless = fault.status == 304;
        let body = if bodiless { Vec::new() } else { wire::encode_fault(protocol, &request_id, fault) };
        let (status, error) = (fault.status, Some(fault.code));
        let headers = fault.headers().cloned().unwrap_or_default();
        Self { protocol, status, request_id, error, headers, body, stream: None }
    }

    /// The same without its body: an answer to `HEAD`.
    pub(crate) fn without_body(mut self) -> Self {
        (self.body, self.stream) = (Vec::new(), None);
        self
    }

    /// Its content type, unless its own headers say another. Answers of restXml without a body have none.
    #[must_use]
    pub const fn content_type(&self) -> Option<&'static str> {
        match self.protocol {
            Protocol::RestXml(_) if self.body.is_empty() && self.stream.is_none() => None,
            protocol => Some(protocol.content_type()),
        }
    }
}
