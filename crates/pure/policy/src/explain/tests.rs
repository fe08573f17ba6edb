use serde_json::json;

use super::*;
use crate::scene::{Scene, alice, allow, deny, deployer};

#[test]
fn every_statement_that_applies_is_told_with_its_place() {
    let scene = Scene::new(alice(), "kms:Decrypt")
        .identity(
            json!([allow("s3:*"), allow("kms:*"), {"Sid": "No", "Effect": "Deny", "Action": "*", "Resource": "*"}]),
        )
        .identity(allow("kms:Decrypt"));
    let explanation = scene.explain();
    assert_eq!(explanation.decision, scene.decide());
    let told: Vec<_> = explanation
        .matched
        .iter()
        .map(|matched| (matched.cited.statement, matched.cited.sid.as_deref(), matched.effect))
        .collect();
    assert_eq!(told, [(1, None, Effect::Allow), (2, Some("No"), Effect::Deny), (0, None, Effect::Allow)]);
    assert!(explanation.matched.iter().all(|matched| matched.span.start < matched.span.end));
}

#[test]
fn missing_keys_are_those_of_statements_about_the_action() {
    let scene = Scene::new(alice(), "kms:Decrypt").with("aws:username", "alice").identity(json!([
        {
            "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*",
            "Condition": {
                "StringEquals": {"KMS:viaservice": "${aws:userid}", "aws:username": "alice"},
                "Null": {"kms:ViaService": "true"}
            }
        },
        {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": true}}}
    ]));
    assert_eq!(scene.explain().missing_keys, ["aws:userid", "kms:ViaService"]);
}

#[test]
fn each_limit_is_told_apart() {
    let explanation = Scene::new(deployer(), "kms:Decrypt")
        .identity(allow("kms:*"))
        .boundary(allow("kms:*"))
        .session(json!([allow("*"), deny("kms:*")]))
        .level(allow("*"))
        .level(allow("s3:*"))
        .explain();
    assert_eq!(
        (explanation.service_control_allows, explanation.boundary_allows, explanation.session_allows),
        (Some(false), Some(true), Some(false))
    );
    let explanation = Scene::new(alice(), "kms:Decrypt").explain();
    assert_eq!(
        (explanation.service_control_allows, explanation.boundary_allows, explanation.session_allows),
        (None, None, None)
    );
}
