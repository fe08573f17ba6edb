//! Versions of a key: which is the object, which stay, and what is left when they go.

mod world;

use buckets::{BucketsError, Condition, Put, Removed, Retention, RetentionMode, Versioning};
use world::{World, pattern};

#[tokio::test]
async fn without_versioning_a_new_content_replaces_the_old_one_and_leaves_nothing_of_it() {
    let world = World::new(Versioning::Off);
    let first = world.put("key", "first").await;
    assert_eq!((first.id(), &*first.etag, first.bytes), ("null", "8b04d5e3775d298e78455efc5ca404d5", 5));
    world.put("key", pattern(100_000)).await;
    assert_eq!(world.left().await, (1, 1));
    world.put("key", "third").await;
    assert_eq!(world.get("key", None).await.unwrap(), "third");
    assert_eq!(world.get("key", Some("null")).await.unwrap(), "third");
    assert_eq!(world.left().await, (0, 1));
    assert!(world.delete("key").await.removed.is_some());
    assert_eq!(world.delete("key").await, Removed::default());
    assert!(matches!(world.get("key", None).await, Err(BucketsError::NoSuchKey)));
    assert_eq!(world.left().await, (0, 0));
    let bucket = world.bucket;
    assert!(world.look(move |tx| Ok(bucket.is_empty(tx)?)).await.unwrap());
}

#[tokio::test]
async fn with_versioning_each_version_stays_under_its_own_id() {
    let world = World::new(Versioning::Enabled);
    let ids: Vec<_> =
        [world.put("key", "one").await, world.put("key", pattern(70_000)).await, world.put("key", "three").await]
            .into_iter()
            .map(|entry| entry.version_id.unwrap())
            .collect();
    assert_eq!(world.get("key", Some(&ids[0])).await.unwrap(), "one");
    assert_eq!(world.get("key", None).await.unwrap(), "three");
    let marker = world.delete("key").await.marker.unwrap();
    assert_eq!(world.get("key", None).await.unwrap(), "(marker)");
    assert!(world.find("key", Some(marker.id())).await.unwrap().is_latest);
    // The marker goes, and the newest version is the object again.
    world.delete_version("key", marker.id()).await.unwrap();
    assert_eq!(world.get("key", None).await.unwrap(), "three");
    // One in the middle goes, with its blob.
    world.delete_version("key", &ids[1]).await.unwrap();
    assert!(matches!(world.get("key", Some(&ids[1])).await, Err(BucketsError::NoSuchVersion)));
    world.delete_version("key", &ids[2]).await.unwrap();
    assert_eq!(world.get("key", None).await.unwrap(), "one");
    assert_eq!(world.delete_version("key", &ids[2]).await.unwrap(), Removed::default());
    world.delete_version("key", &ids[0]).await.unwrap();
    assert_eq!(world.left().await, (0, 0));
    assert!(matches!(world.get("key", None).await, Err(BucketsError::NoSuchKey)));
}

#[tokio::test]
async fn suspended_versioning_replaces_the_null_version_and_no_other() {
    let mut world = World::new(Versioning::Off);
    world.put("key", "before").await;
    world.versioning = Versioning::Enabled;
    let kept = world.put("key", "kept").await;
    assert_eq!(world.get("key", Some("null")).await.unwrap(), "before");
    world.versioning = Versioning::Suspended;
    let suspended = world.put("key", "suspended").await;
    assert_eq!(suspended.version_id, None);
    assert_eq!(world.get("key", Some("null")).await.unwrap(), "suspended");
    assert_eq!(world.left().await, (0, 2), "what was there before is gone");
    // The null version gives way to a null marker.
    let marker = world.delete("key").await.marker.unwrap();
    assert_eq!((marker.id(), world.left().await), ("null", (0, 1)));
    assert_eq!(world.get("key", Some("null")).await.unwrap(), "(marker)");
    world.put("key", "again").await;
    assert_eq!(world.get("key", Some(kept.id())).await.unwrap(), "kept");
    world.delete_version("key", "null").await.unwrap();
    assert_eq!(world.get("key", None).await.unwrap(), "kept");
    assert!(matches!(world.get("key", Some("null")).await, Err(BucketsError::NoSuchVersion)));
}

#[tokio::test]
async fn an_id_of_another_key_or_a_forged_one_finds_nothing() {
    let world = World::new(Versioning::Enabled);
    let one = world.put("one", "1").await.version_id.unwrap();
    let two = world.put("two", "2").await.version_id.unwrap();
    for (key, id) in [("one", &two), ("two", &one), ("none", &one)] {
        assert!(matches!(world.get(key, Some(id)).await, Err(BucketsError::NoSuchVersion)), "{key}");
        assert_eq!(world.delete_version(key, id).await.unwrap(), Removed::default());
    }
    // The same number with other random bits.
    let forged = format!("{}{}", &one[..11], &two[11..]);
    assert!(matches!(world.get("one", Some(&forged)).await, Err(BucketsError::NoSuchVersion)));
    assert!(matches!(world.get("one", Some("nonsense")).await, Err(BucketsError::InvalidVersionId)));
    assert!(matches!(world.get("one", Some("null")).await, Err(BucketsError::NoSuchVersion)));
}

#[tokio::test]
async fn a_condition_is_tested_on_what_is_there_at_the_commit() {
    let world = World::new(Versioning::Enabled);
    let how = |condition| Put { condition, ..world.how() };
    let absent = || how(Condition::Absent);
    let matches = |etag: &str| how(Condition::Matches(etag.to_owned()));
    assert!(matches!(world.put_how("key", "a", matches("x")).await, Err(BucketsError::NoSuchKey)));
    let first = world.put_how("key", "a", absent()).await.unwrap();
    assert!(matches!(world.put_how("key", "b", absent()).await, Err(BucketsError::PreconditionFailed)));
    assert!(matches!(world.put_how("key", "b", matches("x")).await, Err(BucketsError::PreconditionFailed)));
    world.put_how("key", "b", matches(&first.etag)).await.unwrap();
    assert!(matches!(world.put_how("key", "c", matches(&first.etag)).await, Err(BucketsError::PreconditionFailed)));
    world.delete("key").await;
    assert!(matches!(world.put_how("key", "c", matches(&first.etag)).await, Err(BucketsError::NoSuchKey)));
    world.put_how("key", "c", absent()).await.unwrap();
    // Of many who want to be the first, one is.
    let all = futures_util::future::join_all((0..20).map(|_| world.put_how("race", "x", absent()))).await;
    assert_eq!(all.iter().filter(|put| put.is_ok()).count(), 1);
}

#[tokio::test]
async fn a_locked_version_is_not_removed_and_not_replaced() {
    let world = World::new(Versioning::Enabled);
    let id = world.put("key", pattern(50_000)).await.version_id.unwrap();
    let bucket = world.bucket;
    let retain = async |mode, until_ms, legal_hold| {
        let id = id.clone();
        let change = world.change(move |tx| {
            bucket.edit(tx, "key", Some(&id), |details| {
                details.retention = Some(Retention { mode, until_ms });
                details.legal_hold = legal_hold;
                Ok::<_, BucketsError>(())
            })
        });
        change.await.unwrap();
    };
    let remove = async |bypass| {
        let id = id.clone();
        let condition = Condition::None;
        world.change(move |tx| bucket.delete_version(tx, "key", &id, &condition, (1000, bypass))).await
    };
    retain(RetentionMode::Compliance, 2000, false).await;
    assert!(matches!(remove(true).await, Err(BucketsError::Locked)));
    // A marker hides it, and is allowed.
    assert!(world.delete("key").await.marker.is_some());
    retain(RetentionMode::Governance, 2000, false).await;
    assert!(matches!(remove(false).await, Err(BucketsError::Locked)));
    retain(RetentionMode::Governance, 1000, true).await;
    assert!(matches!(remove(true).await, Err(BucketsError::Locked)));
    assert_eq!(world.get("key", Some(&id)).await.unwrap().len(), 50_000);
    retain(RetentionMode::Governance, 2000, false).await;
    assert!(remove(true).await.unwrap().removed.is_some());
    assert_eq!(world.left().await, (0, 0));
}

#[tokio::test]
async fn an_edit_changes_the_version_that_is_meant_and_what_listings_show_of_it() {
    let world = World::new(Versioning::Enabled);
    let first = world.put("key", "first").await.version_id.unwrap();
    world.put("key", "second").await;
    let bucket = world.bucket;
    let (entry, before) = world
        .change(move |tx| {
            bucket.edit(tx, "key", Some(&first), |details| {
                details.storage_class = Some("GLACIER".to_owned());
                Ok::<_, BucketsError>(std::mem::replace(&mut details.tags, vec![("a".to_owned(), "b".to_owned())]))
            })
        })
        .await
        .unwrap();
    assert!(before.is_empty());
    let found = world.find("key", entry.version_id.as_deref()).await.unwrap();
    assert_eq!(found.entry.storage_class.as_deref(), Some("GLACIER"));
    assert_eq!(world.content_of(&found).await.unwrap(), b"first");
    assert_eq!(found.stored.unwrap().version.details.tags.len(), 1);
    assert_eq!(world.find("key", None).await.unwrap().entry.storage_class, None);
}

#[tokio::test]
async fn a_renamed_object_is_the_same_under_its_new_key() {
    let world = World::new(Versioning::Off);
    world.put("old", pattern(40_000)).await;
    world.put("new", pattern(50_000)).await;
    let bucket = world.bucket;
    let rename = |condition: Condition| {
        world.change(move |tx| bucket.rename(tx, ("old", &Condition::None), ("new", &condition), 1000))
    };
    assert!(matches!(rename(Condition::Absent).await, Err(BucketsError::PreconditionFailed)));
    rename(Condition::None).await.unwrap();
    assert!(matches!(world.get("old", None).await, Err(BucketsError::NoSuchKey)));
    let found = world.find("new", None).await.unwrap();
    assert!(world.content_of(&found).await.unwrap() == pattern(40_000));
    assert_eq!(world.left().await, (1, 1));
    assert!(matches!(rename(Condition::None).await, Err(BucketsError::NoSuchKey)));
}

#[tokio::test]
async fn keys_have_1_to_1024_bytes() {
    let world = World::new(Versioning::Off);
    for length in [0, 1025] {
        let put = world.put_how(&"k".repeat(length), "x", world.how()).await;
        assert!(matches!(put, Err(BucketsError::KeyLength { bytes }) if bytes == length));
    }
    let longest = "é".repeat(512);
    world.put(&longest, "x").await;
    assert_eq!(world.get(&longest, None).await.unwrap(), "x");
}
