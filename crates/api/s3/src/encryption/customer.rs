//! Keys that callers send with their requests (SSE-C): used for the request and forgotten.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::Key256;
use md5::{Digest as _, Md5};
use wire::SecretText;
use zeroize::Zeroizing;

use crate::error::{Refusal, S3Error};

/// The headers of a request that bring a key.
#[derive(Clone, Copy, Default)]
pub(crate) struct CustomerHeaders<'a> {
    pub(crate) algorithm: Option<&'a str>,
    pub(crate) key: Option<&'a SecretText>,
    pub(crate) md5: Option<&'a str>,
}

/// A key that a caller sent, and its digest, which answers show.
pub(crate) struct CustomerKey {
    pub(crate) key: Key256,
    pub(crate) md5: String,
}

impl CustomerHeaders<'_> {
    /// The key, if the request brings one.
    ///
    /// # Errors
    /// [`Refusal::InvalidArgument`] for headers that do not make one; [`Refusal::InvalidRequest`] over a connection that others
    /// can read.
    pub(crate) fn read(self, secure: bool) -> Result<Option<CustomerKey>, S3Error> {
        let Self { algorithm, key, md5 } = self;
        if algorithm.is_none() && key.is_none() && md5.is_none() {
            return Ok(None);
        }
        if !secure {
            let reason = "Requests specifying Server Side Encryption with Customer provided keys must be made over a \
                          secure connection.";
            return Err(Refusal::InvalidRequest { reason: reason.to_owned() }.into());
        }
        let refuse = |argument, value: &str, reason: &str| Refusal::InvalidArgument {
            argument,
            value: value.to_owned(),
            reason: reason.to_owned(),
        };
        let Some(algorithm) = algorithm else {
            let reason = "Requests specifying Server Side Encryption with Customer provided keys must provide a valid \
                          encryption algorithm.";
            return Err(refuse("x-amz-server-side-encryption-customer-algorithm", "null", reason).into());
        };
        if algorithm != "AES256" {
            return Err(Refusal::InvalidEncryptionAlgorithmError { value: algorithm.to_owned() }.into());
        }
        let Some(key) = key else {
            let reason = "Requests specifying Server Side Encryption with Customer provided keys must provide an \
                          appropriate secret key.";
            return Err(refuse("x-amz-server-side-encryption-customer-key", "null", reason).into());
        };
        let Some(md5) = md5 else {
            let reason = "Requests specifying Server Side Encryption with Customer provided keys must provide the client \
                          calculated MD5 of the secret key.";
            return Err(refuse("x-amz-server-side-encryption-customer-key-MD5", "null", reason).into());
        };
        let bytes = STANDARD.decode(key.0.as_bytes()).map(Zeroizing::new).ok();
        let Some((bytes, key)) = bytes.and_then(|bytes| Key256::from_slice(&bytes).ok().map(|key| (bytes, key))) else {
            let reason = "The secret key was invalid for the specified algorithm.";
            return Err(refuse("x-amz-server-side-encryption-customer-key", "", reason).into());
        };
        if STANDARD.encode(Md5::digest(&*bytes)) != md5 {
            let reason = "The calculated MD5 hash of the key did not match the hash that was provided.";
            return Err(refuse("x-amz-server-side-encryption-customer-key-MD5", md5, reason).into());
        }
        Ok(Some(CustomerKey { key, md5: md5.to_owned() }))
    }
}
