//! How messages are to be decrypted: the settings, and the way from a message's beginning to its key.

use std::io::Read;
use std::sync::Arc;

use crate::block_on::block_on;
use crate::buffer::Buffer;
use crate::encryption::threads_default;
use crate::frame::FrameCipher;
use crate::header::{self, Parsed};
use crate::materials::{DecryptionRequest, MaterialsSource};
use crate::message_key::MessageKey;
use crate::opening::{Opened, Opening};
use crate::{CommitmentPolicy, EncryptionContext, Error, VerificationKey};

/// The longest frame that is held in memory unless more is allowed, in bytes.
const FRAME_BYTES_MAX_DEFAULT: u64 = 64 << 20;

/// How messages are to be decrypted. One can serve for any number of messages.
///
/// No function releases plaintext before the message's signature is verified, except those named `unverified`.
/// Functions that write to positions need a place that nobody else reads until they return.
///
/// ```
/// use envelope::{Decryption, Encryption, RawAesKeyring};
///
/// let keyring = RawAesKeyring::new("example", "key-1", &[7; 32])?;
/// let message = Encryption::new(&keyring).encrypt(b"salaries")?;
/// let (plaintext, opened) = Decryption::new(&keyring).decrypt(&message)?;
/// assert_eq!(plaintext, b"salaries");
/// assert_eq!(opened.wrapping_key, "raw AES key example/key-1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Decryption<'m> {
    materials: &'m dyn MaterialsSource,
    reproduced: EncryptionContext,
    expected: Vec<(String, Option<String>)>,
    policy: CommitmentPolicy,
    data_keys_max: Option<usize>,
    pub(crate) frame_bytes_max: u64,
    pub(crate) threads: usize,
}

impl<'m> Decryption<'m> {
    /// Decryption with a keyring, or another source of materials, and the defaults: committing suites only.
    pub fn new<M: MaterialsSource>(materials: &'m M) -> Self {
        Self {
            materials,
            reproduced: EncryptionContext::new(),
            expected: Vec::new(),
            policy: CommitmentPolicy::default(),
            data_keys_max: None,
            frame_bytes_max: FRAME_BYTES_MAX_DEFAULT,
            threads: threads_default(),
        }
    }

    /// Sets the encryption context that the caller knows. Where the message stores a value, it has to be the same;
    /// what the message does not store is authenticated nonetheless, as [`RequiredContext`](crate::RequiredContext)
    /// wants it.
    #[must_use]
    pub fn context(mut self, context: impl Into<EncryptionContext>) -> Self {
        self.reproduced = context.into();
        self
    }

    /// Requires that the message stores this entry, before any of its keys is opened.
    #[must_use]
    pub fn expect_entry(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.expected.push((name.into(), Some(value.into())));
        self
    }

    /// Requires that the message stores an entry with this name, before any of its keys is opened.
    #[must_use]
    pub fn expect_name(mut self, name: impl Into<String>) -> Self {
        self.expected.push((name.into(), None));
        self
    }

    /// Sets the commitment policy.
    #[must_use]
    pub const fn commitment_policy(mut self, policy: CommitmentPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Bounds the number of encrypted data keys, and so the calls to a key service that a message can cause.
    #[must_use]
    pub const fn data_keys_max(mut self, count: usize) -> Self {
        self.data_keys_max = Some(count);
        self
    }

    /// Bounds the frames, and the messages without frames, that are held in memory, in bytes; by default 64 MiB.
    #[must_use]
    pub const fn frame_bytes_max(mut self, bytes: u64) -> Self {
        self.frame_bytes_max = bytes;
        self
    }

    /// Sets how many threads work on a message; by default as many as there are cores, up to eight.
    #[must_use]
    pub const fn threads(mut self, count: usize) -> Self {
        self.threads = if count == 0 { 1 } else { count };
        self
    }

    /// Begins a message with its first bytes: parses its header, opens its data key and authenticates the header.
    /// `None` when the header does not end within `beginning`.
    ///
    /// # Errors
    /// Those of a malformed header; [`Error::Policy`]; [`Error::ContextMissing`], [`Error::ContextMismatch`];
    /// [`Error::TooManyDataKeys`]; [`Error::Unwrap`] from keyrings; [`Error::Commitment`],
    /// [`Error::HeaderNotAuthentic`].
    pub async fn begin(&self, beginning: &[u8]) -> Result<Option<Opening>, Error> {
        match header::parse(beginning, self.data_keys_max)? {
            Some(parsed) => Ok(Some(self.open_header(beginning, parsed).await?)),
            None => Ok(None),
        }
    }

    async fn open_header(&self, beginning: &[u8], parsed: Parsed) -> Result<Opening, Error> {
        let Parsed { header, authenticated_bytes, nonce, tag, bytes } = parsed;
        if !self.policy.lets_decrypt(header.suite) {
            return Err(Error::Policy { policy: self.policy, suite: header.suite });
        }
        for (name, value) in &self.expected {
            match (header.context.get(name), value) {
                (Some(_), None) => {}
                (Some(stored), Some(value)) if stored == value => {}
                (Some(_), Some(_)) => return Err(Error::ContextMismatch { name: name.clone() }),
                (None, _) => return Err(Error::ContextMissing { name: name.clone() }),
            }
        }
        let request = DecryptionRequest {
            suite: header.suite,
            policy: self.policy,
            context: &header.context,
            reproduced: &self.reproduced,
            encrypted_data_keys: &header.encrypted_data_keys,
        };
        let materials = self.materials.decryption(request).await?;
        match (header.suite.signature(), materials.verification_key.as_ref().map(VerificationKey::algorithm)) {
            (expected, there) if expected == there => {}
            (None, _) => return Err(Error::PublicKeyUnexpected),
            (Some(_), _) => return Err(Error::PublicKeyMissing),
        }
        let key = MessageKey::derive(header.suite, &materials.data_key, &header.message_id)?;
        key.verify_commitment(&header)?;
        let unstored = materials.context.filtered(|name| materials.unstored.contains(name));
        key.verify(beginning.get(..authenticated_bytes).unwrap_or_default(), &unstored, &nonce, &tag)?;
        let cipher = FrameCipher::new(key.into_aead(), header.message_id.clone());
        Ok(Opening {
            opened: Opened {
                header,
                context: materials.context,
                data_key_index: materials.data_key_index,
                wrapping_key: materials.wrapping_key,
            },
            bytes: beginning.get(..bytes).unwrap_or_default().to_vec(),
            cipher: Arc::new(cipher),
            verification_key: materials.verification_key,
            verified: false,
            frame_bytes_max: self.frame_bytes_max,
            threads: self.threads,
        })
    }

    /// Reads a header from a source and begins its message; what was read beyond the header is in the buffer.
    pub(crate) fn begin_from(&self, source: &mut impl Read) -> Result<(Opening, Buffer), Error> {
        let mut bytes = Vec::new();
        let parsed = header::read(source, &mut bytes, self.data_keys_max)?;
        let opening = block_on(self.open_header(&bytes, parsed))?;
        let mut input = Buffer::default();
        input.push(bytes.get(opening.bytes.len()..).unwrap_or_default());
        Ok((opening, input))
    }
}
