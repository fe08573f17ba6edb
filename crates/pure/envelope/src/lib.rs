//! Client-side envelope encryption in the AWS Encryption SDK's message format.
//!
//! A message is encrypted under a data key of its own, and carries that data key encrypted under each wrapping key of
//! a [`Keyring`]: keys in AWS KMS or a service that speaks its protocol, raw AES or RSA keys, key agreement, or a
//! hierarchy of branch keys. Messages are those that every other implementation of the format reads and writes.
//!
//! ```
//! use envelope::{Decryption, Encryption, RawAesKeyring};
//!
//! let keyring = RawAesKeyring::new("example", "key-1", &[7; 32])?;
//! let message = Encryption::new(&keyring).context([("department", "payroll")]).encrypt(b"salaries")?;
//! let (plaintext, opened) = Decryption::new(&keyring).expect_entry("department", "payroll").decrypt(&message)?;
//! assert_eq!(plaintext, b"salaries");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | data is | encrypt | decrypt |
//! |---|---|---|
//! | in memory | [`Encryption::encrypt`] | [`Decryption::decrypt`] |
//! | a stream | [`Encryption::encrypt_stream`], [`Encryption::writer`] | [`Decryption::decrypt_stream`], [`Decryption::reader`] |
//! | a file, on all cores | [`Encryption::encrypt_at`] | [`Decryption::decrypt_at`] |
//! | a part of a file | | [`Decryption::decrypt_range`] |
//! | a stream of tokio (feature `tokio`) | `Encryption::encrypt_async` | `Decryption::decrypt_async` |
//!
//! [`Inspection::of`] tells what a message says of itself, without a key; [`Header::inspect`] reads its beginning only.
//!
//! Key services are asked asynchronously. The functions above wait for them; [`Encryption::begin`] and
//! [`Decryption::begin`] do not, and what they return does the rest.
//!
//! # Signed messages
//!
//! The default algorithm suite signs messages, so that a reader cannot pass off a message of its own as the writer's.
//! The signature stands at the end. No function releases plaintext before it verified the signature, except those
//! that say `unverified` in their name. Hence a signed message from a stream is read with
//! [`Decryption::decrypt_spooled`] or [`Decryption::decrypt_seekable`], which verify first and decrypt then (and have
//! their counterparts for tokio), or into a staging place with [`Decryption::decrypt_at`].
//!
//! # What this library leaves to others
//!
//! It knows no HTTP and opens no files. A key service is a [`kms::KmsClient`], data are `Read`, `Write`, [`ReadAt`] or
//! [`WriteAt`], and time is an argument.
#![forbid(unsafe_code)]

mod block_on;
pub mod branch_key;
mod buffer;
mod context;
mod cursor;
mod data_key;
mod decrypting;
mod decrypting_at;
mod decryption;
mod encryption;
mod ending;
mod error;
mod frame;
mod header;
mod inspection;
mod keyring;
pub mod kms;
mod layout;
mod materials;
mod message_digest;
mod message_key;
mod opening;
mod placed;
mod positioned;
mod revisit;
mod runs;
mod sealing;
#[cfg(feature = "tokio")]
mod stream;
mod suite;
mod verification_key;

pub use context::EncryptionContext;
pub use crypto::{CryptoError, SecretBytes};
pub use data_key::{DataKey, EncryptedDataKey};
pub use decrypting::OpeningReader;
pub use decryption::Decryption;
pub use encryption::{Encryption, FRAME_LENGTH_DEFAULT};
pub use error::{Error, Part};
pub use header::{Framing, Header};
pub use inspection::Inspection;
pub use keyring::{
    Curve, DiscoveryFilter, HierarchicalKeyring, KeyFailure, KeyFailureReason, Keyring, KmsDiscoveryKeyring,
    KmsEcdhKeyring, KmsKeyring, KmsRsaKeyring, MultiKeyring, Padding, Pending, RawAesKeyring, RawEcdhKeyring,
    RawRsaKeyring, Unwrapped, Unwrapping, Wrapping,
};
pub use materials::{
    CacheLimits, CachingMaterials, Clock, DecryptionMaterials, DecryptionRequest, EncryptionMaterials,
    EncryptionRequest, MaterialsSource, RequiredContext,
};
pub use opening::{Opened, Opening};
pub use positioned::{Bytes, ReadAt, WriteAt};
pub use sealing::{Sealed, Sealing, SealingWriter};
pub use suite::{AlgorithmSuite, CommitmentPolicy, UnknownSuite};
pub use verification_key::VerificationKey;

/// Runs the examples of the crate's README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
