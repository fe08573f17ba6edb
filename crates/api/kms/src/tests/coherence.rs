//! Acknowledged changes count in every call that starts afterwards, under load and after a restart.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;

/// Takes turns at making the key unusable and usable while others use it: none of them may succeed between the answer that
/// made it unusable and the call that makes it usable.
async fn take_turns(world: Arc<World>, key: String, rounds: usize, off: impl AsyncFn(), on: impl AsyncFn()) {
    // Odd from the moment at which `off` was acknowledged until `on` begins.
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
                    assert!(answer.is_err(), "an unusable key was used");
                }
                used.fetch_add(usize::from(answer.is_ok()), Ordering::SeqCst);
            }
        }));
    }
    for _ in 0..rounds {
        off().await;
        epoch.fetch_add(1, Ordering::SeqCst);
        assert!(world.call("admin", "Encrypt", json!({"KeyId": key, "Plaintext": "AAAA"})).await.is_err());
        tokio::task::yield_now().await;
        epoch.fetch_add(1, Ordering::SeqCst);
        on().await;
        world.done("admin", "Encrypt", json!({"KeyId": key, "Plaintext": "AAAA"})).await;
    }
    stop.store(true, Ordering::SeqCst);
    for user in users {
        user.await.expect("no user saw an unusable key work");
    }
    assert!(used.load(Ordering::SeqCst) > 0, "the key was used meanwhile");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_disabled_key_refuses_every_call_that_starts_after_the_answer() {
    let world = Arc::new(World::new());
    let key = world.key().await;
    let input = json!({"KeyId": key});
    let call = async |operation| drop(world.done("admin", operation, input.clone()).await);
    take_turns(
        Arc::clone(&world),
        key.clone(),
        60,
        async || call("DisableKey").await,
        async || call("EnableKey").await,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_key_that_waits_for_its_deletion_refuses_every_call_that_starts_after_the_answer() {
    let world = Arc::new(World::new());
    let key = world.key().await;
    let input = json!({"KeyId": key});
    let call = async |operation| drop(world.done("admin", operation, input.clone()).await);
    let off = async || call("ScheduleKeyDeletion").await;
    let on = async || {
        call("CancelKeyDeletion").await;
        call("EnableKey").await;
    };
    take_turns(Arc::clone(&world), key.clone(), 30, off, on).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn deleted_material_serves_no_call_that_starts_after_the_answer() {
    let world = Arc::new(World::new());
    let key = text(&world.done("admin", "CreateKey", json!({"Origin": "EXTERNAL"})).await["KeyMetadata"]["KeyId"]);
    let input = json!({"KeyId": key, "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"});
    let parameters = world.done("admin", "GetParametersForImport", input).await;
    let public = crypto::rsa::RsaPublicKey::read(&from_base64(&parameters["PublicKey"])).expect("a public key");
    let wrapped = public.encrypt(crypto::rsa::Padding::OaepSha256, &[7; 32]).expect("wraps");
    let input = json!({"KeyId": key, "ImportToken": parameters["ImportToken"],
        "EncryptedKeyMaterial": base64(&wrapped), "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"});
    let on = async || drop(world.done("admin", "ImportKeyMaterial", input.clone()).await);
    let off = async || drop(world.done("admin", "DeleteImportedKeyMaterial", json!({"KeyId": key})).await);
    on().await;
    take_turns(Arc::clone(&world), key.clone(), 20, off, on).await;
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
