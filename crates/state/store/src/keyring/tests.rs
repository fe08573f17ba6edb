use super::*;
use crate::db::Db;

fn keyring() -> (Arc<dyn Db>, RootKey) {
    (Arc::new(Sqlite::in_memory().unwrap()), RootKey::random())
}

#[test]
fn a_wrapped_key_moved_to_another_name_is_not_authentic() {
    let (db, root) = keyring();
    let ring = Keyring::open(Arc::clone(&db), Path::new("test"), &root).unwrap();
    ring.key_blocking("mine").unwrap();
    ring.key_blocking("yours").unwrap();
    let wrapping = Wrapping::new(&root);
    let moved = write_blocking(&*db, move |tx| {
        let value = tx.get(row(&wrapping.id("mine")))?.unwrap();
        tx.put(row(&wrapping.id("yours")), &value)
    });
    moved.unwrap();
    let again = Keyring::open(db, Path::new("test"), &root).unwrap();
    assert!(again.key_blocking("mine").is_ok());
    assert_eq!(again.key_blocking("yours").err(), Some(refused()));
    assert_eq!(again.names_blocking().err(), Some(refused()));
}

#[test]
fn a_damaged_row_is_refused_and_never_replaced_by_a_new_key() {
    let (db, root) = keyring();
    let ring = Keyring::open(Arc::clone(&db), Path::new("test"), &root).unwrap();
    ring.key_blocking("name").unwrap();
    for length in [0, 7, 8, 9, 40] {
        let wrapping = Wrapping::new(&root);
        let damaged = write_blocking(&*db, move |tx| {
            let mut value = tx.get(row(&wrapping.id("name")))?.unwrap();
            value.truncate(length);
            tx.put(row(&wrapping.id("name")), &value)
        });
        damaged.unwrap();
        let again = Keyring::open(Arc::clone(&db), Path::new("test"), &root).unwrap();
        assert_eq!(again.key_blocking("name").err(), Some(refused()));
    }
}

#[test]
fn a_key_outlives_the_keyring_that_made_it() {
    let (db, root) = keyring();
    let first = Keyring::open(Arc::clone(&db), Path::new("test"), &root).unwrap().key_blocking("name").unwrap();
    let second = Keyring::open(db, Path::new("test"), &root).unwrap().key_blocking("name").unwrap();
    assert_eq!(first.expose(), second.expose());
}
