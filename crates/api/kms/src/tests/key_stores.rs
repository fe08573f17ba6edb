//! Custom key stores over a token and a proxy that the test plays: what is asked of them when, and what becomes of their
//! refusals. The real ones are met in the end-to-end tests.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::ports::{Cause, HeldCiphertext, HeldKey, KeyStore, KeyStoreError, KeyStorePlace, KeyStores};
use crypto::SecretBytes;
use crypto::aead::AeadKey;

use super::*;

/// Both kinds of store at once: keys by name, and the refusal that is given next.
#[derive(Default)]
pub(super) struct Vault {
    keys: Mutex<BTreeMap<String, Key256>>,
    refuses: Mutex<Option<KeyStoreError>>,
    destroyed: Mutex<Vec<String>>,
}

/// A connection to it.
struct Open(Arc<Vault>);

struct Vaults(Arc<Vault>);

impl Vault {
    fn keys(&self) -> Vec<String> {
        self.keys.lock().expect("no test panicked").keys().cloned().collect()
    }

    fn refuse(&self, error: KeyStoreError) {
        *self.refuses.lock().expect("no test panicked") = Some(error);
    }

    fn willing(&self) -> Result<(), KeyStoreError> {
        self.refuses.lock().expect("no test panicked").take().map_or(Ok(()), Err)
    }

    fn aead(&self, key: &str) -> Result<AeadKey, KeyStoreError> {
        self.willing()?;
        let keys = self.keys.lock().expect("no test panicked");
        keys.get(key).map(AeadKey::aes256).ok_or(KeyStoreError::KeyNotFound)
    }
}

impl KeyStores for Vaults {
    fn check<'a>(&'a self, _: &'a KeyStorePlace, _: &'a Cause) -> BoxFuture<'a, Result<(), KeyStoreError>> {
        Box::pin(async { self.0.willing() })
    }

    fn connect<'a>(
        &'a self,
        _: &'a KeyStorePlace,
        _: &'a Cause,
    ) -> BoxFuture<'a, Result<Arc<dyn KeyStore>, KeyStoreError>> {
        Box::pin(async {
            self.0.willing()?;
            Ok(Arc::new(Open(Arc::clone(&self.0))) as Arc<dyn KeyStore>)
        })
    }
}

const VECTOR: [u8; 12] = [3; 12];

impl KeyStore for Open {
    fn make_key<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), KeyStoreError>> {
        Box::pin(async {
            self.0.keys.lock().expect("no test panicked").insert(key.to_owned(), Key256::random());
            self.0.willing()
        })
    }

    fn destroy_key<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), KeyStoreError>> {
        Box::pin(async {
            self.0.willing()?;
            self.0.keys.lock().expect("no test panicked").remove(key);
            self.0.destroyed.lock().expect("no test panicked").push(key.to_owned());
            Ok(())
        })
    }

    fn check_key<'a>(&'a self, key: &'a str, _: &'a Cause) -> BoxFuture<'a, Result<(), KeyStoreError>> {
        Box::pin(async move { self.0.aead(key).map(drop) })
    }

    fn encrypt<'a>(
        &'a self,
        key: HeldKey<'a>,
        _: &'a Cause,
        aad: &'a [u8],
        plaintext: &'a [u8],
    ) -> BoxFuture<'a, Result<HeldCiphertext, KeyStoreError>> {
        Box::pin(async move {
            let mut ciphertext = plaintext.to_vec();
            let sealed = self.0.aead(key.id)?.seal_in_place(&VECTOR, aad, &mut ciphertext);
            let tag = sealed.map_err(|error| KeyStoreError::Failed(error.to_string()))?;
            Ok(HeldCiphertext { ciphertext, vector: VECTOR.to_vec(), tag, metadata: Vec::new() })
        })
    }

    fn decrypt<'a>(
        &'a self,
        key: HeldKey<'a>,
        _: &'a Cause,
        aad: &'a [u8],
        sealed: &'a HeldCiphertext,
    ) -> BoxFuture<'a, Result<SecretBytes, KeyStoreError>> {
        Box::pin(async move {
            let mut plaintext = sealed.ciphertext.clone();
            let opened = self.0.aead(key.id)?.open_in_place(&VECTOR, aad, &mut plaintext, &sealed.tag);
            opened.map_err(|_| KeyStoreError::NotAuthentic)?;
            Ok(SecretBytes::from(plaintext))
        })
    }

    fn random(&self, bytes: usize) -> BoxFuture<'_, Result<SecretBytes, KeyStoreError>> {
        Box::pin(async move { Ok(SecretBytes::from(vec![4; bytes])) })
    }
}

pub(super) fn world() -> (World, Arc<Vault>) {
    let vault = Arc::new(Vault::default());
    let stores = Arc::new(Vaults(Arc::clone(&vault)));
    (World::with(Store::open_in_memory().expect("a store"), |kms| kms.with_key_stores(stores)), vault)
}

pub(super) fn token() -> Value {
    json!({
        "CustomKeyStoreName": "vault", "CloudHsmClusterId": "cluster-vaultroomone",
        "TrustAnchorCertificate": "anchor", "KeyStorePassword": "password",
    })
}

fn proxy() -> Value {
    json!({
        "CustomKeyStoreName": "proxy", "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
        "XksProxyUriEndpoint": "https://keys.example.com", "XksProxyUriPath": "/kms/xks/v1",
        "XksProxyConnectivity": "PUBLIC_ENDPOINT",
        "XksProxyAuthenticationCredential": {
            "AccessKeyId": "ABCDEFGHIJKLMNOPQRST", "RawSecretAccessKey": "0123456789abcdefghijklmnopqrstuvwxyz0123456",
        },
    })
}

impl World {
    pub(super) async fn connected_store(&self, input: Value) -> String {
        let id = text(&self.done("admin", "CreateCustomKeyStore", input).await["CustomKeyStoreId"]);
        self.connect(&id).await;
        id
    }

    pub(super) async fn connect(&self, id: &str) {
        self.done("admin", "ConnectCustomKeyStore", json!({"CustomKeyStoreId": id})).await;
        for _ in 0..1000 {
            let found = self.done("admin", "DescribeCustomKeyStores", json!({"CustomKeyStoreId": id})).await;
            if found["CustomKeyStores"][0]["ConnectionState"] == "CONNECTED" {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("the store does not connect");
    }

    async fn key_in(&self, store: &str) -> String {
        let input = json!({"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": store});
        text(&self.done("admin", "CreateKey", input).await["KeyMetadata"]["KeyId"])
    }
}

#[tokio::test]
async fn a_destroyed_key_is_destroyed_in_its_token_once_that_is_connected() {
    let (world, vault) = world();
    let store = world.connected_store(token()).await;
    let (gone, kept) = (world.key_in(&store).await, world.key_in(&store).await);
    assert_eq!(vault.keys().len(), 2);
    world.done("admin", "ScheduleKeyDeletion", json!({"KeyId": gone, "PendingWindowInDays": 7})).await;
    world.done("admin", "DisconnectCustomKeyStore", json!({"CustomKeyStoreId": store})).await;
    world.pass_days(8);
    assert_eq!(world.kms.destroy_due(world.now()).await.expect("destroys"), 1);
    assert_eq!(world.kms.tend_key_stores(world.now()).await.expect("tends"), 0, "the store is not connected");
    assert_eq!(vault.keys().len(), 2);
    world.done("admin", "ConnectCustomKeyStore", json!({"CustomKeyStoreId": store})).await;
    world.kms.tend_key_stores(world.now()).await.expect("goes on connecting");
    vault.refuse(KeyStoreError::Busy);
    assert_eq!(world.kms.tend_key_stores(world.now()).await.expect("tends"), 0, "a refusal is not the end of it");
    world.kms.tend_key_stores(world.now()).await.expect("tends");
    assert!(vault.keys().len() == 1 && vault.keys()[0].ends_with(&kept), "{:?}", vault.keys());
    assert_eq!(world.kms.tend_key_stores(world.now()).await.expect("tends"), 0, "nothing is left to do");
}

#[tokio::test]
async fn a_key_that_was_made_for_nobody_is_destroyed_in_the_end() {
    let (world, vault) = world();
    let store = world.connected_store(token()).await;
    world.key_in(&store).await;
    vault.refuse(KeyStoreError::TokenAbsent("after it was made".to_owned()));
    let input = json!({"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": store});
    let error = world.refused("admin", "CreateKey", input).await;
    assert!(error.starts_with("CustomKeyStoreInvalidStateException: "), "{error}");
    assert!(!error.contains("after it was made"), "causes are for the log: {error}");
    assert_eq!(vault.keys().len(), 2);
    assert_eq!(world.kms.tend_key_stores(world.now()).await.expect("tends"), 0, "the call might still go on");
    world.pass_days(1);
    assert_eq!(world.kms.tend_key_stores(world.now()).await.expect("tends"), 1);
    assert_eq!(vault.keys().len(), 1);
}

#[tokio::test]
async fn an_external_key_outlives_its_kms_key_and_is_free_for_another() {
    let (world, vault) = world();
    vault.keys.lock().expect("no test panicked").insert("theirs".to_owned(), Key256::random());
    let store = world.connected_store(proxy()).await;
    let input = json!({"Origin": "EXTERNAL_KEY_STORE", "CustomKeyStoreId": store, "XksKeyId": "theirs"});
    let key = text(&world.done("admin", "CreateKey", input.clone()).await["KeyMetadata"]["KeyId"]);
    let error = world.refused("admin", "CreateKey", input.clone()).await;
    assert!(error.starts_with("XksKeyAlreadyInUseException: "), "{error}");
    world.done("admin", "ScheduleKeyDeletion", json!({"KeyId": key, "PendingWindowInDays": 7})).await;
    world.pass_days(8);
    assert_eq!(world.kms.destroy_due(world.now()).await.expect("destroys"), 1);
    world.kms.tend_key_stores(world.now()).await.expect("tends");
    assert_eq!(vault.keys(), ["theirs"]);
    assert!(vault.destroyed.lock().expect("no test panicked").is_empty());
    world.done("admin", "CreateKey", input).await;
}

#[tokio::test]
async fn each_refusal_has_the_name_that_it_has_at_aws() {
    let (world, vault) = world();
    let make: [fn() -> KeyStoreError; 6] = [
        || KeyStoreError::NotAuthenticated,
        || KeyStoreError::InvalidPath,
        || KeyStoreError::TimedOut,
        || KeyStoreError::Malformed,
        || KeyStoreError::ManagersUnavailable,
        || KeyStoreError::Forbidden { endpoint: "https://keys.example.com".to_owned() },
    ];
    let codes = [
        "XksProxyIncorrectAuthenticationCredentialException",
        "XksProxyInvalidConfigurationException",
        "XksProxyUriUnreachableException",
        "XksProxyInvalidResponseException",
        "XksProxyUriUnreachableException",
        "XksProxyInvalidConfigurationException",
    ];
    for (make, code) in make.into_iter().zip(codes) {
        vault.refuse(make());
        let error = world.refused("admin", "CreateCustomKeyStore", proxy()).await;
        assert_eq!(error, format!("{code}: {}", make()));
    }
    vault.keys.lock().expect("no test panicked").insert("theirs".to_owned(), Key256::random());
    let store = world.connected_store(proxy()).await;
    let input = json!({"Origin": "EXTERNAL_KEY_STORE", "CustomKeyStoreId": store, "XksKeyId": "theirs"});
    for (refusal, code) in [
        (KeyStoreError::KeyNotFound, "XksKeyNotFoundException"),
        (KeyStoreError::KeyDisabled, "XksKeyInvalidConfigurationException"),
        (KeyStoreError::Denied, "KMSInvalidStateException"),
        (KeyStoreError::Throttled, "CustomKeyStoreInvalidStateException"),
    ] {
        let expected = format!("{code}: {refusal}");
        vault.refuse(refusal);
        assert_eq!(world.refused("admin", "CreateKey", input.clone()).await, expected);
    }
    let key = text(&world.done("admin", "CreateKey", input).await["KeyMetadata"]["KeyId"]);
    for refusal in [KeyStoreError::KeyNotFound, KeyStoreError::Denied, KeyStoreError::Tls, KeyStoreError::Throttled] {
        let expected = format!("KMSInvalidStateException: {refusal}");
        vault.refuse(refusal);
        let input = json!({"KeyId": key, "Plaintext": base64(b"x")});
        assert_eq!(world.refused("admin", "Encrypt", input).await, expected);
    }
}

#[tokio::test]
async fn a_store_is_deleted_when_it_is_empty_and_disconnected_and_its_token_is_free() {
    let (world, _) = world();
    let store = world.connected_store(token()).await;
    let named = json!({"CustomKeyStoreId": store});
    let error = world.refused("admin", "DeleteCustomKeyStore", named.clone()).await;
    assert!(error.starts_with("CustomKeyStoreInvalidStateException: "), "{error}");
    let elsewhere = world.call_in("eu-west-1", "admin", "CreateCustomKeyStore", token()).await;
    assert!(elsewhere.is_err_and(|error| error.starts_with("CloudHsmClusterInUseException: ")), "one login a process");
    world.done("admin", "DisconnectCustomKeyStore", named.clone()).await;
    world.done("admin", "DeleteCustomKeyStore", named.clone()).await;
    let error = world.refused("admin", "ConnectCustomKeyStore", named).await;
    assert!(error.starts_with("CustomKeyStoreNotFoundException: "), "{error}");
    world.done("admin", "CreateCustomKeyStore", token()).await;
}
