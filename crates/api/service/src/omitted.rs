//! Placeholder in an audit record for a value that is too long for it: the value's length and SHA-256.
//!
//! The digest of a text is that of its UTF-8 bytes, as they were sent; of anything else, that of its JSON.

use std::collections::BTreeMap;
use std::io::Write as _;

use crypto::{hex, sha256};
use serde_json::value::RawValue;

/// A member of the parameters that takes more than this is left out, if all take too much. In bytes.
const MEMBER_BYTES_MAX: usize = 1024;

/// Writes parameters that are longer than `limit`, without their long members; without any if even that is too long.
pub(crate) fn write_parameters(parameters: &[u8], limit: usize, out: &mut Vec<u8>) {
    let begin = out.len();
    match serde_json::from_slice::<BTreeMap<String, &RawValue>>(parameters) {
        Ok(members) => write_members(&members, out),
        Err(_) => write_omitted(parameters, out),
    }
    if out.len() - begin > limit {
        out.truncate(begin);
        write_omitted(parameters, out);
    }
}

fn write_members(members: &BTreeMap<String, &RawValue>, out: &mut Vec<u8>) {
    out.push(b'{');
    for (index, (name, value)) in members.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        // Writing a text to memory cannot fail.
        let _ = serde_json::to_writer(&mut *out, name);
        out.push(b':');
        let json = value.get();
        if json.len() <= MEMBER_BYTES_MAX {
            out.extend_from_slice(json.as_bytes());
        } else {
            match serde_json::from_str::<String>(json) {
                Ok(text) => write_omitted(text.as_bytes(), out),
                Err(_) => write_omitted(json.as_bytes(), out),
            }
        }
    }
    out.push(b'}');
}

/// Writes the placeholder of `bytes`.
fn write_omitted(bytes: &[u8], out: &mut Vec<u8>) {
    let digest = hex::encode(&sha256(bytes));
    // Writing to memory cannot fail.
    let _ = write!(out, r#"{{"omitted":{{"bytes":{},"sha256":"{digest}"}}}}"#, bytes.len());
}

/// The beginning of a text that is longer than `limit`, followed by the length and the digest of all of it.
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    let note = format!("… ({} bytes, SHA-256 {})", text.len(), hex::encode(&sha256(text.as_bytes())));
    let mut end = limit.saturating_sub(note.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned() + &note
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(parameters: &serde_json::Value, limit: usize) -> serde_json::Value {
        let mut out = Vec::new();
        write_parameters(parameters.to_string().as_bytes(), limit, &mut out);
        assert!(out.len() <= limit.max(200), "{}", out.len());
        serde_json::from_slice(&out).expect("JSON")
    }

    #[test]
    fn long_members_are_left_out_with_their_length_and_digest() {
        let policy = "\t".repeat(70_000);
        let found = written(&serde_json::json!({"userName": "ana", "policyDocument": policy}), 100_000);
        let digest = hex::encode(&sha256(policy.as_bytes()));
        let expect = serde_json::json!({
            "userName": "ana", "policyDocument": {"omitted": {"bytes": 70_000, "sha256": digest}},
        });
        assert_eq!(found, expect);
        let list = vec!["arn:aws:iam::111122223333:policy/p"; 9_900];
        let found = written(&serde_json::json!({"policyArns": list}), 100_000);
        assert!(found["policyArns"]["omitted"]["bytes"].as_u64() > Some(300_000));
    }

    #[test]
    fn parameters_that_stay_too_long_are_left_out_whole() {
        let parameters = serde_json::json!({"a": "x".repeat(900), "b": "y".repeat(900)});
        let found = written(&parameters, 256);
        assert_eq!(found["omitted"]["bytes"], parameters.to_string().len());
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        let text = "é".repeat(1000);
        for limit in [120, 121, 256, 1024] {
            let short = shorten(&text, limit);
            assert!(short.len() <= limit, "{limit}: {}", short.len());
            assert!(short.contains("(2000 bytes, SHA-256 "), "{short}");
        }
    }
}
