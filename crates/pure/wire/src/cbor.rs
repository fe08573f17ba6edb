//! CBOR as rpc-v2-cbor has it: read value by value, with every length and depth bounded by the body.
//!
//! Source: RFC 8949; Smithy, "Smithy RPC v2 CBOR protocol".

use std::borrow::Cow;

use minicbor::Decoder;
use minicbor::data::{Tag, Type};
use zeroize::Zeroizing;

use crate::Timestamp;
use crate::reader::{Level, Malformed, Wanted};

/// The most levels of an ignored value.
const DEPTH_MAX: usize = 64;

/// The tag of seconds since the epoch.
pub(crate) const EPOCH_SECONDS: u64 = 1;

/// A body in CBOR, read from front to back.
pub(crate) struct Reader<'a>(Decoder<'a>);

fn syntax<E>(_: E) -> Malformed {
    Malformed::Syntax
}

impl<'a> Reader<'a> {
    /// A reader of a body; an empty one counts as an empty map.
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self(Decoder::new(if body.is_empty() { b"\xa0" } else { body }))
    }

    /// Checks that nothing is left.
    pub(crate) fn finish(self) -> Result<(), Malformed> {
        if self.0.position() == self.0.input().len() { Ok(()) } else { Err(Malformed::Syntax) }
    }

    fn kind(&self) -> Result<Type, Malformed> {
        self.0.datatype().map_err(syntax)
    }

    /// The error for the value that comes next, where something else was wanted.
    #[cold]
    fn mismatch(&self, wanted: Wanted) -> Malformed {
        wanted.refuse(match self.kind() {
            Ok(Type::Bool) if self.0.input().get(self.0.position()) == Some(&0xf5) => "TRUE_VALUE",
            Ok(Type::Bool) => "FALSE_VALUE",
            Ok(Type::Null | Type::Undefined) => "NULL_VALUE",
            Ok(Type::F16 | Type::F32 | Type::F64) => "DECIMAL_VALUE",
            Ok(Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::I8 | Type::I16 | Type::I32 | Type::I64) => {
                "NUMBER_VALUE"
            }
            Ok(Type::Int) => "NUMBER_VALUE",
            Ok(Type::String | Type::StringIndef) => "STRING_VALUE",
            Ok(Type::Bytes | Type::BytesIndef) => "BYTES_VALUE",
            Ok(Type::Array | Type::ArrayIndef) => {
                return Malformed::form("Start of list found where not expected");
            }
            Ok(Type::Map | Type::MapIndef) => {
                return Malformed::form("Start of structure or map found where not expected.");
            }
            Ok(Type::Tag) => "TAGGED_VALUE",
            Ok(_) | Err(_) => return Malformed::Syntax,
        })
    }

    pub(crate) fn text(&mut self, wanted: Wanted) -> Result<Cow<'a, str>, Malformed> {
        match self.kind()? {
            Type::String => self.0.str().map(Cow::Borrowed).map_err(syntax),
            Type::StringIndef => {
                let pieces = self.0.str_iter().map_err(syntax)?;
                pieces.collect::<Result<String, _>>().map(Cow::Owned).map_err(syntax)
            }
            _ => Err(self.mismatch(wanted)),
        }
    }

    pub(crate) fn bytes(&mut self) -> Result<Zeroizing<Vec<u8>>, Malformed> {
        let mut bytes = Zeroizing::new(Vec::new());
        match self.kind()? {
            Type::Bytes => bytes.extend_from_slice(self.0.bytes().map_err(syntax)?),
            Type::BytesIndef => {
                // Room for all at once, so that growing leaves no copy behind.
                let start = self.0.position();
                let length = self
                    .0
                    .bytes_iter()
                    .map_err(syntax)?
                    .try_fold(0, |sum, piece| piece.map(|piece| sum + piece.len()).map_err(syntax))?;
                bytes.reserve_exact(length);
                self.0.set_position(start);
                for piece in self.0.bytes_iter().map_err(syntax)? {
                    bytes.extend_from_slice(piece.map_err(syntax)?);
                }
            }
            _ => return Err(self.mismatch(Wanted::Blob)),
        }
        Ok(bytes)
    }

    pub(crate) fn boolean(&mut self) -> Result<bool, Malformed> {
        match self.kind()? {
            Type::Bool => self.0.bool().map_err(syntax),
            _ => Err(self.mismatch(Wanted::Boolean)),
        }
    }

    pub(crate) fn number(&mut self, wanted: Wanted, min: i64, max: i64) -> Result<i64, Malformed> {
        match self.whole_number()? {
            Some(Some(number)) if (min..=max).contains(&number) => Ok(number),
            Some(_) => Err(wanted.refuse("NUMBER_VALUE")),
            None => Err(self.mismatch(wanted)),
        }
    }

    /// The whole number that comes next, `Some(None)` if it is beyond those of `i64`, and `None` if there is none.
    fn whole_number(&mut self) -> Result<Option<Option<i64>>, Malformed> {
        match self.kind()? {
            Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::Int => {
                let number = self.0.int().map_err(syntax)?;
                Ok(Some(i64::try_from(i128::from(number)).ok()))
            }
            _ => Ok(None),
        }
    }

    /// A float of any width; minicbor's own half floats would take another crate.
    fn float(&mut self) -> Result<Option<f64>, Malformed> {
        Ok(Some(match self.kind()? {
            Type::F64 => self.0.f64().map_err(syntax)?,
            Type::F32 => self.0.f32().map_err(syntax)?.into(),
            Type::F16 => {
                let at = self.0.position();
                let half =
                    self.0.input().get(at..).and_then(|rest| rest.first_chunk::<3>()).ok_or(Malformed::Syntax)?;
                self.0.set_position(at + 3);
                let [_, high, low] = *half;
                half_float(u16::from_be_bytes([high, low]))
            }
            _ => return Ok(None),
        }))
    }

    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, which is a date no one has")]
    pub(crate) fn timestamp(&mut self) -> Result<Timestamp, Malformed> {
        if self.kind()? != Type::Tag {
            return Err(self.mismatch(Wanted::Timestamp));
        }
        if self.0.tag().map_err(syntax)? != Tag::new(EPOCH_SECONDS) {
            return Err(Wanted::Timestamp.refuse("TAGGED_VALUE"));
        }
        if let Some(seconds) = self.whole_number()? {
            return Ok(Timestamp::from_millis(seconds.unwrap_or(i64::MAX).saturating_mul(1000)));
        }
        match self.float()? {
            Some(seconds) if seconds.is_finite() => Ok(Timestamp::from_millis((seconds * 1000.0).round() as i64)),
            Some(_) => Err(Wanted::Timestamp.refuse("DECIMAL_VALUE")),
            None => Err(self.mismatch(Wanted::Timestamp)),
        }
    }

    /// Passes a value that is null or undefined, and returns whether it was.
    pub(crate) fn null(&mut self) -> Result<bool, Malformed> {
        let null = matches!(self.kind()?, Type::Null | Type::Undefined);
        if null {
            self.0.set_position(self.0.position() + 1);
        }
        Ok(null)
    }

    pub(crate) fn open(&mut self, wanted: Wanted) -> Result<Level<'a>, Malformed> {
        let left = match (self.kind()?, wanted) {
            (Type::Array | Type::ArrayIndef, Wanted::List) => self.0.array(),
            (Type::Map | Type::MapIndef, Wanted::Map | Wanted::Structure) => self.0.map(),
            _ => return Err(self.mismatch(wanted)),
        };
        Ok(Level::Cbor { left: left.map_err(syntax)? })
    }

    pub(crate) fn next_element(&mut self, left: &mut Option<u64>) -> Result<bool, Malformed> {
        match left {
            Some(0) => Ok(false),
            Some(left) => {
                *left -= 1;
                Ok(true)
            }
            None if self.kind()? == Type::Break => {
                self.0.set_position(self.0.position() + 1);
                Ok(false)
            }
            None => Ok(true),
        }
    }

    pub(crate) fn next_name(&mut self, left: &mut Option<u64>) -> Result<Option<Cow<'a, str>>, Malformed> {
        if !self.next_element(left)? {
            return Ok(None);
        }
        // A name of any other type is not of the protocol.
        self.text(Wanted::Text).map(Some).map_err(syntax)
    }

    pub(crate) fn skip(&mut self) -> Result<(), Malformed> {
        self.skip_within(DEPTH_MAX)
    }

    fn skip_within(&mut self, depth: usize) -> Result<(), Malformed> {
        let depth = depth.checked_sub(1).ok_or(Malformed::Syntax)?;
        match self.kind()? {
            Type::Array | Type::ArrayIndef => {
                let mut left = self.0.array().map_err(syntax)?;
                while self.next_element(&mut left)? {
                    self.skip_within(depth)?;
                }
            }
            Type::Map | Type::MapIndef => {
                let mut left = self.0.map().map_err(syntax)?;
                while self.next_element(&mut left)? {
                    self.skip_within(depth)?;
                    self.skip_within(depth)?;
                }
            }
            Type::Tag => {
                self.0.tag().map_err(syntax)?;
                self.skip_within(depth)?;
            }
            Type::StringIndef => {
                for piece in self.0.str_iter().map_err(syntax)? {
                    piece.map_err(syntax)?;
                }
            }
            Type::BytesIndef => {
                for piece in self.0.bytes_iter().map_err(syntax)? {
                    piece.map_err(syntax)?;
                }
            }
            Type::F16 | Type::F32 | Type::F64 => self.float().map(|_| ())?,
            Type::Break | Type::Unknown(_) => return Err(Malformed::Syntax),
            // One head and what it announces.
            _ => self.0.skip().map_err(syntax)?,
        }
        Ok(())
    }
}

/// The value of a float of 16 bits. Source: RFC 8949, appendix D.
fn half_float(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => fraction * f64::exp2(-24.0),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (fraction + 1024.0) * f64::exp2(f64::from(exponent - 25)),
    };
    if bits & 0x8000 == 0 { magnitude } else { -magnitude }
}
