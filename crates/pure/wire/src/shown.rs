//! Foreign text as people may see it, on a terminal or in a log: nothing in it commands a terminal, changes the order
//! of other characters or is there unseen. Knows characters, not where a text comes from.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::path::Path;

/// Characters that obey no reader: they move the cursor, turn the order of others around, or are not seen at all.
///
/// Sorted, first and last of each range. Controls (`Cc`), line and paragraph separators (`Zl`, `Zp`), format characters
/// without a glyph (`Cf`), and the rest of `Default_Ignorable_Code_Point`.
///
/// Source: Unicode Character Database; UTS #55.
const HIDDEN: [(char, char); 24] = [
    ('\0', '\u{1f}'),
    ('\u{7f}', '\u{9f}'),
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{e000}', '\u{f8ff}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
    ('\u{f0000}', '\u{ffffd}'),
    ('\u{100000}', '\u{10fffd}'),
];

/// Whether a character is escaped before people see it.
fn is_hidden(character: char) -> bool {
    let after = HIDDEN.partition_point(|(first, _)| *first <= character);
    let range = after.checked_sub(1).and_then(|index| HIDDEN.get(index));
    range.is_some_and(|(_, last)| character <= *last)
}

/// Foreign text, displayed with `\u{…}` for what is hidden and `\x…` for bytes that are no UTF-8.
///
/// For eyes, not for parsers: a text that has such escapes itself looks the same.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    bytes: &'a [u8],
    /// The indentation after a line feed; without one, line feeds are escaped.
    indent: Option<&'a str>,
}

/// A text of one line: line feeds in it are escaped as well.
#[must_use]
pub const fn shown(text: &str) -> Shown<'_> {
    Shown { bytes: text.as_bytes(), indent: None }
}

/// A path, of one line.
#[must_use]
pub fn shown_path(path: &Path) -> Shown<'_> {
    shown_bytes(path.as_os_str().as_encoded_bytes())
}

/// Bytes that should be UTF-8, of one line.
#[must_use]
pub const fn shown_bytes(bytes: &[u8]) -> Shown<'_> {
    Shown { bytes, indent: None }
}

/// A text of lines that were put together here. All but the first begin with `indent`.
#[must_use]
pub const fn shown_lines<'a>(text: &'a str, indent: &'a str) -> Shown<'a> {
    Shown { bytes: text.as_bytes(), indent: Some(indent) }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.bytes.utf8_chunks() {
            let mut rest = chunk.valid();
            while let Some((at, character)) = rest.char_indices().find(|(_, character)| is_hidden(*character)) {
                let (before, after) = rest.split_at(at);
                out.write_str(before)?;
                match (character, self.indent) {
                    ('\n', Some(indent)) => write!(out, "\n{indent}")?,
                    _ => write!(out, "{}", character.escape_default())?,
                }
                rest = after.strip_prefix(character).unwrap_or_default();
            }
            out.write_str(rest)?;
            for byte in chunk.invalid() {
                write!(out, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

/// A JSON text that means the same and hides nothing: what is hidden in its strings is escaped as `\u…`.
#[must_use]
pub fn shown_json(text: &str) -> Cow<'_, str> {
    // White space between values, which no string has unescaped.
    let hidden = |character| is_hidden(character) && !matches!(character, '\n' | '\r' | '\t');
    if text.bytes().all(|byte| (b' '..0x7f).contains(&byte)) || !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 64);
    for character in text.chars() {
        if !hidden(character) {
            shown.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // A string takes all that is written to it.
            let _ = write!(shown, "\\u{unit:04x}");
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Foreign texts, and how people see them.
    const TEXTS: [(&str, &str); 21] = [
        ("", ""),
        ("report.pdf", "report.pdf"),
        ("Größe – 大きさ – حجم – 👍", "Größe – 大きさ – حجم – 👍"),
        ("a b\u{a0}c\u{3000}d", "a b\u{a0}c\u{3000}d"),
        (r"C:\new\u{41}", r"C:\new\u{41}"),
        ("\u{1b}[2Jé\n", r"\u{1b}[2Jé\n"),
        ("\r\t\0\u{8}\u{7f}", r"\r\t\u{0}\u{8}\u{7f}"),
        ("\u{9b}31m\u{85}", r"\u{9b}31m\u{85}"),
        ("invoice\u{202e}fdp.exe", r"invoice\u{202e}fdp.exe"),
        ("\u{202a}\u{202b}\u{202c}\u{202d}", r"\u{202a}\u{202b}\u{202c}\u{202d}"),
        ("\u{2066}\u{2067}\u{2068}\u{2069}", r"\u{2066}\u{2067}\u{2068}\u{2069}"),
        ("\u{200e}\u{200f}\u{61c}", r"\u{200e}\u{200f}\u{61c}"),
        ("one\u{2028}two\u{2029}", r"one\u{2028}two\u{2029}"),
        ("ad\u{200b}min\u{200c}\u{200d}", r"ad\u{200b}min\u{200c}\u{200d}"),
        ("\u{2060}\u{2064}\u{206f}\u{feff}", r"\u{2060}\u{2064}\u{206f}\u{feff}"),
        ("so\u{ad}ft\u{34f}\u{180e}", r"so\u{ad}ft\u{34f}\u{180e}"),
        ("\u{115f}\u{3164}\u{ffa0}\u{2800}", r"\u{115f}\u{3164}\u{ffa0}\u{2800}"),
        ("\u{fff9}a\u{fffa}b\u{fffb}", r"\u{fff9}a\u{fffa}b\u{fffb}"),
        ("\u{1d173}\u{e0041}\u{e01ef}", r"\u{1d173}\u{e0041}\u{e01ef}"),
        ("\u{fe0f}\u{e000}\u{10fffd}", r"\u{fe0f}\u{e000}\u{10fffd}"),
        ("\u{fffd}\u{202f}", "\u{fffd}\u{202f}"),
    ];

    #[test]
    fn foreign_text_is_shown_and_not_obeyed() {
        for (text, expected) in TEXTS {
            assert_eq!(shown(text).to_string(), expected);
            assert_eq!(shown(expected).to_string(), expected, "showing it again changes nothing");
            assert_eq!(shown_path(Path::new(text)).to_string(), expected);
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_numbers() {
        for (bytes, expected) in [
            (&b"caf\xe9"[..], r"caf\xe9"),
            (b"\xff\xfe\x1b", r"\xff\xfe\u{1b}"),
            (b"\xc3", r"\xc3"),
            (b"\xed\xa0\x80 \xf0\x9f\x91\x8d", "\\xed\\xa0\\x80 👍"),
        ] {
            assert_eq!(shown_bytes(bytes).to_string(), expected);
        }
    }

    #[test]
    fn lines_stay_lines_and_none_poses_as_another_message() {
        let text = "line 1\nsealstack: all is well\r\u{1b}[A\n";
        assert_eq!(shown_lines(text, "").to_string(), "line 1\nsealstack: all is well\\r\\u{1b}[A\n");
        assert_eq!(shown_lines(text, "  ").to_string(), "line 1\n  sealstack: all is well\\r\\u{1b}[A\n  ");
    }

    #[test]
    fn json_means_what_it_meant() {
        for (text, _) in TEXTS {
            let json = serde_json::to_string_pretty(&serde_json::json!({ "key": [text], text: 1 })).expect("JSON");
            let seen = shown_json(&json);
            assert!(!seen.contains(|character| is_hidden(character) && character != '\n'), "{seen:?}");
            let read = |json: &str| serde_json::from_str::<serde_json::Value>(json).expect("JSON");
            assert_eq!(read(&seen), read(&json));
        }
        assert_eq!(shown_json("[\"a\u{202e}\u{e0041}\"]"), r#"["a\u202e\udb40\udc41"]"#);
        assert!(matches!(shown_json("{\n\t\"plain\": 1\r\n}"), Cow::Borrowed(_)));
    }

    #[test]
    fn the_ranges_are_sorted_and_apart() {
        assert!(HIDDEN.iter().all(|(first, last)| first <= last));
        assert!(HIDDEN.windows(2).all(|pair| matches!(pair, [(_, last), (first, _)] if last < first)));
    }
}
