//! How long a request's body can be that breaks no rule of its operation.
//!
//! Knows members and rules; what is done with a longer body is the caller's.

use super::{MemberInfo, Rule};

/// The form of a member on the wire.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A text.
    Text,
    /// One of a few short texts.
    Choice,
    /// Bytes in base64.
    Bytes,
    /// A number or a truth value.
    Number,
    /// A point in time.
    Time,
    /// A list of these.
    List(&'static Kind),
    /// A map from texts to texts.
    Map,
    /// A structure.
    Structure,
}

/// The least limit of any body: what clients add of white space and unknown members is never too much for a small input.
pub const BODY_BYTES_LEAST: usize = 64 * 1024;

/// A text or map without a rule is taken to be as long as this. An encryption context, the longest of AWS's that has
/// none, has 8192 bytes, and six for each when all are escaped.
const UNRULED_BYTES: usize = 48 * 1024;

/// A list without a rule is taken to have as many elements as the longest of AWS's that has none: a key's tags.
const UNRULED_COUNT: usize = 50;

/// The length of a number, a truth value, a time, or one of a few texts.
const SCALAR_BYTES: usize = 64;

/// The bytes around each value: quotes, colons, commas, brackets, `&` and `=`, a list's `.member.` and a number.
const AROUND: usize = 24;

/// The most bytes that the body of a request with these members takes, in awsJson or in the query protocol, however
/// its characters are escaped.
#[must_use]
pub fn body_bytes_max(members: &[MemberInfo]) -> usize {
    structure(members, 0).max(BODY_BYTES_LEAST)
}

/// `path` is the length of what the names of its parameters begin with in the query protocol.
fn structure(members: &[MemberInfo], path: usize) -> usize {
    members.iter().fold(0, |sum: usize, member| {
        let path = path.saturating_add(member.name.len()).saturating_add(AROUND);
        sum.saturating_add(value(&member.kind, member.rules, member.inner, path))
    })
}

fn value(kind: &Kind, rules: &[Rule], inner: &[MemberInfo], path: usize) -> usize {
    let longest = rules.iter().find_map(|rule| if let Rule::Length(_, max) = rule { Some(*max) } else { None });
    let content = match kind {
        Kind::Text => longest.map_or(UNRULED_BYTES, |longest| longest.saturating_mul(character(rules))),
        Kind::Choice | Kind::Number | Kind::Time => SCALAR_BYTES,
        // Four of base64 for three, and three for each of those that have to be escaped.
        Kind::Bytes => longest.map_or(UNRULED_BYTES, |longest| longest.saturating_mul(4)),
        Kind::Map => UNRULED_BYTES,
        Kind::Structure => structure(inner, path),
        Kind::List(element) => {
            let each = rules.iter().find_map(|rule| if let Rule::Each(each) = rule { Some(*each) } else { None });
            let element = value(element, each.unwrap_or_default(), inner, path.saturating_add(AROUND));
            let all = element.saturating_mul(longest.unwrap_or(UNRULED_COUNT));
            let together =
                rules.iter().find_map(|rule| if let Rule::Together(bytes) = rule { Some(*bytes) } else { None });
            all.min(together.map_or(usize::MAX, |bytes| bytes.saturating_mul(4)))
        }
    };
    content.saturating_add(path)
}

/// The most bytes that one character takes: `\uD83D\uDE00`, or `%F0%9F%98%80`.
fn character(rules: &[Rule]) -> usize {
    // Two bytes of UTF-8 at most: `\u00FF`, or `%C3%BF`.
    let latin = |rule: &Rule| matches!(rule, Rule::Pattern(pattern) if pattern.contains(r"-\u00FF]"));
    if rules.iter().any(latin) { 6 } else { 12 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SecretBlob;
    use crate::shape::Shape as _;

    crate::shape! {
        struct Small {
            "KeyId" key_id: String, required, [Rule::Length(1, 2048)];
            "Plaintext" plaintext: SecretBlob, required, [Rule::Length(1, 4096)];
        }
    }

    crate::shape! {
        struct Document {
            "PolicyDocument" document: String, required,
                [Rule::Length(1, 131_072), Rule::Pattern(r"[\u0009\u000A\u000D\u0020-\u00FF]+")];
            "Names" names: Vec<String>, default, [Rule::Length(0, 10), Rule::Each(&[Rule::Length(1, 1000)])];
            "Small" small: Vec<Small>, default, [Rule::Length(0, 2)];
        }
    }

    #[test]
    fn the_longest_input_that_breaks_no_rule_fits_however_it_is_escaped() {
        assert_eq!(body_bytes_max(Small::MEMBERS), BODY_BYTES_LEAST);
        let form = format!(
            "Action=PutDocument&Version=2010-05-08&PolicyDocument={}{}{}",
            "%C3%BF".repeat(131_072),
            (1..=10).map(|n| format!("&Names.member.{n}={}", "%F0%9F%98%80".repeat(1000))).collect::<String>(),
            (1..=2)
                .map(|n| {
                    let key = "%F0%9F%98%80".repeat(2048);
                    let text = "%2B".repeat(5464);
                    format!("&Small.member.{n}.KeyId={key}&Small.member.{n}.Plaintext={text}")
                })
                .collect::<String>(),
        );
        let max = body_bytes_max(Document::MEMBERS);
        assert!((form.len()..form.len() + form.len() / 50).contains(&max), "{max} for {}", form.len());
    }
}
