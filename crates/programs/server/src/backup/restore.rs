//! Restoring a backup: nothing appears under the data directory's name before all of it is verified.

use std::collections::{HashMap, HashSet};
use std::fs::{DirBuilder, File};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use blobs::{Location, Owners};
use crypto::{Sha256, constant_time_eq, sha256};
use rustix::fs::{Mode, OFlags, fstat, lstat, mkdirat, open, openat};
use rustix::io::Errno;
use store::Store;
use tar::{Archive, EntryType};

use super::contents::{DATABASE, SEAL_HEADER, place};
use super::manifest::{About, Listed, Manifest};
use super::{ABOUT, BackupError, KEY, MANIFEST, Progress, TAG, tag};
use crate::blob_place::Registered;
use crate::config::SealConfig;
use crate::data_dir::{DataDir, Layout};
use crate::error::ServerError;
use crate::{durable_state, rollback, root_seal};

/// The longest manifest: some million blobs, or segments of the audit log.
const MANIFEST_BYTES_MAX: u64 = 256 << 20;

/// A backup that was verified, and restored if that was wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// When it was made, ISO 8601.
    pub made: String,
    /// How many files are in it.
    pub files: usize,
    /// How many bytes they have.
    pub bytes: u64,
    /// How many records its audit log has.
    pub records: u64,
    /// How many blobs are in it that something refers to, each opened from beginning to end.
    pub blobs: u64,
    /// Where the blobs lie that its database refers to, if they are not in it. Those were not looked at.
    pub blobs_elsewhere: Option<String>,
}

/// A data directory in the making, removed unless it is finished.
struct Draft {
    path: PathBuf,
    /// The directory itself, whoever puts something else in its place.
    handle: OwnedFd,
    finished: bool,
}

impl Draft {
    /// Makes a file in the draft, and the directory that it lies in, through no link.
    fn file(&self, name: &Path) -> std::io::Result<File> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut directory = None;
        for step in name.parent().into_iter().flat_map(Path::components) {
            let within = directory.as_ref().unwrap_or(&self.handle);
            directory = Some(match mkdirat(within, step.as_os_str(), Mode::RWXU) {
                Err(Errno::EXIST) | Ok(()) => openat(within, step.as_os_str(), flags, Mode::empty())?,
                Err(error) => return Err(error.into()),
            });
        }
        let file = name.file_name().unwrap_or_default();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(openat(directory.as_ref().unwrap_or(&self.handle), file, flags, Mode::RUSR | Mode::WUSR)?.into())
    }

    /// Refuses to go on once something else stands in the draft's place.
    fn is_in_place(&self) -> Result<(), ServerError> {
        let failed = |cause| ServerError::Io { action: "restore to", path: self.path.clone(), cause };
        let [ours, found] = [fstat(&self.handle), lstat(&self.path)];
        let (ours, found) = (ours.map_err(|error| failed(error.into()))?, found.map_err(|error| failed(error.into()))?);
        let same = (ours.st_dev, ours.st_ino) == (found.st_dev, found.st_ino);
        if same { Ok(()) } else { Err(failed(std::io::Error::other("something else was put in its place"))) }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.finished {
            // A draft that stays is one that nothing reads. Links in it are removed and not followed.
            let _ = self.is_in_place().map(|()| std::fs::remove_dir_all(&self.path));
        }
    }
}

/// Verifies a backup from beginning to end, under its root seal, and puts it in place as the data directory `data`,
/// which must be missing or empty. With `check` everything is verified and nothing is written.
///
/// # Errors
/// [`ServerError::Backup`], [`ServerError::NotEmpty`]; those of opening the root seal, the database and the audit log.
pub fn restore(
    from: &mut impl Read,
    data: &Path,
    seal: &SealConfig,
    check: bool,
    progress: Progress<'_>,
) -> Result<Restored, ServerError> {
    restore_owned(from, data, seal, check, &Registered::default(), progress)
}

/// The same for blobs of the given owners.
pub(super) fn restore_owned(
    from: &mut impl Read,
    data: &Path,
    seal: &SealConfig,
    check: bool,
    owners: &dyn Owners,
    progress: Progress<'_>,
) -> Result<Restored, ServerError> {
    if !check {
        refuse_occupied(data)?;
    }
    let mut draft = begin(data)?;
    // Whoever else comes finds it taken; the lock is in the file, and goes where the directory goes.
    let directory = DataDir::create(&draft.path)?;
    let layout = Layout::new(draft.path.clone());

    let mut unpacking = Unpacking { draft: &draft, members: Vec::new(), names: HashSet::new(), done: 0, progress };
    let (about, manifest, expected) = unpacking.all(from)?;
    let members = unpacking.members;
    let blobs_elsewhere = compare(&members, &manifest)?;
    draft.is_in_place()?;

    let store = durable_state::open_store(&layout, &root_seal::open(&layout, seal)?)?;
    let runtime = durable_state::runtime()?;
    if !runtime.block_on(store.keyring().names())?.iter().any(|name| name == KEY) {
        return Err(BackupError::Forged.into());
    }
    let key = runtime.block_on(store.keyring().key(KEY))?;
    if !constant_time_eq(&tag(&key, &sha256(&manifest)), &expected) {
        return Err(BackupError::Forged.into());
    }
    let audit_key = runtime.block_on(durable_state::audit_key(&store))?;
    let report = journal::verify(&layout.audit(), &audit_key)?;
    store.check()?;
    let blobs = match blobs_elsewhere {
        None => restored_blobs(&layout, &store, owners)?,
        Some(_) => 0,
    };
    // The database is a little older than the log that was copied after it, and both are older than what they were
    // copied from: they go on from here, and the log says why.
    rollback::restored(&layout, store, &about.made)?;

    let bytes = members.iter().map(|member| member.bytes).sum();
    let (made, files, records) = (about.made, members.len(), report.records);
    let restored = Restored { made, files, bytes, records, blobs, blobs_elsewhere };
    if !check {
        sync_all(&draft.path)?;
        refuse_occupied(data)?;
        draft.is_in_place()?;
        let failed = |cause| ServerError::Io { action: "move the restored files to", path: data.to_owned(), cause };
        // An empty directory is replaced, any other is not.
        std::fs::rename(&draft.path, data).map_err(failed)?;
        draft.finished = true;
        File::open(parent(data)).and_then(|parent| parent.sync_all()).map_err(failed)?;
    }
    drop(directory);
    Ok(restored)
}

/// Opens every blob that the database refers to, and removes those that nothing refers to. Yields how many there are.
fn restored_blobs(layout: &Layout, store: &Store, owners: &dyn Owners) -> Result<u64, ServerError> {
    let location = Location::Directory(layout.blobs());
    let Some(report) = rollback::check_blobs(store, &location, owners)? else { return Ok(0) };
    if let Some(faulty) = report.faulty.first() {
        return Err(BackupError::Blobs { damaged: report.faulty.len(), first: faulty.to_string() }.into());
    }
    for id in &report.unreferenced {
        let path = layout.blobs().join(id.path());
        std::fs::remove_file(&path).map_err(|cause| ServerError::Io { action: "remove", path, cause })?;
    }
    Ok(report.intact)
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn refuse_occupied(data: &Path) -> Result<(), ServerError> {
    match std::fs::read_dir(data) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(ServerError::NotEmpty { path: data.to_owned() }),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(ServerError::Io { action: "read", path: data.to_owned(), cause }),
    }
}

/// Makes the draft beside the data directory, on the same file system.
fn begin(data: &Path) -> Result<Draft, ServerError> {
    let parent = parent(data);
    let failed = |path: &Path, cause| ServerError::Io { action: "create", path: path.to_owned(), cause };
    DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(|cause| failed(parent, cause))?;
    let path = parent.join(format!(".sealstack-restore-{}", uuid::Uuid::new_v4().simple()));
    DirBuilder::new().mode(0o700).create(&path).map_err(|cause| failed(&path, cause))?;
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let handle = open(&path, flags, Mode::empty()).map_err(|error| failed(&path, error.into()))?;
    Ok(Draft { path, handle, finished: false })
}

/// Whether the members are the ones that the manifest lists, each as it says. Yields where blobs lie that are not among
/// them.
fn compare(members: &[Listed], manifest: &[u8]) -> Result<Option<String>, BackupError> {
    let damaged = |name: &str| BackupError::Damaged { name: name.to_owned() };
    let manifest: Manifest = serde_json::from_slice(manifest).map_err(|_| damaged(MANIFEST))?;
    let named: HashMap<_, _> = members.iter().map(|member| (member.name.as_str(), member)).collect();
    for listed in &manifest.members {
        match named.get(listed.name.as_str()) {
            None => return Err(BackupError::Missing { name: listed.name.clone() }),
            Some(member) if *member != listed => return Err(damaged(&listed.name)),
            Some(_) => {}
        }
    }
    let listed: HashSet<_> = manifest.members.iter().map(|listed| listed.name.as_str()).collect();
    if let Some(extra) = members.iter().find(|member| !listed.contains(member.name.as_str())) {
        return Err(BackupError::Unexpected { name: extra.name.clone() });
    }
    for name in [SEAL_HEADER, DATABASE] {
        if !named.contains_key(name) {
            return Err(BackupError::Missing { name: name.to_owned() });
        }
    }
    Ok(manifest.blobs_elsewhere)
}

/// An archive being read into a directory.
struct Unpacking<'a> {
    draft: &'a Draft,
    members: Vec<Listed>,
    names: HashSet<String>,
    done: u64,
    progress: Progress<'a>,
}

impl Unpacking<'_> {
    /// Reads all of it: what it says of itself, its manifest, and the manifest's tag.
    fn all(&mut self, from: &mut impl Read) -> Result<(About, Vec<u8>, Vec<u8>), ServerError> {
        let mut archive = Archive::new(from);
        let mut about = None;
        let mut manifest = None;
        for entry in archive.entries().map_err(|_| BackupError::Foreign)? {
            let mut entry = entry.map_err(|error| broken(&error, about.is_some()))?;
            let name = entry.path().ok().and_then(|path| path.to_str().map(str::to_owned));
            let name = name.filter(|_| entry.header().entry_type() == EntryType::Regular);
            let name = name.ok_or(if about.is_some() {
                BackupError::Unexpected { name: "something that is no file".to_owned() }
            } else {
                BackupError::Foreign
            })?;
            let size = entry.header().size().map_err(|_| BackupError::CutShort)?;
            match (&about, &manifest, name.as_str()) {
                (None, _, ABOUT) => about = Some(About::read(&short(&mut entry, size)?)?),
                (None, ..) => return Err(BackupError::Foreign.into()),
                (Some(_), None, MANIFEST) => manifest = Some(short(&mut entry, size)?),
                (Some(_), None, _) => self.member(&name, size, &mut entry)?,
                (Some(_), Some(_), TAG) => {
                    let tag = short(&mut entry, size)?;
                    return about
                        .zip(manifest)
                        .map(|(about, manifest)| (about, manifest, tag))
                        .ok_or_else(|| BackupError::CutShort.into());
                }
                (Some(_), Some(_), _) => return Err(BackupError::Unexpected { name }.into()),
            }
        }
        Err(if about.is_some() { BackupError::CutShort } else { BackupError::Foreign }.into())
    }

    fn member(&mut self, name: &str, size: u64, from: &mut impl Read) -> Result<(), ServerError> {
        let again = !self.names.insert(name.to_owned());
        let path = place(Path::new(""), name).filter(|_| !again);
        let path = path.ok_or_else(|| BackupError::Unexpected { name: wire::shape::quote(name).to_owned() })?;
        let failed = |cause| ServerError::Io { action: "write", path: self.draft.path.join(&path), cause };
        let mut file = self.draft.file(&path).map_err(failed)?;
        let (mut hash, mut written) = (Sha256::new(), 0);
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let count = from.read(&mut buffer).map_err(|error| broken(&error, true))?;
            let Some(piece) = buffer.get(..count).filter(|piece| !piece.is_empty()) else { break };
            hash.update(piece);
            file.write_all(piece).map_err(failed)?;
            written += count as u64;
            (self.progress)(self.done + written, None);
        }
        if written != size {
            return Err(BackupError::CutShort.into());
        }
        self.done += written;
        self.members.push(Listed::new(name, written, &hash.finish()));
        Ok(())
    }
}

/// A member in memory.
fn short(from: &mut impl Read, size: u64) -> Result<Vec<u8>, ServerError> {
    let mut content = Vec::new();
    if size > MANIFEST_BYTES_MAX {
        return Err(BackupError::Foreign.into());
    }
    from.take(size).read_to_end(&mut content).map_err(|error| broken(&error, true))?;
    if content.len() as u64 == size { Ok(content) } else { Err(BackupError::CutShort.into()) }
}

/// The error for one of reading: a file that ends early, one that is no archive, or a device that fails.
fn broken(error: &std::io::Error, begun: bool) -> ServerError {
    match error.raw_os_error() {
        Some(code) => ServerError::System { action: "read the backup", cause: std::io::Error::from_raw_os_error(code) },
        None if begun => BackupError::CutShort.into(),
        None => BackupError::Foreign.into(),
    }
}

/// Syncs every file and directory under `root`.
fn sync_all(root: &Path) -> Result<(), ServerError> {
    let failed = |cause| ServerError::Io { action: "write out", path: root.to_owned(), cause };
    for entry in std::fs::read_dir(root).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            sync_all(&path)?;
        } else {
            File::open(&path).and_then(|file| file.sync_all()).map_err(failed)?;
        }
    }
    File::open(root).and_then(|root| root.sync_all()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_that_is_swapped_in_leads_no_file_out() {
        let parent = tempfile::tempdir().expect("a directory");
        let elsewhere = tempfile::tempdir().expect("a directory");
        let draft = begin(&parent.path().join("data")).expect("a draft");
        draft.file(Path::new("audit/1")).expect("made");
        draft.file(Path::new("blobs/0a/1")).expect("made");
        symlink(elsewhere.path(), draft.path.join("blobs/0b")).expect("linked");
        draft.file(Path::new("blobs/0b/1")).expect_err("a link");
        symlink(elsewhere.path(), draft.path.join("oidc")).expect("linked");
        symlink(elsewhere.path().join("x"), draft.path.join("sealstack.db")).expect("linked");
        for name in ["oidc/keys", "sealstack.db", "audit/1"] {
            draft.file(Path::new(name)).expect_err(name);
        }
        draft.is_in_place().expect("it is");
        let aside = parent.path().join("aside");
        std::fs::rename(&draft.path, &aside).expect("moved");
        symlink(elsewhere.path(), &draft.path).expect("linked");
        draft.file(Path::new("audit/2")).expect("made");
        assert!(aside.join("audit/2").exists() && draft.is_in_place().is_err());
        drop(draft);
        assert_eq!(std::fs::read_dir(elsewhere.path()).expect("it").count(), 0);
    }
}
