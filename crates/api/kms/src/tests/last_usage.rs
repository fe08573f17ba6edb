//! Last uses of keys.

use super::*;
use crate::record::LastUsage;

async fn last(world: &World, key: &str) -> Value {
    world.done("admin", "GetKeyLastUsage", json!({"KeyId": key})).await
}

#[tokio::test]
async fn every_use_is_told_with_its_time_and_its_ids() {
    let world = World::new();
    let key = world.key().await;
    let created = START as f64 / 1000.0;
    assert_eq!(
        last(&world, &key).await,
        json!({"KeyId": key, "KeyLastUsage": {}, "TrackingStartDate": created, "KeyCreationDate": created})
    );
    world.pass_days(3);
    let input = json!({"KeyId": key, "KeySpec": "AES_256"}).to_string();
    let request = world.request("admin", REGION, "GenerateDataKey", &input);
    let request_id = world.gateway.handle(&request).await.request_id;
    let usage = last(&world, &key).await["KeyLastUsage"].take();
    assert_eq!((&usage["Operation"], &usage["KmsRequestId"]), (&json!("GenerateDataKey"), &json!(request_id)));
    assert_eq!(usage["Timestamp"], json!(world.now().millis() as f64 / 1000.0));
    let event_id = text(&usage["CloudTrailEventId"]);
    assert!(event_id.len() == 36 && event_id != request_id);
    let blob = world.encrypted(&key, "x").await;
    assert_eq!(last(&world, &key).await["KeyLastUsage"]["Operation"], "Encrypt");
    world.done("admin", "Decrypt", json!({"CiphertextBlob": blob})).await;
    assert_eq!(last(&world, &key).await["KeyLastUsage"]["Operation"], "Decrypt");
    let other = world.key().await;
    world.done("admin", "ReEncrypt", json!({"CiphertextBlob": blob, "DestinationKeyId": other})).await;
    for key in [&key, &other] {
        assert_eq!(last(&world, key).await["KeyLastUsage"]["Operation"], "ReEncrypt");
    }
}

#[tokio::test]
async fn what_did_not_succeed_or_was_no_use_leaves_no_trace() {
    let world = World::new();
    let key = world.key().await;
    world.refused("admin", "Encrypt", json!({"KeyId": key, "Plaintext": "AAAA", "DryRun": true})).await;
    world.refused("alice", "Encrypt", json!({"KeyId": key, "Plaintext": "AAAA"})).await;
    world.done("admin", "DescribeKey", json!({"KeyId": key})).await;
    world.done("admin", "RotateKeyOnDemand", json!({"KeyId": key})).await;
    let blob = world.encrypted(&world.key().await, "x").await;
    world.refused("admin", "Decrypt", json!({"CiphertextBlob": blob, "KeyId": key})).await;
    assert_eq!(last(&world, &key).await["KeyLastUsage"], json!({}));
    for name in ["alias/a", "alias/none"] {
        assert!(world.call("admin", "GetKeyLastUsage", json!({"KeyId": name})).await.is_err());
    }
}

#[tokio::test]
async fn a_usage_outlives_the_server_once_it_is_written_and_goes_with_its_key() {
    let world = World::new();
    let (key, unused) = (world.key().await, world.key().await);
    world.encrypted(&key, "x").await;
    // Whatever changes the key drops it from the cache, and not its last usage.
    world.done("admin", "UpdateKeyDescription", json!({"KeyId": key, "Description": "changed"})).await;
    let before = last(&world, &key).await;
    assert_eq!(before["KeyLastUsage"]["Operation"], "Encrypt");
    assert_eq!(world.kms.flush_last_usages().await.expect("writes"), 1);
    assert_eq!(world.kms.flush_last_usages().await.expect("writes"), 0, "once is enough");
    let reborn = World::over(world.store.clone());
    assert_eq!(last(&reborn, &key).await, before);
    assert_eq!(last(&reborn, &unused).await["KeyLastUsage"], json!({}));
    // The last of several between two writings is written.
    for _ in 0..3 {
        reborn.pass_days(1);
        reborn.encrypted(&key, "x").await;
    }
    assert_eq!(reborn.kms.flush_last_usages().await.expect("writes"), 1);
    let after = last(&World::over(reborn.store.clone()), &key).await;
    assert_eq!(after["KeyLastUsage"]["Timestamp"], json!((START + 3 * 86_400_000) as f64 / 1000.0));
    // A use that is noted after the key's destruction is not written.
    world.done("admin", "ScheduleKeyDeletion", json!({"KeyId": key, "PendingWindowInDays": 7})).await;
    world.pass_days(7);
    assert_eq!(world.kms.destroy_due(world.now()).await.expect("destroys"), 1);
    world.kms.flush_last_usages().await.expect("writes");
    let left = world.store.read(|tx| tx.scan_collection::<LastUsage>(None, 9)).await.expect("reads");
    assert!(left.items.is_empty());
}

#[tokio::test]
async fn keys_that_were_used_lately_can_be_kept_from_being_switched_off_or_destroyed() {
    let world = World::new();
    let keep = json!({"Effect": "Deny", "Principal": "*", "Action": ["kms:DisableKey", "kms:ScheduleKeyDeletion"],
        "Resource": "*", "Condition": {"NumericLessThanEquals": {"kms:TrailingDaysWithoutKeyUsage": "30"}}});
    let key = world.key_with(&[keep]).await;
    world.encrypted(&key, "x").await;
    world.pass_days(30);
    for operation in ["DisableKey", "ScheduleKeyDeletion"] {
        let error = world.refused("admin", operation, json!({"KeyId": key})).await;
        assert!(error.contains("explicit deny"), "{error}");
    }
    world.pass_days(1);
    world.kms.flush_last_usages().await.expect("writes");
    let reborn = World::over(world.store.clone());
    reborn.pass_days(31);
    reborn.done("admin", "DisableKey", json!({"KeyId": key})).await;
    reborn.done("admin", "ScheduleKeyDeletion", json!({"KeyId": key})).await;
}

#[tokio::test]
async fn a_use_that_is_written_late_replaces_no_later_one() {
    let world = World::new();
    let key = world.key().await;
    world.encrypted(&key, "x").await;
    let earlier = world.now().millis();
    // Another server over the same store, where the key is used later and whose uses are written first.
    let other = World::over(world.store.clone());
    NOW.set(earlier);
    other.pass_days(1);
    let input = json!({"KeyId": key, "KeySpec": "AES_256"});
    other.done("admin", "GenerateDataKey", input).await;
    assert_eq!(other.kms.flush_last_usages().await.expect("written"), 1);
    assert_eq!(world.kms.flush_last_usages().await.expect("written"), 1);
    let (place, id) = (domain(ACCOUNT, REGION), key.clone());
    let last = world.store.read(move |tx| tx.get::<LastUsage>(&place, &id)).await.expect("read").expect("a use");
    assert_eq!(last.at.millis(), earlier + 86_400_000);
}
