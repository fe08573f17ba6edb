//! Object ids of both formats. Knows no hash function.

use std::fmt;

/// Bytes of the longest id.
const BYTES_MAX: usize = 32;

/// A repository's hash function, by which its objects are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectFormat {
    /// SHA-1, with detection of collisions.
    Sha1,
    /// SHA-256.
    Sha256,
}

impl ObjectFormat {
    /// The length of an id in bytes: 20 or 32.
    #[must_use]
    pub const fn id_bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => BYTES_MAX,
        }
    }

    /// The name in the capability `object-format`: `sha1` or `sha256`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    /// The format of that name.
    #[must_use]
    pub const fn from_name(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"sha1" => Self::Sha1,
            b"sha256" => Self::Sha256,
            _ => return None,
        })
    }
}

/// The id of an object: its hash. Ids of one format are in the order of their bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    format: ObjectFormat,
    /// Zeros follow a shorter id.
    bytes: [u8; BYTES_MAX],
}

/// A text or bytes that are no id of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an object id of the format {}", .format.name())]
pub struct IdError {
    /// The format that was expected.
    pub format: ObjectFormat,
}

impl ObjectId {
    /// The id that is written as all zeros and names no object.
    #[must_use]
    pub const fn null(format: ObjectFormat) -> Self {
        Self { format, bytes: [0; BYTES_MAX] }
    }

    /// The id of those bytes.
    ///
    /// # Errors
    /// [`IdError`] when there are more or fewer than the format's.
    pub fn from_bytes(format: ObjectFormat, bytes: &[u8]) -> Result<Self, IdError> {
        let mut id = Self::null(format);
        if bytes.len() != format.id_bytes() {
            return Err(IdError { format });
        }
        id.bytes.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        Ok(id)
    }

    /// The id that is written as these hexadecimal digits, in either case.
    ///
    /// # Errors
    /// [`IdError`] for another length or another character.
    pub fn from_hex(format: ObjectFormat, hex: &[u8]) -> Result<Self, IdError> {
        let error = IdError { format };
        if hex.len() != 2 * format.id_bytes() {
            return Err(error);
        }
        let mut id = Self::null(format);
        for (byte, pair) in id.bytes.iter_mut().zip(hex.chunks_exact(2)) {
            let [high, low] = pair else { return Err(error) };
            let digit = |character: u8| char::from(character).to_digit(16).ok_or(error);
            // Two digits of 4 bits.
            *byte = (digit(*high)? << 4 | digit(*low)?) as u8;
        }
        Ok(id)
    }

    /// The hash function that made it.
    #[must_use]
    pub const fn format(&self) -> ObjectFormat {
        self.format
    }

    /// Its 20 or 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.format.id_bytes()).unwrap_or(&self.bytes)
    }

    /// Whether it is all zeros.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.bytes == [0; BYTES_MAX]
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::{ObjectFormat, ObjectId};

    #[test]
    fn an_id_is_written_as_it_was_read() {
        for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
            let hex = "0123456789abcdef".repeat(4);
            let hex = &hex[..2 * format.id_bytes()];
            let id = ObjectId::from_hex(format, hex.as_bytes()).expect("an id");
            assert_eq!(id.to_string(), hex);
            assert_eq!(ObjectId::from_bytes(format, id.as_bytes()), Ok(id));
            assert_eq!(ObjectId::from_hex(format, hex.to_uppercase().as_bytes()), Ok(id));
            assert!(ObjectId::from_hex(format, &hex.as_bytes()[1..]).is_err());
            assert!(ObjectId::from_hex(format, hex.replace('0', "g").as_bytes()).is_err());
            assert!(!id.is_null() && ObjectId::null(format).is_null());
        }
    }
}
