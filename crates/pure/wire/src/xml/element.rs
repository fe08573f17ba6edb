//! One value as one element: lists hold `member` elements, maps hold `entry` elements, what is absent leaves no trace.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quick_xml::Writer;
use serde::ser::{Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};

use super::{XmlError, end, start, text};
use crate::Timestamp;
use crate::buffer::Buffer;
use crate::unanswered::refuse_unanswered;

/// Where a value is written, and under which name.
pub(super) struct Element<'w, 'n> {
    writer: &'w mut Writer<Buffer>,
    name: &'n str,
    /// Whether a number is the seconds of a [`Timestamp`], to be written as ISO 8601.
    time: bool,
}

impl<'w, 'n> Element<'w, 'n> {
    pub(super) const fn new(writer: &'w mut Writer<Buffer>, name: &'n str) -> Self {
        Self { writer, name, time: false }
    }

    fn text(self, value: &str) -> Result<(), XmlError> {
        text(self.writer, self.name, value).map_err(XmlError::from)
    }
}

/// An element whose children are being written.
pub(super) struct Parent<'w, 'n> {
    writer: &'w mut Writer<Buffer>,
    name: &'n str,
}

impl<'w, 'n> Parent<'w, 'n> {
    fn open(element: Element<'w, 'n>) -> Result<Self, XmlError> {
        let Element { writer, name, .. } = element;
        start(writer, name)?;
        Ok(Self { writer, name })
    }

    fn child<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), XmlError> {
        value.serialize(Element::new(self.writer, name))
    }

    fn close(self) -> Result<(), XmlError> {
        end(self.writer, self.name).map_err(XmlError::from)
    }
}

macro_rules! as_text {
    ($($method:ident: $type:ty),* $(,)?) => {$(
        fn $method(self, value: $type) -> Result<(), XmlError> {
            self.text(&value.to_string())
        }
    )*};
}

impl<'w, 'n> Serializer for Element<'w, 'n> {
    type Ok = ();
    type Error = XmlError;
    type SerializeSeq = Parent<'w, 'n>;
    type SerializeTuple = Impossible<(), XmlError>;
    type SerializeMap = Parent<'w, 'n>;
    type SerializeStruct = Parent<'w, 'n>;

    refuse_unanswered!(XmlError, XmlError::Form("a tuple, or a variant with values"));

    as_text! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_f32: f32,
        serialize_char: char,
    }

    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, which is a date no one has")]
    fn serialize_f64(self, value: f64) -> Result<(), XmlError> {
        if self.time {
            self.text(&Timestamp::from_millis((value * 1000.0).round() as i64).iso8601())
        } else {
            self.text(&value.to_string())
        }
    }

    fn serialize_str(self, value: &str) -> Result<(), XmlError> {
        self.text(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), XmlError> {
        self.text(&zeroize::Zeroizing::new(STANDARD.encode(value)))
    }

    fn serialize_none(self) -> Result<(), XmlError> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), XmlError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), XmlError> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), XmlError> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), XmlError> {
        self.text(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<(), XmlError> {
        value.serialize(Element { time: name == crate::timestamp::NEWTYPE, ..self })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), XmlError> {
        Err(XmlError::Form("a variant with a value"))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parent<'w, 'n>, XmlError> {
        Parent::open(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, XmlError> {
        Err(XmlError::Form("a tuple"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parent<'w, 'n>, XmlError> {
        Parent::open(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parent<'w, 'n>, XmlError> {
        Parent::open(self)
    }
}

impl SerializeStruct for Parent<'_, '_> {
    type Ok = ();
    type Error = XmlError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), XmlError> {
        self.child(name, value)
    }

    fn end(self) -> Result<(), XmlError> {
        self.close()
    }
}

impl SerializeSeq for Parent<'_, '_> {
    type Ok = ();
    type Error = XmlError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), XmlError> {
        self.child("member", value)
    }

    fn end(self) -> Result<(), XmlError> {
        self.close()
    }
}

impl SerializeMap for Parent<'_, '_> {
    type Ok = ();
    type Error = XmlError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), XmlError> {
        start(self.writer, "entry")?;
        self.child("key", key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), XmlError> {
        self.child("value", value)?;
        end(self.writer, "entry").map_err(XmlError::from)
    }

    fn end(self) -> Result<(), XmlError> {
        self.close()
    }
}
