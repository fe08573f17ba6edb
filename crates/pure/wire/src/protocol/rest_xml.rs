//! restXml: method, path, query keys and headers name the operation; members travel in all of them.
//!
//! Paths are raw: nothing is collapsed, and a label is decoded once. Knows no buckets: which label the host gives is for
//! who builds the [`Head`].
//!
//! Source: Smithy, "AWS restXml protocol" and "HTTP bindings"; Amazon S3 API Reference, "Error responses".

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use super::{Claim, Head};
use crate::Fault;
use crate::encode::{Form, Sink, xml};
use crate::query::{decode, pairs};
use crate::rest::Pair;

/// The most parameters of a query.
const PARAMETERS_MAX: usize = 200;

/// The operations of one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestXml {
    /// The namespace of answers' root elements.
    pub namespace: &'static str,
    /// Every operation's route. The one with most literal segments wins, then the one with most query keys and headers;
    /// among equals the first.
    pub routes: &'static [Route],
}

/// Which requests are for an operation.
#[derive(Debug, PartialEq, Eq)]
pub struct Route {
    /// The operation's name.
    pub operation: &'static str,
    /// `GET`, `PUT` and so on.
    pub method: &'static str,
    /// The path's template and the query keys that must be there, with a value or with any:
    /// `/{Bucket}/{Key+}?partNumber&uploadId`, `/{Bucket}?list-type=2`. A label with a plus takes slashes.
    pub uri: &'static str,
    /// A header that must be there, in lower case, and perhaps how its value begins, in any case: `content-type:
    /// multipart/form-data`. Empty if none.
    pub header: &'static str,
    /// The status of success.
    pub status: u16,
}

/// A route and the labels of a path that it fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    /// The route.
    pub route: &'static Route,
    /// The labels by name, decoded.
    pub labels: Vec<(&'static str, String)>,
}

impl RestXml {
    /// restXml claims by credential scope; of unsigned requests, those that are for no protocol with a form.
    pub(super) fn claims<'a>(self, service: &str, head: &Head<'a>) -> Option<Claim<'a>> {
        if head.names_protocol() {
            return None;
        }
        let claimed = match head.scope {
            Some(scope) => scope == service,
            None => !head.is_form(),
        };
        claimed.then(|| self.find(head).map_or(Claim::Nowhere, Claim::Route))
    }

    /// The route that fits best.
    fn find(self, head: &Head<'_>) -> Option<Matched> {
        let mut best: Option<(usize, &'static Route)> = None;
        for route in self.routes {
            if route.method != head.method.as_str() {
                continue;
            }
            // Most routes ask for a query key that is not there: paths are parted for the few others.
            let Some(weight) = route.weight(head) else { continue };
            if best.is_none_or(|(most, _)| weight > most) && labels(route.path(), head).is_some() {
                best = Some((weight, route));
            }
        }
        let (_, route) = best?;
        let labels = labels(route.path(), head)?;
        let decoded = labels.into_iter().map(|(name, raw)| Some((name, decode_label(raw)?)));
        Some(Matched { route, labels: decoded.collect::<Option<_>>()? })
    }
}

impl Route {
    fn path(&self) -> &'static str {
        self.uri.split('?').next().unwrap_or_default()
    }

    /// How specific the route is, if the request has all of its query keys and headers.
    fn weight(&self, head: &Head<'_>) -> Option<usize> {
        let required = self.uri.split_once('?').map_or("", |(_, query)| query);
        let literals = self.path().split('/').filter(|part| !part.is_empty() && !part.starts_with('{')).count();
        let mut weight = literals * PARAMETERS_MAX;
        for pair in required.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').map_or((pair, None), |(key, value)| (key, Some(value)));
            // A name for readers of logs: clients may leave it out.
            if key == "x-id" {
                continue;
            }
            let found = pairs(head.query().as_bytes()).take(PARAMETERS_MAX).any(|(name, given)| {
                decode(name).is_some_and(|name| name == key)
                    && value.is_none_or(|value| decode(given).is_some_and(|given| given == value))
            });
            weight += usize::from(found);
            if !found {
                return None;
            }
        }
        match self.header {
            "" => Some(weight),
            header => {
                let (name, start) = header.split_once(": ").unwrap_or((header, ""));
                let value = head.headers.get(name)?.as_bytes();
                let begins = value.get(..start.len()).is_some_and(|value| value.eq_ignore_ascii_case(start.as_bytes()));
                begins.then_some(weight + 1)
            }
        }
    }
}

/// The labels of a template, raw, if the request's path fits.
fn labels<'a>(template: &'static str, head: &Head<'a>) -> Option<Vec<(&'static str, &'a str)>> {
    let mut host_label = head.host_label;
    let mut rest = Some(head.uri.path().strip_prefix('/')?);
    let mut labels = Vec::new();
    for part in template.split('/').skip(1).filter(|part| !part.is_empty()) {
        let label = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        if let (Some(name), Some(value)) = (label, host_label) {
            labels.push((name.trim_end_matches('+'), value));
            host_label = None;
            continue;
        }
        if let Some(name) = label.and_then(|label| label.strip_suffix('+')) {
            labels.push((name, rest.take().filter(|rest| !rest.is_empty())?));
            continue;
        }
        let segment;
        (segment, rest) = match rest?.split_once('/') {
            Some((segment, rest)) => (segment, Some(rest)),
            None => (rest?, None),
        };
        match label {
            Some(_) if segment.is_empty() => return None,
            Some(name) => labels.push((name, segment)),
            None if segment == part => {}
            None => return None,
        }
    }
    // `/b` and `/b/` are the same.
    (host_label.is_none() && rest.is_none_or(str::is_empty)).then_some(labels)
}

/// A label, decoded once; `None` if it is not UTF-8 or has a percent sign that begins no escape.
fn decode_label(raw: &str) -> Option<String> {
    let mut escapes = raw.split('%').skip(1);
    let whole = escapes.all(|escape| {
        escape.as_bytes().first_chunk::<2>().is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    if whole { percent_decode_str(raw).decode_utf8().ok().map(Cow::into_owned) } else { None }
}

/// The parameters of a query, decoded.
pub(super) fn query(query: &str) -> Result<Vec<Pair<'_>>, Fault> {
    let refuse = || Fault::sender("InvalidURI", "Couldn't parse the specified URI.");
    let pairs = pairs(query.as_bytes());
    let mut decoded = Vec::new();
    for (name, value) in pairs {
        if decoded.len() == PARAMETERS_MAX {
            return Err(refuse());
        }
        decoded.push((decode(name).ok_or_else(refuse)?, decode(value).ok_or_else(refuse)?));
    }
    Ok(decoded)
}

/// The second id of an answer. AWS's finds the host that answered; here the request id says all, so this is its digest.
pub(super) fn host_id(request_id: &str) -> String {
    STANDARD.encode(crypto::sha256(request_id.as_bytes()))
}

/// A fault as S3 writes it: without a namespace.
pub(super) fn fault(request_id: &str, fault: &Fault) -> Vec<u8> {
    let mut sink = Sink::new(Form::Xml { millis: true });
    let out = &mut sink.buffer;
    out.put(xml::DECLARATION);
    xml::start(out, "Error");
    xml::text_element(out, "Code", fault.code);
    xml::text_element(out, "Message", &fault.message);
    for (name, value) in fault.details() {
        xml::text_element(out, name, value);
    }
    xml::text_element(out, "RequestId", request_id);
    xml::text_element(out, "HostId", &host_id(request_id));
    xml::end(out, "Error");
    sink.buffer.into_bytes()
}
