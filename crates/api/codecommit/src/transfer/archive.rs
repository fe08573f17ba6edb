//! Archives for `git archive --remote`: the files of a commit as a tar archive.
//!
//! Attributes of files, such as `export-ignore`, are not looked at.
//!
//! Source: git's documentation of git-archive and git-upload-archive.

mod tar;

use bytes::Bytes;
use git::{GitError, Objects, Repository};
use git_object::{Commit, Kind, Mode, ObjectId, Tree};
use git_wire::{ArchiveReader, Band, FLUSH, SideBand, acknowledge_archive, clean, refuse_archive};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::{Output, Packets, Permitted, TransferError};
use tar::Tar;

/// Bytes that are put together before they are sent.
const PIECE_BYTES: usize = 60_000;

/// Folders within folders at most.
const DEPTH_MAX: usize = 1024;

/// Bytes of a symbolic link's target, and of an object that is no file.
const TARGET_BYTES_MAX: u64 = 1 << 16;
const TREE_BYTES_MAX: u64 = 64 << 20;

/// The wanted archive.
struct Wanted {
    tree: String,
    prefix: Vec<u8>,
    paths: Vec<Vec<u8>>,
}

/// Answers a request for an archive of a repository that the client may read.
///
/// # Errors
/// Every [`TransferError`] but [`TransferError::Refused`], for the log: the client knows.
pub async fn archive(permitted: Permitted, packets: &mut Packets, output: &Output) -> Result<(), TransferError> {
    let (repository, record) = permitted.into_parts();
    let mut reader = ArchiveReader::default();
    let arguments = packets.until(|packet| reader.packet(packet)).await?.unwrap_or_default();
    let mut out = Vec::new();
    let found = match Wanted::parse(&arguments) {
        Ok(wanted) => root(&repository, &wanted).await.map(|root| (wanted, root)),
        Err(words) => Err(GitError::BadRequest { reason: words }.into()),
    };
    let (wanted, (commit, tree, time)) = match found {
        Ok(found) => found,
        Err(error) => {
            refuse_archive(&mut out, &error.words());
            output.send(out).await?;
            return Err(error);
        }
    };
    record.transferred()?;
    acknowledge_archive(&mut out);
    output.send(out).await?;
    let (pieces, mut made) = mpsc::channel::<Vec<u8>>(4);
    let objects = repository.objects();
    let making = spawn_blocking(move || {
        let mut out = Vec::new();
        let tar = Tar::new(time, commit.as_deref(), &mut out);
        let mut maker = Maker { objects: &objects, wanted: &wanted, tar, out, pieces };
        let mut matched = vec![false; wanted.paths.len()];
        let path = wanted.prefix.clone();
        if path.ends_with(b"/") {
            maker.folder(&path, &tree)?;
        }
        maker.walk(&tree, &path, b"", &mut matched, 0)?;
        if let Some((missing, _)) = wanted.paths.iter().zip(matched).find(|(_, matched)| !matched) {
            let reason = format!("pathspec '{}' did not match any files", clean(missing));
            return Err(GitError::BadRequest { reason });
        }
        maker.finish()
    });
    while let Some(piece) = made.recv().await {
        let mut out = Vec::with_capacity(piece.len() + 5);
        SideBand::Large.write(Band::Data, &piece, &mut out);
        output.send(out).await?;
    }
    let made = making.await.unwrap_or(Err(GitError::Interrupted));
    let mut out = Vec::new();
    if let Err(error) = &made {
        let words = if super::error::is_ours(error) { "the server failed".to_owned() } else { error.to_string() };
        SideBand::Large.write(Band::Error, format!("{}\n", clean(words.as_bytes())).as_bytes(), &mut out);
    }
    out.extend_from_slice(FLUSH);
    output.send(Bytes::from(out)).await?;
    Ok(made?)
}

impl Wanted {
    fn parse(arguments: &[Vec<u8>]) -> Result<Self, String> {
        let (mut prefix, mut plain, mut options) = (Vec::new(), Vec::new(), true);
        for argument in arguments {
            let argument = argument.as_slice();
            if !options || !argument.starts_with(b"-") {
                plain.push(argument);
            } else if argument == b"--" {
                options = false;
            } else if let Some(value) = argument.strip_prefix(b"--prefix=") {
                prefix = value.to_vec();
            } else if let Some(format) = argument.strip_prefix(b"--format=") {
                if format != b"tar" {
                    return Err(format!("Unknown archive format '{}': this server makes tar", clean(format)));
                }
            } else if !matches!(argument, b"-v" | b"--verbose") {
                return Err(format!("unknown option: {}", clean(argument)));
            }
        }
        let mut plain = plain.into_iter();
        let tree = plain.next().ok_or("no commit was named")?;
        let tree = str::from_utf8(tree).map_err(|_| format!("no such ref: {}", clean(tree)))?.to_owned();
        let paths = plain.map(|path| path.strip_suffix(b"/").unwrap_or(path).to_vec()).collect();
        Ok(Self { tree, prefix, paths })
    }
}

/// The commit's id, if there is one, the tree, and the time, of what a client names: a reference or an object that one
/// leads to, with `:PATH` behind it a folder.
async fn root(repository: &Repository, wanted: &Wanted) -> Result<(Option<String>, ObjectId, u64), TransferError> {
    let (name, path) = wanted.tree.split_once(':').unwrap_or((&wanted.tree, ""));
    let missing = || GitError::BadRequest { reason: format!("no such ref: {}", clean(name.as_bytes())) };
    let named = if name == "HEAD" {
        repository.reference(repository.head())
    } else {
        let full = ["", "refs/", "refs/tags/", "refs/heads/"].into_iter().map(|folder| [folder, name].concat());
        full.filter_map(|name| repository.reference(&name)).next()
    };
    let id = match (named, repository.format()) {
        (Some(id), _) => id,
        (None, Some(format)) => {
            let id = ObjectId::from_hex(format, name.as_bytes()).map_err(|_| missing())?;
            if repository.unreachable(vec![id]).await?.is_some() {
                return Err(missing().into());
            }
            id
        }
        (None, None) => return Err(missing().into()),
    };
    let (objects, path) = (repository.objects(), path.to_owned());
    let found = spawn_blocking(move || find(&objects, id, path.as_bytes()));
    Ok(found.await.unwrap_or(Err(GitError::Interrupted))?)
}

fn broken<E>(_: E) -> GitError {
    GitError::Damaged { what: "an object is broken" }
}

fn find(objects: &Objects, mut id: ObjectId, path: &[u8]) -> Result<(Option<String>, ObjectId, u64), GitError> {
    let format = objects.format();
    // Tags of tags; a repository has no circles.
    while let Some(object) = objects.read(&id, TREE_BYTES_MAX)? {
        let (commit, mut tree, time) = match object.kind {
            Kind::Tag => {
                id = git_object::Tag::parse(format, &object).map_err(broken)?.target();
                continue;
            }
            Kind::Commit => {
                let commit = Commit::parse(format, &object).map_err(broken)?;
                (
                    Some(id.to_string()).filter(|_| path.is_empty()),
                    commit.tree(),
                    u64::try_from(commit.committer().seconds).unwrap_or_default(),
                )
            }
            Kind::Tree => (None, id, 0),
            Kind::Blob => return Err(GitError::BadRequest { reason: "not a tree object".to_owned() }),
        };
        for part in path.split(|byte| *byte == b'/').filter(|part| !part.is_empty()) {
            let content = objects.read(&tree, TREE_BYTES_MAX)?.ok_or(GitError::MissingObject { id: tree })?;
            let mut found = None;
            for entry in Tree::new(format, &content) {
                let entry = entry.map_err(broken)?;
                if entry.name == part && entry.mode.kind() == Some(Kind::Tree) {
                    found = Some(entry.id);
                }
            }
            tree = found.ok_or_else(|| GitError::BadRequest { reason: "no such folder".to_owned() })?;
        }
        return Ok((commit, tree, time));
    }
    Err(GitError::MissingObject { id })
}

/// Makes an archive.
struct Maker<'a> {
    objects: &'a Objects,
    wanted: &'a Wanted,
    tar: Tar,
    out: Vec<u8>,
    pieces: mpsc::Sender<Vec<u8>>,
}

impl Maker<'_> {
    fn flush(&mut self, at_least: usize) -> Result<(), GitError> {
        if self.out.len() < at_least {
            return Ok(());
        }
        // The client is gone if that fails.
        self.pieces.blocking_send(std::mem::take(&mut self.out)).map_err(|_| GitError::Interrupted)
    }

    fn folder(&mut self, path: &[u8], id: &ObjectId) -> Result<(), GitError> {
        self.tar.entry((path, &id.to_string()), tar::Kind::Folder, 0, b"", &mut self.out);
        self.flush(PIECE_BYTES)
    }

    /// Adds what is wanted of a tree. `path` is where it is in the archive, `inner` where it is in the repository.
    fn walk(
        &mut self,
        tree: &ObjectId,
        path: &[u8],
        inner: &[u8],
        matched: &mut [bool],
        depth: usize,
    ) -> Result<(), GitError> {
        if depth > DEPTH_MAX {
            return Err(GitError::BadRequest { reason: "too many folders within folders".to_owned() });
        }
        let content = self.objects.read(tree, TREE_BYTES_MAX)?.ok_or(GitError::MissingObject { id: *tree })?;
        for entry in Tree::new(self.objects.format(), &content) {
            let entry = entry.map_err(broken)?;
            let (path, inner) = ([path, entry.name].concat(), [inner, entry.name].concat());
            let mut is_wanted = self.wanted.paths.is_empty();
            for (wanted, matched) in self.wanted.paths.iter().zip(matched.iter_mut()) {
                let is_below =
                    inner.strip_prefix(wanted.as_slice()).is_some_and(|rest| matches!(rest, [] | [b'/', ..]));
                let is_above = wanted.strip_prefix(inner.as_slice()).is_some_and(|rest| rest.starts_with(b"/"));
                *matched |= is_below;
                is_wanted |= is_below || is_above && entry.mode.kind() == Some(Kind::Tree);
            }
            if !is_wanted {
                continue;
            }
            match entry.mode.kind() {
                Some(Kind::Tree) => {
                    let (path, inner) = ([path.as_slice(), b"/"].concat(), [inner.as_slice(), b"/"].concat());
                    self.folder(&path, &entry.id)?;
                    self.walk(&entry.id, &path, &inner, matched, depth + 1)?;
                }
                Some(Kind::Blob) if entry.mode == Mode::Symlink => {
                    let target = self.objects.read(&entry.id, TARGET_BYTES_MAX)?;
                    let target = target.ok_or(GitError::MissingObject { id: entry.id })?;
                    self.tar.entry((&path, &entry.id.to_string()), tar::Kind::Link, 0, &target, &mut self.out);
                }
                Some(Kind::Blob) => {
                    let executable = entry.mode == Mode::Executable;
                    self.file(&path, &entry.id, executable)?;
                }
                // A submodule is an empty folder.
                _ => self.folder(&[path.as_slice(), b"/"].concat(), &entry.id)?,
            }
            self.flush(PIECE_BYTES)?;
        }
        Ok(())
    }

    fn file(&mut self, path: &[u8], id: &ObjectId, executable: bool) -> Result<(), GitError> {
        let (_, bytes) = self.objects.header(id)?.ok_or(GitError::MissingObject { id: *id })?;
        self.tar.entry((path, &id.to_string()), tar::Kind::File { executable }, bytes, b"", &mut self.out);
        let objects = self.objects;
        objects.stream(id, &mut |content| {
            self.tar.content(content, &mut self.out);
            self.flush(PIECE_BYTES)
        })?;
        self.tar.pad(bytes, &mut self.out);
        Ok(())
    }

    fn finish(mut self) -> Result<(), GitError> {
        self.tar.finish(&mut self.out);
        // The client is gone if that fails.
        self.pieces.blocking_send(self.out).map_err(|_| GitError::Interrupted)
    }
}
