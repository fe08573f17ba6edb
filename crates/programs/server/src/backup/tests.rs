//! Backups of a directory with blobs, whose owner is a service of the tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use blobs::{BlobId, Blobs, Fault, FaultyBlob, Location, Owner, OwnerFuture, Owners, Reference, Written};
use futures_util::TryStreamExt as _;
use store::{Store, StoreError};

use super::restore::restore_owned;
use super::{BackupError, Made, Restored, create};
use crate::config::{AuditConfig, SealConfig};
use crate::data_dir::{DataDir, Layout};
use crate::durable_state::{self, DurableState};
use crate::error::ServerError;
use crate::{rollback, root_seal};

/// A service with one key for all of its blobs, in the store's keyring.
struct Toy;

async fn owner(store: &Store, name: &str) -> Result<Owner, StoreError> {
    Ok(Owner::new(&*store.keyring().key("toy blobs").await?, name.as_bytes()))
}

impl Owners for Toy {
    fn owner<'a>(&'a self, store: &'a Store, reference: &'a Reference) -> OwnerFuture<'a> {
        Box::pin(async move { owner(store, &reference.owner).await.map(Some) })
    }
}

/// A data directory with blobs, and the key file outside of it.
struct World {
    _parent: tempfile::TempDir,
    layout: Layout,
    seal: SealConfig,
}

impl World {
    fn new() -> Self {
        let parent = tempfile::tempdir().expect("a directory");
        let layout = Layout::new(parent.path().join("data"));
        let seal = SealConfig { file: Some(parent.path().join("root.key")), ..SealConfig::default() };
        let world = Self { _parent: parent, layout, seal };
        let _data = DataDir::create(world.layout.root()).expect("a data directory");
        block_on(async {
            let seal = Arc::new(root_seal::open(&world.layout, &world.seal).expect("a seal"));
            let made = DurableState::open(&world.layout, &seal, &AuditConfig::default()).await.expect("made");
            made.close().await.expect("closed");
        });
        world
    }

    /// Opens database and blobs, as a server does.
    fn with<T, F: Future<Output = T>>(&self, work: impl FnOnce(Store, Blobs) -> F) -> T {
        let data = DataDir::open(self.layout.root()).expect("nobody else has it");
        let store = self.store();
        let blobs = Blobs::in_directory(&self.layout.blobs()).expect("a directory of blobs");
        let done = block_on(work(store.clone(), blobs));
        store.checkpoint().expect("written");
        drop(data);
        done
    }

    fn add(&self, content: &[u8]) -> BlobId {
        self.with(|store, blobs| async move {
            let written = write(&store, &blobs, content).await;
            let id = written.id;
            store.write(move |tx| Reference::insert(tx, &written, "toy", "one")).await.expect("referred to");
            id
        })
    }

    fn location(&self) -> Location {
        Location::Directory(self.layout.blobs())
    }

    fn file(&self, id: &BlobId) -> PathBuf {
        self.layout.blobs().join(id.path())
    }

    fn backup(&self) -> (Vec<u8>, Made) {
        let mut out = Vec::new();
        let made = create(self.layout.root(), &self.seal, &self.location(), &mut out, &mut |_, _| {});
        (out, made.expect("a backup"))
    }

    fn restore(&self, backup: &[u8], name: &str) -> Result<(Restored, Self), ServerError> {
        let parent = tempfile::tempdir().expect("a directory");
        let layout = Layout::new(parent.path().join(name));
        let mut from = backup;
        let restored = restore_owned(&mut from, layout.root(), &self.seal, false, &Toy, &mut |_, _| {});
        if restored.is_err() {
            assert_eq!(fs::read_dir(parent.path()).expect("it").count(), 0, "nothing is left");
        }
        Ok((restored?, Self { _parent: parent, layout, seal: self.seal.clone() }))
    }

    fn store(&self) -> Store {
        let seal = root_seal::open(&self.layout, &self.seal).expect("a seal");
        durable_state::open_store(&self.layout, &seal).expect("a store")
    }

    fn check(&self) -> blobs::BlobReport {
        rollback::check_blobs(&self.store(), &self.location(), &Toy).expect("checked").expect("a place")
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

async fn write(store: &Store, blobs: &Blobs, content: &[u8]) -> Written {
    let mut draft = blobs.draft(&owner(store, "one").await.expect("an owner")).await.expect("a draft");
    draft.write(content.to_vec().into()).await.expect("written");
    draft.finish().await.expect("finished")
}

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place % 251) as u8 ^ (place >> 16) as u8).collect()
}

fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("a file");
    change(&mut bytes);
    fs::write(path, bytes).expect("written");
}

#[test]
fn blobs_are_restored_with_what_refers_to_them() {
    let world = World::new();
    let whole = content(300_000);
    let (kept, deleted) = (world.add(&whole), world.add(b"short"));
    world.with(|store, blobs| async move {
        store.write(move |tx| Reference::remove(tx, &deleted)).await.expect("no longer referred to");
        drop(write(&store, &blobs, b"never referred to").await);
    });
    let (backup, made) = world.backup();
    for secret in [&whole[..40], b"short"] {
        assert!(!backup.windows(secret.len()).any(|window| window == secret), "readable");
    }
    let (restored, other) = world.restore(&backup, "restored").expect("restored");
    assert_eq!((restored.blobs, restored.blobs_elsewhere, restored.files), (1, None, made.files));
    assert!(other.file(&kept).exists());
    assert!(!other.file(&deleted).exists(), "what nothing refers to is not restored");
    let report = other.check();
    assert_eq!((report.intact, report.is_intact(), report.unreferenced.len()), (1, true, 0));
    let found = other.with(|store, blobs| async move {
        let blob = blobs.blob(&owner(&store, "one").await.expect("an owner"), &kept).await.expect("a blob");
        let pieces: Vec<bytes::Bytes> = blob.read(100_000..250_000).expect("within").try_collect().await.expect("read");
        pieces.concat()
    });
    assert!(found == whole[100_000..250_000]);
    // A backup of what was restored is one again.
    assert_eq!(other.restore(&other.backup().0, "again").expect("restored").0.blobs, 1);
}

#[test]
fn no_sweep_removes_what_a_backup_is_about_to_copy() {
    let world = World::new();
    let id = world.add(b"content");
    let held = Blobs::in_directory(&world.layout.blobs()).expect("a directory");
    let sweep = |blobs: Blobs| {
        let later = SystemTime::now() + Duration::from_secs(3600);
        block_on(async move { blobs.sweep(|_| false, later).await.expect("swept") })
    };
    let mut out = Vec::new();
    let (mut looked, mut swept) = (0, Vec::new());
    let copier = held.clone();
    // A sweep that thinks that nothing refers to anything, at every step of the backup.
    create(world.layout.root(), &world.seal, &world.location(), &mut out, &mut |_, _| {
        looked += 1;
        swept.push(sweep(copier.clone()));
    })
    .expect("a backup");
    assert!(looked > 0 && swept.iter().all(|swept| swept.interrupted && swept.blobs == 0), "{swept:?}");
    assert_eq!(world.restore(&out, "restored").expect("restored").0.blobs, 1);
    assert!(world.file(&id).exists());
    assert_eq!(sweep(held).blobs, 1);
}

#[test]
fn a_backup_of_damaged_blobs_is_not_restored_and_a_check_says_what_is_the_matter() {
    type Damage = fn(&World, &BlobId, &BlobId);
    let damages: [(&str, Damage); 4] = [
        ("missing", |world, id, _| fs::remove_file(world.file(id)).expect("removed")),
        ("bytes", |world, id, _| edit(&world.file(id), |bytes| bytes.truncate(100_000))),
        ("in its place", |world, id, other| {
            fs::copy(world.file(other), world.file(id)).expect("copied");
        }),
        ("not what was written", |world, id, _| edit(&world.file(id), |bytes| bytes[70_000] ^= 1)),
    ];
    for (what, damage) in damages {
        let world = World::new();
        let (id, other) = (world.add(&content(200_000)), world.add(&content(200_000)));
        damage(&world, &id, &other);
        let report = world.check();
        assert_eq!((report.intact, report.faulty.len(), report.faulty[0].id), (1, 1, id), "{what}");
        assert!(report.faulty[0].to_string().contains(what), "{report:?}");
        let (backup, _) = world.backup();
        let refused = world.restore(&backup, "restored").map(|_| ()).expect_err(what);
        let ServerError::Backup(BackupError::Blobs { damaged: 1, first }) = &refused else { panic!("{refused}") };
        assert!(first.contains(&id.to_string()) && first.contains(what), "{first}");
    }
}

#[test]
fn every_change_of_a_blob_in_a_backup_is_found() {
    let world = World::new();
    let id = world.add(&content(200_000));
    let (backup, _) = world.backup();
    let name = format!("blobs/{}", id.path().display());
    let at = backup.windows(name.len()).position(|window| window == name.as_bytes()).expect("a member");
    let refused = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut changed = backup.clone();
        change(&mut changed);
        world.restore(&changed, "restored").map(|_| ()).expect_err("changed").to_string()
    };
    // The member's content begins behind its header of 512 bytes.
    let said = refused(&|bytes| bytes[at + 512 + 150_000] ^= 1);
    assert!(said.contains(&name), "{said}");
    // Under a name that is no blob's; the header's own sum is wrong then, too.
    refused(&|bytes| bytes[at + 6] = b'x');
    assert!(world.restore(&backup, "restored").is_ok());
}

#[test]
fn references_without_a_directory_of_blobs_are_missing_blobs() {
    let world = World::new();
    let id = world.add(b"content");
    fs::remove_dir_all(world.layout.blobs()).expect("removed");
    let report = world.check();
    assert_eq!(report.faulty, [FaultyBlob { id, fault: Fault::Missing }]);
}

#[test]
fn a_directory_without_blobs_is_backed_up_in_the_format_that_earlier_versions_read() {
    let world = World::new();
    let (backup, _) = world.backup();
    let about = String::from_utf8_lossy(&backup[512..1024]).into_owned();
    assert!(about.contains(r#""format":1"#), "{about}");
    assert_eq!(world.restore(&backup, "restored").expect("restored").0.blobs, 0);
    world.add(b"content");
    let (backup, _) = world.backup();
    assert!(String::from_utf8_lossy(&backup[512..1024]).contains(r#""format":2"#));
}

#[test]
fn blobs_elsewhere_are_named_and_not_copied() {
    let world = World::new();
    let id = world.add(b"content");
    let location = Location::parse("s3://a-bucket/some/where?endpoint=https://s3.example").expect("a location");
    let mut backup = Vec::new();
    create(world.layout.root(), &world.seal, &location, &mut backup, &mut |_, _| {}).expect("a backup");
    let (restored, other) = world.restore(&backup, "restored").expect("restored");
    assert_eq!((restored.blobs, restored.blobs_elsewhere.as_deref()), (0, Some("s3://a-bucket/some/where/")));
    assert!(!other.file(&id).exists());
}
