//! Functions of aws-lc that aws-lc-rs does not offer: Ed25519ph, ML-DSA over a message representative that the caller
//! computed, the encodings of ML-KEM's private keys, and HMAC's states of a key.
//!
//! Calls C functions, so it is unsafe; what it offers is not. Everything that goes in is a slice of a length that was
//! checked, everything that comes out is owned, and every object is freed by its owner's drop.
#![allow(
    unsafe_code,
    reason = "these functions have no safe interface, and a second implementation would hold private keys"
)]

use std::mem::MaybeUninit;
use std::ptr::{NonNull, null, null_mut};

use aws_lc_sys::{
    CBS, ED25519ph_sign, ED25519ph_verify, EVP_PKEY, EVP_PKEY_CTX, EVP_PKEY_CTX_free, EVP_PKEY_CTX_new, EVP_PKEY_KEM,
    EVP_PKEY_free, EVP_PKEY_get_raw_private_key, EVP_PKEY_get_raw_public_key, EVP_PKEY_id,
    EVP_PKEY_pqdsa_new_raw_private_key, EVP_PKEY_pqdsa_new_raw_public_key, EVP_PKEY_sign, EVP_PKEY_sign_init,
    EVP_PKEY_verify, EVP_PKEY_verify_init, EVP_parse_private_key, EVP_sha256, HMAC_CTX, HMAC_CTX_cleanup,
    HMAC_CTX_init, HMAC_Final, HMAC_Init_ex, HMAC_Init_from_precomputed_key, HMAC_Update, HMAC_get_precomputed_key,
    HMAC_set_precomputed_key_export, NID_MLDSA44, NID_MLDSA65, NID_MLDSA87,
};

use crate::{CryptoError, SecretBytes};

/// The length of an ML-DSA message representative in bytes (FIPS 204, algorithm 7).
pub(crate) const MU_LENGTH: usize = 64;

/// A parameter set of ML-DSA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MlDsa {
    MlDsa44,
    MlDsa65,
    MlDsa87,
}

impl MlDsa {
    const fn nid(self) -> i32 {
        match self {
            Self::MlDsa44 => NID_MLDSA44,
            Self::MlDsa65 => NID_MLDSA65,
            Self::MlDsa87 => NID_MLDSA87,
        }
    }

    /// The length of a signature in bytes (FIPS 204, table 2).
    pub(crate) const fn signature_length(self) -> usize {
        match self {
            Self::MlDsa44 => 2420,
            Self::MlDsa65 => 3309,
            Self::MlDsa87 => 4627,
        }
    }
}

/// A parameter set of ML-KEM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MlKem {
    MlKem512,
    MlKem768,
    MlKem1024,
}

impl MlKem {
    /// The lengths of encapsulation and decapsulation key in bytes (FIPS 203, table 3).
    pub(crate) const fn key_lengths(self) -> (usize, usize) {
        match self {
            Self::MlKem512 => (800, 1632),
            Self::MlKem768 => (1184, 2400),
            Self::MlKem1024 => (1568, 3168),
        }
    }
}

/// Signs with Ed25519ph and an empty context (RFC 8032, section 5.1). The private key is the seed and the public key.
pub(crate) fn ed25519ph_sign(private: &[u8; 64], message: &[u8]) -> Result<[u8; 64], CryptoError> {
    let mut signature = [0; 64];
    // SAFETY: signature and private key have the 64 bytes that the function takes, the message has its own length, and
    // an empty context may be null.
    let done =
        unsafe { ED25519ph_sign(signature.as_mut_ptr(), message.as_ptr(), message.len(), private.as_ptr(), null(), 0) };
    if done == 1 { Ok(signature) } else { Err(CryptoError::Key) }
}

/// Verifies an Ed25519ph signature with an empty context.
pub(crate) fn ed25519ph_verify(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> Result<(), CryptoError> {
    // SAFETY: signature and public key have the 64 and 32 bytes that the function takes, the message has its own length,
    // and an empty context may be null.
    let valid =
        unsafe { ED25519ph_verify(message.as_ptr(), message.len(), signature.as_ptr(), public.as_ptr(), null(), 0) };
    if valid == 1 { Ok(()) } else { Err(CryptoError::NotAuthentic) }
}

/// Signs a message representative with an ML-DSA private key in its expanded form.
pub(crate) fn ml_dsa_sign_mu(set: MlDsa, private: &[u8], mu: &[u8; MU_LENGTH]) -> Result<Vec<u8>, CryptoError> {
    // SAFETY: the slice has its own length, and its bytes are copied.
    let key = Key::owned(unsafe { EVP_PKEY_pqdsa_new_raw_private_key(set.nid(), private.as_ptr(), private.len()) })?;
    let context = Context::of(&key)?;
    let mut signature = vec![0; set.signature_length()];
    let mut length = signature.len();
    // SAFETY: the context lives and has a key; `length` says how much room the signature has.
    let done = unsafe {
        EVP_PKEY_sign_init(context.0.as_ptr()) == 1
            && EVP_PKEY_sign(context.0.as_ptr(), signature.as_mut_ptr(), &raw mut length, mu.as_ptr(), mu.len()) == 1
    };
    if done && length == signature.len() { Ok(signature) } else { Err(CryptoError::Key) }
}

/// Verifies an ML-DSA signature over a message representative under a raw public key.
pub(crate) fn ml_dsa_verify_mu(
    set: MlDsa,
    public: &[u8],
    mu: &[u8; MU_LENGTH],
    signature: &[u8],
) -> Result<(), CryptoError> {
    // SAFETY: the slice has its own length, and its bytes are copied.
    let key = Key::owned(unsafe { EVP_PKEY_pqdsa_new_raw_public_key(set.nid(), public.as_ptr(), public.len()) })?;
    let context = Context::of(&key)?;
    // SAFETY: the context lives and has a key; the slices have their own lengths.
    let valid = unsafe {
        EVP_PKEY_verify_init(context.0.as_ptr()) == 1
            && EVP_PKEY_verify(context.0.as_ptr(), signature.as_ptr(), signature.len(), mu.as_ptr(), mu.len()) == 1
    };
    if valid { Ok(()) } else { Err(CryptoError::NotAuthentic) }
}

/// The raw encapsulation and decapsulation keys of a PKCS#8 key that holds the seed of both.
pub(crate) fn ml_kem_read(set: MlKem, pkcs8: &[u8]) -> Result<(Vec<u8>, SecretBytes), CryptoError> {
    let mut input = CBS { data: pkcs8.as_ptr(), len: pkcs8.len() };
    // SAFETY: the input says where the slice is and how long, and it outlives the call, which copies what it keeps.
    let key = Key::owned(unsafe { EVP_parse_private_key(&raw mut input) })?;
    let (public_length, private_length) = set.key_lengths();
    let (mut public, mut private) = (vec![0; public_length], SecretBytes::from(vec![0; private_length]));
    let (mut written_public, mut written_private) = (public.len(), private.len());
    let out = private.expose_mut().as_mut_ptr();
    // SAFETY: the key lives, and the lengths say how much room the buffers have.
    let written = unsafe {
        EVP_PKEY_id(key.0.as_ptr()) == EVP_PKEY_KEM
            && EVP_PKEY_get_raw_public_key(key.0.as_ptr(), public.as_mut_ptr(), &raw mut written_public) == 1
            && EVP_PKEY_get_raw_private_key(key.0.as_ptr(), out, &raw mut written_private) == 1
    };
    if written && (written_public, written_private) == (public_length, private_length) {
        Ok((public, private))
    } else {
        Err(CryptoError::Key)
    }
}

/// HMAC-SHA256's states of a key: the hash's states behind the inner and the outer padding (RFC 2104, section 4). As
/// secret as the key.
pub(crate) type HmacState = [[u8; 32]; 2];

/// Fills `state` with what HMAC-SHA256 keeps of a key of any length.
pub(crate) fn hmac_sha256_state(key: &[u8], state: &mut HmacState) -> Result<(), CryptoError> {
    let mut context = HmacContext::new();
    let mut length = size_of_val(state);
    // SAFETY: the context is initialised, the key has its own length, and `length` says how much room the state has.
    let done = unsafe {
        HMAC_Init_ex(context.pointer(), key.as_ptr().cast(), key.len(), EVP_sha256(), null_mut()) == 1
            && HMAC_set_precomputed_key_export(context.pointer()) == 1
            && HMAC_get_precomputed_key(context.pointer(), state.as_mut_ptr().cast(), &raw mut length) == 1
    };
    if done && length == size_of_val(state) { Ok(()) } else { Err(CryptoError::Key) }
}

/// Writes the tag of the parts, as if they were one message, under the key of `state`.
pub(crate) fn hmac_sha256(state: &HmacState, parts: &[&[u8]], tag: &mut [u8; 32]) -> Result<(), CryptoError> {
    let mut context = HmacContext::new();
    // SAFETY: the context is initialised, the state has the given length, and it outlives the call.
    let mut done = unsafe {
        HMAC_Init_from_precomputed_key(context.pointer(), state.as_ptr().cast(), size_of_val(state), EVP_sha256()) == 1
    };
    for part in parts {
        // SAFETY: the context is initialised, and the part has its own length.
        done &= unsafe { HMAC_Update(context.pointer(), part.as_ptr(), part.len()) } == 1;
    }
    // SAFETY: the context is initialised, and a tag has the 32 bytes that SHA-256 writes; their number may go untold.
    done &= unsafe { HMAC_Final(context.pointer(), tag.as_mut_ptr(), null_mut()) } == 1;
    if done { Ok(()) } else { Err(CryptoError::Key) }
}

/// An HMAC in progress, cleared when dropped. It is not moved once it holds anything.
struct HmacContext(MaybeUninit<HMAC_CTX>);

impl HmacContext {
    fn new() -> Self {
        let mut context = MaybeUninit::uninit();
        // SAFETY: the function writes the whole context and reads nothing of it.
        unsafe { HMAC_CTX_init(context.as_mut_ptr()) };
        Self(context)
    }

    const fn pointer(&mut self) -> *mut HMAC_CTX {
        self.0.as_mut_ptr()
    }
}

impl Drop for HmacContext {
    fn drop(&mut self) {
        // SAFETY: the context was initialised, and is not used after this.
        unsafe { HMAC_CTX_cleanup(self.pointer()) }
    }
}

/// A key object and its only owner.
struct Key(NonNull<EVP_PKEY>);

impl Key {
    fn owned(key: *mut EVP_PKEY) -> Result<Self, CryptoError> {
        NonNull::new(key).map(Self).ok_or(CryptoError::Key)
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: the object is ours and is not used after this. Freeing it clears private keys.
        unsafe { EVP_PKEY_free(self.0.as_ptr()) }
    }
}

/// An operation in progress and its only owner.
struct Context(NonNull<EVP_PKEY_CTX>);

impl Context {
    fn of(key: &Key) -> Result<Self, CryptoError> {
        // SAFETY: the key lives, the context takes a share in it, and no engine is given.
        let context = unsafe { EVP_PKEY_CTX_new(key.0.as_ptr(), null_mut()) };
        NonNull::new(context).map(Self).ok_or(CryptoError::Key)
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the object is ours and is not used after this.
        unsafe { EVP_PKEY_CTX_free(self.0.as_ptr()) }
    }
}
