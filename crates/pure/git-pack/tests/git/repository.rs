//! Makes repositories with the real git, and reads packs with ours.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use git_object::{Kind, ObjectFormat, ObjectId};
use git_pack::{Effort, Failure, Limits, NoBases, Scanned, Scanner, Sink, Visitor, resolve};

/// The gits of the machine: PATH's, and the distribution's.
pub(crate) const GITS: [&str; 2] = ["git", "/usr/bin/git"];

pub(crate) const FORMATS: [ObjectFormat; 2] = [ObjectFormat::Sha1, ObjectFormat::Sha256];

pub(crate) struct Repository {
    pub(crate) format: ObjectFormat,
    pub(crate) directory: tempfile::TempDir,
}

/// Numbers that look random and are the same each time.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.below(256) as u8).collect()
    }
}

impl Repository {
    /// An empty bare repository.
    pub(crate) fn empty(format: ObjectFormat) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let repository = Self { format, directory };
        repository.git(&["init", "-q", "--bare", "--object-format", format.name(), "."], b"");
        repository
    }

    /// A history of `commits` commits: edited, renamed, binary and large files, tags.
    pub(crate) fn with_history(format: ObjectFormat, commits: usize) -> Self {
        let repository = Self::empty(format);
        let (mut numbers, mut stream) = (Numbers(7), Vec::new());
        let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for commit in 0..commits {
            let mut changes = Vec::new();
            for _ in 0..1 + numbers.below(3) {
                let path = format!("folder{}/file{}.txt", numbers.below(5), numbers.below(30));
                let content = files.entry(path.clone()).or_insert_with(|| {
                    (0..200).flat_map(|line| format!("line {line} of {path}\n").into_bytes()).collect()
                });
                let (at, text) = (numbers.below(content.len()), format!("change {commit} {}\n", numbers.below(1000)));
                content.splice(at..at, text.into_bytes());
                modify(&mut changes, &path, content);
            }
            if commit % 17 == 3 {
                let mut content = numbers.bytes(3000);
                content.extend(files.values().next().expect("a file"));
                modify(&mut changes, &format!("image{}.bin", commit % 4), &content);
            }
            if commit % 23 == 5
                && let Some(path) = files.keys().nth(numbers.below(files.len())).cloned()
            {
                let content = files.remove(&path).expect("a file");
                changes.extend(format!("R {path} moved/{commit}.txt\n").into_bytes());
                files.insert(format!("moved/{commit}.txt"), content);
            }
            let message = format!("commit {commit}\n");
            stream.extend(format!("commit refs/heads/main\nmark :{}\n", commit + 1).into_bytes());
            stream
                .extend(format!("committer A U Thor <a@example.com> {} +0000\n", 1_700_000_000 + commit).into_bytes());
            stream.extend(format!("data {}\n{message}\n", message.len()).into_bytes());
            stream.extend(changes);
            stream.push(b'\n');
            if commit % 50 == 20 {
                let tag = format!("tag v{commit}\nfrom :{}\ntagger T <t@example.com> 1700000000 +0000\n", commit + 1);
                stream.extend(tag.into_bytes());
                stream.extend(b"data 5\nwords\n");
            }
        }
        repository.git(&["fast-import", "--quiet"], &stream);
        // A file that changed twice in one commit left an object that nothing refers to.
        repository.git(&["repack", "-adq"], b"");
        repository
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Git's output; git has to succeed.
    pub(crate) fn git(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let (succeeded, out, errors) = self.run(GITS[0], arguments, input);
        assert!(succeeded, "git {arguments:?}: {errors}");
        out
    }

    /// Whether git succeeds, what it prints and what it says.
    pub(crate) fn run(&self, git: &str, arguments: &[&str], input: &[u8]) -> (bool, Vec<u8>, String) {
        let mut child = Command::new(git)
            .args(arguments)
            .current_dir(self.path())
            .env("HOME", self.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("git is installed");
        let mut stdin = child.stdin.take().expect("a pipe");
        let output = std::thread::scope(|scope| {
            scope.spawn(move || stdin.write_all(input));
            child.wait_with_output().expect("git ends")
        });
        (output.status.success(), output.stdout, String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// A pack of all objects, as `git pack-objects` makes it with those options.
    pub(crate) fn pack(&self, options: &[&str]) -> Vec<u8> {
        let arguments = [&["pack-objects", "--stdout", "--revs", "--all", "-q"], options].concat();
        self.git(&arguments, b"")
    }

    /// The index and the reverse index that git makes of a pack.
    pub(crate) fn index(&self, pack: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let file = self.write("theirs.pack", pack);
        self.git(&["index-pack", "--rev-index", "-o", "theirs.idx", file.to_str().expect("text")], b"");
        let read = |name| std::fs::read(self.path().join(name)).expect("a file");
        let files = (read("theirs.idx"), read("theirs.rev"));
        for name in ["theirs.pack", "theirs.idx", "theirs.rev"] {
            std::fs::remove_file(self.path().join(name)).expect("a file");
        }
        files
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    }

    /// All objects, read by git.
    pub(crate) fn objects(&self) -> BTreeMap<ObjectId, (Kind, Vec<u8>)> {
        let out = self.git(&["cat-file", "--batch-all-objects", "--batch", "--unordered"], b"");
        let (mut rest, mut objects) = (out.as_slice(), BTreeMap::new());
        while !rest.is_empty() {
            let end = rest.iter().position(|byte| *byte == b'\n').expect("a line");
            let words: Vec<&[u8]> = rest[..end].split(|byte| *byte == b' ').collect();
            let length: usize = std::str::from_utf8(words[2]).expect("text").parse().expect("a number");
            let id = ObjectId::from_hex(self.format, words[0]).expect("an id");
            let kind = Kind::from_name(words[1]).expect("a kind");
            objects.insert(id, (kind, rest[end + 1..][..length].to_vec()));
            rest = &rest[end + length + 2..];
        }
        objects
    }
}

fn modify(changes: &mut Vec<u8>, path: &str, content: &[u8]) {
    changes.extend(format!("M 100644 inline {path}\ndata {}\n", content.len()).into_bytes());
    changes.extend(content);
    changes.push(b'\n');
}

/// The objects read of a pack.
#[derive(Default)]
pub(crate) struct Seen(pub(crate) Mutex<BTreeMap<ObjectId, (Kind, Vec<u8>)>>);

impl Seen {
    fn see(&self, id: &ObjectId, kind: Kind, bytes: &[u8]) -> Result<(), std::convert::Infallible> {
        self.0.lock().expect("no panic").insert(*id, (kind, bytes.to_vec()));
        Ok(())
    }
}

impl Sink for &Seen {
    type Error = std::convert::Infallible;

    fn object(&mut self, id: &ObjectId, kind: Kind, bytes: &[u8]) -> Result<(), Self::Error> {
        self.see(id, kind, bytes)
    }

    fn blob(&mut self, id: &ObjectId, size: u64, bytes: Option<&[u8]>) -> Result<(), Self::Error> {
        assert!(bytes.is_none_or(|bytes| bytes.len() as u64 == size));
        self.see(id, Kind::Blob, bytes.unwrap_or_default())
    }
}

impl Visitor for Seen {
    type Error = std::convert::Infallible;

    fn object(&self, _entry: u32, id: &ObjectId, kind: Kind, bytes: &[u8]) -> Result<(), Self::Error> {
        self.see(id, kind, bytes)
    }
}

pub(crate) type Refused = Failure<std::convert::Infallible>;

/// Scans a pack that arrives in pieces. Checks that the parts that are to be stored are the entries.
pub(crate) fn scan(
    format: ObjectFormat,
    pack: &[u8],
    piece: usize,
    limits: Limits,
    seen: &Seen,
) -> Result<Scanned, Refused> {
    let (mut scanner, mut stored) = (Scanner::new(format, limits), Vec::new());
    for piece in pack.chunks(piece) {
        let entries = scanner.push(piece, &mut &*seen)?;
        stored.extend_from_slice(&piece[entries]);
    }
    let scanned = scanner.finish()?;
    assert_eq!(stored, pack[12..pack.len() - format.id_bytes()]);
    assert_eq!(scanned.table.end(), 12 + stored.len() as u64);
    Ok(scanned)
}

/// Scans and resolves a complete pack.
pub(crate) fn read(format: ObjectFormat, pack: &[u8], effort: Effort<'_>, seen: &Seen) -> Result<Scanned, Refused> {
    let mut scanned = scan(format, pack, 1 << 16, Limits::default(), seen)?;
    let bases = resolve(&mut scanned.table, pack, &NoBases, seen, Limits::default(), effort)?;
    assert!(bases.is_empty());
    Ok(scanned)
}

pub(crate) const EFFORT: Effort<'static> = Effort { threads: 3, memory_bytes: 64 << 20, exceeding: None };
