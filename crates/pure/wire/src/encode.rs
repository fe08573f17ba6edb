//! The one serializer of outputs, whichever protocol they are written in.
//!
//! Not generic over protocols: an output's `Serialize` is compiled once, and a branch finds the syntax. Which headers,
//! elements and namespaces stand around an output is the protocol's.

mod bound;
pub(crate) mod xml;

use std::fmt::Display;

use http::HeaderMap;
use minicbor::Encoder;
use serde::ser::{Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple, Serializer};

use self::bound::Bound;
use crate::buffer::Buffer;
use crate::shape::{MemberInfo, Place};
use crate::{Timestamp, cbor, json};

/// The output has a form that the protocol cannot carry.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// Such as a tuple in XML.
    #[error("the output has a form that the protocol does not")]
    Form,
    /// A value cannot be written, such as a line feed in a header.
    #[error("{0}")]
    Value(String),
}

impl serde::ser::Error for EncodeError {
    fn custom<T: Display>(message: T) -> Self {
        Self::Value(message.to_string())
    }
}

impl From<serde_json::Error> for EncodeError {
    fn from(error: serde_json::Error) -> Self {
        Self::Value(error.to_string())
    }
}

/// The syntax that a value is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Cbor,
    /// Elements; times with milliseconds or without.
    Xml {
        millis: bool,
    },
    /// A structure of restXml, whose members travel in headers and in the body.
    Bound,
    /// A text as a header has it: bytes in base64, times as HTTP dates, lists separated by commas.
    Text,
    /// Headers under this prefix.
    PrefixHeaders(&'static str),
    /// Text or bytes as they are.
    Raw,
}

/// An answer being written.
pub(crate) struct Sink {
    pub(crate) buffer: Buffer,
    /// Headers that members travel in.
    pub(crate) headers: HeaderMap,
    /// The status that a member gives.
    pub(crate) status: Option<u16>,
    form: Form,
    /// The namespace of the root element in restXml, empty if it has none.
    namespace: &'static str,
    /// Whether the value written last was absent.
    absent: bool,
}

impl Sink {
    pub(crate) fn new(form: Form) -> Self {
        Self { buffer: Buffer::new(), headers: HeaderMap::new(), status: None, form, namespace: "", absent: false }
    }

    /// Writes a value, in XML as an element of this name.
    pub(crate) fn value<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), EncodeError> {
        self.described(name, &Place::BODY, &[], value)
    }

    /// The same for a structure with these members.
    pub(crate) fn described<T: Serialize + ?Sized>(
        &mut self,
        name: &str,
        place: &'static Place,
        inner: &'static [MemberInfo],
        value: &T,
    ) -> Result<(), EncodeError> {
        value.serialize(Value { sink: self, name, place, inner, time: false })
    }

    /// Writes a structure of restXml: its members into headers, status and body, whose root has this name.
    pub(crate) fn root<T: Serialize + ?Sized>(
        &mut self,
        name: &str,
        namespace: &'static str,
        members: &'static [MemberInfo],
        value: &T,
    ) -> Result<(), EncodeError> {
        self.namespace = namespace;
        self.described(name, &Place::BODY, members, value)
    }

    fn cbor(&mut self) -> Encoder<&mut Buffer> {
        Encoder::new(&mut self.buffer)
    }

    /// Writes a text that needs no escaping, in XML as an element.
    fn scalar(&mut self, name: &str, text: &str) -> Result<(), EncodeError> {
        match self.form {
            Form::Json => json::write_text(&mut self.buffer, text)?,
            Form::Cbor => infallible(self.cbor().str(text)),
            Form::Xml { .. } => xml::text_element(&mut self.buffer, name, text),
            Form::Text | Form::Raw => self.buffer.put(text.as_bytes()),
            Form::Bound | Form::PrefixHeaders(_) => return Err(EncodeError::Form),
        }
        Ok(())
    }

    fn bytes(&mut self, name: &str, bytes: &[u8]) -> Result<(), EncodeError> {
        match self.form {
            Form::Json => {
                self.buffer.put_byte(b'"');
                self.buffer.put_base64(bytes);
                self.buffer.put_byte(b'"');
            }
            Form::Cbor => infallible(self.cbor().bytes(bytes)),
            Form::Xml { .. } => {
                xml::start(&mut self.buffer, name);
                self.buffer.put_base64(bytes);
                xml::end(&mut self.buffer, name);
            }
            Form::Text => self.buffer.put_base64(bytes),
            Form::Raw => self.buffer.put(bytes),
            Form::Bound | Form::PrefixHeaders(_) => return Err(EncodeError::Form),
        }
        Ok(())
    }

    fn boolean(&mut self, name: &str, value: bool) -> Result<(), EncodeError> {
        match self.form {
            Form::Json => self.buffer.put(if value { b"true" } else { b"false" }),
            Form::Cbor => infallible(self.cbor().bool(value)),
            _ => self.scalar(name, if value { "true" } else { "false" })?,
        }
        Ok(())
    }

    fn number<N: Into<i128> + Copy + Serialize + Display>(&mut self, name: &str, value: N) -> Result<(), EncodeError> {
        match self.form {
            Form::Json => serde_json::to_writer(&mut self.buffer, &value)?,
            Form::Cbor => {
                let value: i128 = value.into();
                let number = minicbor::data::Int::try_from(value).map_err(|_| EncodeError::Form)?;
                infallible(self.cbor().int(number));
            }
            _ => self.scalar(name, &value.to_string())?,
        }
        Ok(())
    }

    fn float(&mut self, name: &str, value: f64) -> Result<(), EncodeError> {
        match self.form {
            Form::Json => serde_json::to_writer(&mut self.buffer, &value)?,
            Form::Cbor => infallible(self.cbor().f64(value)),
            _ => self.scalar(name, &value.to_string())?,
        }
        Ok(())
    }

    /// Writes a point in time, given in seconds.
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, which is a date no one has")]
    fn time(&mut self, name: &str, seconds: f64) -> Result<(), EncodeError> {
        let at = || Timestamp::from_millis((seconds * 1000.0).round() as i64);
        match self.form {
            Form::Json => self.float(name, seconds),
            Form::Cbor => {
                infallible(self.cbor().tag(minicbor::data::Tag::new(cbor::EPOCH_SECONDS)));
                let whole = at().millis();
                if whole % 1000 == 0 { self.number(name, whole / 1000) } else { self.float(name, seconds) }
            }
            Form::Xml { millis: true } => self.scalar(name, &at().iso8601_millis()),
            Form::Text => self.scalar(name, &at().http_date()),
            _ => self.scalar(name, &at().iso8601()),
        }
    }

    fn absent(&mut self) -> Result<(), EncodeError> {
        self.absent = true;
        match self.form {
            Form::Json => self.buffer.put(b"null"),
            Form::Cbor => infallible(self.cbor().null()),
            // An absent value leaves no trace.
            _ => {}
        }
        Ok(())
    }
}

/// The result of writing to a buffer, which takes everything.
fn infallible<T>(_: Result<T, minicbor::encode::Error<std::convert::Infallible>>) {}

/// One value to be written, and under which name.
pub(crate) struct Value<'s, 'n> {
    sink: &'s mut Sink,
    name: &'n str,
    place: &'static Place,
    inner: &'static [MemberInfo],
    /// Whether a number is the seconds of a [`Timestamp`].
    time: bool,
}

/// The bracket that closes a list or map in CBOR, if its length is not given.
const CBOR_BREAK: u8 = 0xff;

impl<'s, 'n> Value<'s, 'n> {
    fn open(self, list: bool, length: Option<usize>) -> Result<Open<'s, 'n>, EncodeError> {
        let Self { sink, name, place, inner, .. } = self;
        let mut open = Open { sink, name, place, inner, before: 0, close: 0, tag_open: false, start: 0 };
        let buffer = &mut open.sink.buffer;
        match (open.sink.form, list) {
            (Form::Json, true) => (open.before, open.close) = (b'[', b']'),
            (Form::Json, false) => (open.before, open.close) = (b'{', b'}'),
            (Form::Cbor, _) => {
                let length = length.and_then(|length| u64::try_from(length).ok());
                let mut cbor = Encoder::new(buffer);
                match (length, list) {
                    (Some(length), true) => infallible(cbor.array(length)),
                    (Some(length), false) => infallible(cbor.map(length)),
                    (None, true) => infallible(cbor.begin_array()),
                    (None, false) => infallible(cbor.begin_map()),
                }
                open.close = if length.is_none() { CBOR_BREAK } else { 0 };
            }
            (Form::Xml { .. }, true) if place.flat => {}
            (Form::Xml { .. }, _) => {
                xml::open_tag(buffer, name, place.namespace);
                let attributes = !list && inner.iter().any(|member| member.place.attribute);
                if attributes {
                    open.tag_open = true;
                } else {
                    buffer.put_byte(b'>');
                }
                open.close = b'>';
            }
            (Form::Text, true) => open.before = b' ',
            (Form::PrefixHeaders(_), false) => {}
            (Form::Bound, false) => bound::open_root(&mut open),
            (Form::Text | Form::Raw | Form::PrefixHeaders(_) | Form::Bound, _) => return Err(EncodeError::Form),
        }
        Ok(open)
    }
}

/// A list, map or structure whose parts are being written.
pub(crate) struct Open<'s, 'n> {
    sink: &'s mut Sink,
    name: &'n str,
    place: &'static Place,
    inner: &'static [MemberInfo],
    /// In JSON, the byte before the next part: the opening bracket, and then a comma.
    before: u8,
    /// The byte that closes it, 0 if nothing does. In XML `>`, which stands for the end tag.
    close: u8,
    /// Whether the start tag still takes attributes.
    tag_open: bool,
    /// Where the part being written begins.
    start: usize,
}

/// Everything about a structure's member but its value.
struct Entered {
    place: &'static Place,
    name: &'static str,
    inner: &'static [MemberInfo],
    /// How the member is finished.
    bound: Bound,
    /// The form to go back to.
    form: Form,
}

impl Open<'_, '_> {
    fn separate(&mut self) {
        self.sink.buffer.put_byte(self.before);
        self.before = b',';
    }

    /// Writes what stands before a member's value.
    fn enter(&mut self, name: &'static str) -> Result<Entered, EncodeError> {
        let form = self.sink.form;
        let plain = Entered { place: &Place::BODY, name, inner: &[], bound: Bound::None, form };
        match form {
            Form::Json => {
                debug_assert!(json::is_plain(name), "a name needs escaping: {name}");
                self.start = self.sink.buffer.len();
                self.sink.buffer.put_name(self.before, name);
                let bound = Bound::Json { value: self.sink.buffer.len(), before: self.before };
                self.before = b',';
                Ok(Entered { bound, ..plain })
            }
            Form::Cbor => {
                self.start = self.sink.buffer.len();
                infallible(self.sink.cbor().str(name));
                Ok(Entered { bound: Bound::Cbor(self.sink.buffer.len()), ..plain })
            }
            Form::Xml { .. } | Form::Bound => match self.inner.iter().find(|member| member.name == name) {
                Some(member) => bound::enter(self, member),
                None => Ok(plain),
            },
            Form::Text | Form::PrefixHeaders(_) | Form::Raw => Err(EncodeError::Form),
        }
    }

    /// Finishes a member whose value is written.
    fn leave(&mut self, entered: &Entered) -> Result<(), EncodeError> {
        self.sink.form = entered.form;
        match entered.bound {
            Bound::None => Ok(()),
            // An absent member is not written.
            Bound::Json { value, before } => {
                if self.sink.buffer.tail(value) == b"null" {
                    self.sink.buffer.truncate(self.start);
                    self.before = before;
                }
                Ok(())
            }
            Bound::Cbor(value) => {
                if self.sink.buffer.tail(value) == [0xf6] {
                    self.sink.buffer.truncate(self.start);
                }
                Ok(())
            }
            bound => bound::leave(self, bound),
        }
    }

    fn close(&mut self) {
        match self.sink.form {
            Form::Json => {
                if self.before != b',' {
                    self.sink.buffer.put_byte(self.before);
                }
                self.sink.buffer.put_byte(self.close);
            }
            Form::Cbor if self.close == CBOR_BREAK => self.sink.buffer.put_byte(CBOR_BREAK),
            Form::Xml { .. } if self.close != 0 => {
                self.close_tag();
                xml::end(&mut self.sink.buffer, self.name);
            }
            Form::Bound if self.close != 0 => xml::end(&mut self.sink.buffer, self.name),
            _ => {}
        }
    }

    /// Ends a start tag that took attributes.
    fn close_tag(&mut self) {
        if std::mem::take(&mut self.tag_open) {
            self.sink.buffer.put_byte(b'>');
        }
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        let name = match self.sink.form {
            Form::Json => {
                self.separate();
                ""
            }
            Form::Xml { .. } if self.place.flat => self.name,
            Form::Xml { .. } => self.place.item,
            Form::Text => {
                if self.before == b',' {
                    self.sink.buffer.put(b", ");
                }
                self.before = b',';
                ""
            }
            _ => "",
        };
        self.sink.described(name, &Place::BODY, self.inner, value)
    }
}

macro_rules! numbers {
    ($($method:ident: $type:ty),* $(,)?) => {$(
        fn $method(self, value: $type) -> Result<(), EncodeError> {
            self.sink.number(self.name, value)
        }
    )*};
}

impl<'s, 'n> Serializer for Value<'s, 'n> {
    type Ok = ();
    type Error = EncodeError;
    type SerializeSeq = Open<'s, 'n>;
    type SerializeTuple = Open<'s, 'n>;
    type SerializeMap = Open<'s, 'n>;
    type SerializeStruct = Open<'s, 'n>;
    type SerializeTupleStruct = Impossible<(), EncodeError>;
    type SerializeTupleVariant = Impossible<(), EncodeError>;
    type SerializeStructVariant = Impossible<(), EncodeError>;

    /// Some are; but blobs take it for a serializer that has a form of its own for bytes, as this has.
    fn is_human_readable(&self) -> bool {
        false
    }

    numbers! {
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
    }

    fn serialize_bool(self, value: bool) -> Result<(), EncodeError> {
        self.sink.boolean(self.name, value)
    }

    fn serialize_f32(self, value: f32) -> Result<(), EncodeError> {
        match self.sink.form {
            Form::Json => serde_json::to_writer(&mut self.sink.buffer, &value).map_err(EncodeError::from),
            Form::Cbor => self.sink.float(self.name, value.into()),
            _ => self.sink.scalar(self.name, &value.to_string()),
        }
    }

    fn serialize_f64(self, value: f64) -> Result<(), EncodeError> {
        if self.time { self.sink.time(self.name, value) } else { self.sink.float(self.name, value) }
    }

    fn serialize_char(self, value: char) -> Result<(), EncodeError> {
        self.sink.scalar(self.name, value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), EncodeError> {
        self.sink.scalar(self.name, value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), EncodeError> {
        self.sink.bytes(self.name, value)
    }

    fn serialize_none(self) -> Result<(), EncodeError> {
        self.sink.absent()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), EncodeError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), EncodeError> {
        self.sink.absent()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), EncodeError> {
        self.sink.absent()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), EncodeError> {
        self.sink.scalar(self.name, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<(), EncodeError> {
        value.serialize(Value { time: name == crate::timestamp::NEWTYPE, ..self })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        if self.sink.form != Form::Json {
            return Err(EncodeError::Form);
        }
        let mut open = self.open(false, None)?;
        SerializeStruct::serialize_field(&mut open, variant, value)?;
        open.close();
        Ok(())
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Open<'s, 'n>, EncodeError> {
        self.open(true, length)
    }

    fn serialize_tuple(self, length: usize) -> Result<Open<'s, 'n>, EncodeError> {
        if !matches!(self.sink.form, Form::Json | Form::Cbor) {
            return Err(EncodeError::Form);
        }
        self.open(true, Some(length))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Open<'s, 'n>, EncodeError> {
        self.open(false, length)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Open<'s, 'n>, EncodeError> {
        // Absent members are left out, so that their number is not known yet.
        self.open(false, None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, EncodeError> {
        Err(EncodeError::Form)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, EncodeError> {
        Err(EncodeError::Form)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, EncodeError> {
        Err(EncodeError::Form)
    }
}

impl SerializeSeq for Open<'_, '_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.element(value)
    }

    fn end(mut self) -> Result<(), EncodeError> {
        self.close();
        Ok(())
    }
}

impl SerializeTuple for Open<'_, '_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.element(value)
    }

    fn end(mut self) -> Result<(), EncodeError> {
        self.close();
        Ok(())
    }
}

impl SerializeMap for Open<'_, '_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), EncodeError> {
        let form = self.sink.form;
        match form {
            Form::Json => self.separate(),
            Form::Xml { .. } => xml::start(&mut self.sink.buffer, "entry"),
            Form::PrefixHeaders(_) => self.sink.form = Form::Text,
            _ => {}
        }
        self.start = self.sink.buffer.len();
        self.sink.value("key", key)?;
        self.sink.form = form;
        let text = match form {
            // Only a text can be a name.
            Form::Json => self.sink.buffer.ends_with(b'"'),
            Form::Cbor => self.sink.buffer.tail(self.start).first().is_some_and(|head| head & 0xe0 == 0x60),
            _ => true,
        };
        if text { Ok(()) } else { Err(EncodeError::Form) }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        let form = self.sink.form;
        let middle = self.sink.buffer.len();
        match form {
            Form::Json => self.sink.buffer.put_byte(b':'),
            Form::PrefixHeaders(_) => self.sink.form = Form::Text,
            _ => {}
        }
        self.sink.value("value", value)?;
        self.sink.form = form;
        match form {
            Form::Xml { .. } => xml::end(&mut self.sink.buffer, "entry"),
            Form::PrefixHeaders(prefix) => bound::prefix_header(self, prefix, middle)?,
            _ => {}
        }
        Ok(())
    }

    fn end(mut self) -> Result<(), EncodeError> {
        self.close();
        Ok(())
    }
}

impl SerializeStruct for Open<'_, '_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), EncodeError> {
        let entered = self.enter(name)?;
        self.sink.described(entered.name, entered.place, entered.inner, value)?;
        self.leave(&entered)
    }

    fn end(mut self) -> Result<(), EncodeError> {
        self.close();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
