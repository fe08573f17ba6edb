//! Properties of evaluation over random policies and requests from a small world, in which statements often meet.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value as Json, json};

use crate::action::{Action, ActionPattern, Room};
use crate::glob::{Glob, Syntax};
use crate::scene::{Scene, alice, bob, deployer};
use crate::{Context, Decision, Kind, Policy, Principal, Reason};

const ACTIONS: [&str; 4] = ["kms:Encrypt", "kms:Decrypt", "s3:GetObject", "iam:GetUser"];
const RESOURCES: [&str; 4] =
    ["*", "arn:aws:kms:eu-1:111122223333:key/1", "arn:aws:s3:::home/alice/x", "arn:aws:iam::111122223333:user/alice"];

fn subset(from: &'static [&'static str]) -> impl Strategy<Value = Json> {
    vec(select(from), 1..3).prop_map(Json::from)
}

fn condition() -> impl Strategy<Value = Json> {
    prop_oneof![
        3 => Just(json!({})),
        1 => Just(json!({"StringEquals": {"aws:username": "alice"}})),
        1 => Just(json!({"StringNotLike": {"aws:username": ["b*", "${aws:PrincipalTag/team}"]}})),
        1 => Just(json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": true}})),
        1 => Just(json!({"ForAnyValue:StringLike": {"aws:TagKeys": "c*"}, "Null": {"aws:TagKeys": "false"}})),
        1 => Just(json!({"NumericLessThan": {"aws:MultiFactorAuthAge": 300}})),
    ]
}

/// A statement without an effect or a principal.
fn body() -> impl Strategy<Value = Json> {
    let action = subset(&["*", "kms:*", "kms:Decrypt", "s3:Get*", "iam:?etUser", "sqs:*"]);
    let resource = subset(&[
        "*",
        "arn:aws:kms:*:*:key/*",
        "arn:aws:s3:::home/${aws:username}/*",
        "arn:aws:iam::111122223333:user/alice",
        "arn:aws:s3:::*",
    ]);
    let not = any::<[bool; 2]>();
    (not, action, resource, condition()).prop_map(|([not_action, not_resource], action, resource, condition)| {
        let action_name = if not_action { "NotAction" } else { "Action" };
        let resource_name = if not_resource { "NotResource" } else { "Resource" };
        json!({action_name: action, resource_name: resource, "Condition": condition})
    })
}

fn effect(effects: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    select(effects)
}

fn statement_of(effects: &'static [&'static str]) -> impl Strategy<Value = Json> {
    (effect(effects), body()).prop_map(|(effect, mut statement)| {
        statement["Effect"] = json!(effect);
        statement
    })
}

fn resource_statement_of(effects: &'static [&'static str]) -> impl Strategy<Value = Json> {
    let principals = subset(&[
        "*",
        "111122223333",
        "444455556666",
        "arn:aws:iam::111122223333:user/alice",
        "arn:aws:iam::111122223333:role/path/Deployer",
        "arn:aws:sts::111122223333:assumed-role/Deployer/build-7",
        "arn:aws:sts::111122223333:federated-user/bob",
    ]);
    (statement_of(effects), principals, any::<bool>()).prop_map(|(mut statement, principals, not)| {
        let name = if not && statement["Effect"] == "Deny" { "NotPrincipal" } else { "Principal" };
        statement[name] = json!({"AWS": principals});
        statement
    })
}

const EITHER: &[&str] = &["Allow", "Allow", "Allow", "Deny"];

/// A request and its policies as data, from which scenes are made.
#[derive(Clone, Debug)]
struct World {
    caller: Principal,
    action: String,
    resource: String,
    owner: &'static str,
    identity: Vec<Vec<Json>>,
    boundary: Option<Vec<Json>>,
    session: Option<Vec<Json>>,
    level: Option<Vec<Json>>,
    side: Option<(u8, Vec<Json>)>,
    keys: [bool; 4],
}

impl World {
    fn scene(&self) -> Scene {
        let mut scene = Scene::new(self.caller.clone(), &self.action).on(&self.resource).owned_by(self.owner);
        let [name, mfa, age, team] = self.keys;
        if name {
            scene = scene.with("aws:username", "alice");
        }
        if mfa {
            scene = scene.with("aws:MultiFactorAuthPresent", false);
        }
        if age {
            scene = scene.with("aws:MultiFactorAuthAge", 60_i64);
        }
        if team {
            scene = scene.with("aws:PrincipalTag/team", "alice").with("aws:TagKeys", "cost");
        }
        for statements in &self.identity {
            scene = scene.identity(statements.clone().into());
        }
        if let Some(statements) = &self.boundary {
            scene = scene.boundary(statements.clone().into());
        }
        if let Some(statements) = &self.session {
            scene = scene.session(statements.clone().into());
        }
        if let Some(statements) = &self.level {
            scene = scene.level(statements.clone().into());
        }
        match &self.side {
            Some((0, statements)) => scene.shared(statements.clone().into()),
            Some((1, statements)) => scene.mandatory(statements.clone().into()),
            Some((2, statements)) => scene.granted(statements.clone().into()),
            Some((_, statements)) => scene.granted_to_session(statements.clone().into()),
            None => scene,
        }
    }

    /// The boundary, the session policy or the service control policy.
    fn limit(&mut self, kind: usize) -> &mut Option<Vec<Json>> {
        match kind {
            0 => &mut self.boundary,
            1 => &mut self.session,
            _ => &mut self.level,
        }
    }

    /// Adds a statement to the policy of some kind, if the world has one.
    fn add(&mut self, kind: usize, statement: Json, resource_statement: Json) {
        match kind {
            0 => self.identity.push(vec![statement]),
            1 => self.side.iter_mut().for_each(|(_, policy)| policy.push(resource_statement.clone())),
            _ => self.limit(kind - 2).iter_mut().for_each(|policy| policy.push(statement.clone())),
        }
    }
}

fn world() -> impl Strategy<Value = World> {
    let policy = || vec(statement_of(EITHER), 1..4);
    let request = (
        select(vec![alice(), deployer(), bob(), Principal::root("111122223333"), Principal::anonymous()]),
        select(&ACTIONS[..]).prop_map(str::to_owned),
        select(&RESOURCES[..]).prop_map(str::to_owned),
        select(&["111122223333", "111122223333", "444455556666"][..]),
        any::<[bool; 4]>(),
    );
    let limits = (
        proptest::option::weighted(0.3, policy()),
        proptest::option::weighted(0.3, policy()),
        proptest::option::weighted(0.3, policy()),
    );
    let side = proptest::option::of((0..4_u8, vec(resource_statement_of(EITHER), 1..4)));
    (request, vec(policy(), 0..4), limits, side).prop_map(
        |((caller, action, resource, owner, keys), identity, (boundary, session, level), side)| World {
            caller,
            action,
            resource,
            owner,
            identity,
            boundary,
            session,
            level,
            side,
            keys,
        },
    )
}

/// Outcome of a decision, without the statement it cites, of which there may be several.
fn outcome(decision: &Decision) -> Result<(), (bool, crate::PolicyLayer)> {
    match decision {
        Decision::Allowed(_) => Ok(()),
        Decision::Denied(reason) => Err((matches!(reason, Reason::ExplicitDeny(_)), reason.source())),
    }
}

/// Reference matcher of globs, as simple as possible.
fn naive(pattern: &[char], text: &[char]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        (['*', rest @ ..], _) => naive(rest, text) || !text.is_empty() && naive(pattern, &text[1..]),
        (['?', rest @ ..], [_, tail @ ..]) => naive(rest, tail),
        ([one, rest @ ..], [other, tail @ ..]) => one == other && naive(rest, tail),
        _ => false,
    }
}

proptest! {
    #[test]
    fn adding_a_deny_never_allows_more(
        mut world in world(), kind in 0..5_usize, deny in statement_of(&["Deny"]), to in resource_statement_of(&["Deny"]),
    ) {
        let before = world.scene().is_allowed();
        world.add(kind, deny, to);
        prop_assert!(before || !world.scene().is_allowed());
    }

    #[test]
    fn adding_an_allow_never_denies_more(
        mut world in world(), kind in 0..5_usize, allow in statement_of(&["Allow"]), to in resource_statement_of(&["Allow"]),
    ) {
        let before = world.scene().is_allowed();
        world.add(kind, allow, to);
        prop_assert!(!before || world.scene().is_allowed());
    }

    #[test]
    fn limits_never_allow_more(mut world in world(), limit in vec(statement_of(EITHER), 1..4), kind in 0..3_usize) {
        let limited = world.scene().is_allowed();
        *world.limit(kind) = None;
        let unlimited = world.scene().is_allowed();
        prop_assert!(unlimited || !limited);
        *world.limit(kind) = Some(limit);
        prop_assert!(unlimited || !world.scene().is_allowed());
    }

    #[test]
    fn the_order_of_statements_and_policies_does_not_matter(mut world in world()) {
        let before = outcome(&world.scene().decide());
        world.identity.reverse();
        for policy in world.identity.iter_mut().chain(&mut world.boundary).chain(&mut world.session).chain(&mut world.level) {
            policy.reverse();
        }
        if let Some((_, policy)) = &mut world.side {
            policy.reverse();
        }
        prop_assert_eq!(before, outcome(&world.scene().decide()));
    }

    #[test]
    fn the_same_question_has_the_same_answer_and_the_same_explanation(world in world()) {
        let decision = world.scene().decide();
        prop_assert_eq!(&decision, &world.scene().decide());
        let explanation = world.scene().explain();
        prop_assert_eq!(&decision, &explanation.decision);
        if let Decision::Denied(Reason::ExplicitDeny(cited)) = decision {
            prop_assert!(explanation.matched.iter().any(|matched| matched.cited == cited));
        }
    }

    #[test]
    fn what_parses_parses_again_however_it_is_laid_out(statements in vec(statement_of(EITHER), 1..5)) {
        let document = json!({"Version": "2012-10-17", "Statement": statements});
        let tight = Policy::parse(&document.to_string(), Kind::Identity).expect("a policy");
        let loose = serde_json::to_string_pretty(&document).expect("text");
        let loose = Policy::parse(&loose, Kind::Identity).expect("a policy");
        prop_assert_eq!(tight.context_keys(), loose.context_keys());
        prop_assert_eq!(format!("{:?}", without_spans(tight)), format!("{:?}", without_spans(loose)));
    }

    #[test]
    fn no_text_makes_parsing_panic(text in any::<String>(), kind in select(&[Kind::Identity, Kind::Resource, Kind::Trust][..])) {
        let _ = Policy::parse(&text, kind);
        let _ = Policy::parse(&format!(r#"{{"Version":"2012-10-17","Statement":{text}}}"#), kind);
        let quoted = Json::from(text.as_str());
        for (name, other) in [("Action", "Resource"), ("Resource", "Action"), ("Condition", "Action")] {
            let mut statement = json!({"Effect": "Allow", other: "*"});
            statement[name] = if name == "Condition" { json!({"StringLike": {"a:b": quoted}}) } else { quoted.clone() };
            let _ = Policy::parse(&json!({"Version": "2012-10-17", "Statement": statement}).to_string(), kind);
        }
    }

    #[test]
    fn no_request_makes_evaluation_panic(world in world(), action in any::<String>(), resource in any::<String>()) {
        let _ = World { action, resource, ..world }.scene().explain();
    }

    #[test]
    fn masks_never_rule_out_a_match(pattern in "[ks]:[DEde*?]{1,5}", name in "[ks]:[DEde]{1,5}") {
        let compiled = ActionPattern::compile(&pattern).expect("a pattern");
        let mut room = Room::new();
        let action = Action::new(&name, &mut room);
        let letters = |text: &str| text.to_lowercase().chars().collect::<Vec<_>>();
        let plain = naive(&letters(&pattern), &letters(&name));
        prop_assert_eq!(compiled.matches(action.name()), plain);
        prop_assert!(!plain || compiled.mask().meets(action.mask()));
    }

    #[test]
    fn fast_globs_agree_with_plain_ones(pattern in "[ab*?é]{0,10}", text in "[abé]{0,10}") {
        let glob = Glob::compile(&pattern, Syntax { wildcards: true, variables: true }).expect("a pattern");
        let plain = naive(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>());
        prop_assert_eq!(glob.matches(&text, &Context::new()), plain);
    }
}

fn without_spans(policy: Policy) -> Vec<impl std::fmt::Debug> {
    policy
        .statements()
        .iter()
        .map(|one| (one.effect, one.sid.clone(), one.actions.clone(), one.resources.clone(), one.conditions.clone()))
        .collect()
}
