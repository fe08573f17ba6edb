//! Listings: order, prefixes, groups, pages, and versions newest first; compared with a plain sorted map.

mod world;

use std::collections::BTreeSet;

use buckets::{Listing, VersionStart, Versioning, Walked};
use world::World;

const KEYS: [&str; 14] = [
    "a",
    "a/1",
    "a/2",
    "a/b/1",
    "a0",
    "b",
    "b//c",
    "b/c",
    "photos/2024/a.jpg",
    "photos/2024/b.jpg",
    "photos/2025/a.jpg",
    "photosx",
    "é/1",
    "é/2",
];

/// The listing that the definition gives: keys in order, grouped by the first delimiter behind the prefix.
fn expected(keys: &BTreeSet<&str>, prefix: &str, delimiter: &str, after: &str) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    for key in keys.iter().filter(|key| key.starts_with(prefix)) {
        let group = key[prefix.len()..].find(delimiter).filter(|_| !delimiter.is_empty());
        let name = match group {
            Some(at) => &key[..prefix.len() + at + delimiter.len()],
            None => key,
        };
        // What comes before the page: keys up to the marker, and the group that the marker is.
        if !after.is_empty() && (*key <= after || group.is_some() && name == after) {
            continue;
        }
        let item = if group.is_some() { format!("{name}*") } else { name.to_owned() };
        if items.last() != Some(&item) {
            items.push(item);
        }
    }
    items
}

fn shown<T>(item: &Walked<T>) -> String {
    match item {
        Walked::Key(key, _) => key.clone(),
        Walked::Group(group) => format!("{group}*"),
    }
}

#[tokio::test]
async fn pages_of_any_size_make_the_listing_that_the_definition_says() {
    let world = World::new(Versioning::Enabled);
    for key in KEYS {
        world.put(key, key).await;
    }
    // Neither hidden keys nor their groups are seen.
    world.put("hidden/1", "x").await;
    world.delete("hidden/1").await;
    world.put("a/3", "x").await;
    world.delete("a/3").await;
    let keys: BTreeSet<&str> = KEYS.into();
    for prefix in ["", "a", "a/", "b", "photos/", "photos/2024/a.jpg", "é", "none", "hidden"] {
        for delimiter in ["", "/", "20", "a/", "é"] {
            let all = expected(&keys, prefix, delimiter, "");
            for limit in [1, 2, 3, 1000] {
                let (mut listed, mut after) = (Vec::new(), None::<String>);
                loop {
                    let bucket = world.bucket;
                    let begin = after.clone();
                    let page = world.look(move |tx| {
                        bucket.list(tx, &Listing { prefix, delimiter, after: begin.as_deref(), limit })
                    });
                    let page = page.await.unwrap();
                    assert!(page.items.len() <= limit && (page.items.len() == limit || !page.more));
                    listed.extend(page.items.iter().map(shown));
                    after = page.items.last().map(|item| item.name().to_owned());
                    if !page.more {
                        break;
                    }
                }
                assert_eq!(listed, all, "{prefix:?} {delimiter:?} {limit}");
            }
        }
    }
}

#[tokio::test]
async fn a_listing_begins_after_any_text() {
    let world = World::new(Versioning::Off);
    for key in KEYS {
        world.put(key, key).await;
    }
    let keys: BTreeSet<&str> = KEYS.into();
    for prefix in ["", "a", "photos/"] {
        for delimiter in ["", "/"] {
            for after in
                ["0", "a", "a/", "a/b", "a/1", "b", "photos/", "photos/2024/", "photos/2024/a.jpg", "z", "\u{ffff}"]
            {
                let bucket = world.bucket;
                let page = world
                    .look(move |tx| bucket.list(tx, &Listing { prefix, delimiter, after: Some(after), limit: 1000 }));
                let listed: Vec<_> = page.await.unwrap().items.iter().map(shown).collect();
                assert_eq!(listed, expected(&keys, prefix, delimiter, after), "{prefix:?} {delimiter:?} {after:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_listing_of_nothing_says_so() {
    let world = World::new(Versioning::Off);
    world.put("key", "x").await;
    let bucket = world.bucket;
    let none = Listing { prefix: "", delimiter: "", after: None, limit: 0 };
    let page = world.look(move |tx| bucket.list(tx, &none)).await.unwrap();
    assert!(page.items.is_empty() && !page.more);
}

#[tokio::test]
async fn versions_are_listed_by_key_and_newest_first_in_pages_of_any_size() {
    let world = World::new(Versioning::Enabled);
    let mut all: Vec<(String, String)> = Vec::new();
    for key in ["a", "b/1", "b/2", "c"] {
        let mut of_key = Vec::new();
        for text in ["1", "2", "3"] {
            of_key.push((key.to_owned(), world.put(key, text).await.id().to_owned()));
        }
        if key == "b/1" {
            of_key.push((key.to_owned(), world.delete(key).await.marker.unwrap().id().to_owned()));
        }
        all.extend(of_key.into_iter().rev());
    }
    for (prefix, delimiter) in [("", ""), ("b/", ""), ("", "/"), ("b/", "/")] {
        let mut wanted: Vec<String> = Vec::new();
        for (key, id) in all.iter().filter(|(key, _)| key.starts_with(prefix)) {
            let group = !delimiter.is_empty() && key[prefix.len()..].contains(delimiter);
            let shown = if group { "b/*".to_owned() } else { format!("{key} {id}") };
            if wanted.last() != Some(&shown) {
                wanted.push(shown);
            }
        }
        for limit in [1, 2, 5, 1000] {
            let (mut listed, mut after) = (Vec::new(), None::<(String, Option<String>)>);
            loop {
                let (bucket, begin) = (world.bucket, after.clone());
                let page = world.look(move |tx| {
                    let begin = begin.as_ref().map(|(key, id)| VersionStart { key, version_id: id.as_deref() });
                    bucket.list_versions(tx, (prefix, delimiter), begin, limit)
                });
                let page = page.await.unwrap();
                for item in &page.items {
                    after = Some(match item {
                        Walked::Key(key, item) => (key.clone(), Some(item.entry.id().to_owned())),
                        Walked::Group(group) => (group.clone(), None),
                    });
                    listed.push(match item {
                        Walked::Key(key, item) => format!("{key} {}", item.entry.id()),
                        Walked::Group(group) => format!("{group}*"),
                    });
                    if let Walked::Key(key, item) = item {
                        let first = all.iter().find(|(of, _)| of == key).unwrap();
                        assert_eq!(item.is_latest, first.1 == item.entry.id());
                    }
                }
                if !page.more {
                    break;
                }
            }
            assert_eq!(listed, wanted, "{prefix:?} {delimiter:?} {limit}");
        }
    }
}
