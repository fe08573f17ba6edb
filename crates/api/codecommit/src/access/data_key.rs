//! A repository's data key: generated, opened and moved to another KMS key as the caller of the operation.

use crypto::Key256;
use service::Call;
use service::ports::{DataKey, SealedDataKey};

use crate::CodeCommit;
use crate::error::{CodeCommitError, KeyFault};
use crate::record::RepositoryRecord;

/// The service that calls KMS for the caller.
pub(crate) const SERVICE: &str = "codecommit.amazonaws.com";

/// The key of the encryption context; its value is the repository's id.
///
/// Source: AWS CodeCommit User Guide, "AWS Key Management Service and encryption for AWS CodeCommit repositories".
pub(crate) const CONTEXT_KEY: &str = "aws:codecommit:id";

/// The KMS key of a repository that names none.
pub(crate) const DEFAULT_KEY: &str = "alias/aws/codecommit";

/// Generates the data key of a new repository.
///
/// # Errors
/// [`CodeCommitError::Key`].
pub(crate) async fn generate(key: &str, id: &str, call: &Call<'_, CodeCommit>) -> Result<DataKey, CodeCommitError> {
    let origin = call.origin_via(SERVICE);
    let generated = call.service.data_keys.generate(call.behalf(&origin), key, &[(CONTEXT_KEY, id)]).await;
    generated.map_err(|fault| KeyFault::of(fault).into())
}

/// Opens the data key of a repository.
///
/// # Errors
/// [`CodeCommitError::Key`].
pub(crate) async fn open(
    repository: &RepositoryRecord,
    call: &Call<'_, CodeCommit>,
) -> Result<Key256, CodeCommitError> {
    let origin = call.origin_via(SERVICE);
    let (behalf, context) = (call.behalf(&origin), [(CONTEXT_KEY, repository.id.as_str())]);
    let opened = call.service.data_keys.open(behalf, &repository.data_key.0, &repository.key_arn, &context).await;
    opened.map_err(|fault| KeyFault::of(fault).into())
}

/// Seals the data key of a repository under another KMS key.
///
/// # Errors
/// [`CodeCommitError::Key`].
pub(crate) async fn reseal(
    repository: &RepositoryRecord,
    to: &str,
    call: &Call<'_, CodeCommit>,
) -> Result<SealedDataKey, CodeCommitError> {
    let origin = call.origin_via(SERVICE);
    let (behalf, context) = (call.behalf(&origin), [(CONTEXT_KEY, repository.id.as_str())]);
    let data_keys = &call.service.data_keys;
    let resealed = data_keys.reseal(behalf, &repository.data_key.0, &repository.key_arn, to, &context).await;
    resealed.map_err(|fault| KeyFault::of(fault).into())
}
