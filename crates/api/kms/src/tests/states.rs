//! AWS's table of key states through whole calls: every operation on a real key that was brought into each state.
//!
//! No call leaves a key in the states `Creating` and `Updating`: the test writes them into its record.

use crypto::{KeyPair, PairKind};

use super::key_stores::{token, world};
use super::*;
use crate::record::state::tests::{COLUMNS, expected_rows, told};
use crate::record::{KeyState, Origin};

const ELSEWHERE: &str = "eu-west-1";

/// Parameters of a key on which the operation can be done.
fn kind(operation: &str) -> Value {
    match operation {
        "GenerateMac" | "VerifyMac" => json!({"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}),
        "Sign" | "Verify" | "GetPublicKey" => json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}),
        "DeriveSharedSecret" => json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT"}),
        "Encapsulate" | "Decapsulate" => json!({"KeySpec": "ML_KEM_768", "KeyUsage": "ENCAPSULATE_DECAPSULATE"}),
        "DeleteImportedKeyMaterial" | "GetParametersForImport" | "ImportKeyMaterial" => json!({"Origin": "EXTERNAL"}),
        "ReplicateKey" | "UpdatePrimaryRegion" => json!({"MultiRegion": true}),
        _ => json!({}),
    }
}

/// Where keys are made and brought into states.
struct Stage {
    world: World,
    store: String,
    keys: usize,
}

/// A key, and what was imported into it.
struct Subject {
    id: String,
    origin: Origin,
    material: Vec<u8>,
}

impl Stage {
    async fn done(&self, operation: &str, input: Value) -> Value {
        self.world.done("admin", operation, input).await
    }

    /// An enabled key that can get into the state; nothing if no key for this operation can.
    async fn subject(&mut self, operation: &str, state: KeyState) -> Option<Subject> {
        self.keys += 1;
        let mut input = kind(operation);
        match state {
            KeyState::Unavailable => {
                input = json!({"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": self.store});
            }
            KeyState::PendingReplicaDeletion => input["MultiRegion"] = json!(true),
            KeyState::PendingImport => input["Origin"] = json!("EXTERNAL"),
            _ => {}
        }
        let wanted = input["Origin"].as_str().and_then(Origin::from_text).unwrap_or(Origin::AwsKms);
        let kem = matches!(operation, "Encapsulate" | "Decapsulate");
        if kem && wanted == Origin::External {
            assert!(self.world.call("admin", "CreateKey", input).await.is_err(), "it could be imported");
            return None;
        }
        let id = text(&self.done("CreateKey", input.clone()).await["KeyMetadata"]["KeyId"]);
        let mut subject = Subject { id, origin: wanted, material: vec![7; 32] };
        if wanted == Origin::External {
            if input["KeySpec"] == "ECC_NIST_P256" {
                subject.material = KeyPair::generate(PairKind::P256).expect("a pair").private.expose().to_vec();
            }
            self.world.import(&subject.id, &subject.material, json!({})).await;
        }
        // A primary key that has replicas waits for theirs to be destroyed first.
        let related = operation == "UpdatePrimaryRegion" && state != KeyState::PendingDeletion;
        if state == KeyState::PendingReplicaDeletion || related && input["MultiRegion"] == true {
            self.done("ReplicateKey", json!({"KeyId": subject.id, "ReplicaRegion": ELSEWHERE})).await;
        }
        Some(subject)
    }

    /// Brings the key into the state.
    async fn bring(&self, subject: &Subject, state: KeyState) {
        let key = json!({"KeyId": subject.id});
        match state {
            KeyState::Disabled => self.done("DisableKey", key.clone()).await,
            KeyState::PendingDeletion | KeyState::PendingReplicaDeletion => {
                self.done("ScheduleKeyDeletion", json!({"KeyId": subject.id, "PendingWindowInDays": 7})).await
            }
            KeyState::PendingImport => self.done("DeleteImportedKeyMaterial", key.clone()).await,
            KeyState::Unavailable => {
                self.done("DisconnectCustomKeyStore", json!({"CustomKeyStoreId": self.store})).await
            }
            KeyState::Creating | KeyState::Updating => {
                self.world.change_record(&subject.id, move |record| record.state = state).await;
                Value::Null
            }
            KeyState::Enabled => Value::Null,
        };
        let metadata = self.done("DescribeKey", key).await["KeyMetadata"].take();
        assert_eq!(metadata["KeyState"], json!(state.as_str()), "{metadata}");
        assert_eq!(metadata["Enabled"], json!(state == KeyState::Enabled));
    }

    /// The inputs with which the operation succeeds on the enabled key: as what is read and as what is written, where the
    /// operation does both.
    async fn inputs(&self, operation: &str, subject: &Subject) -> Vec<Value> {
        let key = json!(subject.id);
        let only = |input: Value| vec![input];
        let with = |more: Value| {
            let mut input = json!({"KeyId": key});
            for (member, value) in more.as_object().expect("members") {
                input[member] = value.clone();
            }
            input
        };
        let bytes = json!(base64(b"message"));
        let signing = json!({"Message": bytes, "SigningAlgorithm": "ECDSA_SHA_256"});
        let mac = json!({"Message": bytes, "MacAlgorithm": "HMAC_SHA_256"});
        let alias = format!("alias/states-{}", self.keys);
        match operation {
            "Encrypt" => only(with(json!({"Plaintext": bytes}))),
            "Decrypt" => {
                let blob = self.world.encrypted(&subject.id, "x").await;
                vec![with(json!({"CiphertextBlob": blob})), json!({"CiphertextBlob": blob})]
            }
            "ReEncrypt" => {
                let (own, other) = (self.world.encrypted(&subject.id, "x").await, self.world.key().await);
                let foreign = self.world.encrypted(&other, "x").await;
                vec![
                    json!({"CiphertextBlob": own, "DestinationKeyId": other}),
                    json!({"CiphertextBlob": foreign, "DestinationKeyId": key}),
                ]
            }
            "GenerateDataKey" | "GenerateDataKeyWithoutPlaintext" => only(with(json!({"KeySpec": "AES_256"}))),
            "GenerateDataKeyPair" | "GenerateDataKeyPairWithoutPlaintext" => {
                only(with(json!({"KeyPairSpec": "ECC_NIST_P256"})))
            }
            "Sign" => only(with(signing)),
            "Verify" => {
                let signature = self.done("Sign", with(signing.clone())).await["Signature"].take();
                let mut input = with(signing);
                input["Signature"] = signature;
                only(input)
            }
            "GenerateMac" => only(with(mac)),
            "VerifyMac" => {
                let tag = self.done("GenerateMac", with(mac.clone())).await["Mac"].take();
                let mut input = with(mac);
                input["Mac"] = tag;
                only(input)
            }
            "DeriveSharedSecret" => {
                let peer = self.world.key_of("ECC_NIST_P256", "KEY_AGREEMENT").await;
                let public = self.done("GetPublicKey", json!({"KeyId": peer})).await["PublicKey"].take();
                only(with(json!({"KeyAgreementAlgorithm": "ECDH", "PublicKey": public})))
            }
            "Encapsulate" => only(with(json!({"EncapsulationAlgorithm": "ML_KEM"}))),
            "Decapsulate" => {
                let algorithm = json!({"EncapsulationAlgorithm": "ML_KEM"});
                let sealed = match self.world.call("admin", "Encapsulate", with(algorithm)).await {
                    Ok(mut answer) => answer["SharedSecretCiphertextBlob"].take(),
                    Err(_) => bytes,
                };
                only(with(json!({"EncapsulationAlgorithm": "ML_KEM", "SharedSecretCiphertextBlob": sealed})))
            }
            "CreateAlias" => only(json!({"AliasName": alias, "TargetKeyId": key})),
            "DeleteAlias" => {
                self.done("CreateAlias", json!({"AliasName": alias, "TargetKeyId": key})).await;
                only(json!({"AliasName": alias}))
            }
            "UpdateAlias" => {
                let other = self.world.key().await;
                self.done("CreateAlias", json!({"AliasName": alias, "TargetKeyId": other})).await;
                only(json!({"AliasName": alias, "TargetKeyId": key}))
            }
            "CreateGrant" => {
                only(with(json!({"GranteePrincipal": user_arn(ACCOUNT, "bob"), "Operations": ["DescribeKey"]})))
            }
            "RetireGrant" | "RevokeGrant" => {
                let grant = with(json!({"GranteePrincipal": user_arn(ACCOUNT, "bob"), "Operations": ["DescribeKey"]}));
                let id = self.done("CreateGrant", grant).await["GrantId"].take();
                only(json!({"KeyId": arn_of(&subject.id), "GrantId": id}))
            }
            "GetParametersForImport" => {
                only(with(json!({"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"})))
            }
            "ImportKeyMaterial" if subject.origin == Origin::External => {
                let parameters = self.world.parameters_in(REGION, &subject.id, "RSAES_OAEP_SHA_256").await;
                only(with(json!({
                    "ImportToken": parameters.token, "EncryptedKeyMaterial": parameters.wrap(&subject.material),
                    "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
                })))
            }
            "ImportKeyMaterial" => only(with(json!({"ImportToken": bytes, "EncryptedKeyMaterial": bytes}))),
            "PutKeyPolicy" => only(with(json!({"Policy": policy_with(&[])}))),
            "ReplicateKey" => only(with(json!({"ReplicaRegion": "eu-west-2"}))),
            "UpdatePrimaryRegion" => only(with(json!({"PrimaryRegion": ELSEWHERE}))),
            "TagResource" => only(with(json!({"Tags": [{"TagKey": "a", "TagValue": "b"}]}))),
            "UntagResource" => only(with(json!({"TagKeys": ["a"]}))),
            "UpdateKeyDescription" => only(with(json!({"Description": "d"}))),
            "ScheduleKeyDeletion" => only(with(json!({"PendingWindowInDays": 7}))),
            _ => only(with(json!({}))),
        }
    }
}

#[tokio::test]
async fn every_operation_is_done_or_refused_on_a_key_in_each_state_as_awss_table_says() {
    let (world, _vault) = world();
    let store = world.connected_store(token()).await;
    let mut stage = Stage { world, store, keys: 0 };
    let (mut cells, mut impossible) = (0, 0);
    for (operation, notes) in expected_rows() {
        for (states, note) in COLUMNS.into_iter().zip(notes) {
            let own = if note == "N/A" { note } else { note.split('/').next().unwrap_or(note) };
            for &state in states {
                if own == "N/A" {
                    impossible += 1;
                    continue;
                }
                let Some(subject) = stage.subject(operation, state).await else {
                    impossible += 1;
                    continue;
                };
                let inputs = stage.inputs(operation, &subject).await;
                stage.bring(&subject, state).await;
                let expected = told(own, state, subject.origin, &arn_of(&subject.id));
                for input in inputs {
                    let answer = stage.world.call("admin", operation, input).await.map(drop);
                    assert_eq!(answer, expected, "{operation} on a key that is {state}");
                }
                if state == KeyState::Unavailable {
                    stage.world.connect(&stage.store).await;
                }
                cells += 1;
            }
        }
    }
    // Impossible are the 7 that AWS says do not exist, and ML-KEM keys that wait for an import.
    assert_eq!((cells, impossible), (351, 9));
}
