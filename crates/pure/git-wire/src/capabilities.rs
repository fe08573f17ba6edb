//! The list of capabilities behind the first line of a request.
//!
//! Reads what real clients send: spaces at either end, several in a row, none before the first.

/// Capabilities in the order in which they were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(Vec<u8>);

impl Capabilities {
    /// No capabilities.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// The capabilities in a text of words that spaces part.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        Self(text.to_vec())
    }

    /// Whether the capability `name` is there, with or without a value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.iter().any(|(key, _)| key == name.as_bytes())
    }

    /// The value of the first capability `name=…`.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&[u8]> {
        self.iter().find(|(key, _)| *key == name.as_bytes()).and_then(|(_, value)| value)
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.words().map(|word| match word.iter().position(|byte| *byte == b'=') {
            Some(at) => (word.get(..at).unwrap_or_default(), word.get(at + 1..)),
            None => (word, None),
        })
    }

    /// Its words as they were sent, such as `side-band-64k`, for the audit record.
    pub fn words(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|byte| matches!(byte, b' ' | b'\n')).filter(|word| !word.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::Capabilities;

    #[test]
    fn capabilities_are_found_however_they_are_spaced() {
        for text in ["a b=c side-band-64k", " a b=c  side-band-64k ", "a  b=c side-band-64k\n"] {
            let capabilities = Capabilities::parse(text.as_bytes());
            assert!(capabilities.has("a") && capabilities.has("b") && capabilities.has("side-band-64k"));
            assert!(!capabilities.has("side-band") && !capabilities.has("c") && !capabilities.has(""));
            assert_eq!(capabilities.value("b"), Some(b"c".as_slice()));
            assert_eq!(capabilities.value("a"), None);
        }
        assert!(!Capabilities::parse(b"").has("a"));
        assert_eq!(Capabilities::parse(b"x=1 x=2 y==").value("x"), Some(b"1".as_slice()));
        assert_eq!(Capabilities::parse(b"y==").value("y"), Some(b"=".as_slice()));
    }
}
