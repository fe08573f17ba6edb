//! Encrypting, decrypting and data keys.

use super::*;

const INVALID: &str = "InvalidCiphertextException: ";
const INCORRECT: &str =
    "IncorrectKeyException: The key ID in the request does not identify a CMK that can perform this operation.";

#[tokio::test]
async fn what_is_encrypted_is_decrypted_without_naming_the_key() {
    let world = World::new();
    let key = world.key().await;
    for bytes in [1, 16, 4096] {
        let plaintext = base64(&vec![7; bytes]);
        let sealed = world.done("admin", "Encrypt", json!({"KeyId": key, "Plaintext": plaintext})).await;
        assert_eq!(sealed["KeyId"], arn_of(&key));
        assert_eq!(sealed["EncryptionAlgorithm"], "SYMMETRIC_DEFAULT");
        let blob = &sealed["CiphertextBlob"];
        assert!(from_base64(blob).len() <= 6144);
        let opened = world.done("admin", "Decrypt", json!({"CiphertextBlob": blob})).await;
        let metadata = &world.done("admin", "DescribeKey", json!({"KeyId": key})).await["KeyMetadata"];
        assert_eq!(
            opened,
            json!({
                "KeyId": arn_of(&key),
                "Plaintext": plaintext,
                "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
                "KeyMaterialId": metadata["CurrentKeyMaterialId"],
            })
        );
    }
}

#[tokio::test]
async fn a_plaintext_of_4097_bytes_or_none_is_refused_as_aws_refuses_it() {
    let world = World::new();
    let key = world.key().await;
    let at = "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length";
    for (bytes, rule) in [(4097, "less than or equal to 4096"), (0, "greater than or equal to 1")] {
        let input = json!({"KeyId": key, "Plaintext": base64(&vec![7; bytes])});
        assert_eq!(world.refused("admin", "Encrypt", input).await, format!("ValidationException: {at} {rule}"));
    }
}

#[tokio::test]
async fn the_encryption_context_must_be_the_same() {
    let world = World::new();
    let key = world.key().await;
    let context = json!({"purpose": "test", "": "empty", "ü": "ß"});
    let input = json!({"KeyId": key, "Plaintext": base64(b"x"), "EncryptionContext": context});
    let blob = &world.done("admin", "Encrypt", input).await["CiphertextBlob"];
    world.done("admin", "Decrypt", json!({"CiphertextBlob": blob, "EncryptionContext": context})).await;
    for other in [json!({}), json!({"purpose": "Test", "": "empty", "ü": "ß"}), json!({"purpose": "test"})] {
        let input = json!({"CiphertextBlob": blob, "EncryptionContext": other});
        assert_eq!(world.refused("admin", "Decrypt", input).await, INVALID);
    }
    assert_eq!(world.refused("admin", "Decrypt", json!({"CiphertextBlob": blob})).await, INVALID);
}

#[tokio::test]
async fn a_damaged_ciphertext_is_refused_without_a_word_wherever_the_damage_is() {
    let world = World::new();
    let key = world.key().await;
    let blob = from_base64(&world.encrypted(&key, "attack at dawn").await);
    for position in 0..blob.len() {
        let mut damaged = blob.clone();
        damaged[position] ^= 1 << (position % 8);
        for input in
            [json!({"CiphertextBlob": base64(&damaged)}), json!({"CiphertextBlob": base64(&damaged), "KeyId": key})]
        {
            assert_eq!(world.refused("admin", "Decrypt", input).await, INVALID, "byte {position}");
        }
    }
    for bad in [&b"x"[..], &[1; 6144], &blob[..blob.len() - 1]] {
        assert_eq!(world.refused("admin", "Decrypt", json!({"CiphertextBlob": base64(bad)})).await, INVALID);
    }
}

#[tokio::test]
async fn a_key_that_the_caller_names_must_be_the_one_that_encrypted() {
    let world = World::new();
    let (key, other) = (world.key().await, world.key().await);
    let blob = world.encrypted(&key, "x").await;
    world.done("admin", "CreateAlias", json!({"AliasName": "alias/right", "TargetKeyId": key})).await;
    world.done("admin", "CreateAlias", json!({"AliasName": "alias/wrong", "TargetKeyId": other})).await;
    for right in [&key, &arn_of(&key), "alias/right"] {
        world.done("admin", "Decrypt", json!({"CiphertextBlob": blob, "KeyId": right})).await;
    }
    for wrong in [&other, &arn_of(&other), "alias/wrong"] {
        let input = json!({"CiphertextBlob": blob, "KeyId": wrong});
        assert_eq!(world.refused("admin", "Decrypt", input).await, INCORRECT);
    }
}

#[tokio::test]
async fn a_ciphertext_opens_in_no_other_region() {
    let world = World::new();
    let key = world.key().await;
    let blob = world.encrypted(&key, "x").await;
    let answer = world.call_in("eu-west-1", "admin", "Decrypt", json!({"CiphertextBlob": blob})).await;
    assert_eq!(
        answer,
        Err(format!(
            "AccessDeniedException: User: {} is not authorized to perform: kms:Decrypt on the resource associated with \
             this ciphertext because the resource does not exist in this Region, no resource-based policies allow \
             access, or a resource-based policy explicitly denies access",
            user_arn(ACCOUNT, "admin")
        ))
    );
    let named = json!({"KeyId": key, "Plaintext": base64(b"x")});
    let expected = format!("NotFoundException: Key 'arn:aws:kms:eu-west-1:{ACCOUNT}:key/{key}' does not exist");
    assert_eq!(world.call_in("eu-west-1", "admin", "Encrypt", named).await, Err(expected));
    let named = json!({"KeyId": arn_of(&key), "Plaintext": base64(b"x")});
    let answer = world.call_in("eu-west-1", "admin", "Encrypt", named).await;
    assert_eq!(answer, Err("NotFoundException: Invalid arn us-east-1".to_owned()));
}

#[tokio::test]
async fn a_data_key_is_given_out_in_the_clear_and_encrypted() {
    let world = World::new();
    let key = world.key().await;
    let metadata = world.done("admin", "DescribeKey", json!({"KeyId": key})).await;
    for (members, bytes) in [
        (json!({"KeySpec": "AES_256"}), 32),
        (json!({"KeySpec": "AES_128"}), 16),
        (json!({"NumberOfBytes": 1024}), 1024),
    ] {
        let mut input = members;
        input["KeyId"] = json!(key);
        input["EncryptionContext"] = json!({"a": "b"});
        let made = world.done("admin", "GenerateDataKey", input.clone()).await;
        assert_eq!(made["KeyId"], arn_of(&key));
        assert_eq!(made["KeyMaterialId"], metadata["KeyMetadata"]["CurrentKeyMaterialId"]);
        assert_eq!(from_base64(&made["Plaintext"]).len(), bytes);
        let open = json!({"CiphertextBlob": made["CiphertextBlob"], "EncryptionContext": {"a": "b"}});
        assert_eq!(world.done("admin", "Decrypt", open).await["Plaintext"], made["Plaintext"]);

        let made = world.done("admin", "GenerateDataKeyWithoutPlaintext", input).await;
        assert_eq!(made.get("Plaintext"), None);
        let open = json!({"CiphertextBlob": made["CiphertextBlob"], "EncryptionContext": {"a": "b"}});
        assert_eq!(from_base64(&world.done("admin", "Decrypt", open).await["Plaintext"]).len(), bytes);
    }
}

#[tokio::test]
async fn the_length_of_a_data_key_is_said_once() {
    let world = World::new();
    let key = world.key().await;
    for operation in ["GenerateDataKey", "GenerateDataKeyWithoutPlaintext"] {
        for input in [json!({"KeyId": key}), json!({"KeyId": key, "KeySpec": "AES_256", "NumberOfBytes": 32})] {
            let expected = "ValidationException: Please specify either number of bytes or key spec.";
            assert_eq!(world.refused("admin", operation, input).await, expected);
        }
        let input = json!({"KeyId": key, "NumberOfBytes": 0, "KeySpec": "AES_512"});
        assert_eq!(
            world.refused("admin", operation, input).await.matches("failed to satisfy constraint").count(),
            2,
            "violations are collected"
        );
    }
}

#[tokio::test]
async fn random_bytes_are_as_many_as_wanted() {
    let world = World::new();
    for bytes in [1, 1024] {
        let answer = world.done("admin", "GenerateRandom", json!({"NumberOfBytes": bytes})).await;
        assert_eq!(from_base64(&answer["Plaintext"]).len(), bytes);
    }
    for (input, expected) in [
        (json!({}), "ValidationException: NumberOfBytes is required."),
        (
            json!({"NumberOfBytes": 0}),
            "ValidationException: 1 validation error detected: Value '0' at 'numberOfBytes' failed to satisfy \
             constraint: Member must have value greater than or equal to 1",
        ),
        (
            json!({"NumberOfBytes": 1025}),
            "ValidationException: 1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy \
             constraint: Member must have value less than or equal to 1024",
        ),
        (
            json!({"NumberOfBytes": 1, "CustomKeyStoreId": "cks-1"}),
            "CustomKeyStoreNotFoundException: Custom key store 'cks-1' does not exist",
        ),
    ] {
        assert_eq!(world.refused("admin", "GenerateRandom", input).await, expected);
    }
}

#[tokio::test]
async fn a_ciphertext_moves_to_another_key_and_context() {
    let world = World::new();
    let (from, to) = (world.key().await, world.key().await);
    let input = json!({"KeyId": from, "Plaintext": base64(b"moved"), "EncryptionContext": {"old": "1"}});
    let blob = &world.done("admin", "Encrypt", input).await["CiphertextBlob"];
    let input = json!({
        "CiphertextBlob": blob,
        "SourceEncryptionContext": {"old": "1"},
        "DestinationKeyId": to,
        "DestinationEncryptionContext": {"new": "2"},
    });
    let moved = world.done("admin", "ReEncrypt", input.clone()).await;
    assert_eq!((&moved["SourceKeyId"], &moved["KeyId"]), (&json!(arn_of(&from)), &json!(arn_of(&to))));
    assert_eq!(moved["SourceEncryptionAlgorithm"], "SYMMETRIC_DEFAULT");
    assert_eq!(moved["DestinationEncryptionAlgorithm"], "SYMMETRIC_DEFAULT");
    assert_ne!(moved["SourceKeyMaterialId"], moved["DestinationKeyMaterialId"]);
    let open = json!({"CiphertextBlob": moved["CiphertextBlob"], "EncryptionContext": {"new": "2"}, "KeyId": to});
    assert_eq!(world.done("admin", "Decrypt", open).await["Plaintext"], base64(b"moved"));

    let with = |member: &str, value: Value| {
        let mut changed = input.clone();
        changed[member] = value;
        changed
    };
    assert_eq!(world.refused("admin", "ReEncrypt", with("SourceKeyId", json!(to))).await, INCORRECT);
    assert_eq!(world.refused("admin", "ReEncrypt", with("SourceEncryptionContext", json!({}))).await, INVALID);
}

#[tokio::test]
async fn a_ciphertext_stays_with_its_key_however_that_is_named_and_gets_another_context() {
    let world = World::new();
    let key = world.key().await;
    let blob = world.encrypted(&key, "stays").await;
    world.done("admin", "CreateAlias", json!({"AliasName": "alias/same", "TargetKeyId": key})).await;
    let into = |name: &str| json!({"CiphertextBlob": blob, "DestinationKeyId": name, "DestinationEncryptionContext": {"new": "2"}});
    for name in [&key, &arn_of(&key), "alias/same"] {
        let moved = world.done("admin", "ReEncrypt", into(name)).await;
        assert_eq!((&moved["SourceKeyId"], &moved["KeyId"]), (&json!(arn_of(&key)), &json!(arn_of(&key))), "{name}");
        let open = json!({"CiphertextBlob": moved["CiphertextBlob"], "EncryptionContext": {"new": "2"}});
        assert_eq!(world.done("admin", "Decrypt", open).await["Plaintext"], base64(b"stays"), "{name}");
    }
    // The same id elsewhere is another key.
    for elsewhere in [arn_of(&key).replace(ACCOUNT, "444455556666"), arn_of(&key).replace(REGION, "eu-west-1")] {
        world.refused("admin", "ReEncrypt", into(&elsewhere)).await;
    }
}

#[tokio::test]
async fn an_algorithm_that_does_not_go_with_the_key_is_refused() {
    let world = World::new();
    let key = world.key().await;
    let blob = world.encrypted(&key, "x").await;
    let expected =
        "InvalidKeyUsageException: Algorithm RSAES_OAEP_SHA_1 is incompatible with key spec SYMMETRIC_DEFAULT.";
    let algorithm = "RSAES_OAEP_SHA_1";
    let input = json!({"KeyId": key, "Plaintext": base64(b"x"), "EncryptionAlgorithm": algorithm});
    assert_eq!(world.refused("admin", "Encrypt", input).await, expected);
    let input = json!({"CiphertextBlob": blob, "KeyId": key, "EncryptionAlgorithm": algorithm});
    assert_eq!(world.refused("admin", "Decrypt", input).await, expected);
}

#[tokio::test]
async fn an_answer_for_an_enclave_is_refused_rather_than_given_in_the_clear() {
    let world = World::new();
    let key = world.key().await;
    let blob = world.encrypted(&key, "x").await;
    let recipient = json!({"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": "AAAA"});
    for (operation, mut input) in [
        ("Decrypt", json!({"CiphertextBlob": blob})),
        ("GenerateDataKey", json!({"KeyId": key, "KeySpec": "AES_256"})),
        ("GenerateRandom", json!({"NumberOfBytes": 8})),
    ] {
        input["Recipient"] = recipient.clone();
        let error = world.refused("admin", operation, input).await;
        assert!(error.starts_with("UnsupportedOperationException: "), "{operation}: {error}");
    }
}

#[tokio::test]
async fn a_dry_run_tells_whether_the_call_would_succeed_and_no_more() {
    let world = World::new();
    let key = world.key().await;
    let blob = world.encrypted(&key, "x").await;
    let grantee = user_arn(ACCOUNT, "alice");
    let grant = &world
        .done("admin", "CreateGrant", json!({"KeyId": key, "GranteePrincipal": grantee, "Operations": ["Decrypt"]}))
        .await["GrantId"];
    let would = "DryRunOperationException: The request would have succeeded, but the DryRun option is set.";
    for (operation, mut input) in [
        ("Encrypt", json!({"KeyId": key, "Plaintext": "AAAA"})),
        ("Decrypt", json!({"CiphertextBlob": blob})),
        ("ReEncrypt", json!({"CiphertextBlob": blob, "DestinationKeyId": key})),
        ("GenerateDataKey", json!({"KeyId": key, "KeySpec": "AES_256"})),
        ("GenerateDataKeyWithoutPlaintext", json!({"KeyId": key, "KeySpec": "AES_256"})),
        ("CreateGrant", json!({"KeyId": key, "GranteePrincipal": grantee, "Operations": ["Encrypt"]})),
        ("RevokeGrant", json!({"KeyId": key, "GrantId": grant})),
        ("RetireGrant", json!({"KeyId": arn_of(&key), "GrantId": grant})),
    ] {
        input["DryRun"] = json!(true);
        assert_eq!(world.refused("admin", operation, input.clone()).await, would, "{operation}");
        let error = world.refused("stranger", operation, input).await;
        assert!(error.starts_with("AccessDeniedException: ") || error.starts_with("NotFound"), "{operation}: {error}");
    }
    let grants = world.done("admin", "ListGrants", json!({"KeyId": key})).await;
    assert_eq!(grants["Grants"].as_array().map(Vec::len), Some(1), "nothing was done");
    let damaged = json!({"CiphertextBlob": base64(&[1; 100]), "DryRun": true});
    assert_eq!(world.refused("admin", "Decrypt", damaged).await, INVALID);
}

#[tokio::test]
async fn a_dry_run_can_do_without_the_ciphertext() {
    let world = World::new();
    let key = world.key().await;
    let would = "DryRunOperationException: The request would have succeeded, but the DryRun option is set.";
    let modifiers = json!(["IGNORE_CIPHERTEXT"]);
    let input = json!({"KeyId": key, "DryRun": true, "DryRunModifiers": modifiers});
    assert_eq!(world.refused("admin", "Decrypt", input).await, would);
    let input = json!({"SourceKeyId": key, "DestinationKeyId": key, "DryRun": true, "DryRunModifiers": modifiers});
    assert_eq!(world.refused("admin", "ReEncrypt", input).await, would);
    for input in [
        json!({"KeyId": key, "DryRunModifiers": modifiers}),
        json!({"CiphertextBlob": "AAAA", "KeyId": key, "DryRunModifiers": ["OTHER"]}),
        json!({"DryRun": true, "DryRunModifiers": modifiers}),
        json!({"KeyId": key}),
        json!({}),
    ] {
        let error = world.refused("admin", "Decrypt", input).await;
        assert!(error.starts_with("ValidationException: "), "{error}");
    }
}

#[tokio::test]
async fn a_disabled_or_doomed_key_refuses_use() {
    let world = World::new();
    let (key, good) = (world.key().await, world.key().await);
    let blob = world.encrypted(&key, "x").await;
    let uses = [
        ("Encrypt", json!({"KeyId": key, "Plaintext": "AAAA"})),
        ("Decrypt", json!({"CiphertextBlob": blob})),
        ("ReEncrypt", json!({"CiphertextBlob": blob, "DestinationKeyId": good})),
        ("ReEncrypt", json!({"CiphertextBlob": world.encrypted(&good, "x").await, "DestinationKeyId": key})),
        ("GenerateDataKey", json!({"KeyId": key, "KeySpec": "AES_256"})),
        ("GenerateDataKeyWithoutPlaintext", json!({"KeyId": key, "KeySpec": "AES_256"})),
    ];
    world.done("admin", "DisableKey", json!({"KeyId": key})).await;
    for (operation, input) in &uses {
        let expected = format!("DisabledException: {} is disabled.", arn_of(&key));
        assert_eq!(world.refused("admin", operation, input.clone()).await, expected);
    }
    world.done("admin", "ScheduleKeyDeletion", json!({"KeyId": key})).await;
    for (operation, input) in &uses {
        let expected = format!("KMSInvalidStateException: {} is pending deletion.", arn_of(&key));
        assert_eq!(world.refused("admin", operation, input.clone()).await, expected);
    }
}

/// The damage is for the log: the caller learns only that it is not their fault.
#[tokio::test]
async fn a_key_whose_record_is_damaged_fails_inside_every_operation_that_needs_its_material() {
    let world = World::new();
    let key = world.key().await;
    let blob = world.encrypted(&key, "x").await;
    world.change_record(&key, |record| record.materials.clear()).await;
    let data_key = json!({"KeyId": key, "KeySpec": "AES_256"});
    let pair = json!({"KeyId": key, "KeyPairSpec": "ECC_NIST_P256"});
    for (operation, input) in [
        ("Encrypt", json!({"KeyId": key, "Plaintext": "AAAA"})),
        ("GenerateDataKey", data_key.clone()),
        ("GenerateDataKeyWithoutPlaintext", data_key),
        ("GenerateDataKeyPair", pair.clone()),
        ("GenerateDataKeyPairWithoutPlaintext", pair),
        (
            "ReEncrypt",
            json!({"CiphertextBlob": world.encrypted(&world.key().await, "x").await, "DestinationKeyId": key}),
        ),
    ] {
        assert_eq!(world.refused("admin", operation, input).await, "KMSInternalException: ", "{operation}");
    }
    let error = world.refused("admin", "Decrypt", json!({"CiphertextBlob": blob})).await;
    assert_eq!(error, "InvalidCiphertextException: ", "it names a version that the key has not");
}
