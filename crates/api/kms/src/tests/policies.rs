//! Key policies.

use super::*;

#[tokio::test]
async fn a_key_made_without_a_policy_has_the_accounts() {
    let world = World::new();
    let key = world.key().await;
    let answer = world.done("admin", "GetKeyPolicy", json!({"KeyId": key, "PolicyName": "default"})).await;
    assert_eq!(answer["PolicyName"], "default");
    let policy: Value = serde_json::from_str(&text(&answer["Policy"])).expect("JSON");
    assert_eq!(
        policy,
        json!({
            "Version": "2012-10-17",
            "Id": "key-default-1",
            "Statement": [{
                "Sid": "Enable IAM User Permissions",
                "Effect": "Allow",
                "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
                "Action": "kms:*",
                "Resource": "*",
            }],
        })
    );
    let names = world.done("admin", "ListKeyPolicies", json!({"KeyId": key})).await;
    assert_eq!(names, json!({"PolicyNames": ["default"], "Truncated": false}));
    let error = world.refused("admin", "ListKeyPolicies", json!({"KeyId": key, "Marker": "x"})).await;
    assert!(error.starts_with("InvalidMarkerException: "), "{error}");
}

#[tokio::test]
async fn a_policy_is_given_back_as_it_was_put_and_is_the_only_one() {
    let world = World::new();
    let key = world.key().await;
    let policy = policy_with(&[allow("alice", json!("kms:DescribeKey"))]).replace(':', " : ");
    world.refused("alice", "DescribeKey", json!({"KeyId": key})).await;
    let policy = policy
        .replace("arn : aws : iam :  : ", "arn:aws:iam::")
        .replace("iam::111122223333 : ", "iam::111122223333:")
        .replace("kms : ", "kms:");
    world.done("admin", "PutKeyPolicy", json!({"KeyId": key, "Policy": policy, "PolicyName": "default"})).await;
    world.done("alice", "DescribeKey", json!({"KeyId": key})).await;
    assert_eq!(world.done("admin", "GetKeyPolicy", json!({"KeyId": key})).await["Policy"], json!(policy));
    let error = world.refused("admin", "GetKeyPolicy", json!({"KeyId": key, "PolicyName": "other"})).await;
    assert_eq!(error, "NotFoundException: No such policy exists");
    let error =
        world.refused("admin", "PutKeyPolicy", json!({"KeyId": key, "PolicyName": "other", "Policy": policy})).await;
    assert!(error.starts_with("UnsupportedOperationException: "), "{error}");
}

#[tokio::test]
async fn a_policy_that_locks_the_caller_out_is_refused_unless_the_caller_insists() {
    let world = World::new();
    let key = world.key().await;
    let policy = json!({"Version": "2012-10-17", "Statement": [allow("alice", json!("kms:*"))]}).to_string();
    let expected = "MalformedPolicyDocumentException: The new key policy will not allow you to update the key policy in \
                    the future.";
    assert_eq!(world.refused("admin", "PutKeyPolicy", json!({"KeyId": key, "Policy": policy})).await, expected);
    assert_eq!(world.refused("admin", "CreateKey", json!({"Policy": policy})).await, expected);
    let input = json!({"KeyId": key, "Policy": policy, "BypassPolicyLockoutSafetyCheck": true});
    world.done("admin", "PutKeyPolicy", input).await;
    let error = world.refused("admin", "PutKeyPolicy", json!({"KeyId": key, "Policy": policy_with(&[])})).await;
    assert_eq!(error, denied("admin", "kms:PutKeyPolicy", &key, "resource-based"));
    world.done("alice", "PutKeyPolicy", json!({"KeyId": key, "Policy": policy})).await;
}

#[tokio::test]
async fn what_is_no_policy_is_refused() {
    let world = World::new();
    let key = world.key().await;
    let long = policy_with(&[allow("alice", json!("x".repeat(40_000)))]);
    for (policy, code) in [
        ("{", "MalformedPolicyDocumentException"),
        ("{}", "MalformedPolicyDocumentException"),
        (
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*"}]}"#,
            "MalformedPolicyDocumentException",
        ),
        (&long, "LimitExceededException"),
        ("", "ValidationException"),
        ("{\"Statement\":\"\u{20ac}\"}", "ValidationException"),
    ] {
        for (operation, input) in
            [("PutKeyPolicy", json!({"KeyId": key, "Policy": policy})), ("CreateKey", json!({"Policy": policy}))]
        {
            let error = world.refused("admin", operation, input).await;
            assert!(error.starts_with(&format!("{code}: ")), "{operation} {policy:.40}: {error}");
        }
    }
}

#[tokio::test]
async fn a_policy_names_only_principals_that_exist() {
    let world = World::new();
    let key = world.key().await;
    let expected = "MalformedPolicyDocumentException: Policy contains a statement with one or more invalid principals.";
    let put = |principal: Value| {
        let statement =
            json!({"Effect": "Allow", "Principal": principal, "Action": "kms:DescribeKey", "Resource": "*"});
        json!({"KeyId": key, "Policy": policy_with(&[statement])})
    };
    for principal in [
        json!({"AWS": user_arn(ACCOUNT, "nobody")}),
        json!({"AWS": [user_arn(ACCOUNT, "alice"), role_arn("Nobody")]}),
        json!({"AWS": "arn:aws:iam::999999999999:root"}),
        json!({"AWS": "999999999999"}),
        json!({"AWS": "arn:aws:sts::999999999999:assumed-role/Worker/shift"}),
        json!({"AWS": "AIDAALICE00000000000A"}),
    ] {
        assert_eq!(world.refused("admin", "PutKeyPolicy", put(principal)).await, expected);
    }
    for principal in [
        json!("*"),
        json!({"AWS": [user_arn(ACCOUNT, "alice"), role_arn("Worker"), OTHER_ACCOUNT, session_arn("Worker", "shift")]}),
        json!({"Service": "s3.amazonaws.com"}),
    ] {
        world.done("admin", "PutKeyPolicy", put(principal)).await;
    }
}

#[tokio::test]
async fn a_user_who_is_deleted_and_made_again_is_somebody_else() {
    let world = World::new();
    let key = world.key_with(&[allow("alice", json!("kms:DescribeKey")), allow("bob", json!("kms:DescribeKey"))]).await;
    world.done("alice", "DescribeKey", json!({"KeyId": key})).await;
    world.remove_user("alice", ACCOUNT);
    let shown =
        |policy: Value| serde_json::from_str::<Value>(&text(&policy["Policy"])).expect("JSON")["Statement"].take();
    let statements = shown(world.done("admin", "GetKeyPolicy", json!({"KeyId": key})).await);
    assert_eq!(statements[1]["Principal"], json!({"AWS": "AIDAALICE"}));
    assert_eq!(statements[2]["Principal"], json!({"AWS": user_arn(ACCOUNT, "bob")}));
    world.user("alice", ACCOUNT, "AIDAIMPOSTOR", None);
    let expected = denied("alice", "kms:DescribeKey", &key, "identity-based");
    assert_eq!(world.refused("alice", "DescribeKey", json!({"KeyId": key})).await, expected);
    let statements = shown(world.done("admin", "GetKeyPolicy", json!({"KeyId": key})).await);
    assert_eq!(statements[1]["Principal"], json!({"AWS": "AIDAALICE"}), "the policy still means the first");
    // Put again, the policy means whoever bears the name now.
    let policy = policy_with(&[allow("alice", json!("kms:DescribeKey"))]);
    world.done("admin", "PutKeyPolicy", json!({"KeyId": key, "Policy": policy})).await;
    world.done("alice", "DescribeKey", json!({"KeyId": key})).await;
}

#[tokio::test]
async fn tagging_at_creation_takes_its_own_permission() {
    let world = World::new();
    let statement = json!({"Effect": "Allow", "Action": "kms:CreateKey", "Resource": "*"});
    world.user("carol", ACCOUNT, "AIDACAROL", Some(statement));
    let policy = policy_with(&[allow("carol", json!("kms:*"))]);
    world.done("carol", "CreateKey", json!({"Policy": policy})).await;
    let input = json!({"Policy": policy, "Tags": [{"TagKey": "a", "TagValue": "b"}]});
    let error = world.refused("carol", "CreateKey", input).await;
    assert!(
        error.contains(
            "is not authorized to perform: kms:TagResource on resource: arn:aws:kms:us-east-1:111122223333:key/*"
        ),
        "{error}"
    );
}
