//! Uploads in parts: what they become, what is refused, and what is left.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use buckets::{
    BucketsError, ChecksumKind, Condition, ListedUploads, Part, Put, UploadPart, Versioning, Walked, collect,
};
use bytes::Bytes;
use world::{World, details, object_key, pattern};

const LARGE: usize = 5 << 20;

impl World {
    async fn begin(&self, key: &'static str) -> String {
        let bucket = self.bucket;
        let kind = ChecksumKind { algorithm: "CRC32".to_owned(), composite: false };
        self.change(move |tx| bucket.begin_upload(tx, key, details(""), Some(kind), 500)).await.unwrap()
    }

    async fn part(&self, key: &str, id: &str, number: u16, content: &[u8]) -> Result<(), BucketsError> {
        let mut writer = self.contents.part_writer(&self.bucket, &self.key, buckets::Etag::Md5);
        writer.write(Bytes::copy_from_slice(content)).await.unwrap();
        let content = writer.finish().await.unwrap();
        let (bucket, key, id) = (self.bucket, key.to_owned(), id.to_owned());
        let checksum = Some(format!("checksum-{number}"));
        let put = move |tx: &mut store::Tx<'_>| {
            bucket.put_part(tx, (&key, &id), number, (&content, checksum), 600)?;
            Ok(content)
        };
        self.change(put).await.map(drop)
    }

    async fn parts(&self, key: &str, id: &str) -> Result<Vec<UploadPart>, BucketsError> {
        let (bucket, key, id) = (self.bucket, key.to_owned(), id.to_owned());
        self.look(move |tx| {
            let upload = bucket.upload(tx, &key, &id)?;
            Ok(bucket.upload_parts(tx, &upload.entry, 0, 1000)?.0)
        })
        .await
    }

    async fn complete(&self, key: &str, id: &str, chosen: Vec<UploadPart>, how: Put) -> Result<u64, BucketsError> {
        let (bucket, key, id) = (self.bucket, key.to_owned(), id.to_owned());
        let entry =
            self.change(move |tx| bucket.complete_upload(tx, (&key, &id), &chosen, details("etag-2"), &how)).await?;
        Ok(entry.bytes)
    }

    async fn tidy(&self) {
        while self.change(|tx| collect(tx, 3)).await.unwrap() > 0 {}
    }

    async fn uploads(&self, after: Option<(&'static str, Option<String>)>, limit: usize) -> ListedUploads {
        let bucket = self.bucket;
        self.look(move |tx| {
            let after = after.as_ref().map(|(key, id)| (*key, id.as_deref()));
            bucket.uploads(tx, ("", "/"), after, limit)
        })
        .await
        .unwrap()
    }
}

#[tokio::test]
async fn a_completed_upload_is_one_content_of_its_chosen_parts_with_one_layer_and_with_two() {
    for doubled in [false, true] {
        let mut world = World::new(Versioning::Off);
        world.key = object_key(doubled);
        let id = world.begin("key").await;
        let whole = pattern(2 * LARGE + 1000);
        world.part("key", &id, 2, &pattern(7)).await.unwrap();
        world.part("key", &id, 1, &whole[..LARGE]).await.unwrap();
        world.part("key", &id, 2, &whole[LARGE..2 * LARGE]).await.unwrap();
        world.part("key", &id, 5, b"not chosen").await.unwrap();
        world.part("key", &id, 7, &whole[2 * LARGE..]).await.unwrap();
        assert!(matches!(world.find("key", None).await, Err(BucketsError::NoSuchKey)), "nothing is visible before");
        let mut parts = world.parts("key", &id).await.unwrap();
        assert_eq!(parts.iter().map(|part| part.number).collect::<Vec<_>>(), [1, 2, 5, 7]);
        parts.remove(2);
        let bytes = world.complete("key", &id, parts.clone(), world.how()).await.unwrap();
        assert_eq!(bytes, whole.len() as u64);
        assert_eq!(world.left().await, (3, 2));
        let found = world.find("key", None).await.unwrap();
        assert!(world.content_of(&found).await.unwrap() == whole);
        for range in [0..1, LARGE as u64 - 1..LARGE as u64 + 1, 10..2 * LARGE as u64 + 500, 100..100] {
            let expected = &whole[range.start as usize..range.end as usize];
            assert!(world.range_of(&found, range.clone()).await.unwrap() == expected, "{range:?}");
        }
        let (bucket, version) = (world.bucket, found.stored.unwrap().version);
        assert_eq!(version.parts, Some(3));
        let listed = world.look(move |tx| bucket.parts(tx, &version)).await.unwrap();
        let of_part = |part: &Part| (part.number, part.bytes, part.checksum.clone().unwrap());
        let expected = [(1, LARGE as u64, "1"), (2, LARGE as u64, "2"), (7, 1000, "7")];
        assert_eq!(
            listed.iter().map(of_part).collect::<Vec<_>>(),
            expected.map(|(number, bytes, name)| (number, bytes, format!("checksum-{name}")))
        );
        // Again, with the same parts: it is known that this is what it became.
        let again = world.complete("key", &id, parts, world.how()).await;
        assert!(matches!(again, Err(BucketsError::NoSuchUpload)));
        let (completed, other) = (id.clone(), world.begin("key").await);
        assert!(world.look(move |tx| bucket.completed(tx, "key", &completed)).await.unwrap().is_some());
        assert!(world.look(move |tx| bucket.completed(tx, "key", &other)).await.unwrap().is_none());
        world.delete("key").await;
        world.tidy().await;
        assert_eq!(world.left().await, (0, 1), "the other upload's row");
    }
}

#[tokio::test]
async fn parts_out_of_order_too_small_replaced_or_missing_are_refused_and_nothing_is_lost() {
    let world = World::new(Versioning::Off);
    let id = world.begin("key").await;
    world.part("key", &id, 1, &pattern(LARGE)).await.unwrap();
    world.part("key", &id, 2, b"small").await.unwrap();
    world.part("key", &id, 3, b"last").await.unwrap();
    let parts = world.parts("key", &id).await.unwrap();
    let complete = async |order: &[usize]| {
        let chosen = order.iter().map(|at| parts[*at].clone()).collect();
        world.complete("key", &id, chosen, world.how()).await
    };
    assert!(matches!(complete(&[]).await, Err(BucketsError::InvalidPart { number: 0 })));
    assert!(matches!(complete(&[2, 0]).await, Err(BucketsError::InvalidPartOrder)));
    assert!(matches!(complete(&[0, 0]).await, Err(BucketsError::InvalidPartOrder)));
    assert!(matches!(complete(&[0, 1, 2]).await, Err(BucketsError::PartTooSmall { number: 2, bytes: 5 })));
    world.part("key", &id, 3, b"replaced").await.unwrap();
    assert!(matches!(complete(&[0, 2]).await, Err(BucketsError::InvalidPart { number: 3 })));
    assert_eq!(world.left().await, (3, 1));
    assert_eq!(complete(&[0, 1]).await.unwrap(), LARGE as u64 + 5);
    for number in [0, 10_001] {
        let id = world.begin("key").await;
        let refused = world.part("key", &id, number, b"x").await;
        assert!(matches!(refused, Err(BucketsError::InvalidPart { .. })));
    }
}

#[tokio::test]
async fn an_upload_that_was_aborted_takes_no_part_and_leaves_nothing() {
    let world = World::new(Versioning::Off);
    let id = world.begin("key").await;
    for number in 1..=5 {
        world.part("key", &id, number, b"x").await.unwrap();
    }
    let (bucket, aborted) = (world.bucket, id.clone());
    assert!(matches!(world.part("other", &id, 1, b"x").await, Err(BucketsError::NoSuchUpload)));
    world.change(move |tx| bucket.abort_upload(tx, "key", &aborted)).await.unwrap();
    assert!(matches!(world.part("key", &id, 6, b"x").await, Err(BucketsError::NoSuchUpload)));
    assert!(matches!(world.parts("key", &id).await, Err(BucketsError::NoSuchUpload)));
    world.tidy().await;
    assert_eq!(world.left().await, (0, 0));
    assert_eq!(world.uploads(None, 10).await, ListedUploads::default());
}

#[tokio::test]
async fn with_a_condition_an_upload_conflicts_with_what_came_after_its_beginning() {
    let world = World::new(Versioning::Off);
    let how = |condition| Put { condition, ..world.how() };
    let begin = async || {
        let id = world.begin("key").await;
        world.part("key", &id, 1, b"part").await.unwrap();
        let parts = world.parts("key", &id).await.unwrap();
        (id, parts)
    };
    let complete = async |(id, parts): (String, Vec<UploadPart>), condition| {
        world.complete("key", &id, parts, how(condition)).await
    };
    let there = world.put("key", "there").await;
    let upload = begin().await;
    assert!(matches!(complete(upload.clone(), Condition::Absent).await, Err(BucketsError::PreconditionFailed)));
    world.delete("key").await;
    assert!(matches!(complete(upload.clone(), Condition::Absent).await, Err(BucketsError::Conflict)));
    let matches = Condition::Matches(there.etag.clone());
    assert!(matches!(complete(upload.clone(), matches.clone()).await, Err(BucketsError::NoSuchKey)));
    world.put("key", "there").await;
    assert!(matches!(complete(upload.clone(), matches.clone()).await, Err(BucketsError::Conflict)));
    complete(upload, Condition::None).await.unwrap();
    let upload = begin().await;
    complete(upload, Condition::Matches("etag-2".to_owned())).await.unwrap();
}

#[tokio::test]
async fn uploads_are_listed_by_key_and_then_by_their_beginning() {
    let world = World::new(Versioning::Off);
    let mut ids = Vec::new();
    for key in ["b", "a", "b", "c/1", "c/2", "d"] {
        ids.push(world.begin(key).await);
    }
    let shown = |listed: &ListedUploads| {
        let item = |item: &Walked<buckets::UploadEntry>| match item {
            Walked::Key(key, entry) => format!("{key}{}", ids.iter().position(|id| *id == entry.upload_id).unwrap()),
            Walked::Group(group) => group.clone(),
        };
        listed.items.iter().map(item).collect::<Vec<_>>().join(" ")
    };
    let all = world.uploads(None, 10).await;
    assert_eq!((&*shown(&all), all.more), ("a1 b0 b2 c/ d5", false));
    let first = world.uploads(None, 2).await;
    assert_eq!((&*shown(&first), first.more), ("a1 b0", true));
    let next = world.uploads(Some(("b", Some(ids[0].clone()))), 2).await;
    assert_eq!((&*shown(&next), next.more), ("b2 c/", true));
    let next = world.uploads(Some(("c/", None)), 2).await;
    assert_eq!((&*shown(&next), next.more), ("d5", false));
    assert_eq!(shown(&world.uploads(Some(("b", None)), 10).await), "c/ d5");
    // The bucket goes, and all of them with it.
    let bucket = world.bucket;
    world.part("b", &ids[0], 1, b"x").await.unwrap();
    world.change(move |tx| bucket.remove(tx)).await.unwrap();
    world.tidy().await;
    assert_eq!(world.left().await, (0, 0));
}
