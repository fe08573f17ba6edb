//! Opening, making and replacing the root key, in an order that survives dying between any two steps.
//!
//! A rotation writes the new key file beside the old (1), a header that names both root keys (2), has everything
//! rewrapped (3), writes a header that names the new one alone (4), and puts the key files in order (5). Opening
//! brings whatever was begun to its end.

use std::path::{Path, PathBuf};

use crypto::RootKey;

use crate::header::{Bytes, Deployment, Header, KeyId, Kind, Rotation, Seal, Sealed};
use crate::token_seal::TokenSeal;
use crate::{RootSeal, SealConfig, SealError, SharedKey, files, key_file, passphrase};

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

/// Steps of a rotation that are done durably, in order.
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
        let root = unseal(directory, &header.deployment, &header.current, config)?;
        if header.current.take_note(directory, config) {
            header.write(directory)?;
        }
        let opened = Opened::new(&header.current, root);
        settle(directory, header, done)?;
        return Ok(opened);
    };
    let (current, next) = unseal_either(directory, &mut header, &mut rotation, config)?;
    tracing::info!(generation = rotation.next.generation, "finishing the rotation of the root key");
    let opened = finish(directory, header, rotation.next, &current, next, rewrap, done)?;
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
    let next = match next {
        SealConfig::KeyFile { path } => {
            let new = key_file_path(directory, path.as_deref(), Some(&header.current.seal));
            let recorded = recorded_path(directory, &new);
            let replaces = matches!(&header.current.seal, Seal::KeyFile { path } if *path == recorded);
            if !replaces && new.exists() {
                return Err(SealError::Occupied { path: new }.into());
            }
            let key = key_file::make(&key_file::next_path(&new))?;
            Sealed::new(&header.deployment, generation, &root, &key, Seal::KeyFile { path: recorded })?
        }
        SealConfig::Shares(SharedKey { split, seal }) => {
            Sealed::new(&header.deployment, generation, &root, seal, Seal::Shares { split: *split })?
        }
        other => Sealed::by(&header.deployment, generation, &root, other)?,
    };
    done(Step::KeyFileWritten)?;

    let rotation = Rotation {
        next_under_current: bridge(&current, &root),
        current_under_next: bridge(&root, &current),
        next: next.clone(),
    };
    Header { rotation: Some(rotation), ..Header::new(header.deployment.clone(), header.current.clone()) }
        .write(directory)?;
    done(Step::BothNamed)?;
    finish(directory, header, next, &current, root, rewrap, done)
}

/// The steps of a rotation from the third on.
fn finish<E: From<SealError>>(
    directory: &Path,
    old: Header,
    new: Sealed,
    current: &RootKey,
    next: RootKey,
    rewrap: impl FnOnce(&RootKey, &RootKey) -> Result<(), E>,
    done: &mut dyn FnMut(Step) -> Result<(), E>,
) -> Result<Opened, E> {
    rewrap(current, &next)?;
    done(Step::Rewrapped)?;
    let retired = match (old.current.seal, &new.seal) {
        (Seal::KeyFile { path: old }, Seal::KeyFile { path: new }) if old == *new => None,
        (Seal::KeyFile { path }, _) => Some(path),
        (Seal::Passphrase { .. } | Seal::Shares { .. } | Seal::Kms(_) | Seal::Token(_), _) => None,
    };
    let opened = Opened::new(&new, next);
    let header = Header { retired, ..Header::new(old.deployment, new) };
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
    if let Err(error) = settle_successor(directory, &header) {
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

fn settle_successor(directory: &Path, header: &Header) -> Result<(), SealError> {
    let Seal::KeyFile { path } = &header.current.seal else { return Ok(()) };
    let path = directory.join(path);
    let next = key_file::next_path(&path);
    match key_file::read(&next)? {
        Some(key) if header.current.unwrap(&header.deployment, &key)?.is_some() => files::rename(&next, &path),
        // It was written for a rotation that never got further.
        Some(_) => files::remove(&next).map(|_| ()),
        None => Ok(()),
    }
}

fn create(directory: &Path, config: &SealConfig) -> Result<Opened, SealError> {
    files::make_directory(directory)?;
    let (deployment, root) = (Deployment::random(), RootKey::random());
    let sealed = match config {
        SealConfig::KeyFile { path } => {
            let path = key_file_path(directory, path.as_deref(), None);
            // A key without a header is one whose first start died in between, or one that the operator made.
            let key = match key_file::read(&path)? {
                Some(key) => key,
                None => key_file::make(&path)?,
            };
            Sealed::new(&deployment, 1, &root, &key, Seal::KeyFile { path: recorded_path(directory, &path) })?
        }
        other => Sealed::by(&deployment, 1, &root, other)?,
    };
    let opened = Opened { created: true, ..Opened::new(&sealed, root) };
    Header::new(deployment, sealed).write(directory)?;
    Ok(opened)
}

/// Opens one sealed root key with the seal that `config` describes.
fn unseal(
    directory: &Path,
    deployment: &Deployment,
    sealed: &Sealed,
    config: &SealConfig,
) -> Result<RootKey, SealError> {
    match (config, &sealed.seal) {
        (SealConfig::KeyFile { path }, seal @ Seal::KeyFile { .. }) => {
            let path = key_file_path(directory, path.as_deref(), Some(seal));
            let mut found = false;
            for path in [&path, &key_file::next_path(&path)] {
                let Some(key) = key_file::read(path)? else { continue };
                found = true;
                if let Some(root) = sealed.unwrap(deployment, &key)? {
                    return Ok(root);
                }
            }
            Err(if found { SealError::WrongKeyFile { path } } else { SealError::MissingKeyFile { path } })
        }
        (SealConfig::Passphrase { passphrase, .. }, Seal::Passphrase { salt, memory_kib, passes, lanes }) => {
            let key = passphrase::open(passphrase, &salt.0, Seal::cost(*memory_kib, *passes, *lanes))?;
            sealed.unwrap(deployment, &key)?.ok_or(SealError::WrongPassphrase)
        }
        (SealConfig::Shares(shared), Seal::Shares { .. }) => {
            sealed.unwrap(deployment, &shared.seal)?.ok_or(SealError::WrongShares)
        }
        (SealConfig::Kms { key, service }, Seal::Kms(_)) => {
            let wrong = || SealError::WrongKmsKey { arn: key.arn.clone() };
            sealed.unwrap(deployment, &**service)?.ok_or_else(wrong)
        }
        (SealConfig::Token { key, pin }, Seal::Token(_)) => {
            let wrong = || SealError::WrongTokenKey { token: key.token.clone(), key: key.key.clone() };
            sealed.unwrap(deployment, &TokenSeal::open(key, pin)?)?.ok_or_else(wrong)
        }
        _ => Err(SealError::WrongKind { sealed: sealed.kind(), configured: config.kind() }),
    }
}

/// Opens both root keys of a rotation with the seal of either.
fn unseal_either(
    directory: &Path,
    Header { deployment, current, .. }: &mut Header,
    rotation: &mut Rotation,
    config: &SealConfig,
) -> Result<(RootKey, RootKey), SealError> {
    let corrupt = || {
        let detail = "the root keys of the rotation do not open each other".to_owned();
        SealError::Corrupt { path: Header::path(directory), detail }
    };
    match unseal(directory, deployment, current, config) {
        Ok(root) => {
            current.take_note(directory, config);
            let next = unbridge(&root, &rotation.next_under_current, rotation.next.root_key_id);
            next.map(|next| (root, next)).ok_or_else(corrupt)
        }
        Err(refused) => {
            // The complaint about the current seal says more, unless the configuration is already that of the next.
            let next = unseal(directory, deployment, &rotation.next, config).map_err(|_| refused)?;
            rotation.next.take_note(directory, config);
            let current = unbridge(&next, &rotation.current_under_next, current.root_key_id);
            current.map(|current| (current, next)).ok_or_else(corrupt)
        }
    }
}

const BRIDGE: &[u8] = b"sealstack root rotation";

fn bridge(over: &RootKey, root: &RootKey) -> Bytes {
    Bytes(crypto::sealed::seal(over.key(), BRIDGE, root.key().expose()))
}

fn unbridge(over: &RootKey, wrapped: &Bytes, id: KeyId) -> Option<RootKey> {
    let root = crypto::sealed::open_key(over.key(), BRIDGE, &wrapped.0).ok().map(RootKey::from);
    root.filter(|root| root.id() == id.0)
}

/// The configured path, or the one on record, or the default.
fn key_file_path(directory: &Path, configured: Option<&Path>, on_record: Option<&Seal>) -> PathBuf {
    match (configured, on_record) {
        (Some(path), _) => path.to_owned(),
        (None, Some(Seal::KeyFile { path })) => directory.join(path),
        (None, _) => directory.join("root.key"),
    }
}

/// The key file of the seal in `directory`, as it is `configured` or on record, and the files that stand beside it
/// while it is made or replaced.
#[must_use]
pub fn key_files(directory: &Path, configured: Option<&Path>) -> Vec<PathBuf> {
    // A header that can't be read is complained of when the seal is opened.
    let recorded = Header::read(directory).ok().flatten().map(|header| header.current.seal);
    let path = key_file_path(directory, configured, recorded.as_ref());
    let next = key_file::next_path(&path);
    [&path, &next].into_iter().flat_map(|path| [path.clone(), files::temporary(path)]).collect()
}

/// A path as the header records it: joined to the directory it gives the path again.
fn recorded_path(directory: &Path, path: &Path) -> PathBuf {
    // An absolute path needs the current directory alone; without one the path is recorded as it is.
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
    fn new(
        deployment: &Deployment,
        generation: u32,
        root: &RootKey,
        key: &dyn RootSeal,
        seal: Seal,
    ) -> Result<Self, SealError> {
        let mut sealed = Self { generation, root_key_id: KeyId(root.id()), seal, wrapped: Bytes(Vec::new()) };
        sealed.wrapped = Bytes(key.wrap(root, &sealed.binding(deployment))?);
        Ok(sealed)
    }

    /// Seals with whatever needs no file.
    fn by(deployment: &Deployment, generation: u32, root: &RootKey, config: &SealConfig) -> Result<Self, SealError> {
        let made = |key: &dyn RootSeal, seal| Self::new(deployment, generation, root, key, seal);
        match config {
            SealConfig::Passphrase { passphrase, cost } => {
                let (key, seal) = passphrase::make(passphrase, *cost)?;
                made(&key, seal)
            }
            SealConfig::Kms { key, service } => made(&**service, Seal::Kms(key.clone())),
            SealConfig::Token { key, pin } => made(&TokenSeal::make(key, pin)?, Seal::Token(key.clone())),
            // Both are the callers': a file's place depends on what was before, and shares on somebody to have them.
            SealConfig::KeyFile { .. } | SealConfig::Shares(_) => Err(SealError::NobodyToShareWith),
        }
    }

    /// Takes note of where the operator keeps the key by now. Returns whether that is elsewhere.
    fn take_note(&mut self, directory: &Path, config: &SealConfig) -> bool {
        let now = match (config, &self.seal) {
            (SealConfig::KeyFile { path: Some(path) }, Seal::KeyFile { .. }) => {
                Seal::KeyFile { path: recorded_path(directory, path) }
            }
            (SealConfig::Kms { key, .. }, Seal::Kms(_)) => Seal::Kms(key.clone()),
            (SealConfig::Token { key, .. }, Seal::Token(_)) => Seal::Token(key.clone()),
            _ => return false,
        };
        let moved = self.seal != now;
        self.seal = now;
        moved
    }

    fn unwrap(&self, deployment: &Deployment, key: &dyn RootSeal) -> Result<Option<RootKey>, SealError> {
        let root = key.unwrap(&self.wrapped.0, &self.binding(deployment))?;
        Ok(root.filter(|root| root.id() == self.root_key_id.0))
    }
}

#[cfg(test)]
mod tests;
