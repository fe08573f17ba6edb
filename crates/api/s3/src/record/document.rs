//! The text of a bucket's policy, for what a parsed policy does not show: which resources and actions it names, and
//! whether it is public.
//!
//! Source: Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage", "The meaning of public"; Service
//! Authorization Reference, "Actions, resources, and condition keys for Amazon S3".

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::error::{Refusal, S3Error};

/// A policy of which [`policy::Policy::parse`] has found that it is one.
#[derive(Deserialize)]
pub(super) struct Document {
    #[serde(rename = "Statement")]
    statements: OneOrMany<Statement>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

impl<T> OneOrMany<T> {
    fn as_slice(&self) -> &[T] {
        match self {
            Self::Many(many) => many,
            Self::One(one) => std::slice::from_ref(one),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    effect: String,
    principal: Option<Principal>,
    action: Option<OneOrMany<String>>,
    not_action: Option<OneOrMany<String>>,
    resource: Option<OneOrMany<String>>,
    not_resource: Option<OneOrMany<String>>,
    #[serde(default)]
    condition: BTreeMap<String, BTreeMap<String, OneOrMany<Value>>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Principal {
    Listed(BTreeMap<String, OneOrMany<String>>),
    /// `*`.
    All(IgnoredAny),
}

/// A policy that is refused.
pub(super) fn malformed(reason: impl Into<String>) -> S3Error {
    Refusal::MalformedPolicy { reason: reason.into() }.into()
}

impl Document {
    /// Reads the text.
    ///
    /// # Errors
    /// [`Refusal::MalformedPolicy`].
    pub(super) fn read(text: &str) -> Result<Self, S3Error> {
        serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|_| malformed("Invalid policy syntax."))
    }

    /// Checks that every statement is about the bucket or objects in it, and has actions of S3 for what it is about.
    ///
    /// # Errors
    /// [`Refusal::MalformedPolicy`].
    pub(super) fn check_scope(&self, bucket: &str) -> Result<(), S3Error> {
        self.statements.as_slice().iter().try_for_each(|statement| statement.check_scope(bucket))
    }

    /// Whether a statement lets anybody in whom no condition with fixed values limits.
    pub(super) fn is_public(&self) -> bool {
        self.statements.as_slice().iter().any(Statement::is_public)
    }
}

impl Statement {
    fn check_scope(&self, bucket: &str) -> Result<(), S3Error> {
        let (mut of_bucket, mut of_objects) = (false, false);
        for resource in self.resource.iter().chain(&self.not_resource).flat_map(OneOrMany::as_slice) {
            let pattern = resource.strip_prefix("arn:aws:s3:::").unwrap_or_default();
            let (on_bucket, on_objects) =
                (begins(pattern, bucket, true), begins(pattern, &[bucket, "/"].concat(), false));
            if !on_bucket && !on_objects {
                return Err(malformed("Policy has invalid resource"));
            }
            (of_bucket, of_objects) = (of_bucket || on_bucket, of_objects || on_objects);
        }
        for action in self.action.iter().chain(&self.not_action).flat_map(OneOrMany::as_slice) {
            let action = action.to_ascii_lowercase();
            if action == "*" {
                continue;
            }
            let Some(name) = action.strip_prefix("s3:") else { return Err(malformed("Policy has invalid action")) };
            if !name.starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '*' | '?')) {
                return Err(malformed("Policy has invalid action"));
            }
            // A pattern may mean actions of both kinds.
            let fits = name.contains(['*', '?']) || if is_on_objects(name) { of_objects } else { of_bucket };
            if !fits {
                return Err(malformed("Action does not apply to any resource(s) in statement"));
            }
        }
        Ok(())
    }

    fn is_public(&self) -> bool {
        let everybody = match &self.principal {
            // Everybody who is not listed.
            None => true,
            Some(Principal::All(_)) => true,
            Some(Principal::Listed(kinds)) => {
                kinds.get("AWS").is_some_and(|listed| listed.as_slice().iter().any(|one| one == "*"))
            }
        };
        let limited = || {
            self.condition.iter().any(|(operator, keys)| keys.iter().any(|(key, values)| limits(operator, key, values)))
        };
        self.effect == "Allow" && everybody && !limited()
    }
}

/// Whether a pattern with `*` and `?` matches `text`, or with `whole` false, some text that begins so.
fn begins(pattern: &str, text: &str, whole: bool) -> bool {
    // The places in the pattern that the text so far may have led to.
    let letters: Vec<char> = pattern.chars().collect();
    let mut places = BTreeSet::from([0]);
    let pass_stars = |places: &mut BTreeSet<usize>| {
        for place in 0..letters.len() {
            if places.contains(&place) && letters.get(place) == Some(&'*') {
                places.insert(place + 1);
            }
        }
    };
    pass_stars(&mut places);
    for letter in text.chars() {
        let next = places.iter().filter_map(|place| match letters.get(*place) {
            Some('*') => Some(*place),
            Some('?') => Some(place + 1),
            Some(other) if *other == letter => Some(place + 1),
            _ => None,
        });
        places = next.collect();
        pass_stars(&mut places);
    }
    if whole { places.contains(&letters.len()) } else { !places.is_empty() }
}

/// Whether a condition limits callers to few, whoever calls: it has fixed values of a key that callers do not choose.
fn limits(operator: &str, key: &str, values: &OneOrMany<Value>) -> bool {
    let operator = operator.strip_prefix("ForAnyValue:").unwrap_or(operator);
    let texts = || values.as_slice().iter().map(|value| value.as_str().unwrap_or_default());
    match key.to_ascii_lowercase().as_str() {
        "aws:sourceip" => operator == "IpAddress" && texts().all(is_narrow),
        "aws:sourcearn"
        | "aws:sourceaccount"
        | "aws:sourceowner"
        | "aws:sourcevpc"
        | "aws:sourcevpce"
        | "aws:principalorgid"
        | "aws:principalorgpaths"
        | "aws:principalaccount"
        | "aws:principalarn"
        | "aws:userid"
        | "s3:dataaccesspointarn"
        | "s3:dataaccesspointaccount" => {
            let compares =
                matches!(operator, "StringEquals" | "StringEqualsIgnoreCase" | "StringLike" | "ArnEquals" | "ArnLike");
            compares && texts().all(|text| !text.is_empty() && !text.contains(['*', '?', '$']))
        }
        _ => false,
    }
}

/// Whether a block of addresses is that of somebody, and not a large part of the internet.
fn is_narrow(block: &str) -> bool {
    let (address, length) = block.split_once('/').unwrap_or((block, "128"));
    let (Ok(address), Ok(length)) = (address.parse::<IpAddr>(), length.parse::<u32>()) else { return false };
    length >= if address.is_ipv4() { 8 } else { 32 }
}

/// Whether an action, in lower case without its prefix, is one on objects.
fn is_on_objects(action: &str) -> bool {
    const OF_OBJECTS: [&str; 12] = [
        "abortmultipartupload",
        "bypassgovernanceretention",
        "deleteobject",
        "getobject",
        "initiatereplication",
        "listmultipartuploadparts",
        "objectowneroverridetobucketowner",
        "putobject",
        "renameobject",
        "replicate",
        "restoreobject",
        "updateobjectencryption",
    ];
    OF_OBJECTS.iter().any(|prefix| action.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(statement: &str) -> Document {
        Document::read(&format!(r#"{{"Version": "2012-10-17", "Statement": [{statement}]}}"#)).expect("a policy")
    }

    #[test]
    fn a_policy_is_public_unless_fixed_values_limit_who_calls() {
        let with = |condition: &str| {
            format!(
                r#"{{"Effect": "Allow", "Principal": {{"AWS": "*"}}, "Action": "s3:GetObject",
                    "Resource": "arn:aws:s3:::b/*", "Condition": {condition}}}"#
            )
        };
        for (condition, public) in [
            ("{}", true),
            (r#"{"IpAddress": {"aws:SourceIp": "10.1.0.0/16"}}"#, false),
            (r#"{"IpAddress": {"aws:SourceIp": ["10.1.0.0/16", "128.0.0.0/1"]}}"#, true),
            (r#"{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#, false),
            (r#"{"NotIpAddress": {"aws:SourceIp": "10.1.0.0/16"}}"#, true),
            (r#"{"StringEquals": {"aws:SourceVpc": "vpc-1"}}"#, false),
            (r#"{"StringLike": {"aws:SourceVpc": "vpc-*"}}"#, true),
            (r#"{"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}"#, true),
            (r#"{"ForAllValues:StringEquals": {"aws:SourceVpc": "vpc-1"}}"#, true),
            (r#"{"StringEquals": {"aws:PrincipalOrgID": "o-1"}}"#, false),
            (r#"{"StringEquals": {"aws:UserAgent": "mine"}}"#, true),
            (r#"{"StringEquals": {"s3:prefix": "a"}, "ArnLike": {"aws:SourceArn": "arn:aws:sns:::x"}}"#, false),
            (r#"{"Bool": {"aws:SecureTransport": true}}"#, true),
        ] {
            assert_eq!(document(&with(condition)).is_public(), public, "{condition}");
        }
    }

    #[test]
    fn named_principals_and_denials_are_not_public() {
        for (statement, public) in [
            (r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}"#, true),
            (r#"{"Effect": "Allow", "NotPrincipal": {"AWS": "111122223333"}, "Action": "*", "Resource": "*"}"#, true),
            (
                r#"{"Effect": "Allow", "Principal": {"AWS": ["111122223333", "*"]}, "Action": "*", "Resource": "*"}"#,
                true,
            ),
            (r#"{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "*", "Resource": "*"}"#, false),
            (r#"{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}"#, false),
        ] {
            assert_eq!(document(statement).is_public(), public, "{statement}");
        }
    }

    #[test]
    fn a_statement_is_about_the_bucket_and_has_actions_that_fit() {
        let check = |action: &str, resource: &str| {
            let statement = format!(r#"{{"Effect": "Allow", "Action": {action}, "Resource": {resource}}}"#);
            document(&statement).check_scope("mine").is_ok()
        };
        assert!(check(r#""s3:GetObject""#, r#""arn:aws:s3:::mine/*""#));
        assert!(check(r#"["s3:ListBucket", "s3:GetObject"]"#, r#"["arn:aws:s3:::mine", "arn:aws:s3:::mine/a"]"#));
        assert!(check(r#""s3:*""#, r#""arn:aws:s3:::mine""#));
        assert!(check(r#""*""#, r#""arn:aws:s3:::mine/*""#));
        assert!(check(r#"["s3:ListBucket", "s3:GetObject"]"#, r#""arn:aws:s3:::mi?e*""#));
        assert!(check(r#""s3:GetObject""#, r#""arn:aws:s3:::*/*""#));
        assert!(!check(r#""s3:ListBucket""#, r#""arn:aws:s3:::*/*""#));
        assert!(!check(r#""s3:ListBucket""#, r#""arn:aws:s3:::*s""#));
        assert!(!check(r#""s3:GetObject""#, r#""arn:aws:s3:::mine""#));
        assert!(!check(r#""s3:ListBucket""#, r#""arn:aws:s3:::mine/*""#));
        assert!(!check(r#""s3:ListBucket""#, r#""arn:aws:s3:::minerals""#));
        assert!(!check(r#""s3:ListBucket""#, r#""*""#));
        assert!(!check(r#""kms:Decrypt""#, r#""arn:aws:s3:::mine""#));
        assert!(!check(r#"["s3:ListBucket", "s3:GetObject"]"#, r#"["arn:aws:s3:::mine"]"#));
    }
}
