//! Keys of every spec: making them, and what each can and cannot do.

use super::*;

/// Every spec with every usage that it can have, and the algorithms of both.
const SPECS: [(&str, &str, &str, &[&str]); 22] = [
    ("RSA_2048", "ENCRYPT_DECRYPT", "EncryptionAlgorithms", OAEP),
    ("RSA_3072", "ENCRYPT_DECRYPT", "EncryptionAlgorithms", OAEP),
    ("RSA_4096", "ENCRYPT_DECRYPT", "EncryptionAlgorithms", OAEP),
    ("RSA_2048", "SIGN_VERIFY", "SigningAlgorithms", RSASSA),
    ("RSA_3072", "SIGN_VERIFY", "SigningAlgorithms", RSASSA),
    ("RSA_4096", "SIGN_VERIFY", "SigningAlgorithms", RSASSA),
    ("ECC_NIST_P256", "SIGN_VERIFY", "SigningAlgorithms", &["ECDSA_SHA_256"]),
    ("ECC_NIST_P384", "SIGN_VERIFY", "SigningAlgorithms", &["ECDSA_SHA_384"]),
    ("ECC_NIST_P521", "SIGN_VERIFY", "SigningAlgorithms", &["ECDSA_SHA_512"]),
    ("ECC_SECG_P256K1", "SIGN_VERIFY", "SigningAlgorithms", &["ECDSA_SHA_256"]),
    ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", "SigningAlgorithms", &["ED25519_SHA_512", "ED25519_PH_SHA_512"]),
    ("ML_DSA_44", "SIGN_VERIFY", "SigningAlgorithms", &["ML_DSA_SHAKE_256"]),
    ("ML_DSA_65", "SIGN_VERIFY", "SigningAlgorithms", &["ML_DSA_SHAKE_256"]),
    ("ML_DSA_87", "SIGN_VERIFY", "SigningAlgorithms", &["ML_DSA_SHAKE_256"]),
    ("ECC_NIST_P256", "KEY_AGREEMENT", "KeyAgreementAlgorithms", &["ECDH"]),
    ("ECC_NIST_P521", "KEY_AGREEMENT", "KeyAgreementAlgorithms", &["ECDH"]),
    ("HMAC_224", "GENERATE_VERIFY_MAC", "MacAlgorithms", &["HMAC_SHA_224"]),
    ("HMAC_256", "GENERATE_VERIFY_MAC", "MacAlgorithms", &["HMAC_SHA_256"]),
    ("HMAC_384", "GENERATE_VERIFY_MAC", "MacAlgorithms", &["HMAC_SHA_384"]),
    ("HMAC_512", "GENERATE_VERIFY_MAC", "MacAlgorithms", &["HMAC_SHA_512"]),
    ("ML_KEM_512", "ENCAPSULATE_DECAPSULATE", "EncapsulationAlgorithms", &["ML_KEM"]),
    ("ML_KEM_1024", "ENCAPSULATE_DECAPSULATE", "EncapsulationAlgorithms", &["ML_KEM"]),
];
const OAEP: &[&str] = &["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"];
const RSASSA: &[&str] = &[
    "RSASSA_PKCS1_V1_5_SHA_256",
    "RSASSA_PKCS1_V1_5_SHA_384",
    "RSASSA_PKCS1_V1_5_SHA_512",
    "RSASSA_PSS_SHA_256",
    "RSASSA_PSS_SHA_384",
    "RSASSA_PSS_SHA_512",
];

const LISTS: [&str; 5] =
    ["EncryptionAlgorithms", "SigningAlgorithms", "KeyAgreementAlgorithms", "EncapsulationAlgorithms", "MacAlgorithms"];

const BAD_SIGNATURE: &str = "KMSInvalidSignatureException: ";
const BAD_MAC: &str = "KMSInvalidMacException: ";
const BAD_CIPHERTEXT: &str = "InvalidCiphertextException: ";
const DRY: &str = "DryRunOperationException: The request would have succeeded, but the DryRun option is set.";

fn with(mut input: Value, member: &str, value: Value) -> Value {
    input[member] = value;
    input
}

#[tokio::test]
async fn every_spec_makes_a_key_that_is_described_and_gives_out_its_public_key() {
    let world = World::new();
    for (spec, usage, list, algorithms) in SPECS {
        let made = world.done("admin", "CreateKey", json!({"KeySpec": spec, "KeyUsage": usage})).await;
        let metadata = &made["KeyMetadata"];
        assert_eq!((&metadata["KeySpec"], &metadata["KeyUsage"]), (&json!(spec), &json!(usage)));
        assert_eq!(metadata["CustomerMasterKeySpec"], spec);
        for name in LISTS {
            let expected = if name == list { json!(algorithms) } else { Value::Null };
            assert_eq!(metadata.get(name).unwrap_or(&Value::Null), &expected, "{spec} {usage} {name}");
        }
        assert_eq!(metadata.get("CurrentKeyMaterialId"), None, "{spec}: it has but one");
        let key = text(&metadata["KeyId"]);
        assert_eq!(world.done("admin", "DescribeKey", json!({"KeyId": key})).await, made);

        let answer = world.call("admin", "GetPublicKey", json!({"KeyId": key})).await;
        if spec.starts_with("HMAC") {
            let refused = format!("{} key spec is {spec} which is not valid for GetPublicKey.", arn_of(&key));
            assert_eq!(answer, Err(format!("UnsupportedOperationException: {refused}")));
            continue;
        }
        let public = answer.expect("a public key");
        assert_eq!(from_base64(&public["PublicKey"])[0], 0x30, "DER");
        assert_eq!((&public["KeySpec"], &public["KeyUsage"]), (&json!(spec), &json!(usage)));
        assert_eq!((&public["KeyId"], &public[list]), (&json!(arn_of(&key)), &json!(algorithms)));
    }
    let key = world.key().await;
    let error = world.refused("admin", "GetPublicKey", json!({"KeyId": key})).await;
    assert!(error.starts_with("UnsupportedOperationException: "), "{error}");
}

#[tokio::test]
async fn a_usage_that_does_not_go_with_the_spec_is_refused() {
    let world = World::new();
    for (spec, usage) in [
        ("SYMMETRIC_DEFAULT", "SIGN_VERIFY"),
        ("RSA_2048", "KEY_AGREEMENT"),
        ("RSA_4096", "GENERATE_VERIFY_MAC"),
        ("ECC_NIST_P256", "ENCRYPT_DECRYPT"),
        ("ECC_SECG_P256K1", "KEY_AGREEMENT"),
        ("ECC_NIST_EDWARDS25519", "KEY_AGREEMENT"),
        ("HMAC_512", "SIGN_VERIFY"),
        ("ML_DSA_65", "ENCRYPT_DECRYPT"),
        ("ML_KEM_768", "KEY_AGREEMENT"),
    ] {
        let error = world.refused("admin", "CreateKey", json!({"KeySpec": spec, "KeyUsage": usage})).await;
        assert_eq!(error, format!("ValidationException: KeyUsage {usage} is not compatible with KeySpec {spec}"));
    }
    for (spec, ..) in SPECS {
        let error = world.refused("admin", "CreateKey", json!({"KeySpec": spec})).await;
        assert!(error.starts_with("ValidationException: You must specify a KeyUsage value"), "{spec}: {error}");
    }
}

#[tokio::test]
async fn what_a_key_signs_it_verifies_and_nothing_else() {
    let world = World::new();
    for (spec, usage, _, algorithms) in SPECS {
        if usage != "SIGN_VERIFY" || spec == "RSA_3072" || spec == "RSA_4096" {
            continue;
        }
        let key = world.key_of(spec, usage).await;
        for &algorithm in algorithms {
            let (kind, message) = match algorithm {
                "ED25519_PH_SHA_512" => ("DIGEST", vec![1; 64]),
                _ => ("RAW", vec![1; 4096]),
            };
            let input = json!({
                "KeyId": key, "Message": base64(&message), "MessageType": kind, "SigningAlgorithm": algorithm,
            });
            let signed = world.done("admin", "Sign", input.clone()).await;
            assert_eq!((&signed["KeyId"], &signed["SigningAlgorithm"]), (&json!(arn_of(&key)), &json!(algorithm)));
            let input = with(input, "Signature", signed["Signature"].clone());
            let verified = world.done("admin", "Verify", input.clone()).await;
            let expected = json!({"KeyId": arn_of(&key), "SignatureValid": true, "SigningAlgorithm": algorithm});
            assert_eq!(verified, expected);

            let mut other = message.clone();
            other[0] ^= 1;
            let wrong = with(input.clone(), "Message", json!(base64(&other)));
            assert_eq!(world.refused("admin", "Verify", wrong).await, BAD_SIGNATURE, "{algorithm}");
            let wrong = with(input.clone(), "Signature", json!(base64(&[0; 64])));
            assert_eq!(world.refused("admin", "Verify", wrong).await, BAD_SIGNATURE, "{algorithm}");
            let wrong = with(input.clone(), "KeyId", json!(world.key_of(spec, usage).await));
            assert_eq!(world.refused("admin", "Verify", wrong).await, BAD_SIGNATURE, "{algorithm}");
        }
    }
}

#[tokio::test]
async fn a_digest_has_the_length_of_its_algorithm_and_every_message_its_type() {
    let world = World::new();
    let rsa = world.key_of("RSA_2048", "SIGN_VERIFY").await;
    let p384 = world.key_of("ECC_NIST_P384", "SIGN_VERIFY").await;
    let ed25519 = world.key_of("ECC_NIST_EDWARDS25519", "SIGN_VERIFY").await;
    let ml_dsa = world.key_of("ML_DSA_44", "SIGN_VERIFY").await;
    for (key, algorithm, kind, right, wrong) in [
        (&rsa, "RSASSA_PSS_SHA_256", "DIGEST", 32, &[1, 31, 33, 64][..]),
        (&rsa, "RSASSA_PKCS1_V1_5_SHA_512", "DIGEST", 64, &[32, 63, 65]),
        (&p384, "ECDSA_SHA_384", "DIGEST", 48, &[32, 47, 64]),
        (&ed25519, "ED25519_PH_SHA_512", "DIGEST", 64, &[32, 63, 65]),
        (&ml_dsa, "ML_DSA_SHAKE_256", "EXTERNAL_MU", 64, &[32, 63, 65]),
    ] {
        let input = |length: usize| {
            let message = base64(&vec![7; length]);
            json!({"KeyId": key, "Message": message, "MessageType": kind, "SigningAlgorithm": algorithm})
        };
        let signature = world.done("admin", "Sign", input(right)).await["Signature"].take();
        world.done("admin", "Verify", with(input(right), "Signature", signature.clone())).await;
        for &length in wrong {
            let expected = format!("ValidationException: Digest is invalid length for algorithm {algorithm}.");
            assert_eq!(world.refused("admin", "Sign", input(length)).await, expected, "{length}");
            let verify = with(input(length), "Signature", signature.clone());
            assert_eq!(world.refused("admin", "Verify", verify).await, expected, "{length}");
        }
    }
    for (key, algorithm, kind) in [
        (&rsa, "RSASSA_PSS_SHA_256", "EXTERNAL_MU"),
        (&p384, "ECDSA_SHA_384", "EXTERNAL_MU"),
        (&ed25519, "ED25519_SHA_512", "DIGEST"),
        (&ed25519, "ED25519_PH_SHA_512", "RAW"),
        (&ml_dsa, "ML_DSA_SHAKE_256", "DIGEST"),
    ] {
        let message = base64(&[7; 64]);
        let input = json!({"KeyId": key, "Message": message, "MessageType": kind, "SigningAlgorithm": algorithm});
        let expected = format!("ValidationException: MessageType {kind} is incompatible with {algorithm}.");
        assert_eq!(world.refused("admin", "Sign", input).await, expected);
    }
    let input = json!({"KeyId": rsa, "SigningAlgorithm": "RSASSA_PSS_SHA_256"});
    for (length, rule) in [(0, "greater than or equal to 1"), (4097, "less than or equal to 4096")] {
        let error =
            world.refused("admin", "Sign", with(input.clone(), "Message", json!(base64(&vec![0; length])))).await;
        assert!(error.ends_with(&format!("at 'message' failed to satisfy constraint: Member must have length {rule}")));
    }
}

#[tokio::test]
async fn an_operation_that_the_key_is_not_for_is_refused_with_its_usage() {
    let world = World::new();
    let message = base64(&[7; 32]);
    let uses = |key: &str| {
        [
            ("Sign", json!({"KeyId": key, "Message": message, "SigningAlgorithm": "ECDSA_SHA_256"})),
            (
                "Verify",
                json!({"KeyId": key, "Message": message, "SigningAlgorithm": "ECDSA_SHA_256", "Signature": message}),
            ),
            ("GenerateMac", json!({"KeyId": key, "Message": message, "MacAlgorithm": "HMAC_SHA_256"})),
            ("VerifyMac", json!({"KeyId": key, "Message": message, "MacAlgorithm": "HMAC_SHA_256", "Mac": message})),
            ("Encrypt", json!({"KeyId": key, "Plaintext": message})),
            ("Decrypt", json!({"KeyId": key, "CiphertextBlob": message})),
            ("GenerateDataKey", json!({"KeyId": key, "KeySpec": "AES_256"})),
            ("GenerateDataKeyPair", json!({"KeyId": key, "KeyPairSpec": "ECC_NIST_P256"})),
            ("DeriveSharedSecret", json!({"KeyId": key, "KeyAgreementAlgorithm": "ECDH", "PublicKey": message})),
            ("Encapsulate", json!({"KeyId": key, "EncapsulationAlgorithm": "ML_KEM"})),
            (
                "Decapsulate",
                json!({"KeyId": key, "EncapsulationAlgorithm": "ML_KEM", "SharedSecretCiphertextBlob": message}),
            ),
        ]
    };
    for (spec, usage, own) in [
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", &["Encrypt", "Decrypt", "GenerateDataKey", "GenerateDataKeyPair"][..]),
        ("ECC_NIST_P256", "SIGN_VERIFY", &["Sign", "Verify"]),
        ("ECC_NIST_P256", "KEY_AGREEMENT", &["DeriveSharedSecret"]),
        ("HMAC_256", "GENERATE_VERIFY_MAC", &["GenerateMac", "VerifyMac"]),
        ("ML_KEM_768", "ENCAPSULATE_DECAPSULATE", &["Encapsulate", "Decapsulate"]),
    ] {
        let key = world.key_of(spec, usage).await;
        for (operation, input) in uses(&key) {
            let answer = world.call("admin", operation, input).await;
            if own.contains(&operation) {
                let error = answer.err().unwrap_or_default();
                assert!(!error.starts_with("InvalidKeyUsageException"), "{operation} with {spec} {usage}: {error}");
                continue;
            }
            let refused = format!("{} key usage is {usage} which is not valid for {operation}.", arn_of(&key));
            assert_eq!(answer, Err(format!("InvalidKeyUsageException: {refused}")));
        }
    }
}

#[tokio::test]
async fn an_algorithm_of_another_spec_is_refused() {
    let world = World::new();
    let message = base64(&[7; 32]);
    for (spec, usage, operation, member, algorithm) in [
        ("RSA_2048", "SIGN_VERIFY", "Sign", "SigningAlgorithm", "ECDSA_SHA_256"),
        ("ECC_NIST_P256", "SIGN_VERIFY", "Sign", "SigningAlgorithm", "ECDSA_SHA_384"),
        ("ECC_NIST_P256", "SIGN_VERIFY", "Sign", "SigningAlgorithm", "SM2DSA"),
        ("ML_DSA_44", "SIGN_VERIFY", "Sign", "SigningAlgorithm", "ED25519_SHA_512"),
        ("HMAC_256", "GENERATE_VERIFY_MAC", "GenerateMac", "MacAlgorithm", "HMAC_SHA_512"),
    ] {
        let key = world.key_of(spec, usage).await;
        let input = with(json!({"KeyId": key, "Message": message}), member, json!(algorithm));
        let error = world.refused("admin", operation, input).await;
        let expected = format!("InvalidKeyUsageException: Algorithm {algorithm} is incompatible with key spec {spec}.");
        assert_eq!(error, expected);
    }
    let rsa = world.key_of("RSA_2048", "ENCRYPT_DECRYPT").await;
    for input in [
        json!({"KeyId": rsa, "Plaintext": message}),
        json!({"KeyId": rsa, "Plaintext": message, "EncryptionAlgorithm": "SM2PKE"}),
    ] {
        let error = world.refused("admin", "Encrypt", input).await;
        assert!(error.ends_with("is incompatible with key spec RSA_2048."), "{error}");
    }
}

#[tokio::test]
async fn an_rsa_key_encrypts_up_to_its_algorithms_limit_and_decrypts_when_it_is_named() {
    let world = World::new();
    let mut keys = Vec::new();
    for (spec, limits) in [("RSA_2048", [214, 190]), ("RSA_3072", [342, 318]), ("RSA_4096", [470, 446])] {
        let key = world.key_of(spec, "ENCRYPT_DECRYPT").await;
        keys.extend(OAEP.iter().zip(limits).map(|(algorithm, most)| (spec, key.clone(), *algorithm, most)));
    }
    for (spec, key, algorithm, most) in keys {
        let input = |length: usize| json!({"KeyId": key, "Plaintext": base64(&vec![7; length]), "EncryptionAlgorithm": algorithm});
        let sealed = world.done("admin", "Encrypt", input(most)).await;
        assert_eq!(sealed["EncryptionAlgorithm"], algorithm);
        let decrypt = json!({
            "CiphertextBlob": sealed["CiphertextBlob"], "KeyId": key, "EncryptionAlgorithm": algorithm,
        });
        let opened = world.done("admin", "Decrypt", decrypt.clone()).await;
        assert_eq!(
            opened,
            json!({"KeyId": arn_of(&key), "Plaintext": base64(&vec![7; most]), "EncryptionAlgorithm": algorithm})
        );
        assert_eq!(
            world.refused("admin", "Encrypt", input(most + 1)).await,
            format!(
                "ValidationException: Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {most} \
                 bytes."
            )
        );
        let other = if algorithm == "RSAES_OAEP_SHA_1" { "RSAES_OAEP_SHA_256" } else { "RSAES_OAEP_SHA_1" };
        let wrong = with(decrypt.clone(), "EncryptionAlgorithm", json!(other));
        assert_eq!(world.refused("admin", "Decrypt", wrong).await, BAD_CIPHERTEXT);
        for bytes in [vec![0; 10], vec![0; 256], vec![0xff; 512]] {
            let wrong = with(decrypt.clone(), "CiphertextBlob", json!(base64(&bytes)));
            assert_eq!(world.refused("admin", "Decrypt", wrong).await, BAD_CIPHERTEXT);
        }
        let context = json!({"a": "b"});
        for (operation, input) in [("Encrypt", input(1)), ("Decrypt", decrypt.clone())] {
            let error = world.refused("admin", operation, with(input, "EncryptionContext", context.clone())).await;
            assert!(error.starts_with("ValidationException: An encryption context is valid only"), "{error}");
        }
        let mut unnamed = decrypt;
        unnamed.as_object_mut().expect("an object").remove("KeyId");
        let error = world.refused("admin", "Decrypt", unnamed).await;
        assert!(error.starts_with("ValidationException: A KeyId is required to decrypt"), "{error}");
    }
}

#[tokio::test]
async fn reencrypt_goes_between_symmetric_and_rsa_keys() {
    let world = World::new();
    let (symmetric, rsa) = (world.key().await, world.key_of("RSA_2048", "ENCRYPT_DECRYPT").await);
    let (there, back) = ("RSAES_OAEP_SHA_256", "SYMMETRIC_DEFAULT");
    let input = json!({
        "CiphertextBlob": world.encrypted(&symmetric, "moved").await,
        "DestinationKeyId": rsa,
        "DestinationEncryptionAlgorithm": there,
    });
    let moved = world.done("admin", "ReEncrypt", input).await;
    assert_eq!(
        (&moved["SourceEncryptionAlgorithm"], &moved["DestinationEncryptionAlgorithm"]),
        (&json!(back), &json!(there))
    );
    assert!(moved.get("SourceKeyMaterialId").is_some() && moved.get("DestinationKeyMaterialId").is_none());
    let input = json!({
        "CiphertextBlob": moved["CiphertextBlob"],
        "SourceKeyId": rsa,
        "SourceEncryptionAlgorithm": there,
        "DestinationKeyId": symmetric,
        "DestinationEncryptionContext": {"a": "b"},
    });
    let moved = world.done("admin", "ReEncrypt", input).await;
    assert!(moved.get("SourceKeyMaterialId").is_none() && moved.get("DestinationKeyMaterialId").is_some());
    let open = json!({"CiphertextBlob": moved["CiphertextBlob"], "EncryptionContext": {"a": "b"}});
    assert_eq!(world.done("admin", "Decrypt", open).await["Plaintext"], base64(b"moved"));
}

#[tokio::test]
async fn a_code_is_valid_for_its_message_and_key_alone() {
    let world = World::new();
    for (spec, algorithm, length) in [
        ("HMAC_224", "HMAC_SHA_224", 28),
        ("HMAC_256", "HMAC_SHA_256", 32),
        ("HMAC_384", "HMAC_SHA_384", 48),
        ("HMAC_512", "HMAC_SHA_512", 64),
    ] {
        let key = world.key_of(spec, "GENERATE_VERIFY_MAC").await;
        let input = json!({"KeyId": key, "Message": base64(b"message"), "MacAlgorithm": algorithm});
        let made = world.done("admin", "GenerateMac", input.clone()).await;
        let mac = from_base64(&made["Mac"]);
        assert_eq!(
            (mac.len(), &made["MacAlgorithm"], &made["KeyId"]),
            (length, &json!(algorithm), &json!(arn_of(&key)))
        );
        let verify = with(input, "Mac", made["Mac"].clone());
        let verified = world.done("admin", "VerifyMac", verify.clone()).await;
        assert_eq!(verified, json!({"KeyId": arn_of(&key), "MacValid": true, "MacAlgorithm": algorithm}));
        let mut changed = mac.clone();
        changed[0] ^= 1;
        for wrong in [&changed[..], &mac[1..], &mac[..1], &[0; 6144]] {
            let wrong = with(verify.clone(), "Mac", json!(base64(wrong)));
            assert_eq!(world.refused("admin", "VerifyMac", wrong).await, BAD_MAC);
        }
        let wrong = with(verify.clone(), "Message", json!(base64(b"massage")));
        assert_eq!(world.refused("admin", "VerifyMac", wrong).await, BAD_MAC);
        let wrong = with(verify, "KeyId", json!(world.key_of(spec, "GENERATE_VERIFY_MAC").await));
        assert_eq!(world.refused("admin", "VerifyMac", wrong).await, BAD_MAC);
    }
}

#[tokio::test]
async fn two_keys_on_a_curve_agree_on_a_secret_whoever_derives_it() {
    let world = World::new();
    let public = async |key: &str| world.done("admin", "GetPublicKey", json!({"KeyId": key})).await["PublicKey"].take();
    let derive =
        |key: &str, public: &Value| json!({"KeyId": key, "KeyAgreementAlgorithm": "ECDH", "PublicKey": public});
    let other_curve = world.key_of("ECC_NIST_P256", "KEY_AGREEMENT").await;
    for (spec, length) in [("ECC_NIST_P256", 32), ("ECC_NIST_P384", 48), ("ECC_NIST_P521", 66)] {
        let (alice, bob) = (world.key_of(spec, "KEY_AGREEMENT").await, world.key_of(spec, "KEY_AGREEMENT").await);
        let (of_alice, of_bob) = (public(&alice).await, public(&bob).await);
        let one = world.done("admin", "DeriveSharedSecret", derive(&alice, &of_bob)).await;
        let two = world.done("admin", "DeriveSharedSecret", derive(&bob, &of_alice)).await;
        assert_eq!(one["SharedSecret"], two["SharedSecret"]);
        assert_eq!(from_base64(&one["SharedSecret"]).len(), length);
        assert_eq!((&one["KeyOrigin"], &one["KeyAgreementAlgorithm"]), (&json!("AWS_KMS"), &json!("ECDH")));

        let mut off_curve = from_base64(&of_bob);
        *off_curve.last_mut().expect("bytes") ^= 1;
        let point = from_base64(&of_bob)[from_base64(&of_bob).len() - 2 * length - 1..].to_vec();
        let mut refused = vec![off_curve, point, vec![0x30], vec![0; 100]];
        if spec != "ECC_NIST_P256" {
            refused.push(from_base64(&public(&other_curve).await));
        }
        for wrong in refused {
            let error = world.refused("admin", "DeriveSharedSecret", derive(&alice, &json!(base64(&wrong)))).await;
            assert_eq!(error, format!("ValidationException: The public key is not valid for key spec {spec}."));
        }
        let recipient = json!({"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": "AAAA"});
        let input = with(derive(&alice, &of_bob), "Recipient", recipient);
        let error = world.refused("admin", "DeriveSharedSecret", input).await;
        assert!(error.starts_with("UnsupportedOperationException: "), "{error}");
    }
}

#[tokio::test]
async fn an_encapsulated_secret_is_found_by_its_own_key_alone() {
    let world = World::new();
    for (spec, length) in [("ML_KEM_512", 768), ("ML_KEM_768", 1088), ("ML_KEM_1024", 1568)] {
        let key = world.key_of(spec, "ENCAPSULATE_DECAPSULATE").await;
        let input = json!({"KeyId": key, "EncapsulationAlgorithm": "ML_KEM"});
        let made = world.done("admin", "Encapsulate", input.clone()).await;
        let blob = &made["SharedSecretCiphertextBlob"];
        assert_eq!((from_base64(blob).len(), from_base64(&made["SharedSecret"]).len()), (length, 32));
        let open = with(input, "SharedSecretCiphertextBlob", blob.clone());
        let opened = world.done("admin", "Decapsulate", open.clone()).await;
        assert_eq!(opened["SharedSecret"], made["SharedSecret"]);
        let other = with(open.clone(), "KeyId", json!(world.key_of(spec, "ENCAPSULATE_DECAPSULATE").await));
        assert_ne!(world.done("admin", "Decapsulate", other).await["SharedSecret"], made["SharedSecret"]);
        for wrong in [1, length - 1, length + 1] {
            let wrong = with(open.clone(), "SharedSecretCiphertextBlob", json!(base64(&vec![0; wrong])));
            assert_eq!(world.refused("admin", "Decapsulate", wrong).await, BAD_CIPHERTEXT);
        }
    }
}

#[tokio::test]
async fn a_data_key_pair_comes_in_the_clear_and_encrypted_under_the_context() {
    let world = World::new();
    let key = world.key().await;
    let metadata = world.done("admin", "DescribeKey", json!({"KeyId": key})).await;
    for spec in [
        "RSA_2048",
        "RSA_3072",
        "ECC_NIST_P256",
        "ECC_NIST_P384",
        "ECC_NIST_P521",
        "ECC_SECG_P256K1",
        "ECC_NIST_EDWARDS25519",
        "ML_KEM_512",
        "ML_KEM_1024",
    ] {
        let context = json!({"a": "b"});
        let input = json!({"KeyId": key, "KeyPairSpec": spec, "EncryptionContext": context});
        let made = world.done("admin", "GenerateDataKeyPair", input.clone()).await;
        assert_eq!((&made["KeyId"], &made["KeyPairSpec"]), (&json!(arn_of(&key)), &json!(spec)));
        assert_eq!(made["KeyMaterialId"], metadata["KeyMetadata"]["CurrentKeyMaterialId"]);
        let blob = &made["PrivateKeyCiphertextBlob"];
        let open = json!({"CiphertextBlob": blob, "EncryptionContext": context});
        assert_eq!(world.done("admin", "Decrypt", open).await["Plaintext"], made["PrivateKeyPlaintext"]);
        assert_eq!(world.refused("admin", "Decrypt", json!({"CiphertextBlob": blob})).await, BAD_CIPHERTEXT);
        let kind = crate::record::spec::KeySpec::from_text(spec)
            .and_then(crate::record::spec::KeySpec::pair_kind)
            .expect("a kind");
        let private = from_base64(&made["PrivateKeyPlaintext"]);
        let pair = crypto::KeyPair::read(kind, &private).expect("PKCS#8");
        assert_eq!(pair.public, from_base64(&made["PublicKey"]), "{spec}");

        let sealed = world.done("admin", "GenerateDataKeyPairWithoutPlaintext", input).await;
        assert_eq!(sealed.get("PrivateKeyPlaintext"), None);
        assert_ne!(sealed["PublicKey"], made["PublicKey"], "every call makes another");
        let open = json!({"CiphertextBlob": sealed["PrivateKeyCiphertextBlob"], "EncryptionContext": context});
        let private = from_base64(&world.done("admin", "Decrypt", open).await["Plaintext"]);
        assert_eq!(crypto::KeyPair::read(kind, &private).expect("PKCS#8").public, from_base64(&sealed["PublicKey"]));
    }
    let input = json!({"KeyId": key, "KeyPairSpec": "SM2"});
    let error = world.refused("admin", "GenerateDataKeyPair", input).await;
    assert_eq!(error, "UnsupportedOperationException: KeyPairSpec SM2 is not supported.");
}

#[tokio::test]
async fn a_grant_gives_what_its_key_can_do_and_a_dry_run_does_nothing() {
    let world = World::new();
    let message = base64(&[7; 32]);
    let sign = world.key_of("ECC_NIST_P256", "SIGN_VERIFY").await;
    let mac = world.key_of("HMAC_256", "GENERATE_VERIFY_MAC").await;
    let agree = world.key_of("ECC_NIST_P256", "KEY_AGREEMENT").await;
    let kem = world.key_of("ML_KEM_512", "ENCAPSULATE_DECAPSULATE").await;
    let symmetric = world.key().await;
    let public = world.done("admin", "GetPublicKey", json!({"KeyId": agree})).await["PublicKey"].take();
    let signing = json!({"KeyId": sign, "Message": message, "SigningAlgorithm": "ECDSA_SHA_256"});
    let signature = world.done("admin", "Sign", signing.clone()).await["Signature"].take();
    let making = json!({"KeyId": mac, "Message": message, "MacAlgorithm": "HMAC_SHA_256"});
    let made = world.done("admin", "GenerateMac", making.clone()).await["Mac"].take();
    let pair = json!({"KeyId": symmetric, "KeyPairSpec": "ECC_NIST_P256"});
    let encapsulating = json!({"KeyId": kem, "EncapsulationAlgorithm": "ML_KEM"});
    let blob = world.done("admin", "Encapsulate", encapsulating.clone()).await["SharedSecretCiphertextBlob"].take();
    for (key, operation, input) in [
        (&sign, "Sign", signing.clone()),
        (&sign, "Verify", with(signing, "Signature", signature)),
        (&sign, "GetPublicKey", json!({"KeyId": sign})),
        (&mac, "GenerateMac", making.clone()),
        (&mac, "VerifyMac", with(making, "Mac", made)),
        (&agree, "DeriveSharedSecret", json!({"KeyId": agree, "KeyAgreementAlgorithm": "ECDH", "PublicKey": public})),
        (&symmetric, "GenerateDataKeyPair", pair.clone()),
        (&symmetric, "GenerateDataKeyPairWithoutPlaintext", pair),
        (&kem, "Encapsulate", encapsulating.clone()),
        (&kem, "Decapsulate", with(encapsulating, "SharedSecretCiphertextBlob", blob)),
    ] {
        let refused = denied("alice", &format!("kms:{operation}"), key, "identity-based");
        assert_eq!(world.refused("alice", operation, input.clone()).await, refused);
        let grant = json!({"KeyId": key, "GranteePrincipal": user_arn(ACCOUNT, "alice"), "Operations": [operation]});
        let granted = world.done("admin", "CreateGrant", grant).await;
        world.done("alice", operation, input.clone()).await;
        let token = json!([granted["GrantToken"]]);
        world.done("alice", operation, with(input.clone(), "GrantTokens", token)).await;
        if operation != "GetPublicKey" {
            let dry = with(input.clone(), "DryRun", json!(true));
            assert_eq!(world.refused("alice", operation, dry.clone()).await, DRY, "{operation}");
            assert!(world.refused("bob", operation, dry).await.starts_with("AccessDeniedException: "), "{operation}");
        }
        world.done("admin", "RevokeGrant", json!({"KeyId": key, "GrantId": granted["GrantId"]})).await;
        assert_eq!(world.refused("alice", operation, input.clone()).await, refused);
        world.done("admin", "DisableKey", json!({"KeyId": key})).await;
        let expected = format!("DisabledException: {} is disabled.", arn_of(key));
        assert_eq!(world.refused("admin", operation, input).await, expected, "{operation}");
        world.done("admin", "EnableKey", json!({"KeyId": key})).await;
    }
    let grant = |key: &str, operation: &str| json!({"KeyId": key, "GranteePrincipal": user_arn(ACCOUNT, "alice"), "Operations": [operation]});
    for (key, operation) in [
        (&symmetric, "Sign"),
        (&symmetric, "GetPublicKey"),
        (&sign, "Encrypt"),
        (&sign, "GenerateMac"),
        (&mac, "GetPublicKey"),
        (&agree, "Sign"),
        (&kem, "GenerateDataKey"),
    ] {
        let error = world.refused("admin", "CreateGrant", grant(key, operation)).await;
        let expected = format!("ValidationException: The grant operation {operation} is not supported by a key with ");
        assert!(error.starts_with(&expected), "{error}");
    }
    let constrained = with(grant(&sign, "Sign"), "Constraints", json!({"EncryptionContextEquals": {"a": "b"}}));
    let error = world.refused("admin", "CreateGrant", constrained).await;
    assert!(error.starts_with("ValidationException: Encryption context grant constraints"), "{error}");
}

#[tokio::test]
async fn policies_can_ask_for_the_algorithm_the_message_type_and_the_pair() {
    let world = World::new();
    let message = base64(&[7; 32]);
    for (spec, usage, operation, condition, value, input, refused) in [
        (
            "RSA_2048",
            "SIGN_VERIFY",
            "Sign",
            "kms:SigningAlgorithm",
            "RSASSA_PSS_SHA_256",
            json!({"Message": message, "SigningAlgorithm": "RSASSA_PSS_SHA_256"}),
            json!({"SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}),
        ),
        (
            "ECC_NIST_P256",
            "SIGN_VERIFY",
            "Sign",
            "kms:MessageType",
            "RAW",
            json!({"Message": message, "SigningAlgorithm": "ECDSA_SHA_256"}),
            json!({"MessageType": "DIGEST"}),
        ),
        (
            "HMAC_256",
            "GENERATE_VERIFY_MAC",
            "GenerateMac",
            "kms:MacAlgorithm",
            "HMAC_SHA_256",
            json!({"Message": message, "MacAlgorithm": "HMAC_SHA_256"}),
            json!({"MacAlgorithm": "HMAC_SHA_512"}),
        ),
        (
            "SYMMETRIC_DEFAULT",
            "ENCRYPT_DECRYPT",
            "GenerateDataKeyPair",
            "kms:DataKeyPairSpec",
            "ECC_NIST_P256",
            json!({"KeyPairSpec": "ECC_NIST_P256"}),
            json!({"KeyPairSpec": "ECC_NIST_P384"}),
        ),
    ] {
        let mut statement = allow("alice", json!(format!("kms:{operation}")));
        statement["Condition"] = json!({"StringEquals": {condition: value}});
        let input_of = |policy: &str| json!({"KeySpec": spec, "KeyUsage": usage, "Policy": policy});
        let made = world.done("admin", "CreateKey", input_of(&policy_with(&[statement]))).await;
        let input = with(input, "KeyId", made["KeyMetadata"]["KeyId"].clone());
        world.done("alice", operation, input.clone()).await;
        let mut other = input;
        other.as_object_mut().expect("an object").extend(refused.as_object().expect("an object").clone());
        let error = world.refused("alice", operation, other).await;
        assert!(error.starts_with("AccessDeniedException: "), "{condition}: {error}");
    }
}

#[tokio::test]
async fn keys_that_are_not_symmetric_do_not_rotate() {
    let world = World::new();
    for (spec, usage) in
        [("ECC_NIST_P256", "SIGN_VERIFY"), ("HMAC_256", "GENERATE_VERIFY_MAC"), ("ML_DSA_44", "SIGN_VERIFY")]
    {
        let key = world.key_of(spec, usage).await;
        for operation in ["EnableKeyRotation", "DisableKeyRotation", "RotateKeyOnDemand", "GetKeyRotationStatus"] {
            let error = world.refused("admin", operation, json!({"KeyId": key})).await;
            assert!(error.starts_with("UnsupportedOperationException: "), "{operation}: {error}");
        }
    }
}

#[tokio::test]
async fn a_pair_of_several_regions_signs_and_verifies_in_each_of_them() {
    let world = World::new();
    let input = json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY", "MultiRegion": true});
    let key = text(&world.done("admin", "CreateKey", input).await["KeyMetadata"]["KeyId"]);
    world.done("admin", "ReplicateKey", json!({"KeyId": key, "ReplicaRegion": "eu-west-1"})).await;
    let input = json!({"KeyId": key, "Message": base64(b"x"), "SigningAlgorithm": "ECDSA_SHA_256"});
    let there = world.call_in("eu-west-1", "admin", "Sign", input.clone()).await.expect("signed");
    world.done("admin", "Verify", with(input.clone(), "Signature", there["Signature"].clone())).await;
    let here = world.done("admin", "Sign", input.clone()).await;
    let verify = with(input, "Signature", here["Signature"].clone());
    world.call_in("eu-west-1", "admin", "Verify", verify).await.expect("verified");
    let public = world.call_in("eu-west-1", "admin", "GetPublicKey", json!({"KeyId": key})).await.expect("a key");
    assert_eq!(public["PublicKey"], world.done("admin", "GetPublicKey", json!({"KeyId": key})).await["PublicKey"]);
}

#[tokio::test]
async fn the_thread_that_asks_a_large_rsa_key_for_something_serves_others_meanwhile() {
    let world = World::new();
    let key = world.key().await;
    let signer = world.key_of("RSA_3072", "SIGN_VERIFY").await;
    let decrypter = world.key_of("RSA_3072", "ENCRYPT_DECRYPT").await;
    let signing =
        json!({"KeyId": signer, "Message": base64(&[7; 32]), "SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"});
    let mut opening =
        json!({"KeyId": decrypter, "Plaintext": base64(&[7; 32]), "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"});
    opening["CiphertextBlob"] = world.done("admin", "Encrypt", opening.clone()).await["CiphertextBlob"].take();
    opening.as_object_mut().expect("an object").remove("Plaintext");
    let encrypting = json!({"KeyId": key, "Plaintext": "AAAA"});
    for (slow, input) in [("Sign", signing), ("Decrypt", opening)] {
        let overtaken = async || {
            let slow = async {
                world.done("admin", slow, input.clone()).await;
                std::time::Instant::now()
            };
            let quick = async {
                world.done("admin", "Encrypt", encrypting.clone()).await;
                std::time::Instant::now()
            };
            let (slow, quick) = tokio::join!(slow, quick);
            quick < slow
        };
        // Brings both keys into memory.
        overtaken().await;
        // On a busy machine this thread may stand still meanwhile.
        let mut tries = 0..100;
        while !overtaken().await {
            assert!(tries.next().is_some(), "{slow} is never overtaken by what begins later on the same thread");
        }
    }
}
