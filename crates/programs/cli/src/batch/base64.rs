//! Base64 text around messages and plaintexts: decoded with its line breaks, encoded without.

use std::io::{self, Read, Write};

use base64::engine::general_purpose::{GeneralPurpose, STANDARD};
use base64::read::DecoderReader;
use base64::write::EncoderWriter;

/// Leaves out what is no text: the line breaks that other tools put into Base64.
pub(super) struct WithoutSpace<R>(R);

impl<R: Read> Read for WithoutSpace<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.0.read(buffer)?;
            let mut kept = 0;
            for at in 0..read {
                let Some(byte) = buffer.get(at).copied().filter(|byte| !byte.is_ascii_whitespace()) else { continue };
                if let Some(place) = buffer.get_mut(kept) {
                    *place = byte;
                }
                kept += 1;
            }
            if kept > 0 || read == 0 {
                return Ok(kept);
            }
        }
    }
}

/// Decodes what `source` yields.
pub(super) fn decoder<R: Read>(source: R) -> DecoderReader<'static, GeneralPurpose, WithoutSpace<io::BufReader<R>>> {
    DecoderReader::new(WithoutSpace(io::BufReader::with_capacity(64 << 10, source)), &STANDARD)
}

/// Encodes what is written to it. It has to be finished.
pub(super) fn encoder<W: Write>(sink: W) -> EncoderWriter<'static, GeneralPurpose, io::BufWriter<W>> {
    EncoderWriter::new(io::BufWriter::with_capacity(64 << 10, sink), &STANDARD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_with_line_breaks_is_decoded_and_other_text_refused() {
        let bytes: Vec<u8> = (0..100_000_u32).map(|at| (at % 251) as u8).collect();
        let mut encoder = encoder(Vec::new());
        encoder.write_all(&bytes).expect("encoded");
        let text = encoder.finish().expect("finished").into_inner().expect("flushed");
        let broken: Vec<u8> = text.chunks(76).flat_map(|line| [line, b"\r\n"].concat()).collect();
        for text in [text, broken] {
            let mut decoded = Vec::new();
            decoder(&text[..]).read_to_end(&mut decoded).expect("decoded");
            assert_eq!(decoded, bytes);
        }
        for wrong in [&b"A"[..], b"AAA", b"A===", b"AA-_"] {
            assert!(decoder(wrong).read_to_end(&mut Vec::new()).is_err());
        }
    }
}
