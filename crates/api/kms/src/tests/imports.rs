//! Keys from outside: wrapped as a customer would, imported, expired, deleted, imported again, and rotated.

use crypto::rsa::{Padding, RsaPublicKey};
use crypto::{KeyPair, PairKind, key_wrap, random_bytes};

use super::*;

const DAY: i64 = 86_400_000;

/// Answer of `GetParametersForImport`.
pub(super) struct Parameters {
    pub(super) token: Value,
    public: RsaPublicKey,
    algorithm: &'static str,
}

impl Parameters {
    /// Wraps as the algorithm says.
    pub(super) fn wrap(&self, secret: &[u8]) -> Value {
        let padding = if self.algorithm.ends_with("SHA_256") { Padding::OaepSha256 } else { Padding::OaepSha1 };
        let wrapped = if self.algorithm.starts_with("RSA_AES") {
            let aes = [9; 32];
            let mut wrapped = self.public.encrypt(padding, &aes).expect("encrypts");
            wrapped.extend(key_wrap::wrap_padded(&aes, secret).expect("wraps"));
            wrapped
        } else {
            self.public.encrypt(padding, secret).expect("encrypts")
        };
        json!(base64(&wrapped))
    }
}

fn secret() -> Vec<u8> {
    let mut secret = vec![0; 32];
    random_bytes(&mut secret);
    secret
}

impl World {
    pub(super) async fn external(&self, more: Value) -> String {
        let mut input = json!({"Origin": "EXTERNAL"});
        for (name, value) in more.as_object().expect("an object") {
            input[name] = value.clone();
        }
        let made = self.done("admin", "CreateKey", input).await["KeyMetadata"].take();
        assert_eq!(
            (&made["KeyState"], &made["Origin"], &made["Enabled"]),
            (&json!("PendingImport"), &json!("EXTERNAL"), &json!(false))
        );
        assert_eq!((made.get("ExpirationModel"), made.get("CurrentKeyMaterialId")), (None, None));
        text(&made["KeyId"])
    }

    pub(super) async fn parameters_in(&self, region: &str, key: &str, algorithm: &'static str) -> Parameters {
        let input = json!({"KeyId": key, "WrappingAlgorithm": algorithm, "WrappingKeySpec": "RSA_2048"});
        let answer = self.call_in(region, "admin", "GetParametersForImport", input).await.expect("gives parameters");
        assert_eq!(answer["ParametersValidTo"], json!((self.now().millis() + DAY) as f64 / 1000.0));
        let public = RsaPublicKey::read(&from_base64(&answer["PublicKey"])).expect("a public key");
        assert_eq!(public.bits(), 2048);
        assert!(from_base64(&answer["ImportToken"]).len() <= 6144);
        Parameters { token: answer["ImportToken"].clone(), public, algorithm }
    }

    /// Imports `secret`; `more` may say how.
    async fn import_in(&self, region: &str, key: &str, secret: &[u8], more: Value) -> Answer {
        let parameters = self.parameters_in(region, key, "RSAES_OAEP_SHA_256").await;
        let mut input = json!({"KeyId": key, "ImportToken": parameters.token,
            "EncryptedKeyMaterial": parameters.wrap(secret), "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"});
        for (name, value) in more.as_object().expect("an object") {
            input[name] = value.clone();
        }
        self.call_in(region, "admin", "ImportKeyMaterial", input).await
    }

    pub(super) async fn import(&self, key: &str, secret: &[u8], more: Value) -> Value {
        self.import_in(REGION, key, secret, more).await.expect("imports")
    }

    async fn state(&self, key: &str) -> String {
        self.state_in(REGION, key).await
    }

    async fn state_in(&self, region: &str, key: &str) -> String {
        let answer = self.call_in(region, "admin", "DescribeKey", json!({"KeyId": key})).await.expect("describes");
        text(&answer["KeyMetadata"]["KeyState"])
    }

    async fn materials(&self, region: &str, key: &str) -> Vec<Value> {
        let input = json!({"KeyId": key, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"});
        let answer = self.call_in(region, "admin", "ListKeyRotations", input).await.expect("lists");
        answer["Rotations"].as_array().expect("a list").clone()
    }
}

fn expires(days: i64, world: &World) -> Value {
    let at = world.now().plus_days(days).millis() as f64 / 1000.0;
    json!({"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": at})
}

#[tokio::test]
async fn an_imported_key_encrypts_and_its_copy_elsewhere_stays_the_customers() {
    let world = World::new();
    for algorithm in ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256"] {
        let key = world.external(json!({})).await;
        let error = world.refused("admin", "Encrypt", json!({"KeyId": key, "Plaintext": "AAAA"})).await;
        assert_eq!(error, format!("KMSInvalidStateException: {} is pending import.", arn_of(&key)));
        let parameters = world.parameters_in(REGION, &key, algorithm).await;
        let input = json!({"KeyId": key, "ImportToken": parameters.token, "EncryptedKeyMaterial":
            parameters.wrap(&secret()), "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"});
        let answer = world.done("admin", "ImportKeyMaterial", input).await;
        let metadata = world.done("admin", "DescribeKey", json!({"KeyId": key})).await["KeyMetadata"].take();
        assert_eq!(answer, json!({"KeyId": arn_of(&key), "KeyMaterialId": metadata["CurrentKeyMaterialId"]}));
        assert_eq!(
            (&metadata["KeyState"], &metadata["ExpirationModel"]),
            (&json!("Enabled"), &json!("KEY_MATERIAL_DOES_NOT_EXPIRE"))
        );
        assert_eq!(metadata.get("ValidTo"), None);
        let blob = world.encrypted(&key, algorithm).await;
        let opened = world.done("admin", "Decrypt", json!({"CiphertextBlob": blob})).await;
        assert_eq!(from_base64(&opened["Plaintext"]), algorithm.as_bytes());
    }
}

#[tokio::test]
async fn keys_of_every_kind_are_imported() {
    let world = World::new();
    let pair = |kind| KeyPair::generate(kind).expect("a pair").private.expose().to_vec();
    for (spec, usage, secret) in [
        ("HMAC_224", "GENERATE_VERIFY_MAC", vec![1; 28]),
        ("HMAC_256", "GENERATE_VERIFY_MAC", vec![1; 32]),
        ("HMAC_384", "GENERATE_VERIFY_MAC", vec![1; 48]),
        ("HMAC_512", "GENERATE_VERIFY_MAC", vec![1; 64]),
        ("RSA_2048", "ENCRYPT_DECRYPT", pair(PairKind::Rsa2048)),
        ("RSA_2048", "SIGN_VERIFY", pair(PairKind::Rsa2048)),
        ("ECC_NIST_P256", "SIGN_VERIFY", pair(PairKind::P256)),
        ("ECC_NIST_P384", "KEY_AGREEMENT", pair(PairKind::P384)),
        ("ECC_NIST_P521", "SIGN_VERIFY", pair(PairKind::P521)),
        ("ECC_SECG_P256K1", "SIGN_VERIFY", pair(PairKind::Secp256k1)),
        ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", pair(PairKind::Ed25519)),
    ] {
        let key = world.external(json!({"KeySpec": spec, "KeyUsage": usage})).await;
        let parameters = world.parameters_in(REGION, &key, "RSA_AES_KEY_WRAP_SHA_256").await;
        let input = |secret: &[u8]| {
            json!({"KeyId": key, "ImportToken": parameters.token, "EncryptedKeyMaterial": parameters.wrap(secret),
                "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"})
        };
        // Of another kind, or not a key at all.
        for wrong in [vec![7; secret.len() + 1], vec![7; 16], pair(PairKind::MlDsa44)] {
            let error = world.refused("admin", "ImportKeyMaterial", input(&wrong)).await;
            assert_eq!(
                error,
                format!("IncorrectKeyMaterialException: The key material is not valid for key spec {spec}.")
            );
        }
        let answer = world.done("admin", "ImportKeyMaterial", input(&secret)).await;
        assert_eq!(answer, json!({"KeyId": arn_of(&key)}), "{spec}");
        assert_eq!(world.state(&key).await, "Enabled");
        // The material of such a key never changes.
        let error = world.refused("admin", "RotateKeyOnDemand", json!({"KeyId": key})).await;
        assert!(error.starts_with("UnsupportedOperationException: "), "{error}");
        let mut described = input(&secret);
        described["ImportType"] = json!("NEW_KEY_MATERIAL");
        let error = world.refused("admin", "ImportKeyMaterial", described).await;
        assert!(error.starts_with("UnsupportedOperationException: "), "{error}");
        // The same again is welcome.
        world.done("admin", "DeleteImportedKeyMaterial", json!({"KeyId": key})).await;
        assert_eq!(world.state(&key).await, "PendingImport");
        world.done("admin", "ImportKeyMaterial", input(&secret)).await;
        assert_eq!(world.state(&key).await, "Enabled");
    }
}

#[tokio::test]
async fn wrapping_that_cannot_work_is_refused_beforehand() {
    let world = World::new();
    let symmetric = world.external(json!({})).await;
    let rsa = world.external(json!({"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"})).await;
    let p521 = world.external(json!({"KeySpec": "ECC_NIST_P521", "KeyUsage": "SIGN_VERIFY"})).await;
    for (key, algorithm, spec) in [
        (&symmetric, "RSAES_PKCS1_V1_5", "RSA_2048"),
        (&symmetric, "SM2PKE", "SM2"),
        (&symmetric, "RSAES_OAEP_SHA_256", "SM2"),
        (&rsa, "RSAES_OAEP_SHA_1", "RSA_4096"),
        (&rsa, "RSAES_OAEP_SHA_256", "RSA_4096"),
        (&p521, "RSAES_OAEP_SHA_256", "RSA_2048"),
    ] {
        let input = json!({"KeyId": key, "WrappingAlgorithm": algorithm, "WrappingKeySpec": spec});
        let error = world.refused("admin", "GetParametersForImport", input).await;
        assert!(error.starts_with("UnsupportedOperationException: "), "{algorithm} {spec}: {error}");
    }
    let made_here = world.key().await;
    let input = json!({"KeyId": made_here, "WrappingAlgorithm": "RSAES_OAEP_SHA_1", "WrappingKeySpec": "RSA_2048"});
    for (operation, input) in [
        ("GetParametersForImport", input),
        ("ImportKeyMaterial", json!({"KeyId": made_here, "ImportToken": "AAAA", "EncryptedKeyMaterial": "AAAA"})),
        ("DeleteImportedKeyMaterial", json!({"KeyId": made_here})),
    ] {
        let error = world.refused("admin", operation, input).await;
        let arn = arn_of(&made_here);
        let expected =
            format!("UnsupportedOperationException: {arn} origin is AWS_KMS which is not valid for this operation.");
        assert_eq!(error, expected);
    }
}

#[tokio::test]
async fn a_token_is_for_its_key_and_for_a_day() {
    let world = World::new();
    let (key, other) = (world.external(json!({})).await, world.external(json!({})).await);
    let parameters = world.parameters_in(REGION, &key, "RSAES_OAEP_SHA_256").await;
    let wrapped = parameters.wrap(&secret());
    let input = |key: &str, token: &Value, wrapped: &Value| {
        json!({"KeyId": key, "ImportToken": token, "EncryptedKeyMaterial": wrapped,
            "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"})
    };
    let invalid = "InvalidImportTokenException: The import token is not valid for the KMS key.";
    assert_eq!(world.refused("admin", "ImportKeyMaterial", input(&other, &parameters.token, &wrapped)).await, invalid);
    let mut changed = from_base64(&parameters.token);
    changed[40] ^= 1;
    for token in [json!(base64(&changed)), json!("AAAA"), json!(base64(&[1; 6144]))] {
        assert_eq!(world.refused("admin", "ImportKeyMaterial", input(&key, &token, &wrapped)).await, invalid);
    }
    // What is wrapped under another key, or damaged, tells nobody why.
    let elsewhere = world.parameters_in(REGION, &key, "RSAES_OAEP_SHA_256").await.wrap(&secret());
    for wrapped in [elsewhere, json!("AAAA"), json!(base64(&[0; 256]))] {
        let error = world.refused("admin", "ImportKeyMaterial", input(&key, &parameters.token, &wrapped)).await;
        assert_eq!(error, "InvalidCiphertextException: ");
    }
    world.pass_days(1);
    let error = world.refused("admin", "ImportKeyMaterial", input(&key, &parameters.token, &wrapped)).await;
    assert_eq!(error, "ExpiredImportTokenException: The import token is expired.");
    assert_eq!(world.state(&key).await, "PendingImport");
}

#[tokio::test]
async fn expired_material_is_out_of_use_at_once_and_removed_in_time() {
    let world = World::new();
    let (key, material) = (world.external(json!({})).await, secret());
    world.import(&key, &material, expires(10, &world)).await;
    let blob = world.encrypted(&key, "x").await;
    let metadata = world.done("admin", "DescribeKey", json!({"KeyId": key})).await["KeyMetadata"].take();
    assert_eq!(metadata["ExpirationModel"], "KEY_MATERIAL_EXPIRES");
    assert_eq!(metadata["ValidTo"], json!((START + 10 * DAY) as f64 / 1000.0));
    world.pass_days(9);
    assert_eq!(world.kms.expire_due(world.now()).await.expect("looks"), 0);
    world.done("admin", "Decrypt", json!({"CiphertextBlob": blob})).await;
    world.pass_days(1);
    // The job has not come by yet.
    let pending = format!("KMSInvalidStateException: {} is pending import.", arn_of(&key));
    assert_eq!(world.refused("admin", "Decrypt", json!({"CiphertextBlob": blob})).await, pending);
    assert_eq!(world.refused("admin", "DisableKey", json!({"KeyId": key})).await, pending);
    assert_eq!(world.state(&key).await, "PendingImport");
    assert_eq!(world.kms.expire_due(world.now()).await.expect("removes"), 1);
    assert_eq!(world.kms.expire_due(world.now()).await.expect("looks"), 0);
    let (place, id) = (domain(ACCOUNT, REGION), key.clone());
    let stored = world.store.read(move |tx| tx.get::<KeyRecord>(&place, &id)).await.expect("reads").expect("a key");
    assert!(stored.materials.iter().all(|material| material.wrapped.is_none()), "nothing of it is left");
    assert_eq!(world.refused("admin", "Decrypt", json!({"CiphertextBlob": blob})).await, pending);
    let metadata = world.done("admin", "DescribeKey", json!({"KeyId": key})).await["KeyMetadata"].take();
    assert_eq!((metadata.get("ValidTo"), metadata.get("ExpirationModel")), (None, None));
    // Only the same brings it back, and with it what was encrypted.
    let error = world.import_in(REGION, &key, &secret(), json!({})).await.expect_err("is refused");
    assert!(error.starts_with("IncorrectKeyMaterialException: "), "{error}");
    world.import(&key, &material, json!({})).await;
    world.done("admin", "Decrypt", json!({"CiphertextBlob": blob})).await;
    world.pass_days(400);
    assert_eq!(world.kms.expire_due(world.now()).await.expect("looks"), 0, "it expires no more");
}

#[tokio::test]
async fn expiry_is_said_in_full_and_within_a_year() {
    let world = World::new();
    let key = world.external(json!({})).await;
    for (more, why) in [
        (json!({"ExpirationModel": "KEY_MATERIAL_EXPIRES"}), "A validTo date must be set if"),
        (json!({"ValidTo": 1_900_000_000}), "A validTo date must not be set if"),
        (expires(0, &world), "The validTo date must be in the future"),
        (expires(366, &world), "The validTo date must be no more than 365 days in the future"),
    ] {
        let error = world.import_in(REGION, &key, &secret(), more).await.expect_err("is refused");
        assert!(error.starts_with(&format!("ValidationException: {why}")), "{error}");
    }
    // Expiring is what is meant when nothing is said.
    let parameters = world.parameters_in(REGION, &key, "RSAES_OAEP_SHA_256").await;
    let input =
        json!({"KeyId": key, "ImportToken": parameters.token, "EncryptedKeyMaterial": parameters.wrap(&secret())});
    let error = world.refused("admin", "ImportKeyMaterial", input).await;
    assert!(error.starts_with("ValidationException: A validTo date must be set if"), "{error}");
    world.import(&key, &secret(), expires(365, &world)).await;
}

#[tokio::test]
async fn deleted_material_is_gone_at_once_and_comes_back_as_it_was() {
    let world = World::new();
    let (key, material) = (world.external(json!({})).await, secret());
    let id = world.import(&key, &material, json!({"KeyMaterialDescription": "from the vault"})).await["KeyMaterialId"]
        .take();
    let blob = world.encrypted(&key, "x").await;
    let answer = world.done("admin", "DeleteImportedKeyMaterial", json!({"KeyId": key})).await;
    assert_eq!(answer, json!({"KeyId": arn_of(&key), "KeyMaterialId": id}));
    let error = world.refused("admin", "Decrypt", json!({"CiphertextBlob": blob})).await;
    assert_eq!(error, format!("KMSInvalidStateException: {} is pending import.", arn_of(&key)));
    let listed = world.materials(REGION, &key).await;
    let expected = json!([{"KeyId": arn_of(&key), "KeyMaterialId": id, "KeyMaterialDescription": "from the vault",
        "ImportState": "PENDING_IMPORT", "KeyMaterialState": "CURRENT"}]);
    assert_eq!(json!(listed), expected);
    // Nothing is there to be deleted; nothing happens.
    world.done("admin", "DeleteImportedKeyMaterial", json!({"KeyId": key})).await;
    let other = "0".repeat(64);
    let error =
        world.import_in(REGION, &key, &material, json!({"KeyMaterialId": other})).await.expect_err("is refused");
    assert!(error.starts_with("IncorrectKeyMaterialException: "), "{error}");
    world.import(&key, &material, json!({"KeyMaterialId": id, "ImportType": "EXISTING_KEY_MATERIAL"})).await;
    world.done("admin", "Decrypt", json!({"CiphertextBlob": blob})).await;
    let listed = world.materials(REGION, &key).await;
    assert_eq!(
        (&listed[0]["KeyMaterialDescription"], &listed[0]["ImportState"]),
        (&json!("from the vault"), &json!("IMPORTED"))
    );
    let input = json!({"KeyId": key, "KeyMaterialId": "1".repeat(64)});
    let error = world.refused("admin", "DeleteImportedKeyMaterial", input).await;
    assert!(error.starts_with("NotFoundException: Key material "), "{error}");
    // Switched off, it stays so when the same is imported again, and loses its state when it is deleted.
    world.done("admin", "DisableKey", json!({"KeyId": key})).await;
    world.import(&key, &material, json!({})).await;
    assert_eq!(world.state(&key).await, "Disabled");
    world.done("admin", "DeleteImportedKeyMaterial", json!({"KeyId": key})).await;
    assert_eq!(world.state(&key).await, "PendingImport");
    let error = world.refused("admin", "EnableKey", json!({"KeyId": key})).await;
    assert_eq!(error, format!("KMSInvalidStateException: {} is pending import.", arn_of(&key)));
}

#[tokio::test]
async fn a_key_that_waits_for_its_deletion_takes_no_material_and_gives_it_up() {
    let world = World::new();
    let (key, material) = (world.external(json!({})).await, secret());
    world.import(&key, &material, json!({})).await;
    world.done("admin", "ScheduleKeyDeletion", json!({"KeyId": key})).await;
    let input = json!({"KeyId": key, "WrappingAlgorithm": "RSAES_OAEP_SHA_1", "WrappingKeySpec": "RSA_2048"});
    let error = world.refused("admin", "GetParametersForImport", input).await;
    assert_eq!(error, format!("KMSInvalidStateException: {} is pending deletion.", arn_of(&key)));
    world.done("admin", "CancelKeyDeletion", json!({"KeyId": key})).await;
    assert_eq!(world.state(&key).await, "Disabled");
    world.done("admin", "ScheduleKeyDeletion", json!({"KeyId": key})).await;
    world.done("admin", "DeleteImportedKeyMaterial", json!({"KeyId": key})).await;
    assert_eq!(world.state(&key).await, "PendingDeletion");
    world.done("admin", "CancelKeyDeletion", json!({"KeyId": key})).await;
    assert_eq!(world.state(&key).await, "PendingImport");
}

#[tokio::test]
async fn a_symmetric_key_has_several_materials_and_needs_them_all() {
    let world = World::new();
    let key = world.external(json!({})).await;
    let (one, two) = (secret(), secret());
    let first = text(&world.import(&key, &one, json!({})).await["KeyMaterialId"]);
    let old = world.encrypted(&key, "old").await;
    let error = world.refused("admin", "RotateKeyOnDemand", json!({"KeyId": key})).await;
    assert!(error.starts_with("KMSInvalidStateException: "), "{error}");
    // Nothing is assumed to be new once there is something.
    let error = world.import_in(REGION, &key, &two, json!({})).await.expect_err("is refused");
    assert!(error.starts_with("IncorrectKeyMaterialException: "), "{error}");
    let new = json!({"ImportType": "NEW_KEY_MATERIAL", "KeyMaterialDescription": "the second"});
    let error = world.import_in(REGION, &key, &one, new.clone()).await.expect_err("is refused");
    assert!(error.starts_with("IncorrectKeyMaterialException: "), "{error}");
    let both = json!({"ImportType": "NEW_KEY_MATERIAL", "KeyMaterialId": first});
    let error = world.import_in(REGION, &key, &two, both).await.expect_err("is refused");
    assert!(error.starts_with("ValidationException: "), "{error}");
    let second = text(&world.import(&key, &two, new.clone()).await["KeyMaterialId"]);
    let states = |listed: &[Value]| -> Vec<(String, String)> {
        listed.iter().map(|entry| (text(&entry["KeyMaterialId"]), text(&entry["KeyMaterialState"]))).collect()
    };
    let pair = |id: &String, state: &str| (id.clone(), state.to_owned());
    let listed = world.materials(REGION, &key).await;
    assert_eq!(states(&listed), [pair(&first, "CURRENT"), pair(&second, "PENDING_ROTATION")]);
    assert_eq!((listed[1].get("RotationDate"), listed[1].get("RotationType")), (None, None));
    // Pending material: one at a time, not used yet, and can be deleted.
    let error = world.import_in(REGION, &key, &secret(), new.clone()).await.expect_err("is refused");
    assert!(error.starts_with("KMSInvalidStateException: "), "{error}");
    world.done("admin", "DeleteImportedKeyMaterial", json!({"KeyId": key, "KeyMaterialId": second})).await;
    assert_eq!((world.state(&key).await, world.materials(REGION, &key).await.len()), ("Enabled".to_owned(), 1));
    world.import(&key, &two, new).await;
    world.pass_days(2);
    world.done("admin", "RotateKeyOnDemand", json!({"KeyId": key})).await;
    let listed = world.materials(REGION, &key).await;
    assert_eq!(states(&listed), [pair(&first, "NON_CURRENT"), pair(&second, "CURRENT")]);
    assert_eq!(listed[1]["RotationDate"], json!((START + 2 * DAY) as f64 / 1000.0));
    let rotations = world.done("admin", "ListKeyRotations", json!({"KeyId": key})).await["Rotations"].take();
    assert_eq!(rotations.as_array().map(Vec::len), Some(1));
    let fresh = world.encrypted(&key, "new").await;
    for (blob, id) in [(&old, &first), (&fresh, &second)] {
        assert_eq!(world.done("admin", "Decrypt", json!({"CiphertextBlob": blob})).await["KeyMaterialId"], json!(id));
    }
    // Without one of them, the key neither encrypts nor decrypts, not even under the other.
    world.done("admin", "DeleteImportedKeyMaterial", json!({"KeyId": key, "KeyMaterialId": first})).await;
    let pending = format!("KMSInvalidStateException: {} is pending import.", arn_of(&key));
    assert_eq!(world.refused("admin", "Decrypt", json!({"CiphertextBlob": fresh})).await, pending);
    assert_eq!(world.refused("admin", "Encrypt", json!({"KeyId": key, "Plaintext": "AAAA"})).await, pending);
    world.import(&key, &one, json!({"KeyMaterialId": first})).await;
    world.done("admin", "Decrypt", json!({"CiphertextBlob": old})).await;
    let error = world.refused("admin", "EnableKeyRotation", json!({"KeyId": key})).await;
    let arn = arn_of(&key);
    let expected =
        format!("UnsupportedOperationException: {arn} origin is EXTERNAL which is not valid for this operation.");
    assert_eq!(error, expected);
}

#[tokio::test]
async fn each_material_expires_by_itself() {
    let world = World::new();
    let key = world.external(json!({})).await;
    let (one, two) = (secret(), secret());
    world.import(&key, &one, expires(10, &world)).await;
    let mut new = expires(5, &world);
    new["ImportType"] = json!("NEW_KEY_MATERIAL");
    let second = world.import(&key, &two, new).await["KeyMaterialId"].take();
    world.pass_days(6);
    assert_eq!(world.kms.expire_due(world.now()).await.expect("removes"), 1);
    assert_eq!(world.state(&key).await, "Enabled", "what waits for a rotation is not needed");
    let listed = world.materials(REGION, &key).await;
    assert_eq!((&listed[1]["KeyMaterialId"], &listed[1]["ImportState"]), (&second, &json!("PENDING_IMPORT")));
    let error = world.refused("admin", "RotateKeyOnDemand", json!({"KeyId": key})).await;
    assert!(error.starts_with("KMSInvalidStateException: "), "{error}");
    world.import(&key, &two, json!({})).await;
    world.done("admin", "RotateKeyOnDemand", json!({"KeyId": key})).await;
    world.pass_days(4);
    assert_eq!(world.state(&key).await, "PendingImport", "the first has expired, and old ciphertexts need it");
    assert_eq!(world.kms.expire_due(world.now()).await.expect("removes"), 1);
    world.import(&key, &one, json!({})).await;
    assert_eq!(world.state(&key).await, "Enabled");
}

#[tokio::test]
async fn each_region_imports_for_itself_and_rotates_together() {
    let world = World::new();
    let away = "eu-west-1";
    let key = world.external(json!({"MultiRegion": true})).await;
    let input = json!({"KeyId": key, "ReplicaRegion": away});
    let error = world.refused("admin", "ReplicateKey", input.clone()).await;
    assert_eq!(error, format!("KMSInvalidStateException: {} is pending import.", arn_of(&key)));
    let (one, two) = (secret(), secret());
    world.import(&key, &one, json!({"KeyMaterialDescription": "at home"})).await;
    let blob = world.encrypted(&key, "home").await;
    let replica = world.done("admin", "ReplicateKey", input).await;
    assert_eq!(replica["ReplicaKeyMetadata"]["KeyState"], "PendingImport");
    // Only what the primary key has.
    let error = world.import_in(away, &key, &two, json!({})).await.expect_err("is refused");
    assert!(error.starts_with("IncorrectKeyMaterialException: "), "{error}");
    let new = json!({"ImportType": "NEW_KEY_MATERIAL"});
    let error = world.import_in(away, &key, &two, new.clone()).await.expect_err("is refused");
    assert!(error.starts_with("UnsupportedOperationException: "), "{error}");
    world.import_in(away, &key, &one, json!({})).await.expect("imports");
    assert_eq!(world.state_in(away, &key).await, "Enabled");
    world.call_in(away, "admin", "Decrypt", json!({"CiphertextBlob": blob})).await.expect("decrypts");
    // New material waits until every Region has it.
    let id = world.import(&key, &two, new.clone()).await["KeyMaterialId"].take();
    for region in [REGION, away] {
        let listed = world.materials(region, &key).await;
        assert_eq!(listed[1]["KeyMaterialState"], "PENDING_MULTI_REGION_IMPORT_AND_ROTATION", "{region}");
    }
    let error = world.refused("admin", "RotateKeyOnDemand", json!({"KeyId": key})).await;
    assert!(error.starts_with("KMSInvalidStateException: "), "{error}");
    assert_eq!(world.state_in(away, &key).await, "Enabled");
    world.import_in(away, &key, &two, json!({"ImportType": "EXISTING_KEY_MATERIAL"})).await.expect("imports");
    assert_eq!(world.materials(REGION, &key).await[1]["KeyMaterialState"], "PENDING_ROTATION");
    world.done("admin", "RotateKeyOnDemand", json!({"KeyId": key})).await;
    for region in [REGION, away] {
        assert_eq!(world.materials(region, &key).await[1]["KeyMaterialState"], "CURRENT", "{region}");
    }
    let fresh = world.encrypted(&key, "after").await;
    let opened = world.call_in(away, "admin", "Decrypt", json!({"CiphertextBlob": fresh})).await.expect("decrypts");
    assert_eq!(opened["KeyMaterialId"], id);
    // States are each Region's own.
    world.done("admin", "DeleteImportedKeyMaterial", json!({"KeyId": key})).await;
    assert_eq!(
        (world.state(&key).await, world.state_in(away, &key).await),
        ("PendingImport".to_owned(), "Enabled".to_owned())
    );
    // Deleting pending material in the primary's Region deletes it in every Region.
    world.import(&key, &two, json!({})).await;
    let third = world.import(&key, &secret(), new).await["KeyMaterialId"].take();
    world.done("admin", "DeleteImportedKeyMaterial", json!({"KeyId": key, "KeyMaterialId": third})).await;
    assert_eq!(world.materials(away, &key).await.len(), 2);
}

#[tokio::test]
async fn conditions_name_how_material_comes_in() {
    let world = World::new();
    let unless = |action: &str, operator: &str, key: &str, value: &str| {
        json!({"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*",
            "Condition": {operator: {key: value}}})
    };
    let latest = world.now().plus_days(30).millis() / 1000;
    let policy = policy_with(&[
        unless("kms:GetParametersForImport", "StringEquals", "kms:WrappingAlgorithm", "RSAES_OAEP_SHA_1"),
        unless("kms:GetParametersForImport", "StringNotEquals", "kms:WrappingKeySpec", "RSA_2048"),
        unless("kms:ImportKeyMaterial", "StringNotEquals", "kms:ExpirationModel", "KEY_MATERIAL_EXPIRES"),
        unless("kms:ImportKeyMaterial", "NumericGreaterThan", "kms:ValidTo", &latest.to_string()),
    ]);
    let key = world.external(json!({"Policy": policy})).await;
    for (algorithm, spec) in [("RSAES_OAEP_SHA_1", "RSA_2048"), ("RSAES_OAEP_SHA_256", "RSA_3072")] {
        let input = json!({"KeyId": key, "WrappingAlgorithm": algorithm, "WrappingKeySpec": spec});
        let error = world.refused("admin", "GetParametersForImport", input).await;
        assert!(error.contains("explicit deny"), "{error}");
    }
    for more in [json!({}), expires(31, &world)] {
        let error = world.import_in(REGION, &key, &secret(), more).await.expect_err("is refused");
        assert!(error.contains("explicit deny"), "{error}");
    }
    world.import(&key, &secret(), expires(29, &world)).await;
}
