//! `GitPull` and `GitPush`, as clients of Git have them performed.

use super::*;
use crate::{GitPull, GitPullInput, GitPush, GitPushInput, PushedRef};

fn pull(name: &str) -> GitPullInput {
    GitPullInput { repository_name: name.to_owned() }
}

fn push(name: &str, references: &[(&str, Option<bool>)]) -> GitPushInput {
    let references = references.iter().map(|(name, fast_forward)| PushedRef {
        name: (*name).to_owned(),
        commit: None,
        fast_forward: *fast_forward,
    });
    GitPushInput { repository_name: name.to_owned(), references: references.collect() }
}

fn code<T>(outcome: &Result<T, Fault>) -> &'static str {
    outcome.as_ref().map_or_else(|fault| fault.code, |_| "Ok")
}

#[tokio::test]
async fn who_may_pull_cannot_push_and_reads_which_action_is_missing() {
    let world = World::new();
    world.repository("first").await;
    assert_eq!(code(&world.performed::<GitPull>("reader", pull("first")).await), "Ok");
    let refused = world.performed::<GitPush>("reader", push("first", &[])).await.err().expect("refused");
    assert_eq!(refused.code, "AccessDeniedException");
    assert_eq!(
        refused.message,
        "User: arn:aws:iam::111122223333:user/reader is not authorized to perform: codecommit:GitPush on resource: \
         arn:aws:codecommit:us-east-1:111122223333:first because no identity-based policy allows the \
         codecommit:GitPush action"
    );
    for name in ["first", "none"] {
        assert_eq!(code(&world.performed::<GitPull>("nobody", pull(name)).await), "AccessDeniedException");
    }
    assert_eq!(code(&world.performed::<GitPull>("reader", pull("none")).await), "RepositoryDoesNotExistException");
}

/// AWS's own example of a protected branch: a deny for the one reference, and none where no reference is known.
#[tokio::test]
async fn a_protected_branch_is_refused_and_others_take_pushes() {
    let world = World::new();
    world.repository("first").await;
    let deny = json!({
        "Effect": "Deny", "Action": ["codecommit:GitPush", "codecommit:PutFile"], "Resource": repository_arn("first"),
        "Condition": {
            "StringEqualsIfExists": {"codecommit:References": ["refs/heads/main", "refs/heads/prod"]},
            "Null": {"codecommit:References": "false"},
        },
    });
    world.user("dev", ACCOUNT, &[allow(&json!("codecommit:*"), "*"), deny]);
    let discovered = world.performed::<GitPush>("dev", push("first", &[])).await.expect("permitted");
    assert!(discovered.refusals.is_empty());
    let pushed = push("first", &[("refs/heads/main", None), ("refs/heads/topic", None), ("refs/heads/prod", None)]);
    let pushed = world.performed::<GitPush>("dev", pushed).await.expect("permitted");
    let refused: Vec<_> = pushed.refusals.iter().map(Option::is_some).collect();
    assert_eq!(refused, [true, false, true]);
    let words = pushed.refusals[0].as_deref().expect("refused");
    assert!(
        words.contains("codecommit:GitPush on resource: arn:aws:codecommit:us-east-1:111122223333:first"),
        "{words}"
    );
    assert!(words.contains("explicit deny"), "{words}");
}

#[tokio::test]
async fn policies_can_demand_fast_forwards_and_pull_requests() {
    let world = World::new();
    world.repository("first").await;
    let deny = |key: &str| {
        json!({
            "Effect": "Deny", "Action": "codecommit:*", "Resource": "*",
            "Condition": {"StringLike": {"codecommit:References": "refs/heads/main"}, "Bool": {key: "false"}},
        })
    };
    world.user("forward", ACCOUNT, &[allow(&json!("*"), "*"), deny("codecommit:FastForward")]);
    world.user("reviewed", ACCOUNT, &[allow(&json!("*"), "*"), deny("codecommit:ThroughPullRequest")]);
    for (caller, reference, fast_forward, refused) in [
        ("forward", "refs/heads/main", None, false),
        ("forward", "refs/heads/main", Some(true), false),
        ("forward", "refs/heads/main", Some(false), true),
        ("forward", "refs/heads/topic", Some(false), false),
        ("reviewed", "refs/heads/main", Some(true), true),
        ("reviewed", "refs/heads/topic", None, false),
    ] {
        let pushed = world.performed::<GitPush>(caller, push("first", &[(reference, fast_forward)])).await;
        let pushed = pushed.expect("permitted at discovery");
        assert_eq!(pushed.refusals[0].is_some(), refused, "{caller} {reference} {fast_forward:?}");
    }
}

#[tokio::test]
async fn a_transfer_needs_the_kms_key_each_time() {
    let world = World::new();
    let key = world.key().await;
    world.done("admin", "CreateRepository", json!({"repositoryName": "first", "kmsKeyId": key})).await;
    assert_eq!(code(&world.performed::<GitPull>("admin", pull("first")).await), "Ok");
    assert_eq!(code(&world.performed::<GitPull>("reader", pull("first")).await), "EncryptionKeyAccessDeniedException");
    world.kms("DisableKey", json!({"KeyId": key})).await;
    assert_eq!(code(&world.performed::<GitPull>("admin", pull("first")).await), "EncryptionKeyDisabledException");
    assert_eq!(code(&world.performed::<GitPush>("admin", push("first", &[])).await), "EncryptionKeyDisabledException");
}
