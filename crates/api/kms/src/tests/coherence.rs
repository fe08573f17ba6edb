//! What was acknowledged counts in every call that starts afterwards, under load and after a restart.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_disabled_key_refuses_every_call_that_starts_after_the_answer() {
    let world = Arc::new(World::new());
    let key = world.key().await;
    // Odd from the moment at which disabling was acknowledged until enabling begins.
    let epoch = Arc::new(AtomicUsize::new(0));
    let (stop, used) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut users = Vec::new();
    for _ in 0..4 {
        let (world, key) = (Arc::clone(&world), key.clone());
        let (epoch, stop, used) = (Arc::clone(&epoch), Arc::clone(&stop), Arc::clone(&used));
        users.push(tokio::spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                let before = epoch.load(Ordering::SeqCst);
                let answer = world.call("admin", "Encrypt", json!({"KeyId": key, "Plaintext": "AAAA"})).await;
                if before % 2 == 1 && epoch.load(Ordering::SeqCst) == before {
                    assert!(answer.is_err(), "a disabled key was used");
                }
                used.fetch_add(usize::from(answer.is_ok()), Ordering::SeqCst);
            }
        }));
    }
    for _ in 0..60 {
        world.done("admin", "DisableKey", json!({"KeyId": key})).await;
        epoch.fetch_add(1, Ordering::SeqCst);
        assert!(world.call("admin", "Encrypt", json!({"KeyId": key, "Plaintext": "AAAA"})).await.is_err());
        tokio::task::yield_now().await;
        epoch.fetch_add(1, Ordering::SeqCst);
        world.done("admin", "EnableKey", json!({"KeyId": key})).await;
        world.done("admin", "Encrypt", json!({"KeyId": key, "Plaintext": "AAAA"})).await;
    }
    stop.store(true, Ordering::SeqCst);
    for user in users {
        user.await.expect("no user saw a disabled key work");
    }
    assert!(used.load(Ordering::SeqCst) > 0, "the key was used meanwhile");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_at_once_all_take_place() {
    let world = Arc::new(World::new());
    let key = world.key().await;
    let mut tasks = Vec::new();
    for number in 0..20 {
        let (world, key) = (Arc::clone(&world), key.clone());
        tasks.push(tokio::spawn(async move {
            let tag = json!([{"TagKey": format!("t{number}"), "TagValue": ""}]);
            world.done("admin", "TagResource", json!({"KeyId": key, "Tags": tag})).await;
            let alias = json!({"AliasName": format!("alias/a{number}"), "TargetKeyId": key});
            world.done("admin", "CreateAlias", alias).await;
            let grant =
                json!({"KeyId": key, "GranteePrincipal": user_arn(ACCOUNT, "alice"), "Operations": ["Decrypt"]});
            world.done("admin", "CreateGrant", grant).await;
        }));
    }
    for task in tasks {
        task.await.expect("all succeed");
    }
    let count = |answer: Value, member: &str| answer[member].as_array().map(Vec::len);
    assert_eq!(count(world.done("admin", "ListResourceTags", json!({"KeyId": key})).await, "Tags"), Some(20));
    assert_eq!(count(world.done("admin", "ListAliases", json!({"KeyId": key})).await, "Aliases"), Some(20));
    assert_eq!(count(world.done("admin", "ListGrants", json!({"KeyId": key})).await, "Grants"), Some(20));
}

#[tokio::test]
async fn a_restarted_server_has_it_all() {
    let world = World::new();
    let key = world.key_with(&[allow("alice", json!("kms:Decrypt"))]).await;
    world.done("admin", "CreateAlias", json!({"AliasName": "alias/a", "TargetKeyId": key})).await;
    let grant = json!({"KeyId": key, "GranteePrincipal": user_arn(ACCOUNT, "bob"), "Operations": ["Decrypt"]});
    world.done("admin", "CreateGrant", grant).await;
    let blob = world.encrypted(&key, "kept").await;
    let described = world.done("admin", "DescribeKey", json!({"KeyId": key})).await;
    let again = World::over(world.store.clone());
    assert_eq!(again.done("admin", "DescribeKey", json!({"KeyId": "alias/a"})).await, described);
    for user in ["alice", "bob"] {
        let opened = again.done(user, "Decrypt", json!({"CiphertextBlob": blob})).await;
        assert_eq!(opened["Plaintext"], base64(b"kept"));
    }
}
