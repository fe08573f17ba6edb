//! `GitPull` and `GitPush`, as clients of Git have them performed.

use git::{RefOutcome, RefUpdate};

use super::*;
use crate::transfer::Carrier;
use crate::transfer::publication::{Moved, Publication, Publish};
use crate::transfer::record::{About, Pushed};
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

fn described() -> Pushed {
    let about =
        About { protocol: Carrier::Http, repository_name: "first".to_owned(), repository_id: "the id".to_owned() };
    Pushed { about, capabilities: vec!["report-status".to_owned()], pack: true }
}

/// The outcomes of a push of `references` by `caller`, to objects that are there already.
async fn pushed(world: &World, caller: &str, references: &[(&str, &str, &str)]) -> Vec<Moved> {
    let pulled = world.performed::<GitPull>("admin", pull("first")).await.expect("permitted");
    let git = world.codecommit.git.open(&pulled.id, &pulled.key).await.expect("opened");
    let id = |text: &str| (!text.is_empty()).then(|| crate::content::object_id(text).expect("an id"));
    let updates: Vec<_> = references
        .iter()
        .map(|(name, old, new)| RefUpdate { name: (*name).to_owned(), old: id(old), new: id(new) })
        .collect();
    let tips = updates.iter().filter_map(|update| update.new).collect();
    let received = git.check(git_object::ObjectFormat::Sha1, tips).await.expect("checked");
    let names: Vec<_> = references.iter().map(|(name, ..)| (*name, None)).collect();
    let shown = push("first", &names);
    let publication = Publication { shown, updates, atomic: false, received, pushed: described(), refused: Vec::new() };
    world.performed::<Publish>(caller, publication).await.expect("published").moved
}

#[tokio::test]
async fn a_push_has_the_consequences_of_any_change() {
    let world = World::new();
    let (main, topic) = super::pull_requests::branches(&world).await;
    let id = super::pull_requests::opened(&world).await["pullRequestId"].clone();
    world.branch("other", &main).await;
    let other = world.put("other", Some(&main), "c", "c").await;
    let deny = json!({
        "Effect": "Deny", "Action": "codecommit:GitPush", "Resource": "*",
        "Condition": {"StringEquals": {"codecommit:References": "refs/heads/main"}},
    });
    world.user("dev", ACCOUNT, &[allow(&json!("*"), "*"), deny]);
    let references = [("refs/heads/topic", &*topic, &*other), ("refs/heads/main", &main, &other)];
    let moved = pushed(&world, "dev", &references).await;
    assert!(matches!(&moved[..], [Moved::Decided(RefOutcome::Done), Moved::Refused(_)]), "{moved:?}");
    let get = json!({"pullRequestId": id});
    let found = world.done("reader", "GetPullRequest", get.clone()).await["pullRequest"].take();
    assert_eq!(found["pullRequestTargets"][0]["sourceCommit"], other);
    assert_eq!(found["pullRequestStatus"], "OPEN");
    let moved = pushed(&world, "admin", &[("refs/heads/main", &main, &other)]).await;
    assert!(matches!(&moved[..], [Moved::Decided(RefOutcome::Done)]), "{moved:?}");
    let found = world.done("reader", "GetPullRequest", get).await["pullRequest"].take();
    assert_eq!(found["pullRequestStatus"], "CLOSED");
    assert_eq!(found["pullRequestTargets"][0]["mergeMetadata"]["mergedBy"], user_arn(ACCOUNT, "admin"));
}
