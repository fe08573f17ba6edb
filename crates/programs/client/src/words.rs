//! A line split into words as a shell's quoting rules say, with nothing expanded.

/// A quote that is opened and not closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a quote is opened and not closed")]
pub struct UnclosedQuote;

/// Splits `text` into words. Single quotes keep everything, double quotes all but a backslash before `"` or `\`, a
/// backslash the character after it; with `comments`, a `#` where a word could begin ends the line.
///
/// # Errors
/// [`UnclosedQuote`].
pub fn split_words(text: &str, comments: bool) -> Result<Vec<String>, UnclosedQuote> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '#' if comments && word.is_none() => while rest.next_if(|next| *next != '\n').is_some() {},
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next().ok_or(UnclosedQuote)? {
                        '\'' => break,
                        inside => word.push(inside),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next().ok_or(UnclosedQuote)? {
                        '"' => break,
                        '\\' => match rest.next().ok_or(UnclosedQuote)? {
                            escaped @ ('"' | '\\') => word.push(escaped),
                            other => word.extend(['\\', other]),
                        },
                        inside => word.push(inside),
                    }
                }
            }
            '\\' => match rest.next() {
                Some('\n') | None => {}
                Some(escaped) => word.get_or_insert_default().push(escaped),
            },
            space if space.is_whitespace() => words.extend(word.take()),
            plain => word.get_or_insert_default().push(plain),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_would() {
        for (text, expected) in [
            ("", &[][..]),
            ("  a  b\tc\nd ", &["a", "b", "c", "d"]),
            ("'a b' \"c d\"e''", &["a b", "c de"]),
            (r#""a\"b\\c\d""#, &[r#"a"b\c\d"#]),
            (r"a\ b \# c", &["a b", "#", "c"]),
            ("'' \"\"", &["", ""]),
            ("a # b 'c\nd#e", &["a", "d#e"]),
            ("$HOME `x` *", &["$HOME", "`x`", "*"]),
        ] {
            assert_eq!(split_words(text, true).expect("words"), expected, "{text}");
        }
        assert_eq!(split_words("a # b", false).expect("words"), ["a", "#", "b"]);
        for text in ["'a", "\"a", "\"a\\", "a 'b\" c"] {
            assert_eq!(split_words(text, true), Err(UnclosedQuote), "{text}");
        }
    }
}
