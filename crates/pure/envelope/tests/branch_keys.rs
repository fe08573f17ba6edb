//! Branch keys, their store, and the keyring over it, against a key service in memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
#[path = "common/fake_kms.rs"]
mod fake_kms;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use common::{Hand, open, reasons, seal, wait};
use envelope::branch_key::{
    BranchKeyError, BranchKeyRecords as _, BranchKeyStore as _, KmsBranchKeyStore, LocalBranchKeyRecords, StoreKey,
};
use envelope::{Encryption, EncryptionContext, HierarchicalKeyring};
use fake_kms::{FakeKms, arn};

const MRK: &str = "mrk-4321abcd12ab34cd56ef1234567890ab";

type Store = KmsBranchKeyStore<LocalBranchKeyRecords>;

fn store(kms: &Arc<FakeKms>, key: StoreKey) -> Store {
    KmsBranchKeyStore::new(LocalBranchKeyRecords::default(), "tenants", kms.clone(), key)
}

#[test]
fn branch_keys_wrap_data_keys_and_old_versions_open_for_ever() {
    let kms = FakeKms::new("us-east-1").with("key-1").shared();
    let store = Arc::new(store(&kms, StoreKey::Key(arn("us-east-1", "key-1"))));
    let now = SystemTime::UNIX_EPOCH + Duration::from_micros(1_685_818_969_358_001);
    let id = wait(store.create(None, &EncryptionContext::from([("department", "admin")]), now)).unwrap();
    kms.calls();

    let hand = Hand::new();
    let keyring = HierarchicalKeyring::new(store.clone(), &id, Duration::from_secs(60), hand.clock());
    let first = seal(&keyring).unwrap();
    let second = seal(&keyring).unwrap();
    assert_eq!(kms.calls(), [format!("Decrypt {}", arn("us-east-1", "key-1"))], "the branch key is kept");
    assert_eq!(open(&keyring, &first).unwrap(), format!("branch key {id}"));
    assert_eq!(kms.calls().len(), 1, "decryption asks for its version");
    open(&keyring, &second).unwrap();
    assert!(kms.calls().is_empty());

    let version = wait(store.rotate(&id, now)).unwrap();
    hand.forward(60);
    let third = seal(&keyring).unwrap();
    let ciphertext = &envelope::Header::inspect(&third[..]).unwrap().encrypted_data_keys()[0].ciphertext.clone();
    assert_eq!(ciphertext[28..44], version.0, "the new version wraps");
    for message in [&first, &second, &third] {
        open(&keyring, message).unwrap();
    }
    let another = wait(store.create(Some("mine".to_owned()), &EncryptionContext::from([("a", "b")]), now)).unwrap();
    let stranger = HierarchicalKeyring::new(store.clone(), another, Duration::from_secs(60), hand.clock());
    assert!(reasons(open(&stranger, &first).unwrap_err())[0].contains("not under it"));
    let absent = HierarchicalKeyring::new(store, "absent", Duration::from_secs(60), hand.clock());
    assert!(reasons(seal(&absent).unwrap_err())[0].contains("there is no such branch key"));
}

#[test]
fn a_message_finds_its_branch_key_by_its_context() {
    let kms = FakeKms::new("us-east-1").with("key-1").shared();
    let store = Arc::new(store(&kms, StoreKey::Key(arn("us-east-1", "key-1"))));
    for tenant in ["blue", "red"] {
        let context = EncryptionContext::from([("tenant", tenant)]);
        wait(store.create(Some(format!("branch-{tenant}")), &context, SystemTime::UNIX_EPOCH)).unwrap();
    }
    let choose = |context: &EncryptionContext| match context.get("tenant") {
        Some(tenant) => Ok(format!("branch-{tenant}")),
        None => Err("no tenant".into()),
    };
    let keyring = HierarchicalKeyring::by_context(store, choose, Duration::from_secs(60), Instant::now);
    assert_eq!(open(&keyring, &seal(&keyring).unwrap()).unwrap(), "branch key branch-blue");
    let refused = Encryption::new(&keyring).encrypt(b"x").unwrap_err();
    assert_eq!(reasons(refused), ["branch key: no tenant"]);
}

#[test]
fn records_have_the_published_form_and_every_attribute_is_authenticated() {
    let kms = FakeKms::new("us-east-1").with("key-1").shared();
    let key = arn("us-east-1", "key-1");
    let made = store(&kms, StoreKey::Key(key.clone()));
    let now = SystemTime::UNIX_EPOCH + Duration::from_micros(1_685_818_969_358_001);
    let id = wait(made.create(None, &EncryptionContext::from([("department", "admin")]), now)).unwrap();
    let records = made.records().records();
    let kinds: Vec<_> = records.iter().map(|record| record.kind.as_str()).collect();
    assert_eq!((kinds[0], kinds[1]), ("beacon:ACTIVE", "branch:ACTIVE"));
    let active = &records[1];
    let expected = [
        ("aws-crypto-ec:department", "admin"),
        ("create-time", "2023-06-03T19:02:49.358001Z"),
        ("hierarchy-version", "1"),
        ("kms-arn", &key),
        ("version", kinds[2]),
    ];
    assert_eq!(active.attributes.iter().map(|(name, value)| (&name[..], &value[..])).collect::<Vec<_>>(), expected);

    let opened = wait(made.active(&id)).unwrap();
    assert_eq!(opened.context, EncryptionContext::from([("department", "admin")]));
    assert_eq!(format!("branch:version:{}", opened.version), kinds[2]);
    let same = wait(made.version(&id, opened.version)).unwrap();
    assert_eq!(same.key.expose(), opened.key.expose());

    let changes: [fn(&mut envelope::branch_key::BranchKeyRecord); 5] = [
        |record| record.attributes.insert("aws-crypto-ec:department".into(), "user".into()).map_or((), drop),
        |record| record.attributes.remove("aws-crypto-ec:department").map_or((), drop),
        |record| record.attributes.insert("create-time".into(), "2024".into()).map_or((), drop),
        |record| drop(record.attributes.insert("more".into(), "x".into())),
        |record| *record.encrypted.last_mut().unwrap() ^= 1,
    ];
    for change in changes {
        let mut changed = records.clone();
        change(&mut changed[1]);
        let store = KmsBranchKeyStore::new(
            LocalBranchKeyRecords::from_iter(changed),
            "tenants",
            kms.clone(),
            StoreKey::Key(key.clone()),
        );
        assert!(matches!(wait(store.active(&id)), Err(BranchKeyError::Kms(_))));
        assert!(matches!(wait(store.rotate(&id, now)), Err(BranchKeyError::Kms(_))));
    }
    for name in ["create-time", "hierarchy-version", "kms-arn", "version"] {
        let mut changed = records.clone();
        changed[1].attributes.remove(name);
        let records = LocalBranchKeyRecords::from_iter(changed);
        let store = KmsBranchKeyStore::new(records, "tenants", kms.clone(), StoreKey::Discovery);
        assert!(matches!(wait(store.active(&id)), Err(BranchKeyError::Malformed(_))), "{name}");
    }
    let renamed = KmsBranchKeyStore::new(LocalBranchKeyRecords::from_iter(records), "x", kms, StoreKey::Key(key));
    assert!(matches!(wait(renamed.active(&id)), Err(BranchKeyError::Kms(_))), "the store's name is bound");
}

#[test]
fn a_store_uses_the_kms_keys_that_it_is_told_to() {
    let (home, away) = (FakeKms::new("us-east-1").with(MRK).shared(), FakeKms::new("eu-west-1").with(MRK).shared());
    let made = store(&home, StoreKey::Key(arn("us-east-1", MRK)));
    let context = EncryptionContext::from([("a", "b")]);
    let id = wait(made.create(None, &context, SystemTime::UNIX_EPOCH)).unwrap();
    let open = |kms: &Arc<FakeKms>, key: StoreKey| {
        let records = LocalBranchKeyRecords::from_iter(made.records().records());
        let store = KmsBranchKeyStore::new(records, "tenants", kms.clone(), key);
        let refused = wait(store.create(None, &context, SystemTime::UNIX_EPOCH));
        (wait(store.active(&id)).err(), refused.err())
    };
    assert!(matches!(open(&home, StoreKey::Discovery), (None, Some(BranchKeyError::Incapable(_)))));
    assert!(matches!(open(&away, StoreKey::MultiRegionKey(arn("eu-west-1", MRK))), (None, None)));
    assert!(matches!(open(&away, StoreKey::MultiRegionDiscovery("eu-west-1".into())), (None, Some(_))));
    assert!(matches!(open(&away, StoreKey::Key(arn("eu-west-1", MRK))), (Some(BranchKeyError::OtherKey(_)), _)));
    assert!(matches!(open(&away, StoreKey::Discovery), (Some(BranchKeyError::Kms(_)), _)));
}

#[test]
fn two_rotations_at_once_make_one_version() {
    let kms = FakeKms::new("us-east-1").with("key-1").shared();
    let store = store(&kms, StoreKey::Key(arn("us-east-1", "key-1")));
    let context = EncryptionContext::from([("a", "b")]);
    let id = wait(store.create(Some("one".to_owned()), &context, SystemTime::UNIX_EPOCH)).unwrap();
    let again = wait(store.create(Some("one".to_owned()), &context, SystemTime::UNIX_EPOCH));
    assert!(matches!(again, Err(BranchKeyError::Conflict)));
    assert!(matches!(
        wait(store.create(Some("two".to_owned()), &EncryptionContext::new(), SystemTime::UNIX_EPOCH)),
        Err(BranchKeyError::Incapable(_))
    ));
    let old = wait(store.records().get(&id, "branch:ACTIVE")).unwrap().unwrap();
    wait(store.rotate(&id, SystemTime::UNIX_EPOCH)).unwrap();
    let late = wait(store.records().put(Vec::new(), Some((old.clone(), old.encrypted))));
    assert!(matches!(late, Err(BranchKeyError::Conflict)));
    assert_eq!(store.records().records().len(), 4);
}
