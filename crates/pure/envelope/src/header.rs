//! Message headers, in both versions of the format: what they say, and their bytes.
//!
//! Whether a header is authentic only its data key tells: `message_key.rs`.

use std::io::Read;
use std::num::NonZeroU32;

use crypto::aead::{NONCE_LENGTH, TAG_LENGTH};

use crate::cursor::Cursor;
use crate::suite::AlgorithmSuite;
use crate::{EncryptedDataKey, EncryptionContext, Error, Part};

/// The longest header that is read, in bytes: room for more than ten thousand KMS data keys.
pub(crate) const LENGTH_MAX: usize = 4 << 20;

/// How much is read at first, in bytes. Most headers fit.
const FIRST_READ: usize = 4096;

const VERSION_1: u8 = 1;
const VERSION_2: u8 = 2;

/// The one type of message that there is: customer authenticated encrypted data.
const TYPE: u8 = 0x80;

const UNFRAMED: u8 = 1;
const FRAMED: u8 = 2;

/// How the body is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Into frames of this many bytes of plaintext and a shorter last one.
    Framed(NonZeroU32),
    /// Not at all. Such a message has to be held in memory as a whole, and no other SDK writes them any more.
    Unframed,
}

/// Header of a message, readable before anything is decrypted.
///
/// A header that was merely parsed may have been forged. Those that come with a plaintext are authentic.
///
/// Source: AWS Encryption SDK Specification, Message Header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub(crate) suite: AlgorithmSuite,
    pub(crate) message_id: Vec<u8>,
    pub(crate) context: EncryptionContext,
    pub(crate) encrypted_data_keys: Vec<EncryptedDataKey>,
    pub(crate) framing: Framing,
    pub(crate) commitment: Option<[u8; 32]>,
}

impl Header {
    /// The algorithm suite.
    #[must_use]
    pub const fn suite(&self) -> AlgorithmSuite {
        self.suite
    }

    /// The message's random identifier: 16 bytes in version 1, 32 in version 2.
    #[must_use]
    pub fn message_id(&self) -> &[u8] {
        &self.message_id
    }

    /// The encryption context as it is stored, the public key of a signed message included.
    #[must_use]
    pub const fn context(&self) -> &EncryptionContext {
        &self.context
    }

    /// The data key under each of its wrapping keys.
    #[must_use]
    pub fn encrypted_data_keys(&self) -> &[EncryptedDataKey] {
        &self.encrypted_data_keys
    }

    /// How the body is divided.
    #[must_use]
    pub const fn framing(&self) -> Framing {
        self.framing
    }

    /// Reads a message's header from its beginning, without any key. `source` may be read further than the header goes.
    ///
    /// # Errors
    /// Those of a malformed header; [`Error::Io`].
    pub fn inspect(source: impl Read) -> Result<Self, Error> {
        let mut buffer = Vec::new();
        Ok(read(source, &mut buffer, None)?.header)
    }

    /// The bytes that the header's tag authenticates.
    pub(crate) fn serialize(&self) -> Result<Vec<u8>, Error> {
        let mut out = Vec::with_capacity(1024);
        let version = self.suite.format_version();
        out.push(version);
        if version == VERSION_1 {
            out.push(TYPE);
        }
        out.extend_from_slice(&self.suite.id().to_be_bytes());
        out.extend_from_slice(&self.message_id);
        let context = self.context.serialize()?;
        counted(&mut out, &context).map_err(|bytes| Error::ContextTooLong { bytes })?;
        let count = self.encrypted_data_keys.len();
        let count = u16::try_from(count).map_err(|_| Error::TooManyDataKeys { count, max: usize::from(u16::MAX) })?;
        out.extend_from_slice(&count.to_be_bytes());
        for key in &self.encrypted_data_keys {
            for field in [key.provider_id.as_bytes(), &key.provider_info, &key.ciphertext] {
                counted(&mut out, field).map_err(|bytes| Error::DataKeyTooLong { bytes })?;
            }
        }
        let (content_type, frame_length) = match self.framing {
            Framing::Framed(length) => (FRAMED, length.get()),
            Framing::Unframed => (UNFRAMED, 0),
        };
        out.push(content_type);
        if version == VERSION_1 {
            out.extend_from_slice(&[0, 0, 0, 0, 12]);
        }
        out.extend_from_slice(&frame_length.to_be_bytes());
        if let Some(commitment) = &self.commitment {
            out.extend_from_slice(commitment);
        }
        Ok(out)
    }
}

fn counted(out: &mut Vec<u8>, field: &[u8]) -> Result<(), usize> {
    let count = u16::try_from(field.len()).map_err(|_| field.len())?;
    out.extend_from_slice(&count.to_be_bytes());
    out.extend_from_slice(field);
    Ok(())
}

/// A header that was parsed, and what is needed to authenticate it.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) header: Header,
    /// How many of its bytes its tag authenticates.
    pub(crate) authenticated_bytes: usize,
    pub(crate) nonce: [u8; NONCE_LENGTH],
    pub(crate) tag: [u8; TAG_LENGTH],
    /// How many bytes it takes.
    pub(crate) bytes: usize,
}

/// Why parsing stopped.
enum Stop {
    /// The bytes end inside the header.
    Short,
    Refused(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// Parses the header that `bytes` begin with; `None` when they end inside it.
pub(crate) fn parse(bytes: &[u8], data_keys_max: Option<usize>) -> Result<Option<Parsed>, Error> {
    match fields(bytes, data_keys_max) {
        Ok(parsed) => Ok(Some(parsed)),
        Err(Stop::Short) if bytes.len() > LENGTH_MAX => Err(Error::HeaderTooLong { max: LENGTH_MAX }),
        Err(Stop::Short) => Ok(None),
        Err(Stop::Refused(error)) => Err(error),
    }
}

fn fields(bytes: &[u8], data_keys_max: Option<usize>) -> Result<Parsed, Stop> {
    let malformed = |field, reason| Stop::Refused(Error::Malformed { field, reason });
    if bytes.starts_with(b"AY") || bytes.starts_with(b"Ag") {
        return Err(Stop::Refused(Error::Base64));
    }
    let mut cursor = Cursor::new(bytes);
    let version = cursor.u8().ok_or(Stop::Short)?;
    if version != VERSION_1 && version != VERSION_2 {
        return Err(Stop::Refused(Error::UnknownVersion { version }));
    }
    if version == VERSION_1 && cursor.u8().ok_or(Stop::Short)? != TYPE {
        return Err(malformed("message type", "it is not 80"));
    }
    let id = cursor.u16().ok_or(Stop::Short)?;
    let suite = AlgorithmSuite::from_id(id).ok_or(Error::UnknownSuite { id })?;
    if suite.format_version() != version {
        return Err(malformed("algorithm suite", "it belongs to the other version of the format"));
    }
    let message_id = cursor.take(if version == VERSION_1 { 16 } else { 32 }).ok_or(Stop::Short)?.to_vec();
    let context = EncryptionContext::parse(cursor.counted().ok_or(Stop::Short)?)?;
    let encrypted_data_keys = data_keys(&mut cursor, data_keys_max)?;

    let content_type = cursor.u8().ok_or(Stop::Short)?;
    if version == VERSION_1 {
        if cursor.u32().ok_or(Stop::Short)? != 0 {
            return Err(malformed("reserved field", "it is not zero"));
        }
        if usize::from(cursor.u8().ok_or(Stop::Short)?) != NONCE_LENGTH {
            return Err(malformed("IV length", "it is not 12"));
        }
    }
    let frame_length = cursor.u32().ok_or(Stop::Short)?;
    let framing = match (content_type, NonZeroU32::new(frame_length)) {
        (FRAMED, Some(length)) => Framing::Framed(length),
        (FRAMED, None) => return Err(malformed("frame length", "it is zero")),
        (UNFRAMED, None) => Framing::Unframed,
        (UNFRAMED, Some(_)) => return Err(malformed("frame length", "it is not zero in a message without frames")),
        _ => return Err(malformed("content type", "it is neither 1 nor 2")),
    };
    let commitment = if suite.commits() { Some(cursor.array().ok_or(Stop::Short)?) } else { None };
    let authenticated_bytes = bytes.len() - cursor.rest().len();
    let nonce = if version == VERSION_1 { cursor.array().ok_or(Stop::Short)? } else { [0; NONCE_LENGTH] };
    let tag = cursor.array().ok_or(Stop::Short)?;
    let header = Header { suite, message_id, context, encrypted_data_keys, framing, commitment };
    Ok(Parsed { header, authenticated_bytes, nonce, tag, bytes: bytes.len() - cursor.rest().len() })
}

fn data_keys(cursor: &mut Cursor<'_>, max: Option<usize>) -> Result<Vec<EncryptedDataKey>, Stop> {
    let count = usize::from(cursor.u16().ok_or(Stop::Short)?);
    if count == 0 {
        return Err(Stop::Refused(Error::Malformed { field: "list of encrypted data keys", reason: "it is empty" }));
    }
    if let Some(max) = max.filter(|max| count > *max) {
        return Err(Stop::Refused(Error::TooManyDataKeys { count, max }));
    }
    let mut keys = Vec::new();
    for _ in 0..count {
        let provider_id = cursor.counted().ok_or(Stop::Short)?.to_vec();
        let provider_id = String::from_utf8(provider_id)
            .map_err(|_| Error::Malformed { field: "key provider", reason: "it is not UTF-8" })?;
        let provider_info = cursor.counted().ok_or(Stop::Short)?.to_vec();
        let ciphertext = cursor.counted().ok_or(Stop::Short)?.to_vec();
        keys.push(EncryptedDataKey { provider_id, provider_info, ciphertext });
    }
    Ok(keys)
}

/// Reads from `source` into `buffer`, which may hold a beginning already, until it holds the header. Does not wait
/// for more than that.
pub(crate) fn read(mut source: impl Read, buffer: &mut Vec<u8>, data_keys_max: Option<usize>) -> Result<Parsed, Error> {
    loop {
        if let Some(parsed) = parse(buffer, data_keys_max)? {
            return Ok(parsed);
        }
        let have = buffer.len();
        buffer.resize(have + next_read(have), 0);
        let read = source.read(buffer.get_mut(have..).unwrap_or_default());
        buffer.truncate(have + read.as_ref().map_or(0, |read| *read));
        match read {
            Ok(0) => return Err(Error::Truncated { part: Part::Header }),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// How many bytes to read after `have` that hold no whole header.
pub(crate) fn next_read(have: usize) -> usize {
    have.max(FIRST_READ)
}

#[cfg(test)]
mod tests;
