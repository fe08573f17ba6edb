//! Regular expressions that whole texts have to match, each compiled once.
//!
//! Knows no members: which text has to match which pattern is a rule's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use regex_lite::{Error, Regex};

/// A pattern, ready for use.
struct Compiled {
    regex: Regex,
    /// Which of the first 256 characters match, if the pattern is one class of characters that may repeat.
    class: Option<[bool; 256]>,
}

/// The pattern as one that the whole of a text has to match.
pub(super) fn whole(pattern: &str) -> Result<Regex, Error> {
    Regex::new(&format!("^(?:{pattern})$"))
}

/// Whether the whole of `text` matches.
pub(super) fn matches(pattern: &'static str, text: &str) -> bool {
    static COMPILED: Mutex<BTreeMap<&'static str, Arc<Compiled>>> = Mutex::new(BTreeMap::new());
    let compiled = {
        let mut all = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = all.get(pattern) {
            Arc::clone(compiled)
        } else {
            let Ok(regex) = whole(pattern) else {
                debug_assert!(false, "no regular expression: {pattern}");
                return false;
            };
            let class = is_class(pattern).then(|| {
                let mut class = [false; 256];
                for (matches, character) in class.iter_mut().zip('\0'..) {
                    *matches = regex.is_match(character.encode_utf8(&mut [0; 4]));
                }
                class
            });
            let compiled = Arc::new(Compiled { regex, class });
            all.insert(pattern, Arc::clone(&compiled));
            compiled
        }
    };
    // Outside the lock: a long text holds up nobody else.
    compiled.matches(text)
}

impl Compiled {
    fn matches(&self, text: &str) -> bool {
        match &self.class {
            // A regular expression takes a hundred times as long, and policies are long.
            Some(class) if !text.is_empty() => text.chars().all(|character| {
                let known = usize::try_from(u32::from(character)).ok().and_then(|at| class.get(at));
                known.copied().unwrap_or_else(|| self.regex.is_match(character.encode_utf8(&mut [0; 4])))
            }),
            _ => self.regex.is_match(text),
        }
    }
}

/// Whether the pattern is `[...]+` or `[...]*`: a text matches it if each of its characters does.
fn is_class(pattern: &str) -> bool {
    let pattern = pattern.strip_prefix('^').unwrap_or(pattern);
    let pattern = pattern.strip_suffix('$').unwrap_or(pattern);
    let class = pattern.strip_prefix('[').and_then(|rest| rest.strip_suffix("]+").or_else(|| rest.strip_suffix("]*")));
    class.is_some_and(|class| {
        let mut escaped = false;
        class.chars().all(|character| {
            let ends = matches!(character, '[' | ']') && !escaped;
            escaped = character == '\\' && !escaped;
            !ends
        }) && !escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_of_characters_matches_as_its_regular_expression_does() {
        let texts = ["", "a", "aé", "a\tb", "a\n", "日本", "aĀ", "a]", "-", "[", "\\", "x+y", "\u{1f600}", "a\0"];
        for (pattern, is) in [
            (r"[\u0009\u000A\u000D\u0020-\u00FF]+", true),
            (r"^[\w+=,.@:/-]+$", true),
            (r"[\w-]*", true),
            (r"[\u0020-\u00FF]*", true),
            (r"[a\]]+", true),
            (r"[\p{L}]+", false),
            (r"[a]+[b]+", false),
            (r"[a]", false),
            (r"x[a]+", false),
        ] {
            let Ok(regex) = whole(pattern) else { continue };
            assert_eq!(is_class(pattern), is, "{pattern}");
            for text in texts {
                assert_eq!(matches(pattern, text), regex.is_match(text), "{pattern} {text:?}");
            }
        }
    }
}
