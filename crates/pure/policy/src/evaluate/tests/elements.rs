//! Elements of statements: actions, resources, principals, conditions and variables, each met and not met.

use serde_json::{Value as Json, json};

use super::{ACTION, ALICE, DEPLOYER, aws};
use crate::scene::{HOME, Scene, alice, allow, allow_to, deployer};
use crate::{Context, Kind, Named, Policies, Policy, Request, evaluate};

/// Whether an identity policy of one statement allows Alice an action on a resource.
fn allows(statement: Json, action: &str, resource: &str) -> bool {
    Scene::new(alice(), action).on(resource).identity(statement).is_allowed()
}

#[test]
fn not_action_means_every_other_action() {
    let statement = json!({"Effect": "Allow", "NotAction": ["iam:*", "kms:Decrypt"], "Resource": "*"});
    for (action, expect) in [
        ("kms:Encrypt", true),
        ("s3:GetObject", true),
        ("kms:Decrypt", false),
        ("KMS:DECRYPT", false),
        ("iam:x", false),
    ] {
        assert_eq!(allows(statement.clone(), action, "*"), expect, "{action}");
    }
}

#[test]
fn not_resource_means_every_other_resource() {
    let statement =
        json!({"Effect": "Allow", "Action": "*", "NotResource": ["arn:aws:s3:::secret", "arn:aws:s3:::secret/*"]});
    for (resource, expect) in [
        ("arn:aws:s3:::public", true),
        ("arn:aws:s3:::secret", false),
        ("arn:aws:s3:::secret/x/y", false),
        ("arn:aws:s3:::Secret", true),
        ("*", true),
    ] {
        assert_eq!(allows(statement.clone(), "s3:GetObject", resource), expect, "{resource}");
    }
}

#[test]
fn not_principal_denies_everybody_who_is_not_listed_with_their_account() {
    for (listed, alice_allowed, deployer_allowed) in [
        (json!([ALICE, HOME]), true, false),
        (json!([ALICE]), false, false),
        (json!([HOME]), false, false),
        (json!([DEPLOYER, HOME]), false, true),
        (json!([ALICE, DEPLOYER, HOME]), true, true),
    ] {
        let policy = json!({"Effect": "Deny", "NotPrincipal": {"AWS": listed}, "Action": "*", "Resource": "*"});
        for (caller, allowed) in [(alice(), alice_allowed), (deployer(), deployer_allowed)] {
            let scene = Scene::new(caller, ACTION).identity(allow("*")).shared(policy.clone());
            assert_eq!(scene.is_allowed(), allowed, "{listed}");
            let bounded = scene.boundary(allow("*"));
            assert!(!bounded.is_allowed(), "NotPrincipal denies whoever has a boundary");
        }
    }
}

#[test]
fn item_8_keys_and_operators_are_anded() {
    let scene = |service: &'static str, secure: bool| {
        Scene::new(alice(), ACTION).with("kms:ViaService", service).with("aws:SecureTransport", secure).identity(
            json!({
                "Effect": "Allow", "Action": "*", "Resource": "*",
                "Condition": {
                    "StringEquals": {"kms:ViaService": ["s3", "ebs"], "aws:SecureTransport": "true"},
                    "StringNotEquals": {"kms:ViaService": "ebs"}
                }
            }),
        )
    };
    assert!(scene("s3", true).is_allowed());
    assert!(!scene("s3", false).is_allowed());
    assert!(!scene("ebs", true).is_allowed());
    assert!(!scene("rds", true).is_allowed());
}

#[test]
fn item_8_resources_match_segment_by_segment() {
    for (pattern, resource, expect) in [
        ("arn:aws:kms:*:111122223333:key/*", "arn:aws:kms:eu-1:111122223333:key/x", true),
        ("arn:aws:kms:*:key/*", "arn:aws:kms:eu-1:111122223333:key/x", false),
        ("arn:aws:kms:eu-1*", "arn:aws:kms:eu-1:111122223333:key/x", true),
        ("arn:aws:kms:eu-1:1*3:key/*", "arn:aws:kms:eu-1:111122223333:key/x", true),
        ("arn:aws:kms:eu-1:1*key/x", "arn:aws:kms:eu-1:111122223333:key/x", false),
        ("arn:aws:s3:::b*/x", "arn:aws:s3:::bucket/a/x", true),
        ("arn:aws:kms", "arn:aws:kms:eu-1:111122223333:key/x", true),
        ("arn:aws:kms:*:*:*", "*", false),
        ("*", "*", true),
    ] {
        let statement = json!({"Effect": "Allow", "Action": "*", "Resource": pattern});
        assert_eq!(allows(statement, ACTION, resource), expect, "{pattern} {resource}");
    }
}

#[test]
fn item_9_actions_and_keys_are_case_insensitive_and_resources_and_values_are_not() {
    let statement = json!({
        "Effect": "Allow", "Action": "KMS:dECRYPT", "Resource": "arn:aws:kms:eu-1:1:key/x",
        "Condition": {"STRINGequals": {"AWS:username": "alice"}}
    });
    let scene = |name: &'static str, resource| {
        Scene::new(alice(), ACTION).on(resource).with("aws:UserName", name).identity(statement.clone())
    };
    assert!(scene("alice", "arn:aws:kms:eu-1:1:key/x").is_allowed());
    assert!(!scene("Alice", "arn:aws:kms:eu-1:1:key/x").is_allowed());
    assert!(!scene("alice", "arn:aws:kms:eu-1:1:key/X").is_allowed());
}

/// Whether a document of some version allows access to a home directory.
fn opens(version: &str, pattern: &str, name: Option<&str>, resource: &str) -> bool {
    let text = json!({"Version": version, "Statement": {"Effect": "Allow", "Action": "*", "Resource": pattern}});
    let policy = Policy::parse(&text.to_string(), Kind::Identity).expect("a policy");
    let mut context = Context::new();
    if let Some(name) = name {
        context.insert("aws:username", name);
    }
    let principal = alice();
    let request =
        Request { principal: &principal, action: "s3:GetObject", resource, resource_account: None, context: &context };
    let identity = [Named { name: "home", policy: &policy }];
    evaluate(&request, &Policies { identity: &identity, ..Policies::default() }).is_allowed()
}

#[test]
fn item_10_variables_and_escapes_are_for_version_2012_and_literal_before() {
    const HOME: &str = "arn:aws:s3:::home/${aws:username}/*";
    const GUEST: &str = "arn:aws:s3:::home/${aws:username, 'guest'}";
    const STAR: &str = "arn:aws:s3:::home/${*}";
    for (version, pattern, name, resource, expect) in [
        ("2012-10-17", HOME, Some("alice"), "arn:aws:s3:::home/alice/x", true),
        ("2012-10-17", HOME, Some("alice"), "arn:aws:s3:::home/bob/x", false),
        ("2012-10-17", HOME, None, "arn:aws:s3:::home//x", false),
        ("2012-10-17", HOME, None, "arn:aws:s3:::home/${aws:username}/x", false),
        ("2012-10-17", HOME, Some("*"), "arn:aws:s3:::home/bob/x", false),
        ("2012-10-17", GUEST, None, "arn:aws:s3:::home/guest", true),
        ("2012-10-17", GUEST, Some("alice"), "arn:aws:s3:::home/guest", false),
        ("2012-10-17", STAR, None, "arn:aws:s3:::home/*", true),
        ("2012-10-17", STAR, None, "arn:aws:s3:::home/x", false),
        ("2008-10-17", HOME, Some("alice"), "arn:aws:s3:::home/alice/x", false),
        ("2008-10-17", STAR, None, "arn:aws:s3:::home/${x}", true),
    ] {
        assert_eq!(opens(version, pattern, name, resource), expect, "{version} {pattern} {name:?} {resource}");
    }
}

#[test]
fn item_10_a_document_without_a_version_is_of_2008() {
    let text = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*",
        "Condition":{"StringEquals":{"aws:username":"${aws:username}"}}}}"#;
    let policy = Policy::parse(text, Kind::Identity).expect("a policy");
    let mut context = Context::new();
    context.insert("aws:username", "alice");
    let principal = alice();
    let request =
        Request { principal: &principal, action: ACTION, resource: "*", resource_account: None, context: &context };
    let identity = [Named { name: "old", policy: &policy }];
    let policies = Policies { identity: &identity, ..Policies::default() };
    assert!(!evaluate(&request, &policies).is_allowed());
}

#[test]
fn item_11_tags_of_principal_resource_and_request_can_be_compared() {
    let statement = json!({
        "Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": {
            "StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"},
            "StringEqualsIfExists": {"aws:RequestTag/team": "${aws:PrincipalTag/team}"},
            "ForAllValues:StringEquals": {"aws:TagKeys": ["team", "stage"]}
        }
    });
    let scene = |principal: Option<&'static str>, resource: &'static str, request: Option<&'static str>| {
        let mut scene = Scene::new(alice(), ACTION).with("aws:ResourceTag/team", resource).identity(statement.clone());
        if let Some(team) = principal {
            scene = scene.with("aws:PrincipalTag/team", team);
        }
        if let Some(team) = request {
            scene = scene.with("aws:RequestTag/team", team);
        }
        scene.is_allowed()
    };
    assert!(scene(Some("red"), "red", None));
    assert!(scene(Some("red"), "red", Some("red")));
    assert!(!scene(Some("red"), "blue", None));
    assert!(!scene(Some("red"), "red", Some("blue")));
    assert!(!scene(None, "red", None), "a tag that is not there equals nothing");
}

#[test]
fn item_11_encryption_context_names_are_case_insensitive_and_values_are_not() {
    let policy = json!({
        "Effect": "Allow", "Principal": aws(ALICE), "Action": "kms:*", "Resource": "*",
        "Condition": {"StringEquals": {"kms:EncryptionContext:Department": "Sales", "kms:CallerAccount": HOME}}
    });
    let scene = |value: &'static str| {
        Scene::new(alice(), ACTION)
            .with("kms:EncryptionContext:department", value)
            .with("kms:CallerAccount", HOME)
            .mandatory(policy.clone())
    };
    assert!(scene("Sales").is_allowed());
    assert!(!scene("sales").is_allowed());
}

#[test]
fn delegation_is_as_conditional_as_its_statement() {
    let mut policy = allow_to(aws(HOME), "kms:*");
    policy["Condition"] = json!({"StringEquals": {"kms:ViaService": "s3"}});
    let scene = || Scene::new(alice(), ACTION).identity(allow("kms:*")).mandatory(policy.clone());
    assert!(!scene().is_allowed());
    assert!(scene().with("kms:ViaService", "s3").is_allowed());
}

#[test]
fn an_ambiguous_key_opens_nothing_and_lifts_no_deny() {
    const TEAM: &str = "aws:ResourceTag/Team";
    let under = |effect: &str, operator: &str, key: &str, value: &str| json!({"Effect": effect, "Action": "*", "Resource": "*", "Condition": {operator: {key: value}}});
    let on = |effect: &str, element: &str, pattern: &str| json!({"Effect": effect, "Action": "*", element: pattern});
    let mut of_allow: Vec<_> = [
        ("StringEquals", "red"),
        ("StringEquals", "blue"),
        ("StringLike", "*"),
        ("StringNotEquals", "red"),
        ("StringNotEquals", "green"),
        ("StringNotLike", "g*"),
        ("StringEqualsIfExists", "green"),
        ("StringNotEqualsIfExists", "green"),
        ("ForAllValues:StringEquals", "red"),
        ("ForAnyValue:StringEquals", "red"),
        ("Null", "true"),
        ("Null", "false"),
    ]
    .map(|(operator, value)| (under("Allow", operator, TEAM, value), under("Deny", operator, TEAM, value)))
    .into();
    for (operator, value) in [
        ("StringEquals", "${aws:ResourceTag/team}"),
        ("StringNotEquals", "${aws:ResourceTag/team}"),
        ("StringNotEquals", "${aws:ResourceTag/team, 'none'}"),
    ] {
        let [allow, deny] = ["Allow", "Deny"].map(|effect| under(effect, operator, "aws:username", value));
        of_allow.push((allow, deny));
    }
    for (element, pattern) in [
        ("Resource", "arn:aws:kms:*:*:key/${aws:ResourceTag/team}"),
        ("NotResource", "arn:aws:kms:*:*:key/${aws:ResourceTag/team}"),
        ("NotResource", "arn:aws:kms:*:*:key/${aws:ResourceTag/team, 'none'}"),
    ] {
        let [allow, deny] = ["Allow", "Deny"].map(|effect| on(effect, element, pattern));
        of_allow.push((allow, deny));
    }
    let scene = || {
        let scene = Scene::new(alice(), ACTION).with("aws:username", "alice");
        scene.tagged(&[("Team", "red"), ("team", "blue"), ("stage", "live")])
    };
    for (allowing, denying) in of_allow {
        assert!(!scene().identity(allowing.clone()).is_allowed(), "{allowing}");
        let denied = scene().identity(json!([allow("*"), denying]));
        assert!(!denied.is_allowed(), "{denying}");
        assert!(denied.explain().missing_keys.is_empty(), "{denying}");
    }
    // Whatever else a statement says still counts, and so do the other keys.
    let mut elsewhere = under("Deny", "StringEquals", TEAM, "red");
    elsewhere["Action"] = json!("s3:*");
    let live = under("Allow", "StringEquals", "aws:ResourceTag/Stage", "live");
    assert!(scene().identity(json!([live, elsewhere])).is_allowed());
}
