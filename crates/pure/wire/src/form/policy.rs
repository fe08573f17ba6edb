//! The policy of a form: until when it may be sent, and what every field of it has to be.
//!
//! Says nothing of who signed it. The size of the file is for whoever reads that.
//!
//! Source: Amazon S3 API Reference, "Creating a POST policy".

use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::{Fault, Timestamp};

/// Fields that no condition is about: the policy itself and its signature.
const OF_POLICY: [&str; 2] = ["policy", "x-amz-signature"];

/// A form is not what its policy allows, or the policy is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// It cannot be read.
    #[error("Invalid Policy: {0}")]
    Malformed(&'static str),
    /// It has expired.
    #[error("Invalid according to Policy: Policy expired.")]
    Expired,
    /// A condition is not met.
    #[error("Invalid according to Policy: Policy Condition failed: {condition}")]
    Condition {
        /// The condition, as JSON.
        condition: String,
    },
    /// A field of which it says nothing.
    #[error("Invalid according to Policy: Extra input fields: {name}")]
    Extra {
        /// The field's name.
        name: String,
    },
}

impl PolicyError {
    /// The fault as S3 names it.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Malformed(_) => Fault::sender("InvalidPolicyDocument", self.to_string()),
            _ => Fault::new("AccessDenied", 403, self.to_string()),
        }
    }
}

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Match {
    Exactly,
    Beginning,
}

/// The values that a field may have.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    kind: Match,
    /// The field's name as it stands in the policy, with its dollar sign if it has one.
    name: String,
    value: String,
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormPolicy {
    expiration: Timestamp,
    conditions: Vec<Condition>,
    /// The bounds on the file's size in bytes.
    size: Option<RangeInclusive<u64>>,
}

impl FormPolicy {
    /// Reads the field `policy`: a JSON document in base64.
    ///
    /// # Errors
    /// [`PolicyError::Malformed`]; [`PolicyError::Condition`] for bounds on the size that are none.
    pub fn parse(base64: &str) -> Result<Self, PolicyError> {
        Self::of_json(&STANDARD.decode(base64.trim()).map_err(|_| PolicyError::Malformed("Invalid base64."))?)
    }

    /// Reads the JSON document.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn of_json(json: &[u8]) -> Result<Self, PolicyError> {
        let document = serde_json::from_slice(json).map_err(|_| PolicyError::Malformed("Invalid JSON."))?;
        let Value::Object(members) = document else { return Err(PolicyError::Malformed("Expecting an object.")) };
        let (mut expiration, mut conditions) = (None, None);
        for (name, value) in members {
            match (name.as_str(), value) {
                ("expiration", Value::String(text)) => expiration = Some(text),
                ("conditions", Value::Array(list)) => conditions = Some(list),
                ("expiration" | "conditions", _) => return Err(PolicyError::Malformed("Invalid element.")),
                _ => return Err(PolicyError::Malformed("Unexpected element.")),
            }
        }
        let expiration = expiration.ok_or(PolicyError::Malformed("Policy missing expiration."))?;
        let expiration = OffsetDateTime::parse(&expiration, &Rfc3339);
        let expiration = expiration.map_err(|_| PolicyError::Malformed("Invalid 'expiration' value."))?.into();
        let conditions = conditions.ok_or(PolicyError::Malformed("Policy missing conditions."))?;
        let mut policy = Self { expiration, conditions: Vec::new(), size: None };
        for condition in conditions {
            policy.add(condition)?;
        }
        Ok(policy)
    }

    fn add(&mut self, condition: Value) -> Result<(), PolicyError> {
        match condition {
            Value::Object(members) => {
                let mut members = members.into_iter();
                let (Some((name, Value::String(value))), None) = (members.next(), members.next()) else {
                    return Err(PolicyError::Malformed(
                        "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
                    ));
                };
                self.conditions.push(Condition { kind: Match::Exactly, name: format!("${name}"), value });
            }
            Value::Array(parts) => match parts.as_slice() {
                [Value::String(operator), least, most] if operator.eq_ignore_ascii_case("content-length-range") => {
                    let bound = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
                    let failed = || PolicyError::Condition { condition: shown(&parts) };
                    let range = bound(least).ok_or_else(failed)?..=bound(most).ok_or_else(failed)?;
                    // Of several, all hold.
                    self.size = Some(match self.size.take() {
                        Some(size) => *size.start().max(range.start())..=*size.end().min(range.end()),
                        None => range,
                    });
                }
                [Value::String(operator), Value::String(name), Value::String(value)] => {
                    let kind = match operator.to_ascii_lowercase().as_str() {
                        "eq" => Match::Exactly,
                        "starts-with" => Match::Beginning,
                        _ => return Err(PolicyError::Malformed("Invalid Condition: unknown operation.")),
                    };
                    self.conditions.push(Condition { kind, name: name.clone(), value: value.clone() });
                }
                _ => return Err(PolicyError::Malformed("Invalid Condition: wrong number of arguments.")),
            },
            _ => return Err(PolicyError::Malformed("Invalid Condition.")),
        }
        Ok(())
    }

    /// The bounds on the file's size in bytes.
    #[must_use]
    pub const fn size(&self) -> Option<&RangeInclusive<u64>> {
        self.size.as_ref()
    }

    /// Checks a form's fields, with names in lower case, and the bucket that it is sent to.
    ///
    /// # Errors
    /// [`PolicyError::Expired`], [`PolicyError::Condition`], [`PolicyError::Extra`].
    pub fn check(&self, bucket: &str, fields: &[(&str, &str)], now: Timestamp) -> Result<(), PolicyError> {
        if now > self.expiration {
            return Err(PolicyError::Expired);
        }
        let all = || fields.iter().copied().chain([("bucket", bucket)]);
        for condition in &self.conditions {
            let field = condition.name.strip_prefix('$').map(str::to_lowercase);
            let value = field.and_then(|field| all().find(|(name, _)| *name == field));
            if !value.is_some_and(|(name, value)| condition.fits(name, value)) {
                return Err(PolicyError::Condition { condition: condition.shown() });
            }
        }
        let covered = |field: &str| {
            self.conditions
                .iter()
                .any(|condition| condition.name.strip_prefix('$').map(str::to_lowercase).as_deref() == Some(field))
        };
        match all().find(|(name, _)| !OF_POLICY.contains(name) && !covered(name)) {
            Some((name, _)) => Err(PolicyError::Extra { name: name.to_owned() }),
            None => Ok(()),
        }
    }
}

impl Condition {
    fn fits(&self, name: &str, value: &str) -> bool {
        match self.kind {
            Match::Exactly => value == self.value,
            // A list of content types: each of them.
            Match::Beginning if name == "content-type" => {
                value.split(',').all(|value| value.trim_start().starts_with(&self.value))
            }
            Match::Beginning => value.starts_with(&self.value),
        }
    }

    fn shown(&self) -> String {
        let operator = if self.kind == Match::Exactly { "eq" } else { "starts-with" };
        shown(&[operator.into(), self.name.as_str().into(), self.value.as_str().into()])
    }
}

/// A condition as S3 shows it.
fn shown(parts: &[Value]) -> String {
    let parts: Vec<_> = parts.iter().map(Value::to_string).collect();
    format!("[{}]", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-09-21T13:46:40Z
    const NOW: Timestamp = Timestamp::from_millis(1_789_998_400_000);

    fn policy(conditions: &str) -> Result<FormPolicy, PolicyError> {
        let json = format!(r#"{{"expiration": "2026-09-21T14:00:00.000Z", "conditions": {conditions}}}"#);
        FormPolicy::parse(&STANDARD.encode(json))
    }

    fn check(conditions: &str, fields: &[(&str, &str)]) -> String {
        let checked = policy(conditions).and_then(|policy| policy.check("photos", fields, NOW));
        checked.map_or_else(|error| error.to_string(), |()| "allowed".to_owned())
    }

    #[test]
    fn every_field_has_to_be_what_the_policy_says() {
        let signed = ("x-amz-signature", "00");
        for (conditions, fields, expect) in [
            (r#"[{"bucket": "photos"}, {"Key": "a"}]"#, &[("key", "a"), signed, ("policy", "")][..], "allowed"),
            (r#"[{"bucket": "photos"}, ["starts-with", "$key", "u/"]]"#, &[("key", "u/a")], "allowed"),
            (
                r#"[{"bucket": "photos"}, ["starts-with", "$key", "u/"]]"#,
                &[("key", "v/a")],
                r#"Invalid according to Policy: Policy Condition failed: ["starts-with", "$key", "u/"]"#,
            ),
            (
                r#"[{"bucket": "other"}, {"key": "a"}]"#,
                &[("key", "a")],
                r#"Invalid according to Policy: Policy Condition failed: ["eq", "$bucket", "other"]"#,
            ),
            (r#"[{"key": "a"}]"#, &[("key", "a")], "Invalid according to Policy: Extra input fields: bucket"),
            (
                r#"[{"bucket": "photos"}, {"key": "a"}]"#,
                &[("key", "a"), ("acl", "public-read")],
                "Invalid according to Policy: Extra input fields: acl",
            ),
            (
                r#"[{"bucket": "photos"}, ["eq", "key", "a"]]"#,
                &[("key", "a")],
                r#"Invalid according to Policy: Policy Condition failed: ["eq", "key", "a"]"#,
            ),
            (
                r#"[{"bucket": "photos"}, {"key": "a"}, ["starts-with", "$Content-Type", "image/"]]"#,
                &[("key", "a"), ("content-type", "image/png, text/html")],
                r#"Invalid according to Policy: Policy Condition failed: ["starts-with", "$Content-Type", "image/"]"#,
            ),
            (
                r#"[{"bucket": "photos"}, ["content-length-range", "test", "10"]]"#,
                &[],
                r#"Invalid according to Policy: Policy Condition failed: ["content-length-range", "test", "10"]"#,
            ),
            (
                r#"[{"a": "b", "c": "d"}]"#,
                &[],
                "Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
            ),
        ] {
            assert_eq!(check(conditions, fields), expect, "{conditions}");
        }
    }

    #[test]
    fn a_policy_ends_and_bounds_the_files_size() {
        let all =
            policy(r#"[{"bucket": "photos"}, ["content-length-range", 5, "10"], ["content-length-range", 1, 8]]"#);
        let all = all.expect("a policy");
        assert_eq!(all.size(), Some(&(5..=8)));
        let end = Timestamp::from_millis(NOW.millis() + 800_000);
        assert_eq!(all.check("photos", &[], end), Ok(()));
        let after = Timestamp::from_millis(end.millis() + 1);
        assert_eq!(all.check("photos", &[], after), Err(PolicyError::Expired));
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        for text in [
            "",
            "!",
            "[]",
            "{}",
            r#"{"expiration": "2026-09-21T14:00:00Z"}"#,
            r#"{"conditions": []}"#,
            r#"{"expiration": "tomorrow", "conditions": []}"#,
            r#"{"expiration": "2026-09-21T14:00:00Z", "conditions": [], "more": 1}"#,
            r#"{"expiration": "2026-09-21T14:00:00Z", "conditions": ["a"]}"#,
            r#"{"expiration": "2026-09-21T14:00:00Z", "conditions": [["ends-with", "$key", "a"]]}"#,
            r#"{"expiration": "2026-09-21T14:00:00Z", "conditions": [["eq", "$key"]]}"#,
        ] {
            let found = FormPolicy::parse(&STANDARD.encode(text));
            assert!(matches!(found, Err(PolicyError::Malformed(_))), "{text}");
        }
        assert!(matches!(FormPolicy::parse("%"), Err(PolicyError::Malformed(_))));
    }
}
