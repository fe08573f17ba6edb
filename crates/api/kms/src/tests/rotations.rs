//! Rotation, by itself and on demand.

use super::*;

async fn current(world: &World, key: &str) -> String {
    text(&world.done("admin", "DescribeKey", json!({"KeyId": key})).await["KeyMetadata"]["CurrentKeyMaterialId"])
}

async fn opens(world: &World, blob: &Value, expected: &str) -> String {
    let opened = world.done("admin", "Decrypt", json!({"CiphertextBlob": blob})).await;
    assert_eq!(from_base64(&opened["Plaintext"]), expected.as_bytes());
    text(&opened["KeyMaterialId"])
}

#[tokio::test]
async fn old_versions_decrypt_for_ever_and_the_newest_encrypts() {
    let world = World::new();
    let key = world.key().await;
    let mut sealed = Vec::new();
    for round in 0..5 {
        let plaintext = format!("round {round}");
        sealed.push((current(&world, &key).await, world.encrypted(&key, &plaintext).await, plaintext));
        let answer = world.done("admin", "RotateKeyOnDemand", json!({"KeyId": key})).await;
        assert_eq!(answer, json!({"KeyId": arn_of(&key)}));
    }
    for (material, blob, plaintext) in &sealed {
        assert_eq!(opens(&world, blob, plaintext).await, *material);
    }
    let materials: std::collections::BTreeSet<_> = sealed.iter().map(|(material, ..)| material).collect();
    assert_eq!(materials.len(), 5);
    // Moved onto the same key, a ciphertext comes under the newest version.
    let (old, blob, plaintext) = &sealed[0];
    let moved = world.done("admin", "ReEncrypt", json!({"CiphertextBlob": blob, "DestinationKeyId": key})).await;
    let newest = current(&world, &key).await;
    assert_eq!((&moved["SourceKeyMaterialId"], &moved["DestinationKeyMaterialId"]), (&json!(old), &json!(newest)));
    assert_eq!(opens(&world, &moved["CiphertextBlob"], plaintext).await, newest);
}

#[tokio::test]
async fn a_key_can_be_rotated_on_demand_twenty_five_times() {
    let world = World::new();
    let key = world.key().await;
    for _ in 0..25 {
        world.done("admin", "RotateKeyOnDemand", json!({"KeyId": key})).await;
    }
    let error = world.refused("admin", "RotateKeyOnDemand", json!({"KeyId": key})).await;
    assert_eq!(
        error,
        format!(
            "LimitExceededException: The on-demand rotations limit has been reached for the given keyId. No more \
             on-demand rotations can be performed for this key: {}",
            arn_of(&key)
        )
    );
    let (mut seen, mut input) = (Vec::new(), json!({"KeyId": key, "Limit": 10}));
    loop {
        let page = world.done("admin", "ListKeyRotations", input.clone()).await;
        seen.extend(page["Rotations"].as_array().expect("a list").clone());
        match page.get("NextMarker") {
            Some(marker) => input["Marker"] = marker.clone(),
            None => break,
        }
    }
    assert_eq!(seen.len(), 25);
    assert!(seen.iter().all(|rotation| rotation["RotationType"] == "ON_DEMAND"));
    let newest = current(&world, &key).await;
    assert_eq!(
        seen[24],
        json!({
            "KeyId": arn_of(&key),
            "KeyMaterialId": newest,
            "KeyMaterialState": "CURRENT",
            "RotationDate": START as f64 / 1000.0,
            "RotationType": "ON_DEMAND",
        })
    );
    let all =
        world.done("admin", "ListKeyRotations", json!({"KeyId": key, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"})).await;
    let all = all["Rotations"].as_array().expect("a list");
    assert_eq!(all.len(), 26);
    assert_eq!((all[0].get("RotationDate"), &all[0]["KeyMaterialState"]), (None, &json!("NON_CURRENT")));
}

#[tokio::test]
async fn a_key_rotates_by_itself_when_its_time_has_come() {
    let world = World::new();
    let (key, other) = (world.key().await, world.key().await);
    let first = current(&world, &key).await;
    let blob = world.encrypted(&key, "before").await;
    world.done("admin", "EnableKeyRotation", json!({"KeyId": key, "RotationPeriodInDays": 90})).await;
    world.done("admin", "EnableKeyRotation", json!({"KeyId": other})).await;
    world.pass_days(89);
    assert_eq!(world.kms.rotate_due(world.now()).await.expect("rotates"), 0);
    world.pass_days(1);
    assert_eq!(world.kms.rotate_due(world.now()).await.expect("rotates"), 1);
    assert_eq!(world.kms.rotate_due(world.now()).await.expect("rotates"), 0, "once is enough");
    let second = current(&world, &key).await;
    assert_ne!(first, second);
    assert_eq!(opens(&world, &blob, "before").await, first);
    let status = world.done("admin", "GetKeyRotationStatus", json!({"KeyId": key})).await;
    assert_eq!(
        status,
        json!({
            "KeyId": arn_of(&key),
            "KeyRotationEnabled": true,
            "RotationPeriodInDays": 90,
            "NextRotationDate": (START + 180 * 86_400_000) as f64 / 1000.0,
        })
    );
    let listed = world.done("admin", "ListKeyRotations", json!({"KeyId": key})).await;
    assert_eq!(listed["Rotations"][0]["RotationType"], "AUTOMATIC");
    // Down for years, a server rotates once, and the rhythm begins anew.
    world.pass_days(1000);
    assert_eq!(world.kms.rotate_due(world.now()).await.expect("rotates"), 2);
    let status = world.done("admin", "GetKeyRotationStatus", json!({"KeyId": key})).await;
    assert_eq!(status["NextRotationDate"], json!(world.now().plus_days(90).millis() as f64 / 1000.0));
}

#[tokio::test]
async fn rotation_is_switched_off_and_its_period_changed() {
    let world = World::new();
    let key = world.key().await;
    let off = json!({"KeyId": arn_of(&key), "KeyRotationEnabled": false});
    assert_eq!(world.done("admin", "GetKeyRotationStatus", json!({"KeyId": key})).await, off);
    world.done("admin", "EnableKeyRotation", json!({"KeyId": key, "RotationPeriodInDays": 90})).await;
    world.pass_days(30);
    world.done("admin", "EnableKeyRotation", json!({"KeyId": key, "RotationPeriodInDays": 90})).await;
    let status = world.done("admin", "GetKeyRotationStatus", json!({"KeyId": key})).await;
    assert_eq!(status["NextRotationDate"], json!((START + 90 * 86_400_000) as f64 / 1000.0), "said again");
    world.done("admin", "EnableKeyRotation", json!({"KeyId": key, "RotationPeriodInDays": 100})).await;
    world.pass_days(60);
    assert_eq!(world.kms.rotate_due(world.now()).await.expect("rotates"), 0, "the first date no longer stands");
    world.done("admin", "DisableKeyRotation", json!({"KeyId": key})).await;
    assert_eq!(world.done("admin", "GetKeyRotationStatus", json!({"KeyId": key})).await, off);
    world.pass_days(1000);
    assert_eq!(world.kms.rotate_due(world.now()).await.expect("rotates"), 0);
    for days in [89, 2561] {
        let input = json!({"KeyId": key, "RotationPeriodInDays": days});
        let error = world.refused("admin", "EnableKeyRotation", input).await;
        assert!(error.starts_with("ValidationException: 1 validation error detected"), "{error}");
    }
}

#[tokio::test]
async fn a_disabled_key_does_not_rotate_and_makes_up_for_it_when_it_is_enabled() {
    let world = World::new();
    let key = world.key().await;
    world.done("admin", "EnableKeyRotation", json!({"KeyId": key, "RotationPeriodInDays": 90})).await;
    let first = current(&world, &key).await;
    world.done("admin", "ScheduleKeyDeletion", json!({"KeyId": key, "PendingWindowInDays": 30})).await;
    let status = world.done("admin", "GetKeyRotationStatus", json!({"KeyId": key})).await;
    assert_eq!(status["KeyRotationEnabled"], false);
    world.done("admin", "CancelKeyDeletion", json!({"KeyId": key})).await;
    let status = world.done("admin", "GetKeyRotationStatus", json!({"KeyId": key})).await;
    assert_eq!(status["KeyRotationEnabled"], true);
    world.pass_days(100);
    assert_eq!(world.kms.rotate_due(world.now()).await.expect("rotates"), 0);
    world.pass_days(10);
    world.done("admin", "EnableKey", json!({"KeyId": key})).await;
    assert_eq!(world.kms.rotate_due(world.now()).await.expect("rotates"), 1);
    assert_ne!(current(&world, &key).await, first);
}

#[tokio::test]
async fn only_an_enabled_key_is_rotated_on_demand() {
    let world = World::new();
    let key = world.key().await;
    world.done("admin", "DisableKey", json!({"KeyId": key})).await;
    for (operation, input) in [
        ("RotateKeyOnDemand", json!({"KeyId": key})),
        ("EnableKeyRotation", json!({"KeyId": key})),
        ("DisableKeyRotation", json!({"KeyId": key})),
    ] {
        let expected = format!("DisabledException: {} is disabled.", arn_of(&key));
        assert_eq!(world.refused("admin", operation, input).await, expected);
    }
}

#[tokio::test]
async fn a_key_that_rotates_by_itself_in_a_moment_is_not_rotated_on_demand() {
    let world = World::new();
    let key = world.key().await;
    world.done("admin", "EnableKeyRotation", json!({"KeyId": key, "RotationPeriodInDays": 90})).await;
    world.pass_days(89);
    world.done("admin", "RotateKeyOnDemand", json!({"KeyId": key})).await;
    world.pass_days(1);
    let error = world.refused("admin", "RotateKeyOnDemand", json!({"KeyId": key})).await;
    let arn = arn_of(&key);
    let expected = format!(
        "ConflictException: An automatic rotation of {arn} is in progress or scheduled to begin within the next 20 minutes."
    );
    assert_eq!(error, expected);
    assert_eq!(world.kms.rotate_due(world.now()).await.expect("rotates"), 1);
    world.done("admin", "RotateKeyOnDemand", json!({"KeyId": key})).await;
}
