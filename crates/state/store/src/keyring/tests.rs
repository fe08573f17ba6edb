use super::*;
use crate::engine::Engine;

fn keyring() -> (Arc<dyn Engine>, RootKey) {
    (engine::open(&Location::Memory).unwrap(), RootKey::random())
}

#[tokio::test]
async fn a_wrapped_key_moved_to_another_name_is_not_authentic() {
    let (db, root) = keyring();
    let ring = Keyring::open(Arc::clone(&db), &Location::Memory, &root).unwrap();
    ring.key("mine").await.unwrap();
    ring.key("yours").await.unwrap();
    let wrapping = Wrapping::new(&root);
    let moved = write_blocking(&*db, move |tx| {
        let value = tx.get(row(&wrapping.id("mine")))?.unwrap();
        tx.put(row(&wrapping.id("yours")), &value).map(drop)
    });
    moved.unwrap();
    let again = Keyring::open(db, &Location::Memory, &root).unwrap();
    assert!(again.key("mine").await.is_ok());
    assert_eq!(again.key("yours").await.err(), Some(refused()));
    assert_eq!(again.names_blocking().err(), Some(refused()));
}

#[tokio::test]
async fn a_damaged_row_is_refused_and_never_replaced_by_a_new_key() {
    let (db, root) = keyring();
    let ring = Keyring::open(Arc::clone(&db), &Location::Memory, &root).unwrap();
    ring.key("name").await.unwrap();
    for length in [0, 7, 8, 9, 40] {
        let wrapping = Wrapping::new(&root);
        let damaged = write_blocking(&*db, move |tx| {
            let mut value = tx.get(row(&wrapping.id("name")))?.unwrap();
            value.truncate(length);
            tx.put(row(&wrapping.id("name")), &value).map(drop)
        });
        damaged.unwrap();
        let again = Keyring::open(Arc::clone(&db), &Location::Memory, &root).unwrap();
        assert_eq!(again.key("name").await.err(), Some(refused()));
    }
}

#[tokio::test]
async fn a_key_outlives_the_keyring_that_made_it() {
    let (db, root) = keyring();
    let first = Keyring::open(Arc::clone(&db), &Location::Memory, &root).unwrap().key("name").await.unwrap();
    let second = Keyring::open(db, &Location::Memory, &root).unwrap().key("name").await.unwrap();
    assert_eq!(first.expose(), second.expose());
}

#[tokio::test]
async fn a_database_that_lost_its_first_keys_is_refused() {
    let (db, root) = keyring();
    Keyring::open(Arc::clone(&db), &Location::Memory, &root).unwrap();
    let wrapping = Wrapping::new(&root);
    write_blocking(&*db, move |tx| tx.delete(row(&wrapping.id(RECORD)))).unwrap();
    assert_eq!(crate::Store::over(db, &Location::Memory, &root).err(), Some(refused()));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_made_and_found_while_the_root_key_is_replaced() {
    let (db, mut root) = keyring();
    let ring = Arc::new(Keyring::open(Arc::clone(&db), &Location::Memory, &root).unwrap());
    let mut made = Vec::new();
    for round in 0..20 {
        let next = RootKey::random();
        let rewrapping = tokio::task::spawn_blocking({
            let (ring, old, new) = (Arc::clone(&ring), root.duplicate(), next.duplicate());
            move || ring.rewrap(&old, &new)
        });
        let names: Vec<String> = (0..10).map(|name| format!("{round}/{name}")).collect();
        let making: Vec<_> = names
            .iter()
            .map(|name| {
                let (ring, name) = (Arc::clone(&ring), name.clone());
                tokio::spawn(async move { ring.key(&name).await.unwrap() })
            })
            .collect();
        for (name, making) in names.into_iter().zip(making) {
            made.push((name, making.await.unwrap()));
        }
        rewrapping.await.unwrap().unwrap();
        root = next;
    }
    assert_eq!(ring.names_blocking().unwrap().len(), made.len() + 2);
    let again = Keyring::open(db, &Location::Memory, &root).unwrap();
    for (name, key) in made {
        assert_eq!(again.key(&name).await.unwrap().expose(), key.expose(), "{name}");
    }
}

#[tokio::test]
async fn a_rewrapping_from_a_root_key_that_the_database_is_not_under_changes_nothing() {
    let (db, root) = keyring();
    let ring = Keyring::open(Arc::clone(&db), &Location::Memory, &root).unwrap();
    let (other, next) = (RootKey::random(), RootKey::random());
    assert!(matches!(ring.rewrap(&other, &next), Err(StoreError::WrongRootKey { .. })));
    ring.key("name").await.unwrap();
    ring.rewrap(&root, &next).unwrap();
    ring.rewrap(&root, &next).unwrap();
    ring.key("another").await.unwrap();
    assert_eq!(Keyring::open(db, &Location::Memory, &next).unwrap().names_blocking().unwrap().len(), 4);
}

#[tokio::test]
async fn a_removed_key_is_gone_and_one_that_never_was_is_not_made_by_asking() {
    let (db, root) = keyring();
    let ring = Keyring::open(Arc::clone(&db), &Location::Memory, &root).unwrap();
    assert!(ring.existing("name").await.unwrap().is_none());
    let made = ring.key("name").await.unwrap();
    let again = Keyring::open(Arc::clone(&db), &Location::Memory, &root).unwrap();
    assert_eq!(again.existing("name").await.unwrap().expect("it").expose(), made.expose());
    ring.remove("name").await.unwrap();
    ring.remove("name").await.unwrap();
    assert!(ring.peek("name").is_none() && ring.existing("name").await.unwrap().is_none());
    assert_eq!(ring.names_blocking().unwrap().len(), 2);
}
