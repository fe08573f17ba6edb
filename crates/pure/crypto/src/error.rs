//! Errors of this crate. They say as little as the caller may learn: a failed opening never tells why.

/// An outcome of this crate's operations.
#[derive(Debug, thiserror::Error)]
pub enum CryptoError {
    /// The key, the associated data or the sealed bytes are not the ones that were sealed.
    #[error("the sealed bytes are not authentic")]
    NotAuthentic,
    /// The sealed bytes begin with a version that this program does not know.
    #[error("the sealed bytes have the unknown version {version}")]
    UnknownVersion {
        /// The version byte.
        version: u8,
    },
    /// A key, nonce or output has a length that the algorithm does not take.
    #[error("a length of {bytes} bytes is not one that the algorithm takes")]
    Length {
        /// The refused length.
        bytes: usize,
    },
    /// The parameters of the password hash are outside what Argon2id takes.
    #[error("these Argon2id parameters are out of range")]
    PasswordCost,
    /// A number of shares that no key is split into, or shares that are none, or two that are the same.
    #[error("these are not shares of a key")]
    Shares,
    /// A key cannot be read, made or used with the other one.
    #[error("the key cannot be read or used")]
    Key,
}
