//! Domain keys: they take over from each other, and no ciphertext and no token notices.

use super::*;
use crate::domain_key::{DomainKeyReport, DomainKeyState, DomainTurnover, domain_keys};
use crate::record::KeyRecord;

const PERIOD_DAYS: u32 = 365;

impl World {
    async fn turn_over(&self) -> DomainTurnover {
        self.kms.turn_over_domain_keys(self.now(), PERIOD_DAYS).await.expect("turned over")
    }

    /// The names of the domain keys that wrap something, and of those that there are.
    async fn domain_keys(&self) -> (Vec<String>, Vec<String>) {
        let records = self.store.read(|tx| tx.scan_collection::<KeyRecord>(None, 10_000)).await.expect("read").items;
        let wrapped =
            records.iter().flat_map(|record| &record.materials).filter_map(|material| material.wrapped.as_ref());
        let mut used: Vec<String> = wrapped.map(|wrapped| wrapped.domain_key.clone()).collect();
        used.sort_unstable();
        used.dedup();
        let mut there = self.store.keyring().names().await.expect("read");
        there.retain(|name| name.starts_with("domain/"));
        (used, there)
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[tokio::test]
async fn a_domain_key_serves_its_time_then_everything_moves_to_the_next_and_it_is_dropped() {
    let world = World::new();
    let key = world.key().await;
    let blob = world.encrypted(&key, "kept").await;
    world.done("admin", "RotateKeyOnDemand", json!({"KeyId": key})).await;
    let newer = world.encrypted(&key, "kept").await;
    assert_eq!(world.turn_over().await, DomainTurnover::default(), "its time begins to count");
    world.pass_days(364);
    assert_eq!(world.turn_over().await, DomainTurnover::default());

    world.pass_days(1);
    let turnover = world.turn_over().await;
    assert_eq!((turnover.rotated.len(), turnover.rotated[0].generation), (1, 2));
    assert_eq!((turnover.rewrapped, turnover.dropped), (1, 0));
    let (first, second) = (format!("domain/{REGION}"), format!("domain/{REGION}/2"));
    assert_eq!(world.domain_keys().await, (names(&[&second]), names(&[&first, &second])));
    for blob in [&blob, &newer] {
        let opened = world.done("admin", "Decrypt", json!({"CiphertextBlob": blob})).await;
        assert_eq!(opened["KeyId"], arn_of(&key));
    }
    let made = world.key().await;
    world.encrypted(&made, "later").await;
    assert_eq!(world.domain_keys().await.0, names(&[&second]), "new material is under the new one");

    assert_eq!(world.turn_over().await, DomainTurnover::default(), "its day is not over");
    world.pass_days(1);
    assert_eq!(world.turn_over().await, DomainTurnover { dropped: 1, ..DomainTurnover::default() });
    assert_eq!(world.domain_keys().await.1, names(&[&second]));
    world.done("admin", "Decrypt", json!({"CiphertextBlob": blob})).await;
    world.pass_days(365);
    assert_eq!(world.turn_over().await.rotated[0].generation, 3);
}

#[tokio::test]
async fn each_region_has_its_own_domain_keys() {
    let world = World::new();
    world.key().await;
    world.turn_over().await;
    world.pass_days(200);
    world.call_in("eu-west-1", "admin", "CreateKey", json!({})).await.expect("made");
    world.turn_over().await;
    world.pass_days(165);
    let turnover = world.turn_over().await;
    let regions: Vec<&str> = turnover.rotated.iter().map(|rotated| rotated.region.as_str()).collect();
    assert_eq!((regions, turnover.rewrapped), (vec![REGION], 1));
}

#[tokio::test]
async fn tokens_outlive_the_domain_key_that_was_current_when_they_were_made() {
    let world = World::new();
    let key = world.key().await;
    world.turn_over().await;
    world.pass_days(364);
    let grant = json!({"KeyId": key, "GranteePrincipal": user_arn(ACCOUNT, "alice"), "Operations": ["Encrypt"]});
    let token = world.done("admin", "CreateGrant", grant).await["GrantToken"].take();
    world.pass_days(1);
    assert_eq!(world.turn_over().await.rotated.len(), 1);
    let input = json!({"KeyId": key, "Plaintext": "aGVsbG8=", "GrantTokens": [token]});
    world.done("alice", "Encrypt", input).await;
}

/// Dies between any two steps: a new server over what lasts goes on from there.
#[tokio::test]
async fn what_was_begun_is_brought_to_its_end_after_a_death() {
    let directory = tempfile::tempdir().expect("a directory");
    let (path, root) = (directory.path().join("db"), store::RootKey::from(Key256::random()));
    let open = || Store::open(&path, &root).expect("a store");
    let world = World::over(open());
    let mut blobs = Vec::new();
    for _ in 0..150 {
        let key = world.key().await;
        blobs.push(world.encrypted(&key, "kept").await);
    }
    world.turn_over().await;
    world.pass_days(366);
    let now = NOW.get();
    // Ended wherever it is by then: after the new key, within a batch, between batches, at the end.
    let mut ended = 0;
    for micros in [0, 300, 1000, 3000, 10_000, 30_000] {
        let turning = world.kms.turn_over_domain_keys(Timestamp::from_millis(now), PERIOD_DAYS);
        let in_time = tokio::time::timeout(std::time::Duration::from_micros(micros), turning).await;
        ended += usize::from(in_time.is_err());
    }
    assert!(ended > 0, "some were cut short");
    drop(world);

    let world = World::over(open());
    NOW.set(now);
    world.turn_over().await;
    let second = format!("domain/{REGION}/2");
    assert_eq!(world.domain_keys().await.0, names(&[&second]));
    for blob in &blobs {
        world.done("admin", "Decrypt", json!({"CiphertextBlob": blob})).await;
    }
    world.pass_days(2);
    world.turn_over().await;
    assert_eq!(world.domain_keys().await.1, names(&[&second]));
    for blob in &blobs {
        world.done("admin", "Decrypt", json!({"CiphertextBlob": blob})).await;
    }
}

#[tokio::test]
async fn material_that_cannot_be_unwrapped_keeps_its_domain_key_and_holds_up_no_other() {
    let world = World::new();
    let (good, bad) = (world.key().await, world.key().await);
    let blob = world.encrypted(&good, "kept").await;
    world.turn_over().await;
    let (place, id) = (crate::record::domain(ACCOUNT, REGION), bad.clone());
    let changed = world.store.write(move |tx| {
        let mut record = tx.get::<KeyRecord>(&place, &id)?.expect("a key");
        let other = record.materials[0].clone();
        record.materials[0].id = crate::material::MaterialId::of(b"another", &record.id);
        record.materials.push(other);
        tx.put(&place, &id, &record)
    });
    changed.await.expect("damaged");
    world.pass_days(400);
    for _ in 0..3 {
        assert_eq!(world.turn_over().await.damaged, 1);
        world.pass_days(2);
    }
    let first = format!("domain/{REGION}");
    assert!(world.domain_keys().await.1.contains(&first), "the damaged key may be mended yet");
    world.done("admin", "Decrypt", json!({"CiphertextBlob": blob})).await;
}

/// What an operator is told: generation, state and how many keys.
async fn told(world: &World) -> Vec<(u32, DomainKeyState, u64)> {
    let told = domain_keys(&world.store).await.expect("read").into_iter();
    told.map(|DomainKeyReport { generation, state, keys, .. }| (generation, state, keys)).collect()
}

#[tokio::test]
async fn an_operator_replaces_domain_keys_early_and_sees_how_far_that_is() {
    use DomainKeyState::{Retired, Serves};
    let world = World::new();
    let key = world.key().await;
    let blob = world.encrypted(&key, "kept").await;
    world.done("admin", "RotateKeyOnDemand", json!({"KeyId": key})).await;
    world.encrypted(&key, "kept").await;
    assert_eq!(told(&world).await, [(1, Serves(None), 1)], "a key of two versions is one key");
    let now = world.now();
    // Before its time began to count, and twice on end.
    assert_eq!(world.kms.rotate_domain_keys(now).await.expect("rotated").len(), 1);
    assert_eq!(told(&world).await, [(1, Retired(now), 1), (2, Serves(Some(now)), 0)]);
    assert_eq!(world.kms.rotate_domain_keys(now).await.expect("rotated")[0].generation, 3);
    world.key().await;
    assert_eq!(told(&world).await, [(1, Retired(now), 1), (2, Retired(now), 0), (3, Serves(Some(now)), 1)]);
    let turnover = world.turn_over().await;
    assert_eq!((turnover.rotated.len(), turnover.rewrapped, turnover.dropped), (0, 1, 0));
    assert_eq!(told(&world).await, [(1, Retired(now), 0), (2, Retired(now), 0), (3, Serves(Some(now)), 2)]);
    world.done("admin", "Decrypt", json!({"CiphertextBlob": blob})).await;

    // Calls that are under way may have them in hand, for a day in this process; in another one nobody has.
    assert_eq!(world.turn_over().await, DomainTurnover::default());
    let other = World::over(world.store.clone());
    NOW.set(now.millis());
    assert_eq!(other.turn_over().await, DomainTurnover { dropped: 2, ..DomainTurnover::default() });
    assert_eq!(told(&other).await, [(3, Serves(Some(now)), 2)]);
    other.done("admin", "Decrypt", json!({"CiphertextBlob": blob})).await;
}

#[tokio::test]
async fn a_domain_key_that_a_process_moved_keys_from_stays_with_it_for_a_day() {
    let world = World::new();
    world.key().await;
    world.kms.rotate_domain_keys(world.now()).await.expect("rotated");
    let (store, now) = (world.store.clone(), world.now());
    drop(world);
    let world = World::over(store);
    NOW.set(now.millis());
    world.pass_days(30);
    assert_eq!(world.turn_over().await.rewrapped, 1);
    assert_eq!(world.turn_over().await.dropped, 0);
    world.pass_days(1);
    assert_eq!(world.turn_over().await.dropped, 1);
}
