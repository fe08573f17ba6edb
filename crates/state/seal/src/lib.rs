//! The root seal: where the root key is stored, how it is opened, and how it is replaced.
//!
//! Owns the files in the seal directory. Refuses to know what the root key opens: whoever holds keys wrapped under it
//! passes in how they are moved to another. One process at a time may use a seal directory; the caller ensures that.

mod error;
mod files;
mod header;
mod key_file;
mod passphrase;
mod rotation;
mod shares;
mod token_seal;

pub use crypto::password::Cost;
pub use crypto::{RootKey, RootKeyId};
pub use error::SealError;
pub use header::{Binding, Deployment, Kind, KmsKey, Status, TokenKey, status};
pub use rotation::{Opened, key_files, open_or_create, rotate};
pub use shares::{Gathering, Progress, Share, ShareError, SharedKey, Split, SplitId, split};

use std::path::PathBuf;
use std::sync::Arc;

use crypto::{Key256, SecretBytes};

/// How the root key is sealed, as the operator says it.
pub enum SealConfig {
    /// By a key in a file, made at first start.
    KeyFile {
        /// The file; if not given, the one that the header names, or else `root.key` in the seal directory.
        path: Option<PathBuf>,
    },
    /// By a passphrase.
    Passphrase {
        /// The passphrase.
        passphrase: SecretBytes,
        /// Cost of a guess, for a new seal. An existing one keeps the cost that it was made with.
        cost: Cost,
    },
    /// By a key that was split among people, put together again.
    Shares(SharedKey),
    /// By a key of another key service.
    Kms {
        /// Which one.
        key: KmsKey,
        /// The way to it.
        service: Arc<dyn RootSeal>,
    },
    /// By a key in a PKCS#11 token, made there when there is none of its label.
    Token {
        /// Which one.
        key: TokenKey,
        /// The PIN of the token's user.
        pin: SecretBytes,
    },
}

impl SealConfig {
    /// A key file in the seal directory: the default.
    #[must_use]
    pub const fn key_file() -> Self {
        Self::KeyFile { path: None }
    }

    /// A passphrase at the recommended cost.
    #[must_use]
    pub const fn passphrase(passphrase: SecretBytes) -> Self {
        Self::Passphrase { passphrase, cost: Cost::RECOMMENDED }
    }

    /// Which kind of seal this is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::KeyFile { .. } => Kind::KeyFile,
            Self::Passphrase { .. } => Kind::Passphrase,
            Self::Shares(_) => Kind::Shares,
            Self::Kms { .. } => Kind::Kms,
            Self::Token { .. } => Kind::Token,
        }
    }
}

/// A key service or token that wraps a root key. Its calls may block.
pub trait RootSeal: Send + Sync {
    /// Wraps a root key, bound to `binding`.
    ///
    /// # Errors
    /// [`SealError::Kms`], [`SealError::Token`].
    fn wrap(&self, root: &RootKey, binding: &Binding<'_>) -> Result<Vec<u8>, SealError>;

    /// Unwraps a root key. `None` when this seal did not wrap it or `binding` is another.
    ///
    /// # Errors
    /// [`SealError::Kms`], [`SealError::Token`].
    fn unwrap(&self, wrapped: &[u8], binding: &Binding<'_>) -> Result<Option<RootKey>, SealError>;
}

/// A seal that is a key in this process's memory, wherever it came from.
pub(crate) struct KeySeal(pub(crate) Key256);

impl RootSeal for KeySeal {
    fn wrap(&self, root: &RootKey, binding: &Binding<'_>) -> Result<Vec<u8>, SealError> {
        Ok(crypto::sealed::seal(&self.0, &binding.associated(), root.key().expose()))
    }

    fn unwrap(&self, wrapped: &[u8], binding: &Binding<'_>) -> Result<Option<RootKey>, SealError> {
        Ok(crypto::sealed::open_key(&self.0, &binding.associated(), wrapped).ok().map(RootKey::from))
    }
}
