//! The evaluation checklist, item by item; `elements` has the items about what statements say.

mod elements;

use serde_json::json;

use super::*;
use crate::scene::{AWAY, HOME, Scene, alice, allow, allow_to, arn, bob, deny, deny_to, deployer};

const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
const DEPLOYER: &str = "arn:aws:iam::111122223333:role/path/Deployer";
const BUILD: &str = "arn:aws:sts::111122223333:assumed-role/Deployer/build-7";
const BOB: &str = "arn:aws:sts::111122223333:federated-user/bob";
const ACTION: &str = "kms:Decrypt";

const NO_IDENTITY: &str = "because no identity-based policy allows the kms:Decrypt action";
const NO_RESOURCE: &str = "because no resource-based policy allows the kms:Decrypt action";
const NO_BOUNDARY: &str = "because no permissions boundary allows the kms:Decrypt action";
const NO_SESSION: &str = "because no session policy allows the kms:Decrypt action";
const NO_SERVICE_CONTROL: &str = "because no service control policy allows the kms:Decrypt action";
const NO_TRUST: &str = "because no role trust policy allows the sts:AssumeRole action";

fn aws(principal: &str) -> serde_json::Value {
    json!({ "AWS": principal })
}

/// A caller whom everything allows: every kind of policy is there.
fn everything_allows(principal: Principal) -> Scene {
    Scene::new(principal, ACTION)
        .identity(allow("*"))
        .boundary(allow("*"))
        .session(allow("*"))
        .level(allow("*"))
        .level(allow("*"))
        .shared(allow_to("*", "*"))
}

#[test]
fn nothing_is_allowed_without_an_allow() {
    for principal in [alice(), deployer(), bob()] {
        assert_eq!(Scene::new(principal.clone(), ACTION).phrase(), NO_IDENTITY);
        assert_eq!(Scene::new(principal, ACTION).identity(allow("kms:Encrypt")).phrase(), NO_IDENTITY);
    }
    for principal in [Principal::anonymous(), Principal::service("ec2.amazonaws.com")] {
        let scene = Scene::new(principal, ACTION).identity(allow("*"));
        assert_eq!(scene.phrase(), NO_RESOURCE, "who belongs to no account has no identity policies");
    }
}

#[test]
fn item_1_an_explicit_deny_anywhere_wins() {
    assert!(everything_allows(alice()).is_allowed());
    for (scene, phrase) in [
        (everything_allows(alice()).identity(deny("kms:*")), "an identity-based policy"),
        (everything_allows(alice()).boundary(json!([allow("*"), deny("kms:*")])), "a permissions boundary"),
        (everything_allows(alice()).session(deny("kms:*")), "a session policy"),
        (everything_allows(alice()).level(json!([deny("kms:*"), allow("*")])), "a service control policy"),
        (
            everything_allows(alice()).shared(json!([allow_to("*", "*"), deny_to("*", "kms:*")])),
            "a resource-based policy",
        ),
        (
            everything_allows(alice()).granted(json!([allow_to("*", "*"), deny_to("*", "kms:*")])),
            "a resource-based policy",
        ),
    ] {
        assert_eq!(scene.phrase(), format!("with an explicit deny in {phrase}"));
    }
}

#[test]
fn item_1_a_deny_reaches_whoever_its_principal_covers() {
    for (principal, denied) in [
        ("*", [true, true, true]),
        (HOME, [true, true, true]),
        (ALICE, [true, false, true]),
        (DEPLOYER, [false, true, false]),
        (BUILD, [false, true, false]),
        (BOB, [false, false, true]),
        (AWAY, [false, false, false]),
    ] {
        let callers = [alice(), deployer(), bob()];
        for (caller, denied) in callers.into_iter().zip(denied) {
            let scene =
                Scene::new(caller.clone(), ACTION).identity(allow("*")).shared(deny_to(aws(principal), "kms:*"));
            assert_eq!(scene.is_allowed(), !denied, "{principal} {caller:?}");
        }
    }
}

#[test]
fn item_1_every_kind_of_limit_must_allow() {
    let limited = |limit: fn(Scene) -> Scene| limit(Scene::new(alice(), ACTION).identity(allow("kms:*"))).phrase();
    assert_eq!(limited(|scene| scene.boundary(allow("s3:*"))), NO_BOUNDARY);
    assert_eq!(limited(|scene| scene.session(allow("s3:*"))), NO_SESSION);
    assert_eq!(limited(Scene::empty_session), NO_SESSION);
    assert_eq!(limited(|scene| scene.level(allow("s3:*"))), NO_SERVICE_CONTROL);
    assert_eq!(limited(|scene| scene.boundary(allow("*")).session(allow("*")).level(allow("*"))), "");
    for empty in [
        Scene::new(alice(), ACTION).boundary(allow("*")),
        Scene::new(alice(), ACTION).session(allow("*")),
        Scene::new(alice(), ACTION).level(allow("*")),
    ] {
        assert_eq!(empty.phrase(), NO_IDENTITY, "a limit grants nothing");
    }
}

#[test]
fn item_1_service_control_must_allow_at_every_level() {
    for (levels, allowed) in [
        (&["*"][..], true),
        (&["*", "kms:*", "kms:Decrypt"], true),
        (&["*", "s3:*", "*"], false),
        (&["s3:*", "*", "*"], false),
        (&["*", "*", "s3:*"], false),
    ] {
        let scene = levels.iter().fold(everything_allows(alice()), |scene, action| scene.level(allow(action)));
        assert_eq!(scene.is_allowed(), allowed, "{levels:?}");
        let scene =
            levels.iter().fold(Scene::new(Principal::root(HOME), ACTION), |scene, action| scene.level(allow(action)));
        assert_eq!(scene.is_allowed(), allowed, "the root user is limited as well: {levels:?}");
    }
}

#[test]
fn item_1_one_of_several_session_policies_must_allow() {
    let scene = Scene::new(deployer(), ACTION).identity(allow("*"));
    assert!(scene.session(allow("s3:*")).session(allow("kms:*")).is_allowed());
}

#[test]
fn item_2_within_an_account_an_identity_or_a_resource_policy_suffices() {
    let scene = || Scene::new(alice(), ACTION);
    assert!(scene().identity(allow("kms:*")).is_allowed());
    assert!(scene().identity(allow("kms:*")).shared(allow_to(aws(BOB), "kms:*")).is_allowed());
    assert!(scene().shared(allow_to(aws(ALICE), "kms:*")).is_allowed());
    assert_eq!(scene().shared(allow_to(aws(BOB), "kms:*")).phrase(), NO_IDENTITY);
}

#[test]
fn item_2_across_accounts_both_are_needed() {
    for principal in ["*", HOME, ALICE] {
        let scene = || Scene::new(alice(), ACTION).owned_by(AWAY);
        assert_eq!(scene().identity(allow("*")).phrase(), NO_RESOURCE, "{principal}");
        for both in [Scene::shared, Scene::mandatory] {
            let policy = allow_to(aws(principal), "kms:*");
            assert_eq!(both(scene(), policy.clone()).phrase(), NO_IDENTITY, "{principal}");
            assert!(both(scene().identity(allow("kms:*")), policy).is_allowed(), "{principal}");
            assert_eq!(both(scene().identity(allow("*")), allow_to(aws(AWAY), "*")).phrase(), NO_RESOURCE);
        }
    }
}

#[test]
fn item_2_across_accounts_the_callers_limits_hold_whoever_is_named() {
    for (principal, caller) in [("*", alice()), (ALICE, alice()), (BUILD, deployer()), (BOB, bob())] {
        let scene = || {
            let policy = allow_to(aws(principal), "kms:*");
            Scene::new(caller.clone(), ACTION).owned_by(AWAY).identity(allow("*")).shared(policy)
        };
        assert!(scene().is_allowed());
        assert_eq!(scene().boundary(allow("s3:*")).phrase(), NO_BOUNDARY);
        assert_eq!(scene().session(allow("s3:*")).phrase(), NO_SESSION);
        assert_eq!(scene().level(allow("s3:*")).phrase(), NO_SERVICE_CONTROL);
    }
}

#[test]
fn item_3_naming_the_account_only_delegates_to_its_identity_policies() {
    for principal in [HOME, "arn:aws:iam::111122223333:root"] {
        for caller in [alice(), deployer(), bob()] {
            for side in [Scene::shared, Scene::mandatory] {
                let scene = || side(Scene::new(caller.clone(), ACTION), allow_to(aws(principal), "*"));
                assert_eq!(scene().phrase(), NO_IDENTITY);
                assert!(scene().identity(allow("kms:*")).is_allowed());
                assert_eq!(scene().identity(allow("*")).boundary(allow("s3:*")).phrase(), NO_BOUNDARY);
            }
        }
    }
}

#[test]
fn item_3_everybody_and_a_named_user_role_or_session_are_granted_directly() {
    for (principal, caller) in [
        ("*", alice()),
        ("*", deployer()),
        ("*", bob()),
        (ALICE, alice()),
        (DEPLOYER, deployer()),
        (BUILD, deployer()),
        (BOB, bob()),
        (ALICE, bob()),
    ] {
        for side in [Scene::shared, Scene::mandatory] {
            let scene = side(Scene::new(caller.clone(), ACTION), allow_to(aws(principal), "kms:*"));
            let Decision::Allowed(by) = scene.decide() else { panic!("{principal} {caller:?}") };
            assert!(by.identity.is_none() && by.resource.is_some());
        }
    }
    assert!(Scene::new(Principal::anonymous(), ACTION).shared(allow_to("*", "kms:*")).is_allowed());
    assert!(!Scene::new(Principal::anonymous(), ACTION).shared(allow_to(aws(HOME), "kms:*")).is_allowed());
    let service = || Scene::new(Principal::service("ec2.amazonaws.com"), ACTION);
    assert!(service().mandatory(allow_to(json!({"Service": "ec2.amazonaws.com"}), "kms:*")).is_allowed());
    assert!(!service().mandatory(allow_to(json!({"Service": "kms.amazonaws.com"}), "kms:*")).is_allowed());
}

#[test]
fn item_3_of_several_statements_the_one_that_reaches_furthest_counts() {
    let mut statements = [HOME, DEPLOYER, BUILD].map(|principal| allow_to(aws(principal), "kms:*"));
    for _ in 0..2 {
        let scene = Scene::new(deployer(), ACTION).mandatory(json!(statements)).boundary(allow("s3:*"));
        assert!(scene.is_allowed(), "{statements:?}");
        statements.reverse();
    }
    let both = allow_to(json!({"AWS": [HOME, ALICE]}), "kms:*");
    assert!(Scene::new(alice(), ACTION).mandatory(both).is_allowed());
}

#[test]
fn item_4_a_resource_policy_bypasses_a_boundarys_implicit_deny_unless_it_names_the_role() {
    for (principal, caller, phrase) in [
        ("*", alice(), ""),
        (ALICE, alice(), ""),
        ("*", deployer(), ""),
        (BUILD, deployer(), ""),
        (DEPLOYER, deployer(), NO_BOUNDARY),
        (BOB, bob(), ""),
        (ALICE, bob(), NO_BOUNDARY),
        (HOME, alice(), NO_BOUNDARY),
    ] {
        let scene = |action: &str| {
            let scene = Scene::new(caller.clone(), ACTION).identity(allow("*")).shared(allow_to(aws(principal), "*"));
            scene.boundary(allow(action))
        };
        assert_eq!(scene("s3:*").phrase(), phrase, "{principal} {caller:?}");
        assert!(scene("kms:*").is_allowed());
        let denied = scene("*").boundary(json!([allow("*"), deny("kms:*")]));
        assert_eq!(denied.phrase(), "with an explicit deny in a permissions boundary");
    }
}

#[test]
fn item_4_session_policies_limit_what_the_role_is_given_but_not_the_session() {
    for (principal, caller, phrase) in [
        ("*", deployer(), ""),
        (BUILD, deployer(), ""),
        (DEPLOYER, deployer(), NO_SESSION),
        (BOB, bob(), ""),
        (ALICE, bob(), NO_SESSION),
    ] {
        let scene = Scene::new(caller, ACTION).shared(allow_to(aws(principal), "*")).session(allow("s3:*"));
        assert_eq!(scene.phrase(), phrase, "{principal}");
    }
}

#[test]
fn item_5_a_key_policy_is_mandatory_and_there_is_no_implicit_account_trust() {
    let caller = || Scene::new(alice(), ACTION).identity(allow("*"));
    assert_eq!(caller().mandatory(allow_to(aws(BOB), "kms:*")).phrase(), NO_RESOURCE);
    assert_eq!(caller().mandatory(allow_to(aws(HOME), "kms:Encrypt")).phrase(), NO_RESOURCE);
    assert!(caller().mandatory(allow_to(aws(HOME), "kms:Decrypt")).is_allowed());
    assert!(Scene::new(alice(), ACTION).mandatory(allow_to(aws(ALICE), "kms:Decrypt")).is_allowed());

    let root = || Scene::new(Principal::root(HOME), ACTION);
    assert!(root().mandatory(allow_to(aws(HOME), "kms:*")).is_allowed());
    assert_eq!(root().mandatory(allow_to(aws(ALICE), "kms:*")).phrase(), NO_RESOURCE);
}

#[test]
fn item_5_a_stranger_of_the_account_hears_the_same_of_a_closed_key_as_of_a_missing_one() {
    let missing = Scene::new(alice(), ACTION);
    let closed = Scene::new(alice(), ACTION).mandatory(allow_to(aws(BOB), "kms:*"));
    assert_eq!((missing.phrase(), closed.phrase()), (NO_IDENTITY.to_owned(), NO_IDENTITY.to_owned()));
}

#[test]
fn item_5_a_grant_allows_whatever_the_policies_leave_open() {
    let policy = || allow_to(aws(AWAY), "kms:*");
    for caller in [alice(), deployer(), bob(), Principal::service("ec2.amazonaws.com")] {
        let scene = Scene::new(caller, ACTION).granted(policy());
        assert_eq!(scene.decide(), Decision::Allowed(By { grant: true, ..By::default() }));
    }
    let across = Scene::new(alice(), ACTION).owned_by(AWAY).granted(allow_to(aws(AWAY), "kms:*"));
    assert!(across.is_allowed(), "a grant needs no identity policy, also across accounts");
    let denied = Scene::new(alice(), ACTION).granted(deny_to("*", "kms:*"));
    assert_eq!(denied.phrase(), "with an explicit deny in a resource-based policy");
    let denied = Scene::new(alice(), ACTION).identity(deny("kms:*")).granted(policy());
    assert_eq!(denied.phrase(), "with an explicit deny in an identity-based policy");
    let limited = Scene::new(alice(), ACTION).level(allow("s3:*")).granted(policy());
    assert_eq!(limited.phrase(), NO_SERVICE_CONTROL);
}

#[test]
fn item_5_a_grant_to_a_role_stays_within_its_sessions_limits() {
    let policy = || allow_to(aws(AWAY), "kms:*");
    let s3 = || allow("s3:*");
    for caller in [deployer(), bob()] {
        let scene = || Scene::new(caller.clone(), ACTION);
        assert_eq!(scene().session(s3()).granted(policy()).phrase(), NO_SESSION);
        assert_eq!(scene().boundary(s3()).granted(policy()).phrase(), NO_BOUNDARY);
        assert!(scene().session(s3()).boundary(s3()).granted_to_session(policy()).is_allowed());
        let across = scene().owned_by(AWAY).session(s3()).granted_to_session(policy());
        assert_eq!(across.phrase(), NO_SESSION);
    }
    assert!(Scene::new(alice(), ACTION).boundary(s3()).granted(policy()).is_allowed(), "the user is the grantee");
    let named = Scene::new(deployer(), ACTION).session(s3()).granted(allow_to(aws(BUILD), "kms:*"));
    assert!(named.is_allowed(), "the key policy may allow what the grant cannot");
}

#[test]
fn item_6_a_trust_policy_decides_who_assumes_a_role() {
    let scene = |caller: Principal| Scene::new(caller, "sts:AssumeRole").on(DEPLOYER);
    let trust =
        |principal: serde_json::Value| json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
    assert!(scene(alice()).trust(trust(aws(ALICE))).is_allowed());
    assert_eq!(scene(alice()).identity(allow("*")).trust(trust(aws(AWAY))).phrase(), NO_TRUST);
    assert!(scene(alice()).identity(allow("sts:*")).trust(trust(aws(HOME))).is_allowed());
    assert!(!scene(alice()).trust(trust(aws(HOME))).is_allowed());
    assert!(
        scene(Principal::service("ec2.amazonaws.com"))
            .trust(trust(json!({"Service": "ec2.amazonaws.com"})))
            .is_allowed()
    );
    let denied = json!([trust(json!("*")), {"Effect": "Deny", "Principal": aws(ALICE), "Action": "sts:*"}]);
    assert_eq!(scene(alice()).trust(denied).phrase(), "with an explicit deny in the role trust policy");

    let visitor = || Principal::user(arn("arn:aws:iam::444455556666:user/visitor"), "AIDAVISITORVISITOR00");
    assert!(!scene(visitor()).trust(trust(aws(AWAY))).is_allowed());
    assert!(!scene(visitor()).identity(allow("*")).trust(trust(aws(HOME))).is_allowed());
    assert!(scene(visitor()).identity(allow("*")).trust(trust(aws(AWAY))).is_allowed());
}

#[test]
fn item_6_a_web_identity_needs_the_trust_policy_alone() {
    let provider = "arn:aws:iam::111122223333:oidc-provider/id.example.com";
    let trust = json!({
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {"id.example.com:aud": "sealstack"}}
    });
    let scene = |provider, audience: &'static str| {
        Scene::new(Principal::federated(provider), "sts:AssumeRoleWithWebIdentity")
            .on(DEPLOYER)
            .with("id.example.com:aud", audience)
            .trust(trust.clone())
    };
    assert!(scene(provider, "sealstack").is_allowed());
    assert!(!scene(provider, "another").is_allowed());
    assert!(!scene("accounts.google.com", "sealstack").is_allowed());
}

#[test]
fn item_6_the_root_user_needs_no_identity_policy() {
    let root = || Scene::new(Principal::root(HOME), ACTION);
    assert_eq!(root().decide(), Decision::Allowed(By { root: true, ..By::default() }));
    assert!(root().shared(allow_to(aws(BOB), "s3:*")).is_allowed());
    assert_eq!(root().shared(deny_to("*", "*")).phrase(), "with an explicit deny in a resource-based policy");
    assert_eq!(root().owned_by(AWAY).phrase(), NO_RESOURCE);
    assert!(root().owned_by(AWAY).shared(allow_to(aws(HOME), "*")).is_allowed());
}

#[test]
fn a_user_made_again_under_the_same_name_is_somebody_else() {
    for (id, allowed) in [(Some("AIDAALICEALICEALICE1"), true), (Some("AIDAALICEALICEALICE0"), false), (None, false)] {
        let scene =
            Scene::new(alice(), ACTION).mandatory(allow_to(aws(ALICE), "kms:*")).bind(&mut |_| id.map(str::to_owned));
        assert_eq!(scene.is_allowed(), allowed, "{id:?}");
    }
}

#[test]
fn answers_cite_policy_statement_and_sid() {
    let sid = |sid: &str, mut statement: serde_json::Value| {
        statement["Sid"] = json!(sid);
        statement
    };
    let scene = Scene::new(alice(), ACTION)
        .identity(json!([allow("s3:*"), sid("Keys", allow("kms:*"))]))
        .mandatory(json!([sid("Enable IAM policies", allow_to(aws(HOME), "kms:*"))]));
    let Decision::Allowed(by) = scene.decide() else { panic!("denied") };
    let cited = |source, policy: &str, statement, sid: &str| Cited {
        source,
        policy: policy.to_owned(),
        statement,
        sid: Some(sid.into()),
    };
    assert_eq!(by.identity, Some(cited(PolicyLayer::Identity, "identity", 1, "Keys")));
    assert_eq!(by.resource, Some(cited(PolicyLayer::Resource, "resource", 0, "Enable IAM policies")));

    let scene = scene.boundary(json!([allow("*"), deny("s3:*"), sid("NoKeys", deny("kms:*"))]));
    let denied = Reason::ExplicitDeny(cited(PolicyLayer::Boundary, "boundary", 2, "NoKeys"));
    assert_eq!(scene.decide(), Decision::Denied(denied));
}
