//! Failures of a token, each with what to do about it.

use std::path::PathBuf;

use cryptoki::context::Function;
use cryptoki::error::{Error, RvError};

/// An outcome of this crate's operations. Nothing in it is secret.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file is no PKCS#11 module, or it does not start.
    #[error("the PKCS#11 module {} cannot be used ({reason}): check its path and its own configuration", path.display())]
    Module {
        /// The module.
        path: PathBuf,
        /// Error message of the loader or the module.
        reason: String,
    },
    /// No slot holds a token with this label.
    #[error("no token is labelled {label:?}: check that it is plugged in and initialised")]
    NoToken {
        /// The label.
        label: String,
    },
    /// Several tokens have this label.
    #[error("{count} tokens are labelled {label:?}: give them labels that differ")]
    Ambiguous {
        /// The label.
        label: String,
        /// How many.
        count: usize,
    },
    /// The PIN is not the user's.
    #[error("the token {label:?} refuses the PIN")]
    WrongPin {
        /// The token.
        label: String,
    },
    /// Too many wrong PINs were given.
    #[error("the token {label:?} has locked its user's PIN: its security officer can set a new one")]
    PinLocked {
        /// The token.
        label: String,
    },
    /// The token has no user yet.
    #[error("the token {label:?} has no user PIN yet: its security officer has to set one")]
    NoUser {
        /// The token.
        label: String,
    },
    /// The token lacks what keys need.
    #[error("the token {label:?} has no mechanism {mechanism}, which keys for AES-256-GCM need")]
    Unfit {
        /// The token.
        label: String,
        /// PKCS#11's name of the mechanism that it lacks.
        mechanism: &'static str,
    },
    /// There is no such key.
    #[error("the token has no key labelled {key:?}")]
    NoKey {
        /// The key's label.
        key: String,
    },
    /// Several keys have this label.
    #[error("the token has several keys labelled {key:?}")]
    AmbiguousKey {
        /// The key's label.
        key: String,
    },
    /// A key with this label exists already.
    #[error("the token has a key labelled {key:?} already")]
    KeyExists {
        /// The key's label.
        key: String,
    },
    /// The token made a key that could leave it.
    #[error("the token did not make the key sensitive and non-extractable, as it was told to; the key was destroyed")]
    Extractable,
    /// The key does not do this.
    #[error("the key {key:?} is not one for AES-256-GCM, or is not allowed this use")]
    KeyUse {
        /// The key's label.
        key: String,
    },
    /// The ciphertext or its associated data is not what was sealed.
    #[error("what is to be opened, or its associated data, is not what was sealed")]
    NotAuthentic,
    /// The token's own failure, or it has vanished.
    #[error("the token failed: {reason}")]
    Failed {
        /// Error message of the token.
        reason: String,
    },
    /// All sessions are in use and as many calls wait as may wait.
    #[error("the token has more to do than it can keep up with")]
    Busy,
    /// The token took too long.
    #[error("the token did not answer in time")]
    TimedOut,
}

impl TokenError {
    pub(crate) fn of(error: &Error) -> Self {
        Self::Failed { reason: reason(error) }
    }

    /// Whether another attempt with the same PIN would only bring the token closer to locking it.
    pub(crate) const fn is_login_refusal(&self) -> bool {
        matches!(self, Self::WrongPin { .. } | Self::PinLocked { .. } | Self::NoUser { .. })
    }
}

/// The error in PKCS#11's own names, which is what an operator looks up.
pub(crate) fn reason(error: &Error) -> String {
    match error {
        Error::Pkcs11(code, function) => format!("C_{function:?} answered {code:?}"),
        other => other.to_string(),
    }
}

/// Whether the session, the login or the token itself is gone, so that logging in anew may help.
pub(crate) const fn is_loss(error: &Error) -> bool {
    matches!(
        error,
        Error::Pkcs11(
            RvError::DeviceError
                | RvError::DeviceRemoved
                | RvError::TokenNotPresent
                | RvError::TokenNotRecognized
                | RvError::SlotIdInvalid
                | RvError::SessionHandleInvalid
                | RvError::SessionClosed
                | RvError::UserNotLoggedIn
                | RvError::ObjectHandleInvalid
                | RvError::KeyHandleInvalid
                | RvError::CryptokiNotInitialized
                | RvError::FunctionFailed,
            _
        ) | Error::Pkcs11(
            RvError::GeneralError,
            // A module that reports forged ciphertext so has not lost anything.
            Function::OpenSession
                | Function::Login
                | Function::FindObjectsInit
                | Function::FindObjects
                | Function::EncryptInit
                | Function::Encrypt
                | Function::DecryptInit
                | Function::GenerateKey
                | Function::GetAttributeValue
                | Function::GenerateRandom
        )
    )
}

/// Whether a module says so that ciphertext or tag are wrong. Modules do not agree on the code.
pub(crate) const fn is_forgery(error: &Error) -> bool {
    matches!(
        error,
        Error::Pkcs11(
            RvError::EncryptedDataInvalid
                | RvError::EncryptedDataLenRange
                | RvError::DataInvalid
                | RvError::DataLenRange
                | RvError::SignatureInvalid
                | RvError::GeneralError,
            Function::Decrypt | Function::DecryptFinal | Function::DecryptUpdate
        )
    )
}
