use serde_json::json;

use super::*;
use crate::scene::{allow, allow_to, arn, parse};

#[test]
fn the_keys_a_policy_refers_to_are_told_once_each() {
    let policy = parse(
        &json!([
            {
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::${aws:PrincipalTag/team, 'x'}/${aws:username}/*",
                "Condition": {
                    "StringEquals": {"aws:PrincipalTag/Team": ["${aws:RequestTag/team}", "plain", "${*}"]},
                    "Bool": {"aws:SecureTransport": "true"}
                }
            },
            {
                "Effect": "Deny",
                "NotAction": "s3:*",
                "NotResource": "*",
                "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::${aws:UserName}"}, "Null": {"aws:x": true}}
            }
        ]),
        Kind::Identity,
    );
    assert_eq!(
        policy.context_keys(),
        [
            "aws:PrincipalTag/Team",
            "aws:RequestTag/team",
            "aws:SecureTransport",
            "aws:SourceArn",
            "aws:username",
            "aws:x"
        ]
    );
    assert!(parse(&allow("*"), Kind::Identity).context_keys().is_empty());
}

#[test]
fn users_and_roles_are_tied_and_nothing_else() {
    let (alice, role) = ("arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:role/gone");
    let session = "arn:aws:sts::111122223333:assumed-role/Deployer/x";
    let mut policy =
        parse(&json!([allow_to(json!({"AWS": [alice, role, session, "111122223333"]}), "kms:*")]), Kind::Resource);
    let mut asked = Vec::new();
    policy.bind_principals(&mut |arn| {
        asked.push(arn.to_string());
        (arn.as_str() == alice).then(|| "AIDA1".to_owned())
    });
    assert_eq!(asked, [alice, role]);
    let patterns: Vec<_> = policy.principals().cloned().collect();
    assert_eq!(
        patterns,
        [
            PrincipalPattern::Named { arn: arn(alice), bound: Bound::Id("AIDA1".to_owned()) },
            PrincipalPattern::Named { arn: arn(role), bound: Bound::Nobody },
            PrincipalPattern::Session(arn(session)),
            PrincipalPattern::Account("111122223333".to_owned()),
        ]
    );
}

#[test]
fn canonical_users_become_their_accounts() {
    let (known, unknown) = ("0f".repeat(32), "ab".repeat(32));
    let mut policy = parse(&allow_to(json!({"CanonicalUser": [known, unknown]}), "s3:*"), Kind::Resource);
    policy.bind_canonical_users(&mut |id| (id == known).then(|| "111122223333".to_owned()));
    let patterns: Vec<_> = policy.principals().cloned().collect();
    assert_eq!(
        patterns,
        [PrincipalPattern::Account("111122223333".to_owned()), PrincipalPattern::CanonicalUser(unknown)]
    );
}

#[test]
fn policies_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Policy>();
    shared::<crate::Context<'static>>();
}

#[test]
fn a_policy_may_allow_a_service_when_some_statement_does() {
    let statement = |element: &str, actions: &str, effect: &str| {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"{effect}","{element}":{actions},"Resource":"*"}}}}"#
        );
        Policy::parse(&text, Kind::Identity).expect("a policy").may_allow("KMS")
    };
    for actions in [r#""*""#, r#""kms:*""#, r#""KMS:Decrypt""#, r#"["s3:*","kms:De*t"]"#] {
        assert!(statement("Action", actions, "Allow"), "{actions}");
        assert!(!statement("Action", actions, "Deny"), "{actions}");
    }
    assert!(!statement("Action", r#"["s3:*","kmsx:*"]"#, "Allow"));
    for (actions, allows) in [(r#""*""#, false), (r#""kms:*""#, false), (r#""kms:D*""#, true), (r#"["s3:*"]"#, true)] {
        assert_eq!(statement("NotAction", actions, "Allow"), allows, "{actions}");
    }
}

#[test]
fn a_policy_may_deny_an_action_when_some_statement_does() {
    let may_deny = |element: &str, actions: &str, effect: &str| {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"{effect}","{element}":{actions},"Resource":"*"}}}}"#
        );
        Policy::parse(&text, Kind::Identity).expect("a policy").may_deny("iam:*")
    };
    for actions in [r#""*""#, r#""iam:*""#, r#""IAM:?""#] {
        assert!(may_deny("Action", actions, "Deny"), "{actions}");
        assert!(!may_deny("Action", actions, "Allow"), "{actions}");
    }
    assert!(!may_deny("Action", r#"["iam:DeleteUser","s3:*"]"#, "Deny"));
    assert!(may_deny("NotAction", r#""s3:*""#, "Deny") && !may_deny("NotAction", r#""iam:*""#, "Deny"));
}
