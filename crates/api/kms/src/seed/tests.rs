use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::*;
use crate::tests::{ACCOUNT, People};

const REGION: &str = "us-east-1";
const ID: &str = "11111111-2222-3333-4444-555555555555";
const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

async fn planted(keys: &[Value]) -> Result<Store, KmsError> {
    let store = Store::open_in_memory().expect("a store");
    let keys = keys.iter().map(|key| serde_json::from_value(key.clone()).expect("a key")).collect();
    let by = Operator { uid: 1000, time: NOW };
    seed(&store, &People::default(), ACCOUNT, (REGION, &Regions::default()), keys, by).await.map(|()| store)
}

#[tokio::test]
async fn a_key_of_given_material_has_the_same_material_id_everywhere() {
    let key = json!({"id": ID, "aliases": ["alias/app"], "material": STANDARD.encode([7; 32])});
    let mut ids = Vec::new();
    for _ in 0..2 {
        let store = planted(std::slice::from_ref(&key)).await.expect("planted");
        let (record, alias) = store
            .read(|tx| {
                let domain = crate::record::domain(ACCOUNT, REGION);
                Ok::<_, KmsError>((tx.get::<KeyRecord>(&domain, ID)?, tx.get::<AliasRecord>(&domain, "alias/app")?))
            })
            .await
            .expect("read");
        assert_eq!(alias.expect("an alias").key_id, ID);
        ids.push(record.expect("a key").current.expect("material"));
    }
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn what_a_key_may_not_say_is_refused() {
    for (keys, complaint) in [
        (vec![json!({"id": "1"})], "not a UUID"),
        (vec![json!({"id": ID, "region": "moon-1"})], "no Region \"moon-1\""),
        (vec![json!({"id": ID, "tags": {"Team": "x", "team": "y"}})], "Duplicate tag keys"),
        (vec![json!({"id": "mrk-1234abcd12ab34cd56ef1234567890ab"})], "not a UUID"),
        (vec![json!({"id": ID}), json!({"id": ID})], "given twice"),
        (vec![json!({"id": ID, "usage": "SIGN_VERIFY"})], "usage"),
        (vec![json!({"id": ID, "spec": "RSA_2048"})], "several usages"),
        (vec![json!({"id": ID, "aliases": ["app"]})], "alias/"),
        (vec![json!({"id": ID, "aliases": ["alias/aws/s3"]})], "reserved"),
        (vec![json!({"id": ID, "aliases": ["alias/a b"]})], "letters"),
        (vec![json!({"id": ID, "material": STANDARD.encode([7; 31])})], "not of its spec"),
        (vec![json!({"id": ID, "tags": {"aws:x": "y"}})], "reserved"),
        (vec![json!({"id": ID, "policy": "{}"})], ""),
    ] {
        let error = planted(&keys).await.map(|_| ()).expect_err(complaint);
        assert!(error.to_string().contains(complaint), "{error}");
    }
}

#[tokio::test]
async fn a_seed_that_was_planted_already_changes_nothing() {
    let key = json!({"id": ID, "aliases": ["alias/app"]});
    let store = planted(std::slice::from_ref(&key)).await.expect("planted");
    let record = || async {
        let found = store.read(|tx| tx.get::<KeyRecord>(&crate::record::domain(ACCOUNT, REGION), ID)).await;
        found.map_err(KmsError::from).expect("read").expect("a key").current
    };
    let before = record().await;
    let keys = vec![serde_json::from_value(key).expect("a key")];
    let by = Operator { uid: 1000, time: NOW };
    seed(&store, &People::default(), ACCOUNT, (REGION, &Regions::default()), keys, by).await.expect("done");
    assert_eq!(record().await, before);
}
