use serde_json::json;

use super::*;
use crate::Policy;

fn refusal(text: &str, kind: Kind) -> (String, String) {
    match Policy::parse(text, kind) {
        Err(Malformed { message, at }) => (at, message),
        Ok(policy) => panic!("{text} is accepted as {policy:?}"),
    }
}

/// Checks that a statement is refused at `at` (within the statement) with a message that contains `why`.
fn refused(statement: &str, kind: Kind, at: &str, why: &str) {
    let (place, message) = refusal(&format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#), kind);
    let expect = format!("Statement[0]{at}");
    assert!(
        place == expect && message.contains(why),
        "{statement}\nis refused at {place}: {message}\nexpected {expect}: {why}"
    );
}

#[test]
fn what_aws_accepts_is_accepted() {
    let allow = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let trust = r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}"#;
    for (text, kind) in [
        (format!(r#"{{"Statement":{allow}}}"#), Kind::Identity),
        (format!(r#"{{"Statement":[{allow},{allow}]}}"#), Kind::Identity),
        (format!("\u{feff} \n{{\"Statement\" : \t{allow} }}\n"), Kind::Identity),
        (format!(r#"{{"Id":"日本 ü","Version":"2008-10-17","Statement":[{allow}]}}"#), Kind::ServiceControl),
        (format!(r#"{{"Version":"2012-10-17","Statement":[{allow}]}}"#), Kind::Session),
        (r#"{"Statement":{"Sid":"","Effect":"Deny","NotAction":["a:b","c:*"],"NotResource":["*"]}}"#.into(), Kind::Identity),
        (r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:sqs","Condition":{}}}"#.into(), Kind::Identity),
        (format!(r#"{{"Statement":[{trust}]}}"#), Kind::Trust),
        (r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":["sts:AssumeRole","STS:TagSession"]}}"#.into(), Kind::Trust),
        (
            r#"{"Statement":{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/x.com"},
                "Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"x.com:aud":"me"}}}}"#.into(),
            Kind::Trust,
        ),
        (
            r#"{"Version":"2012-10-17","Id":"key-default-1","Statement":[{"Sid":"Enable IAM User Permissions",
                "Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}"#.into(),
            Kind::Resource,
        ),
        (
            r#"{"Statement":{"Effect":"Deny","NotPrincipal":{"AWS":["111122223333"],"Service":"ec2.amazonaws.com",
                "CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"},
                "Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}}"#.into(),
            Kind::Resource,
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{
                "StringEquals":{"a:b":["x",7,true],"a:c":7.5},"Bool":{"a:d":true},"NumericLessThan":{"a:e":3600},
                "ForAnyValue:StringLike":{"a:f":["x*"]},"NumericGreaterThan":{}}}}"#.into(),
            Kind::Identity,
        ),
        (r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"a:b":"${"}}}}"#.into(), Kind::Identity),
    ] {
        assert_eq!(Policy::parse(&text, kind).err(), None, "{text}");
    }
}

#[test]
fn documents_that_are_not_policies_are_refused() {
    let allow = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    for (text, at, why) in [
        (String::new(), "", "must be a JSON object"),
        ("null".into(), "", "must be a JSON object"),
        ("[]".into(), "", "must be a JSON object"),
        (format!("[{allow}]"), "", "must be a JSON object"),
        ("{".into(), "", "not valid JSON"),
        (format!(r#"{{"Statement":[{allow}]}} x"#), "", "not valid JSON: trailing characters at line 1"),
        (format!(r#"{{"Statement":[{allow}],}}"#), "", "not valid JSON"),
        (r#"{"Statement":[{"Effect":"\ud800"}]}"#.into(), "Statement[0]", "not valid JSON"),
        ("{}".into(), "", "must have a Statement"),
        (r#"{"Version":"2012-10-17"}"#.into(), "", "must have a Statement"),
        (r#"{"Statement":[]}"#.into(), "Statement", "at least one statement"),
        (r#"{"Statement":null}"#.into(), "Statement", "must be an object, not null"),
        (r#"{"Statement":["x"]}"#.into(), "Statement[0]", "must be an object, not a string"),
        (format!(r#"{{"Version":"2012-10-18","Statement":[{allow}]}}"#), "Version", "2012-10-17 or 2008-10-17"),
        (format!(r#"{{"Version":20121017,"Statement":[{allow}]}}"#), "Version", "must be a string, not a number"),
        (format!(r#"{{"Id":[],"Statement":[{allow}]}}"#), "Id", "must be a string, not an array"),
        (format!(r#"{{"statement":[{allow}]}}"#), "statement", "no such element"),
        (format!(r#"{{"a b":1,"Statement":[{allow}]}}"#), "[\"a b\"]", "no such element"),
        (format!(r#"{{"Statement":{allow},"Statement":{allow}}}"#), "", "\"Statement\" appears more than once"),
    ] {
        let (place, message) = refusal(&text, Kind::Identity);
        assert!(place == at && message.contains(why), "{text}\nis refused at {place}: {message}");
    }
}

#[test]
fn statements_that_break_the_grammar_are_refused_where_they_do() {
    let kind = Kind::Identity;
    for (statement, at, why) in [
        (r#"{"Action":"*","Resource":"*"}"#, "", "must have an Effect"),
        (r#"{"Effect":"allow","Action":"*","Resource":"*"}"#, ".Effect", "must be Allow or Deny"),
        (r#"{"Effect":true,"Action":"*","Resource":"*"}"#, ".Effect", "must be a string, not a boolean"),
        (r#"{"Effect":"Allow","Resource":"*"}"#, "", "must contain actions"),
        (r#"{"Effect":"Allow","Action":[],"Resource":"*"}"#, ".Action", "must contain actions"),
        (
            r#"{"Effect":"Allow","Action":{},"Resource":"*"}"#,
            ".Action",
            "a string or an array of strings, not an object",
        ),
        (r#"{"Effect":"Allow","Action":["*",3],"Resource":"*"}"#, ".Action[1]", "must be a string, not a number"),
        (r#"{"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"}"#, "", "Action and NotAction exclude"),
        (r#"{"Effect":"Allow","Action":"Encrypt","Resource":"*"}"#, ".Action", "prefaced by a vendor"),
        (r#"{"Effect":"Allow","NotAction":["a:b",""],"Resource":"*"}"#, ".NotAction[1]", "prefaced by a vendor"),
        (r#"{"Effect":"Allow","Action":"k*:Encrypt","Resource":"*"}"#, ".Action", "no wildcards"),
        (r#"{"Effect":"Allow","Action":"kms:En crypt","Resource":"*"}"#, ".Action", "letters, digits"),
        (r#"{"Effect":"Allow","Action":"*"}"#, "", "must contain resources"),
        (r#"{"Effect":"Allow","Action":"*","Resource":[]}"#, ".Resource", "must contain resources"),
        (
            r#"{"Effect":"Allow","Action":"*","Resource":"bucket"}"#,
            ".Resource",
            r#""bucket": must be in ARN format or "*""#,
        ),
        (r#"{"Effect":"Allow","Action":"*","Resource":["*","**"]}"#, ".Resource[1]", "must be in ARN format"),
        (r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s*:::x"}"#, ".Resource", "must be fully qualified"),
        (r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${x"}"#, ".Resource", "lacks its closing brace"),
        (r#"{"Effect":"Allow","Action":"*","Resource":"*","NotResource":"*"}"#, "", "Resource and NotResource exclude"),
        (
            r#"{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}"#,
            ".Principal",
            "must not specify a principal",
        ),
        (
            r#"{"Effect":"Deny","Action":"*","Resource":"*","NotPrincipal":"*"}"#,
            ".NotPrincipal",
            "must not specify a principal",
        ),
        (r#"{"Effect":"Allow","Action":"*","Resource":"*","Conditions":{}}"#, ".Conditions", "no such element"),
        (r#"{"Effect":"Allow","Effect":"Allow","Action":"*","Resource":"*"}"#, "", "\"Effect\" appears more than once"),
        (r#"{"Sid":"a b","Effect":"Allow","Action":"*","Resource":"*"}"#, ".Sid", "alpha-numeric"),
        (r#"{"Sid":7,"Effect":"Allow","Action":"*","Resource":"*"}"#, ".Sid", "must be a string"),
    ] {
        refused(statement, kind, at, why);
    }
}

#[test]
fn conditions_that_break_the_grammar_are_refused_where_they_do() {
    for (condition, at, why) in [
        (json!([]), "", "must be an object, not an array"),
        (json!({"StringEqual": {}}), ".StringEqual", "no such condition operator"),
        (json!({"NullIfExists": {"a:b": "true"}}), ".NullIfExists", "no such condition operator"),
        (json!({"StringEquals": "x"}), ".StringEquals", "must be an object, not a string"),
        (json!({"StringEquals": {"username": "x"}}), ".StringEquals.username", "prefaced by a vendor"),
        (json!({"StringEquals": {"aws:": "x"}}), ".StringEquals[\"aws:\"]", "prefaced by a vendor"),
        (json!({"StringEquals": {"a:b": []}}), ".StringEquals[\"a:b\"]", "at least one value"),
        (json!({"StringEquals": {"a:b": null}}), ".StringEquals[\"a:b\"]", "must be a string, not null"),
        (json!({"StringEquals": {"a:b": {}}}), ".StringEquals[\"a:b\"]", "must be a string, not an object"),
        (json!({"StringEquals": {"a:b": ["x", ["y"]]}}), ".StringEquals[\"a:b\"][1]", "must be a string, not an array"),
        (json!({"Bool": {"a:b": ["true", "no"]}}), ".Bool[\"a:b\"][1]", "\"no\": is neither true nor false"),
        (json!({"StringLike": {"a:b": "${}"}}), ".StringLike[\"a:b\"]", "has no name"),
        (json!({"StringEquals": {"a:b": "x", "A:B": "y"}}), ".StringEquals", "\"a:b\" appears more than once"),
        (json!({"Bool": {}, "bool": {}}), "", "\"bool\" appears more than once"),
    ] {
        let statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition});
        refused(&statement.to_string(), Kind::Identity, &format!(".Condition{at}"), why);
    }
    let twice = r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"a:b":"true","a:b":"true"}}}"#;
    refused(twice, Kind::Identity, ".Condition.Bool", "\"a:b\" appears more than once");
}

#[test]
fn principals_that_break_the_grammar_are_refused_where_they_do() {
    for (principal, at, why) in [
        (json!("111122223333"), ".Principal", "a principal is \"*\" or an object"),
        (json!([]), ".Principal", "must be an object, not an array"),
        (json!({}), ".Principal", "a principal must be named"),
        (json!({"AWS": []}), ".Principal", "a principal must be named"),
        (json!({"aws": "*"}), ".Principal.aws", "no such kind of principal"),
        (json!({"AWS": 111_122_223_333_u64}), ".Principal.AWS", "a string or an array of strings, not a number"),
        (json!({"AWS": ["*", "arn:aws:iam::111122223333:user/*"]}), ".Principal.AWS[1]", "invalid principal"),
        (json!({"Service": "*"}), ".Principal.Service", "invalid principal"),
        (json!({"Federated": "*"}), ".Principal.Federated", "invalid principal"),
        (json!({"CanonicalUser": "x"}), ".Principal.CanonicalUser", "invalid principal"),
    ] {
        let statement = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": principal});
        refused(&statement.to_string(), Kind::Resource, at, why);
    }
    for (statement, kind, at, why) in [
        (r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#, Kind::Resource, "", "must have a Principal"),
        (
            r#"{"Effect":"Deny","Action":"s3:*","Resource":"*","Principal":"*","NotPrincipal":"*"}"#,
            Kind::Resource,
            "",
            "Principal and NotPrincipal exclude each other",
        ),
        (
            r#"{"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"s3:*","Resource":"*"}"#,
            Kind::Resource,
            ".NotPrincipal",
            "only be used with the effect Deny",
        ),
        (r#"{"Effect":"Allow","Principal":"*","Action":"s3:*"}"#, Kind::Resource, "", "must contain resources"),
        (
            r#"{"Effect":"Allow","Principal":{"AWS":"*","AWS":"111122223333"},"Action":"s3:*","Resource":"*"}"#,
            Kind::Resource,
            ".Principal",
            "\"AWS\" appears more than once",
        ),
    ] {
        refused(statement, kind, at, why);
    }
}

#[test]
fn trust_policies_are_about_assuming_their_own_role() {
    for (statement, at, why) in [
        (r#"{"Effect":"Allow","Action":"sts:AssumeRole"}"#, "", "must have a Principal"),
        (
            r#"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}"#,
            "",
            "must not have a Resource",
        ),
        (
            r#"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","NotResource":"*"}"#,
            "",
            "must not have a Resource",
        ),
        (
            r#"{"Effect":"Deny","NotPrincipal":"*","Action":"sts:AssumeRole"}"#,
            ".NotPrincipal",
            "must not have a NotPrincipal",
        ),
        (
            r#"{"Effect":"Allow","Principal":"*","Action":["sts:AssumeRole","*"]}"#,
            ".Action[1]",
            "STS AssumeRole actions",
        ),
        (r#"{"Effect":"Allow","Principal":"*","Action":"iam:PassRole"}"#, ".Action", "STS AssumeRole actions"),
    ] {
        let at = if why == "must not have a Resource" {
            if statement.contains("NotResource") { ".NotResource" } else { ".Resource" }
        } else {
            at
        };
        refused(statement, Kind::Trust, at, why);
    }
}

#[test]
fn sids_are_unique_in_iams_own_policies() {
    let one = r#"{"Sid":"Same","Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}"#;
    let (at, message) = refusal(&format!(r#"{{"Statement":[{one},{one}]}}"#), Kind::Trust);
    assert_eq!((at.as_str(), message.contains("unique")), ("Statement[1].Sid", true));
    let one = r#"{"Sid":"Same old","Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}"#;
    assert!(Policy::parse(&format!(r#"{{"Statement":[{one},{one}]}}"#), Kind::Resource).is_ok());
    let empty = r#"{"Sid":"","Effect":"Allow","Action":"*","Resource":"*"}"#;
    assert!(Policy::parse(&format!(r#"{{"Statement":[{empty},{empty}]}}"#), Kind::Identity).is_ok());
}

#[test]
fn a_refusal_shows_where_and_why() {
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*",
        "Condition":{"Bool":{"aws:SecureTransport":"maybe"}}}]}"#;
    let malformed = Policy::parse(text, Kind::Identity).expect_err("a refusal");
    assert_eq!(
        malformed.to_string(),
        r#"Statement[0].Condition.Bool["aws:SecureTransport"]: "maybe": is neither true nor false"#
    );
    let malformed = Policy::parse("[]", Kind::Identity).expect_err("a refusal");
    assert_eq!(malformed.to_string(), "a policy must be a JSON object");
}

#[test]
fn policy_bombs_end_in_an_error_or_a_policy_of_their_own_size() {
    let statement = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let many = |count: usize| format!(r#"{{"Statement":[{}]}}"#, vec![statement; count].join(","));
    assert_eq!(Policy::parse(&many(10_000), Kind::Identity).map(|policy| policy.statements().len()), Ok(10_000));
    assert!(refusal(&many(100_000), Kind::Identity).1.contains("longer than"));

    let deep = "[".repeat(500_000);
    for text in [
        format!(r#"{{"Statement":{deep}"#),
        format!(r#"{{"Version":{deep}{}}}"#, "]".repeat(500_000)),
        format!(r#"{{"Statement":[{deep}{}]}}"#, "]".repeat(500_000)),
        format!(r#"{{"Statement":{{"Condition":{}"#, r#"{"a":"#.repeat(100_000)),
    ] {
        let (_, message) = refusal(&text, Kind::Identity);
        assert!(message.contains("not valid JSON") || message.contains("longer than"), "{message}");
    }

    let long = "x".repeat(900_000);
    let (at, message) = refusal(&format!(r#"{{"{long}":1,"Statement":{statement}}}"#), Kind::Identity);
    assert!(at.len() + message.len() < 1000, "what is quoted is cut");
}
