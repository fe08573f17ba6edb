//! A key service as this library sees it: AWS KMS, or whatever speaks its protocol. Others bring the HTTP.

mod key_arn;

use std::sync::Arc;

use crypto::SecretBytes;
pub(crate) use key_arn::{KeyArn, Resource, multi_region_match};

use crate::EncryptionContext;
use crate::keyring::Pending;

/// Error of a call to a key service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct KmsError {
    /// The exception's name, such as `AccessDeniedException`; or `Unreachable` and the like from the client.
    pub code: String,
    /// Message of the service, or of the client.
    pub message: String,
}

impl KmsError {
    /// Puts an error together.
    #[must_use]
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }

    fn unsupported(operation: &str) -> Self {
        Self::new("Unsupported", format!("this client does not call {operation}"))
    }
}

/// A request for a data key under a KMS key.
#[derive(Clone, Copy, Debug)]
pub struct GenerateDataKey<'a> {
    /// The KMS key: identifier, ARN, alias or alias ARN.
    pub key_id: &'a str,
    /// The data key's length in bytes.
    pub bytes: usize,
    /// The encryption context, to be authenticated.
    pub context: &'a EncryptionContext,
    /// Grant tokens.
    pub grant_tokens: &'a [String],
}

/// A data key, in plaintext and encrypted.
pub struct GeneratedDataKey {
    /// The plaintext.
    pub plaintext: SecretBytes,
    /// The ciphertext.
    pub ciphertext: Vec<u8>,
    /// The ARN of the KMS key that encrypted it.
    pub key_id: String,
}

/// A request to encrypt a data key under a KMS key.
#[derive(Clone, Copy)]
pub struct Encrypt<'a> {
    /// The KMS key: identifier, ARN, alias or alias ARN.
    pub key_id: &'a str,
    /// The plaintext.
    pub plaintext: &'a [u8],
    /// The encryption context, to be authenticated.
    pub context: &'a EncryptionContext,
    /// Grant tokens.
    pub grant_tokens: &'a [String],
}

/// Something encrypted.
#[derive(Clone, Debug)]
pub struct Encrypted {
    /// The ciphertext.
    pub ciphertext: Vec<u8>,
    /// The ARN of the KMS key that encrypted it.
    pub key_id: String,
}

/// A request to decrypt.
#[derive(Clone, Copy, Debug)]
pub struct Decrypt<'a> {
    /// The KMS key: identifier, ARN, alias or alias ARN. It has to be the one that encrypted.
    pub key_id: &'a str,
    /// The ciphertext.
    pub ciphertext: &'a [u8],
    /// The encryption context that was authenticated.
    pub context: &'a EncryptionContext,
    /// The encryption algorithm of an asymmetric key, `RSAES_OAEP_SHA_256` for instance.
    pub algorithm: Option<&'static str>,
    /// Grant tokens.
    pub grant_tokens: &'a [String],
}

/// Something decrypted.
pub struct Decrypted {
    /// The plaintext.
    pub plaintext: SecretBytes,
    /// The ARN of the KMS key that decrypted it.
    pub key_id: String,
}

/// A request to encrypt anew under the same KMS key and another encryption context.
#[derive(Clone, Copy, Debug)]
pub struct ReEncrypt<'a> {
    /// The KMS key that encrypted and is to encrypt.
    pub key_id: &'a str,
    /// The ciphertext.
    pub ciphertext: &'a [u8],
    /// The encryption context that was authenticated.
    pub from: &'a EncryptionContext,
    /// The encryption context to be authenticated.
    pub to: &'a EncryptionContext,
    /// Grant tokens.
    pub grant_tokens: &'a [String],
}

/// A request for the secret that a KMS key shares with a public key.
#[derive(Clone, Copy, Debug)]
pub struct DeriveSharedSecret<'a> {
    /// The KMS key.
    pub key_id: &'a str,
    /// The other party's public key, a SubjectPublicKeyInfo in DER.
    pub public_key: &'a [u8],
    /// Grant tokens.
    pub grant_tokens: &'a [String],
}

/// A request for the public key of a KMS key.
#[derive(Clone, Copy, Debug)]
pub struct GetPublicKey<'a> {
    /// The KMS key.
    pub key_id: &'a str,
    /// Grant tokens.
    pub grant_tokens: &'a [String],
}

/// A client of a key service in one region.
///
/// The first three operations serve most keyrings; the others are needed by the keyrings that their documentation
/// names.
///
/// Source: AWS KMS API Reference.
pub trait KmsClient: Send + Sync {
    /// `GenerateDataKey`.
    fn generate_data_key<'a>(&'a self, request: GenerateDataKey<'a>)
    -> Pending<'a, Result<GeneratedDataKey, KmsError>>;

    /// `Encrypt`.
    fn encrypt<'a>(&'a self, request: Encrypt<'a>) -> Pending<'a, Result<Encrypted, KmsError>>;

    /// `Decrypt`.
    fn decrypt<'a>(&'a self, request: Decrypt<'a>) -> Pending<'a, Result<Decrypted, KmsError>>;

    /// `GenerateDataKeyWithoutPlaintext`, for stores of branch keys.
    fn generate_data_key_without_plaintext<'a>(
        &'a self,
        _request: GenerateDataKey<'a>,
    ) -> Pending<'a, Result<Encrypted, KmsError>> {
        Box::pin(std::future::ready(Err(KmsError::unsupported("GenerateDataKeyWithoutPlaintext"))))
    }

    /// `ReEncrypt`, for stores of branch keys.
    fn re_encrypt<'a>(&'a self, _request: ReEncrypt<'a>) -> Pending<'a, Result<Encrypted, KmsError>> {
        Box::pin(std::future::ready(Err(KmsError::unsupported("ReEncrypt"))))
    }

    /// `DeriveSharedSecret` by `ECDH`, for key agreement.
    fn derive_shared_secret<'a>(
        &'a self,
        _request: DeriveSharedSecret<'a>,
    ) -> Pending<'a, Result<SecretBytes, KmsError>> {
        Box::pin(std::future::ready(Err(KmsError::unsupported("DeriveSharedSecret"))))
    }

    /// `GetPublicKey`, for key agreement and RSA: a SubjectPublicKeyInfo in DER.
    fn get_public_key<'a>(&'a self, _request: GetPublicKey<'a>) -> Pending<'a, Result<Vec<u8>, KmsError>> {
        Box::pin(std::future::ready(Err(KmsError::unsupported("GetPublicKey"))))
    }
}

/// A source of clients by region. Closures are such sources.
pub trait ClientSource: Send + Sync {
    /// A client for `region`.
    ///
    /// # Errors
    /// When there is none for that region.
    fn client(&self, region: &str) -> Result<Arc<dyn KmsClient>, KmsError>;
}

impl<F: Fn(&str) -> Result<Arc<dyn KmsClient>, KmsError> + Send + Sync> ClientSource for F {
    fn client(&self, region: &str) -> Result<Arc<dyn KmsClient>, KmsError> {
        self(region)
    }
}
