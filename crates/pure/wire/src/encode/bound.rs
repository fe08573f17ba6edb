//! Members of restXml outputs on their way into headers, status and body, and XML members by their names.

use http::{HeaderName, HeaderValue};

use super::{EncodeError, Entered, Form, Open, xml};
use crate::shape::{At, Kind, MemberInfo, Place};

/// How a member is finished once its value is written.
#[derive(Clone, Copy)]
pub(super) enum Bound {
    None,
    /// A value in JSON: where it begins, and the byte before the member.
    Json {
        value: usize,
        before: u8,
    },
    /// A value in CBOR that begins here.
    Cbor(usize),
    /// The value of this header.
    Header(&'static str),
    /// The status.
    Status,
    /// The value of this attribute.
    Attribute(&'static str),
}

/// Begins the body's root element, if there is a member that needs one.
pub(super) fn open_root(open: &mut Open<'_, '_>) {
    if open.inner.iter().any(|member| in_body(&member.place)) {
        open.sink.buffer.put(xml::DECLARATION);
        let namespace = Some(("", open.sink.namespace)).filter(|(_, uri)| !uri.is_empty());
        xml::open_tag(&mut open.sink.buffer, open.name, namespace);
        open.sink.buffer.put_byte(b'>');
        open.close = b'>';
    }
}

/// Whether a value is an element under the root. Labels and parameters are of requests only.
const fn in_body(place: &Place) -> bool {
    matches!(place.at, At::Body | At::Label | At::Query(_))
}

/// Goes from a structure to one of its members.
pub(super) fn enter(open: &mut Open<'_, '_>, member: &'static MemberInfo) -> Result<Entered, EncodeError> {
    let (form, place) = (open.sink.form, &member.place);
    let name = place.name.unwrap_or(member.name);
    open.start = open.sink.buffer.len();
    let (next, bound) = match (form, place.at) {
        (Form::Xml { .. }, _) if place.attribute => {
            if !open.tag_open {
                return Err(EncodeError::Form);
            }
            (Form::Text, Bound::Attribute(name))
        }
        (Form::Bound, At::Header(header)) => (Form::Text, Bound::Header(header)),
        (Form::Bound, At::PrefixHeaders(prefix)) => (Form::PrefixHeaders(prefix), Bound::None),
        (Form::Bound, At::Status) => (Form::Text, Bound::Status),
        (Form::Bound, At::Payload) => match member.kind {
            Kind::Structure => {
                open.sink.buffer.put(xml::DECLARATION);
                (Form::Xml { millis: true }, Bound::None)
            }
            _ => (Form::Raw, Bound::None),
        },
        _ => {
            open.close_tag();
            (if form == Form::Bound { Form::Xml { millis: true } } else { form }, Bound::None)
        }
    };
    open.sink.form = next;
    open.sink.absent = false;
    Ok(Entered { place, name, inner: member.inner, bound, form })
}

/// Takes a member's text from the buffer to where it belongs.
pub(super) fn leave(open: &mut Open<'_, '_>, bound: Bound) -> Result<(), EncodeError> {
    let start = open.start;
    let sink = &mut *open.sink;
    if sink.absent {
        return Ok(());
    }
    let text = sink.buffer.tail(start);
    match bound {
        Bound::Header(name) => {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| EncodeError::Form)?;
            let value = header_value(text)?;
            sink.headers.append(name, value);
        }
        Bound::Status => sink.status = std::str::from_utf8(text).ok().and_then(|status| status.parse().ok()),
        Bound::Attribute(name) => {
            let value = String::from_utf8_lossy(text).into_owned();
            sink.buffer.truncate(start);
            xml::attribute(&mut sink.buffer, name, &value);
            return Ok(());
        }
        Bound::None | Bound::Json { .. } | Bound::Cbor(_) => return Ok(()),
    }
    sink.buffer.truncate(start);
    Ok(())
}

/// Takes a key and its value, which begins at `middle`, from the buffer into the headers.
pub(super) fn prefix_header(open: &mut Open<'_, '_>, prefix: &str, middle: usize) -> Result<(), EncodeError> {
    let start = open.start;
    let sink = &mut *open.sink;
    let value = header_value(sink.buffer.tail(middle))?;
    let key = sink.buffer.tail(start).get(..middle.saturating_sub(start)).unwrap_or_default();
    let name = HeaderName::from_bytes(&[prefix.as_bytes(), key].concat());
    let name = name.map_err(|_| EncodeError::Value(format!("no name for a header that begins with {prefix}")))?;
    sink.headers.append(name, value);
    sink.buffer.truncate(start);
    Ok(())
}

fn header_value(text: &[u8]) -> Result<HeaderValue, EncodeError> {
    HeaderValue::from_bytes(text).map_err(|_| EncodeError::Value("no value for a header".to_owned()))
}
