//! Pushes and fetches, compared with the real git.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use git::{Deepen, Filter, RefOutcome, Wanted};
use git_object::{Kind, ObjectFormat, ObjectId};
use world::{RealGit, World, block_on};

const FORMATS: [ObjectFormat; 2] = [ObjectFormat::Sha1, ObjectFormat::Sha256];
const NAMES: [&str; 6] =
    ["refs/heads/main", "refs/heads/side", "refs/tags/v1", "refs/tags/v2", "refs/tags/vv2", "refs/tags/light"];

/// Has the real git index a pack and says which objects it brought.
fn unpack(into: &RealGit, pack: &[u8]) -> Vec<ObjectId> {
    into.run_with(&["index-pack", "--stdin", "--strict", "--fix-thin"], pack);
    let listed = into.text(&["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
    listed.lines().map(|line| ObjectId::from_hex(into.format, line.as_bytes()).unwrap()).collect()
}

fn wants(from: &RealGit, names: &[&str]) -> Vec<ObjectId> {
    names.iter().map(|name| from.id(name)).collect()
}

#[test]
fn a_history_that_was_pushed_at_once_is_fetched_byte_for_byte() {
    block_on(async {
        for format in FORMATS {
            let (world, real) = (World::new().await, RealGit::history(format, 40));
            assert_eq!(world.push(&real, &NAMES).await, vec![RefOutcome::Done; NAMES.len()]);
            let repository = world.open().await;
            assert_eq!((repository.format(), repository.head()), (Some(format), "refs/heads/main"));
            assert_eq!(repository.reference("refs/tags/v1"), Some(real.id("v1")));
            let peeled = repository.references().find("refs/tags/vv2").unwrap().peeled;
            assert_eq!(peeled, Some(real.id("vv2^{commit}")));
            let wanted = Wanted { wants: wants(&real, &NAMES), ofs_delta: true, ..Wanted::default() };
            let pack = world.upload(wanted).await;
            let bare = RealGit::bare(format);
            assert_eq!(unpack(&bare, &pack), real.objects(&["--all"]));
            let objects = repository.objects();
            for id in real.objects(&["--all"]) {
                let kind = real.text(&["cat-file", "-t", &id.to_string()]);
                let content = real.run(&["cat-file", &kind, &id.to_string()]);
                let read = objects.read(&id, u64::MAX).unwrap().unwrap();
                assert!(read.kind.name() == kind && **read == *content, "{id}");
                assert_eq!(objects.header(&id).unwrap(), Some((read.kind, content.len() as u64)));
                let mut streamed = Vec::new();
                let each = &mut |piece: &[u8]| {
                    streamed.extend_from_slice(piece);
                    Ok(())
                };
                assert_eq!(objects.stream(&id, each).unwrap(), Some(read.kind));
                assert!(streamed == content);
            }
        }
    });
}

#[test]
fn many_small_pushes_are_fetched_as_if_they_had_been_one() {
    block_on(async {
        for format in FORMATS {
            let (world, real) = (World::new().await, RealGit::history(format, 12));
            let commits = real.text(&["rev-list", "--reverse", "--first-parent", "main"]);
            for commit in commits.lines() {
                real.run(&["update-ref", "refs/heads/main", commit]);
                assert_eq!(world.push(&real, &["refs/heads/main"]).await, [RefOutcome::Done]);
            }
            world.push(&real, &NAMES[1..]).await;
            let all = real.objects(&["--all"]);
            for ofs_delta in [true, false] {
                let wanted = Wanted { wants: wants(&real, &NAMES), ofs_delta, ..Wanted::default() };
                let pack = world.upload(wanted).await;
                assert_eq!(unpack(&RealGit::bare(format), &pack), all);
            }
            // A part of it alone is walked.
            for name in NAMES {
                let wanted = Wanted { wants: wants(&real, &[name]), ofs_delta: true, ..Wanted::default() };
                let pack = world.upload(wanted).await;
                assert_eq!(unpack(&RealGit::bare(format), &pack), real.objects(&[name]));
            }
        }
    });
}

#[test]
fn who_has_some_gets_the_rest_as_a_thin_pack() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::history(ObjectFormat::Sha1, 30));
        world.push(&real, &NAMES).await;
        for back in [1_usize, 3, 10, 25] {
            let old = format!("main~{back}");
            let bare = RealGit::bare(ObjectFormat::Sha1);
            let pack =
                real.run_with(&["pack-objects", "--revs", "--stdout", "-q"], format!("{}\n", real.id(&old)).as_bytes());
            let before = unpack(&bare, &pack);
            let fetched = Wanted {
                wants: vec![real.id("main")],
                haves: vec![real.id(&old), ObjectId::null(ObjectFormat::Sha1)],
                thin: true,
                ofs_delta: true,
                include_tag: true,
                ..Wanted::default()
            };
            let pack = world.upload(fetched).await;
            let after = unpack(&bare, &pack);
            let expected = real.objects(&["main", "vv2"]);
            let tags = [real.id("v1"), real.id("v2"), real.id("vv2")];
            assert!(expected.iter().all(|id| after.contains(id)));
            // Of what it had, nothing came again but what a thin pack was completed with, which it had.
            let surplus =
                after.iter().filter(|id| !expected.contains(id) && !before.contains(id) && !tags.contains(id));
            assert_eq!(surplus.count(), 0, "{back}");
            let count = u32::from_be_bytes(pack[8..12].try_into().unwrap());
            let git = real.objects(&["main", "vv2", &format!("^{old}")]).len();
            assert!(count as usize <= git + 2, "{count} objects where git has {git}");
        }
    });
}

#[test]
fn shallow_histories_end_where_git_ends_them() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::history(ObjectFormat::Sha1, 20));
        world.push(&real, &NAMES).await;
        let repository = world.open().await;
        let url = format!("file://{}", real.path().display());
        let since = real.text(&["log", "-1", "--format=%ct", "main~5"]);
        let cases: Vec<(String, Deepen)> = vec![
            ("--depth=1".to_owned(), Deepen::Depth(1)),
            ("--depth=4".to_owned(), Deepen::Depth(4)),
            ("--depth=100".to_owned(), Deepen::Depth(100)),
            (format!("--shallow-since={since}"), Deepen::Rules { since: since.parse().ok(), not: Vec::new() }),
            ("--shallow-exclude=v1".to_owned(), Deepen::Rules { since: None, not: vec![real.id("v1")] }),
        ];
        for (option, deepen) in cases {
            let clone = RealGit::bare(ObjectFormat::Sha1);
            clone.run(&["fetch", "-q", "--no-tags", &option, &url, "refs/heads/main:refs/heads/main"]);
            let shallow = std::fs::read_to_string(clone.path().join("shallow")).unwrap_or_default();
            let mut expected: Vec<&str> = shallow.lines().collect();
            expected.sort_unstable();
            let boundary = repository.deepen(vec![real.id("main")], Vec::new(), deepen).await.unwrap();
            let mut found: Vec<String> = boundary.shallow.iter().map(ToString::to_string).collect();
            found.sort_unstable();
            assert_eq!(found, expected, "{option}");
            let wanted =
                Wanted { wants: vec![real.id("main")], boundary: Some(boundary), ofs_delta: true, ..Wanted::default() };
            let bare = RealGit::bare(ObjectFormat::Sha1);
            let pack = world.upload(wanted).await;
            std::fs::write(bare.path().join("shallow"), &shallow).unwrap();
            let listed = clone.objects(&["main"]);
            bare.run_with(&["index-pack", "--stdin"], &pack);
            bare.run(&["update-ref", "refs/heads/main", &real.id("main").to_string()]);
            assert_eq!(bare.objects(&["main"]), listed, "{option}");
            let all = bare.text(&["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
            assert_eq!(all.lines().count(), listed.len(), "{option}");
        }
        // Deeper by two.
        let first = repository.deepen(vec![real.id("main")], Vec::new(), Deepen::Depth(2)).await.unwrap();
        let more = repository.deepen(vec![real.id("main")], first.shallow.clone(), Deepen::Relative(2)).await.unwrap();
        let four = repository.deepen(vec![real.id("main")], Vec::new(), Deepen::Depth(4)).await.unwrap();
        let sorted = |mut ids: Vec<ObjectId>| {
            ids.sort_unstable();
            ids
        };
        assert_eq!(sorted(more.shallow.clone()), sorted(four.shallow));
        assert_eq!(sorted(more.unshallow.clone()), sorted(first.shallow.clone()));
        // The client has the first two and gets two more.
        let bare = RealGit::bare(ObjectFormat::Sha1);
        let one = Wanted { wants: vec![real.id("main")], boundary: Some(first.clone()), ..Wanted::default() };
        bare.run_with(&["index-pack", "--stdin"], &world.upload(one).await);
        let two = Wanted {
            wants: vec![real.id("main")],
            haves: vec![real.id("main")],
            shallow: first.shallow,
            boundary: Some(more.clone()),
            thin: true,
            ofs_delta: true,
            ..Wanted::default()
        };
        bare.run_with(&["index-pack", "--stdin", "--fix-thin"], &world.upload(two).await);
        let lines: String = more.shallow.iter().map(|id| format!("{id}\n")).collect();
        std::fs::write(bare.path().join("shallow"), lines).unwrap();
        bare.run(&["update-ref", "refs/heads/main", &real.id("main").to_string()]);
        bare.run(&["fsck", "--strict"]);
    });
}

#[test]
fn filters_leave_out_what_git_leaves_out() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::history(ObjectFormat::Sha1, 20));
        world.push(&real, &NAMES).await;
        // The second time, what is sent is no whole pack, and is walked.
        for names in [&NAMES[..], &["refs/heads/side"]] {
            for (option, filter) in [
                ("blob:none", Filter { blob_bytes: Some(0), ..Filter::default() }),
                ("blob:limit=1500", Filter { blob_bytes: Some(1500), ..Filter::default() }),
                ("tree:0", Filter { tree_depth: Some(0), ..Filter::default() }),
                ("tree:1", Filter { tree_depth: Some(1), ..Filter::default() }),
                ("tree:2", Filter { tree_depth: Some(2), ..Filter::default() }),
                ("tree:3", Filter { tree_depth: Some(3), ..Filter::default() }),
                ("object:type=commit", Filter { only: Some(Kind::Commit), ..Filter::default() }),
                ("object:type=tree", Filter { only: Some(Kind::Tree), ..Filter::default() }),
                ("object:type=blob", Filter { only: Some(Kind::Blob), ..Filter::default() }),
            ] {
                let wanted = Wanted { wants: wants(&real, names), filter, ofs_delta: true, ..Wanted::default() };
                let pack = world.upload(wanted).await;
                let bare = RealGit::bare(ObjectFormat::Sha1);
                bare.run_with(&["index-pack", "--stdin"], &pack);
                let listed = bare.text(&["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
                let found: Vec<ObjectId> = listed
                    .lines()
                    .map(|line| ObjectId::from_hex(ObjectFormat::Sha1, line.as_bytes()).unwrap())
                    .collect();
                let filter = format!("--filter={option}");
                let names: Vec<&str> = [filter.as_str()].into_iter().chain(names.iter().copied()).collect();
                let expected = real.objects(&names);
                let show = |of: &[ObjectId], but: &[ObjectId]| -> Vec<String> {
                    let left = of.iter().filter(|id| !but.contains(id)).map(ToString::to_string);
                    left.map(|id| real.text(&["cat-file", "-t", &id]) + " " + &id).collect()
                };
                let differences = (show(&found, &expected), show(&expected, &found));
                assert_eq!(differences, (Vec::new(), Vec::new()), "too many, and missing: {names:?}");
            }
        }
    });
}

#[test]
fn what_no_reference_leads_to_is_not_reachable_and_not_sent() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::history(ObjectFormat::Sha1, 8));
        world.push(&real, &NAMES).await;
        let secret =
            ObjectId::from_hex(ObjectFormat::Sha1, real.text(&["rev-parse", "main:large.bin"]).as_bytes()).unwrap();
        let repository = world.open().await;
        assert_eq!(repository.unreachable(vec![real.id("main~3"), secret]).await.unwrap(), None);
        let absent = ObjectId::from_bytes(ObjectFormat::Sha1, &[7; 20]).unwrap();
        assert_eq!(repository.unreachable(vec![real.id("main"), absent]).await.unwrap(), Some(absent));
        // Another history takes the place of all.
        real.run(&["checkout", "-q", "--orphan", "other"]);
        real.run(&["rm", "-rfq", "."]);
        real.write("only", b"only\n");
        let only = real.commit("only");
        let mut updates = Vec::new();
        for name in NAMES {
            updates.push(git::RefUpdate { name: name.to_owned(), old: repository.reference(name), new: None });
        }
        world.push(&real, &["refs/heads/other"]).await;
        let none = world.open().await.check(ObjectFormat::Sha1, Vec::new()).await.unwrap();
        assert_eq!(world.publish(&none, updates, true).await, vec![RefOutcome::Done; NAMES.len()]);
        let repository = world.open().await;
        assert!(repository.objects().exists(&secret).unwrap());
        assert_eq!(repository.unreachable(vec![only, secret]).await.unwrap(), Some(secret));
        let pack = world.upload(Wanted { wants: vec![only], ..Wanted::default() }).await;
        assert_eq!(unpack(&RealGit::bare(ObjectFormat::Sha1), &pack), real.objects(&["other"]));
    });
}

#[test]
fn what_is_verified_has_no_faults_and_what_was_damaged_has_some() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::history(ObjectFormat::Sha1, 10));
        world.push(&real, &NAMES[..1]).await;
        world.push(&real, &NAMES[1..]).await;
        let seen = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
        let last = std::sync::Arc::clone(&seen);
        let progress = move |done, of| {
            last.fetch_max(done * 100 / of, std::sync::atomic::Ordering::Relaxed);
            true
        };
        let verified = world.open().await.verify(progress).await.unwrap();
        assert!(verified.faults.is_empty(), "{:?}", verified.faults);
        assert_eq!((verified.packs, verified.references), (2, NAMES.len() as u64));
        assert!(verified.objects >= real.objects(&["--all"]).len() as u64);
        assert_eq!(seen.load(std::sync::atomic::Ordering::Relaxed), 100);
        // The newest pack loses a bit.
        let mut listed = world.blobs.list(None, usize::MAX).await.unwrap();
        listed.sort_by_key(|found| found.sealed_bytes);
        let path = world.dir.0.join("blobs").join(listed.last().unwrap().id.path());
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[100_000] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        // Another process has no chunks of it in memory.
        let other = git::Git::new(world.store.clone(), world.blobs.clone(), git::Settings::default());
        let verified = other.open(world::ID, &world.key).await.unwrap().verify(|_, _| true).await.unwrap();
        assert!(!verified.faults.is_empty());
        assert!(
            verified.faults.iter().all(|fault| matches!(fault, git::Fault::Object { .. } | git::Fault::Link { .. }))
        );
    });
}
