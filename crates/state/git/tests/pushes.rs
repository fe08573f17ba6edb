//! Pushes that are refused, that meet each other, and that end before they are over.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod world;

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use git::{GitError, Progress, RefOutcome, RefUpdate};
use git_object::{Kind, ObjectFormat, ObjectId, fsck};
use world::{ID, RealGit, World, block_on};

const SHA1: ObjectFormat = ObjectFormat::Sha1;

fn update(name: &str, old: Option<ObjectId>, new: Option<ObjectId>) -> RefUpdate {
    RefUpdate { name: name.to_owned(), old, new }
}

fn pack(from: &RealGit, revisions: &str) -> Vec<u8> {
    from.run_with(&["pack-objects", "--revs", "--stdout", "-q", "--delta-base-offset"], revisions.as_bytes())
}

/// A pack of exactly these objects.
fn pack_of(from: &RealGit, ids: &[ObjectId]) -> Vec<u8> {
    let lines: String = ids.iter().map(|id| format!("{id}\n")).collect();
    from.run_with(&["pack-objects", "--stdout", "-q"], lines.as_bytes())
}

async fn refusal(world: &World, pack: &[u8]) -> String {
    match world.receive(&world.open().await, SHA1, pack, Vec::new()).await {
        Ok(_) => panic!("it was taken"),
        Err(error) => error.to_string(),
    }
}

/// How many blobs there are, and how many of them a sweep would leave.
async fn blobs(world: &World) -> (usize, usize) {
    let all = world.blobs.list(None, usize::MAX).await.unwrap().len();
    let later = SystemTime::now() + Duration::from_secs(3600);
    world.blobs.sweep(blobs::referenced(world.store.clone()), later).await.unwrap();
    (all, world.blobs.list(None, usize::MAX).await.unwrap().len())
}

#[test]
fn a_pack_that_is_cut_changed_or_incomplete_is_refused_in_gits_words() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::history(SHA1, 6));
        let whole = pack(&real, "main\nside\nv1\nvv2\n");
        for (length, words) in
            [(0, "early EOF"), (11, "early EOF"), (5000, "early EOF"), (whole.len() - 1, "early EOF")]
        {
            assert_eq!(refusal(&world, &whole[..length]).await, words, "{length}");
        }
        let mut changed = whole.clone();
        changed[3000] ^= 1;
        refusal(&world, &changed).await;
        let mut trailer = whole.clone();
        *trailer.last_mut().unwrap() ^= 1;
        assert_eq!(refusal(&world, &trailer).await, "pack is corrupted (checksum mismatch)");
        assert_eq!(refusal(&world, &[&whole[..], b"x"].concat()).await, "pack has junk at the end");
        assert_eq!(refusal(&world, b"not a pack at all").await, "pack signature mismatch");

        let tree = real.text(&["rev-parse", "main^{tree}"]);
        let tree = ObjectId::from_hex(SHA1, tree.as_bytes()).unwrap();
        let commit = pack_of(&real, &[real.id("main")]);
        let parents = real.text(&["rev-parse", "main^1", "main^2"]);
        let missing = refusal(&world, &commit).await;
        let candidates = [tree.to_string()];
        let all: Vec<&str> = parents.lines().chain(candidates.iter().map(String::as_str)).collect();
        assert!(all.iter().any(|id| missing == format!("missing object {id}")), "{missing}");
        // As well when only a file is missing.
        let mut but_one = real.objects(&["main~0"]);
        let file = ObjectId::from_hex(SHA1, real.text(&["rev-parse", "main:large.bin"]).as_bytes()).unwrap();
        but_one.retain(|id| *id != file);
        assert_eq!(refusal(&world, &pack_of(&real, &but_one)).await, format!("missing object {file}"));
        assert!(world.open().await.references().is_empty());
        assert_eq!(blobs(&world).await.1, 0);
    });
}

#[test]
fn objects_that_fsck_refuses_are_refused_by_its_names() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::new(SHA1));
        let blob = real.run_with(&["hash-object", "-w", "--stdin"], b"content\n");
        let blob = String::from_utf8(blob).unwrap();
        let blob = ObjectId::from_hex(SHA1, blob.trim().as_bytes()).unwrap();
        let raw = |kind: &str, content: &[u8]| {
            let id = real.run_with(&["hash-object", "-w", "--literally", "--stdin", "-t", kind], content);
            ObjectId::from_hex(SHA1, String::from_utf8(id).unwrap().trim().as_bytes()).unwrap()
        };
        let entry = |mode: &str, name: &str| [mode.as_bytes(), b" ", name.as_bytes(), &[0], blob.as_bytes()].concat();
        let tree = raw("tree", &entry("100644", ".git"));
        let refused = refusal(&world, &pack_of(&real, &[tree, blob])).await;
        assert!(refused.starts_with(&format!("object {tree}: hasDotgit")), "{refused}");
        let tree = raw("tree", &[entry("100644", "b"), entry("100644", "a")].concat());
        let refused = refusal(&world, &pack_of(&real, &[tree, blob])).await;
        assert!(refused.starts_with(&format!("object {tree}: treeNotSorted")), "{refused}");
        // A file that a tree makes special, wherever it is in the pack.
        let modules = raw("blob", b"[submodule \"x\"]\n\tpath = x\n\turl = -u./payload\n");
        let named = [b"100644 .gitmodules\0", modules.as_bytes()].concat();
        let tree = raw("tree", &named);
        let refused = refusal(&world, &pack_of(&real, &[tree, modules])).await;
        assert!(refused.starts_with(&format!("object {modules}: gitmodulesUrl")), "{refused}");
        // A tree where a file has to be.
        let inner = raw("tree", &entry("100644", "file"));
        let wrong = raw("tree", &[b"100644 folder\0", inner.as_bytes()].concat());
        let refused = refusal(&world, &pack_of(&real, &[wrong, inner, blob])).await;
        assert_eq!(refused, format!("missing object {inner}"));
        // What is let pass passes.
        let mut options = fsck::Options::default();
        let tree = raw("tree", &entry("100644", ".git"));
        options.pass_object(tree);
        let mut receiving = world.open().await.receive(SHA1, options).unwrap();
        receiving.push(pack_of(&real, &[tree, blob]).into()).await.unwrap();
        receiving.finish(Vec::new(), |_| {}).await.unwrap();
    });
}

#[test]
fn an_object_that_is_there_twice_is_refused_as_git_refuses_it() {
    block_on(async {
        let world = World::new().await;
        let mut pack = Vec::new();
        let mut writer = git_pack::Writer::new(SHA1, 2, &mut pack);
        for _ in 0..2 {
            writer.entry(git_pack::EntryKind::Object(Kind::Blob), b"twice", &mut pack);
        }
        writer.finish(&mut pack);
        let id = git_object::hash_object(SHA1, Kind::Blob, b"twice").unwrap();
        assert_eq!(refusal(&world, &pack).await, format!("The same object {id} appears twice in the pack"));
        let real = RealGit::bare(SHA1);
        assert!(!real.attempt(&["index-pack", "--stdin", "--strict"], &pack).1);
    });
}

#[test]
fn of_two_pushes_at_one_reference_one_wins_and_the_other_is_told() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::history(SHA1, 4));
        world.push(&real, &["refs/heads/main"]).await;
        let old = real.id("main");
        real.write("one", b"one\n");
        let one = real.commit("one");
        let first = pack(&real, &format!("{one}\n^{old}\n"));
        real.run(&["reset", "-q", "--hard", &old.to_string()]);
        real.write("two", b"two\n");
        let two = real.commit("two");
        let second = pack(&real, &format!("{two}\n^{old}\n"));
        let repository = world.open().await;
        let first = world.receive(&repository, SHA1, &first, vec![one]).await.unwrap();
        let second = world.receive(&repository, SHA1, &second, vec![two]).await.unwrap();
        assert!(first.objects().leads_to(&one, &old).unwrap() && !first.objects().leads_to(&old, &one).unwrap());
        let (to_one, to_two) =
            (update("refs/heads/main", Some(old), Some(one)), update("refs/heads/main", Some(old), Some(two)));
        let (won, lost) =
            tokio::join!(world.publish(&first, vec![to_one], false), world.publish(&second, vec![to_two], true));
        let stale = |id| vec![RefOutcome::Stale { found: Some(id) }];
        assert!((won == [RefOutcome::Done] && lost == stale(one)) || (lost == [RefOutcome::Done] && won == stale(two)));
        drop((first, second));
        let now = world.open().await;
        let winner = now.reference("refs/heads/main").unwrap();
        assert!(winner == one || winner == two);
        assert!(now.objects().exists(&winner).unwrap());
        let loser = if winner == one { two } else { one };
        assert!(!now.objects().exists(&loser).unwrap());
        // The repository as it was opened before still is what it was.
        assert_eq!(repository.reference("refs/heads/main"), Some(old));
        assert_eq!(blobs(&world).await, (3, 2));
        let history = now.history("refs/heads/main", None, 10).await.unwrap();
        let changes: Vec<_> = history.iter().map(|(_, change)| (change.old, change.new)).collect();
        assert_eq!(changes, [(None, Some(old)), (Some(old), Some(winner))]);
    });
}

#[test]
fn references_move_each_by_itself_or_all_together() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::history(SHA1, 4));
        let (main, tag) = (real.id("main"), real.id("v1"));
        let received = world
            .receive(&world.open().await, SHA1, &pack(&real, "main\nside\nv1\nvv2\n"), vec![main, tag])
            .await
            .unwrap();
        let mixed = vec![
            update("refs/heads/main", None, Some(main)),
            update("refs/heads/tag", None, Some(tag)),
            update("refs/heads/..", None, Some(main)),
            update("refs/heads/main/below", None, Some(main)),
            update("refs/heads/main", None, Some(main)),
            update("refs/heads/unchecked", None, Some(real.id("side"))),
            update("refs/heads/stale", Some(main), Some(main)),
            update("refs/heads/absent", Some(main), None),
        ];
        let outcomes = world.publish(&received, mixed.clone(), true).await;
        assert_eq!(outcomes[0], RefOutcome::Aborted);
        assert!(world.open().await.references().is_empty());
        let outcomes = world.publish(&received, mixed, false).await;
        let taken = RefOutcome::NameTaken { by: "refs/heads/main".to_owned() };
        let expected = [
            RefOutcome::Done,
            RefOutcome::NotACommit,
            RefOutcome::BadName,
            taken.clone(),
            RefOutcome::Repeated,
            RefOutcome::NotChecked,
            RefOutcome::Stale { found: None },
            RefOutcome::Done,
        ];
        assert_eq!(outcomes, expected);
        drop(received);
        // A name below one that goes in the same push may come.
        let none = world.open().await.check(SHA1, vec![main]).await.unwrap();
        let swap = vec![update("refs/heads/main/below", None, Some(main)), update("refs/heads/main", Some(main), None)];
        assert_eq!(world.publish(&none, swap, true).await, [RefOutcome::Done, RefOutcome::Done]);
        let above = vec![update("refs/heads/main", None, Some(main))];
        let by = RefOutcome::NameTaken { by: "refs/heads/main/below".to_owned() };
        assert_eq!(world.publish(&none, above.clone(), false).await, std::slice::from_ref(&by));
        // With `atomic`, what was moved before the name was found to be taken is taken back.
        let both = vec![update("refs/heads/other", None, Some(main)), above[0].clone()];
        assert_eq!(world.publish(&none, both, true).await, [RefOutcome::Aborted, by]);
        let names: Vec<String> = world.open().await.references().iter().map(|found| found.name.to_owned()).collect();
        assert_eq!(names, ["refs/heads/main/below"]);
    });
}

#[test]
fn the_first_branch_becomes_the_default_and_no_later_one() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::history(SHA1, 3));
        real.run(&["branch", "-q", "trunk"]);
        assert_eq!(world.open().await.head(), "refs/heads/main");
        world.push(&real, &["refs/tags/v1"]).await;
        assert_eq!(world.open().await.head(), "refs/heads/main");
        world.push(&real, &["refs/heads/trunk"]).await;
        assert_eq!(world.open().await.head(), "refs/heads/trunk");
        world.push(&real, &["refs/heads/side"]).await;
        assert_eq!(world.open().await.head(), "refs/heads/trunk");
        let (git, store) = (world.git.clone(), world.store.clone());
        let write = store.write(move |tx| git.set_head(tx, ID, "refs/heads/side").map_err(world::Published));
        write.await.map_err(|error| error.0).unwrap();
        assert_eq!(world.open().await.head(), "refs/heads/side");
    });
}

#[test]
fn a_repository_has_the_format_of_its_first_push() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::history(ObjectFormat::Sha256, 3));
        let other = RealGit::history(SHA1, 3);
        let before = world.open().await;
        let late = world.receive(&before, SHA1, &pack(&other, "main\n"), vec![other.id("main")]).await.unwrap();
        world.push(&real, &["refs/heads/main"]).await;
        let refused = world.open().await.receive(SHA1, fsck::Options::default());
        assert!(matches!(refused, Err(GitError::OtherFormat { expected: ObjectFormat::Sha256 })));
        let id = other.id("main");
        let published = world.store.write(move |tx| {
            let updates = [update("refs/heads/late", None, Some(id))];
            late.publish(tx, &updates, false, "someone", 1).map_err(world::Published)
        });
        let error = published.await.map_err(|error| error.0).unwrap_err();
        assert!(matches!(error, GitError::OtherFormat { expected: ObjectFormat::Sha256 }));
    });
}

#[test]
fn a_push_that_breaks_off_leaves_nothing() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::history(SHA1, 4));
        real.write("noise", &(0..9_000_000_u32).map(|at| (at.wrapping_mul(at ^ 77) >> 11) as u8).collect::<Vec<_>>());
        real.commit("noise");
        let whole = pack(&real, "main\n");
        assert!(whole.len() > 3 << 20, "it has to be on the disk before it is over");
        for part in [1, 2] {
            let mut receiving = world.open().await.receive(SHA1, fsck::Options::default()).unwrap();
            for piece in whole[..whole.len() * part / 2].chunks(100_000) {
                receiving.push(Bytes::copy_from_slice(piece)).await.unwrap();
            }
            if part == 2 {
                let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
                let note = std::sync::Arc::clone(&seen);
                let received =
                    receiving.finish(vec![real.id("main")], move |progress| note.lock().unwrap().push(progress));
                drop(received.await.unwrap());
                assert_eq!(seen.lock().unwrap().last(), Some(&Progress::Checking));
            } else {
                drop(receiving);
            }
        }
        // The draft goes with its task, which ends soon.
        let drafts = world.dir.0.join("blobs/drafts");
        for _ in 0..200 {
            if std::fs::read_dir(&drafts).unwrap().count() == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(std::fs::read_dir(&drafts).unwrap().count(), 0);
        assert_eq!(blobs(&world).await, (2, 0), "two blobs of a push that nobody published");
    });
}

#[test]
fn objects_that_a_call_makes_are_objects_like_others() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::history(SHA1, 3));
        world.push(&real, &["refs/heads/main"]).await;
        let repository = world.open().await;
        let parent = real.id("main");
        let tree = real.text(&["rev-parse", "main^{tree}"]);
        let commit =
            format!("tree {tree}\nparent {parent}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nmade\n");
        let id = git_object::hash_object(SHA1, Kind::Commit, commit.as_bytes()).unwrap();
        let objects = vec![(Kind::Commit, commit.clone().into_bytes()), (Kind::Commit, commit.into_bytes())];
        let received = repository.write(SHA1, objects, vec![id]).await.unwrap();
        let moved = vec![update("refs/heads/main", Some(parent), Some(id))];
        assert_eq!(world.publish(&received, moved, true).await, [RefOutcome::Done]);
        let now = world.open().await;
        assert_eq!(now.objects().history(&[id], 2).unwrap(), [id, parent]);
        // With nothing that is new there is no pack.
        let again = now.write(SHA1, vec![(Kind::Blob, b"content\n".to_vec())], vec![id]).await.unwrap();
        drop(again);
        let bad = now.write(SHA1, vec![(Kind::Commit, b"tree x\n".to_vec())], Vec::new()).await;
        assert!(matches!(bad, Err(GitError::Fsck { .. })), "fsck has its say");
    });
}

#[test]
fn a_repository_that_is_removed_is_gone_with_its_blobs() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::history(SHA1, 3));
        world.push(&real, &["refs/heads/main", "refs/tags/v1"]).await;
        let (git, store) = (world.git.clone(), world.store.clone());
        assert!(store.write(move |tx| git.remove(tx, ID)).await.unwrap());
        assert!(matches!(world.git.open(ID, &world.key).await, Err(GitError::NotFound)));
        assert_eq!(blobs(&world).await, (1, 0));
    });
}

#[test]
fn another_key_opens_nothing_that_the_right_one_opened_before() {
    block_on(async {
        let (world, real) = (World::new().await, RealGit::history(SHA1, 3));
        world.push(&real, &["refs/heads/main"]).await;
        let id = real.id("main");
        assert!(world.open().await.objects().exists(&id).unwrap());
        let wrong = world.git.open(ID, &crypto::Key256::random()).await.unwrap();
        let read = wrong.objects().exists(&id);
        assert!(matches!(read, Err(GitError::Blob(blobs::BlobError::NotAuthentic { .. }))));
    });
}

#[test]
fn nothing_that_was_pushed_is_readable_on_the_disk() {
    block_on(async {
        let world = World::new().await;
        let real = RealGit::new(SHA1);
        let word = b"extraordinarily-readable".repeat(40);
        real.write("a-telling-name", &word);
        real.commit("a telling message");
        world.push(&real, &["refs/heads/main"]).await;
        for listed in world.blobs.list(None, usize::MAX).await.unwrap() {
            let bytes = std::fs::read(world.dir.0.join("blobs").join(listed.id.path())).unwrap();
            let id = real.id("main");
            for secret in [&b"PACK"[..], b"telling", b"readable", id.as_bytes(), b"\xfftOc"] {
                assert!(!bytes.windows(secret.len()).any(|window| window == secret));
            }
        }
    });
}
