//! Histories of any shape, pushed in any parts: who has some of it gets all that is missing, and nothing that is not asked for.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use git::{Deepen, Filter, Maintenance, RefOutcome, RefUpdate, Repository, Settings, Wanted};
use git_object::{ObjectFormat, ObjectId};
use world::{Published, RealGit, World, block_on};

const SHA1: ObjectFormat = ObjectFormat::Sha1;

/// Numbers that look random, the same each time.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Commits with up to three parents, at times that go back and forth, whose files and folders come again.
fn random(dice: &mut Dice, commits: u64) -> (RealGit, Vec<ObjectId>) {
    let real = RealGit::bare(SHA1);
    let mut stream = String::new();
    for number in 1..=commits {
        let mut parents: Vec<u64> = Vec::new();
        let count = if number == 1 || dice.throw(20) == 0 { 0 } else { 1 + dice.throw(8) / 6 + dice.throw(20) / 19 };
        for _ in 0..count {
            let parent = number - 1 - dice.throw(6.min(number - 1));
            if !parents.contains(&parent) {
                parents.push(parent);
            }
        }
        let time = 1_000_000_000 + number * 100 + dice.throw(1000);
        stream += &format!("commit refs/heads/c{number}\nmark :{number}\ncommitter A <a@b> {time} +0000\ndata 1\nx\n");
        for (place, parent) in parents.iter().enumerate() {
            stream += &format!("{} :{parent}\n", if place == 0 { "from" } else { "merge" });
        }
        for _ in 0..1 + dice.throw(3) {
            let path = ["a", "b/c", "b/d/e", "b/d/f", "g/h", "b/d"][dice.throw(6) as usize];
            if dice.throw(6) == 0 {
                stream += &format!("D {path}\n");
                continue;
            }
            let content = format!("{}{}\n", "a line that many have\n".repeat(12), dice.throw(12));
            stream += &format!("M 644 inline {path}\ndata {}\n{content}\n", content.len());
        }
    }
    real.run_with(&["fast-import", "--quiet"], stream.as_bytes());
    let ids = (1..=commits).map(|number| real.id(&format!("refs/heads/c{number}"))).collect();
    (real, ids)
}

/// A repository that has what some commits lead to.
fn holder(real: &RealGit, of: &[ObjectId]) -> RealGit {
    let bare = RealGit::bare(SHA1);
    let revisions: String = of.iter().map(|id| format!("{id}\n")).collect();
    let pack = real.run_with(&["pack-objects", "--revs", "--stdout", "-q"], revisions.as_bytes());
    bare.run_with(&["index-pack", "--stdin"], &pack);
    bare
}

#[test]
fn who_has_some_of_any_history_gets_the_rest() {
    block_on(async {
        let mut dice = Dice(7);
        let (mut sent, mut needed) = (0, 0);
        for _ in 0..5 {
            let (real, ids) = random(&mut dice, 40);
            let world = World::new().await;
            let mut names: Vec<String> = (1..=ids.len()).map(|number| format!("refs/heads/c{number}")).collect();
            while !names.is_empty() {
                let part: Vec<String> = names.drain(..names.len().min(1 + dice.throw(15) as usize)).collect();
                let part: Vec<&str> = part.iter().map(String::as_str).collect();
                assert!(world.push(&real, &part).await.iter().all(|outcome| *outcome == RefOutcome::Done));
            }
            for round in 0..10 {
                let pick = |dice: &mut Dice, most: u64| -> Vec<ObjectId> {
                    (0..dice.throw(most + 1)).map(|_| ids[dice.throw(ids.len() as u64) as usize]).collect()
                };
                let mut wants = pick(&mut dice, 3);
                wants.push(ids[dice.throw(ids.len() as u64) as usize]);
                let haves = if round < 2 { Vec::new() } else { pick(&mut dice, 4) };
                let bare = holder(&real, &haves);
                let thin = !haves.is_empty();
                let wanted = Wanted {
                    wants: wants.clone(),
                    haves: haves.clone(),
                    thin,
                    ofs_delta: round % 3 != 0,
                    ..Wanted::default()
                };
                let pack = world.upload(wanted).await;
                sent += u64::from(u32::from_be_bytes(pack[8..12].try_into().unwrap()));
                bare.run_with(&["index-pack", "--stdin", "--fix-thin", "--strict"], &pack);
                let texts: Vec<String> = wants.iter().map(ToString::to_string).collect();
                let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                let asked = real.objects(&texts);
                assert_eq!(bare.objects(&texts), asked);
                let nots: Vec<String> = haves.iter().map(|id| format!("^{id}")).collect();
                let difference =
                    real.objects(&texts.iter().copied().chain(nots.iter().map(String::as_str)).collect::<Vec<_>>());
                needed += difference.len() as u64;
                // Nothing that was not asked for.
                let had: Vec<String> = haves.iter().map(ToString::to_string).collect();
                let both: Vec<&str> = texts.iter().copied().chain(had.iter().map(String::as_str)).collect();
                let allowed = real.objects(&both);
                let all = bare.text(&["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
                for line in all.lines() {
                    let id = ObjectId::from_hex(SHA1, line.as_bytes()).unwrap();
                    assert!(allowed.binary_search(&id).is_ok(), "{id}");
                }
            }
        }
        // Git's own choice is no less, but for what a walk by path finds out and what it does not.
        assert!(sent <= needed * 11 / 10, "{sent} objects where git sends {needed}");
    });
}

#[test]
fn a_shallow_history_of_any_shape_is_deepened() {
    block_on(async {
        let mut dice = Dice(99);
        for _ in 0..3 {
            let (real, ids) = random(&mut dice, 30);
            let world = World::new().await;
            let names: Vec<String> = (1..=ids.len()).map(|number| format!("refs/heads/c{number}")).collect();
            world.push(&real, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
            let repository = world.open().await;
            for _ in 0..3 {
                let want = ids[ids.len() - 1 - dice.throw(8) as usize];
                let bare = RealGit::bare(SHA1);
                let (mut shallow, mut haves) = (Vec::<ObjectId>::new(), Vec::new());
                for depth in [1 + dice.throw(3), 4 + dice.throw(3), 0x7fff_ffff] {
                    let boundary = repository.deepen(vec![want], shallow.clone(), Deepen::Depth(depth)).await.unwrap();
                    let wanted = Wanted {
                        wants: vec![want],
                        haves: haves.clone(),
                        shallow: shallow.clone(),
                        boundary: Some(boundary.clone()),
                        thin: true,
                        ofs_delta: true,
                        ..Wanted::default()
                    };
                    let pack = world.upload(wanted).await;
                    bare.run_with(&["index-pack", "--stdin", "--fix-thin"], &pack);
                    shallow.retain(|id| !boundary.unshallow.contains(id));
                    shallow.extend(&boundary.shallow);
                    haves = vec![want];
                    let lines: String = shallow.iter().map(|id| format!("{id}\n")).collect();
                    let path = bare.path().join("shallow");
                    if shallow.is_empty() {
                        let _ = std::fs::remove_file(path);
                    } else {
                        std::fs::write(path, lines).unwrap();
                    }
                    bare.run(&["update-ref", "refs/heads/main", &want.to_string()]);
                    bare.run(&["fsck", "--connectivity-only"]);
                    let url = format!("file://{}", real.path().display());
                    let clone = RealGit::bare(SHA1);
                    let name = real.text(&["for-each-ref", "--points-at", &want.to_string(), "--format=%(refname)"]);
                    let name = name.lines().next().unwrap().to_owned();
                    clone.run(&[
                        "fetch",
                        "-q",
                        "--no-tags",
                        &format!("--depth={depth}"),
                        &url,
                        &format!("{name}:refs/heads/main"),
                    ]);
                    assert_eq!(bare.objects(&["main"]), clone.objects(&["main"]));
                }
            }
        }
    });
}

/// Makes one pack of all, and bitmaps for it. Yields whether there are some.
async fn maintain(world: &World) -> bool {
    let maintenance = Maintenance { all: true, ..Maintenance::default() };
    if let Some(made) = world.open().await.maintain(maintenance, 5, |_| true).await.unwrap() {
        let write = world.store.write(move |tx| made.publish(tx, 5).map_err(Published));
        write.await.map_err(|error| error.0).unwrap();
    }
    let Some(mapped) = world.open().await.map().await.unwrap() else { return false };
    let write = world.store.write(move |tx| mapped.publish(tx).map_err(Published));
    write.await.map_err(|error| error.0).unwrap()
}

async fn fetch(world: &World, wants: &[ObjectId], filter: Filter) -> Vec<ObjectId> {
    let wanted = Wanted { wants: wants.to_vec(), filter, ofs_delta: true, ..Wanted::default() };
    let bare = RealGit::bare(SHA1);
    bare.run_with(&["index-pack", "--stdin"], &world.upload(wanted).await);
    let all = bare.text(&["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
    all.lines().map(|line| ObjectId::from_hex(SHA1, line.as_bytes()).unwrap()).collect()
}

#[test]
fn bitmaps_tell_what_a_walk_would_tell() {
    block_on(async {
        let mut dice = Dice(31);
        for _ in 0..4 {
            let (real, ids) = random(&mut dice, 40);
            let settings = Settings { threads: 2, mapped_objects_min: 1, mapped_commits_min: 1, ..Settings::default() };
            let world = World::with(settings).await;
            let names: Vec<String> = (1..=ids.len()).map(|number| format!("refs/heads/c{number}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            world.push(&real, &names[..20]).await;
            world.push(&real, &names[20..28]).await;
            assert!(world.open().await.map().await.unwrap().is_some(), "the first push is complete");
            assert!(maintain(&world).await && !maintain(&world).await, "once is enough");
            // What comes later is on top of what the bitmaps say.
            world.push(&real, &names[28..35]).await;
            world.push(&real, &names[35..]).await;
            for round in 0..8 {
                let wants: Vec<ObjectId> =
                    (0..1 + dice.throw(3)).map(|_| ids[dice.throw(ids.len() as u64) as usize]).collect();
                let texts: Vec<String> = wants.iter().map(ToString::to_string).collect();
                let mut arguments: Vec<&str> = texts.iter().map(String::as_str).collect();
                assert_eq!(fetch(&world, &wants, Filter::default()).await, real.objects(&arguments), "{round}");
                let filter = Filter { blob_bytes: Some(0), ..Filter::default() };
                arguments.push("--filter=blob:none");
                assert_eq!(fetch(&world, &wants, filter).await, real.objects(&arguments), "{round}");
                arguments.pop();
                let haves: Vec<ObjectId> =
                    (0..1 + dice.throw(3)).map(|_| ids[dice.throw(ids.len() as u64) as usize]).collect();
                let bare = holder(&real, &haves);
                let (thin, ofs_delta) = (true, round % 3 != 0);
                let wanted = Wanted { wants, haves: haves.clone(), thin, ofs_delta, ..Wanted::default() };
                let pack = world.upload(wanted).await;
                bare.run_with(&["index-pack", "--stdin", "--fix-thin", "--strict"], &pack);
                assert_eq!(bare.objects(&arguments), real.objects(&arguments), "{round}");
                let had: Vec<String> = haves.iter().map(ToString::to_string).collect();
                let had = real.objects(&had.iter().map(String::as_str).collect::<Vec<_>>());
                let lacked = real.objects(&arguments).iter().filter(|id| had.binary_search(id).is_err()).count();
                let sent = u32::from_be_bytes(pack[8..12].try_into().unwrap()) as usize;
                if lacked > 0 {
                    // A walk by path would send some that the client has at another path.
                    assert_eq!(sent, lacked, "{round}");
                }
            }
            // Some branches go, and with them what only they led to.
            let repository = world.open().await;
            let gone = |name: &&str| !dice_like(name).is_multiple_of(3);
            let removed = names.iter().copied().filter(gone);
            let updates =
                removed.map(|name| RefUpdate { name: name.to_owned(), old: repository.reference(name), new: None });
            let none = repository.check(SHA1, Vec::new()).await.unwrap();
            world.publish(&none, updates.collect(), true).await;
            let left: Vec<&str> = names.iter().copied().filter(|name| !gone(name)).collect();
            let reachable = real.objects(&left);
            for id in real.objects(&names) {
                let expected = if reachable.binary_search(&id).is_ok() { None } else { Some(id) };
                assert_eq!(unreachable(&world.open().await, id).await, expected);
            }
        }
    });
}

#[test]
fn who_asks_for_one_branch_of_several_has_bitmaps_made() {
    block_on(async {
        let (real, ids) = random(&mut Dice(5), 40);
        let world = World::with(Settings { threads: 2, mapped_objects_min: 10, ..Settings::default() }).await;
        let names: Vec<String> = (1..=ids.len()).map(|number| format!("refs/heads/c{number}")).collect();
        world.push(&real, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
        assert_eq!(world.blobs.list(None, 9).await.unwrap().len(), 1);
        let last = *ids.last().unwrap();
        let before = fetch(&world, &[last], Filter::default()).await;
        assert_eq!(world.git.maintain_due(&Maintenance::default(), 5, || true).await.unwrap(), 1);
        assert!(world.open().await.map().await.unwrap().is_none(), "there are some by now");
        assert_eq!(fetch(&world, &[last], Filter::default()).await, before);
    });
}

fn dice_like(name: &str) -> usize {
    name.len() + usize::from(name.as_bytes()[name.len() - 1])
}

async fn unreachable(repository: &Repository, id: ObjectId) -> Option<ObjectId> {
    repository.unreachable(vec![id]).await.unwrap()
}
