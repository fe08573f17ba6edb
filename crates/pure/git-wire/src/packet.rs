//! Packet lines: four hexadecimal digits of length, then bytes.
//!
//! Owns their form in both directions. Refuses to know what is in them.
//!
//! Source: gitprotocol-common, "pkt-line Format"; gitprotocol-v2, "Packet-Line Framing".

use std::fmt;
use std::io::Write as _;

use crate::error::{WireError, beginning};

/// Bytes of a packet at most, its length's four digits included.
pub const PACKET_BYTES_MAX: usize = 65_520;

/// Bytes of the digits.
const DIGITS: usize = 4;

/// The packet that ends a message.
pub const FLUSH: &[u8] = b"0000";

/// The packet between the sections of a message.
pub const DELIMITER: &[u8] = b"0001";

/// The packet that ends an answer where a connection has more than one.
pub const RESPONSE_END: &[u8] = b"0002";

/// A packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// The end of a message.
    Flush,
    /// The section break.
    Delimiter,
    /// The end of an answer.
    ResponseEnd,
    /// Bytes, which may be none.
    Data(&'a [u8]),
}

impl<'a> Packet<'a> {
    /// Its bytes without a line feed at their end; `None` for a packet without bytes of its own.
    #[must_use]
    pub fn text(self) -> Option<&'a [u8]> {
        match self {
            Self::Data(bytes) => Some(bytes.strip_suffix(b"\n").unwrap_or(bytes)),
            Self::Flush | Self::Delimiter | Self::ResponseEnd => None,
        }
    }

    /// The text, or the error that `expected` should have come.
    pub(crate) fn line(self, expected: &'static str) -> Result<&'a [u8], WireError> {
        self.text().ok_or_else(|| WireError::unexpected(expected, self.shown()))
    }

    /// Its form in an error.
    pub(crate) fn shown(self) -> &'a [u8] {
        match self {
            Self::Data(bytes) => bytes,
            Self::Flush => b"flush packet",
            Self::Delimiter => b"delimiter packet",
            Self::ResponseEnd => b"response end packet",
        }
    }
}

/// The first packet of `input` and its length there; `None` while it is incomplete.
///
/// # Errors
/// [`WireError::PacketLength`], [`WireError::PacketTooLong`].
pub fn parse(input: &[u8]) -> Result<Option<(Packet<'_>, usize)>, WireError> {
    let Some(digits) = input.get(..DIGITS) else {
        // What cannot become a length is refused at once: a client of another protocol waits for an answer.
        return if input.iter().all(u8::is_ascii_hexdigit) { Ok(None) } else { Err(bad_length(input)) };
    };
    let mut length = 0_usize;
    for digit in digits {
        let value = char::from(*digit).to_digit(16).ok_or_else(|| bad_length(digits))?;
        length = length << 4 | value as usize;
    }
    let packet = match length {
        0 => Packet::Flush,
        1 => Packet::Delimiter,
        2 => Packet::ResponseEnd,
        3 => return Err(bad_length(digits)),
        _ if length > PACKET_BYTES_MAX => return Err(WireError::PacketTooLong { bytes: length }),
        _ => match input.get(DIGITS..length) {
            Some(bytes) => Packet::Data(bytes),
            None => return Ok(None),
        },
    };
    Ok(Some((packet, length.max(DIGITS))))
}

fn bad_length(digits: &[u8]) -> WireError {
    WireError::PacketLength { found: beginning(digits) }
}

/// Reads packets out of bytes that arrive in pieces. It holds one packet and one piece at most.
#[derive(Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    /// Bytes of the buffer that were read.
    read: usize,
}

impl Decoder {
    /// Adds bytes that arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.read);
        self.read = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next packet; `None` until more bytes arrive.
    ///
    /// # Errors
    /// Those of [`parse`].
    #[expect(clippy::should_implement_trait, reason = "a packet borrows from the decoder, which no iterator can say")]
    pub fn next(&mut self) -> Result<Option<Packet<'_>>, WireError> {
        let Some((packet, bytes)) = parse(self.buffer.get(self.read..).unwrap_or_default())? else { return Ok(None) };
        self.read += bytes;
        Ok(Some(packet))
    }

    /// Whether nothing is left that was not read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read == self.buffer.len()
    }

    /// Takes what was not read: the pack that follows a request.
    #[must_use]
    pub fn take_rest(&mut self) -> Vec<u8> {
        let rest = self.buffer.split_off(self.read);
        self.buffer.clear();
        self.read = 0;
        rest
    }
}

/// Writes a packet of those parts, one after another. What does not fit is cut off.
pub fn line(out: &mut Vec<u8>, parts: &[&[u8]]) {
    let start = begin(out);
    parts.iter().for_each(|part| out.extend_from_slice(part));
    end(out, start);
}

/// Writes a line of text with its line feed as a packet.
pub fn line_of(out: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    let start = begin(out);
    // Writing to memory cannot fail.
    let _ = writeln!(out, "{text}");
    end(out, start);
}

/// Writes the packet that says why a request fails. The client shows it and gives up.
pub fn error_line(out: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    line_of(out, format_args!("ERR {text}"));
}

fn begin(out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.extend_from_slice(FLUSH);
    start
}

fn end(out: &mut Vec<u8>, start: usize) {
    out.truncate(start + PACKET_BYTES_MAX);
    let digits = length_digits(out.len() - start);
    if let Some(room) = out.get_mut(start..start + DIGITS) {
        room.copy_from_slice(&digits);
    }
}

/// The digits of a length below 65,536.
pub(crate) fn length_digits(length: usize) -> [u8; DIGITS] {
    [12, 8, 4, 0].map(|shift| {
        let digit = (length >> shift & 15) as u8;
        if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packets(input: &[u8]) -> Vec<Result<String, WireError>> {
        let mut decoder = Decoder::default();
        decoder.push(input);
        let mut packets = Vec::new();
        loop {
            match decoder.next() {
                Ok(Some(packet)) => packets.push(Ok(clean_of(packet))),
                Ok(None) => return packets,
                Err(error) => {
                    packets.push(Err(error));
                    return packets;
                }
            }
        }
    }

    fn clean_of(packet: Packet<'_>) -> String {
        String::from_utf8_lossy(packet.shown()).into_owned()
    }

    #[test]
    fn every_kind_of_packet_is_read_in_either_case() {
        let read: Vec<_> =
            packets(b"0006a\n0004000100020000000Cabcdefgh000cABCDEFGH").into_iter().map(Result::unwrap).collect();
        let special = ["delimiter packet", "response end packet", "flush packet"];
        assert_eq!(read, [["a\n", ""].as_slice(), &special, &["abcdefgh", "ABCDEFGH"]].concat());
    }

    #[test]
    fn lengths_that_no_packet_has_are_refused_at_once() {
        for bad in [b"0003".as_slice(), b"00g0", b"GET ", b"P", b"PACK", b"+004", b"fffff", b"fff1"] {
            assert!(matches!(packets(bad).as_slice(), [Err(_)]), "{bad:?}");
        }
        assert_eq!(packets(b"fff0").len(), 0);
        assert_eq!(packets(b"00").len(), 0);
        let longest = [b"fff0".as_slice(), &[b'x'; PACKET_BYTES_MAX - 4]].concat();
        assert_eq!(packets(&longest).len(), 1);
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_to_a_packet() {
        let mut out = b"before".to_vec();
        line(&mut out, &[&[b'x'; PACKET_BYTES_MAX]]);
        assert_eq!(out.len(), 6 + PACKET_BYTES_MAX);
        assert_eq!(&out[6..10], b"fff0");
    }

    #[test]
    fn what_follows_the_packets_is_handed_on() {
        let mut decoder = Decoder::default();
        decoder.push(b"0000PACK");
        assert_eq!(decoder.next(), Ok(Some(Packet::Flush)));
        assert_eq!(decoder.take_rest(), b"PACK");
        assert!(decoder.is_empty());
    }

    proptest! {
        #[test]
        fn packets_are_the_same_however_they_arrive(
            written in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..12),
            size in 1_usize..50,
        ) {
            let mut bytes = Vec::new();
            for packet in &written {
                line(&mut bytes, &[packet]);
            }
            let mut decoder = Decoder::default();
            let mut read = Vec::new();
            for piece in bytes.chunks(size) {
                decoder.push(piece);
                while let Some(packet) = decoder.next().expect("packets") {
                    read.push(packet.shown().to_vec());
                }
            }
            prop_assert_eq!(read, written);
            prop_assert!(decoder.is_empty());
        }

        #[test]
        fn foreign_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = packets(&bytes);
        }
    }
}
