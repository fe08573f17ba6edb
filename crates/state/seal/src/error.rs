//! Failures of the root seal, each with what to do about it.

use std::path::{Path, PathBuf};

use crate::Kind;

/// An outcome of this crate's operations. Nothing in it is secret.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The key file is not there.
    #[error(
        "the seal's key file {} is missing: put back the file that was made with this data directory; without it \
         nothing here can be opened",
        path.display()
    )]
    MissingKeyFile {
        /// The file.
        path: PathBuf,
    },
    /// The key file holds another key.
    #[error(
        "the key in {} is not the one that this data directory was sealed with: put back the file that was made with it",
        path.display()
    )]
    WrongKeyFile {
        /// The file.
        path: PathBuf,
    },
    /// The key file holds no key.
    #[error("{} is not a seal's key file: it should hold one line of 44 base64 characters", path.display())]
    NotKeyFile {
        /// The file.
        path: PathBuf,
    },
    /// A new key file would overwrite another file.
    #[error("{} is there already: name another file for the new key, or move this one away", path.display())]
    Occupied {
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner may read or write the file.
    #[error("{} is open to other users (mode {mode:04o}): run chmod 600 on it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is another user's, who could change it.
    #[error(
        "{} belongs to the user with the id {owner}: run sealstack as that user, or make its own user the owner (chown)",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// The passphrase is not the one that the root key was sealed with.
    #[error("the passphrase is not the one that this data directory was sealed with")]
    WrongPassphrase,
    /// The shares are of another key than the root key was sealed with.
    #[error("the shares do not open this data directory: one of them was made up, or they are another server's")]
    WrongShares,
    /// The key service opens something else with the key, or nothing.
    #[error(
        "the key {arn} does not open this data directory: the root key was wrapped by another key, for another \
         deployment, or was changed"
    )]
    WrongKmsKey {
        /// The key's ARN.
        arn: String,
    },
    /// The key service refused, or did not answer.
    #[error("the key service that seals the root key with {arn} cannot be used: {detail}")]
    Kms {
        /// The key's ARN.
        arn: String,
        /// Its words, or what kept them from coming.
        detail: String,
    },
    /// The token's key opens something else.
    #[error(
        "the key {key:?} in the token {token:?} does not open this data directory: the root key was wrapped by another \
         key, for another deployment, or was changed"
    )]
    WrongTokenKey {
        /// The token's label.
        token: String,
        /// The key's label.
        key: String,
    },
    /// The token's key could leave it, or does not encrypt and decrypt.
    #[error(
        "the key {key:?} in the token {token:?} must be an AES-256 key that encrypts and decrypts, is sensitive and \
         cannot be extracted: name another, or a label that the token has no key of"
    )]
    UnfitTokenKey {
        /// The token's label.
        token: String,
        /// The key's label.
        key: String,
    },
    /// The token refused, or cannot be reached.
    #[error("the root key's token cannot be used: {0}")]
    Token(#[from] token::TokenError),
    /// A key is not split into that many shares.
    #[error("a key is split into 2 to 255 shares, of which at least 2 and at most all are needed")]
    Split,
    /// A seal of shares needs somebody to hand them to.
    #[error("a first start cannot be sealed by shares: start with a key file, then run `sealstack seal split`")]
    NobodyToShareWith,
    /// There is no passphrase in the passphrase.
    #[error("the passphrase is empty: give one")]
    EmptyPassphrase,
    /// The cost asked for or named by the header is outside of what Argon2id takes.
    #[error("the passphrase's cost is out of range: memory at least 8 KiB a lane and at most 4 GiB, 1 to 64 passes")]
    Cost,
    /// The data directory is sealed in another way than the configuration says.
    #[error(
        "this data directory is sealed by a {sealed}, but the configuration says {configured}: correct the \
         configuration, or change the seal with `sealstack seal rotate`"
    )]
    WrongKind {
        /// How it is sealed.
        sealed: Kind,
        /// How the configuration says that it is.
        configured: Kind,
    },
    /// The header cannot be made sense of.
    #[error("the seal's header {} is damaged ({detail}): restore it from a backup", path.display())]
    Corrupt {
        /// The header.
        path: PathBuf,
        /// Description of the damage.
        detail: String,
    },
    /// A later version of the program wrote the header.
    #[error("the seal's header {} has the version {found}: run the newer version of the program", path.display())]
    NewerVersion {
        /// The header.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// The operating system refused.
    #[error("{} cannot be read or written ({source}): check that it is there and that this user owns it", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The operating system's words.
        source: std::io::Error,
    },
}

impl SealError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}
