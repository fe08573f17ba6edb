//! Deletion: planned, called off, done.

use super::*;
use crate::record::grant::NamedRecord;
use crate::record::{AliasRecord, Due, GrantRecord, KeyRecord, RetirableRecord, domain, path};

#[tokio::test]
async fn a_planned_deletion_is_told_and_can_be_called_off() {
    let world = World::new();
    let key = world.key().await;
    let answer = world.done("admin", "ScheduleKeyDeletion", json!({"KeyId": key, "PendingWindowInDays": 7})).await;
    let date = json!((START + 7 * 86_400_000) as f64 / 1000.0);
    assert_eq!(
        answer,
        json!({"KeyId": arn_of(&key), "DeletionDate": date, "KeyState": "PendingDeletion", "PendingWindowInDays": 7})
    );
    let metadata = world.done("admin", "DescribeKey", json!({"KeyId": key})).await["KeyMetadata"].take();
    assert_eq!((&metadata["KeyState"], &metadata["DeletionDate"]), (&json!("PendingDeletion"), &date));
    world.pass_days(6);
    assert_eq!(world.kms.destroy_due(world.now()).await.expect("looks"), 0);
    let answer = world.done("admin", "CancelKeyDeletion", json!({"KeyId": key})).await;
    assert_eq!(answer, json!({"KeyId": arn_of(&key)}));
    let metadata = world.done("admin", "DescribeKey", json!({"KeyId": key})).await["KeyMetadata"].take();
    assert_eq!((&metadata["KeyState"], metadata.get("DeletionDate")), (&json!("Disabled"), None));
    world.pass_days(30);
    assert_eq!(world.kms.destroy_due(world.now()).await.expect("looks"), 0);
    let error = world.refused("admin", "CancelKeyDeletion", json!({"KeyId": key})).await;
    assert_eq!(error, format!("KMSInvalidStateException: {} is not pending deletion.", arn_of(&key)));
    let answer = world.done("admin", "ScheduleKeyDeletion", json!({"KeyId": key})).await;
    assert_eq!(answer["PendingWindowInDays"], 30);
    for days in [6, 31] {
        let error =
            world.refused("admin", "ScheduleKeyDeletion", json!({"KeyId": key, "PendingWindowInDays": days})).await;
        assert!(error.starts_with("ValidationException: 1 validation error detected: "), "{error}");
    }
}

#[tokio::test]
async fn a_key_whose_time_has_come_is_destroyed_with_all_that_belongs_to_it() {
    let world = World::new();
    let (key, other) = (world.key().await, world.key().await);
    let blob = world.encrypted(&key, "gone").await;
    world.done("admin", "RotateKeyOnDemand", json!({"KeyId": key})).await;
    world.done("admin", "CreateAlias", json!({"AliasName": "alias/gone", "TargetKeyId": key})).await;
    world.done("admin", "CreateAlias", json!({"AliasName": "alias/stays", "TargetKeyId": other})).await;
    let retiring = user_arn(ACCOUNT, "bob");
    for name in ["one", "two"] {
        let input = json!({"KeyId": key, "GranteePrincipal": user_arn(ACCOUNT, "alice"), "RetiringPrincipal": retiring,
            "Operations": ["Decrypt"], "Name": name});
        world.done("admin", "CreateGrant", input).await;
    }
    world.done("admin", "ScheduleKeyDeletion", json!({"KeyId": key, "PendingWindowInDays": 7})).await;
    world.pass_days(7);
    // Too late to call off, even if the job has not come by yet.
    let error = world.refused("admin", "CancelKeyDeletion", json!({"KeyId": key})).await;
    assert_eq!(error, format!("NotFoundException: Key '{}' does not exist", arn_of(&key)));
    assert_eq!(world.kms.destroy_due(world.now()).await.expect("destroys"), 1);
    assert_eq!(world.kms.destroy_due(world.now()).await.expect("destroys"), 0);

    let error = world.refused("admin", "DescribeKey", json!({"KeyId": key})).await;
    assert_eq!(error, format!("NotFoundException: Key '{}' does not exist", arn_of(&key)));
    let error = world.refused("admin", "DescribeKey", json!({"KeyId": "alias/gone"})).await;
    assert!(error.starts_with("NotFoundException: Alias "), "{error}");
    let error = world.refused("admin", "Decrypt", json!({"CiphertextBlob": blob})).await;
    assert!(
        error.starts_with("AccessDeniedException: ") && error.contains("associated with this ciphertext"),
        "{error}"
    );
    let listed = world.done("admin", "ListRetirableGrants", json!({"RetiringPrincipal": retiring})).await;
    assert_eq!(listed["Grants"], json!([]));
    world.done("admin", "DescribeKey", json!({"KeyId": "alias/stays"})).await;

    // Nothing of it is left in the store.
    let left = world
        .store
        .read(move |tx| {
            let place = domain(ACCOUNT, REGION);
            Ok::<_, StoreError>((
                tx.get::<KeyRecord>(&place, &key)?.is_some(),
                tx.get::<AliasRecord>(&place, "alias/gone")?.is_some(),
                tx.all::<GrantRecord>(&path(ACCOUNT, REGION, &key))?.len(),
                tx.scan_collection::<NamedRecord>(None, 9)?.items.len(),
                tx.scan_collection::<RetirableRecord>(None, 9)?.items.len(),
                tx.scan_collection::<Due>(None, 9)?.items.len(),
                tx.scan_collection::<KeyRecord>(None, 9)?.items.len(),
            ))
        })
        .await
        .expect("reads");
    assert_eq!(left, (false, false, 0, 0, 0, 0, 1));
}

#[tokio::test]
async fn many_grants_are_destroyed_with_their_key() {
    let world = World::new();
    let key = world.key().await;
    let make = || async {
        let input = json!({"KeyId": key, "GranteePrincipal": user_arn(ACCOUNT, "alice"), "Operations": ["Decrypt"]});
        world.done("admin", "CreateGrant", input).await
    };
    let template = make().await;
    let place = path(ACCOUNT, REGION, &key);
    let id = text(&template["GrantId"]);
    // As many as several transactions take.
    world
        .store
        .write(move |tx| {
            let grant = tx.get::<GrantRecord>(&place, &id)?.expect("a grant");
            for number in 0..1200 {
                let id = format!("{number:064}");
                tx.insert(&place, &id, &GrantRecord { id: id.clone(), ..grant.clone() })?;
            }
            Ok::<_, StoreError>(())
        })
        .await
        .expect("writes");
    world.done("admin", "ScheduleKeyDeletion", json!({"KeyId": key, "PendingWindowInDays": 7})).await;
    world.pass_days(8);
    assert_eq!(world.kms.destroy_due(world.now()).await.expect("destroys"), 1);
    let left = world.store.read(|tx| tx.scan_collection::<GrantRecord>(None, 9)).await.expect("reads");
    assert!(left.items.is_empty());
}

#[tokio::test]
async fn deletions_that_were_planned_twice_follow_the_last_plan() {
    let world = World::new();
    let key = world.key().await;
    world.done("admin", "ScheduleKeyDeletion", json!({"KeyId": key, "PendingWindowInDays": 7})).await;
    world.done("admin", "CancelKeyDeletion", json!({"KeyId": key})).await;
    world.done("admin", "ScheduleKeyDeletion", json!({"KeyId": key, "PendingWindowInDays": 30})).await;
    world.pass_days(10);
    assert_eq!(world.kms.destroy_due(world.now()).await.expect("looks"), 0);
    world.done("admin", "DescribeKey", json!({"KeyId": key})).await;
    world.pass_days(20);
    assert_eq!(world.kms.destroy_due(world.now()).await.expect("destroys"), 1);
}

/// A record that no version of the program reads as a key.
#[derive(serde::Serialize, serde::Deserialize)]
struct Broken {}

impl store::Record for Broken {
    const COLLECTION: &'static str = KeyRecord::COLLECTION;
}

#[tokio::test]
async fn a_key_that_cannot_be_read_keeps_no_other_from_being_destroyed() {
    let world = World::new();
    let mut keys = Vec::new();
    for _ in 0..3 {
        let key = world.key().await;
        world.done("admin", "ScheduleKeyDeletion", json!({"KeyId": key, "PendingWindowInDays": 7})).await;
        keys.push(key);
    }
    let broken = keys[1].clone();
    let broke = world.store.write(move |tx| tx.put(&domain(ACCOUNT, REGION), &broken, &Broken {})).await;
    assert_eq!(broke, Ok::<_, StoreError>(()));
    world.pass_days(7);
    assert!(world.kms.destroy_due(world.now()).await.is_err());
    let left = world.store.read(|tx| tx.scan_collection::<Due>(None, 9)).await.expect("reads");
    assert_eq!(left.items.iter().map(|due| &due.key_id).collect::<Vec<_>>(), [&keys[1]]);
}
