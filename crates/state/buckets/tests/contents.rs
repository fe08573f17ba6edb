//! Contents of every length and protection: whole, in ranges, and refused under another key.

mod world;

use buckets::{BucketsError, Versioning};
use world::{World, object_key, pattern};

const LENGTHS: [usize; 14] = [
    0,
    1,
    16 * 1024,
    16 * 1024 + 1,
    65_519,
    65_520,
    65_521,
    65_536,
    65_537,
    131_040,
    131_041,
    262_144,
    600_000,
    1_500_001,
];

#[tokio::test]
async fn contents_come_back_whole_and_in_any_range_with_one_layer_and_with_two() {
    for doubled in [false, true] {
        let mut world = World::new(Versioning::Off);
        world.key = object_key(doubled);
        for length in LENGTHS {
            let content = pattern(length);
            let entry = world.put("key", &content).await;
            assert_eq!(entry.bytes, length as u64);
            let found = world.find("key", None).await.unwrap();
            assert!(world.content_of(&found).await.unwrap() == content, "{length}, {doubled}");
            let bytes = length as u64;
            let ends = [
                0,
                1,
                65_519,
                65_520,
                65_521,
                65_535,
                65_536,
                65_537,
                131_072,
                200_000,
                bytes.saturating_sub(1),
                bytes,
            ];
            for from in ends.into_iter().filter(|end| *end <= bytes) {
                for to in ends.into_iter().filter(|end| (from..=bytes).contains(end)) {
                    let range = world.range_of(&found, from..to).await.unwrap();
                    assert!(range == content[from as usize..to as usize], "{from}..{to} of {length}, {doubled}");
                }
            }
            for range in [0..bytes + 1, bytes + 1..bytes + 1] {
                assert!(matches!(world.range_of(&found, range).await, Err(BucketsError::OutOfRange { .. })));
            }
        }
        assert_eq!(world.left().await.0, 1, "of the last alone");
    }
}

#[tokio::test]
async fn a_content_does_not_open_under_another_key_nor_with_another_number_of_layers() {
    for length in [100, 100_000] {
        for doubled in [false, true] {
            let mut world = World::new(Versioning::Off);
            world.key = object_key(doubled);
            world.put("key", pattern(length)).await;
            let found = world.find("key", None).await.unwrap();
            world.key = std::sync::Arc::new(buckets::ObjectKey::generate());
            assert!(world.content_of(&found).await.is_err());
            world.key = object_key(!doubled);
            let read = world.content_of(&found).await;
            assert!(!read.is_ok_and(|read| read == pattern(length)), "{length}, {doubled}");
        }
    }
}

#[tokio::test]
async fn nothing_of_a_content_its_key_or_its_headers_is_readable_on_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::on_disk(dir.path(), buckets::Bucket::generate(), Versioning::Off);
    let marker = b"a-marker-that-is-nowhere-else";
    world.put("a-key-that-is-nowhere-else", marker.repeat(10)).await;
    world.put("another", marker.repeat(10_000)).await;
    let bucket = world.bucket.to_string();
    drop(world);
    let mut read = 0;
    let mut dirs = vec![dir.path().to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            read += bytes.len();
            for secret in [&marker[..], b"a-key-that-is", b"text/plain", bucket.as_bytes()] {
                assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{}", path.display());
            }
        }
    }
    assert!(read > 300_000);
}

#[tokio::test]
async fn a_content_that_was_written_and_never_put_is_swept() {
    let world = World::new(Versioning::Off);
    drop(world.write(pattern(100_000)).await);
    world.put("key", pattern(100_001)).await;
    let before = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
    let swept = world.blobs.sweep(blobs::referenced(world.store.clone()), before).await.unwrap();
    assert_eq!((swept.blobs, swept.drafts), (1, 0));
    let found = world.find("key", None).await.unwrap();
    assert!(world.content_of(&found).await.unwrap() == pattern(100_001));
}
