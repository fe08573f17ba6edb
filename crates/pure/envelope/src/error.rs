//! Every outcome that isn't a message or a plaintext. Nothing secret is in one.

use std::fmt;

use crypto::CryptoError;

use crate::keyring::KeyFailure;
use crate::suite::{AlgorithmSuite, CommitmentPolicy};

/// A part of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Format, encrypted data keys, encryption context, and their authentication.
    Header,
    /// The frames, or the one block of a message without frames.
    Body,
    /// The signature.
    Footer,
}

impl fmt::Display for Part {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Header => "header",
            Self::Body => "body",
            Self::Footer => "footer",
        })
    }
}

/// Why a message was not encrypted or decrypted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input is a message in Base64.
    #[error("the message is Base64 text; decode it first")]
    Base64,
    /// The message ends early.
    #[error("the message ends in its {part}")]
    Truncated {
        /// Where it ends.
        part: Part,
    },
    /// Bytes follow the end of the message.
    #[error("bytes follow the end of the message")]
    TrailingBytes,
    /// A field holds what the format does not allow.
    #[error("the {field} is malformed: {reason}")]
    Malformed {
        /// The field.
        field: &'static str,
        /// Reason why it is malformed.
        reason: &'static str,
    },
    /// The message is of a version that this library does not know.
    #[error("the message format has the unknown version {version}")]
    UnknownVersion {
        /// The version byte.
        version: u8,
    },
    /// The message names an algorithm suite that does not exist.
    #[error("the message names the unknown algorithm suite {id:04x}")]
    UnknownSuite {
        /// The suite's identifier.
        id: u16,
    },
    /// The header is longer than any that is read.
    #[error("the header is longer than {max} bytes")]
    HeaderTooLong {
        /// The bound in bytes.
        max: usize,
    },
    /// The serialised encryption context does not fit a header.
    #[error("the encryption context takes {bytes} bytes; 65535 fit a message")]
    ContextTooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The caller's encryption context uses a name that is the format's own.
    #[error("the encryption context must not use {name:?}: names that begin with aws-crypto- are reserved")]
    ReservedContext {
        /// The name.
        name: String,
    },
    /// A required name is not in the encryption context.
    #[error("the encryption context lacks {name:?}")]
    ContextMissing {
        /// The name.
        name: String,
    },
    /// The message's encryption context has another value than the caller's.
    #[error("the encryption context has another value for {name:?} than was asked for")]
    ContextMismatch {
        /// The name.
        name: String,
    },
    /// The commitment policy forbids the suite.
    #[error("the commitment policy {policy} does not allow {suite}")]
    Policy {
        /// The policy.
        policy: CommitmentPolicy,
        /// The suite.
        suite: AlgorithmSuite,
    },
    /// The message has more encrypted data keys than the caller allows.
    #[error("the message has {count} encrypted data keys; {max} are allowed")]
    TooManyDataKeys {
        /// How many there are.
        count: usize,
        /// How many are allowed.
        max: usize,
    },
    /// A keyring put an encrypted data key together that does not fit a header.
    #[error("an encrypted data key has a field of {bytes} bytes; 65535 fit a message")]
    DataKeyTooLong {
        /// The field's length in bytes.
        bytes: usize,
    },
    /// No wrapping key made or wrapped the data key.
    #[error("the data key could not be made: {0}")]
    Wrap(KeyFailure),
    /// No wrapping key opened a data key of the message.
    #[error(
        "cannot decrypt: no wrapping key matched the data key, which is wrapped under {}: {}",
        list(wrapped_under),
        list(failures)
    )]
    Unwrap {
        /// Failure of each wrapping key.
        failures: Vec<KeyFailure>,
        /// The wrapping keys that the message names, with their providers.
        wrapped_under: Vec<String>,
    },
    /// The data key is not the one that the header commits to.
    #[error("the header commits to another data key")]
    Commitment,
    /// The header was changed, or the data key or the encryption context is not the message's.
    #[error("the header is not authentic")]
    HeaderNotAuthentic,
    /// A frame was changed, or belongs elsewhere or to another message.
    #[error("frame {sequence} is not authentic")]
    FrameNotAuthentic {
        /// The frame's sequence number, counted from 1.
        sequence: u32,
    },
    /// A frame stands where another one belongs.
    #[error("frame {found} stands where frame {expected} belongs")]
    FrameOrder {
        /// The sequence number that belongs there.
        expected: u32,
        /// The sequence number that stands there.
        found: u32,
    },
    /// A frame, or the block of a message without frames, is longer than may be held in memory.
    #[error("a frame takes {bytes} bytes of memory; {max} are allowed")]
    FrameTooLong {
        /// Its length in bytes.
        bytes: u64,
        /// The bound in bytes.
        max: u64,
    },
    /// The plaintext is longer than the caller said, or than the format takes with this frame length.
    #[error("the plaintext is longer than {max} bytes")]
    PlaintextTooLong {
        /// The bound in bytes.
        max: u64,
    },
    /// The header of a signed message carries no public key, or one that cannot be read.
    #[error("the message is signed and its header carries no public key that can be read")]
    PublicKeyMissing,
    /// The header of an unsigned message carries a public key.
    #[error("the message is not signed, yet its header carries a public key")]
    PublicKeyUnexpected,
    /// The signature is not the message's.
    #[error("the signature is not the message's")]
    SignatureNotAuthentic,
    /// A signed message was given to a function that would release plaintext before the signature is verified.
    #[error("the message is signed: its plaintext is not released before the signature is verified")]
    Signed,
    /// Ranges are read from messages with frames alone.
    #[error("the message has no frames to read a range from")]
    NotFramed,
    /// A source of materials of the caller's own failed.
    #[error("the materials could not be had: {0}")]
    Materials(Box<dyn std::error::Error + Send + Sync>),
    /// The crypto provider failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// A source or sink failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Maximum number of items listed: a message can name thousands of wrapping keys.
const LISTED_MAX: usize = 20;

fn list(items: &[impl fmt::Display]) -> String {
    let listed = items.iter().take(LISTED_MAX).map(ToString::to_string).collect::<Vec<_>>().join("; ");
    match items.len().saturating_sub(LISTED_MAX) {
        0 => listed,
        more => format!("{listed}; and {more} more"),
    }
}

impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Io(error) => error,
            Error::Truncated { .. } => Self::new(std::io::ErrorKind::UnexpectedEof, error),
            error => Self::new(std::io::ErrorKind::InvalidData, error),
        }
    }
}
