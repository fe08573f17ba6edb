//! AWS-managed keys.

use super::*;

#[tokio::test]
async fn a_managed_key_is_made_when_it_is_first_asked_for() {
    let world = World::new();
    let first = world.done("admin", "DescribeKey", json!({"KeyId": "alias/aws/s3"})).await;
    let metadata = &first["KeyMetadata"];
    assert_eq!((&metadata["KeyManager"], &metadata["KeyState"]), (&json!("AWS"), &json!("Enabled")));
    assert!(metadata.get("CurrentKeyMaterialId").is_some());
    assert_eq!(world.done("admin", "DescribeKey", json!({"KeyId": "alias/aws/s3"})).await, first);
    assert_eq!(world.done("admin", "DescribeKey", json!({"KeyId": metadata["KeyId"]})).await, first);
    let listed = world.done("admin", "ListAliases", json!({})).await;
    assert_eq!(listed["Aliases"][0]["AliasName"], "alias/aws/s3");
    let ebs = world.done("admin", "DescribeKey", json!({"KeyId": "alias/aws/ebs"})).await;
    assert_ne!(ebs["KeyMetadata"]["KeyId"], metadata["KeyId"]);
    let far =
        world.call_in("eu-west-1", "admin", "DescribeKey", json!({"KeyId": "alias/aws/s3"})).await.expect("a key");
    assert_ne!(far["KeyMetadata"]["KeyId"], metadata["KeyId"]);
    let error = world.refused("admin", "DescribeKey", json!({"KeyId": "alias/aws/unheard"})).await;
    assert!(error.starts_with("NotFoundException: Alias "), "{error}");
    let status = world.done("admin", "GetKeyRotationStatus", json!({"KeyId": metadata["KeyId"]})).await;
    assert_eq!((&status["KeyRotationEnabled"], &status["RotationPeriodInDays"]), (&json!(true), &json!(365)));
}

#[tokio::test]
async fn asked_for_at_once_a_managed_key_is_made_once() {
    let world = World::new();
    let describe = || world.done("admin", "DescribeKey", json!({"KeyId": "alias/aws/rds"}));
    let (one, two, three) = tokio::join!(describe(), describe(), describe());
    assert_eq!(one, two);
    assert_eq!(two, three);
}

#[tokio::test]
async fn nobody_is_allowed_to_make_one_who_may_not_describe_it() {
    let world = World::new();
    let error = world.refused("alice", "DescribeKey", json!({"KeyId": "alias/aws/sns"})).await;
    assert!(error.starts_with("AccessDeniedException: "), "{error}");
    assert_eq!(world.done("admin", "ListKeys", json!({})).await["Keys"], json!([]));
}

#[tokio::test]
async fn nobody_changes_a_managed_key_or_uses_it_directly() {
    let world = World::new();
    let key = text(&world.done("admin", "DescribeKey", json!({"KeyId": "alias/aws/s3"})).await["KeyMetadata"]["KeyId"]);
    let own = world.key().await;
    for (operation, input) in [
        ("Encrypt", json!({"KeyId": key, "Plaintext": "AAAA"})),
        ("GenerateDataKey", json!({"KeyId": "alias/aws/s3", "KeySpec": "AES_256"})),
        ("DisableKey", json!({"KeyId": key})),
        ("ScheduleKeyDeletion", json!({"KeyId": key})),
        ("PutKeyPolicy", json!({"KeyId": key, "Policy": policy_with(&[]), "BypassPolicyLockoutSafetyCheck": true})),
        ("UpdateKeyDescription", json!({"KeyId": key, "Description": "mine"})),
        ("TagResource", json!({"KeyId": key, "Tags": []})),
        ("DisableKeyRotation", json!({"KeyId": key})),
        ("EnableKeyRotation", json!({"KeyId": key})),
        ("RotateKeyOnDemand", json!({"KeyId": key})),
        (
            "CreateGrant",
            json!({"KeyId": key, "GranteePrincipal": user_arn(ACCOUNT, "alice"), "Operations": ["Decrypt"]}),
        ),
        ("CreateAlias", json!({"AliasName": "alias/mine", "TargetKeyId": key})),
        ("UpdateAlias", json!({"AliasName": "alias/aws/s3", "TargetKeyId": own})),
        ("DeleteAlias", json!({"AliasName": "alias/aws/s3"})),
    ] {
        for caller in ["root", "admin"] {
            let error = world.refused(caller, operation, input.clone()).await;
            assert!(error.starts_with("AccessDeniedException: "), "{operation}: {error}");
        }
    }
    for operation in ["GetKeyPolicy", "ListGrants", "ListResourceTags", "GetKeyRotationStatus"] {
        world.done("admin", operation, json!({"KeyId": key})).await;
    }
}

#[tokio::test]
async fn a_managed_key_rotates_every_year() {
    let world = World::new();
    world.done("admin", "DescribeKey", json!({"KeyId": "alias/aws/s3"})).await;
    world.pass_days(365);
    assert_eq!(world.kms.rotate_due(world.now()).await.expect("rotates"), 1);
}
