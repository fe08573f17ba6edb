//! The ciphertext of `Encrypt` and the data key operations, and how it is sealed and opened. Knows nothing of which
//! keys exist.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | version, 1 |
//! | 1 | the form of the key id: 0 a UUID, 1 a multi-Region id |
//! | 5 | the account id as a number |
//! | 16 | the key id |
//! | 16 | the first half of the key material id: which version of the key |
//! | 16 | the nonce N, random for each call |
//! | 4 | a check over all of the above |
//! | n | the plaintext, encrypted |
//! | 16 | the AES-GCM tag |
//!
//! Everything before the encrypted plaintext is the header. The message key is derived from the key material and N, so
//! each serves one call, and AES-256-GCM runs under it with a constant IV. The associated data are the header and the
//! canonical form of the encryption context. The checksum is no protection, it only distinguishes a damaged ciphertext
//! from one whose key is elsewhere.

mod held;

use crypto::aead::{AeadKey, NONCE_LENGTH, TAG_LENGTH};
use crypto::kdf::DerivationKey;
use crypto::{random_nonce, sha256};
use zeroize::Zeroizing;

use crate::record::{EncryptionContext, KeyId, context};

pub use held::HeldBlob;
pub(crate) use held::seal as seal_half;

/// The version that [`seal`] writes.
const VERSION: u8 = 1;

/// The KDF's label, which binds the version to the message key.
const LABEL: &[u8] = b"sealstack kms encrypt 1";

/// Each message key is used once.
const IV: [u8; NONCE_LENGTH] = [0; NONCE_LENGTH];

/// Bytes of N.
const NONCE_LENGTH_OF_CALL: usize = 16;

const CHECKED_LENGTH: usize = 1 + 1 + 5 + 16 + 16 + NONCE_LENGTH_OF_CALL;
const CHECK_LENGTH: usize = 4;
const HEADER_LENGTH: usize = CHECKED_LENGTH + CHECK_LENGTH;

/// How many bytes longer than the plaintext a ciphertext is.
pub const OVERHEAD: usize = HEADER_LENGTH + TAG_LENGTH;

/// The longest plaintext in bytes.
pub const PLAINTEXT_MAX: usize = 4096;

/// Why a ciphertext could not be opened. For the log only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// It is too short or too long to be one of ours.
    #[error("the ciphertext has an impossible length of {bytes} bytes")]
    Length {
        /// Its length.
        bytes: usize,
    },
    /// It was made by a later version, or is not ours.
    #[error("the ciphertext has the unknown version {version}")]
    Version {
        /// Its first byte.
        version: u8,
    },
    /// Its header is damaged.
    #[error("the ciphertext's header is damaged")]
    Damaged,
    /// The key has no such version.
    #[error("the ciphertext names key material that the key does not have")]
    UnknownMaterial,
    /// It was changed, or the encryption context is another.
    #[error("the ciphertext or its encryption context is not what was encrypted")]
    NotAuthentic,
}

/// The version of a key that a ciphertext names: the first half of its key material id.
pub type MaterialHint = [u8; 16];

/// Which version of which key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyVersion {
    /// The key's account.
    pub account: AccountNumber,
    /// The key.
    pub key: KeyId,
    /// Its version.
    pub material: MaterialHint,
}

/// An account id as a number below 10^12.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountNumber(u64);

impl AccountNumber {
    /// Reads an account id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        crate::record::reference::is_account_id(text).then(|| text.parse().ok()).flatten().map(Self)
    }

    /// Writes the account id: twelve digits.
    pub(crate) fn write(self, digits: &mut [u8; 12]) -> &str {
        let mut rest = self.0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
        }
        str::from_utf8(digits).unwrap_or_default()
    }
}

impl std::fmt::Display for AccountNumber {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.write(&mut [0; 12]))
    }
}

/// Whether a ciphertext's checksum is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    Compare,
    Skip,
}

/// The head of every ciphertext, before the names.
#[derive(Debug)]
struct Header<'a> {
    nonce: [u8; NONCE_LENGTH_OF_CALL],
    /// All of it.
    bytes: &'a [u8],
}

/// A ciphertext of either kind, taken apart and not yet known to be authentic.
#[derive(Debug)]
pub enum AnyCiphertext<'a> {
    /// Of a key whose material is stored here.
    Kept(Ciphertext<'a>),
    /// Of a key that is held elsewhere. Boxed, since few are: the others do not carry the room for it.
    Held(Box<HeldBlob<'a>>),
}

impl<'a> AnyCiphertext<'a> {
    /// Takes a ciphertext apart.
    ///
    /// # Errors
    /// [`BlobError`].
    pub fn parse(blob: &'a [u8]) -> Result<Self, BlobError> {
        Self::read(blob, Check::Compare)
    }

    /// Takes a ciphertext apart that [`AnyCiphertext::parse`] has taken before, without comparing its check again.
    ///
    /// # Errors
    /// [`BlobError`].
    pub(crate) fn parse_again(blob: &'a [u8]) -> Result<Self, BlobError> {
        Self::read(blob, Check::Skip)
    }

    fn read(blob: &'a [u8], check: Check) -> Result<Self, BlobError> {
        match blob.first() {
            Some(&held::VERSION) => HeldBlob::read(blob, check).map(Box::new).map(Self::Held),
            _ => Ciphertext::read(blob, check).map(Self::Kept),
        }
    }

    /// Which version of which key it names.
    #[must_use]
    pub const fn names(&self) -> &KeyVersion {
        match self {
            Self::Kept(kept) => &kept.names,
            Self::Held(held) => &held.names,
        }
    }

    /// The ciphertext put together again.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Kept(kept) => kept.to_bytes(),
            Self::Held(held) => held.to_bytes(),
        }
    }
}

/// A ciphertext taken apart, not yet known to be authentic.
#[derive(Debug)]
pub struct Ciphertext<'a> {
    /// Which version of which key it names.
    pub names: KeyVersion,
    header: Header<'a>,
    data: &'a [u8],
    tag: &'a [u8; TAG_LENGTH],
}

/// Seals `plaintext`, of 1 to 4096 bytes, under `material` of the key that `names` says.
///
/// Source: AWS KMS Cryptographic Details, "Encrypt"; NIST SP 800-108 and SP 800-38D.
pub(crate) fn seal(
    material: &DerivationKey,
    names: &KeyVersion,
    context: &EncryptionContext,
    plaintext: &[u8],
) -> Vec<u8> {
    let nonce: [u8; NONCE_LENGTH_OF_CALL] = random_nonce();
    let mut blob = Vec::with_capacity(plaintext.len() + OVERHEAD);
    append_header(VERSION, names, &nonce, &mut blob);
    let associated = associated_data(&blob, context);
    blob.extend_from_slice(plaintext);
    let (_, data) = blob.split_at_mut(HEADER_LENGTH);
    #[expect(clippy::expect_used, reason = "only a plaintext of more than 64 GiB is refused")]
    let tag = message_key(material, &nonce).seal_in_place(&IV, &associated, data).expect("within GCM's bounds");
    blob.extend_from_slice(&tag);
    blob
}

impl<'a> Header<'a> {
    /// Takes the header off, with what it names before it, if the blob has this `version`.
    fn read(blob: &'a [u8], version: u8, check: Check) -> Result<(KeyVersion, Self, &'a [u8]), BlobError> {
        let length = BlobError::Length { bytes: blob.len() };
        let (&found, _) = blob.split_first().ok_or(length)?;
        if found != version {
            return Err(BlobError::Version { version: found });
        }
        let (bytes, body) = blob.split_at_checked(HEADER_LENGTH).ok_or(length)?;
        let (checked, sum) = bytes.split_at(CHECKED_LENGTH);
        if check == Check::Compare && check_of(checked) != sum {
            return Err(BlobError::Damaged);
        }
        let mut rest = checked.get(1..).unwrap_or_default();
        let [form] = take(&mut rest)?;
        let [a, b, c, d, e] = take(&mut rest)?;
        let account = u64::from_be_bytes([0, 0, 0, a, b, c, d, e]);
        let id = take(&mut rest)?;
        let key = match form {
            0 => KeyId::Single(id),
            1 => KeyId::Multi(id),
            _ => return Err(BlobError::Damaged),
        };
        if account >= 1_000_000_000_000 {
            return Err(BlobError::Damaged);
        }
        let names = KeyVersion { account: AccountNumber(account), key, material: take(&mut rest)? };
        Ok((names, Self { nonce: take(&mut rest)?, bytes }, body))
    }

    /// Opens what was sealed under a message key of `material`.
    fn open(
        &self,
        data: &[u8],
        tag: &[u8; TAG_LENGTH],
        material: &DerivationKey,
        context: &EncryptionContext,
    ) -> Result<Zeroizing<Vec<u8>>, BlobError> {
        let associated = associated_data(self.bytes, context);
        let mut data = Zeroizing::new(data.to_vec());
        message_key(material, &self.nonce)
            .open_in_place(&IV, &associated, &mut data, tag)
            .map_err(|_| BlobError::NotAuthentic)?;
        Ok(data)
    }
}

impl<'a> Ciphertext<'a> {
    /// Takes a ciphertext apart.
    ///
    /// # Errors
    /// [`BlobError`].
    pub fn parse(blob: &'a [u8]) -> Result<Self, BlobError> {
        Self::read(blob, Check::Compare)
    }

    fn read(blob: &'a [u8], check: Check) -> Result<Self, BlobError> {
        let length = BlobError::Length { bytes: blob.len() };
        let (names, header, body) = Header::read(blob, VERSION, check)?;
        let (data, tag) = body.split_last_chunk::<TAG_LENGTH>().ok_or(length)?;
        if data.is_empty() || data.len() > PLAINTEXT_MAX {
            return Err(length);
        }
        Ok(Self { names, header, data, tag })
    }

    /// The ciphertext put together again.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut blob = Vec::with_capacity(self.data.len() + OVERHEAD);
        append_header(VERSION, &self.names, &self.header.nonce, &mut blob);
        blob.extend_from_slice(self.data);
        blob.extend_from_slice(self.tag);
        blob
    }

    /// Opens the ciphertext with the `material` that it names.
    ///
    /// # Errors
    /// [`BlobError::NotAuthentic`].
    pub(crate) fn open(
        &self,
        material: &DerivationKey,
        context: &EncryptionContext,
    ) -> Result<Zeroizing<Vec<u8>>, BlobError> {
        self.header.open(self.data, self.tag, material, context)
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], BlobError> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or(BlobError::Damaged)?;
    *rest = tail;
    Ok(*head)
}

fn append_header(version: u8, names: &KeyVersion, nonce: &[u8; NONCE_LENGTH_OF_CALL], out: &mut Vec<u8>) {
    let (form, id) = match &names.key {
        KeyId::Single(id) => (0, id),
        KeyId::Multi(id) => (1, id),
    };
    let [_, _, _, account @ ..] = names.account.0.to_be_bytes();
    out.extend_from_slice(&[version, form]);
    out.extend_from_slice(&account);
    out.extend_from_slice(id);
    out.extend_from_slice(&names.material);
    out.extend_from_slice(nonce);
    let check = check_of(out);
    out.extend_from_slice(&check);
}

/// SHA-256, cut short. The checked bytes fit into one of its blocks.
fn check_of(checked: &[u8]) -> [u8; CHECK_LENGTH] {
    let [a, b, c, d, ..] = sha256(checked);
    [a, b, c, d]
}

fn associated_data(header: &[u8], context: &EncryptionContext) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_LENGTH + context::canonical_length(context));
    out.extend_from_slice(header);
    context::append_canonical(context, &mut out);
    out
}

fn message_key(material: &DerivationKey, nonce: &[u8; NONCE_LENGTH_OF_CALL]) -> AeadKey {
    AeadKey::aes256(&material.derive(LABEL, nonce))
}

#[cfg(test)]
mod tests;
