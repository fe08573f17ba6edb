//! Forms with a file: reading them never panics, however they are cut, and gives the same whatever the cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::form::{FIELDS_BYTES_MAX, Fields, FormError, FormHead};

fn read(pieces: &[&[u8]]) -> Result<(Fields, Vec<u8>), FormError> {
    let mut head = FormHead::new("multipart/form-data; boundary=x")?;
    let mut pieces = pieces.iter();
    let (fields, mut file) = loop {
        let piece = pieces.next().ok_or_else(|| head.end())?;
        if let Some(found) = head.push(piece)? {
            break found;
        }
    };
    let mut content = Vec::new();
    loop {
        while let Some(bytes) = file.next_piece() {
            content.extend_from_slice(&bytes);
        }
        match pieces.next() {
            Some(piece) => file.push(piece),
            None => return file.finish().map(|()| (fields, content)),
        }
    }
}

fuzz_target!(|input: (u16, &[u8])| {
    let (cut, bytes) = input;
    let (first, second) = bytes.split_at(bytes.len().min(cut.into()));
    let whole = read(&[bytes]);
    let halves = read(&[first, second]);
    if let Ok((fields, content)) = &whole {
        let length: usize = fields.iter().map(|(name, value)| name.len() + value.len()).sum();
        // Names are shown in lower case, which may be longer in UTF-8, but not twice as long.
        assert!(length <= 2 * FIELDS_BYTES_MAX && content.len() <= bytes.len());
    }
    // Too long is found as late as the bytes arrive, which may be after another error.
    if whole != Err(FormError::TooLong) && halves != Err(FormError::TooLong) {
        assert_eq!(whole, halves);
    }
});
