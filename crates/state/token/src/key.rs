//! AES-256 keys in a token: what they must be, and sealing and opening with them.

use cryptoki::error::Error;
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;

use crypto::{SecretBytes, random_bytes};

/// Bytes of a tag.
pub const TAG_LENGTH: usize = 16;

/// Bytes of the nonces that are made here.
const NONCE_LENGTH: usize = 12;

/// Bytes of a key.
const KEY_LENGTH: u64 = 32;

/// Parts of a plaintext sealed with AES-GCM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedParts {
    /// The nonce: ours, or the token's where it insists on its own.
    pub nonce: Vec<u8>,
    /// As long as the plaintext.
    pub ciphertext: Vec<u8>,
    /// The tag.
    pub tag: [u8; TAG_LENGTH],
}

/// Attributes of a key, as the token reports them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyFacts {
    /// Whether it is an AES key of 256 bits.
    pub aes_256: bool,
    /// Whether it may encrypt.
    pub encrypts: bool,
    /// Whether it may decrypt.
    pub decrypts: bool,
    /// Whether its value is hidden and always was.
    pub sensitive: bool,
    /// Whether its value can be wrapped and taken out.
    pub extractable: bool,
}

impl KeyFacts {
    /// Whether the key does all that a key store asks of it.
    #[must_use]
    pub const fn serves(&self) -> bool {
        self.aes_256 && self.encrypts && self.decrypts
    }
}

/// Makes a key of this label in the token.
pub(crate) fn generate(session: &Session, label: &str) -> Result<ObjectHandle, Error> {
    session.generate_key(
        &Mechanism::AesKeyGen,
        &[
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::ValueLen(KEY_LENGTH.into()),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            Attribute::Sign(false),
            Attribute::Verify(false),
            Attribute::Wrap(false),
            Attribute::Unwrap(false),
            Attribute::Derive(false),
            Attribute::Label(label.as_bytes().to_vec()),
            Attribute::Id(label.as_bytes().to_vec()),
        ],
    )
}

/// Every secret key of this label.
pub(crate) fn find(session: &Session, label: &str) -> Result<Vec<ObjectHandle>, Error> {
    session.find_objects(&[
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::Token(true),
        Attribute::Label(label.as_bytes().to_vec()),
    ])
}

/// Reads the key's attributes from the token.
pub(crate) fn facts(session: &Session, key: ObjectHandle) -> Result<KeyFacts, Error> {
    let attributes = session.get_attributes(
        key,
        &[
            AttributeType::KeyType,
            AttributeType::ValueLen,
            AttributeType::Encrypt,
            AttributeType::Decrypt,
            AttributeType::Sensitive,
            AttributeType::AlwaysSensitive,
            AttributeType::Extractable,
        ],
    )?;
    // An attribute that the token does not report counts against the key.
    let has = |wanted: Attribute| attributes.contains(&wanted);
    Ok(KeyFacts {
        aes_256: has(Attribute::KeyType(KeyType::AES)) && has(Attribute::ValueLen(KEY_LENGTH.into())),
        encrypts: has(Attribute::Encrypt(true)),
        decrypts: has(Attribute::Decrypt(true)),
        sensitive: has(Attribute::Sensitive(true)) && has(Attribute::AlwaysSensitive(true)),
        extractable: !has(Attribute::Extractable(false)),
    })
}

/// Seals under a random nonce. A token that makes its own nonces writes it over ours.
pub(crate) fn seal(session: &Session, key: ObjectHandle, aad: &[u8], plaintext: &[u8]) -> Result<SealedParts, Error> {
    let mut nonce = vec![0; NONCE_LENGTH];
    random_bytes(&mut nonce);
    let params = GcmParams::new(&mut nonce, aad, tag_bits())?;
    let mut ciphertext = session.encrypt(&Mechanism::AesGcm(params), key, plaintext)?;
    let tag = ciphertext.last_chunk::<TAG_LENGTH>().copied();
    match tag {
        Some(tag) if ciphertext.len() == plaintext.len() + TAG_LENGTH => {
            ciphertext.truncate(plaintext.len());
            Ok(SealedParts { nonce, ciphertext, tag })
        }
        _ => Err(Error::InvalidValue),
    }
}

/// Opens what was sealed with the same nonce and associated data.
pub(crate) fn open(
    session: &Session,
    key: ObjectHandle,
    aad: &[u8],
    sealed: &SealedParts,
) -> Result<SecretBytes, Error> {
    let mut nonce = sealed.nonce.clone();
    let params = GcmParams::new(&mut nonce, aad, tag_bits())?;
    let joined = [sealed.ciphertext.as_slice(), &sealed.tag].concat();
    let plaintext = SecretBytes::from(session.decrypt(&Mechanism::AesGcm(params), key, &joined)?);
    if plaintext.len() == sealed.ciphertext.len() { Ok(plaintext) } else { Err(Error::InvalidValue) }
}

fn tag_bits() -> cryptoki::types::Ulong {
    const BITS: u64 = 8 * TAG_LENGTH as u64;
    BITS.into()
}
