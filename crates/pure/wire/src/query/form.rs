//! Form-urlencoded parameters as pairs of texts, sorted so that what belongs together stands together.

use std::borrow::Cow;
use std::cmp::Ordering;

use zeroize::Zeroize as _;

use super::node::Reader;
use super::{DEPTH_MAX, PARAMETERS_MAX};
use crate::reader::Malformed;

fn encoding() -> Malformed {
    Malformed::form("The request is not UTF-8")
}

/// One parameter. Values may be passwords: a decoded copy is wiped when dropped.
pub(super) struct Parameter<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) value: Cow<'a, str>,
}

impl Drop for Parameter<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(value) = &mut self.value {
            value.zeroize();
        }
    }
}

/// The parameters of a request, in the order of the parts of their names.
pub(crate) struct Form<'a>(Vec<Parameter<'a>>);

impl<'a> Form<'a> {
    pub(crate) fn parse(form: &'a [u8]) -> Result<Self, Malformed> {
        let count = pairs(form).take(PARAMETERS_MAX + 1).count();
        if count > PARAMETERS_MAX {
            return Err(Malformed::Form(format!("The request has more than {PARAMETERS_MAX} parameters")));
        }
        let mut parameters = Vec::with_capacity(count);
        for (name, value) in pairs(form) {
            let name = decode(name).ok_or_else(encoding)?;
            if name.split('.').count() > DEPTH_MAX {
                let message = format!("The name of a parameter has more than {DEPTH_MAX} parts");
                return Err(Malformed::Form(message));
            }
            parameters.push(Parameter { name, value: decode(value).ok_or_else(encoding)? });
        }
        parameters.sort_unstable_by(|a, b| by_parts(&a.name, &b.name));
        for (before, after) in parameters.iter().zip(parameters.iter().skip(1)) {
            if before.name == after.name {
                let name = crate::shape::quote(&after.name);
                return Err(Malformed::Form(format!("A parameter is given more than once: {name}")));
            }
        }
        Ok(Self(parameters))
    }

    /// A reader of the whole input.
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader::new(&self.0)
    }
}

/// The order of two names by their parts: that of their bytes, a dot before every other.
pub(super) fn by_parts(a: &str, b: &str) -> Ordering {
    let rank = |byte: u8| if byte == b'.' { 0 } else { u16::from(byte) + 1 };
    // Names that begin alike for long are compared in pieces.
    let (pieces, _) = a.as_bytes().as_chunks::<32>();
    let (others, _) = b.as_bytes().as_chunks::<32>();
    let alike = pieces.iter().zip(others).take_while(|(piece, other)| piece == other).count() * 32;
    let mut bytes = a.bytes().skip(alike).zip(b.bytes().skip(alike));
    let different = bytes.find(|(a, b)| a != b);
    different.map_or_else(|| a.len().cmp(&b.len()), |(a, b)| rank(a).cmp(&rank(b)))
}

/// The still encoded names and values.
pub(crate) fn pairs(form: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    form.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        let middle = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let (name, value) = pair.split_at_checked(middle).unwrap_or((pair, b""));
        (name, value.strip_prefix(b"=").unwrap_or_default())
    })
}

/// Decodes a name or a value; `None` if it is not UTF-8.
pub(crate) fn decode(text: &[u8]) -> Option<Cow<'_, str>> {
    if !text.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return std::str::from_utf8(text).ok().map(Cow::Borrowed);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, others @ ..] = rest {
        rest = others;
        decoded.push(match (byte, others) {
            (b'+', _) => b' ',
            (b'%', [high, low, others @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    rest = others;
                    high << 4 | low
                }
                _ => b'%',
            },
            _ => *byte,
        });
    }
    String::from_utf8(decoded).map(Cow::Owned).map_err(|error| error.into_bytes().zeroize()).ok()
}

/// The value of a hexadecimal digit.
const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}
