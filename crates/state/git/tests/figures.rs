//! The costs of pushing and fetching a large history. Run in a release build: it prints, and asserts no limits.
//!
//! `SEALSTACK_GIT_HISTORY` is a repository of the real git.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test that prints")]

mod world;

use std::time::Instant;

use bytes::Bytes;
use futures_util::StreamExt;
use git::{Deepen, Filter, Git, RefUpdate, Settings, UploadEvent, Wanted};
use git_object::fsck::{self, Message};
use git_object::{ObjectFormat, ObjectId};
use peak_alloc::PeakAlloc;
use world::{ID, RealGit, World, block_on};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Processor time of this process in seconds.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    ticks as f64 / 100.0
}

struct Meter(Instant, f64);

impl Meter {
    fn start() -> Self {
        MEMORY.reset_peak_usage();
        Self(Instant::now(), processor())
    }

    fn report(self, what: &str, bytes: usize) {
        let (wall, cpu) = (self.0.elapsed().as_secs_f64(), processor() - self.1);
        let (peak, now) = (MEMORY.peak_usage_as_mb(), MEMORY.current_usage_as_mb());
        println!(
            "{what}: {wall:.3} s wall, {cpu:.2} s processor, {bytes} bytes, peak {peak:.0} MiB, then {now:.0} MiB"
        );
    }
}

/// Discards an upload. Yields its length.
async fn fetch(world: &World, wanted: Wanted) -> usize {
    let mut stream = world.open().await.upload(wanted);
    let mut bytes = 0;
    while let Some(event) = stream.next().await {
        if let UploadEvent::Data(piece) = event.unwrap() {
            bytes += piece.len();
        }
    }
    bytes
}

#[test]
#[ignore = "needs a history, and tells something in a release build only"]
fn a_history_in_and_out() {
    let path = std::env::var("SEALSTACK_GIT_HISTORY").expect("SEALSTACK_GIT_HISTORY is a repository");
    let format = ObjectFormat::Sha1;
    let real = RealGit::bare(format);
    real.run(&["remote", "add", "origin", &path]);
    std::fs::write(real.path().join("objects/info/alternates"), format!("{path}/objects\n")).unwrap();
    let listed = real.text(&["ls-remote", "--refs", &path, "refs/heads/*", "refs/tags/*"]);
    let refs: Vec<(ObjectId, &str)> = listed
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(id, name)| (ObjectId::from_hex(format, id.as_bytes()).unwrap(), name))
        .collect();
    let revisions: String = refs.iter().map(|(id, _)| format!("{id}\n")).collect();
    let pack =
        real.run_with(&["pack-objects", "--revs", "--stdout", "-q", "--delta-base-offset"], revisions.as_bytes());
    let tips: Vec<ObjectId> = refs.iter().map(|(id, _)| *id).collect();
    block_on(async {
        let world = World::new().await;
        let meter = Meter::start();
        let repository = world.open().await;
        // Old histories have some of these.
        let mut options = fsck::Options::default();
        for message in [Message::ZeroPaddedFilemode, Message::BadTimezone, Message::MissingSpaceBeforeDate] {
            options.pass(message);
        }
        let mut receiving = repository.receive(format, options).unwrap();
        for piece in pack.chunks(65_000) {
            receiving.push(Bytes::copy_from_slice(piece)).await.unwrap();
        }
        println!("arrived after {:.3} s", meter.0.elapsed().as_secs_f64());
        let received = receiving.finish(tips.clone(), |_| {}).await.unwrap();
        let updates = refs.iter().map(|(id, name)| RefUpdate { name: (*name).to_owned(), old: None, new: Some(*id) });
        world.publish(&received, updates.collect(), false).await;
        drop(received);
        meter.report("push of all", pack.len());
        let wanted = Wanted { wants: tips.clone(), ofs_delta: true, ..Wanted::default() };
        for round in ["first", "second"] {
            let meter = Meter::start();
            let bytes = fetch(&world, wanted.clone()).await;
            meter.report(&format!("fetch of all, {round}"), bytes);
        }
        let meter = Meter::start();
        let filter = Filter { blob_bytes: Some(0), ..Filter::default() };
        let bytes = fetch(&world, Wanted { filter, ..wanted.clone() }).await;
        meter.report("without files", bytes);
        let main = ["refs/heads/unstable", "refs/heads/master", "refs/heads/main"];
        let head = refs.iter().find(|(_, name)| main.contains(name)).unwrap().0;
        for round in ["first", "second"] {
            let meter = Meter::start();
            let repository = world.open().await;
            let boundary = repository.deepen(vec![head], Vec::new(), Deepen::Depth(1)).await.unwrap();
            let one = Wanted { wants: vec![head], boundary: Some(boundary), ofs_delta: true, ..Wanted::default() };
            let bytes = fetch(&world, one).await;
            meter.report(&format!("depth 1, {round}"), bytes);
        }
        let branch = Wanted { wants: vec![head], ofs_delta: true, ..Wanted::default() };
        let meter = Meter::start();
        let bytes = fetch(&world, branch.clone()).await;
        meter.report("one branch", bytes);
        let meter = Meter::start();
        let mapped = world.open().await.map().await.unwrap().unwrap();
        world
            .store
            .write(move |tx| mapped.publish(tx).map_err(world::Published))
            .await
            .map_err(|error| error.0)
            .unwrap();
        meter.report("bitmaps made", 0);
        for round in ["first", "second"] {
            let meter = Meter::start();
            let bytes = fetch(&world, branch.clone()).await;
            meter.report(&format!("one branch with bitmaps, {round}"), bytes);
        }
        for round in ["first", "second"] {
            let meter = Meter::start();
            let objects = world.open().await.objects();
            let commits = tokio::task::spawn_blocking(move || objects.history(&[head], usize::MAX)).await.unwrap();
            meter.report(&format!("{} commits walked, {round}", commits.unwrap().len()), 0);
        }
        let parent = world.open().await.objects().history(&[head], usize::MAX).unwrap();
        for back in [1, 100, 300, 1000, 3000, 10_000] {
            if back >= parent.len() {
                continue;
            }
            let meter = Meter::start();
            let some = Wanted {
                wants: vec![head],
                haves: vec![parent[back]],
                thin: true,
                ofs_delta: true,
                include_tag: true,
                ..Wanted::default()
            };
            let bytes = fetch(&world, some).await;
            meter.report(&format!("fetch of what came in {back} commits"), bytes);
        }
        let meter = Meter::start();
        for _ in 0..1000 {
            assert_eq!(world.open().await.references().len(), refs.len());
        }
        meter.report("a thousand times opened", 0);
    });
    // Small pushes.
    let real = RealGit::history(format, 3);
    block_on(async {
        let world = World::new().await;
        world.push(&real, &["refs/heads/main"]).await;
        let head = real.id("main");
        let checked = world.open().await.check(format, vec![head]).await.unwrap();
        let meter = Meter::start();
        for page in 0..13 {
            let name = |number| format!("refs/heads/topic/with/a/name/{:06}", page * 4000 + number);
            let made = (0..4000).map(|number| RefUpdate { name: name(number), old: None, new: Some(head) });
            world.publish(&checked, made.collect(), false).await;
        }
        meter.report("52,000 references", 0);
        drop(checked);
        for round in ["first", "second"] {
            let meter = Meter::start();
            let count = world.open().await.references().len();
            meter.report(&format!("all of them opened, {round}"), count);
        }
        for number in 0..3 {
            let old = real.id("main");
            real.write("one", format!("{number}").as_bytes());
            let new = real.commit("one");
            let pack = real.run_with(
                &["pack-objects", "--revs", "--stdout", "--thin", "-q", "--delta-base-offset"],
                format!("{new}\n^{old}\n").as_bytes(),
            );
            let meter = Meter::start();
            let repository = world.open().await;
            let received = world.receive(&repository, format, &pack, vec![new]).await.unwrap();
            let moved = RefUpdate { name: "refs/heads/main".to_owned(), old: Some(old), new: Some(new) };
            world.publish(&received, vec![moved], false).await;
            meter.report("push of one", pack.len());
        }
        let all = Wanted { wants: vec![real.id("main")], ofs_delta: true, ..Wanted::default() };
        for _ in 0..2 {
            let meter = Meter::start();
            let bytes = fetch(&world, all.clone()).await;
            meter.report("fetch of four packs", bytes);
        }
    });
}

/// The cost of look-ups while pushes have left many packs that maintenance has not joined yet.
#[test]
#[ignore = "tells something in a release build only"]
fn objects_are_looked_up_in_many_packs() {
    let format = ObjectFormat::Sha1;
    let real = RealGit::history(format, 400);
    block_on(async {
        let world = World::new().await;
        world.push(&real, &["refs/heads/main"]).await;
        let ids = real.objects(&["main"]);
        let missing = move |number: u32| {
            let bytes: Vec<u8> =
                (0..5_u32).flat_map(|word| (number * 5 + word).wrapping_mul(2_654_435_761).to_be_bytes()).collect();
            ObjectId::from_bytes(format, &bytes).unwrap()
        };
        let mut packs = 1;
        for packs_wanted in [1, 12, 50, 200] {
            while packs < packs_wanted {
                let old = real.id("main");
                real.write("one", format!("{packs}").as_bytes());
                let new = real.commit("one");
                world.push(&real, &["refs/heads/main"]).await;
                assert_ne!(old, new);
                packs += 1;
            }
            // As after a start of the server: no pack is open.
            let git = Git::new(world.store.clone(), world.blobs.clone(), Settings::default());
            let objects = git.open(ID, &world.key).await.unwrap().objects();
            let (known, all) = (ids.clone(), objects);
            let (opened, found, missed) = tokio::task::spawn_blocking(move || {
                let begun = Instant::now();
                assert!(!all.exists(&missing(0)).unwrap());
                let opened = begun.elapsed();
                let begun = Instant::now();
                for round in 0..10_000 {
                    assert!(all.exists(&known[round % known.len()]).unwrap());
                }
                let found = begun.elapsed();
                let begun = Instant::now();
                for number in 0..10_000 {
                    assert!(!all.exists(&missing(number)).unwrap());
                }
                (opened, found, begun.elapsed())
            })
            .await
            .unwrap();
            println!(
                "{packs} packs: first look-up {:.3} ms, then {:.2} us each, and {:.2} us for what is not there",
                opened.as_secs_f64() * 1e3,
                found.as_secs_f64() * 1e2,
                missed.as_secs_f64() * 1e2
            );
            let all = Wanted { wants: vec![real.id("main")], ofs_delta: true, ..Wanted::default() };
            let one = Wanted { haves: vec![real.id("main~1")], thin: true, ..all.clone() };
            let far = Wanted { haves: vec![real.id("main~390")], thin: true, ..all.clone() };
            for (what, wanted) in [("all", all), ("one", one), ("390 commits", far)] {
                let meter = Meter::start();
                let bytes = fetch(&world, wanted).await;
                meter.report(&format!("{packs} packs, fetch of {what}"), bytes);
            }
        }
    });
}
