//! Foreign text as it may go to a terminal.

/// The text of `bytes` without what could steer a terminal: control characters appear as `^X`, characters that reorder
/// or hide others and bytes that are not UTF-8 as `?`. Line feeds and tabs stay.
///
/// Source: CVE-2024-52005; Unicode Standard Annex 9, "Bidirectional Formatting Characters".
#[must_use]
pub fn clean(bytes: &[u8]) -> String {
    cleaned(bytes, false)
}

/// The same for lines of progress, whose carriage returns stay: the next line takes the place of one that ends so.
#[must_use]
pub fn clean_progress(bytes: &[u8]) -> String {
    cleaned(bytes, true)
}

fn cleaned(bytes: &[u8], is_progress: bool) -> String {
    let mut cleaned = String::with_capacity(bytes.len());
    for character in String::from_utf8_lossy(bytes).chars() {
        match character {
            '\n' | '\t' => cleaned.push(character),
            '\r' if is_progress => cleaned.push(character),
            '\0'..='\x1f' => {
                cleaned.push('^');
                // A control character's letter is 64 above it.
                cleaned.push(char::from(character as u8 + 64));
            }
            '\x7f' => cleaned.push_str("^?"),
            '\u{80}'..='\u{9f}' | char::REPLACEMENT_CHARACTER => cleaned.push('?'),
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {
                cleaned.push('?');
            }
            _ => cleaned.push(character),
        }
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::{clean, clean_progress};

    #[test]
    fn what_steers_a_terminal_is_shown_instead() {
        assert_eq!(clean(b"a\x1b[31mred\x1b[0m\tb\nc"), "a^[[31mred^[[0m\tb\nc");
        assert_eq!(clean(b"\r\x07\x7f\0"), "^M^G^?^@");
        assert_eq!(clean("é\u{202e}x\u{9b}".as_bytes()), "é?x?");
        assert_eq!(clean(b"\xff\xfe"), "??");
        assert_eq!(clean_progress(b"50%\r\x1b"), "50%\r^[");
    }
}
