//! Writes texts as JSON strings, as serde_json would: in one piece where nothing in them needs escaping.

use crate::buffer::Buffer;

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

/// Writes a text as a JSON string.
pub(crate) fn text(out: &mut Buffer, text: &str) -> Result<(), serde_json::Error> {
    if is_plain(text) {
        out.put_quoted(text);
        return Ok(());
    }
    if text.len() > ROOM_BYTES_MIN {
        out.make_room(escaped_length(text) + ROOM_BYTES_MIN);
    }
    serde_json::to_writer(out, text)
}
