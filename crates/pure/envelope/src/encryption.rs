//! How a message is to be encrypted: the settings, and the way from them to a message that is begun.

use std::io::{Read, Write};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::thread::available_parallelism;

use crypto::random_bytes;

use crate::block_on::block_on;
use crate::context::RESERVED_PREFIX;
use crate::frame::FrameCipher;
use crate::header::{Framing, Header};
use crate::materials::{EncryptionMaterials, EncryptionRequest, MaterialsSource};
use crate::message_key::MessageKey;
use crate::positioned::{ReadAt, WriteAt};
use crate::sealing::{Sealed, Sealing, SealingWriter};
use crate::{AlgorithmSuite, CommitmentPolicy, EncryptionContext, Error};

/// The frame length that every SDK defaults to, in bytes.
pub const FRAME_LENGTH_DEFAULT: NonZeroU32 = NonZeroU32::new(4096).unwrap();

/// Maximum number of threads for a message by default: more wait for each other's I/O, and each takes memory.
const THREADS_MAX_DEFAULT: usize = 8;

/// Default number of threads for a message.
pub(crate) fn threads_default() -> usize {
    available_parallelism().map_or(1, usize::from).min(THREADS_MAX_DEFAULT)
}

/// How messages are to be encrypted. One can serve for any number of messages.
///
/// ```
/// use envelope::{AlgorithmSuite, Encryption, RawAesKeyring};
///
/// let keyring = RawAesKeyring::new("example", "key-1", &[7; 32])?;
/// let message = Encryption::new(&keyring)
///     .context([("department", "payroll")])
///     .suite(AlgorithmSuite::Aes256GcmHkdfSha512CommitKey)
///     .encrypt(b"salaries")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Encryption<'m> {
    materials: &'m dyn MaterialsSource,
    context: EncryptionContext,
    suite: Option<AlgorithmSuite>,
    policy: CommitmentPolicy,
    framing: Framing,
    data_keys_max: Option<usize>,
    plaintext_max: Option<u64>,
    threads: usize,
}

impl<'m> Encryption<'m> {
    /// Encryption with a keyring, or another source of materials, and the defaults: the committing, signed suite;
    /// frames of 4096 bytes; no encryption context.
    pub fn new<M: MaterialsSource>(materials: &'m M) -> Self {
        Self {
            materials,
            context: EncryptionContext::new(),
            suite: None,
            policy: CommitmentPolicy::default(),
            framing: Framing::Framed(FRAME_LENGTH_DEFAULT),
            data_keys_max: None,
            plaintext_max: None,
            threads: threads_default(),
        }
    }

    /// Sets the encryption context.
    #[must_use]
    pub fn context(mut self, context: impl Into<EncryptionContext>) -> Self {
        self.context = context.into();
        self
    }

    /// Sets the algorithm suite, which the commitment policy has to allow.
    #[must_use]
    pub const fn suite(mut self, suite: AlgorithmSuite) -> Self {
        self.suite = Some(suite);
        self
    }

    /// Sets the commitment policy.
    #[must_use]
    pub const fn commitment_policy(mut self, policy: CommitmentPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets the length of frames in bytes. Memory for a few frames is needed, here and wherever the message is read.
    #[must_use]
    pub const fn frame_length(mut self, bytes: NonZeroU32) -> Self {
        self.framing = Framing::Framed(bytes);
        self
    }

    /// Writes the message without frames, which takes memory for the whole of it here and wherever it is read.
    #[must_use]
    pub const fn unframed(mut self) -> Self {
        self.framing = Framing::Unframed;
        self
    }

    /// Bounds the number of encrypted data keys.
    #[must_use]
    pub const fn data_keys_max(mut self, count: usize) -> Self {
        self.data_keys_max = Some(count);
        self
    }

    /// Bounds the length of plaintexts in bytes.
    #[must_use]
    pub const fn plaintext_max(mut self, bytes: u64) -> Self {
        self.plaintext_max = Some(bytes);
        self
    }

    /// Sets how many threads work on a message; by default as many as there are cores, up to eight.
    #[must_use]
    pub const fn threads(mut self, count: usize) -> Self {
        self.threads = if count == 0 { 1 } else { count };
        self
    }

    /// Begins a message, of `length` bytes of plaintext if that is known: obtains its data key and puts its header
    /// together.
    ///
    /// # Errors
    /// [`Error::Wrap`] from keyrings, [`Error::Policy`], [`Error::ReservedContext`], [`Error::ContextTooLong`],
    /// [`Error::TooManyDataKeys`], [`Error::PlaintextTooLong`].
    pub async fn begin(&self, length: Option<u64>) -> Result<Sealing, Error> {
        if let Some(name) = self.context.iter().map(|(name, _)| name).find(|name| name.starts_with(RESERVED_PREFIX)) {
            return Err(Error::ReservedContext { name: name.to_owned() });
        }
        if let Some(suite) = self.suite.filter(|suite| !self.policy.lets_encrypt(*suite)) {
            return Err(Error::Policy { policy: self.policy, suite });
        }
        if let (Some(length), Some(max)) = (length, self.plaintext_max)
            && length > max
        {
            return Err(Error::PlaintextTooLong { max });
        }
        let request = EncryptionRequest {
            context: self.context.clone(),
            unstored: std::collections::BTreeSet::new(),
            suite: self.suite,
            policy: self.policy,
            plaintext_max: length.or(self.plaintext_max),
        };
        self.seal_header(self.materials.encryption(request).await?)
    }

    fn seal_header(&self, materials: EncryptionMaterials) -> Result<Sealing, Error> {
        let EncryptionMaterials { suite, context, unstored, data_key, encrypted_data_keys, signing_key } = materials;
        if !self.policy.lets_encrypt(suite) {
            return Err(Error::Policy { policy: self.policy, suite });
        }
        let count = encrypted_data_keys.len();
        if let Some(max) = self.data_keys_max.filter(|max| count > *max) {
            return Err(Error::TooManyDataKeys { count, max });
        }
        if suite.signature() != signing_key.as_ref().map(|key| key.algorithm()) {
            return Err(Error::PublicKeyMissing);
        }
        let mut message_id = vec![0; if suite.format_version() == 1 { 16 } else { 32 }];
        random_bytes(&mut message_id);
        let key = MessageKey::derive(suite, &data_key, &message_id)?;
        let header = Header {
            suite,
            message_id,
            context: context.filtered(|name| !unstored.contains(name)),
            encrypted_data_keys,
            framing: self.framing,
            commitment: key.commitment(),
        };
        let mut bytes = header.serialize()?;
        let tag = key.authenticate(&bytes, &context.filtered(|name| unstored.contains(name)))?;
        if suite.format_version() == 1 {
            bytes.extend_from_slice(&[0; crypto::aead::NONCE_LENGTH]);
        }
        bytes.extend_from_slice(&tag);
        let cipher = FrameCipher::new(key.into_aead(), header.message_id.clone());
        Ok(Sealing {
            header,
            context,
            bytes,
            cipher: Arc::new(cipher),
            signing_key,
            plaintext_max: self.plaintext_max,
            threads: self.threads,
        })
    }

    /// Encrypts bytes in memory.
    ///
    /// # Errors
    /// Those of [`begin`](Self::begin).
    pub fn encrypt(&self, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        block_on(self.begin(Some(plaintext.len() as u64)))?.seal(plaintext)
    }

    /// Encrypts what `source` yields up to its end and writes the message to `sink`, in the memory of some frames.
    ///
    /// # Errors
    /// Those of [`begin`](Self::begin); [`Error::PlaintextTooLong`]; [`Error::Io`].
    pub fn encrypt_stream(&self, source: impl Read, sink: impl Write) -> Result<Sealed, Error> {
        block_on(self.begin(None))?.seal_stream(source, sink)
    }

    /// A writer that encrypts what is written to it. [`SealingWriter::finish`] completes the message.
    ///
    /// # Errors
    /// Those of [`begin`](Self::begin); [`Error::Io`].
    pub fn writer<W: Write>(&self, sink: W) -> Result<SealingWriter<W>, Error> {
        block_on(self.begin(None))?.writer(sink)
    }

    /// Encrypts the first `length` bytes of `source` into `sink` on several threads, in no order. On an error the
    /// sink holds nothing of use.
    ///
    /// # Errors
    /// Those of [`begin`](Self::begin); [`Error::Io`].
    pub fn encrypt_at(&self, source: &impl ReadAt, length: u64, sink: &impl WriteAt) -> Result<Sealed, Error> {
        block_on(self.begin(Some(length)))?.seal_at(source, length, sink)
    }
}
