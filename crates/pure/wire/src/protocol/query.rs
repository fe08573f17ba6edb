//! The query protocol: form parameters in, the operation in `Action`; XML out, or JSON to callers who ask for that.
//!
//! Source: Smithy, "AWS Query protocol". JSON answers are of the AWS services' own and nowhere specified: the same
//! names as in XML, lists as arrays, times as seconds since the epoch.

use http::{Method, header};

use super::{Answering, Claim, Head};
use crate::encode::{Form, Sink, xml};
use crate::{Culprit, Fault, json};

/// Query for one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// The namespace of the answer's root element.
    pub namespace: &'static str,
    /// Whether the answer is JSON.
    pub json: bool,
}

/// Query claims by credential scope; of unsigned requests, those whose parameters are a form.
pub(super) fn claims<'a>(service: &str, head: &Head<'a>) -> Option<Claim<'a>> {
    if head.names_protocol() {
        return None;
    }
    let claimed = match head.scope {
        Some(scope) => scope == service,
        None => head.is_form(),
    };
    claimed.then_some(Claim::Form)
}

/// Where the input is: the body, or the query string of a GET.
pub fn parameters<'a>(head: &Head<'a>, body: &'a [u8]) -> &'a [u8] {
    if head.method == Method::GET { head.query().as_bytes() } else { body }
}

impl Query {
    /// The same with the answer's form that the request accepts.
    pub(super) fn answering(self, head: &Head<'_>) -> Self {
        let accepts = head.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        let first = accepts.split([',', ';']).next().unwrap_or_default().trim();
        Self { json: first.eq_ignore_ascii_case("application/json"), ..self }
    }

    pub(super) const fn content_type(self) -> &'static str {
        if self.json { "application/json" } else { "text/xml" }
    }

    pub(super) const fn form(self) -> Form {
        if self.json { Form::Json } else { Form::Xml { millis: false } }
    }

    /// Writes what stands before the output; returns the name of the output's element, and where that begins.
    pub(super) fn begin(self, sink: &mut Sink, operation: &str) -> (String, usize) {
        let out = &mut sink.buffer;
        let result = format!("{operation}Result");
        let start;
        if self.json {
            out.put_name(b'{', &format!("{operation}Response"));
            start = out.len();
            out.put_name(b'{', &result);
        } else {
            xml::open_tag(out, &format!("{operation}Response"), Some(("", self.namespace)));
            out.put_byte(b'>');
            start = out.len();
        }
        (result, start)
    }

    /// Writes what stands behind the output, which began at `start`.
    pub(super) fn end(self, sink: &mut Sink, answering: Answering<'_>, start: usize) {
        let out = &mut sink.buffer;
        if self.json {
            // An output that is nothing has no member, as it has no element in XML.
            let absent = out.tail(start).ends_with(b"Result\":null");
            if absent {
                out.truncate(start);
            }
            out.put_name(if absent { b'{' } else { b',' }, "ResponseMetadata");
            out.put_name(b'{', "RequestId");
            out.put_quoted(answering.request_id);
            out.put(b"}}}");
        } else {
            xml::start(out, "ResponseMetadata");
            xml::text_element(out, "RequestId", answering.request_id);
            xml::end(out, "ResponseMetadata");
            xml::end(out, &format!("{}Response", answering.operation));
        }
    }

    pub(super) fn fault(self, request_id: &str, fault: &Fault) -> Vec<u8> {
        let culprit = match fault.culprit() {
            Culprit::Sender => "Sender",
            Culprit::Receiver => "Receiver",
        };
        let mut sink = Sink::new(self.form());
        let out = &mut sink.buffer;
        if self.json {
            out.put_name(b'{', "Error");
            out.put_name(b'{', "Code");
            out.put_quoted(fault.code);
            out.put_name(b',', "Message");
            // A text cannot fail to be written.
            let _ = json::write_text(out, &fault.message);
            out.put_name(b',', "Type");
            out.put_quoted(culprit);
            out.put_byte(b'}');
            out.put_name(b',', "RequestId");
            out.put_quoted(request_id);
            out.put_byte(b'}');
        } else {
            xml::open_tag(out, "ErrorResponse", Some(("", self.namespace)));
            out.put_byte(b'>');
            xml::start(out, "Error");
            xml::text_element(out, "Type", culprit);
            xml::text_element(out, "Code", fault.code);
            xml::text_element(out, "Message", &fault.message);
            xml::end(out, "Error");
            xml::text_element(out, "RequestId", request_id);
            xml::end(out, "ErrorResponse");
        }
        sink.buffer.into_bytes()
    }
}
