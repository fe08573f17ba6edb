//! Opening, making and replacing the root key, in an order that survives dying between any two steps.
//!
//! A rotation writes the new key file beside the old (1), a header that names both root keys (2), has everything
//! rewrapped (3), writes a header that names the new one alone (4), and puts the key files in order (5). Opening
//! brings whatever was begun to its end.

use std::path::{Path, PathBuf};

use crypto::RootKey;

use crate::header::{Bytes, Header, KeyId, Kind, Rotation, Seal, Sealed};
use crate::{KeySeal, RootSeal as _, SealConfig, SealError, files, key_file, passphrase};

/// A root key, and how it is sealed.
pub struct Opened {
    /// The root key.
    pub root: RootKey,
    /// How it is sealed.
    pub kind: Kind,
    /// How many root keys there have been, this one included.
    pub generation: u32,
    /// Whether it was made just now.
    pub created: bool,
    /// Whether a rotation that had been interrupted was brought to its end just now.
    pub finished: bool,
}

/// What has been done durably, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    KeyFileWritten,
    BothNamed,
    Rewrapped,
    NewNamed,
    OldKeyFileGone,
}

/// Opens the root key in `directory`, or makes it with the seal that `config` describes.
///
/// A rotation that was interrupted is finished first, for which either of its seals will do. `rewrap(old, new)` moves
/// everything that is wrapped under `old` to `new`, durably and all at once, and does nothing where that is done.
///
/// # Errors
/// Every [`SealError`]; those of `rewrap`.
pub fn open_or_create<E: From<SealError>>(
    directory: &Path,
    config: &SealConfig,
    rewrap: impl FnOnce(&RootKey, &RootKey) -> Result<(), E>,
) -> Result<Opened, E> {
    open_stepwise(directory, config, rewrap, &mut |_| Ok(()))
}

/// Replaces the root key and its seal by new ones, of the same kind or another: `next` describes the new seal.
///
/// # Errors
/// As for [`open_or_create`]. After an error the next opening goes on from where this left off.
pub fn rotate<E: From<SealError>>(
    directory: &Path,
    config: &SealConfig,
    next: &SealConfig,
    rewrap: impl Fn(&RootKey, &RootKey) -> Result<(), E>,
) -> Result<Opened, E> {
    rotate_stepwise(directory, config, next, rewrap, &mut |_| Ok(()))
}

fn open_stepwise<E: From<SealError>>(
    directory: &Path,
    config: &SealConfig,
    rewrap: impl FnOnce(&RootKey, &RootKey) -> Result<(), E>,
    done: &mut dyn FnMut(Step) -> Result<(), E>,
) -> Result<Opened, E> {
    let Some(mut header) = Header::read(directory)? else { return Ok(create(directory, config)?) };
    let Some(mut rotation) = header.rotation.take() else {
        let root = unseal(directory, &header.current, config)?;
        if header.current.move_key_file(directory, config) {
            header.write(directory)?;
        }
        let opened = Opened::new(&header.current, root);
        settle(directory, header, done)?;
        return Ok(opened);
    };
    let (current, next) = unseal_either(directory, &mut header.current, &mut rotation, config)?;
    tracing::info!(generation = rotation.next.generation, "finishing the rotation of the root key");
    let opened = finish(directory, &header.current, rotation.next, &current, next, rewrap, done)?;
    Ok(Opened { finished: true, ..opened })
}

fn rotate_stepwise<E: From<SealError>>(
    directory: &Path,
    config: &SealConfig,
    next: &SealConfig,
    rewrap: impl Fn(&RootKey, &RootKey) -> Result<(), E>,
    done: &mut dyn FnMut(Step) -> Result<(), E>,
) -> Result<Opened, E> {
    let Opened { root: current, generation, .. } = open_stepwise(directory, config, &rewrap, done)?;
    let header = Header::read(directory)?.ok_or_else(|| {
        let detail = "it vanished after it was read".to_owned();
        SealError::Corrupt { path: Header::path(directory), detail }
    })?;

    let root = RootKey::random();
    let generation = generation.saturating_add(1);
    let (key, seal) = match next {
        SealConfig::KeyFile { path } => {
            let new = key_file_path(directory, path.as_deref(), Some(&header.current.seal));
            let recorded = recorded_path(directory, &new);
            let replaces = matches!(&header.current.seal, Seal::KeyFile { path } if *path == recorded);
            if !replaces && new.exists() {
                return Err(SealError::Occupied { path: new }.into());
            }
            (key_file::make(&key_file::next_path(&new))?, Seal::KeyFile { path: recorded })
        }
        SealConfig::Passphrase { passphrase, cost } => passphrase::make(passphrase, *cost)?,
        SealConfig::Shares(shared) => (shared.seal.duplicate(), Seal::Shares { split: shared.split }),
    };
    done(Step::KeyFileWritten)?;

    let next = Sealed::new(generation, &root, &key, seal)?;
    let rotation = Rotation {
        next_under_current: bridge(&current, &root)?,
        current_under_next: bridge(&root, &current)?,
        next: next.clone(),
    };
    Header { rotation: Some(rotation), ..Header::new(header.current.clone()) }.write(directory)?;
    done(Step::BothNamed)?;
    finish(directory, &header.current, next, &current, root, rewrap, done)
}

/// The steps of a rotation from the third on.
fn finish<E: From<SealError>>(
    directory: &Path,
    old: &Sealed,
    new: Sealed,
    current: &RootKey,
    next: RootKey,
    rewrap: impl FnOnce(&RootKey, &RootKey) -> Result<(), E>,
    done: &mut dyn FnMut(Step) -> Result<(), E>,
) -> Result<Opened, E> {
    rewrap(current, &next)?;
    done(Step::Rewrapped)?;
    let retired = match (&old.seal, &new.seal) {
        (Seal::KeyFile { path: old }, Seal::KeyFile { path: new }) if old == new => None,
        (Seal::KeyFile { path }, _) => Some(path.clone()),
        (Seal::Passphrase { .. } | Seal::Shares { .. }, _) => None,
    };
    let opened = Opened::new(&new, next);
    let header = Header { retired, ..Header::new(new) };
    header.write(directory)?;
    done(Step::NewNamed)?;
    settle(directory, header, done)?;
    Ok(opened)
}

/// Puts the key files in order: the current key where it belongs, no other left. What cannot be done now is left to the
/// next opening, since the root key opens either way.
fn settle<E: From<SealError>>(
    directory: &Path,
    mut header: Header,
    done: &mut dyn FnMut(Step) -> Result<(), E>,
) -> Result<(), E> {
    if let Err(error) = settle_successor(directory, &header.current) {
        tracing::warn!(%error, "the new key file could not be moved to its place");
    }
    let Some(retired) = header.retired.take() else { return Ok(()) };
    if let Err(error) = files::remove(&directory.join(retired)) {
        tracing::warn!(%error, "the old key file could not be removed");
        return Ok(());
    }
    done(Step::OldKeyFileGone)?;
    Ok(header.write(directory)?)
}

fn settle_successor(directory: &Path, current: &Sealed) -> Result<(), SealError> {
    let Seal::KeyFile { path } = &current.seal else { return Ok(()) };
    let path = directory.join(path);
    let next = key_file::next_path(&path);
    match key_file::read(&next)? {
        Some(key) if current.unwrap(&key)?.is_some() => files::rename(&next, &path),
        // It was written for a rotation that never got further.
        Some(_) => files::remove(&next).map(|_| ()),
        None => Ok(()),
    }
}

fn create(directory: &Path, config: &SealConfig) -> Result<Opened, SealError> {
    files::make_directory(directory)?;
    let (key, seal) = match config {
        SealConfig::KeyFile { path } => {
            let path = key_file_path(directory, path.as_deref(), None);
            // A key without a header is one whose first start died in between, or one that the operator made.
            let key = match key_file::read(&path)? {
                Some(key) => key,
                None => key_file::make(&path)?,
            };
            (key, Seal::KeyFile { path: recorded_path(directory, &path) })
        }
        SealConfig::Passphrase { passphrase, cost } => passphrase::make(passphrase, *cost)?,
        SealConfig::Shares(_) => return Err(SealError::NobodyToShareWith),
    };
    let root = RootKey::random();
    let sealed = Sealed::new(1, &root, &key, seal)?;
    let opened = Opened { created: true, ..Opened::new(&sealed, root) };
    Header::new(sealed).write(directory)?;
    Ok(opened)
}

/// Opens one sealed root key with the seal that `config` describes.
fn unseal(directory: &Path, sealed: &Sealed, config: &SealConfig) -> Result<RootKey, SealError> {
    match (config, &sealed.seal) {
        (SealConfig::KeyFile { path }, seal @ Seal::KeyFile { .. }) => {
            let path = key_file_path(directory, path.as_deref(), Some(seal));
            let mut found = false;
            for path in [&path, &key_file::next_path(&path)] {
                let Some(key) = key_file::read(path)? else { continue };
                found = true;
                if let Some(root) = sealed.unwrap(&key)? {
                    return Ok(root);
                }
            }
            Err(if found { SealError::WrongKeyFile { path } } else { SealError::MissingKeyFile { path } })
        }
        (SealConfig::Passphrase { passphrase, .. }, Seal::Passphrase { salt, memory_kib, passes, lanes }) => {
            let key = passphrase::open(passphrase, &salt.0, Seal::cost(*memory_kib, *passes, *lanes))?;
            sealed.unwrap(&key)?.ok_or(SealError::WrongPassphrase)
        }
        (SealConfig::Shares(shared), Seal::Shares { .. }) => sealed.unwrap(&shared.seal)?.ok_or(SealError::WrongShares),
        _ => Err(SealError::WrongKind { sealed: sealed.kind(), configured: config.kind() }),
    }
}

/// Opens both root keys of a rotation with the seal of either.
fn unseal_either(
    directory: &Path,
    current: &mut Sealed,
    rotation: &mut Rotation,
    config: &SealConfig,
) -> Result<(RootKey, RootKey), SealError> {
    let corrupt = || {
        let detail = "the root keys of the rotation do not open each other".to_owned();
        SealError::Corrupt { path: Header::path(directory), detail }
    };
    match unseal(directory, current, config) {
        Ok(root) => {
            current.move_key_file(directory, config);
            let next = unbridge(&root, &rotation.next_under_current, rotation.next.root_key_id);
            next?.map(|next| (root, next)).ok_or_else(corrupt)
        }
        Err(refused) => {
            // The complaint about the current seal says more, unless the configuration is already that of the next.
            let next = unseal(directory, &rotation.next, config).map_err(|_| refused)?;
            rotation.next.move_key_file(directory, config);
            let current = unbridge(&next, &rotation.current_under_next, current.root_key_id);
            current?.map(|current| (current, next)).ok_or_else(corrupt)
        }
    }
}

const BRIDGE: &[u8] = b"sealstack root rotation";

fn bridge(over: &RootKey, root: &RootKey) -> Result<Bytes, SealError> {
    KeySeal(over.key().duplicate()).wrap(root, BRIDGE).map(Bytes)
}

fn unbridge(over: &RootKey, wrapped: &Bytes, id: KeyId) -> Result<Option<RootKey>, SealError> {
    let root = KeySeal(over.key().duplicate()).unwrap(&wrapped.0, BRIDGE)?;
    Ok(root.filter(|root| root.id() == id.0))
}

/// The configured path, or the one on record, or the default.
fn key_file_path(directory: &Path, configured: Option<&Path>, on_record: Option<&Seal>) -> PathBuf {
    match (configured, on_record) {
        (Some(path), _) => path.to_owned(),
        (None, Some(Seal::KeyFile { path })) => directory.join(path),
        (None, _) => directory.join("root.key"),
    }
}

/// A path as the header keeps it: joined to the directory it gives the path again.
fn recorded_path(directory: &Path, path: &Path) -> PathBuf {
    // An absolute path needs the current directory alone; without one the path is kept as it is.
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let path = absolute(path);
    path.strip_prefix(absolute(directory)).map(Path::to_owned).unwrap_or(path)
}

impl Opened {
    const fn new(sealed: &Sealed, root: RootKey) -> Self {
        Self { root, kind: sealed.kind(), generation: sealed.generation, created: false, finished: false }
    }
}

impl Sealed {
    fn new(generation: u32, root: &RootKey, key: &KeySeal, seal: Seal) -> Result<Self, SealError> {
        let wrapped = key.wrap(root, &Self::associated(generation, root.id(), &seal))?;
        Ok(Self { generation, root_key_id: KeyId(root.id()), seal, wrapped: Bytes(wrapped) })
    }

    /// Takes note of where the operator keeps the key file by now. Returns whether that is elsewhere.
    fn move_key_file(&mut self, directory: &Path, config: &SealConfig) -> bool {
        let (SealConfig::KeyFile { path: Some(configured) }, Seal::KeyFile { path }) = (config, &mut self.seal) else {
            return false;
        };
        let configured = recorded_path(directory, configured);
        let moved = *path != configured;
        *path = configured;
        moved
    }

    fn unwrap(&self, key: &KeySeal) -> Result<Option<RootKey>, SealError> {
        let associated = Self::associated(self.generation, self.root_key_id.0, &self.seal);
        let root = key.unwrap(&self.wrapped.0, &associated)?;
        Ok(root.filter(|root| root.id() == self.root_key_id.0))
    }
}

#[cfg(test)]
mod tests;
