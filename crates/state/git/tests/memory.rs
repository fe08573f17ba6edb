//! How much memory a long history takes on its way in and out.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use bytes::Bytes;
use futures_util::StreamExt;
use git::{RefUpdate, Settings, UploadEvent, Wanted};
use git_object::{Kind, ObjectFormat, ObjectId, fsck, hash_object};
use git_pack::{Deflater, EntryHeader, EntryKind};
use peak_alloc::PeakAlloc;
use world::{World, block_on};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const SHA1: ObjectFormat = ObjectFormat::Sha1;

/// A pack of files that hardly compress, made piece by piece, with a commit that has them.
struct Endless {
    files: u64,
    file_bytes: usize,
}

impl Endless {
    fn file(&self, number: u64) -> Vec<u8> {
        let mut state = number + 1;
        (0..self.file_bytes / 8)
            .flat_map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()
            })
            .collect()
    }

    /// Hands each entry to `each`. Yields the commit.
    fn entries(&self, mut each: impl FnMut(Kind, &[u8])) -> ObjectId {
        let mut tree = Vec::new();
        for number in 0..self.files {
            let file = self.file(number);
            let id = hash_object(SHA1, Kind::Blob, &file).unwrap();
            tree.extend_from_slice(format!("100644 file{number:06}\0").as_bytes());
            tree.extend_from_slice(id.as_bytes());
            each(Kind::Blob, &file);
        }
        each(Kind::Tree, &tree);
        let tree = hash_object(SHA1, Kind::Tree, &tree).unwrap();
        let commit = format!("tree {tree}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n");
        each(Kind::Commit, commit.as_bytes());
        hash_object(SHA1, Kind::Commit, commit.as_bytes()).unwrap()
    }
}

/// Pushes and fetches it. Yields the most memory that either took.
async fn peaks(endless: &Endless) -> [usize; 2] {
    let world = World::with(Settings { cache_bytes: 4 << 20, threads: 2, ..Settings::default() }).await;
    let mut peaks = [0; 2];
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let repository = world.open().await;
    let mut receiving = repository.receive(SHA1, fsck::Options::default()).unwrap();
    let mut hash = git_object::Checksum::new(SHA1);
    let head = git_pack::encode_pack_header(u32::try_from(endless.files + 2).unwrap());
    hash.update(&head);
    receiving.push(Bytes::copy_from_slice(&head)).await.unwrap();
    let (sender, mut pieces) = tokio::sync::mpsc::channel::<Bytes>(1);
    let commit = tokio::join!(
        async {
            while let Some(piece) = pieces.recv().await {
                hash.update(&piece);
                receiving.push(piece).await.unwrap();
            }
        },
        async {
            let mut deflater = Deflater::new();
            let mut queue = Vec::new();
            // One entry at a time is in memory.
            let (files, file_bytes) = (endless.files, endless.file_bytes);
            tokio::task::spawn_blocking(move || {
                Endless { files, file_bytes }.entries(|kind, content| {
                    queue.clear();
                    EntryHeader { kind: EntryKind::Object(kind), size: content.len() as u64 }.encode(&mut queue);
                    deflater.deflate(content, &mut queue);
                    for piece in queue.chunks(64 << 10) {
                        sender.blocking_send(Bytes::copy_from_slice(piece)).unwrap();
                    }
                })
            })
            .await
            .unwrap()
        }
    )
    .1;
    let trailer = hash.finish();
    receiving.push(Bytes::copy_from_slice(trailer.as_bytes())).await.unwrap();
    let received = receiving.finish(vec![commit], |_| {}).await.unwrap();
    let update = RefUpdate { name: "refs/heads/main".to_owned(), old: None, new: Some(commit) };
    world.publish(&received, vec![update], true).await;
    drop((received, repository));
    peaks[0] = MEMORY.peak_usage() - before;
    let file = hash_object(SHA1, Kind::Blob, &endless.file(0)).unwrap();
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    for wants in [vec![commit], vec![file]] {
        let mut stream = world.open().await.upload(Wanted { wants, ofs_delta: true, ..Wanted::default() });
        while let Some(event) = stream.next().await {
            assert!(matches!(
                event.unwrap(),
                UploadEvent::Data(_) | UploadEvent::Counting { .. } | UploadEvent::Counted { .. }
            ));
        }
    }
    peaks[1] = MEMORY.peak_usage() - before;
    peaks
}

/// One test, since all of a process share its memory.
#[test]
fn memory_does_not_grow_with_what_is_pushed_and_fetched() {
    a_long_history_takes_as_much_memory_as_a_short_one();
    a_long_file_is_never_whole_in_memory();
    many_at_once_make_long_files_of_deltas_one_after_the_other();
}

fn a_long_history_takes_as_much_memory_as_a_short_one() {
    block_on(async {
        peaks(&Endless { files: 4, file_bytes: 1 << 20 }).await;
        let short = peaks(&Endless { files: 16, file_bytes: 1 << 20 }).await;
        let long = peaks(&Endless { files: 128, file_bytes: 1 << 20 }).await;
        for (way, (short, long)) in ["in", "out"].iter().zip(short.iter().zip(&long)) {
            assert!(*long < short + (6 << 20), "{way}: {long} bytes for 128 MiB, {short} for 16 MiB");
            assert!(*long < 40 << 20, "{way}: {long} bytes");
        }
    });
}

/// A file of that many pieces as an entry that is stored, not compressed: it need not be whole anywhere. With its id.
fn stored_file(pieces: u32, mut each: impl FnMut(&[u8])) -> ObjectId {
    const PIECE: usize = 65_535;
    let size = u64::from(pieces) * PIECE as u64;
    let mut head = Vec::new();
    EntryHeader { kind: EntryKind::Object(Kind::Blob), size }.encode(&mut head);
    // A zlib stream of blocks without compression: RFC 1950, RFC 1951 section 3.2.4.
    head.extend_from_slice(&[0x78, 0x01]);
    each(&head);
    let mut hasher = git_object::Hasher::object(SHA1, Kind::Blob, size);
    let (mut one, mut two) = (1_u32, 0_u32);
    for number in 0..pieces {
        let piece: Vec<u8> = (0..PIECE as u32).map(|at| (at ^ number).to_le_bytes()[0]).collect();
        hasher.update(&piece);
        for byte in &piece {
            one = (one + u32::from(*byte)) % 65_521;
            two = (two + one) % 65_521;
        }
        each(&[&[u8::from(number + 1 == pieces), 0xff, 0xff, 0, 0][..], &piece].concat());
    }
    each(&(two << 16 | one).to_be_bytes());
    hasher.finish().unwrap()
}

fn a_long_file_is_never_whole_in_memory() {
    block_on(async {
        let world = World::with(Settings { cache_bytes: 4 << 20, threads: 2, ..Settings::default() }).await;
        MEMORY.reset_peak_usage();
        let before = MEMORY.current_usage();
        let mut receiving = world.open().await.receive(SHA1, fsck::Options::default()).unwrap();
        let (sender, mut pieces) = tokio::sync::mpsc::channel::<Bytes>(1);
        let made = tokio::task::spawn_blocking(move || {
            let mut hash = git_object::Checksum::new(SHA1);
            let mut send = |bytes: &[u8]| {
                hash.update(bytes);
                sender.blocking_send(Bytes::copy_from_slice(bytes)).unwrap();
            };
            send(&git_pack::encode_pack_header(1));
            let id = stored_file(1500, &mut send);
            sender.blocking_send(Bytes::copy_from_slice(hash.finish().as_bytes())).unwrap();
            id
        });
        while let Some(piece) = pieces.recv().await {
            receiving.push(piece).await.unwrap();
        }
        let file = made.await.unwrap();
        let received = receiving.finish(vec![file], |_| {}).await.unwrap();
        let update = RefUpdate { name: "refs/tags/file".to_owned(), old: None, new: Some(file) };
        world.publish(&received, vec![update], true).await;
        drop(received);
        let mut bytes = 0;
        let each = &mut |piece: &[u8]| {
            bytes += piece.len();
            Ok(())
        };
        let repository = world.open().await;
        assert_eq!(repository.objects().stream(&file, each).unwrap(), Some(Kind::Blob));
        assert_eq!(bytes, 1500 * 65_535);
        let mut stream = repository.upload(Wanted { wants: vec![file], ofs_delta: true, ..Wanted::default() });
        while let Some(event) = stream.next().await {
            event.unwrap();
        }
        assert!(repository.verify(|_, _| true).await.unwrap().faults.is_empty());
        let peak = MEMORY.peak_usage() - before;
        assert!(peak < 32 << 20, "{peak} bytes for a file of 94 MiB");
    });
}

/// A pack of a file and another that is a delta of it, with the ids of both.
fn long_delta(seed: u64, file_bytes: usize) -> (Vec<u8>, [ObjectId; 2]) {
    let base = Endless { files: 1, file_bytes }.file(seed);
    let mut changed = base.clone();
    changed[file_bytes / 2..][..9].copy_from_slice(b"otherwise");
    let delta = git_pack::create(&git_pack::DeltaIndex::new(&base), &base, &changed, file_bytes).unwrap();
    let id = |content: &[u8]| hash_object(SHA1, Kind::Blob, content).unwrap();
    let ids = [id(&base), id(&changed)];
    let mut pack = Vec::new();
    let mut writer = git_pack::Writer::new(SHA1, 2, &mut pack);
    writer.entry(EntryKind::Object(Kind::Blob), &base, &mut pack);
    writer.entry(EntryKind::ReferenceDelta { base: ids[0] }, &delta, &mut pack);
    writer.finish(&mut pack);
    (pack, ids)
}

fn many_at_once_make_long_files_of_deltas_one_after_the_other() {
    const LONG: usize = 24 << 20;
    const AT_ONCE: u64 = 6;
    block_on(async {
        let settings = Settings { cache_bytes: 4 << 20, making_bytes: 16 << 20, threads: 2, ..Settings::default() };
        let world = World::with(settings).await;
        let packs: Vec<_> = (0..AT_ONCE).map(|seed| long_delta(seed, LONG)).collect();
        MEMORY.reset_peak_usage();
        let before = MEMORY.current_usage();
        let repository = world.open().await;
        let pushes = packs.iter().map(|(pack, ids)| world.receive(&repository, SHA1, pack, ids.to_vec()));
        let received = futures_util::future::join_all(pushes).await;
        let pushed = MEMORY.peak_usage() - before;
        drop(repository);
        for (received, (_, ids)) in received.into_iter().zip(&packs) {
            let name = |id| RefUpdate { name: format!("refs/tags/{id}"), old: None, new: Some(id) };
            world.publish(&received.unwrap(), ids.iter().copied().map(name).collect(), true).await;
        }
        let ids: Vec<ObjectId> = packs.iter().map(|(_, ids)| ids[1]).collect();
        drop(packs);
        MEMORY.reset_peak_usage();
        let before = MEMORY.current_usage();
        let repository = world.open().await;
        let fetches = ids.iter().map(|id| async {
            let mut stream = repository.upload(Wanted { wants: vec![*id], ofs_delta: true, ..Wanted::default() });
            let mut bytes = 0;
            while let Some(event) = stream.next().await {
                if let UploadEvent::Data(piece) = event.unwrap() {
                    bytes += piece.len();
                }
            }
            bytes
        });
        let sent = futures_util::future::join_all(fetches).await;
        let fetched = MEMORY.peak_usage() - before;
        assert!(sent.iter().all(|bytes| *bytes > LONG / 2), "each file goes out whole: {sent:?}");
        // A base and a result, and what the caches and buffers of all take.
        for (way, peak) in [("in", pushed), ("out", fetched)] {
            assert!(peak < 2 * LONG + (40 << 20), "{way}: {peak} bytes for {AT_ONCE} files of {LONG} at once");
        }
    });
}
