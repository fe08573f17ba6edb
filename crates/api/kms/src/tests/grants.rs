//! Grants: what they allow, whom, and how they end.

use super::*;

fn grant(key: &str, grantee: &str, operations: &[&str]) -> Value {
    json!({"KeyId": key, "GranteePrincipal": user_arn(ACCOUNT, grantee), "Operations": operations})
}

fn with(mut input: Value, member: &str, value: Value) -> Value {
    input[member] = value;
    input
}

async fn grants_of(world: &World, key: &str) -> Vec<String> {
    let listed = world.done("admin", "ListGrants", json!({"KeyId": key})).await;
    listed["Grants"].as_array().expect("a list").iter().map(|grant| text(&grant["GrantId"])).collect()
}

#[tokio::test]
async fn a_grant_allows_its_operations_to_its_grantee_at_once_and_until_it_is_revoked() {
    let world = World::new();
    let key = world.key().await;
    let blob = world.encrypted(&key, "x").await;
    let decrypt = json!({"CiphertextBlob": blob});
    let refused = denied("alice", "kms:Decrypt", &key, "identity-based");
    assert_eq!(world.refused("alice", "Decrypt", decrypt.clone()).await, refused);
    let made = world.done("admin", "CreateGrant", grant(&key, "alice", &["Decrypt", "DescribeKey"])).await;
    world.done("alice", "Decrypt", decrypt.clone()).await;
    world.done("alice", "DescribeKey", json!({"KeyId": key})).await;
    let encrypt = json!({"KeyId": key, "Plaintext": "AAAA"});
    assert_eq!(
        world.refused("alice", "Encrypt", encrypt).await,
        denied("alice", "kms:Encrypt", &key, "identity-based")
    );
    assert!(world.call("bob", "Decrypt", decrypt.clone()).await.is_err());
    world.done("admin", "RevokeGrant", json!({"KeyId": key, "GrantId": made["GrantId"]})).await;
    assert_eq!(world.refused("alice", "Decrypt", decrypt.clone()).await, refused);
    // A token conveys nothing that the grant does not.
    let input = with(decrypt, "GrantTokens", json!([made["GrantToken"]]));
    assert_eq!(world.refused("alice", "Decrypt", input).await, refused);
    let error = world.refused("admin", "RevokeGrant", json!({"KeyId": key, "GrantId": made["GrantId"]})).await;
    assert_eq!(error, format!("NotFoundException: Grant ID {} not found", text(&made["GrantId"])));
}

#[tokio::test]
async fn the_key_policy_can_still_deny_what_a_grant_allows() {
    let world = World::new();
    let mut deny = allow("alice", json!("kms:Decrypt"));
    deny["Effect"] = json!("Deny");
    let key = world.key_with(&[deny]).await;
    let blob = world.encrypted(&key, "x").await;
    world.done("admin", "CreateGrant", grant(&key, "alice", &["Decrypt", "Encrypt"])).await;
    world.done("alice", "Encrypt", json!({"KeyId": key, "Plaintext": "AAAA"})).await;
    let error = world.refused("alice", "Decrypt", json!({"CiphertextBlob": blob})).await;
    assert!(error.ends_with("with an explicit deny in a resource-based policy: Statement[1] of key policy"), "{error}");
}

#[tokio::test]
async fn constraints_bind_a_grant_to_encryption_contexts() {
    let world = World::new();
    let key = world.key().await;
    let pairs = json!({"Department": "IT"});
    for (constraint, subset_too) in [("EncryptionContextSubset", true), ("EncryptionContextEquals", false)] {
        let input = with(grant(&key, "alice", &["Encrypt", "Decrypt"]), "Constraints", json!({constraint: pairs}));
        let made = world.done("admin", "CreateGrant", input).await;
        let encrypt = |context: Value| json!({"KeyId": key, "Plaintext": "AAAA", "EncryptionContext": context});
        let blob = &world.done("alice", "Encrypt", encrypt(pairs.clone())).await["CiphertextBlob"];
        world.done("alice", "Decrypt", json!({"CiphertextBlob": blob, "EncryptionContext": pairs})).await;
        let more = world.call("alice", "Encrypt", encrypt(json!({"Department": "IT", "Purpose": "Test"}))).await;
        assert_eq!(more.is_ok(), subset_too, "{constraint}");
        for context in [json!({}), json!({"Department": "it"}), json!({"Purpose": "Test"})] {
            assert!(world.call("alice", "Encrypt", encrypt(context)).await.is_err(), "{constraint}");
        }
        world.done("admin", "RevokeGrant", json!({"KeyId": key, "GrantId": made["GrantId"]})).await;
    }
}

#[tokio::test]
async fn a_grant_is_listed_with_all_that_was_said() {
    let world = World::new();
    let key = world.key().await;
    let input = json!({
        "KeyId": arn_of(&key),
        "GranteePrincipal": user_arn(ACCOUNT, "alice"),
        "RetiringPrincipal": role_arn("Worker"),
        "Operations": ["Decrypt", "Encrypt", "Decrypt"],
        "Constraints": {"EncryptionContextEquals": {"a": "b"}},
        "Name": "mine",
    });
    let made = world.done("admin", "CreateGrant", input).await;
    assert_eq!(text(&made["GrantId"]).len(), 64);
    let expected = json!({
        "KeyId": arn_of(&key),
        "GrantId": made["GrantId"],
        "Name": "mine",
        "CreationDate": START as f64 / 1000.0,
        "GranteePrincipal": user_arn(ACCOUNT, "alice"),
        "RetiringPrincipal": role_arn("Worker"),
        "IssuingAccount": format!("arn:aws:iam::{ACCOUNT}:root"),
        "Operations": ["Decrypt", "Encrypt"],
        "Constraints": {"EncryptionContextEquals": {"a": "b"}},
    });
    let listed = world.done("admin", "ListGrants", json!({"KeyId": key})).await;
    assert_eq!(listed, json!({"Grants": [expected], "Truncated": false}));
    let retirable = world.done("admin", "ListRetirableGrants", json!({"RetiringPrincipal": role_arn("Worker")})).await;
    assert_eq!(retirable, listed);
    let none =
        world.done("admin", "ListRetirableGrants", json!({"RetiringPrincipal": user_arn(ACCOUNT, "alice")})).await;
    assert_eq!(none["Grants"], json!([]));
}

#[tokio::test]
async fn grants_are_listed_in_pages_by_grantee_and_by_id() {
    let world = World::new();
    let key = world.key().await;
    let (mut of_alice, mut all) = (Vec::new(), Vec::new());
    for number in 0..9 {
        let grantee = if number % 3 == 0 { "alice" } else { "bob" };
        let input = with(grant(&key, grantee, &["Decrypt"]), "RetiringPrincipal", json!(role_arn("Worker")));
        let id = text(&world.done("admin", "CreateGrant", input).await["GrantId"]);
        if grantee == "alice" {
            of_alice.push(id.clone());
        }
        all.push(id);
    }
    let mut pages = Vec::new();
    for (operation, mut input) in [
        ("ListGrants", json!({"KeyId": key, "Limit": 2})),
        ("ListGrants", json!({"KeyId": key, "Limit": 2, "GranteePrincipal": user_arn(ACCOUNT, "alice")})),
        ("ListRetirableGrants", json!({"Limit": 2, "RetiringPrincipal": role_arn("Worker")})),
    ] {
        let mut ids = Vec::new();
        loop {
            let page = world.done("admin", operation, input.clone()).await;
            let grants = page["Grants"].as_array().expect("a list");
            assert!(grants.len() <= 2);
            ids.extend(grants.iter().map(|grant| text(&grant["GrantId"])));
            match page.get("NextMarker") {
                Some(marker) => input["Marker"] = marker.clone(),
                None => break,
            }
        }
        ids.sort();
        pages.push(ids);
    }
    all.sort();
    of_alice.sort();
    assert_eq!(pages, [all.clone(), of_alice.clone(), all]);
    let one = world.done("admin", "ListGrants", json!({"KeyId": key, "GrantId": of_alice[0]})).await;
    assert_eq!(one["Grants"][0]["GrantId"], json!(of_alice[0]));
    let input = json!({"KeyId": key, "GrantId": of_alice[0], "GranteePrincipal": user_arn(ACCOUNT, "bob")});
    assert_eq!(world.done("admin", "ListGrants", input).await["Grants"], json!([]));
    let error = world.refused("admin", "ListGrants", json!({"KeyId": key, "GrantId": "x"})).await;
    assert!(error.starts_with("InvalidGrantIdException: "), "{error}");
}

#[tokio::test]
async fn the_same_named_request_makes_one_grant_with_another_token() {
    let world = World::new();
    let key = world.key().await;
    let input = with(grant(&key, "alice", &["Decrypt", "Encrypt"]), "Name", json!("once"));
    let first = world.done("admin", "CreateGrant", input.clone()).await;
    let again =
        world.done("admin", "CreateGrant", with(input.clone(), "Operations", json!(["Encrypt", "Decrypt"]))).await;
    assert_eq!(first["GrantId"], again["GrantId"]);
    assert_ne!(first["GrantToken"], again["GrantToken"]);
    for (member, value) in [
        ("Name", json!("twice")),
        ("Operations", json!(["Decrypt"])),
        ("GranteePrincipal", json!(user_arn(ACCOUNT, "bob"))),
        ("RetiringPrincipal", json!(user_arn(ACCOUNT, "bob"))),
        ("Constraints", json!({"EncryptionContextSubset": {"a": "b"}})),
    ] {
        let other = world.done("admin", "CreateGrant", with(input.clone(), member, value)).await;
        assert_ne!(first["GrantId"], other["GrantId"], "{member}");
    }
    let unnamed = grant(&key, "alice", &["Decrypt"]);
    let (one, two) =
        (world.done("admin", "CreateGrant", unnamed.clone()).await, world.done("admin", "CreateGrant", unnamed).await);
    assert_ne!(one["GrantId"], two["GrantId"]);
    // Ended, the name is free again.
    world.done("admin", "RevokeGrant", json!({"KeyId": key, "GrantId": first["GrantId"]})).await;
    let anew = world.done("admin", "CreateGrant", input).await;
    assert_ne!(first["GrantId"], anew["GrantId"]);
    assert_eq!(grants_of(&world, &key).await.len(), 8);
}

#[tokio::test]
async fn a_grant_is_retired_by_those_it_names_and_those_whom_the_account_lets() {
    let world = World::new();
    world.user("carol", ACCOUNT, "AIDACAROL", None);
    world.user(
        "dave",
        ACCOUNT,
        "AIDADAVE",
        Some(json!({"Effect": "Allow", "Action": "kms:RetireGrant", "Resource": "*"})),
    );
    let everything = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    world.user("stranger", OTHER_ACCOUNT, "AIDASTRANGER", Some(everything));
    // The key policy allows carol everything, but retiring is not its to allow; it can only deny it.
    let mut deny = allow("erin", json!("kms:RetireGrant"));
    deny["Effect"] = json!("Deny");
    world.user("erin", ACCOUNT, "AIDAERIN", None);
    let key = world.key_with(&[allow("carol", json!("kms:*")), deny]).await;
    let to_alice = |operations: Value, retiring: &str| json!({"KeyId": key, "GranteePrincipal": user_arn(ACCOUNT, "alice"), "Operations": operations, "RetiringPrincipal": retiring});
    let (plain, retirable) = (json!(["Decrypt"]), json!(["Decrypt", "RetireGrant"]));
    for (operations, retiring, caller, may) in [
        (&plain, user_arn(ACCOUNT, "bob"), "bob", true),
        (&plain, user_arn(ACCOUNT, "bob"), "alice", false),
        (&retirable, user_arn(ACCOUNT, "bob"), "alice", true),
        (&plain, user_arn(ACCOUNT, "bob"), "carol", false),
        (&plain, user_arn(ACCOUNT, "bob"), "dave", true),
        (&plain, user_arn(ACCOUNT, "bob"), "root", true),
        (&plain, user_arn(ACCOUNT, "bob"), "stranger", false),
        (&plain, user_arn(ACCOUNT, "erin"), "erin", false),
        (&plain, role_arn("Worker"), "worker", true),
        (&plain, session_arn("Worker", "shift"), "worker", true),
        (&plain, session_arn("Worker", "night"), "worker", false),
        (&plain, format!("arn:aws:iam::{OTHER_ACCOUNT}:root"), "stranger", true),
        (&plain, format!("arn:aws:iam::{OTHER_ACCOUNT}:root"), "other-root", true),
    ] {
        let made = world.done("admin", "CreateGrant", to_alice(operations.clone(), &retiring)).await;
        let by_id = json!({"KeyId": arn_of(&key), "GrantId": made["GrantId"]});
        let case = format!("{caller} retires what {retiring} can");
        match world.call(caller, "RetireGrant", by_id).await {
            Ok(_) => assert!(may, "{case}"),
            Err(error) => {
                assert!(!may, "{case}: {error}");
                assert!(error.starts_with("AccessDeniedException: "), "{case}: {error}");
                let id = json!({"KeyId": key, "GrantId": made["GrantId"]});
                world.done("admin", "RevokeGrant", id).await;
            }
        }
        assert_eq!(grants_of(&world, &key).await.len(), 0, "{case}");
    }
    // By its token.
    let made = world.done("admin", "CreateGrant", to_alice(plain, &user_arn(ACCOUNT, "bob"))).await;
    world.done("bob", "RetireGrant", json!({"GrantToken": made["GrantToken"]})).await;
    let error = world.refused("bob", "RetireGrant", json!({"GrantToken": made["GrantToken"]})).await;
    assert_eq!(error, format!("NotFoundException: Grant ID {} not found", text(&made["GrantId"])));
    for input in [json!({}), json!({"KeyId": key}), json!({"GrantToken": "x", "KeyId": key, "GrantId": "x"})] {
        let error = world.refused("admin", "RetireGrant", input).await;
        assert!(error.starts_with("ValidationException: "), "{error}");
    }
}

#[tokio::test]
async fn grantees_of_every_kind_are_recognised() {
    let world = World::new();
    let key = world.key().await;
    let identity = json!({"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*"});
    world.user("stranger", OTHER_ACCOUNT, "AIDASTRANGER", None);
    world.user("visitor", OTHER_ACCOUNT, "AIDAVISITOR", Some(identity));
    for (grantee, callers) in [
        (role_arn("Worker"), &["worker"][..]),
        (session_arn("Worker", "shift"), &["worker"]),
        (session_arn("Worker", "night"), &[]),
        (user_arn(ACCOUNT, "alice"), &["alice"]),
        (user_arn(OTHER_ACCOUNT, "stranger"), &["stranger"]),
        // An account: its root user, and those whom its identity policies let.
        (format!("arn:aws:iam::{OTHER_ACCOUNT}:root"), &["other-root", "visitor"]),
        (OTHER_ACCOUNT.to_owned(), &["other-root", "visitor"]),
    ] {
        let input = json!({"KeyId": key, "GranteePrincipal": grantee, "Operations": ["Encrypt"]});
        let made = world.done("admin", "CreateGrant", input).await;
        for caller in ["alice", "bob", "worker", "stranger", "visitor", "other-root"] {
            let input = json!({"KeyId": arn_of(&key), "Plaintext": "AAAA"});
            let answer = world.call(caller, "Encrypt", input).await;
            assert_eq!(answer.is_ok(), callers.contains(&caller), "{caller} under a grant to {grantee}: {answer:?}");
        }
        world.done("admin", "RevokeGrant", json!({"KeyId": key, "GrantId": made["GrantId"]})).await;
    }
}

#[tokio::test]
async fn a_grantee_who_is_deleted_and_made_again_is_somebody_else() {
    let world = World::new();
    let key = world.key().await;
    world.done("admin", "CreateGrant", grant(&key, "alice", &["Encrypt"])).await;
    let encrypt = json!({"KeyId": key, "Plaintext": "AAAA"});
    world.done("alice", "Encrypt", encrypt.clone()).await;
    world.remove_user("alice", ACCOUNT);
    world.user("alice", ACCOUNT, "AIDAIMPOSTOR", None);
    assert!(world.call("alice", "Encrypt", encrypt).await.is_err());
}

#[tokio::test]
async fn a_grant_passes_on_no_more_than_it_gives() {
    let world = World::new();
    let key = world.key().await;
    let parent = with(
        grant(&key, "alice", &["CreateGrant", "Decrypt", "Encrypt"]),
        "Constraints",
        json!({"EncryptionContextSubset": {"a": "1"}}),
    );
    world.done("admin", "CreateGrant", parent).await;
    let child =
        |operations: &[&str], constraints: Value| with(grant(&key, "bob", operations), "Constraints", constraints);
    let (same, more) =
        (json!({"EncryptionContextSubset": {"a": "1"}}), json!({"EncryptionContextEquals": {"a": "1", "b": "2"}}));
    world.done("alice", "CreateGrant", child(&["Decrypt"], same.clone())).await;
    world.done("alice", "CreateGrant", child(&["Decrypt", "Encrypt"], more)).await;
    for input in [
        child(&["Decrypt", "DescribeKey"], same),
        child(&["Decrypt"], json!({})),
        child(&["Decrypt"], json!({"EncryptionContextSubset": {"b": "2"}})),
    ] {
        assert_eq!(
            world.refused("alice", "CreateGrant", input).await,
            denied("alice", "kms:CreateGrant", &key, "identity-based")
        );
    }
}

#[tokio::test]
async fn grants_are_refused_as_aws_refuses_them() {
    let world = World::new();
    let key = world.key().await;
    let good = grant(&key, "alice", &["Decrypt"]);
    let long = "x".repeat(385);
    for (member, value, code) in [
        ("GranteePrincipal", json!(user_arn(ACCOUNT, "nobody")), "InvalidArnException"),
        ("GranteePrincipal", json!("alice"), "InvalidArnException"),
        ("GranteePrincipal", json!("arn:aws:s3:::bucket"), "InvalidArnException"),
        ("GranteePrincipal", json!("arn:aws:iam::999999999999:root"), "InvalidArnException"),
        ("RetiringPrincipal", json!(user_arn(ACCOUNT, "nobody")), "InvalidArnException"),
        ("GranteePrincipal", Value::Null, "ValidationException"),
        ("Operations", json!([]), "ValidationException"),
        ("Operations", json!(["Sign"]), "ValidationException"),
        ("Operations", json!(["Fly"]), "ValidationException"),
        ("Name", json!("a b"), "ValidationException"),
        ("Constraints", json!({"EncryptionContextSubset": {"a": long}}), "ValidationException"),
        ("Constraints", json!({"SourceArn": "arn:aws:s3:us-east-1:111122223333:x"}), "UnsupportedOperationException"),
        ("GranteeServicePrincipal", json!("s3.amazonaws.com"), "UnsupportedOperationException"),
        ("RetiringServicePrincipal", json!("s3.amazonaws.com"), "UnsupportedOperationException"),
        ("GrantTokens", json!(["made up"]), "InvalidGrantTokenException"),
        ("KeyId", json!("alias/x"), "NotFoundException"),
    ] {
        let error = world.refused("admin", "CreateGrant", with(good.clone(), member, value)).await;
        assert!(error.starts_with(&format!("{code}: ")), "{member}: {error}");
    }
    for operation in ["Encrypt", "DescribeKey"] {
        let input = json!({"KeyId": key, "Plaintext": "AAAA", "GrantTokens": ["made up"]});
        let error = world.refused("admin", operation, input).await;
        assert!(error.starts_with("InvalidGrantTokenException: "), "{error}");
        let eleven: Vec<_> = (0..11).map(|_| "x").collect();
        let input = json!({"KeyId": key, "Plaintext": "AAAA", "GrantTokens": eleven});
        let error = world.refused("admin", operation, input).await;
        assert!(error.starts_with("ValidationException: "), "{error}");
    }
    let error = world.refused("admin", "ListRetirableGrants", json!({})).await;
    assert!(error.starts_with("ValidationException: "), "{error}");
    let input = json!({"RetiringPrincipal": user_arn(OTHER_ACCOUNT, "stranger")});
    let error = world.refused("admin", "ListRetirableGrants", input).await;
    assert!(error.starts_with("AccessDeniedException: "), "{error}");
}

#[tokio::test]
async fn a_token_reaches_a_grant_that_this_server_has_not_heard_of() {
    let world = World::new();
    let key = world.key().await;
    let made = world.done("admin", "CreateGrant", grant(&key, "alice", &["Decrypt"])).await;
    let live = world.kms.keys.get(&crate::record::domain(ACCOUNT, REGION), &key).await.expect("reads").expect("a key");
    let mut grants = None;
    let tokens = [text(&made["GrantToken"])];
    let bad = crate::access::grant_token::add_granted(&tokens, &live, &mut grants, &world.kms).await.expect("reads");
    assert!(!bad && grants.is_some_and(|grants| grants.has(&text(&made["GrantId"]))));
}

#[tokio::test]
async fn a_key_has_at_most_fifty_thousand_grants() {
    let world = World::new();
    let key = world.key().await;
    world.change_record(&key, |record| record.grants = 49_999).await;
    let made = world.done("admin", "CreateGrant", grant(&key, "alice", &["Decrypt"])).await;
    let error = world.refused("admin", "CreateGrant", grant(&key, "bob", &["Decrypt"])).await;
    let quota = "Grants per key quota for this account in this region is 50000, current usage is 50000.";
    assert_eq!(error, format!("LimitExceededException: {quota}"));
    world.done("admin", "RevokeGrant", json!({"KeyId": key, "GrantId": made["GrantId"]})).await;
    world.done("admin", "CreateGrant", grant(&key, "bob", &["Decrypt"])).await;
}
