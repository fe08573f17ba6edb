//! Who may do what: key policies, identity policies, conditions, accounts.

use super::*;

#[tokio::test]
async fn administrators_manage_without_decrypting_and_users_decrypt_without_managing() {
    let world = World::new();
    let manage = json!([
        "kms:Create*",
        "kms:Describe*",
        "kms:Enable*",
        "kms:List*",
        "kms:Put*",
        "kms:Update*",
        "kms:Revoke*",
        "kms:Disable*",
        "kms:Get*",
        "kms:Delete*",
        "kms:TagResource",
        "kms:UntagResource",
        "kms:ScheduleKeyDeletion",
        "kms:CancelKeyDeletion",
        "kms:RotateKeyOnDemand"
    ]);
    let apply = json!(["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]);
    let key = world.key_with(&[allow("alice", manage), allow("bob", apply)]).await;
    world.user("carol", ACCOUNT, "AIDACAROL", None);
    let blob = world.encrypted(&key, "x").await;
    let managing = [
        ("DisableKey", "kms:DisableKey", json!({"KeyId": key})),
        ("EnableKey", "kms:EnableKey", json!({"KeyId": key})),
        ("UpdateKeyDescription", "kms:UpdateKeyDescription", json!({"KeyId": key, "Description": "d"})),
        ("GetKeyPolicy", "kms:GetKeyPolicy", json!({"KeyId": key})),
        (
            "PutKeyPolicy",
            "kms:PutKeyPolicy",
            json!({"KeyId": key, "Policy": policy_with(&[allow("alice", json!("kms:*"))])}),
        ),
    ];
    let using = [
        ("Encrypt", "kms:Encrypt", json!({"KeyId": key, "Plaintext": "AAAA"})),
        ("Decrypt", "kms:Decrypt", json!({"CiphertextBlob": blob})),
        ("GenerateDataKey", "kms:GenerateDataKey", json!({"KeyId": key, "KeySpec": "AES_256"})),
    ];
    for (operation, action, input) in using {
        world.done("bob", operation, input.clone()).await;
        for user in ["alice", "carol"] {
            let expected = denied(user, action, &key, "identity-based");
            assert_eq!(world.refused(user, operation, input.clone()).await, expected);
        }
    }
    for (operation, action, input) in managing {
        for user in ["bob", "carol"] {
            let expected = denied(user, action, &key, "identity-based");
            assert_eq!(world.refused(user, operation, input.clone()).await, expected);
        }
        world.done("alice", operation, input).await;
    }
}

#[tokio::test]
async fn without_the_accounts_statement_identity_policies_and_root_count_for_nothing() {
    let world = World::new();
    let policy = json!({"Version": "2012-10-17", "Statement": [allow("alice", json!("kms:*"))]}).to_string();
    let input = json!({"Policy": policy, "BypassPolicyLockoutSafetyCheck": true});
    let key = text(&world.done("admin", "CreateKey", input).await["KeyMetadata"]["KeyId"]);
    world.done("alice", "DescribeKey", json!({"KeyId": key})).await;
    let why = denied("admin", "kms:DescribeKey", &key, "resource-based");
    assert_eq!(world.refused("admin", "DescribeKey", json!({"KeyId": key})).await, why);
    let why = why.replace("user/admin", "root");
    assert_eq!(world.refused("root", "DescribeKey", json!({"KeyId": key})).await, why);
}

#[tokio::test]
async fn a_stranger_cannot_tell_missing_from_forbidden() {
    let world = World::new();
    let key = world.key().await;
    let missing = "00000000-0000-4000-8000-000000000000";
    world.user(
        "stranger",
        OTHER_ACCOUNT,
        "AIDASTRANGER",
        Some(json!({"Effect": "Allow", "Action": "*", "Resource": "*"})),
    );
    let blob = world.encrypted(&key, "x").await;
    world.done("admin", "CreateAlias", json!({"AliasName": "alias/there", "TargetKeyId": key})).await;
    let [there, not_there, managed] = ["alias/there", "alias/not-there", "alias/aws/s3"]
        .map(|alias| format!("arn:aws:kms:{REGION}:{ACCOUNT}:{alias}"));
    let own = text(&world.done("stranger", "CreateKey", json!({})).await["KeyMetadata"]["KeyId"]);
    let theirs = &world.done("stranger", "Encrypt", json!({"KeyId": own, "Plaintext": "AAAA"})).await["CiphertextBlob"];
    // The same ciphertext, but for the key that it names.
    let ciphertext = from_base64(&blob);
    let mut forged = crate::record::blob::Ciphertext::parse(&ciphertext).expect("well-formed");
    forged.names.key = crate::KeyId::parse(missing).expect("an id");
    let forged = base64(&forged.to_bytes());
    for (operation, input, of_missing) in [
        ("DescribeKey", json!({"KeyId": arn_of(&key)}), json!({"KeyId": arn_of(missing)})),
        (
            "Encrypt",
            json!({"KeyId": arn_of(&key), "Plaintext": "AAAA"}),
            json!({"KeyId": arn_of(missing), "Plaintext": "AAAA"}),
        ),
        ("Decrypt", json!({"CiphertextBlob": blob}), json!({"CiphertextBlob": forged})),
        ("DisableKey", json!({"KeyId": arn_of(&key)}), json!({"KeyId": arn_of(missing)})),
        ("ListGrants", json!({"KeyId": arn_of(&key)}), json!({"KeyId": arn_of(missing)})),
        ("DescribeKey", json!({"KeyId": there}), json!({"KeyId": not_there})),
        ("DescribeKey", json!({"KeyId": managed}), json!({"KeyId": not_there})),
        ("Encrypt", json!({"KeyId": there, "Plaintext": "AAAA"}), json!({"KeyId": not_there, "Plaintext": "AAAA"})),
        (
            "Decrypt",
            json!({"CiphertextBlob": blob, "KeyId": there}),
            json!({"CiphertextBlob": blob, "KeyId": not_there}),
        ),
        (
            "ReEncrypt",
            json!({"CiphertextBlob": theirs, "DestinationKeyId": there}),
            json!({"CiphertextBlob": theirs, "DestinationKeyId": not_there}),
        ),
    ] {
        let forbidden = world.refused("stranger", operation, input).await;
        assert!(forbidden.starts_with("AccessDeniedException: "), "{forbidden}");
        let missed = world.refused("stranger", operation, of_missing).await;
        let missed = missed.replace(missing, &key);
        let missed_alias = [&there, &managed].map(|alias| missed.replace(&not_there, alias));
        assert!(missed == forbidden || missed_alias.contains(&forbidden), "{operation}: {missed} but {forbidden}");
    }
    // Within the account, whoever is allowed nothing learns nothing either.
    for id in [key.as_str(), missing] {
        let error = world.refused("alice", "DescribeKey", json!({"KeyId": id})).await;
        assert_eq!(error, denied("alice", "kms:DescribeKey", id, "identity-based"));
    }
    let error = world.refused("alice", "DescribeKey", json!({"KeyId": "alias/missing"})).await;
    assert!(error.starts_with("AccessDeniedException: "), "{error}");
    // A caller who is allowed learns that it does not exist.
    let error = world.refused("admin", "DescribeKey", json!({"KeyId": missing})).await;
    assert_eq!(error, format!("NotFoundException: Key '{}' does not exist", arn_of(missing)));
    let error = world.refused("admin", "DescribeKey", json!({"KeyId": "alias/missing"})).await;
    assert_eq!(error, format!("NotFoundException: Alias arn:aws:kms:{REGION}:{ACCOUNT}:alias/missing is not found."));
}

#[tokio::test]
async fn another_account_needs_the_key_policy_and_its_own_identity_policy() {
    let world = World::new();
    let trust = json!({
        "Effect": "Allow",
        "Principal": {"AWS": format!("arn:aws:iam::{OTHER_ACCOUNT}:root")},
        "Action": ["kms:Encrypt", "kms:Decrypt", "kms:DisableKey"],
        "Resource": "*",
    });
    let key = world.key_with(&[trust]).await;
    let encrypt = json!({"KeyId": arn_of(&key), "Plaintext": base64(b"across")});
    let error = world.refused("stranger", "Encrypt", encrypt.clone()).await;
    assert!(error.ends_with("because no identity-based policy allows the kms:Encrypt action"), "{error}");
    let everything = json!({"Effect": "Allow", "Action": "kms:*", "Resource": "*"});
    world.user("stranger", OTHER_ACCOUNT, "AIDASTRANGER", Some(everything));
    let blob = &world.done("stranger", "Encrypt", encrypt).await["CiphertextBlob"];
    for input in [json!({"CiphertextBlob": blob}), json!({"CiphertextBlob": blob, "KeyId": arn_of(&key)})] {
        assert_eq!(world.done("stranger", "Decrypt", input).await["Plaintext"], base64(b"across"));
    }
    world.done("admin", "CreateAlias", json!({"AliasName": "alias/shared", "TargetKeyId": key})).await;
    let alias = format!("arn:aws:kms:{REGION}:{ACCOUNT}:alias/shared");
    world.done("stranger", "Encrypt", json!({"KeyId": alias, "Plaintext": "AAAA"})).await;
    world.done("stranger", "Decrypt", json!({"KeyId": alias, "CiphertextBlob": blob})).await;
    // By its id alone, it would be a key of the stranger's own account.
    let error = world.refused("stranger", "Encrypt", json!({"KeyId": key, "Plaintext": "AAAA"})).await;
    assert_eq!(
        error,
        format!("NotFoundException: Key 'arn:aws:kms:{REGION}:{OTHER_ACCOUNT}:key/{key}' does not exist")
    );
    // Some operations are for the key's own account, whatever the policy says.
    let error = world.refused("stranger", "DisableKey", json!({"KeyId": arn_of(&key)})).await;
    assert!(error.ends_with("because no resource-based policy allows the kms:DisableKey action"), "{error}");
}

#[tokio::test]
async fn keys_are_authorised_by_their_own_arn_and_not_by_their_aliass() {
    let world = World::new();
    let key = world.key().await;
    world.done("admin", "CreateAlias", json!({"AliasName": "alias/a", "TargetKeyId": key})).await;
    let of = |resource: String| Some(json!({"Effect": "Allow", "Action": "kms:*", "Resource": resource}));
    let input = json!({"KeyId": "alias/a", "Plaintext": "AAAA"});
    world.user("alice", ACCOUNT, "AIDAALICE", of(format!("arn:aws:kms:{REGION}:{ACCOUNT}:alias/a")));
    let expected = denied("alice", "kms:Encrypt", &key, "identity-based");
    assert_eq!(world.refused("alice", "Encrypt", input.clone()).await, expected);
    world.user("alice", ACCOUNT, "AIDAALICE", of(arn_of(&key)));
    world.done("alice", "Encrypt", input).await;
}

#[tokio::test]
async fn conditions_see_the_request() {
    let world = World::new();
    let context = json!({"Department": "Finance"});
    let tags = json!([{"TagKey": "Project", "TagValue": "x"}]);
    // For each condition: a request that meets it, and one that does not.
    let encrypt = |more: Value| merged(json!({"Plaintext": "AAAA"}), more);
    let cases = [
        (
            "Encrypt",
            json!({"StringEquals": {"kms:EncryptionContext:department": "Finance"}}),
            encrypt(json!({"EncryptionContext": context})),
            encrypt(json!({"EncryptionContext": {"Department": "finance"}})),
        ),
        (
            "Encrypt",
            json!({"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": ["Department"]}}),
            encrypt(json!({"EncryptionContext": context})),
            encrypt(json!({})),
        ),
        (
            "Encrypt",
            json!({"StringEquals": {"kms:RequestAlias": "alias/by-name"}}),
            encrypt(json!({"KeyId": "alias/by-name"})),
            encrypt(json!({})),
        ),
        (
            "Encrypt",
            json!({"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/by-name"}}),
            encrypt(json!({})),
            Value::Null,
        ),
        (
            "Encrypt",
            json!({"StringEquals": {"kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT", "kms:KeySpec": "SYMMETRIC_DEFAULT",
            "kms:KeyUsage": "ENCRYPT_DECRYPT", "kms:KeyOrigin": "AWS_KMS", "kms:CallerAccount": ACCOUNT,
            "aws:ResourceAccount": ACCOUNT}, "Bool": {"kms:MultiRegion": "false"}}),
            encrypt(json!({})),
            Value::Null,
        ),
        ("Encrypt", json!({"StringEquals": {"aws:ResourceTag/Team": "red"}}), encrypt(json!({})), Value::Null),
        (
            "Encrypt",
            json!({"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}),
            Value::Null,
            encrypt(json!({})),
        ),
        ("Encrypt", json!({"StringEquals": {"aws:ResourceTag/Team": "blue"}}), Value::Null, encrypt(json!({}))),
        (
            "TagResource",
            json!({"StringEquals": {"aws:RequestTag/Project": "x"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["Project"]}}),
            json!({"Tags": tags}),
            json!({"Tags": [{"TagKey": "Project", "TagValue": "y"}]}),
        ),
        (
            "UntagResource",
            json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["Project"]}}),
            json!({"TagKeys": ["Project"]}),
            json!({"TagKeys": ["Project", "Team"]}),
        ),
        (
            "EnableKeyRotation",
            json!({"NumericGreaterThanEquals": {"kms:RotationPeriodInDays": "180"}}),
            json!({"RotationPeriodInDays": 180}),
            json!({"RotationPeriodInDays": 179}),
        ),
        (
            "CreateGrant",
            json!({"ForAllValues:StringEquals": {"kms:GrantOperations": ["Decrypt", "DescribeKey"]}, "StringEquals":
            {"kms:GranteePrincipal": user_arn(ACCOUNT, "bob"), "kms:GrantConstraintType": "EncryptionContextSubset"}}),
            json!({"GranteePrincipal": user_arn(ACCOUNT, "bob"), "Operations": ["Decrypt"], "Constraints": {"EncryptionContextSubset": context}}),
            json!({"GranteePrincipal": user_arn(ACCOUNT, "bob"), "Operations": ["Encrypt"], "Constraints": {"EncryptionContextSubset": context}}),
        ),
        (
            "CreateGrant",
            json!({"Bool": {"kms:GrantIsForAWSResource": "true"}}),
            Value::Null,
            json!({"GranteePrincipal": user_arn(ACCOUNT, "bob"), "Operations": ["Decrypt"]}),
        ),
        (
            "CreateGrant",
            json!({"StringEquals": {"kms:RetiringPrincipal": user_arn(ACCOUNT, "alice")}}),
            json!({"GranteePrincipal": user_arn(ACCOUNT, "bob"), "Operations": ["Decrypt"], "RetiringPrincipal": user_arn(ACCOUNT, "alice")}),
            json!({"GranteePrincipal": user_arn(ACCOUNT, "bob"), "Operations": ["Decrypt"], "RetiringPrincipal": user_arn(ACCOUNT, "bob")}),
        ),
        (
            "PutKeyPolicy",
            json!({"Bool": {"kms:BypassPolicyLockoutSafetyCheck": "false"}}),
            json!({"Policy": policy_with(&[allow("alice", json!("kms:*"))])}),
            json!({"Policy": policy_with(&[]), "BypassPolicyLockoutSafetyCheck": true}),
        ),
        (
            "ScheduleKeyDeletion",
            json!({"NumericGreaterThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": "10"}}),
            json!({"PendingWindowInDays": 11}),
            json!({"PendingWindowInDays": 10}),
        ),
    ];
    for (index, (operation, condition, met, unmet)) in cases.into_iter().enumerate() {
        let mut statement = allow("alice", json!(format!("kms:{operation}")));
        statement["Condition"] = condition.clone();
        let mut own = allow("admin", json!("kms:*"));
        own["Principal"] = json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:root")});
        let policy = json!({"Version": "2012-10-17", "Statement": [own, statement]}).to_string();
        let input = json!({"Policy": policy, "Tags": [{"TagKey": "Team", "TagValue": "red"}]});
        let key = text(&world.done("admin", "CreateKey", input).await["KeyMetadata"]["KeyId"]);
        let alias = json!({"AliasName": "alias/by-name", "TargetKeyId": key});
        let point = if index == 0 { "CreateAlias" } else { "UpdateAlias" };
        world.done("admin", point, alias).await;
        if unmet != Value::Null {
            let error = world.refused("alice", operation, merged(json!({"KeyId": key}), unmet)).await;
            assert!(error.starts_with("AccessDeniedException: "), "{operation} under {condition}: {error}");
        }
        if met != Value::Null {
            world.done("alice", operation, merged(json!({"KeyId": key}), met)).await;
        }
    }
}

fn merged(mut input: Value, more: Value) -> Value {
    for (name, value) in more.as_object().expect("an object") {
        input[name] = value.clone();
    }
    input
}

#[tokio::test]
async fn moving_a_ciphertext_takes_a_permission_on_each_key() {
    let world = World::new();
    let from =
        world.key_with(&[allow("alice", json!("kms:ReEncryptFrom")), allow("bob", json!("kms:ReEncrypt*"))]).await;
    let to = world.key_with(&[allow("bob", json!("kms:ReEncryptTo"))]).await;
    let blob = world.encrypted(&from, "x").await;
    let input = json!({"CiphertextBlob": blob, "DestinationKeyId": to});
    assert_eq!(
        world.refused("alice", "ReEncrypt", input.clone()).await,
        denied("alice", "kms:ReEncryptTo", &to, "identity-based")
    );
    world.done("bob", "ReEncrypt", input).await;
    let back = json!({"CiphertextBlob": world.encrypted(&to, "x").await, "DestinationKeyId": from});
    assert_eq!(
        world.refused("bob", "ReEncrypt", back).await,
        denied("bob", "kms:ReEncryptFrom", &to, "identity-based")
    );
    // On the same key, which a policy can demand.
    let mut same = allow("carol", json!("kms:ReEncrypt*"));
    same["Condition"] = json!({"Bool": {"kms:ReEncryptOnSameKey": "true"}});
    world.user("carol", ACCOUNT, "AIDACAROL", None);
    let key = world.key_with(&[same.clone()]).await;
    let other = world.key_with(&[same]).await;
    let blob = world.encrypted(&key, "x").await;
    world.done("carol", "ReEncrypt", json!({"CiphertextBlob": blob, "DestinationKeyId": key})).await;
    let error = world.refused("carol", "ReEncrypt", json!({"CiphertextBlob": blob, "DestinationKeyId": other})).await;
    assert_eq!(error, denied("carol", "kms:ReEncryptFrom", &key, "identity-based"));
}

#[tokio::test]
async fn a_half_found_move_tells_each_half_only_to_those_who_may_know() {
    let world = World::new();
    let from = world.key_with(&[allow("alice", json!("kms:*"))]).await;
    let missing = "00000000-0000-4000-8000-000000000000";
    let input = json!({"CiphertextBlob": world.encrypted(&from, "x").await, "DestinationKeyId": missing});
    let error = world.refused("alice", "ReEncrypt", input.clone()).await;
    assert_eq!(error, denied("alice", "kms:ReEncryptTo", missing, "identity-based"));
    let error = world.refused("admin", "ReEncrypt", input).await;
    assert_eq!(error, format!("NotFoundException: Key '{}' does not exist", arn_of(missing)));
}

/// A statement of a key's policy that lets Alice do something under a condition.
fn only(action: &str, operator: &str, key: &str, value: &str) -> Value {
    let mut statement = allow("alice", json!(action));
    statement["Condition"] = json!({operator: {key: value}});
    statement
}

#[tokio::test]
async fn a_tag_that_differs_in_case_only_changes_no_decision_about_the_other() {
    let world = World::new();
    // Alice may tag, but not `Team`, and decides by it who may decrypt.
    let mut tagging = allow("alice", json!("kms:TagResource"));
    tagging["Condition"] = json!({"ForAnyValue:StringNotEquals": {"aws:TagKeys": "Team"}});
    let encrypt = only("kms:Encrypt", "StringEquals", "aws:ResourceTag/Team", "red");
    let key = world.key_with(&[tagging, encrypt]).await;
    let tag =
        |key_id: &str, tag: &str, value: &str| json!({"KeyId": key_id, "Tags": [{"TagKey": tag, "TagValue": value}]});
    world.done("admin", "TagResource", tag(&key, "Team", "blue")).await;
    world.refused("alice", "TagResource", tag(&key, "Team", "red")).await;
    let refused = world.refused("alice", "TagResource", tag(&key, "team", "red")).await;
    assert!(refused.starts_with("TagException: Duplicate tag keys: "), "{refused}");
    let encrypting = json!({"KeyId": key, "Plaintext": "AAAA"});
    world.refused("alice", "Encrypt", encrypting.clone()).await;

    // Where an older version let both be set, neither opens anything, until one of them is gone.
    world.change_record(&key, |record| drop(record.tags.insert("team".to_owned(), "red".to_owned()))).await;
    world.refused("alice", "Encrypt", encrypting.clone()).await;
    world.change_record(&key, |record| drop(record.tags.insert("Team".to_owned(), "red".to_owned()))).await;
    world.refused("alice", "Encrypt", encrypting.clone()).await;
    world.done("admin", "UntagResource", json!({"KeyId": key, "TagKeys": ["team"]})).await;
    world.done("alice", "Encrypt", encrypting).await;
}

#[tokio::test]
async fn tags_of_a_new_key_or_replica_differ_in_more_than_case() {
    let world = World::new();
    let tags = json!([{"TagKey": "Team", "TagValue": "a"}, {"TagKey": "team", "TagValue": "b"}]);
    let refused = world.refused("admin", "CreateKey", json!({"Tags": tags})).await;
    assert!(refused.starts_with("TagException: Duplicate tag keys: "), "{refused}");
    let primary = world.done("admin", "CreateKey", json!({"MultiRegion": true})).await;
    let input = json!({"KeyId": primary["KeyMetadata"]["KeyId"], "ReplicaRegion": "eu-west-1", "Tags": tags});
    let refused = world.refused("admin", "ReplicateKey", input).await;
    assert!(refused.starts_with("TagException: Duplicate tag keys: "), "{refused}");
}

#[tokio::test]
async fn a_second_pair_of_an_encryption_context_that_differs_in_case_only_meets_no_condition() {
    let world = World::new();
    let mut deny = only("kms:Encrypt", "StringEquals", "kms:EncryptionContext:stage", "live");
    deny["Effect"] = json!("Deny");
    let allowed = only("kms:Encrypt", "StringEquals", "kms:EncryptionContext:Team", "red");
    let key = world.key_with(&[allowed, deny]).await;
    let input = |context: Value| json!({"KeyId": key, "Plaintext": "AAAA", "EncryptionContext": context});
    world.done("alice", "Encrypt", input(json!({"Team": "red"}))).await;
    world.done("alice", "Encrypt", input(json!({"tEAM": "red", "Stage": "test"}))).await;
    world.refused("alice", "Encrypt", input(json!({"Team": "blue", "team": "red"}))).await;
    world.refused("alice", "Encrypt", input(json!({"Team": "red", "Stage": "live", "stage": "test"}))).await;
    // Nobody else minds: such a context is AWS's to allow.
    world.done("admin", "Encrypt", input(json!({"a": "1", "A": "2"}))).await;
}
