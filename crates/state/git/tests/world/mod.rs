//! Fixtures of the tests: a place for repositories, and histories that the real git makes.

#![allow(dead_code, reason = "each test uses some of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use blobs::Blobs;
use bytes::Bytes;
use crypto::Key256;
use futures_util::StreamExt;
use git::{Git, GitError, Received, RefOutcome, RefUpdate, Repository, Settings, UploadEvent, Wanted};
use git_object::{ObjectFormat, ObjectId, fsck};
use store::{Store, StoreError};

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A directory that goes away with its test.
pub(crate) struct Dir(pub(crate) PathBuf);

impl Dir {
    pub(crate) fn new() -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("sealstack-git-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A store and blobs with one repository.
pub(crate) struct World {
    pub(crate) dir: Dir,
    pub(crate) store: Store,
    pub(crate) blobs: Blobs,
    pub(crate) git: Git,
    pub(crate) key: Key256,
}

pub(crate) const ID: &str = "4c925148-c9bf-4f4f-a0a1-000000000001";

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Settings { threads: 2, ..Settings::default() }).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let dir = Dir::new();
        let store = Store::open_in_memory().unwrap();
        let blobs = Blobs::in_directory(&dir.0.join("blobs")).unwrap();
        let git = Git::new(store.clone(), blobs.clone(), settings);
        let made = git.clone();
        store.write(move |tx| made.create(tx, ID, None)).await.unwrap();
        Self { dir, store, blobs, git, key: Key256::from_slice(&[3; 32]).unwrap() }
    }

    pub(crate) async fn open(&self) -> Repository {
        self.git.open(ID, &self.key).await.unwrap()
    }

    /// Publishes what was received.
    pub(crate) async fn publish(&self, received: &Received, updates: Vec<RefUpdate>, atomic: bool) -> Vec<RefOutcome> {
        let received = received.clone();
        let write = self.store.write(move |tx| received.publish(tx, &updates, atomic, "someone", 1).map_err(Published));
        write.await.map_err(|error: Published| error.0).unwrap()
    }

    /// Pushes references of a real repository as its git would: new and moved ones, with a thin pack of what is missing.
    pub(crate) async fn push(&self, from: &RealGit, names: &[&str]) -> Vec<RefOutcome> {
        let repository = self.open().await;
        let format = from.format;
        let mut updates = Vec::new();
        let mut input = String::new();
        for name in names {
            let new = from.id(name);
            input += &format!("{new}\n");
            updates.push(RefUpdate { name: (*name).to_owned(), old: repository.reference(name), new: Some(new) });
        }
        for reference in repository.references().iter() {
            if from.has(&reference.id) {
                input += &format!("^{}\n", reference.id);
            }
        }
        let pack = from
            .run_with(&["pack-objects", "--revs", "--stdout", "--thin", "-q", "--delta-base-offset"], input.as_bytes());
        let received =
            self.receive(&repository, format, &pack, updates.iter().filter_map(|update| update.new).collect());
        let received = received.await.unwrap();
        self.publish(&received, updates, false).await
    }

    /// Receives a pack in pieces.
    pub(crate) async fn receive(
        &self,
        repository: &Repository,
        format: ObjectFormat,
        pack: &[u8],
        tips: Vec<ObjectId>,
    ) -> Result<Received, GitError> {
        let mut receiving = repository.receive(format, fsck::Options::default())?;
        for piece in pack.chunks(65_000) {
            receiving.push(Bytes::copy_from_slice(piece)).await?;
        }
        receiving.finish(tips, |_| {}).await
    }

    /// The pack that an upload makes.
    pub(crate) async fn upload(&self, wanted: Wanted) -> Vec<u8> {
        let mut stream = self.open().await.upload(wanted);
        let mut pack = Vec::new();
        while let Some(event) = stream.next().await {
            if let UploadEvent::Data(piece) = event.unwrap() {
                pack.extend_from_slice(&piece);
            }
        }
        pack
    }
}

/// So that a closure of the store may fail with either.
pub(crate) struct Published(pub(crate) GitError);

impl From<StoreError> for Published {
    fn from(error: StoreError) -> Self {
        Self(error.into())
    }
}

/// A repository of the real git.
pub(crate) struct RealGit {
    pub(crate) dir: Dir,
    pub(crate) format: ObjectFormat,
}

impl RealGit {
    pub(crate) fn new(format: ObjectFormat) -> Self {
        let git = Self { dir: Dir::new(), format };
        git.run(&["init", "-q", "-b", "main", &format!("--object-format={}", format.name())]);
        git.run(&["config", "user.name", "Somebody"]);
        git.run(&["config", "user.email", "somebody@example.org"]);
        git.run(&["config", "gc.auto", "0"]);
        git.run(&["config", "advice.nestedTag", "false"]);
        git
    }

    pub(crate) fn bare(format: ObjectFormat) -> Self {
        let git = Self { dir: Dir::new(), format };
        git.run(&["init", "-q", "--bare", "-b", "main", &format!("--object-format={}", format.name())]);
        git
    }

    pub(crate) fn path(&self) -> &Path {
        &self.dir.0
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Vec<u8> {
        self.run_with(arguments, b"")
    }

    pub(crate) fn text(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.run(arguments)).unwrap().trim().to_owned()
    }

    pub(crate) fn run_with(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let (output, ok) = self.attempt(arguments, input);
        assert!(ok, "git {arguments:?} failed");
        output
    }

    pub(crate) fn attempt(&self, arguments: &[&str], input: &[u8]) -> (Vec<u8>, bool) {
        let mut child = Command::new("git")
            .current_dir(self.path())
            .args(arguments)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("HOME", self.path())
            .env("GIT_AUTHOR_DATE", self.date())
            .env("GIT_COMMITTER_DATE", self.date())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || {
            let _ = stdin.write_all(&input);
        });
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        (output.stdout, output.status.success())
    }

    /// A time that grows with each commit.
    fn date(&self) -> String {
        let path = self.path().join("clock");
        let now: u64 = fs::read_to_string(&path).ok().and_then(|text| text.parse().ok()).unwrap_or(1_700_000_000);
        let _ = fs::write(path, (now + 60).to_string());
        format!("{now} +0000")
    }

    pub(crate) fn write(&self, name: &str, content: &[u8]) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn commit(&self, message: &str) -> ObjectId {
        self.run(&["add", "-A", "--", ".", ":!clock"]);
        self.run(&["commit", "-q", "--allow-empty", "-m", message]);
        self.id("HEAD")
    }

    pub(crate) fn id(&self, name: &str) -> ObjectId {
        ObjectId::from_hex(self.format, self.text(&["rev-parse", "--verify", name]).as_bytes()).unwrap()
    }

    pub(crate) fn has(&self, id: &ObjectId) -> bool {
        self.attempt(&["cat-file", "-e", &id.to_string()], b"").1
    }

    /// The ids of all objects that a `rev-list --objects` names, sorted.
    pub(crate) fn objects(&self, arguments: &[&str]) -> Vec<ObjectId> {
        let listed = self.text(&[&["rev-list", "--objects"], arguments].concat());
        let id = |line: &str| ObjectId::from_hex(self.format, line.split(' ').next().unwrap().as_bytes()).unwrap();
        let mut ids: Vec<ObjectId> = listed.lines().filter(|line| !line.is_empty()).map(id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// A history with folders, changed and moved files, a merge and tags.
    pub(crate) fn history(format: ObjectFormat, commits: u32) -> Self {
        let git = Self::new(format);
        let mut noise = 1_u32;
        let mut text = |lines: u32| -> Vec<u8> {
            (0..lines)
                .flat_map(|_| {
                    noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    format!("line {noise}\n").into_bytes()
                })
                .collect()
        };
        for number in 0..10 {
            git.write(&format!("folder{}/file{number}", number % 3), &text(60));
        }
        git.write(
            "large.bin",
            &(0..700_000_u32).flat_map(|at| at.wrapping_mul(at).to_le_bytes()).take(900_000).collect::<Vec<_>>(),
        );
        git.commit("first");
        for number in 0..commits {
            let name = format!("folder{}/file{}", number % 3, number % 10);
            let mut content = fs::read(git.path().join(&name)).unwrap_or_default();
            content.extend_from_slice(&text(2));
            git.write(&name, &content);
            if number % 7 == 0 {
                git.write(&format!("deep/er/and/deeper/{number}"), &text(3));
            }
            git.commit(&format!("commit {number}"));
            if number == commits / 2 {
                git.run(&["checkout", "-q", "-b", "side"]);
                git.write("side", b"side\n");
                git.commit("side");
                git.run(&["checkout", "-q", "main"]);
                git.run(&["tag", "-a", "-m", "a tag", "v1"]);
            }
        }
        git.run(&["merge", "-q", "--no-ff", "-m", "merge", "side"]);
        git.run(&["tag", "-a", "-m", "another", "v2"]);
        git.run(&["tag", "-a", "-m", "a tag of a tag", "vv2", "v2"]);
        git.run(&["tag", "light"]);
        git
    }
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}
