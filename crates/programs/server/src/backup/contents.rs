//! The members of a backup: the files of a data directory that it has, and those that it may restore.

use std::fs::File;
use std::io::{Cursor, ErrorKind, Read};
use std::path::{Path, PathBuf};

use blobs::BlobId;

use crate::data_dir::Layout;
use crate::error::ServerError;

/// The root seal's header.
pub(super) const SEAL_HEADER: &str = "seal/root.json";

/// The database.
pub(super) const DATABASE: &str = "sealstack.db";

/// The configuration, if it lies there.
const CONFIGURATION: &str = "sealstack.toml";

/// The directory of the audit log.
const AUDIT: &str = "audit";

/// The directory of blobs.
const BLOBS: &str = "blobs";

/// The directory of identity providers' keys, which are public.
const PROVIDER_KEYS: &str = "oidc";

/// A file to be backed up, as long as it was when it was found: the audit log may grow.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) content: Box<dyn Read>,
    pub(super) bytes: u64,
}

impl Member {
    fn open(name: String, path: PathBuf) -> Result<Option<Self>, ServerError> {
        let failed = |cause| ServerError::Io { action: "read", path: path.clone(), cause };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(failed(cause)),
        };
        let found = file.metadata().map_err(failed)?;
        Ok(found.is_file().then(|| Self { name, bytes: found.len(), path, content: Box::new(file) }))
    }

    /// The file as it is now, however it changes until it is written.
    fn at_once(mut self) -> Result<Self, ServerError> {
        let mut bytes = Vec::new();
        let read = self.content.read_to_end(&mut bytes);
        read.map_err(|cause| ServerError::Io { action: "read", path: self.path.clone(), cause })?;
        Ok(Self { bytes: bytes.len() as u64, content: Box::new(Cursor::new(bytes)), ..self })
    }
}

/// Everything but the seal's header and the database.
///
/// The audit log comes last, so that it holds at least what the database does, and in the order in which the journal's
/// files have to be copied.
pub(super) fn beside_database(layout: &Layout) -> Result<Vec<Member>, ServerError> {
    let mut members = Vec::new();
    members.extend(Member::open(CONFIGURATION.to_owned(), layout.root().join(CONFIGURATION))?);
    for path in files(&layout.provider_keys())? {
        members.extend(named(PROVIDER_KEYS, path)?);
    }
    let head = named(AUDIT, journal::head_file(&layout.audit()))?;
    members.extend(head.map(Member::at_once).transpose()?);
    for path in journal::segment_files(&layout.audit())? {
        members.extend(named(AUDIT, path)?);
    }
    Ok(members)
}

/// A blob that was listed in the directory of blobs while nobody sweeps there.
pub(super) fn blob(layout: &Layout, id: &BlobId) -> Result<Member, ServerError> {
    let (name, path) = (format!("{BLOBS}/{}", id.path().display()), layout.blobs().join(id.path()));
    let gone = || ServerError::Io { action: "read", path: path.clone(), cause: ErrorKind::NotFound.into() };
    Member::open(name, path.clone())?.ok_or_else(gone)
}

/// The database's copy, as the member that it is to be.
pub(super) fn database(copy: PathBuf) -> Result<Member, ServerError> {
    let gone = || ServerError::Io { action: "read", path: copy.clone(), cause: ErrorKind::NotFound.into() };
    Member::open(DATABASE.to_owned(), copy.clone())?.ok_or_else(gone)
}

fn named(directory: &str, path: PathBuf) -> Result<Option<Member>, ServerError> {
    match path.file_name().and_then(|name| name.to_str()) {
        Some(name) if is_name(name) => Member::open(format!("{directory}/{name}"), path),
        _ => Ok(None),
    }
}

fn files(directory: &Path) -> Result<Vec<PathBuf>, ServerError> {
    let failed = |cause| ServerError::Io { action: "read", path: directory.to_owned(), cause };
    match std::fs::read_dir(directory) {
        Ok(entries) => {
            let paths: Result<Vec<_>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
            let mut paths = paths.map_err(failed)?;
            paths.sort();
            Ok(paths)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(cause) => Err(failed(cause)),
    }
}

/// Where a member goes in a data directory; nothing for one that no backup has.
pub(super) fn place(root: &Path, name: &str) -> Option<PathBuf> {
    let known = match name.split_once('/') {
        None => name == DATABASE || name == CONFIGURATION,
        Some((directory, file)) => {
            name == SEAL_HEADER
                || ([AUDIT, PROVIDER_KEYS].contains(&directory) && is_name(file))
                || (directory == BLOBS && is_blob(file))
        }
    };
    known.then(|| root.join(name))
}

/// Whether a path is a blob's within the directory of blobs.
fn is_blob(path: &str) -> bool {
    let id = path.split_once('/').and_then(|(_, name)| BlobId::parse(name));
    id.is_some_and(|id| id.path() == Path::new(path))
}

/// Whether a text is the plain name of a file: no other directory, nothing hidden.
fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:%".contains(&byte);
    (1..=200).contains(&text.len()) && !text.starts_with('.') && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_the_audit_log_is_as_old_as_the_list_of_its_segments() {
        let directory = tempfile::tempdir().expect("a directory");
        let layout = Layout::new(directory.path().to_owned());
        let (head, segment) = (journal::head_file(&layout.audit()), layout.audit().join("00000001.seal"));
        std::fs::create_dir(layout.audit()).expect("a directory");
        let write = |text: &str| {
            std::fs::write(&head, text).expect("written in place");
            std::fs::write(&segment, text).expect("written in place");
        };
        write("as it was");
        let members = beside_database(&layout).expect("members");
        write("as it has become since");
        let names: Vec<_> = members.iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names, ["audit/head.seal", "audit/00000001.seal"]);
        let copied = |member: Member| {
            let mut text = String::new();
            member.content.take(member.bytes).read_to_string(&mut text).expect("text");
            text
        };
        let copied: Vec<_> = members.into_iter().map(copied).collect();
        assert_eq!(copied, ["as it was", "as it has"]);
    }

    #[test]
    fn a_member_stays_within_the_directory() {
        let root = Path::new("/data");
        for (name, expected) in [
            ("sealstack.db", Some("/data/sealstack.db")),
            ("sealstack.toml", Some("/data/sealstack.toml")),
            ("seal/root.json", Some("/data/seal/root.json")),
            ("audit/00000001.seal", Some("/data/audit/00000001.seal")),
            ("oidc/issuer.example_path.jwks", Some("/data/oidc/issuer.example_path.jwks")),
            ("blobs/0a/0a0102030405060708090a0b0c0d0e0f", Some("/data/blobs/0a/0a0102030405060708090a0b0c0d0e0f")),
            ("blobs/0b/0a0102030405060708090a0b0c0d0e0f", None),
            ("blobs/0a0102030405060708090a0b0c0d0e0f", None),
            ("blobs/drafts/0a0102030405060708090a0b0c0d0e0f", None),
            ("blobs/0a/../x", None),
            ("seal/root.key", None),
            ("aws/credentials", None),
            ("lock", None),
            ("/etc/passwd", None),
            ("../x", None),
            ("audit/../x", None),
            ("audit/..", None),
            ("audit/.hidden", None),
            ("audit/a/b", None),
            ("audit/", None),
            ("", None),
        ] {
            assert_eq!(place(root, name).as_deref(), expected.map(Path::new), "{name}");
        }
    }
}
