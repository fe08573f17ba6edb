//! The headers of packs and of their entries. Knows no object.
//!
//! Source: git's documentation, gitformat-pack.

use git_object::{Kind, ObjectFormat, ObjectId};

use crate::PackError;

/// The length of a pack's header: the first entry begins there.
pub const PACK_HEADER_BYTES: usize = 12;

/// The length that no header of an entry exceeds: a size of 64 bits and an id of 32 bytes.
pub(crate) const ENTRY_HEADER_BYTES_MAX: usize = 10 + 32;

const SIGNATURE: [u8; 4] = *b"PACK";

/// A pack's header, of version 2.
#[must_use]
pub fn encode_pack_header(objects: u32) -> [u8; PACK_HEADER_BYTES] {
    let ([p, a, c, k], [b0, b1, b2, b3]) = (SIGNATURE, objects.to_be_bytes());
    [p, a, c, k, 0, 0, 0, 2, b0, b1, b2, b3]
}

/// The number of objects that a pack's header declares.
///
/// # Errors
/// [`PackError::Signature`], [`PackError::Version`].
pub fn decode_pack_header(header: &[u8; PACK_HEADER_BYTES]) -> Result<u32, PackError> {
    let [s0, s1, s2, s3, v0, v1, v2, v3, n0, n1, n2, n3] = *header;
    if [s0, s1, s2, s3] != SIGNATURE {
        return Err(PackError::Signature);
    }
    match u32::from_be_bytes([v0, v1, v2, v3]) {
        2 | 3 => Ok(u32::from_be_bytes([n0, n1, n2, n3])),
        version => Err(PackError::Version { version }),
    }
}

/// An entry's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A whole object.
    Object(Kind),
    /// A delta whose base begins `distance` bytes before this entry.
    OffsetDelta {
        /// Never 0.
        distance: u64,
    },
    /// A delta whose base has that id, in this pack or (in a thin pack) elsewhere.
    ReferenceDelta {
        /// The base's id.
        base: ObjectId,
    },
}

/// The header of an entry. A zlib stream follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryHeader {
    /// The kind.
    pub kind: EntryKind,
    /// The inflated size in bytes, of the delta for a delta.
    pub size: u64,
}

/// A header that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadHeader;

impl EntryHeader {
    /// Reads a header at the beginning of `bytes`, with its length; `None` when more bytes are needed.
    ///
    /// # Errors
    /// [`PackError::EntryHeader`], with `offset`, for a type that does not exist and numbers over 64 bits.
    pub fn decode(format: ObjectFormat, bytes: &[u8], offset: u64) -> Result<Option<(Self, usize)>, PackError> {
        Self::parse(format, bytes).map_err(|BadHeader| PackError::EntryHeader { offset })
    }

    fn parse(format: ObjectFormat, bytes: &[u8]) -> Result<Option<(Self, usize)>, BadHeader> {
        let mut rest = bytes.iter();
        let Some(&first) = rest.next() else { return Ok(None) };
        let (mut size, mut shift, mut last) = (u64::from(first & 15), 4, first);
        while last & 0x80 != 0 {
            let Some(&byte) = rest.next() else { return Ok(None) };
            let bits = u64::from(byte & 0x7f);
            if shift > 63 || bits << shift >> shift != bits {
                return Err(BadHeader);
            }
            (size, shift, last) = (size | bits << shift, shift + 7, byte);
        }
        let kind = match first >> 4 & 7 {
            1 => EntryKind::Object(Kind::Commit),
            2 => EntryKind::Object(Kind::Tree),
            3 => EntryKind::Object(Kind::Blob),
            4 => EntryKind::Object(Kind::Tag),
            6 => {
                let mut distance = 0_u64;
                loop {
                    let Some(&byte) = rest.next() else { return Ok(None) };
                    if distance >> 57 != 0 {
                        return Err(BadHeader);
                    }
                    distance = distance << 7 | u64::from(byte & 0x7f);
                    if byte & 0x80 == 0 {
                        break;
                    }
                    // There is one way to write each distance: a further byte means one more than its bits say.
                    distance += 1;
                }
                if distance == 0 {
                    return Err(BadHeader);
                }
                EntryKind::OffsetDelta { distance }
            }
            7 => {
                let Some(id) = rest.as_slice().get(..format.id_bytes()) else { return Ok(None) };
                let base = ObjectId::from_bytes(format, id).map_err(|_| BadHeader)?;
                let length = bytes.len() - rest.as_slice().len() + id.len();
                return Ok(Some((Self { kind: EntryKind::ReferenceDelta { base }, size }, length)));
            }
            _ => return Err(BadHeader),
        };
        Ok(Some((Self { kind, size }, bytes.len() - rest.as_slice().len())))
    }

    /// Appends the header to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let number = match self.kind {
            EntryKind::Object(Kind::Commit) => 1,
            EntryKind::Object(Kind::Tree) => 2,
            EntryKind::Object(Kind::Blob) => 3,
            EntryKind::Object(Kind::Tag) => 4,
            EntryKind::OffsetDelta { .. } => 6,
            EntryKind::ReferenceDelta { .. } => 7,
        };
        let (mut byte, mut size) = (number << 4 | (self.size & 15) as u8, self.size >> 4);
        while size != 0 {
            out.push(byte | 0x80);
            (byte, size) = ((size & 0x7f) as u8, size >> 7);
        }
        out.push(byte);
        match self.kind {
            EntryKind::Object(_) => {}
            EntryKind::OffsetDelta { distance } => {
                let (mut bytes, mut left, mut written) = ([0_u8; 10], distance, 1);
                for place in bytes.iter_mut().rev() {
                    *place = (left & 0x7f) as u8 | if written > 1 { 0x80 } else { 0 };
                    left >>= 7;
                    if left == 0 {
                        break;
                    }
                    (left, written) = (left - 1, written + 1);
                }
                out.extend(bytes.iter().skip(bytes.len() - written));
            }
            EntryKind::ReferenceDelta { base } => out.extend_from_slice(base.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use git_object::{Kind, ObjectFormat, ObjectId};
    use proptest::prelude::*;

    use super::{EntryHeader, EntryKind, decode_pack_header, encode_pack_header};
    use crate::PackError;

    fn kinds() -> impl Strategy<Value = EntryKind> {
        let base = ObjectId::from_bytes(ObjectFormat::Sha256, &[0xa5; 32]).expect("an id");
        prop_oneof![
            prop_oneof![Just(Kind::Commit), Just(Kind::Tree), Just(Kind::Blob), Just(Kind::Tag)]
                .prop_map(EntryKind::Object),
            (1..63_u32, any::<u64>())
                .prop_map(|(bits, number)| EntryKind::OffsetDelta { distance: (number >> (64 - bits)).max(1) }),
            Just(EntryKind::ReferenceDelta { base }),
        ]
    }

    proptest! {
        #[test]
        fn a_header_is_read_as_it_was_written(kind in kinds(), bits in 0..64_u32, number: u64) {
            let (header, mut bytes) = (EntryHeader { kind, size: number >> bits }, Vec::new());
            header.encode(&mut bytes);
            prop_assert!(bytes.len() <= super::ENTRY_HEADER_BYTES_MAX);
            for length in 0..bytes.len() {
                let cut = EntryHeader::decode(ObjectFormat::Sha256, &bytes[..length], 0);
                prop_assert!(matches!(cut, Ok(None)));
            }
            let length = bytes.len();
            bytes.extend_from_slice(b"stream");
            let read = EntryHeader::decode(ObjectFormat::Sha256, &bytes, 0).expect("a header");
            prop_assert_eq!(read, Some((header, length)));
        }

        #[test]
        fn foreign_bytes_are_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..50)) {
            let _ = EntryHeader::decode(ObjectFormat::Sha1, &bytes, 0);
        }
    }

    #[test]
    fn numbers_over_64_bits_and_unknown_types_are_refused() {
        for bytes in [
            &[0x80][..1],
            &[0x50],
            // 2⁶⁴ as a size.
            &[0xb0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10],
            &[0xb0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
            // A delta on itself.
            &[0x60, 0x00],
            &[0x60, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        ] {
            let read = EntryHeader::decode(ObjectFormat::Sha1, bytes, 77);
            if bytes.len() > 1 || bytes == [0x50] {
                assert!(matches!(read, Err(PackError::EntryHeader { offset: 77 })), "{bytes:x?}");
            } else {
                assert!(matches!(read, Ok(None)));
            }
        }
    }

    #[test]
    fn a_pack_header_declares_its_objects() {
        assert_eq!(&encode_pack_header(0x0102_0304), b"PACK\0\0\0\x02\x01\x02\x03\x04");
        assert!(matches!(decode_pack_header(&encode_pack_header(7)), Ok(7)));
        assert!(matches!(decode_pack_header(b"PACK\0\0\0\x04\0\0\0\0"), Err(PackError::Version { version: 4 })));
        assert!(matches!(decode_pack_header(b"PICK\0\0\0\x02\0\0\0\0"), Err(PackError::Signature)));
    }
}
