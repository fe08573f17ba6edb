//! The root seal as it is configured, with its secrets read: a passphrase from its file or variable, shares from people.
//!
//! Knows where secrets come from; what they open is the seal crate's.

use std::io::Write as _;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;

use crypto::SecretBytes;
use seal::{Gathering, Kind, SealError, Share};

use crate::config::{SealConfig, SealKind};
use crate::data_dir::Layout;
use crate::error::ServerError;
use crate::prompt;

/// The variable that holds the passphrase, unless a file does.
const PASSPHRASE: &str = "SEALSTACK_SEAL_PASSPHRASE";

/// The variable that holds the passphrase of a seal to be made by a rotation, unless a file does.
const NEW_PASSPHRASE: &str = "SEALSTACK_NEW_SEAL_PASSPHRASE";

/// What opens the root seal.
pub(crate) enum Source {
    /// It is at hand.
    Ready(seal::SealConfig),
    /// People have to bring it.
    People(Gathering),
}

/// What opens the seal of the directory, or is to make it: of the kind that is configured, or else of the kind that
/// there is, or else a key file.
pub(crate) fn source(layout: &Layout, seal: &SealConfig) -> Result<Source, ServerError> {
    let directory = layout.seal();
    let sealed = seal::status(&directory)?.map(|status| status.kind);
    if sealed.is_none() && layout.database().exists() {
        return Err(ServerError::SealGone { path: directory });
    }
    match kind(seal, sealed) {
        Kind::Shares => match (Gathering::begin(&directory)?, sealed) {
            (Some(gathering), _) => Ok(Source::People(gathering)),
            (None, Some(sealed)) => Err(SealError::WrongKind { sealed, configured: Kind::Shares }.into()),
            (None, None) => Err(SealError::NobodyToShareWith.into()),
        },
        Kind::KeyFile => Ok(Source::Ready(seal::SealConfig::KeyFile { path: seal.file.clone() })),
        Kind::Passphrase => Ok(Source::Ready(passphrase_seal(seal, PASSPHRASE)?)),
    }
}

/// The same for a command, which asks for shares on its terminal or reads them from its input, one a line.
pub(crate) fn open(layout: &Layout, seal: &SealConfig) -> Result<seal::SealConfig, ServerError> {
    match source(layout, seal)? {
        Source::Ready(config) => Ok(config),
        Source::People(gathering) => gather(gathering),
    }
}

/// The seal that a rotation is to make; `None` where it is a split, which has to be made and handed out first.
pub(crate) fn next(next: &SealConfig, current: Kind) -> Result<Option<seal::SealConfig>, ServerError> {
    Ok(match kind(next, Some(current)) {
        // A path has to mean the same to the process that rotates.
        Kind::KeyFile => Some(seal::SealConfig::KeyFile { path: next.file.as_deref().map(absolute).transpose()? }),
        Kind::Passphrase => Some(passphrase_seal(next, NEW_PASSPHRASE)?),
        Kind::Shares => None,
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
    Ok(seal::SealConfig::passphrase(passphrase(seal.passphrase_file.as_deref(), variable)?))
}

/// The passphrase from its file, less the line's end, or from the variable.
fn passphrase(file: Option<&Path>, variable: &str) -> Result<SecretBytes, ServerError> {
    let Some(path) = file else {
        let value = std::env::var_os(variable);
        let value = value.ok_or_else(|| ServerError::NoPassphrase { variable: variable.to_owned() })?;
        return Ok(SecretBytes::from(value.into_vec()));
    };
    let read = std::fs::read(path).map_err(|cause| ServerError::Io { action: "read", path: path.to_owned(), cause })?;
    let mut passphrase = SecretBytes::from(read);
    let line = passphrase.expose();
    let length = line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line)).len();
    passphrase.truncate(length);
    Ok(passphrase)
}

#[cfg(test)]
mod tests {
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
            assert_eq!(passphrase(Some(&path), "UNUSED").expect("read").expose(), expected.as_bytes());
        }
    }
}
