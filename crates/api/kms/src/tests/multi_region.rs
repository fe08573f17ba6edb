//! Multi-Region keys: replicas, the primary Region, what is shared and what is not, and the order of deletion.

use super::*;

const HOME: &str = REGION;
const AWAY: &str = "eu-west-1";
const FAR: &str = "ap-southeast-2";

fn arn_in(region: &str, key: &str) -> String {
    format!("arn:aws:kms:{region}:{ACCOUNT}:key/{key}")
}

impl World {
    /// Makes a multi-Region primary key.
    async fn primary(&self) -> String {
        let made = self.done("admin", "CreateKey", json!({"MultiRegion": true})).await;
        text(&made["KeyMetadata"]["KeyId"])
    }

    /// As [`done`](Self::done), in a Region.
    async fn done_in(&self, region: &str, operation: &str, input: Value) -> Value {
        match self.call_in(region, "admin", operation, input.clone()).await {
            Ok(answer) => answer,
            Err(error) => panic!("{operation} in {region} with {input} failed: {error}"),
        }
    }

    async fn replicate(&self, key: &str, region: &str) -> Value {
        self.done("admin", "ReplicateKey", json!({"KeyId": key, "ReplicaRegion": region})).await
    }

    async fn metadata(&self, region: &str, key: &str) -> Value {
        self.done_in(region, "DescribeKey", json!({"KeyId": key})).await["KeyMetadata"].take()
    }
}

#[tokio::test]
async fn what_one_region_sealed_another_opens() {
    let world = World::new();
    let key = world.primary().await;
    let sealed_at_home = world.encrypted(&key, "from home").await;
    world.done("admin", "RotateKeyOnDemand", json!({"KeyId": key})).await;
    let answer = world.replicate(&key, AWAY).await;
    assert_eq!(answer["ReplicaKeyMetadata"]["Arn"], arn_in(AWAY, &key));
    assert_eq!(answer["ReplicaKeyMetadata"]["KeyState"], "Enabled");
    let opened = world.done_in(AWAY, "Decrypt", json!({"CiphertextBlob": sealed_at_home})).await;
    assert_eq!(from_base64(&opened["Plaintext"]), b"from home");
    assert_eq!(opened["KeyId"], arn_in(AWAY, &key));
    let input = json!({"KeyId": key, "Plaintext": base64(b"from away"), "EncryptionContext": {"a": "b"}});
    let sealed_away = world.done_in(AWAY, "Encrypt", input).await["CiphertextBlob"].take();
    let input = json!({"CiphertextBlob": sealed_away, "EncryptionContext": {"a": "b"}, "KeyId": key});
    let opened = world.done("admin", "Decrypt", input).await;
    assert_eq!(from_base64(&opened["Plaintext"]), b"from away");
    // A Region without a related key has nothing to open it with.
    let refused = world.call_in(FAR, "admin", "Decrypt", json!({"CiphertextBlob": sealed_at_home})).await;
    assert!(refused.is_err_and(|error| error.starts_with("AccessDeniedException: ")));
}

#[tokio::test]
async fn pairs_and_mac_keys_are_the_same_in_every_region() {
    let world = World::new();
    let make = async |spec: &str, usage: &str| {
        let input = json!({"MultiRegion": true, "KeySpec": spec, "KeyUsage": usage});
        let key = text(&world.done("admin", "CreateKey", input).await["KeyMetadata"]["KeyId"]);
        let metadata = world.replicate(&key, AWAY).await["ReplicaKeyMetadata"].take();
        assert_eq!((&metadata["KeySpec"], &metadata["KeyUsage"]), (&json!(spec), &json!(usage)));
        key
    };
    let key = make("ECC_NIST_P256", "SIGN_VERIFY").await;
    let signing = json!({"KeyId": key, "Message": base64(b"message"), "SigningAlgorithm": "ECDSA_SHA_256"});
    let signature = world.done("admin", "Sign", signing.clone()).await["Signature"].take();
    let mut verifying = signing;
    verifying["Signature"] = signature;
    assert_eq!(world.done_in(AWAY, "Verify", verifying).await["SignatureValid"], true);
    let public = world.done("admin", "GetPublicKey", json!({"KeyId": key})).await["PublicKey"].take();
    assert_eq!(world.done_in(AWAY, "GetPublicKey", json!({"KeyId": key})).await["PublicKey"], public);

    let key = make("HMAC_256", "GENERATE_VERIFY_MAC").await;
    let input = json!({"KeyId": key, "Message": base64(b"message"), "MacAlgorithm": "HMAC_SHA_256"});
    let mac = world.done("admin", "GenerateMac", input.clone()).await["Mac"].take();
    assert_eq!(world.done_in(AWAY, "GenerateMac", input).await["Mac"], mac);

    let key = make("RSA_2048", "ENCRYPT_DECRYPT").await;
    let input = json!({"KeyId": key, "Plaintext": base64(b"secret"), "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"});
    let blob = world.done_in(AWAY, "Encrypt", input).await["CiphertextBlob"].take();
    let input = json!({"KeyId": key, "CiphertextBlob": blob, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"});
    assert_eq!(from_base64(&world.done("admin", "Decrypt", input).await["Plaintext"]), b"secret");
    for operation in ["EnableKeyRotation", "RotateKeyOnDemand", "GetKeyRotationStatus", "ListKeyRotations"] {
        let error = world.refused("admin", operation, json!({"KeyId": key})).await;
        assert!(error.starts_with("UnsupportedOperationException: "), "{operation}: {error}");
    }
}

#[tokio::test]
async fn a_key_of_one_region_opens_nothing_elsewhere() {
    let world = World::new();
    let key = world.key().await;
    let blob = world.encrypted(&key, "here").await;
    let error = world.refused("admin", "ReplicateKey", json!({"KeyId": key, "ReplicaRegion": AWAY})).await;
    let expected = format!("UnsupportedOperationException: {} is not a multi-Region primary key.", arn_of(&key));
    assert_eq!(error, expected);
    let input = json!({"KeyId": key, "PrimaryRegion": AWAY});
    assert_eq!(world.refused("admin", "UpdatePrimaryRegion", input).await, expected);
    assert!(world.call_in(AWAY, "admin", "Decrypt", json!({"CiphertextBlob": blob})).await.is_err());
}

#[tokio::test]
async fn related_keys_show_one_another() {
    let world = World::new();
    let key = world.primary().await;
    assert!(key.starts_with("mrk-") && key.len() == 36, "{key}");
    world.replicate(&key, AWAY).await;
    world.replicate(&key, FAR).await;
    let relative = |region: &str| json!({"Arn": arn_in(region, &key), "Region": region});
    for region in [HOME, AWAY, FAR] {
        let metadata = world.metadata(region, &key).await;
        assert_eq!((&metadata["MultiRegion"], &metadata["Arn"]), (&json!(true), &json!(arn_in(region, &key))));
        let key_type = if region == HOME { "PRIMARY" } else { "REPLICA" };
        let expected = json!({
            "MultiRegionKeyType": key_type, "PrimaryKey": relative(HOME), "ReplicaKeys": [relative(FAR), relative(AWAY)],
        });
        assert_eq!(metadata["MultiRegionConfiguration"], expected);
    }
}

#[tokio::test]
async fn a_replica_has_policy_tags_and_description_of_its_own() {
    let world = World::new();
    let input = json!({"MultiRegion": true, "Description": "the first", "Tags": [{"TagKey": "a", "TagValue": "1"}],
        "Policy": policy_with(&[allow("alice", json!("kms:Decrypt"))])});
    let key = text(&world.done("admin", "CreateKey", input).await["KeyMetadata"]["KeyId"]);
    world.done("admin", "CreateAlias", json!({"AliasName": "alias/first", "TargetKeyId": key})).await;
    let own = policy_with(&[allow("bob", json!("kms:Encrypt"))]);
    let input = json!({"KeyId": key, "ReplicaRegion": AWAY, "Description": "the second", "Policy": own,
        "Tags": [{"TagKey": "b", "TagValue": "2"}]});
    let answer = world.done("admin", "ReplicateKey", input).await;
    assert_eq!(answer["ReplicaPolicy"], own);
    assert_eq!(answer["ReplicaTags"], json!([{"TagKey": "b", "TagValue": "2"}]));
    assert_eq!(answer["ReplicaKeyMetadata"]["Description"], "the second");
    assert_eq!(world.metadata(HOME, &key).await["Description"], "the first");
    let tags = world.done_in(AWAY, "ListResourceTags", json!({"KeyId": key})).await;
    assert_eq!(tags["Tags"], json!([{"TagKey": "b", "TagValue": "2"}]));
    let aliases = world.done_in(AWAY, "ListAliases", json!({"KeyId": key})).await;
    assert_eq!(aliases["Aliases"], json!([]));
    // Without any, as if it had been made there.
    let answer = world.replicate(&key, FAR).await;
    assert_eq!((&answer["ReplicaTags"], &answer["ReplicaKeyMetadata"]["Description"]), (&json!([]), &json!("")));
    assert!(text(&answer["ReplicaPolicy"]).contains("Enable IAM User Permissions"));
    // Switching one off leaves the other alone.
    world.done_in(AWAY, "DisableKey", json!({"KeyId": key})).await;
    assert_eq!(world.metadata(HOME, &key).await["KeyState"], "Enabled");
}

#[tokio::test]
async fn a_region_has_one_key_of_a_family_and_partitions_none_in_common() {
    let world = World::new();
    let key = world.primary().await;
    world.replicate(&key, AWAY).await;
    for region in [AWAY, HOME] {
        let error = world.refused("admin", "ReplicateKey", json!({"KeyId": key, "ReplicaRegion": region})).await;
        let arn = arn_in(region, &key);
        let expected =
            format!("AlreadyExistsException: Unable to replicate the key into Region {region}: {arn} already exists");
        assert_eq!(error, expected);
    }
    let error = world.refused("admin", "ReplicateKey", json!({"KeyId": key, "ReplicaRegion": "cn-north-1"})).await;
    assert!(error.starts_with("UnsupportedOperationException: "), "{error}");
    for region in ["", "nowhere", "eu-west-1a", "EU-WEST-1"] {
        let error = world.refused("admin", "ReplicateKey", json!({"KeyId": key, "ReplicaRegion": region})).await;
        assert!(error.starts_with("ValidationException: "), "{region}: {error}");
    }
    // A replica is no primary key.
    let input = json!({"KeyId": key, "ReplicaRegion": FAR});
    let error = world.call_in(AWAY, "admin", "ReplicateKey", input).await.expect_err("is refused");
    let arn = arn_in(AWAY, &key);
    assert_eq!(error, format!("UnsupportedOperationException: {arn} is not a multi-Region primary key."));
    world.done("admin", "DisableKey", json!({"KeyId": key})).await;
    let error = world.refused("admin", "ReplicateKey", json!({"KeyId": key, "ReplicaRegion": FAR})).await;
    assert_eq!(error, format!("DisabledException: {} is disabled.", arn_of(&key)));
}

#[tokio::test]
async fn rotation_reaches_every_region() {
    let world = World::new();
    let key = world.primary().await;
    world.done("admin", "EnableKeyRotation", json!({"KeyId": key, "RotationPeriodInDays": 90})).await;
    world.replicate(&key, AWAY).await;
    let status = json!({"KeyId": key});
    assert_eq!(world.done_in(AWAY, "GetKeyRotationStatus", status.clone()).await["RotationPeriodInDays"], 90);
    world.done("admin", "RotateKeyOnDemand", json!({"KeyId": key})).await;
    world.pass_days(90);
    assert_eq!(world.kms.rotate_due(world.now()).await.expect("rotates"), 1);
    let materials = |region: &'static str| {
        let (world, input) = (&world, json!({"KeyId": key, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"}));
        async move {
            let mut listed = world.done_in(region, "ListKeyRotations", input).await["Rotations"].take();
            for entry in listed.as_array_mut().expect("a list") {
                entry["KeyId"] = Value::Null;
            }
            listed
        }
    };
    let (home, away) = (materials(HOME).await, materials(AWAY).await);
    assert_eq!(home, away);
    assert_eq!(home.as_array().map(Vec::len), Some(3));
    assert_eq!((&home[1]["RotationType"], &home[2]["RotationType"]), (&json!("ON_DEMAND"), &json!("AUTOMATIC")));
    // The newest is wrapped for both.
    let blob = world.encrypted(&key, "after").await;
    let opened = world.done_in(AWAY, "Decrypt", json!({"CiphertextBlob": blob})).await;
    assert_eq!(opened["KeyMaterialId"], home[2]["KeyMaterialId"]);
    // A replica's rotation is its primary key's.
    for operation in ["EnableKeyRotation", "DisableKeyRotation", "RotateKeyOnDemand"] {
        let error = world.call_in(AWAY, "admin", operation, status.clone()).await.expect_err("is refused");
        assert!(error.starts_with("UnsupportedOperationException: "), "{error}");
    }
    world.done("admin", "DisableKeyRotation", status.clone()).await;
    assert_eq!(world.done_in(AWAY, "GetKeyRotationStatus", status).await["KeyRotationEnabled"], false);
}

#[tokio::test]
async fn the_primary_region_moves_and_takes_the_rotation_along() {
    let world = World::new();
    let key = world.primary().await;
    world.done("admin", "EnableKeyRotation", json!({"KeyId": key, "RotationPeriodInDays": 90})).await;
    world.replicate(&key, AWAY).await;
    let answer = world.done("admin", "UpdatePrimaryRegion", json!({"KeyId": key, "PrimaryRegion": AWAY})).await;
    assert_eq!(answer, Value::Null);
    for (region, expected) in [(HOME, "REPLICA"), (AWAY, "PRIMARY")] {
        let configuration = world.metadata(region, &key).await["MultiRegionConfiguration"].take();
        assert_eq!(configuration["MultiRegionKeyType"], expected);
        assert_eq!(configuration["PrimaryKey"]["Region"], AWAY);
        assert_eq!(configuration["ReplicaKeys"], json!([{"Arn": arn_of(&key), "Region": HOME}]));
    }
    world.pass_days(90);
    assert_eq!(world.kms.rotate_due(world.now()).await.expect("rotates"), 1, "once for the family");
    let ids = async |region| world.metadata(region, &key).await["CurrentKeyMaterialId"].take();
    assert_eq!(ids(HOME).await, ids(AWAY).await);
    world.done_in(AWAY, "ReplicateKey", json!({"KeyId": key, "ReplicaRegion": FAR})).await;
    let error = world.refused("admin", "UpdatePrimaryRegion", json!({"KeyId": key, "PrimaryRegion": FAR})).await;
    let replica = arn_of(&key);
    assert_eq!(error, format!("UnsupportedOperationException: {replica} is not a multi-Region primary key."));
    let update = |region: &str| json!({"KeyId": key, "PrimaryRegion": region});
    let error = world.call_in(AWAY, "admin", "UpdatePrimaryRegion", update("us-west-2")).await;
    assert_eq!(error, Err(format!("NotFoundException: Key '{}' does not exist", arn_in("us-west-2", &key))));
    let error = world.call_in(AWAY, "admin", "UpdatePrimaryRegion", update(AWAY)).await.expect_err("is refused");
    assert!(error.starts_with("UnsupportedOperationException: "), "{error}");
    world.done_in(FAR, "DisableKey", json!({"KeyId": key})).await;
    let error = world.call_in(AWAY, "admin", "UpdatePrimaryRegion", update(FAR)).await;
    assert_eq!(error, Err(format!("DisabledException: {} is disabled.", arn_in(FAR, &key))));
}

#[tokio::test]
async fn a_primary_key_outlives_its_replicas() {
    let world = World::new();
    let key = world.primary().await;
    world.replicate(&key, AWAY).await;
    let input = json!({"KeyId": key, "PendingWindowInDays": 7});
    let answer = world.done("admin", "ScheduleKeyDeletion", input.clone()).await;
    let expected = json!({"KeyId": arn_of(&key), "KeyState": "PendingReplicaDeletion", "PendingWindowInDays": 7});
    assert_eq!(answer, expected);
    let metadata = world.metadata(HOME, &key).await;
    assert_eq!((&metadata["PendingDeletionWindowInDays"], metadata.get("DeletionDate")), (&json!(7), None));
    let error = world.refused("admin", "Encrypt", json!({"KeyId": key, "Plaintext": "AAAA"})).await;
    assert_eq!(error, format!("KMSInvalidStateException: {} is pending replica deletion.", arn_of(&key)));
    // The replica serves on.
    world.done_in(AWAY, "Encrypt", json!({"KeyId": key, "Plaintext": "AAAA"})).await;
    world.pass_days(30);
    assert_eq!(world.kms.destroy_due(world.now()).await.expect("looks"), 0);
    let answer = world.done_in(AWAY, "ScheduleKeyDeletion", input.clone()).await;
    assert_eq!(answer["KeyState"], "PendingDeletion");
    world.pass_days(7);
    assert_eq!(world.kms.destroy_due(world.now()).await.expect("destroys"), 1);
    let metadata = world.metadata(HOME, &key).await;
    assert_eq!((&metadata["KeyState"], metadata.get("PendingDeletionWindowInDays")), (&json!("PendingDeletion"), None));
    assert_eq!(metadata["DeletionDate"], json!(world.now().plus_days(7).millis() as f64 / 1000.0));
    assert_eq!(metadata["MultiRegionConfiguration"]["ReplicaKeys"], json!([]));
    // Called off, it can have a replica again.
    world.done("admin", "CancelKeyDeletion", json!({"KeyId": key})).await;
    world.done("admin", "EnableKey", json!({"KeyId": key})).await;
    world.replicate(&key, AWAY).await;
    world.done("admin", "ScheduleKeyDeletion", input).await;
    world.done("admin", "CancelKeyDeletion", json!({"KeyId": key})).await;
    let metadata = world.metadata(HOME, &key).await;
    assert_eq!((&metadata["KeyState"], metadata.get("PendingDeletionWindowInDays")), (&json!("Disabled"), None));
}

#[tokio::test]
async fn replicating_takes_a_permission_in_each_region() {
    let world = World::new();
    let policy = policy_with(&[allow("alice", json!(["kms:ReplicateKey", "kms:UpdatePrimaryRegion"]))]);
    let input = json!({"MultiRegion": true, "Policy": policy});
    let key = text(&world.done("admin", "CreateKey", input).await["KeyMetadata"]["KeyId"]);
    let input = json!({"KeyId": key, "ReplicaRegion": AWAY});
    let error = world.refused("alice", "ReplicateKey", input.clone()).await;
    assert!(error.contains("is not authorized to perform: kms:CreateKey on resource: *"), "{error}");
    let create = |region: &str| {
        json!({"Effect": "Allow", "Action": "kms:CreateKey", "Resource": "*", "Condition": {
            "StringEquals": {"aws:RequestedRegion": region, "kms:MultiRegionKeyType": "REPLICA"}}})
    };
    world.user("alice", ACCOUNT, "AIDAALICE", Some(create(HOME)));
    assert!(world.refused("alice", "ReplicateKey", input.clone()).await.contains("kms:CreateKey"));
    world.user("alice", ACCOUNT, "AIDAALICE", Some(create(AWAY)));
    let tagged = json!({"KeyId": key, "ReplicaRegion": AWAY, "Tags": [{"TagKey": "a", "TagValue": "b"}]});
    assert!(world.refused("alice", "ReplicateKey", tagged).await.contains("kms:TagResource"));
    // The replica's policy would lock her out.
    let error = world.refused("alice", "ReplicateKey", input.clone()).await;
    assert!(error.starts_with("MalformedPolicyDocumentException: "), "{error}");
    let mut unsafely = input.clone();
    unsafely["BypassPolicyLockoutSafetyCheck"] = json!(true);
    world.done("alice", "ReplicateKey", unsafely).await;
    // The policies of both keys have to let her move the primary Region.
    let error = world.refused("alice", "UpdatePrimaryRegion", json!({"KeyId": key, "PrimaryRegion": AWAY})).await;
    assert!(error.contains(&arn_in(AWAY, &key)), "{error}");
    // Without ReplicateKey in the key's policy, what identity policies say of creating keys is not enough.
    world.user("bob", ACCOUNT, "AIDABOB", Some(create(FAR)));
    let error = world.refused("bob", "ReplicateKey", json!({"KeyId": key, "ReplicaRegion": FAR})).await;
    assert!(error.contains("kms:ReplicateKey"), "{error}");
}

#[tokio::test]
async fn conditions_name_the_regions_and_the_kind_of_key() {
    let world = World::new();
    let only = |action: &str, key: &str, value: &str| {
        json!({"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*",
            "Condition": {"StringNotEquals": {key: value}}})
    };
    let policy = policy_with(&[
        only("kms:ReplicateKey", "kms:ReplicaRegion", AWAY),
        only("kms:UpdatePrimaryRegion", "kms:PrimaryRegion", FAR),
        only("kms:ScheduleKeyDeletion", "kms:MultiRegionKeyType", "REPLICA"),
    ]);
    let input = json!({"MultiRegion": true, "Policy": policy});
    let key = text(&world.done("admin", "CreateKey", input).await["KeyMetadata"]["KeyId"]);
    for (operation, input) in [
        ("ReplicateKey", json!({"KeyId": key, "ReplicaRegion": FAR})),
        ("UpdatePrimaryRegion", json!({"KeyId": key, "PrimaryRegion": AWAY})),
        ("ScheduleKeyDeletion", json!({"KeyId": key})),
    ] {
        let error = world.refused("admin", operation, input).await;
        assert!(error.contains("with an explicit deny in a resource-based policy"), "{operation}: {error}");
    }
    world.replicate(&key, AWAY).await;
}

#[tokio::test]
async fn a_call_for_a_region_that_there_is_not_makes_nothing() {
    let store = Store::open_in_memory().expect("a store");
    let world = World::with(store, |kms| kms.in_regions(Regions::with(["home-1".to_owned()])));
    let key = world.primary().await;
    let domains = async || crate::domain_keys(&world.store).await.expect("domain keys").len();
    assert_eq!(domains().await, 1);
    let long = "a".repeat(33);
    for region in ["moon-1", "US-EAST-1", "us-east-9", "aws-global", "%", long.as_str()] {
        let error = world.call_in(region, "admin", "CreateKey", json!({})).await.expect_err("is refused");
        let expected = format!("Credential should be scoped to a valid region, not '{region}'. ");
        assert_eq!(error, format!("InvalidSignatureException: {expected}"));
    }
    let error = world.refused("admin", "ReplicateKey", json!({"KeyId": key, "ReplicaRegion": "us-moon-1"})).await;
    assert_eq!(error, "UnsupportedOperationException: There is no Region us-moon-1.");
    assert_eq!(domains().await, 1);
    world.call_in("eu-west-1", "admin", "CreateKey", json!({})).await.expect("is AWS's");
    world.call_in("home-1", "admin", "CreateKey", json!({})).await.expect("is added");
    assert_eq!(domains().await, 3);
}
