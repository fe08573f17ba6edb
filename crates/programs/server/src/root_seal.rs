//! The root seal as it is configured, with its secrets read: a passphrase or PIN from its file or variable, shares from
//! people.
//!
//! Knows where secrets come from; what they open is the seal crate's.

use std::io::Write as _;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;

use crypto::SecretBytes;
use seal::{Gathering, Kind, KmsKey, SealError, Share, TokenKey};

use crate::config::{SealConfig, SealKind};
use crate::data_dir::Layout;
use crate::error::{ConfigError, ServerError};
use crate::{kms_seal, prompt};

/// The variable that holds the passphrase, unless a file does.
const PASSPHRASE: &str = "SEALSTACK_SEAL_PASSPHRASE";

/// The variable that holds the passphrase of a seal to be made by a rotation, unless a file does.
const NEW_PASSPHRASE: &str = "SEALSTACK_NEW_SEAL_PASSPHRASE";

/// The variables that hold the PIN of the token, likewise.
const PIN: &str = "SEALSTACK_SEAL_PIN";
const NEW_PIN: &str = "SEALSTACK_NEW_SEAL_PIN";

/// The label of the key in a token, unless told otherwise.
const TOKEN_KEY: &str = "sealstack-root";

/// The source of what opens the root seal.
pub(crate) enum SealSource {
    /// The seal can be opened now.
    Ready(seal::SealConfig),
    /// People have to bring it.
    People(Gathering),
}

/// The source for opening the seal of the directory, or for making it: of the configured kind, or else of the existing
/// kind, or else a key file.
pub(crate) fn source(layout: &Layout, seal: &SealConfig) -> Result<SealSource, ServerError> {
    let directory = layout.seal();
    let status = seal::status(&directory)?;
    if status.is_none() && layout.database().exists() {
        return Err(ServerError::SealGone { path: directory });
    }
    let sealed = status.as_ref().map(|status| status.kind);
    match kind(seal, sealed) {
        Kind::Kms => {
            let recorded = status.and_then(|status| status.kms);
            let configured = seal.kms_key.as_deref();
            // What is no ARN says nothing of where the key is: it named the key when the seal was made.
            let configured = configured.filter(|key| recorded.is_none() || key.starts_with("arn:"));
            let key = kms_key(seal, configured, recorded.as_ref())?;
            // A key on record is known by its ARN already.
            let is_known = recorded.is_some_and(|recorded| recorded.arn == key.arn);
            Ok(SealSource::Ready(if is_known { kms_seal::known(key) } else { kms_seal::named(key)? }))
        }
        Kind::Token => {
            let recorded = status.and_then(|status| status.token);
            let key = token_key(seal, recorded.as_ref())?;
            Ok(SealSource::Ready(seal::SealConfig::Token { key, pin: secret(seal.pin_file.as_deref(), PIN, "PIN")? }))
        }
        Kind::Shares => match (Gathering::begin(&directory)?, sealed) {
            (Some(gathering), _) => Ok(SealSource::People(gathering)),
            (None, Some(sealed)) => Err(SealError::WrongKind { sealed, configured: Kind::Shares }.into()),
            (None, None) => Err(SealError::NobodyToShareWith.into()),
        },
        Kind::KeyFile => Ok(SealSource::Ready(seal::SealConfig::KeyFile { path: seal.file.clone() })),
        Kind::Passphrase => Ok(SealSource::Ready(passphrase_seal(seal, PASSPHRASE)?)),
    }
}

/// The same for a command, which asks for shares on its terminal or reads them from its input, one a line.
pub(crate) fn open(layout: &Layout, seal: &SealConfig) -> Result<seal::SealConfig, ServerError> {
    match source(layout, seal)? {
        SealSource::Ready(config) => Ok(config),
        SealSource::People(gathering) => gather(gathering),
    }
}

/// The seal that a rotation is to make; `None` where it is a split, which has to be made and handed out first.
/// A key of another service is looked up by [`resolved`], where the rotation runs.
pub(crate) fn next(next: &SealConfig, current: &seal::Status) -> Result<Option<seal::SealConfig>, ServerError> {
    Ok(match kind(next, Some(current.kind)) {
        Kind::Kms => Some(kms_seal::known(kms_key(next, next.kms_key.as_deref(), current.kms.as_ref())?)),
        Kind::Token => {
            let key = token_key(next, current.token.as_ref())?;
            let pin = secret(next.pin_file.as_deref(), NEW_PIN, "PIN")?;
            Some(seal::SealConfig::Token { key, pin })
        }
        // A path has to mean the same to the process that rotates.
        Kind::KeyFile => Some(seal::SealConfig::KeyFile { path: next.file.as_deref().map(absolute).transpose()? }),
        Kind::Passphrase => Some(passphrase_seal(next, NEW_PASSPHRASE)?),
        Kind::Shares => None,
    })
}

/// The seal with the ARN of its key, for one by another key service.
pub(crate) fn resolved(next: seal::SealConfig) -> Result<seal::SealConfig, ServerError> {
    match next {
        seal::SealConfig::Kms { key, .. } => Ok(kms_seal::named(key)?),
        next => Ok(next),
    }
}

/// The other service's key: the one that is `wanted`, or else the one on record.
fn kms_key(seal: &SealConfig, wanted: Option<&str>, recorded: Option<&KmsKey>) -> Result<KmsKey, ServerError> {
    let arn = wanted
        .or(recorded.map(|recorded| recorded.arn.as_str()))
        .ok_or(ConfigError::Together { given: "the seal kms", missing: "the setting seal-kms-key" })?;
    let profile = seal.kms_profile.clone().or_else(|| recorded?.profile.clone());
    Ok(KmsKey { arn: arn.to_owned(), profile })
}

/// The token's key: as it is configured, or else as it is on record.
fn token_key(seal: &SealConfig, recorded: Option<&TokenKey>) -> Result<TokenKey, ServerError> {
    let missing = |missing| ConfigError::Together { given: "the seal token", missing };
    let module = match (&seal.token_module, recorded) {
        (Some(module), _) => absolute(module)?,
        (None, Some(recorded)) => recorded.module.clone(),
        (None, None) => return Err(missing("the setting seal-token-module").into()),
    };
    let token = seal.token.clone().or_else(|| recorded.map(|recorded| recorded.token.clone()));
    let key = seal.token_key.clone().or_else(|| recorded.map(|recorded| recorded.key.clone()));
    Ok(TokenKey {
        module,
        token: token.ok_or_else(|| missing("the setting seal-token"))?,
        key: key.unwrap_or_else(|| TOKEN_KEY.to_owned()),
    })
}

fn absolute(path: &Path) -> Result<std::path::PathBuf, ServerError> {
    std::path::absolute(path).map_err(|cause| ServerError::Io { action: "find", path: path.to_owned(), cause })
}

fn kind(configured: &SealConfig, sealed: Option<Kind>) -> Kind {
    configured.kind.map_or(sealed.unwrap_or(Kind::KeyFile), Kind::from)
}

impl From<SealKind> for Kind {
    fn from(kind: SealKind) -> Self {
        match kind {
            SealKind::KeyFile => Self::KeyFile,
            SealKind::Passphrase => Self::Passphrase,
            SealKind::Shares => Self::Shares,
            SealKind::Kms => Self::Kms,
            SealKind::Token => Self::Token,
        }
    }
}

/// Gathers shares from whoever sits at the terminal, or from the input.
fn gather(mut gathering: Gathering) -> Result<seal::SealConfig, ServerError> {
    loop {
        let Some(progress) = gathering.progress() else { return Err(ServerError::NoInput { wanted: "a share" }) };
        let question = format!("Share {} of the {} needed: ", progress.given + 1, progress.split.threshold);
        let typed = prompt::secret(&question)?.ok_or(ServerError::NoInput { wanted: "a share" })?;
        let added = read_share(&typed).and_then(|share| gathering.add(share));
        match added {
            Ok(Some(key)) => return Ok(seal::SealConfig::Shares(key)),
            Ok(None) => {}
            Err(error) if prompt::is_terminal() => {
                // Nowhere is left to complain to if this fails.
                let _ = writeln!(std::io::stderr(), "{error}");
            }
            Err(error) => return Err(ServerError::Share(error)),
        }
    }
}

/// A share as somebody typed it.
pub(crate) fn read_share(typed: &SecretBytes) -> Result<Share, seal::ShareError> {
    std::str::from_utf8(typed.expose()).map_err(|_| seal::ShareError::NotShare)?.parse()
}

fn passphrase_seal(seal: &SealConfig, variable: &str) -> Result<seal::SealConfig, ServerError> {
    Ok(seal::SealConfig::passphrase(secret(seal.passphrase_file.as_deref(), variable, "passphrase")?))
}

/// A secret from its file, less the line's end, or from the variable.
fn secret(file: Option<&Path>, variable: &str, what: &'static str) -> Result<SecretBytes, ServerError> {
    let Some(path) = file else {
        let value = std::env::var_os(variable);
        let value = value.ok_or_else(|| ServerError::NoSecret { what, variable: variable.to_owned() })?;
        return Ok(SecretBytes::from(value.into_vec()));
    };
    let mut secret = front::private_file::read(path)?;
    let line = secret.expose();
    let length = line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line)).len();
    secret.truncate(length);
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_passphrase_from_a_file_ends_with_its_line() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("passphrase");
        for (content, expected) in [
            ("correct horse", "correct horse"),
            ("correct horse\n", "correct horse"),
            ("correct horse\r\n", "correct horse"),
            ("two\nlines\n", "two\nlines"),
            (" spaces \n", " spaces "),
        ] {
            std::fs::write(&path, content).expect("a file");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("a mode");
            assert_eq!(secret(Some(&path), "UNUSED", "passphrase").expect("read").expose(), expected.as_bytes());
        }
    }
}
