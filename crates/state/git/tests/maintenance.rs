//! Maintenance: what was there is there afterwards, in few packs, and what nothing leads to goes in the end.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use std::io::{BufRead, Read, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use blobs::Blobs;
use crypto::Key256;
use git::{
    Git, GitError, Maintained, Maintenance, MaintenanceProgress, RefOutcome, RefUpdate, Repository, Settings, Swapped,
    Wanted,
};
use git_object::{Kind, ObjectFormat, ObjectId, hash_object};
use installed::crash::{CrashDir, child, child_dir, spawn};
use store::{RootKey, Store};
use world::{ID, Published, RealGit, World, block_on};

const FORMATS: [ObjectFormat; 2] = [ObjectFormat::Sha1, ObjectFormat::Sha256];
const DAY: i64 = 24 * 60 * 60;
const SHA1: ObjectFormat = ObjectFormat::Sha1;

fn all() -> Maintenance {
    Maintenance { all: true, ..Maintenance::default() }
}

async fn publish(world: &World, maintained: &Maintained, now: i64) -> Result<Swapped, GitError> {
    let maintained = maintained.clone();
    let write = world.store.write(move |tx| maintained.publish(tx, now).map_err(Published));
    write.await.map_err(|error: Published| error.0)
}

async fn maintain(world: &World, maintenance: Maintenance, now: i64) -> Option<Swapped> {
    let maintained = world.open().await.maintain(maintenance, now, |_| true).await.unwrap()?;
    Some(publish(world, &maintained, now).await.unwrap())
}

async fn intact(repository: &Repository) {
    let verified = repository.verify(|_, _| true).await.unwrap();
    assert!(verified.faults.is_empty(), "{:?}", verified.faults);
}

async fn packs(world: &World) -> u64 {
    world.open().await.verify(|_, _| true).await.unwrap().packs
}

/// Has the real git take what a client that has nothing gets, and says which objects that is.
async fn cloned(world: &World, format: ObjectFormat) -> (Vec<u8>, Vec<ObjectId>) {
    let mut wants: Vec<ObjectId> = world.open().await.references().iter().map(|found| found.id).collect();
    wants.dedup();
    let pack = world.upload(Wanted { wants, ofs_delta: true, ..Wanted::default() }).await;
    let bare = RealGit::bare(format);
    bare.run_with(&["index-pack", "--stdin", "--strict"], &pack);
    let listed = bare.text(&["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
    (pack, listed.lines().map(|line| ObjectId::from_hex(format, line.as_bytes()).unwrap()).collect())
}

/// Pushes every commit of the main branch by itself, and then the other references.
async fn push_all(world: &World, real: &RealGit) {
    for commit in real.text(&["rev-list", "--reverse", "--first-parent", "main"]).lines() {
        real.run(&["update-ref", "refs/heads/main", commit]);
        assert_eq!(world.push(real, &["refs/heads/main"]).await, [RefOutcome::Done]);
    }
    world.push(real, &["refs/heads/side", "refs/tags/v1", "refs/tags/v2", "refs/tags/vv2", "refs/tags/light"]).await;
}

#[test]
fn many_pushes_become_one_pack_as_small_as_gits() {
    block_on(async {
        for format in FORMATS {
            let (world, real) = (World::new().await, RealGit::history(format, 30));
            push_all(&world, &real).await;
            assert!(packs(&world).await > 30);
            let before = world.open().await;
            let swapped = maintain(&world, all(), 5).await.unwrap();
            assert!(swapped.replaced > 30 && swapped.written == 1 && swapped.dropped == 0, "{swapped:?}");
            let after = world.open().await;
            intact(&after).await;
            let (pack, objects) = cloned(&world, format).await;
            assert_eq!(objects, real.objects(&["--all"]));
            let theirs =
                real.run_with(&["pack-objects", "--all", "--revs", "--stdout", "-q", "--delta-base-offset"], b"");
            assert!(pack.len() <= theirs.len() * 11 / 10, "{} bytes where git has {}", pack.len(), theirs.len());
            // Whoever has opened the repository before reads on.
            intact(&before).await;
            // And there is no more to be done.
            assert_eq!(maintain(&world, all(), 6).await, None);
            assert!(!world.open().await.needs_maintenance(&Maintenance::default(), 6));
        }
    });
}

/// Objects of a pack that are deltas, with their bases, as the real git tells them.
fn deltas(pack: &[u8]) -> Vec<(ObjectId, ObjectId)> {
    let bare = RealGit::bare(SHA1);
    let path = bare.path().join("one.pack");
    std::fs::write(&path, pack).unwrap();
    let path = path.display().to_string();
    bare.run(&["index-pack", &path]);
    let id = |text: &str| ObjectId::from_hex(SHA1, text.as_bytes()).ok();
    let listed = bare.text(&["verify-pack", "-v", &path]);
    listed.lines().filter_map(|line| Some((id(line.split(' ').next()?)?, id(line.rsplit(' ').next()?)?))).collect()
}

#[test]
fn what_head_stands_for_has_deltas_of_its_own_alone() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::history(SHA1, 40));
        // The newest files are the smallest: elsewhere they would be deltas of old ones.
        let mut lines: Vec<String> = (0..400).map(|line| format!("line {}\n", line * 7919 % 5003)).collect();
        for _ in 0..12 {
            lines.truncate(lines.len() - 25);
            real.write("shrinking", lines.concat().as_bytes());
            real.write("beside/shrinking", lines[5..].concat().as_bytes());
            real.commit("shorter");
        }
        push_all(&world, &real).await;
        maintain(&world, all(), 5).await.unwrap();
        let (pack, _) = cloned(&world, SHA1).await;
        let tip = real.objects(&["--no-walk", "main"]);
        let deltas = deltas(&pack);
        let of_tip = |id: &ObjectId| tip.binary_search(id).is_ok();
        for (id, base) in &deltas {
            assert!(of_tip(base) || !of_tip(id), "{id} needs {base}");
        }
        assert!(deltas.iter().any(|(id, base)| of_tip(base) && !of_tip(id)), "old files are deltas of the newest");
    });
}

#[test]
fn one_branch_of_several_is_sent_in_about_as_few_bytes_as_with_git() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::new(SHA1));
        // Each version of the file is nearest to one that is on another branch.
        let mut lines: Vec<String> = (0..600).map(|line| format!("line {}\n", line * 7919 % 50_021)).collect();
        for number in 0..60 {
            lines[number * 7 % 600] = format!("changed {number}\n");
            real.write("file", lines.concat().as_bytes());
            let name = if number % 3 == 0 { "main" } else { "other" };
            if number < 2 {
                real.commit("one");
                real.run(&["branch", "-f", "other"]);
                continue;
            }
            real.run(&["symbolic-ref", "HEAD", &format!("refs/heads/{name}")]);
            real.commit("one");
        }
        world.push(&real, &["refs/heads/main", "refs/heads/other"]).await;
        maintain(&world, all(), 5).await.unwrap();
        let wanted = |ofs_delta| Wanted { wants: vec![real.id("main")], ofs_delta, ..Wanted::default() };
        let theirs = real.run_with(&["pack-objects", "--revs", "--stdout", "-q", "--delta-base-offset"], b"main\n");
        for ofs_delta in [true, false] {
            let ours = world.upload(wanted(ofs_delta)).await;
            let bare = RealGit::bare(SHA1);
            bare.run_with(&["index-pack", "--stdin", "--strict"], &ours);
            assert_eq!(bare.objects(&[&real.id("main").to_string()]), real.objects(&["main"]));
            assert!(ours.len() < theirs.len() * 3 / 2, "{} bytes where git has {}", ours.len(), theirs.len());
        }
    });
}

#[test]
fn small_packs_are_merged_again_and_again() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::history(SHA1, 60));
        let commits = real.text(&["rev-list", "--reverse", "--first-parent", "main"]);
        let maintenance = Maintenance { packs_max: 4, ..Maintenance::default() };
        let mut merged = 0;
        for commit in commits.lines() {
            real.run(&["update-ref", "refs/heads/main", commit]);
            assert_eq!(world.push(&real, &["refs/heads/main"]).await, [RefOutcome::Done]);
            if world.open().await.needs_maintenance(&maintenance, 5) {
                merged += maintain(&world, maintenance.clone(), 5).await.unwrap().replaced;
                assert!(packs(&world).await <= 4);
            }
        }
        assert!(merged > 60 && merged < 200, "{merged} packs were merged");
        world.push(&real, &["refs/heads/side", "refs/tags/v1", "refs/tags/v2", "refs/tags/vv2"]).await;
        intact(&world.open().await).await;
        let (_, objects) = cloned(&world, SHA1).await;
        assert_eq!(objects, real.objects(&["main", "refs/heads/side", "v1", "v2", "vv2"]));
        // Somebody who has a part gets the rest.
        let have = real.id("main~20");
        let bare = RealGit::bare(SHA1);
        let old = real.run_with(&["pack-objects", "--revs", "--stdout", "-q"], format!("{have}\n").as_bytes());
        bare.run_with(&["index-pack", "--stdin"], &old);
        let wanted = Wanted {
            wants: vec![real.id("main")],
            haves: vec![have],
            thin: true,
            ofs_delta: true,
            ..Wanted::default()
        };
        bare.run_with(&["index-pack", "--stdin", "--strict", "--fix-thin"], &world.upload(wanted).await);
        bare.run(&["update-ref", "refs/heads/main", &real.id("main").to_string()]);
        bare.run(&["fsck", "--strict"]);
    });
}

#[test]
fn what_nothing_leads_to_goes_after_its_time_and_not_before() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::history(SHA1, 10));
        push_all(&world, &real).await;
        let (side, main) = (real.id("side"), real.id("main"));
        // A commit that only a branch has which is removed.
        real.run(&["checkout", "-q", "-b", "gone", "main"]);
        real.write("secret", b"a key that was pushed by mistake\n");
        let gone = real.commit("oh no");
        world.push(&real, &["refs/heads/gone"]).await;
        let repository = world.open().await;
        let received = repository.check(SHA1, vec![gone]).await.unwrap();
        let removed = RefUpdate { name: "refs/heads/gone".to_owned(), old: Some(gone), new: None };
        world.publish(&received, vec![removed], true).await;

        let swapped = maintain(&world, all(), 1000).await.unwrap();
        assert_eq!((swapped.written, swapped.dropped), (2, 0));
        let repository = world.open().await;
        intact(&repository).await;
        assert!(repository.objects().exists(&gone).unwrap(), "it stays for a while");
        assert_eq!(repository.unreachable(vec![side, gone]).await.unwrap(), Some(gone), "but nobody gets it");
        assert!(!repository.needs_maintenance(&Maintenance::default(), 1000 + 13 * DAY));
        assert_eq!(maintain(&world, all(), 1000 + 13 * DAY).await, None);

        // A push that was checked while it was there is not published when it is gone.
        let checked = repository.check(SHA1, vec![gone]).await.unwrap();
        assert!(repository.needs_maintenance(&Maintenance::default(), 1000 + 14 * DAY));
        let swapped = maintain(&world, Maintenance::default(), 1000 + 14 * DAY).await.unwrap();
        assert_eq!((swapped.replaced, swapped.written, swapped.dropped), (0, 0, 3));
        let write = world.store.write(move |tx| {
            let update = RefUpdate { name: "refs/heads/back".to_owned(), old: None, new: Some(gone) };
            checked.publish(tx, &[update], true, "x", 1).map_err(Published)
        });
        assert!(matches!(write.await.map_err(|error: Published| error.0), Err(GitError::Outdated)));
        let repository = world.open().await;
        intact(&repository).await;
        assert!(!repository.objects().exists(&gone).unwrap());
        assert!(repository.objects().exists(&main).unwrap());
        assert_eq!(cloned(&world, SHA1).await.1, real.objects(&["main", "refs/heads/side", "v1", "vv2"]));
    });
}

#[test]
fn what_is_named_again_does_not_go() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::history(SHA1, 10));
        push_all(&world, &real).await;
        real.run(&["checkout", "-q", "-b", "gone", "main"]);
        let gone = real.commit("gone and back");
        world.push(&real, &["refs/heads/gone"]).await;
        let update = |old, new| vec![RefUpdate { name: "refs/heads/gone".to_owned(), old, new }];
        let received = world.open().await.check(SHA1, vec![gone]).await.unwrap();
        world.publish(&received, update(Some(gone), None), true).await;
        assert_eq!(maintain(&world, all(), 1000).await.unwrap().written, 2);
        let expiring = world.open().await.maintain(all(), 1000 + 20 * DAY, |_| true).await.unwrap().unwrap();
        // Named between the decision and the act.
        let received = world.open().await.check(SHA1, vec![gone]).await.unwrap();
        assert_eq!(world.publish(&received, update(None, Some(gone)), true).await, [RefOutcome::Done]);
        assert_eq!(publish(&world, &expiring, 1000 + 20 * DAY).await.unwrap().dropped, 0);
        intact(&world.open().await).await;
        // The next one puts it where it belongs, and what is left of the other pack goes.
        let swapped = maintain(&world, Maintenance::default(), 1000 + 21 * DAY).await.unwrap();
        assert_eq!((swapped.replaced, swapped.written), (1, 1));
        let repository = world.open().await;
        intact(&repository).await;
        assert!(repository.objects().exists(&gone).unwrap());
        assert_eq!(cloned(&world, SHA1).await.1, real.objects(&["--all"]));
    });
}

#[test]
fn what_went_later_keeps_what_it_leads_to() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::history(SHA1, 10));
        push_all(&world, &real).await;
        let branch = |old, new| vec![RefUpdate { name: "refs/heads/branch".to_owned(), old, new }];
        let revisions = |text: String| {
            real.run_with(&["pack-objects", "--revs", "--stdout", "-q", "--delta-base-offset"], text.as_bytes())
        };
        real.run(&["checkout", "-q", "-b", "branch", "main"]);
        let mut commits = vec![real.id("main")];
        for number in 1..=3 {
            real.write("file", format!("{number}\n").repeat(50).as_bytes());
            commits.push(real.commit("on the branch"));
        }
        // Each comes on top of the one before, whose branch was removed, and goes with a pack of its own.
        for number in 1..=2 {
            let (parent, commit) = (commits[number - 1], commits[number]);
            let pack = revisions(format!("{commit}\n^{parent}\n"));
            let received = world.receive(&world.open().await, SHA1, &pack, vec![commit]).await.unwrap();
            assert_eq!(world.publish(&received, branch(None, Some(commit)), true).await, [RefOutcome::Done]);
            let none = world.open().await.check(SHA1, Vec::new()).await.unwrap();
            assert_eq!(world.publish(&none, branch(Some(commit), None), true).await, [RefOutcome::Done]);
            maintain(&world, all(), 100 * number as i64).await;
        }
        let after = all().unreachable_seconds;
        // The first has had its time, but the second leads to it.
        if let Some(swapped) = maintain(&world, Maintenance::default(), 150 + after).await {
            assert_eq!(swapped.dropped, 0);
        }
        let pack = revisions(format!("{}\n^{}\n", commits[3], commits[2]));
        let received = world.receive(&world.open().await, SHA1, &pack, vec![commits[3]]).await.unwrap();
        assert_eq!(world.publish(&received, branch(None, Some(commits[3])), true).await, [RefOutcome::Done]);
        intact(&world.open().await).await;
        // Together they go.
        let none = world.open().await.check(SHA1, Vec::new()).await.unwrap();
        assert_eq!(world.publish(&none, branch(Some(commits[3]), None), true).await, [RefOutcome::Done]);
        maintain(&world, all(), 300).await;
        let swapped = maintain(&world, Maintenance::default(), 300 + after).await.unwrap();
        assert!(swapped.dropped >= 9, "{} went", swapped.dropped);
        assert!(!world.open().await.objects().exists(&commits[1]).unwrap());
        intact(&world.open().await).await;
    });
}

#[test]
fn pushes_and_other_maintenance_meanwhile_lose_nothing() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::history(SHA1, 20));
        let commits = real.text(&["rev-list", "--reverse", "--first-parent", "main"]);
        let commits: Vec<&str> = commits.lines().collect();
        for commit in &commits[..15] {
            real.run(&["update-ref", "refs/heads/main", commit]);
            world.push(&real, &["refs/heads/main"]).await;
        }
        let repository = world.open().await;
        let first = repository.maintain(all(), 5, |_| true).await.unwrap().unwrap();
        let second = repository.maintain(all(), 5, |_| true).await.unwrap().unwrap();
        for commit in &commits[15..] {
            real.run(&["update-ref", "refs/heads/main", commit]);
            world.push(&real, &["refs/heads/main"]).await;
        }
        publish(&world, &first, 5).await.unwrap();
        assert!(matches!(publish(&world, &second, 5).await, Err(GitError::Outdated)));
        drop((first, second));
        assert_eq!(packs(&world).await as usize, 1 + commits.len() - 15);
        intact(&world.open().await).await;
        assert_eq!(cloned(&world, SHA1).await.1, real.objects(&["main"]));
        // What the second one made goes with the next sweep; what was replaced stays for those who read it.
        let later = || SystemTime::now() + Duration::from_secs(3600);
        let sweep = || world.blobs.sweep(blobs::referenced(world.store.clone()), later());
        assert_eq!(sweep().await.unwrap().blobs, 1);
        intact(&repository).await;
        let git = world.git.clone();
        assert_eq!(world.store.write(move |tx| git.release(tx, ID, 4)).await.unwrap(), 0);
        let git = world.git.clone();
        assert_eq!(world.store.write(move |tx| git.release(tx, ID, 5)).await.unwrap(), 15);
        assert_eq!(sweep().await.unwrap().blobs, 15);
        intact(&world.open().await).await;
        // A repository that is removed takes all with it.
        let git = world.git.clone();
        assert!(world.store.write(move |tx| git.remove(tx, ID)).await.unwrap());
        sweep().await.unwrap();
        assert!(world.blobs.list(None, 10).await.unwrap().is_empty());
    });
}

#[test]
fn maintenance_can_be_ended_and_leaves_nothing() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::history(SHA1, 10));
        push_all(&world, &real).await;
        for step in [0, 1] {
            let repository = world.open().await;
            let ended = repository.maintain(all(), 5, move |progress| match progress {
                MaintenanceProgress::Counting { .. } => true,
                MaintenanceProgress::Compressing { .. } => step > 0,
                MaintenanceProgress::Writing { .. } => false,
            });
            assert!(matches!(ended.await, Err(GitError::Interrupted)));
        }
        let before = world.blobs.list(None, usize::MAX).await.unwrap().len();
        let later = SystemTime::now() + Duration::from_secs(3600);
        world.blobs.sweep(blobs::referenced(world.store.clone()), later).await.unwrap();
        let after = world.blobs.list(None, usize::MAX).await.unwrap().len();
        assert!(before - after <= 1, "the pack that was whole when the work was ended");
        intact(&world.open().await).await;
        assert!(maintain(&world, all(), 5).await.is_some());
    });
}

fn open(dir: &Path) -> (Store, Blobs, Git) {
    std::fs::create_dir_all(dir).unwrap();
    let store = Store::open(dir.join("store.db"), &RootKey::from_slice(&[9; 32]).unwrap()).unwrap();
    let blobs = Blobs::in_directory(&dir.join("blobs")).unwrap();
    let git = Git::new(store.clone(), blobs.clone(), Settings { threads: 2, ..Settings::default() });
    (store, blobs, git)
}

/// Pushes a file, removes an older branch, maintains, over and over, until it is killed.
#[test]
#[ignore = "the process that `a_kill_at_any_moment_of_maintenance_loses_nothing` kills"]
fn maintain_for_ever() {
    let Some(dir) = child_dir() else { return };
    let (store, _, git) = open(&dir);
    let key = Key256::from_slice(&[3; 32]).unwrap();
    let mut out = std::io::stdout();
    block_on(async {
        let made = git.clone();
        // It is there from the second time on.
        let _ = store.write(move |tx| made.create(tx, ID, None)).await;
        loop {
            let repository = git.open(ID, &key).await.unwrap();
            let last = repository.references().iter().last().map(|found| found.name.to_owned());
            let number = last.map_or(0, |name| name.rsplit('/').next().unwrap().parse::<i64>().unwrap() + 1);
            let mut file = vec![0; 3000];
            crypto::random_bytes(&mut file);
            let blob = hash_object(SHA1, Kind::Blob, &file).unwrap();
            let tree = [b"100644 file\0", blob.as_bytes()].concat();
            let tree_id = hash_object(SHA1, Kind::Tree, &tree).unwrap();
            let who = format!("A <a@b> {number} +0000");
            let text = format!("tree {tree_id}\nauthor {who}\ncommitter {who}\n\nx\n").into_bytes();
            let id = hash_object(SHA1, Kind::Commit, &text).unwrap();
            let objects = vec![(Kind::Blob, file), (Kind::Tree, tree), (Kind::Commit, text)];
            let received = repository.write(SHA1, objects, vec![id]).await.unwrap();
            let branch = |number: i64| format!("refs/heads/{number:08}");
            let mut updates = vec![RefUpdate { name: branch(number), old: None, new: Some(id) }];
            if let Some(old) = repository.reference(&branch(number - 5)) {
                updates.push(RefUpdate { name: branch(number - 5), old: Some(old), new: None });
            }
            let publish = received.clone();
            let write = store.write(move |tx| publish.publish(tx, &updates, true, "x", number).map_err(Published));
            write.await.map_err(|error| error.0).unwrap();
            drop(received);
            writeln!(out, "published {id}.").unwrap();
            out.flush().unwrap();
            let maintenance = Maintenance {
                packs_max: 3,
                all: number % 3 == 0,
                unreachable_seconds: 5,
                replaced_seconds: 3,
                ..Maintenance::default()
            };
            let repository = git.open(ID, &key).await.unwrap();
            if let Some(maintained) = repository.maintain(maintenance, number, |_| true).await.unwrap() {
                let publish = maintained.clone();
                store.write(move |tx| publish.publish(tx, number).map_err(Published)).await.map_err(|e| e.0).unwrap();
                drop(maintained);
                writeln!(out, "maintained.").unwrap();
            }
        }
    });
}

#[test]
fn a_kill_at_any_moment_of_maintenance_loses_nothing() {
    let dir = CrashDir::new("git-maintain");
    let mut maintained = 0;
    for round in 0..16_u64 {
        let (mut process, mut out) = spawn(child("maintain_for_ever"), &dir);
        let mut lines = String::new();
        while !lines.contains("published") {
            assert!(out.read_line(&mut lines).unwrap() > 0, "the process ended by itself");
        }
        std::thread::sleep(Duration::from_micros(round * 57_393 % 500_000));
        process.kill().unwrap();
        process.wait().unwrap();
        out.read_to_string(&mut lines).unwrap();
        maintained += lines.matches("maintained").count();
        let last = lines.lines().filter_map(|line| line.rsplit_once("published ")?.1.strip_suffix('.')).next_back();
        let last = ObjectId::from_hex(SHA1, last.unwrap().as_bytes()).unwrap();
        let (store, blobs, git) = open(dir.path());
        block_on(async {
            let later = SystemTime::now() + Duration::from_secs(3600);
            blobs.sweep(blobs::referenced(store.clone()), later).await.unwrap();
            let repository = git.open(ID, &Key256::from_slice(&[3; 32]).unwrap()).await.unwrap();
            intact(&repository).await;
            let tips: Vec<ObjectId> = repository.references().iter().map(|found| found.id).collect();
            assert!(tips.iter().rev().take(2).any(|tip| *tip == last), "what was acknowledged is there");
            assert_eq!(repository.unreachable(tips).await.unwrap(), None);
        });
    }
    assert!(maintained > 16, "maintenance ran {maintained} times");
}

#[test]
fn repositories_that_were_opened_are_maintained_and_others_are_not() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::history(SHA1, 30));
        push_all(&world, &real).await;
        let before = world.open().await.verify(|_, _| true).await.unwrap().packs;
        let maintained = world.git.maintain_due(&Maintenance::default(), 5, || true).await.unwrap();
        assert_eq!(maintained, 1);
        // Nobody opened it since.
        assert_eq!(world.git.maintain_due(&Maintenance::default(), 5, || true).await.unwrap(), 0);
        let repository = world.open().await;
        let after = repository.verify(|_, _| true).await.unwrap();
        assert!(after.faults.is_empty() && after.packs < before && after.packs <= 12, "{after:?}");
        // It was looked at and has not changed, so that its key does not wait again.
        assert_eq!(world.git.maintain_due(&Maintenance::default(), 8 * DAY, || true).await.unwrap(), 0);
    });
}

#[test]
fn after_a_week_with_changes_all_packs_become_one_and_then_rest() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::history(SHA1, 3));
        world.push(&real, &["refs/heads/main"]).await;
        world.push(&real, &["refs/tags/v1"]).await;
        let (maintenance, due) = (Maintenance::default(), 8 * DAY);
        world.open().await;
        assert_eq!(world.git.maintain_due(&maintenance, 2 * DAY, || true).await.unwrap(), 0);
        // As after a start of the server: no look is remembered.
        let later = Git::new(world.store.clone(), world.blobs.clone(), Settings::default());
        later.open(ID, &world.key).await.unwrap();
        assert_eq!(later.maintain_due(&maintenance, due, || true).await.unwrap(), 1);
        assert_eq!(packs(&world).await, 1);
        let again = Git::new(world.store.clone(), world.blobs.clone(), Settings::default());
        again.open(ID, &world.key).await.unwrap();
        assert_eq!(again.maintain_due(&maintenance, due + 30 * DAY, || true).await.unwrap(), 0);
        // What was replaced has been let go of by then, so that the sweep removes it.
        let swept =
            world.blobs.sweep(blobs::referenced(world.store.clone()), SystemTime::now() + Duration::from_secs(9));
        assert!(swept.await.unwrap().blobs >= 2);
        intact(&again.open(ID, &world.key).await.unwrap()).await;
    });
}

#[test]
fn a_verification_ends_when_it_is_told_to() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::history(SHA1, 3));
        world.push(&real, &["refs/heads/main"]).await;
        let ended = world.open().await.verify(|_, _| false).await;
        assert!(matches!(ended, Err(GitError::Interrupted)), "{ended:?}");
    });
}
