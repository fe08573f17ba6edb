//! Making a backup, of a server that runs or of one that is stopped.
//!
//! Files are copied by this process; the running server only authenticates the list of them.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use blobs::{Blobs, CopyHold, Location};
use crypto::{Key256, Sha256, sha256};
use store::Store;
use tar::{Builder, Header};
use tokio::runtime::Runtime;

use super::contents::{self, Member, SEAL_HEADER};
use super::manifest::{About, Listed, Manifest};
use super::{ABOUT, BackupError, KEY, MANIFEST, Progress, TAG, tag};
use crate::admin::Client;
use crate::blob_place;
use crate::clock;
use crate::config::SealConfig;
use crate::data_dir::{DataDir, Layout};
use crate::durable_state;
use crate::error::ServerError;
use crate::root_seal;

/// How often a backup is begun again when the root seal is replaced meanwhile.
const ATTEMPTS: u32 = 5;

/// A backup that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// How many files are in it.
    pub files: usize,
    /// How many bytes they have.
    pub bytes: u64,
}

/// The process that authenticates the list of what is in a backup.
enum Authenticator {
    /// The server that runs in the directory.
    Server(Client),
    /// This process, which has the directory to itself.
    Alone { key: Arc<Key256>, _data: DataDir },
}

impl Authenticator {
    fn find(data: &Path, seal: &SealConfig) -> Result<Self, ServerError> {
        let layout = Layout::new(data.to_owned());
        durable_state::existing(&layout)?;
        match DataDir::open(data) {
            Ok(directory) => {
                let store = durable_state::open_store(&layout, &root_seal::open(&layout, seal)?)?;
                Ok(Self::Alone { key: key(&store)?, _data: directory })
            }
            Err(error @ ServerError::InUse { .. }) => {
                let client = Client::new(layout);
                // The key has to be in the database before that is copied.
                match client.prepare_backup() {
                    Ok(()) => Ok(Self::Server(client)),
                    // Who has the directory is no server: another command.
                    Err(ServerError::NotRunning { .. }) => Err(error),
                    Err(error) => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    fn authenticate(&self, manifest_digest: &[u8; 32]) -> Result<[u8; 32], ServerError> {
        match self {
            Self::Server(client) => client.authenticate_backup(manifest_digest),
            Self::Alone { key, .. } => Ok(tag(key, manifest_digest)),
        }
    }
}

fn key(store: &Store) -> Result<Arc<Key256>, ServerError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|cause| ServerError::System { action: "start a runtime", cause })?;
    Ok(runtime.block_on(store.keyring().key(KEY))?)
}

/// Writes a backup of the data directory to `out`. Blobs are in it if `location` is the directory's own place for them.
///
/// No sweep removes a blob meanwhile, so every blob that the copied database refers to is in the backup; so may be some
/// that nothing refers to. Everything acknowledged before it began is in it. A running server keeps serving.
///
/// # Errors
/// [`ServerError::NoData`], [`ServerError::Sealed`]; those of opening the root seal where no server runs; those of
/// reading the directory and of writing `out`.
pub fn create(
    data: &Path,
    seal: &SealConfig,
    location: &Location,
    out: &mut impl Write,
    progress: Progress<'_>,
) -> Result<Made, ServerError> {
    let authenticator = Authenticator::find(data, seal)?;
    let layout = Layout::new(data.to_owned());
    // Before the database is copied, until all blobs are.
    let blobs = CopiedBlobs::find(&layout, location)?;
    let failed = |cause| ServerError::Io { action: "write in", path: data.to_owned(), cause };
    let copy = tempfile::Builder::new().prefix(".backup-").tempdir_in(data).map_err(failed)?;
    let (header, database) = steady(&layout, copy.path())?;

    let mut members = vec![contents::database(database)?];
    members.extend(contents::beside_database(&layout)?);
    let listed = blobs.as_ref().map_or_else(|| Ok(Vec::new()), CopiedBlobs::list)?;
    let blob_bytes = listed.iter().map(|blob| blob.sealed_bytes).sum::<u64>();
    let total = members.iter().map(|member| member.bytes).sum::<u64>() + header.len() as u64 + blob_bytes;
    let manifest = Manifest {
        blobs_elsewhere: Some(location.to_string()).filter(|_| *location != Location::Directory(layout.blobs())),
        ..Manifest::default()
    };
    let with_blobs = !listed.is_empty() || manifest.blobs_elsewhere.is_some();
    let mut archive = Archive { builder: Builder::new(out), manifest, done: 0, total, progress };
    let about = json(&About::now(clock::now().iso8601(), with_blobs))?;
    archive.unlisted(ABOUT, &about)?;
    archive.bytes(SEAL_HEADER, &header)?;
    for member in members {
        archive.member(member)?;
    }
    for blob in listed {
        archive.member(contents::blob(&layout, &blob.id)?)?;
    }
    archive.end(&authenticator)
}

/// The blobs of the data directory, which no sweep removes until this is dropped.
struct CopiedBlobs {
    blobs: Blobs,
    runtime: Runtime,
    _hold: CopyHold,
}

impl CopiedBlobs {
    fn find(layout: &Layout, location: &Location) -> Result<Option<Self>, ServerError> {
        if *location != Location::Directory(layout.blobs()) {
            return Ok(None);
        }
        let Some(blobs) = blob_place::open_existing(location)? else { return Ok(None) };
        let runtime = durable_state::runtime()?;
        let hold = runtime.block_on(blobs.hold_for_copy())?;
        Ok(Some(Self { blobs, runtime, _hold: hold }))
    }

    /// Every blob, those that are being referred to by now and those that nothing refers to.
    fn list(&self) -> Result<Vec<blobs::Listed>, ServerError> {
        Ok(self.runtime.block_on(self.blobs.list(None, usize::MAX))?)
    }
}

/// The root seal's header and a copy of the database, which belong together.
fn steady(layout: &Layout, directory: &Path) -> Result<(Vec<u8>, std::path::PathBuf), ServerError> {
    let path = layout.root().join(SEAL_HEADER);
    let header = || std::fs::read(&path).map_err(|cause| ServerError::Io { action: "read", path: path.clone(), cause });
    let rotating = || Ok::<_, ServerError>(seal::status(&layout.seal())?.is_some_and(|status| status.rotating));
    for attempt in 0..ATTEMPTS {
        let before = header()?;
        let copy = directory.join(format!("database-{attempt}"));
        store::snapshot(layout.database(), &copy)?;
        if !rotating()? && header()? == before {
            return Ok((before, copy));
        }
    }
    Err(BackupError::Restless.into())
}

fn json(value: &impl serde::Serialize) -> Result<Vec<u8>, ServerError> {
    let failed = |error: serde_json::Error| ServerError::System { action: "describe the backup", cause: error.into() };
    serde_json::to_vec(value).map_err(failed)
}

/// The archive in the making.
struct Archive<'a, W: Write> {
    builder: Builder<&'a mut W>,
    manifest: Manifest,
    done: u64,
    total: u64,
    progress: Progress<'a>,
}

/// Hashes and counts what is read.
struct Hashing<'p, R> {
    from: R,
    hash: Sha256,
    read: u64,
    before: u64,
    total: u64,
    progress: &'p mut dyn FnMut(u64, Option<u64>),
}

impl<R: Read> Read for Hashing<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.hash.update(buffer.get(..count).unwrap_or_default());
        self.read += count as u64;
        (self.progress)(self.before + self.read, Some(self.total));
        Ok(count)
    }
}

fn write_failed(cause: std::io::Error) -> ServerError {
    ServerError::System { action: "write the backup", cause }
}

impl<W: Write> Archive<'_, W> {
    fn member(&mut self, Member { name, path, content, bytes }: Member) -> Result<(), ServerError> {
        let (digest, read) = self.append(&name, bytes, content)?;
        if read != bytes {
            let cause = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
            return Err(ServerError::Io { action: "read the whole of", path, cause });
        }
        self.manifest.members.push(Listed::new(&name, bytes, &digest));
        Ok(())
    }

    fn bytes(&mut self, name: &str, content: &[u8]) -> Result<(), ServerError> {
        let bytes = content.len() as u64;
        let (digest, _) = self.append(name, bytes, content)?;
        self.manifest.members.push(Listed::new(name, bytes, &digest));
        Ok(())
    }

    fn unlisted(&mut self, name: &str, content: &[u8]) -> Result<(), ServerError> {
        self.builder.append_data(&mut header(content.len() as u64), name, content).map_err(write_failed)
    }

    fn append(&mut self, name: &str, bytes: u64, from: impl Read) -> Result<([u8; 32], u64), ServerError> {
        let mut hashing = Hashing {
            from: from.take(bytes),
            hash: Sha256::new(),
            read: 0,
            before: self.done,
            total: self.total,
            progress: &mut *self.progress,
        };
        self.builder.append_data(&mut header(bytes), name, &mut hashing).map_err(write_failed)?;
        let Hashing { hash, read, .. } = hashing;
        self.done += read;
        Ok((hash.finish(), read))
    }

    fn end(mut self, authenticator: &Authenticator) -> Result<Made, ServerError> {
        let manifest = json(&self.manifest)?;
        let tag = authenticator.authenticate(&sha256(&manifest))?;
        self.unlisted(MANIFEST, &manifest)?;
        self.unlisted(TAG, &tag)?;
        let made = Made { files: self.manifest.members.len(), bytes: self.done };
        self.builder.into_inner().and_then(Write::flush).map_err(write_failed)?;
        Ok(made)
    }
}

fn header(bytes: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(0o600);
    header
}
