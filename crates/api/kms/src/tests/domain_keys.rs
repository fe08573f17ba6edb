//! Domain keys: they take over from each other, and no ciphertext and no token notices.

use std::time::Duration;

use super::*;
use crate::domain_key::{DomainKeyReport, DomainKeyState, DomainTurnover, domain_keys};
use crate::record::KeyRecord;

const PERIOD_DAYS: u32 = 365;

impl World {
    async fn turn_over(&self) -> DomainTurnover {
        self.kms.turn_over_domain_keys(self.now(), PERIOD_DAYS).await.expect("turned over")
    }

    /// Makes the second domain key, so that it takes over by one transaction.
    async fn make_second(&self) {
        self.store.keyring().key(&format!("domain/{REGION}/2")).await.expect("made");
    }

    /// Keeps the writer from writing until `count` writes wait behind this one. What they read before is what was there.
    async fn hold_writer(&self, count: usize) {
        let (release, released) = std::sync::mpsc::channel::<()>();
        let held = self.store.write(move |_| {
            // Returns once released, or when the sender is gone.
            let _ = released.recv();
            Ok::<_, store::StoreError>(())
        });
        let releasing = async {
            self.writes_wait(1 + count).await;
            release.send(()).expect("held");
        };
        tokio::join!(held, releasing).0.expect("released");
    }

    async fn writes_wait(&self, count: usize) {
        let waiting = async {
            while self.store.writes_waiting() < count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("they get in line");
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

/// A world whose store reads while it writes, which one in memory does not.
fn on_disk() -> (World, tempfile::TempDir) {
    let directory = tempfile::tempdir().expect("a directory");
    let root = store::RootKey::from(Key256::random());
    (World::over(Store::open(directory.path().join("db"), &root).expect("a store")), directory)
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
        let in_time = tokio::time::timeout(Duration::from_micros(micros), turning).await;
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
        record.materials[0].id = crate::record::material::MaterialId::of(b"another", &record.id);
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

/// Domain keys as reported to an operator: generation, state and how many keys.
async fn states(world: &World) -> Vec<(u32, DomainKeyState, u64)> {
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
    assert_eq!(states(&world).await, [(1, Serves(None), 1)], "a key of two versions is one key");
    let now = world.now();
    // Before its time began to count, and twice on end.
    assert_eq!(world.kms.rotate_domain_keys(now).await.expect("rotated").len(), 1);
    assert_eq!(states(&world).await, [(1, Retired(now), 1), (2, Serves(Some(now)), 0)]);
    assert_eq!(world.kms.rotate_domain_keys(now).await.expect("rotated")[0].generation, 3);
    world.key().await;
    assert_eq!(states(&world).await, [(1, Retired(now), 1), (2, Retired(now), 0), (3, Serves(Some(now)), 1)]);
    let turnover = world.turn_over().await;
    assert_eq!((turnover.rotated.len(), turnover.rewrapped, turnover.dropped), (0, 1, 0));
    assert_eq!(states(&world).await, [(1, Retired(now), 0), (2, Retired(now), 0), (3, Serves(Some(now)), 2)]);
    world.done("admin", "Decrypt", json!({"CiphertextBlob": blob})).await;

    // Calls that are under way, in this process or another one, may have a record in hand that was under them.
    assert_eq!(world.turn_over().await, DomainTurnover::default());
    let other = World::over(world.store.clone());
    NOW.set(now.millis());
    assert_eq!(other.turn_over().await, DomainTurnover::default(), "another process knows no more than this one");
    other.pass_days(1);
    assert_eq!(other.turn_over().await, DomainTurnover { dropped: 2, ..DomainTurnover::default() });
    assert_eq!(states(&other).await, [(3, Serves(Some(now)), 2)]);
    other.done("admin", "Decrypt", json!({"CiphertextBlob": blob})).await;
}

#[tokio::test]
async fn a_domain_key_that_keys_were_moved_from_stays_for_a_day_whichever_process_looks() {
    let world = World::new();
    world.key().await;
    world.kms.rotate_domain_keys(world.now()).await.expect("rotated");
    world.pass_days(30);
    assert_eq!(world.turn_over().await.rewrapped, 1);
    assert_eq!(world.turn_over().await.dropped, 0);
    let (store, now) = (world.store.clone(), world.now());
    drop(world);
    // It was started anew.
    let world = World::over(store);
    NOW.set(now.millis());
    assert_eq!(world.turn_over().await.dropped, 0);
    world.pass_days(1);
    assert_eq!(world.turn_over().await.dropped, 1);
}

#[tokio::test]
async fn what_was_wrapped_under_a_domain_key_that_retires_meanwhile_is_wrapped_anew() {
    let (world, _directory) = on_disk();
    let (key, external) = (world.key().await, world.external(json!({})).await);
    let blob = world.encrypted(&key, "kept").await;
    world.turn_over().await;
    let parameters = world.parameters_in(REGION, &external, "RSAES_OAEP_SHA_256").await;
    let import = json!({"KeyId": external, "ImportToken": parameters.token, "EncryptedKeyMaterial":
        parameters.wrap(&[7; 32]), "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"});
    let service = json!({"KeyId": "alias/aws/s3"});
    world.make_second().await;
    // Each reads which domain key serves while the writer is held; then they are written in this order.
    let (_, rotated, _) = tokio::join!(world.hold_writer(5), world.kms.rotate_domain_keys(world.now()), async {
        world.writes_wait(2).await;
        tokio::join!(
            world.key(),
            world.done("admin", "RotateKeyOnDemand", json!({"KeyId": key})),
            world.done("admin", "ImportKeyMaterial", import),
            world.done("admin", "DescribeKey", service),
        )
    },);
    assert_eq!(rotated.expect("rotated").len(), 1);
    let second = format!("domain/{REGION}/2");
    let records = world.store.read(|tx| tx.scan_collection::<KeyRecord>(None, 100)).await.expect("read").items;
    assert_eq!(records.len(), 4);
    for record in records {
        let newest = record.materials.last().and_then(|material| material.wrapped.as_ref()).expect("material");
        assert_eq!(newest.domain_key, second, "{}", record.description);
    }
    world.pass_days(2);
    world.turn_over().await;
    world.pass_days(2);
    assert_eq!(world.turn_over().await.dropped, 1);
    world.done("admin", "Decrypt", json!({"CiphertextBlob": blob})).await;
}

#[tokio::test]
async fn two_that_replace_domain_keys_at_once_make_one() {
    let (world, _directory) = on_disk();
    world.key().await;
    let now = world.now();
    let other = World::over(world.store.clone());
    world.make_second().await;
    let (_, one, two) =
        tokio::join!(world.hold_writer(2), world.kms.rotate_domain_keys(now), other.kms.rotate_domain_keys(now));
    assert_eq!(one.expect("rotated").len() + two.expect("rotated").len(), 1);
    use DomainKeyState::{Retired, Serves};
    assert_eq!(states(&world).await, [(1, Retired(now), 1), (2, Serves(Some(now)), 0)]);
}
