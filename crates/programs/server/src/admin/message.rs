//! Messages on the admin socket. Secrets travel in it: it never leaves the host, and neither side writes it down.
//! The enums are tagged from outside, so that reading one copies no secret aside.

use std::path::PathBuf;

use crypto::{Key256, SecretBytes};
use seal::{KmsKey, Progress, SealConfig, SharedKey, Split, TokenKey};
use serde::{Deserialize, Serialize};
use wire::SecretBlob;
use zeroize::Zeroizing;

use crate::durable_state::Rotated;
use crate::error::ServerError;
use crate::kms_seal;
use crate::steady::ClockJump;

/// An operator's question.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Question {
    /// Whether the root key is sealed.
    Status,
    /// Take a share of the root key.
    Unseal { share: SecretBlob },
    /// Forget the shares that were given.
    Forget,
    /// Replace the root key and its seal.
    Rotate { current: Seal, next: Seal },
    /// Replace the domain key of every region.
    RotateDomainKeys,
    /// Whether the clock is believed.
    Clock,
    /// Believe the clock.
    AcceptClock,
    /// Ensure that the key that authenticates backups exists.
    PrepareBackup,
    /// Authenticate the backup whose manifest has this SHA-256 digest, hexadecimal.
    VouchForBackup { manifest_digest: String },
    /// Do something to a repository for a caller.
    Repository(RepositoryQuestion),
}

/// An action on a repository, and its caller: a user name and a password as clients of Git send them, signed for this
/// action and this repository.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RepositoryQuestion {
    pub(crate) user_name: SecretBlob,
    pub(crate) password: SecretBlob,
    pub(crate) region: String,
    pub(crate) action: RepositoryAction,
}

/// An action on a repository.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum RepositoryAction {
    /// List all of them.
    List,
    /// Make one of the pushes that follow in Git's protocol.
    Import { name: String, description: Option<String>, key: Option<String>, let_pass: Vec<String>, pushes: u32 },
    /// Send it in Git's protocol.
    Export { name: String },
    /// Read all of it again.
    Verify { name: String },
    /// Make one pack of its many.
    Maintain { name: String },
}

impl RepositoryAction {
    /// Its name in what is signed.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Import { .. } => "import",
            Self::Export { .. } => "export",
            Self::Verify { .. } => "verify",
            Self::Maintain { .. } => "maintain",
        }
    }

    /// The repository's name; empty for all of them.
    pub(crate) fn repository(&self) -> &str {
        match self {
            Self::List => "",
            Self::Import { name, .. } | Self::Export { name } | Self::Verify { name } | Self::Maintain { name } => name,
        }
    }
}

/// The server's answer.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Answer {
    /// Whether the root key is sealed, and what shares it awaits then.
    Status { awaiting: Option<Progress> },
    /// The root key and its seal were replaced.
    Rotated(Rotated),
    /// So many domain keys were replaced.
    DomainKeysRotated { count: usize },
    /// The jump of the clock that is, or was until now, not believed.
    Clock { jump: Option<ClockJump> },
    /// The key that authenticates backups exists.
    Prepared,
    /// The manifest's tag, hexadecimal.
    Vouched { tag: String },
    /// Names of repositories.
    Repositories { names: Vec<String> },
    /// Git's protocol follows.
    Begun,
    /// So much of the work is done; `of` is 0 while nobody knows how much there is.
    Progress { stage: String, done: u64, of: u64 },
    /// A repository was read again.
    Verified { packs: u64, objects: u64, references: u64, faults: Vec<String> },
    /// A repository was maintained.
    Maintained { replaced: usize, written: usize, dropped: u64 },
    /// It was not done.
    Refused { message: String, exit_code: u8 },
}

impl Answer {
    pub(crate) fn refused(error: &ServerError) -> Self {
        Self::Refused { message: error.to_string(), exit_code: error.exit_code() }
    }
}

/// A root seal with what opens or makes it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Seal {
    KeyFile { path: Option<PathBuf> },
    Passphrase { passphrase: SecretBlob },
    Shares { split: Split, key: SecretBlob },
    Kms(KmsKey),
    Token { key: TokenKey, pin: SecretBlob },
}

impl From<&SealConfig> for Seal {
    fn from(seal: &SealConfig) -> Self {
        match seal {
            SealConfig::KeyFile { path } => Self::KeyFile { path: path.clone() },
            SealConfig::Passphrase { passphrase, .. } => Self::Passphrase { passphrase: secret(passphrase.expose()) },
            SealConfig::Shares(shared) => Self::Shares { split: shared.split(), key: secret(shared.expose().expose()) },
            SealConfig::Kms { key, .. } => Self::Kms(key.clone()),
            SealConfig::Token { key, pin } => Self::Token { key: key.clone(), pin: secret(pin.expose()) },
        }
    }
}

impl TryFrom<Seal> for SealConfig {
    type Error = ServerError;

    fn try_from(seal: Seal) -> Result<Self, ServerError> {
        Ok(match seal {
            Seal::KeyFile { path } => Self::KeyFile { path },
            Seal::Passphrase { passphrase } => Self::passphrase(SecretBytes::from(passphrase.0.as_slice())),
            Seal::Shares { split, key } => {
                let key = Key256::from_slice(&key.0).map_err(|_| ServerError::Misunderstood)?;
                Self::Shares(SharedKey::restore(split, key))
            }
            Seal::Kms(key) => kms_seal::known(key),
            Seal::Token { key, pin } => Self::Token { key, pin: SecretBytes::from(pin.0.as_slice()) },
        })
    }
}

pub(crate) fn secret(bytes: &[u8]) -> SecretBlob {
    SecretBlob(Zeroizing::new(bytes.to_vec()))
}
