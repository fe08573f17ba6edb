//! Making, describing, listing, switching and tagging keys.

use super::*;

#[tokio::test]
async fn a_new_key_is_described_with_awss_members() {
    let world = World::new();
    let input = json!({"Description": "first", "Tags": [{"TagKey": "a", "TagValue": "b"}]});
    let made = world.done("admin", "CreateKey", input).await;
    let metadata = &made["KeyMetadata"];
    let id = text(&metadata["KeyId"]);
    assert!(uuid::Uuid::parse_str(&id).is_ok());
    let material = text(&metadata["CurrentKeyMaterialId"]);
    assert!(material.len() == 64 && material.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(
        *metadata,
        json!({
            "AWSAccountId": ACCOUNT,
            "Arn": arn_of(&id),
            "CreationDate": START as f64 / 1000.0,
            "CurrentKeyMaterialId": material,
            "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "Description": "first",
            "Enabled": true,
            "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
            "KeyId": id,
            "KeyManager": "CUSTOMER",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "KeyState": "Enabled",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "MultiRegion": false,
            "Origin": "AWS_KMS",
        })
    );
    assert_eq!(world.done("admin", "DescribeKey", json!({"KeyId": id})).await, made);
}

#[tokio::test]
async fn what_is_not_offered_is_refused_and_not_ignored() {
    let world = World::new();
    for (input, expected) in [
        (
            json!({"KeySpec": "SM2", "KeyUsage": "ENCRYPT_DECRYPT"}),
            "UnsupportedOperationException: KeySpec SM2 is not supported.",
        ),
        (
            json!({"CustomKeyStoreId": "cks-1"}),
            "ValidationException: CustomKeyStoreId is not valid with Origin AWS_KMS.",
        ),
        (json!({"XksKeyId": "x"}), "ValidationException: XksKeyId is not valid with Origin AWS_KMS."),
        (
            json!({"KeySpec": "HMAC_256"}),
            "ValidationException: You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
        ),
        (
            json!({"KeyUsage": "SIGN_VERIFY"}),
            "ValidationException: KeyUsage SIGN_VERIFY is not compatible with KeySpec SYMMETRIC_DEFAULT",
        ),
        (
            json!({"KeySpec": "SYMMETRIC_DEFAULT", "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT"}),
            "ValidationException: You cannot specify KeySpec and CustomerMasterKeySpec in the same request. \
             CustomerMasterKeySpec is deprecated.",
        ),
        (json!({"Tags": [{"TagKey": "aws:x", "TagValue": ""}]}), "TagException: Tags beginning with aws: are reserved"),
    ] {
        assert_eq!(world.refused("admin", "CreateKey", input).await, expected);
    }
    for spec in ["SYMMETRIC_DEFAULT"] {
        world
            .done("admin", "CreateKey", json!({"KeySpec": spec, "KeyUsage": "ENCRYPT_DECRYPT", "Origin": "AWS_KMS"}))
            .await;
        world.done("admin", "CreateKey", json!({"CustomerMasterKeySpec": spec, "MultiRegion": false})).await;
    }
    let error = world.refused("admin", "CreateKey", json!({"KeySpec": "AES", "Description": "x".repeat(8193)})).await;
    assert!(error.starts_with("ValidationException: 2 validation errors detected: "), "{error}");
}

#[tokio::test]
async fn listing_pages_through_all_keys_of_the_region_and_no_others() {
    let world = World::new();
    let mut keys = Vec::new();
    for _ in 0..7 {
        keys.push(world.key().await);
    }
    assert!(world.call_in("eu-west-1", "admin", "CreateKey", json!({})).await.is_ok());
    let (mut seen, mut marker) = (Vec::new(), Value::Null);
    loop {
        let mut input = json!({"Limit": 3});
        if marker != Value::Null {
            input["Marker"] = marker;
        }
        let page = world.done("admin", "ListKeys", input).await;
        for entry in page["Keys"].as_array().expect("a list") {
            assert_eq!(entry["KeyArn"], arn_of(&text(&entry["KeyId"])));
            seen.push(text(&entry["KeyId"]));
        }
        marker = page.get("NextMarker").cloned().unwrap_or_default();
        assert_eq!(page["Truncated"], marker != Value::Null);
        if marker == Value::Null {
            break;
        }
    }
    seen.sort();
    keys.sort();
    assert_eq!(seen, keys);
    let elsewhere = world.call_in("eu-west-1", "admin", "CreateKey", json!({})).await;
    assert!(elsewhere.is_ok());
    let page = world.call_in("eu-west-1", "admin", "ListKeys", json!({"Limit": 1})).await.expect("a page");
    for marker in [json!("made up"), page["NextMarker"].clone()] {
        let error = world.refused("admin", "ListKeys", json!({"Marker": marker})).await;
        assert_eq!(error, "InvalidMarkerException: The marker is not valid.");
    }
    let error = world.refused("admin", "ListKeys", json!({"ResourceOwners": ["SELF", "OTHER_ACCOUNTS_VIA_RAM"]})).await;
    assert!(error.starts_with("UnsupportedOperationException: "), "{error}");
    assert_eq!(world.done("admin", "ListKeys", json!({"ResourceOwners": ["SELF"]})).await["Truncated"], false);
}

#[tokio::test]
async fn an_account_has_its_quota_of_keys_in_each_region() {
    let world = World::new();
    let kms = Kms::new(world.store.clone(), world.people.clone()).with_keys_max(2);
    let journal_directory = tempfile::tempdir().expect("a directory");
    let journal = Journal::open(journal::Config::new(journal_directory.path()), &Key256::random()).expect("a journal");
    let clock = || Timestamp::from_millis(START);
    let core = Core::new(world.people.clone(), Trail::new(journal), Arc::new(Nobody), clock);
    let gateway = Gateway::new(Arc::new(core)).with(Arc::new(kms));
    let create = async |region| gateway.handle(&world.request("admin", region, "CreateKey", "{}")).await;
    assert_eq!(create(REGION).await.error, None);
    assert_eq!(create(REGION).await.error, None);
    assert_eq!(create(REGION).await.error, Some("LimitExceededException"));
    assert_eq!(create("eu-west-1").await.error, None);
    // A managed key is not the caller's and does not count.
    let managed = world.request("admin", REGION, "DescribeKey", r#"{"KeyId":"alias/aws/s3"}"#);
    assert_eq!(gateway.handle(&managed).await.error, None);
}

#[tokio::test]
async fn a_key_is_disabled_and_enabled_and_its_description_changed() {
    let world = World::new();
    let key = world.key().await;
    let described = |members: [&'static str; 3]| {
        let (world, key) = (&world, &key);
        async move {
            let metadata = world.done("admin", "DescribeKey", json!({"KeyId": key})).await["KeyMetadata"].take();
            members.map(|member| metadata[member].clone())
        }
    };
    world.done("admin", "DisableKey", json!({"KeyId": key})).await;
    world.done("admin", "DisableKey", json!({"KeyId": arn_of(&key)})).await;
    world.done("admin", "UpdateKeyDescription", json!({"KeyId": key, "Description": "new"})).await;
    let members = ["KeyState", "Enabled", "Description"];
    assert_eq!(described(members).await, [json!("Disabled"), json!(false), json!("new")]);
    assert_eq!(world.done("admin", "EnableKey", json!({"KeyId": key})).await, Value::Null);
    world.done("admin", "UpdateKeyDescription", json!({"KeyId": key, "Description": ""})).await;
    assert_eq!(described(members).await, [json!("Enabled"), json!(true), json!("")]);
}

#[tokio::test]
async fn tags_are_added_changed_removed_and_listed_in_pages() {
    let world = World::new();
    let key = world.key().await;
    let tags: Vec<_> = (0..50).map(|n| json!({"TagKey": format!("k{n:02}"), "TagValue": format!("v{n}")})).collect();
    world.done("admin", "TagResource", json!({"KeyId": key, "Tags": tags})).await;
    world.done("admin", "TagResource", json!({"KeyId": key, "Tags": [{"TagKey": "k07", "TagValue": "new"}]})).await;
    let (mut seen, mut input) = (Vec::new(), json!({"KeyId": key, "Limit": 20}));
    loop {
        let page = world.done("admin", "ListResourceTags", input.clone()).await;
        seen.extend(page["Tags"].as_array().expect("a list").clone());
        match page.get("NextMarker") {
            Some(marker) => input["Marker"] = marker.clone(),
            None => break,
        }
    }
    assert_eq!(seen.len(), 50);
    assert_eq!(seen[7], json!({"TagKey": "k07", "TagValue": "new"}));
    let error =
        world.refused("admin", "TagResource", json!({"KeyId": key, "Tags": [{"TagKey": "x", "TagValue": ""}]})).await;
    assert_eq!(error, "TagException: Too many tags");
    let keys: Vec<_> = (0..49).map(|n| format!("k{n:02}")).collect();
    world.done("admin", "UntagResource", json!({"KeyId": key, "TagKeys": keys})).await;
    let left = world.done("admin", "ListResourceTags", json!({"KeyId": key})).await;
    assert_eq!(left, json!({"Tags": [{"TagKey": "k49", "TagValue": "v49"}], "Truncated": false}));
}

#[tokio::test]
async fn regions_and_accounts_are_apart() {
    let world = World::new();
    world.user(
        "stranger",
        OTHER_ACCOUNT,
        "AIDASTRANGER",
        Some(json!({"Effect": "Allow", "Action": "*", "Resource": "*"})),
    );
    let key = world.key().await;
    let theirs = world.done("stranger", "CreateKey", json!({})).await;
    assert_eq!(theirs["KeyMetadata"]["AWSAccountId"], OTHER_ACCOUNT);
    let far = world.call_in("eu-west-1", "admin", "CreateKey", json!({})).await.expect("a key");
    assert!(text(&far["KeyMetadata"]["Arn"]).starts_with("arn:aws:kms:eu-west-1:"));
    for (caller, region, count) in
        [("admin", REGION, 1), ("admin", "eu-west-1", 1), ("admin", "eu-west-2", 0), ("stranger", REGION, 1)]
    {
        let listed = world.call_in(region, caller, "ListKeys", json!({})).await.expect("a list");
        assert_eq!(listed["Keys"].as_array().map(Vec::len), Some(count), "{caller} in {region}");
    }
    assert!(world.call_in("eu-west-1", "admin", "DescribeKey", json!({"KeyId": key})).await.is_err());
}
