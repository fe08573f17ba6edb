//! How listings write names: as they are, or with percent signs, so that XML can have every byte of them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but letters, digits and `-_.~/`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

wire::text_enum! {
    /// How names are written.
    pub(crate) enum EncodingType { Url = "url" }
}

/// Writes names as a caller asked for.
#[derive(Clone, Copy)]
pub(crate) struct Encoder(pub(crate) Option<EncodingType>);

impl Encoder {
    /// A name as it is written.
    pub(crate) fn encode(self, name: &str) -> String {
        match self.0 {
            Some(EncodingType::Url) => utf8_percent_encode(name, ENCODED).to_string(),
            None => name.to_owned(),
        }
    }

    /// A name that may be absent.
    pub(crate) fn optional(self, name: Option<&str>) -> Option<String> {
        name.map(|name| self.encode(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_encoded_but_for_what_paths_have() {
        let encoder = Encoder(Some(EncodingType::Url));
        assert_eq!(encoder.encode("a/b-c_d.e~f"), "a/b-c_d.e~f");
        assert_eq!(encoder.encode("a+b c%\u{e4}\u{1}&*"), "a%2Bb%20c%25%C3%A4%01%26%2A");
        assert_eq!(Encoder(None).encode("a+b"), "a+b");
    }
}
