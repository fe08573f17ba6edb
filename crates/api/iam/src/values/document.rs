//! Policy documents as the operations take and give them: parsed, measured, percent-encoded.
//!
//! Evaluating one is for the policy engine.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use policy::{Kind, Policy};
use wire::shape::Rule;

use crate::values::error::Result;

/// The length of a document among the parameters.
pub(crate) const LENGTH: Rule = Rule::Length(1, 131_072);
/// The letters of a document, as AWS prints the rule.
pub(crate) const PATTERN: Rule = Rule::Pattern(r"[\u0009\u000A\u000D\u0020-\u00FF]+");

/// All but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The characters of a document that its quota counts: all but white space.
pub(crate) fn size(document: &str) -> usize {
    document.chars().filter(|letter| !letter.is_whitespace()).count()
}

/// A document as answers carry it.
pub(crate) fn encoded(document: &str) -> String {
    utf8_percent_encode(document, ENCODED).to_string()
}

/// Parses a document that a caller wants to keep.
///
/// # Errors
/// `MalformedPolicyDocument`, which says where.
pub(crate) fn parse(document: &str, kind: Kind) -> Result<Policy> {
    Ok(Policy::parse(document, kind)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_does_not_count() {
        assert_eq!(size("{ \"a\":\t1,\r\n\"b\": \"c d\" }"), "{\"a\":1,\"b\":\"cd\"}".len());
    }

    #[test]
    fn answers_carry_documents_percent_encoded() {
        assert_eq!(
            encoded("{\"Action\": \"s3:*\", \"x\": \"a+b/c~d-e_f.g\"}"),
            "%7B%22Action%22%3A%20%22s3%3A%2A%22%2C%20%22x%22%3A%20%22a%2Bb%2Fc~d-e_f.g%22%7D"
        );
    }
}
