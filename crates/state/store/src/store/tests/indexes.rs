//! Guarantees of ordered indexes, on every engine.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Mutex;

use super::*;
use crate::index::COLLECTION;
use crate::{Indexed, Watch};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Item(pub(crate) String);

impl Indexed for Item {
    const NAME: &'static str = "items";
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Other(u32);

impl Indexed for Other {
    const NAME: &'static str = "others";
}

pub(crate) fn item(text: &str) -> Item {
    Item(text.to_owned())
}

/// Small random numbers, the same for the same seed.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new() -> Self {
        let mut seed = [0; 8];
        crypto::random_bytes(&mut seed);
        Self(u64::from_le_bytes(seed) | 1)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    /// Short and long keys, many of which begin alike and some of which come again.
    fn key(&mut self) -> Vec<u8> {
        let mut key = match self.below(8) {
            0 => vec![b'p'; 1000],
            1 => vec![b'q'; 600],
            2 => Vec::new(),
            _ => format!("photos/{}/", self.below(30)).into_bytes(),
        };
        for _ in 0..self.below(6) {
            key.push(b"ab/\0\xff0123"[self.below(9)]);
        }
        key
    }

    fn item(&mut self) -> Item {
        let length = if self.below(4) == 0 { self.below(880) } else { self.below(100) };
        Item("v".repeat(length))
    }
}

type Model = BTreeMap<Vec<u8>, Item>;

enum Step {
    Put(Vec<u8>, Item),
    Insert(Vec<u8>, Item),
    Remove(Vec<u8>),
}

impl Step {
    fn random(random: &mut Random, model: &Model, removing: bool) -> Self {
        let known = (!model.is_empty()).then(|| model.keys().nth(random.below(model.len())).unwrap().clone());
        match (random.below(10), known) {
            (0..=2, Some(known)) => Self::Remove(known),
            (3..=7, Some(known)) if removing => Self::Remove(known),
            (3, Some(known)) => Self::Put(known, random.item()),
            (4, Some(known)) => Self::Insert(known, random.item()),
            (5, _) => Self::Remove(random.key()),
            (6, _) => Self::Insert(random.key(), random.item()),
            _ => Self::Put(random.key(), random.item()),
        }
    }

    /// Does the same to the index and to the model, and finds that both answer alike.
    fn run(&self, tx: &mut Tx<'_>, model: &mut Model) -> Result<(), StoreError> {
        let mut index = tx.index_mut::<Item>("tree");
        match self {
            Self::Put(key, item) => {
                index.put(key, item)?;
                model.insert(key.clone(), item.clone());
            }
            Self::Insert(key, item) => {
                let inserted = index.insert(key, item);
                assert_eq!(inserted.is_ok(), !model.contains_key(key), "{inserted:?}");
                model.entry(key.clone()).or_insert_with(|| item.clone());
            }
            Self::Remove(key) => assert_eq!(index.remove(key)?, model.remove(key).is_some()),
        }
        let (Self::Put(key, _) | Self::Insert(key, _) | Self::Remove(key)) = self;
        assert_eq!(index.get(key)?, model.get(key).cloned());
        Ok(())
    }
}

/// Compares the whole index, and some of its ranges, with the model.
async fn compare(store: &Store, model: &Model, random: &mut Random) {
    let expected = model.clone();
    let (prefix, after) = (random.key(), random.key());
    let limit = random.below(50);
    let compared = store.read(move |tx| {
        let index = tx.index::<Item>("tree")?;
        let all = index.range(b"", Bound::Unbounded, usize::MAX)?;
        assert!(all.items.iter().map(|(key, item)| (key, item)).eq(&expected));
        assert!(!all.more);
        let prefix = &prefix[..prefix.len() / 2];
        for bound in [Bound::Included(&after[..]), Bound::Excluded(&after[..]), Bound::Unbounded] {
            let mut model =
                expected.range::<[u8], _>((bound, Bound::Unbounded)).filter(|(key, _)| key.starts_with(prefix));
            let range = index.range(prefix, bound, limit)?;
            assert!(range.items.iter().map(|(key, item)| (key, item)).eq(model.by_ref().take(limit)));
            assert_eq!(range.more, model.next().is_some());
        }
        Ok::<_, StoreError>(())
    });
    compared.await.unwrap();
}

pub(super) async fn an_index_is_what_a_sorted_map_would_be(under: Under) {
    let mut random = Random::new();
    println!("seed {}", random.0);
    let model = Arc::new(Mutex::new(Model::new()));
    for round in 0..60 {
        // It grows, and shrinks to nothing in the end.
        let removing = round % 20 >= 14 || round >= 50;
        let hold = Hold::on(&under.store).await;
        let mut group = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let (store, model, seed) = (under.store.clone(), Arc::clone(&model), random.below(usize::MAX) as u64 | 1);
            group.spawn(async move {
                let change = move |tx: &mut Tx<'_>| {
                    let mut random = Random(seed);
                    let before = model.lock().unwrap().clone();
                    let mut after = before.clone();
                    for _ in 0..random.below(60) {
                        Step::random(&mut random, &after, removing).run(tx, &mut after)?;
                    }
                    let own = tx.index::<Item>("tree")?.range(b"", Bound::Unbounded, usize::MAX)?;
                    assert!(own.items.iter().map(|(key, item)| (key, item)).eq(&after), "it sees its own changes");
                    match random.below(8) {
                        0 => return Err(TestError::Refused),
                        1 => std::panic::resume_unwind(Box::new("as this test has it")),
                        _ => *model.lock().unwrap() = after,
                    }
                    Ok(())
                };
                store.write(change).await
            });
        }
        hold.release_when(&under.store, 6).await;
        for ended in group.join_all().await {
            assert!(
                matches!(ended, Ok(()) | Err(TestError::Refused | TestError::Store(StoreError::Panicked))),
                "{ended:?}"
            );
        }
        let model = model.lock().unwrap().clone();
        compare(&under.store, &model, &mut random).await;
        if round % 5 == 0 {
            let another = under.another_store();
            compare(&another, &model, &mut random).await;
            let report = another.check().unwrap();
            assert_eq!((report.indexes, report.entries), (u64::from(!model.is_empty()), model.len() as u64));
        }
    }
    let left: Vec<Vec<u8>> = model.lock().unwrap().keys().cloned().collect();
    let empty =
        move |tx: &mut Tx<'_>| left.iter().try_for_each(|key| tx.index_mut::<Item>("tree").remove(key).map(drop));
    under.store.write(empty).await.unwrap();
    assert_eq!(pages(&under.store).await.len(), 0, "nothing is left of an empty index");
    under.store.check().unwrap();
}

pub(super) async fn an_index_that_was_emptied_can_be_filled_again(under: Under) {
    let store = &under.store;
    let change = |tx: &mut Tx<'_>| {
        let mut index = tx.index_mut::<Item>("tree");
        (0..500_u32).try_for_each(|n| index.put(&n.to_be_bytes(), &item("text")))?;
        (0..500_u32).try_for_each(|n| index.remove(&n.to_be_bytes()).map(drop))
    };
    // In one commit, in the commit that empties one that was there, and after it.
    let before = (store.standing().unwrap(), store.change_position().await.unwrap());
    store.write(change).await.unwrap();
    assert_eq!((store.standing().unwrap(), store.change_position().await.unwrap()), before);
    assert_eq!(pages(store).await.len(), 0);
    fill_index(store, "tree", 500).await;
    let refill = |tx: &mut Tx<'_>| {
        let mut index = tx.index_mut::<Item>("tree");
        (0..500).try_for_each(|n| index.remove(&key(n)).map(drop))?;
        index.put(b"again", &item("text"))
    };
    store.write(refill).await.unwrap();
    assert_eq!(store.check().unwrap().entries, 1);
    store.write(|tx| tx.index_mut::<Item>("tree").remove(b"again")).await.unwrap();
    assert_eq!((pages(store).await.len(), store.check().unwrap().indexes), (0, 0));
    fill_index(store, "tree", 500).await;
    assert_eq!(under.another_store().check().unwrap().entries, 500);
}

pub(crate) fn key(n: usize) -> Vec<u8> {
    format!("orders/{n:06}").into_bytes()
}

pub(crate) async fn fill_index(store: &Store, name: &'static str, count: usize) {
    let fill = move |tx: &mut Tx<'_>| {
        let mut index = tx.index_mut::<Item>(name);
        (0..count).try_for_each(|n| index.insert(&key(n), &item(&n.to_string())))
    };
    store.write(fill).await.unwrap();
}

async fn pages(store: &Store) -> Vec<u64> {
    store.read_db(|tx| tx.index_pages(0, usize::MAX)).await.unwrap()
}

pub(super) async fn entries_that_are_too_long_are_refused_and_the_transaction_goes_on(under: Under) {
    let store = &under.store;
    let went_on = store.write(|tx| {
        let mut index = tx.index_mut::<Item>("tree");
        let refused = index.put(&[b'k'; 1025], &item("text"));
        assert_eq!(refused, Err(StoreError::TooLarge { collection: "items", what: "key", bytes: 1025, max: 1024 }));
        let refused = index.insert(b"key", &item(&"v".repeat(899)));
        assert_eq!(refused, Err(StoreError::TooLarge { collection: "items", what: "value", bytes: 901, max: 900 }));
        index.put(&[b'k'; 1024], &item(&"v".repeat(898)))?;
        let refused = index.insert(&[b'k'; 1024], &item("text"));
        assert_eq!(refused, Err(StoreError::Exists { collection: "items" }));
        index.put(b"", &item("empty"))
    });
    went_on.await.unwrap();
    let found = store.read(|tx| tx.index::<Item>("tree")?.range(b"", Bound::Unbounded, 9)).await.unwrap();
    assert_eq!(found.items, [(vec![], item("empty")), (vec![b'k'; 1024], item(&"v".repeat(898)))]);
}

pub(super) async fn growing_keys_leave_full_pages_behind(under: Under) {
    fill_index(&under.store, "tree", 5_000).await;
    // Suffix and value of some 7 to 13 bytes and 4 for their lengths: half-full pages would be twice as many.
    let count = pages(&under.store).await.len();
    assert!((15..=25).contains(&count), "{count}");
}

pub(super) async fn sparse_pages_are_merged_and_freed_ones_used_again(under: Under) {
    let store = &under.store;
    fill_index(store, "tree", 5_000).await;
    let full = pages(store).await;
    let thin_out = |tx: &mut Tx<'_>| {
        let mut index = tx.index_mut::<Item>("tree");
        (0..5_000).filter(|n| n % 20 != 0).try_for_each(|n| index.remove(&key(n)).map(drop))
    };
    store.write(thin_out).await.unwrap();
    let thin = pages(store).await.len();
    assert!(thin * 4 < full.len(), "{thin} of {}", full.len());
    store.check().unwrap();
    let fill_up = |tx: &mut Tx<'_>| {
        let mut index = tx.index_mut::<Item>("tree");
        (0..2_500).try_for_each(|n| index.put(&key(n), &item(&n.to_string())))
    };
    store.write(fill_up).await.unwrap();
    let again = pages(store).await;
    assert!(again.iter().all(|page| full.contains(page)), "no page is new while others are free: {again:?}");
    assert_eq!(store.check().unwrap().entries, 2_625);
}

pub(super) async fn a_seek_skips_what_begins_alike_and_stays_within_the_prefix(under: Under) {
    let store = &under.store;
    let fill = |tx: &mut Tx<'_>| {
        let mut index = tx.index_mut::<Item>("tree");
        for folder in ["a", "b", "c"] {
            for n in 0..300 {
                index.put(format!("top/{folder}/{n:03}").as_bytes(), &item("text"))?;
            }
        }
        index.put(b"top/plain", &item("text"))?;
        index.put(b"zzz", &item("text"))
    };
    store.write(fill).await.unwrap();
    let listed = store.read(|tx| {
        let index = tx.index::<Item>("tree")?;
        let mut entries = index.iter(b"top/")?;
        let mut names = Vec::new();
        while let Some((key, _)) = entries.next()? {
            let rest = &key[4..];
            match rest.iter().position(|byte| *byte == b'/') {
                Some(end) => {
                    let common = &key[..4 + end + 1];
                    names.push(String::from_utf8(common.to_vec()).unwrap());
                    // The first key that does not begin so: '0' follows '/'.
                    entries.seek(&[&common[..common.len() - 1], b"0"].concat())?;
                }
                None => names.push(String::from_utf8(key).unwrap()),
            }
        }
        assert_eq!(entries.next()?, None);
        entries.seek(b"a")?;
        assert_eq!(entries.next()?.unwrap().0, b"top/a/000");
        Ok::<_, StoreError>(names)
    });
    assert_eq!(listed.await.unwrap(), ["top/a/", "top/b/", "top/c/", "top/plain"]);
}

pub(super) async fn a_token_goes_on_in_its_own_listing_alone(under: Under) {
    let store = &under.store;
    let tokens = store.read(|tx| {
        let index = tx.index::<Item>("tree")?;
        let token = index.token(b"prefix", b"orders/1");
        assert_eq!(index.open_token(b"prefix", &token)?, b"orders/1");
        assert_eq!(index.open_token(b"another", &token), Err(StoreError::BadCursor));
        assert_eq!(tx.index::<Item>("trees")?.open_token(b"prefix", &token), Err(StoreError::BadCursor));
        assert_eq!(tx.index::<Other>("tree")?.open_token(b"prefix", &token), Err(StoreError::BadCursor));
        for forged in ["", "!", &token[4..], &token.replace(|_| true, "A")] {
            assert_eq!(index.open_token(b"prefix", forged), Err(StoreError::BadCursor));
        }
        Ok::<_, StoreError>(())
    });
    tokens.await.unwrap();
}

pub(super) async fn indexes_of_other_names_and_kinds_are_apart(under: Under) {
    let store = &under.store;
    let fill = |tx: &mut Tx<'_>| {
        tx.index_mut::<Item>("a").put(b"key", &item("a"))?;
        tx.index_mut::<Item>("b").put(b"key", &item("b"))?;
        tx.index_mut::<Other>("a").put(b"key", &Other(7))
    };
    store.write(fill).await.unwrap();
    store.write(|tx| tx.index_mut::<Item>("a").remove(b"key")).await.unwrap();
    let another = under.another_store();
    let found = another.read(|tx| {
        let items = (tx.index::<Item>("a")?.get(b"key")?, tx.index::<Item>("b")?.get(b"key")?);
        Ok::<_, StoreError>((items, tx.index::<Other>("a")?.get(b"key")?))
    });
    assert_eq!(found.await.unwrap(), ((None, Some(item("b"))), Some(Other(7))));
    assert_eq!(store.check().unwrap().indexes, 2);
}

/// Remembers what it heard.
#[derive(Default)]
struct Ear(Mutex<Vec<(String, String)>>);

impl Watch for Ear {
    fn changed(&self, parent: &str, id: &str) {
        self.0.lock().unwrap().push((parent.to_owned(), id.to_owned()));
    }

    fn all_changed(&self) {}
}

pub(super) async fn a_changed_index_is_recorded_and_heard_of_once_a_commit(under: Under) {
    let (here, there) = (&under.store, under.another_store());
    let (ear, far) = (Arc::new(Ear::default()), Arc::new(Ear::default()));
    here.watch_indexes(&(ear.clone() as Arc<dyn Watch>));
    there.watch_indexes(&(far.clone() as Arc<dyn Watch>));
    let position = there.change_position().await.unwrap();
    let standing = here.standing().unwrap();
    let fill = |tx: &mut Tx<'_>| {
        let mut index = tx.index_mut::<Item>("tree");
        (0..100_u8).try_for_each(|n| index.put(&[n], &item("text")))
    };
    let ((), recorded) = here.write_recorded(|_| b"event".to_vec(), fill).await.unwrap();
    assert!(recorded);
    let heard = [("items".to_owned(), "tree".to_owned())];
    assert_eq!(*ear.0.lock().unwrap(), heard);
    let followed = there.poll_changes(&position).await.unwrap();
    assert_eq!(followed.version(Space::MAIN), position.version(Space::MAIN) + 1);
    assert_eq!(*far.0.lock().unwrap(), heard);
    let now = here.standing().unwrap();
    assert_eq!((now.version, now.recorded), (standing.version + 1, standing.recorded + 1));
    assert_ne!(now.digest, standing.digest, "the header is among the rows that the ledger vouches for");
    let nothing = |tx: &mut Tx<'_>| tx.index_mut::<Item>("tree").remove(b"none");
    assert_eq!(here.write_recorded(|_| b"event".to_vec(), nothing).await.unwrap(), (false, false));
    assert_eq!(here.standing().unwrap(), now);
}

/// Every page row of the database.
async fn rows(store: &Store) -> Vec<(u64, (u64, Vec<u8>))> {
    let rows = store.read_db(|tx| {
        let ids = tx.index_pages(0, usize::MAX)?;
        ids.into_iter().map(|id| Ok((id, tx.index_page(id)?.unwrap()))).collect()
    });
    rows.await.unwrap()
}

fn overwrite(store: &Store, id: u64, (version, value): (u64, Vec<u8>)) {
    write_blocking(&*store.inner.db, move |tx| tx.put_index_page(id, version, &value)).unwrap();
}

async fn read_all(store: &Store) -> Result<usize, StoreError> {
    store.read(|tx| Ok(tx.index::<Item>("tree")?.range(b"", Bound::Unbounded, usize::MAX)?.items.len())).await
}

pub(super) async fn a_page_put_back_swapped_cut_changed_or_removed_is_refused(under: Under) {
    let store = &under.store;
    fill_index(store, "tree", 1_000).await;
    fill_index(store, "another", 1_000).await;
    let old = rows(store).await;
    // Every leaf changes, and so does the table; the new root alone stays as it is.
    let change = |tx: &mut Tx<'_>| {
        let mut index = tx.index_mut::<Item>("tree");
        (0..1_000).try_for_each(|n| index.put(&key(n), &item(&(n + 1).to_string())))
    };
    store.write(change).await.unwrap();
    let (now, mut refused) = (rows(store).await, 0);
    let tree = now[0].0 >> 32;
    for (at, (id, row)) in now.iter().enumerate().filter(|(_, (id, _))| id >> 32 == tree) {
        let (version, value) = row.clone();
        let mut changed = value.clone();
        changed[value.len() / 2] ^= 1;
        let neighbour = now[(at + 1) % now.len()].1.clone();
        let elsewhere =
            now.iter().find(|(other, _)| *other == (id & 0xffff_ffff) | (tree + 1) << 32).unwrap().1.clone();
        let before = old.iter().find(|(other, _)| other == id).unwrap().1.clone();
        let put_back = [before.clone(), (version, before.1.clone())].into_iter().filter(|_| before != *row);
        let damaged = [
            (version, changed),
            (version, value[..value.len() - 1].to_vec()),
            (version, Vec::new()),
            (version + 1, value.clone()),
            (version + (1 << 32), value.clone()),
            neighbour,
            (version, elsewhere.1),
        ];
        for row in damaged.into_iter().chain(put_back) {
            overwrite(store, *id, row);
            let fresh = under.another_store();
            let expected = Err(StoreError::NotAuthentic { collection: "items".to_owned() });
            assert_eq!(read_all(&fresh).await, expected, "page {at}");
            assert!(fresh.check().is_err());
            refused += 1;
        }
        let id = *id;
        write_blocking(&*store.inner.db, move |tx| tx.delete_index_page(id)).unwrap();
        assert!(read_all(&under.another_store()).await.is_err() && under.another_store().check().is_err());
        overwrite(store, id, row.clone());
    }
    assert!(refused > 30, "{refused}");
    assert_eq!(read_all(&under.another_store()).await, Ok(1_000));
    // A page that no tree has.
    overwrite(store, 77 << 32, now[0].1.clone());
    assert!(matches!(store.check(), Err(StoreError::DamagedIndex { .. })));
}

pub(super) async fn a_damaged_page_fails_the_closure_that_meets_it_and_no_other(under: Under) {
    let store = &under.store;
    fill_index(store, "tree", 1_000).await;
    fill_index(store, "another", 10).await;
    let (id, (version, mut value)) = rows(store).await[0].clone();
    value[100] ^= 1;
    overwrite(store, id, (version, value));
    let fresh = under.another_store();
    let hold = Hold::on(&fresh).await;
    let meets = fresh.write(|tx| tx.index_mut::<Item>("tree").put(&key(0), &item("new")));
    let other = fresh.write(|tx| tx.index_mut::<Item>("another").put(&key(0), &item("new")));
    let (met, other, ()) = tokio::join!(meets, other, hold.release_when(&fresh, 2));
    assert_eq!(met, Err(StoreError::NotAuthentic { collection: "items".to_owned() }));
    other.unwrap();
    let kept = fresh.read(|tx| tx.index::<Item>("another")?.get(&key(0))).await;
    assert_eq!(kept.unwrap(), Some(item("new")));
}

pub(super) async fn a_header_put_back_is_refused_with_or_without_its_pages(under: Under) {
    let store = &under.store;
    fill_index(store, "tree", 1_000).await;
    let place = store.inner.vault.id(COLLECTION, "items", "tree");
    let parent = store.inner.vault.parent(COLLECTION, "items");
    let header = move |tx: &dyn engine::Read| tx.get(RowKey { collection: COLLECTION, parent: &parent, id: &place });
    let (old_header, old_rows) = (store.read_db(header).await.unwrap().unwrap(), rows(store).await);
    store.write(|tx| tx.index_mut::<Item>("tree").put(&key(7), &item("new"))).await.unwrap();
    store.check().unwrap();
    let standing = store.standing().unwrap();
    // As whoever has the disk would do it: past the ledger.
    let put_back = move |tx: &Transaction<'_>| {
        tx.put(RowKey { collection: COLLECTION, parent: &parent, id: &place }, &old_header)?;
        tx.replace_standing(standing);
        Ok(())
    };
    write_blocking(&*store.inner.db, put_back).unwrap();
    let fresh = under.another_store();
    assert_eq!(read_all(&fresh).await, Err(StoreError::NotAuthentic { collection: "items".to_owned() }));
    assert!(fresh.check().is_err());
    for (id, row) in old_rows {
        overwrite(store, id, row);
    }
    let fresh = under.another_store();
    assert_eq!(read_all(&fresh).await, Ok(1_000), "all of the tree is genuine and fits together");
    assert_eq!(fresh.check(), Err(StoreError::RowsPutBack));
}
