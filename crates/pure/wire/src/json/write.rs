//! Writes outputs as JSON, as serde_json would, but for the members of structures that are absent, which are left out:
//! texts in one piece where nothing in them needs escaping, and bytes straight into base64.

use serde::Serialize;
use serde::ser::{Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple, Serializer};
use serde_json::Error;

use crate::buffer::Buffer;
use crate::unanswered::refuse_unanswered;

/// Whether a text stands for itself between the quotes of a JSON string.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    const fn is_special(byte: u8) -> bool {
        (byte < b' ') | (byte == b'"') | (byte == b'\\')
    }
    // Every byte of a chunk is looked at, whatever it is: the compiler makes a few wide instructions of it.
    fn look<const N: usize>(mut seen: [bool; N], chunk: &[u8; N]) -> [bool; N] {
        for (seen, byte) in seen.iter_mut().zip(chunk) {
            *seen |= is_special(*byte);
        }
        seen
    }
    let bytes = text.as_bytes();
    // The last chunk overlaps the one before it.
    if let Some(last) = bytes.last_chunk() {
        let seen = look([false; 16], last);
        bytes.as_chunks().0.iter().fold(seen, look) == [false; 16]
    } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        look(look([false; 8], first), last) == [false; 8]
    } else {
        !bytes.iter().any(|byte| is_special(*byte))
    }
}

/// Room for texts longer than this is made at once: growing piece by piece would take up to three times as much.
/// As much again is for what follows.
const ROOM_BYTES_MIN: usize = 1024;

/// How many bytes a text has between the quotes of a JSON string.
fn escaped_length(text: &str) -> usize {
    let length = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..b' ' => 6,
        _ => 1,
    };
    text.bytes().map(length).sum()
}

/// Writes one value to the end of a buffer.
pub(super) struct Writer<'a>(pub(super) &'a mut Buffer);

impl<'a> Writer<'a> {
    fn text(self, text: &str) -> Result<(), Error> {
        if is_plain(text) {
            self.name(text);
            return Ok(());
        }
        if text.len() > ROOM_BYTES_MIN {
            self.0.make_room(escaped_length(text) + ROOM_BYTES_MIN);
        }
        serde_json::to_writer(self.0, text)
    }

    /// Writes a text that needs no escaping, as names and variants in the program have none.
    fn name(self, name: &str) {
        debug_assert!(is_plain(name), "a name needs escaping: {name}");
        self.0.put_quoted(name);
    }

    const fn open(self, bracket: u8, close: u8) -> Open<'a> {
        Open { out: self.0, before: bracket, close }
    }
}

/// A list, map or structure whose members are being written.
pub(super) struct Open<'a> {
    out: &'a mut Buffer,
    /// What stands before the next member: the opening bracket, and then a comma.
    before: u8,
    close: u8,
}

impl Open<'_> {
    fn part(&mut self) -> Writer<'_> {
        self.out.put_byte(self.before);
        self.before = b',';
        Writer(self.out)
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.out.put_byte(b':');
        value.serialize(Writer(self.out))
    }

    fn close(self) {
        if self.before != b',' {
            self.out.put_byte(self.before);
        }
        self.out.put_byte(self.close);
    }
}

/// What serde_json writes as well as anybody.
macro_rules! plain {
    ($($method:ident: $kind:ty),* $(,)?) => {$(
        fn $method(self, value: $kind) -> Result<(), Error> {
            serde_json::to_writer(self.0, &value)
        }
    )*};
}

fn no_form() -> Error {
    Error::custom("the output has a form that awsJson does not")
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Open<'a>;
    type SerializeTuple = Open<'a>;
    type SerializeMap = Open<'a>;
    type SerializeStruct = Open<'a>;

    refuse_unanswered!(Error, no_form());

    /// It is; but blobs take it for one that has a form of its own for bytes, as this has.
    fn is_human_readable(&self) -> bool {
        false
    }

    plain! {
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
        serialize_f64: f64,
        serialize_char: char,
    }

    fn serialize_str(self, text: &str) -> Result<(), Error> {
        self.text(text)
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Error> {
        self.0.put_byte(b'"');
        self.0.put_base64(bytes);
        self.0.put_byte(b'"');
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.0.put(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.name(variant);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let mut open = self.open(b'{', b'}');
        SerializeStruct::serialize_field(&mut open, variant, value)?;
        open.close();
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Open<'a>, Error> {
        Ok(self.open(b'[', b']'))
    }

    fn serialize_tuple(self, _: usize) -> Result<Open<'a>, Error> {
        Ok(self.open(b'[', b']'))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Open<'a>, Error> {
        Ok(self.open(b'{', b'}'))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Open<'a>, Error> {
        Ok(self.open(b'{', b'}'))
    }
}

impl SerializeSeq for Open<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(self.part())
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

impl SerializeTuple for Open<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result<(), Error> {
        SerializeSeq::end(self)
    }
}

impl SerializeMap for Open<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        key.serialize(self.part())?;
        // Only a text can be a name.
        if self.out.ends_with(b'"') { Ok(()) } else { Err(no_form()) }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

impl SerializeStruct for Open<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        debug_assert!(is_plain(name), "a name needs escaping: {name}");
        let member = self.out.length();
        self.out.put_name(self.before, name);
        let begin = self.out.length();
        value.serialize(Writer(self.out))?;
        // An absent member leaves no trace, as in XML.
        if self.out.has_since(begin, b"null") {
            self.out.take_back(member);
        } else {
            self.before = b',';
        }
        Ok(())
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}
