//! Data keys for stores that seal their contents under KMS keys which the caller must hold.

use crypto::Key256;
use wire::Fault;

use crate::maybe_ready::BoxFuture;
use crate::perform::Behalf;

/// A data key in both forms.
pub struct DataKey {
    /// The key itself.
    pub key: Key256,
    /// The key encrypted under the KMS key, to be stored beside what it seals. At most 6144 bytes.
    pub sealed: Vec<u8>,
    /// The ARN of the KMS key.
    pub key_arn: String,
}

/// A data key as it is stored.
pub struct SealedDataKey {
    /// The key encrypted under the KMS key. At most 6144 bytes.
    pub sealed: Vec<u8>,
    /// The ARN of the KMS key.
    pub key_arn: String,
}

/// The encryption context of a data key: set by the server, never by the caller, and the same when the key is opened.
pub type DataKeyContext<'a> = &'a [(&'a str, &'a str)];

/// Generates and opens data keys as the caller. `kms` implements it.
///
/// The caller needs `kms:GenerateDataKey` or `kms:Decrypt` on the KMS key. Policies see `kms:ViaService` and
/// `kms:EncryptionContext:…`, and each use is in the audit trail as a call of its own.
pub trait DataKeys: Send + Sync + 'static {
    /// Generates a 256-bit data key under `key`: an id, an ARN or an alias.
    ///
    /// # Errors
    /// The fault of `GenerateDataKey`, in awsJson's wording: `AccessDeniedException` for a caller without permission.
    fn generate<'a>(
        &'a self,
        behalf: Behalf<'a>,
        key: &'a str,
        context: DataKeyContext<'a>,
    ) -> BoxFuture<'a, Result<DataKey, Fault>>;

    /// Opens a data key that [`generate`](Self::generate) sealed under the KMS key `key_arn`.
    ///
    /// # Errors
    /// The fault of `Decrypt`, in awsJson's wording: `AccessDeniedException` for a caller without permission,
    /// `InvalidCiphertextException` for another context or damaged bytes, `DisabledException` for a disabled key.
    fn open<'a>(
        &'a self,
        behalf: Behalf<'a>,
        sealed: &'a [u8],
        key_arn: &'a str,
        context: DataKeyContext<'a>,
    ) -> BoxFuture<'a, Result<Key256, Fault>>;

    /// Seals a data key under another KMS key, `to`: an id, an ARN or an alias. The data key stays the same, so that
    /// nothing that it seals has to be written again. The caller needs `kms:ReEncryptFrom` and `kms:ReEncryptTo`.
    ///
    /// # Errors
    /// The fault of `ReEncrypt`, in awsJson's wording.
    fn reseal<'a>(
        &'a self,
        behalf: Behalf<'a>,
        sealed: &'a [u8],
        key_arn: &'a str,
        to: &'a str,
        context: DataKeyContext<'a>,
    ) -> BoxFuture<'a, Result<SealedDataKey, Fault>>;
}
