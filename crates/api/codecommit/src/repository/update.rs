//! `UpdateRepositoryDescription`, `UpdateRepositoryName` and `UpdateRepositoryEncryptionKey`.

use service::{AuditClass, Call, Need, Permit, ResourceOperation};
use store::Tx;
use wire::Blob;

use super::check_new_name;
use crate::CodeCommit;
use crate::access::{Named, Opened, need_of_name, reseal};
use crate::error::{CodeCommitError, Refusal};
use crate::record::{NameRecord, RepositoryRecord};
use crate::rules::{DESCRIPTION, KMS_KEY, KMS_KEY_LENGTH, NAME, NAME_PATTERN};

wire::shape! {
    pub(crate) struct UpdateRepositoryDescriptionInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "repositoryDescription" repository_description: String, optional, [DESCRIPTION];
    }
}

/// Changes a repository's description, or takes it away.
pub(crate) struct UpdateRepositoryDescription;

impl ResourceOperation for UpdateRepositoryDescription {
    type On = Opened;
    const NAME: &'static str = "UpdateRepositoryDescription";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateRepositoryDescriptionInput;
    type Output = ();

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let now = call.now;
        let change = move |record: &mut RepositoryRecord, _: &mut Tx<'_>| {
            record.description = input.repository_description.filter(|text| !text.is_empty());
            record.modified = now;
            Ok(())
        };
        call.service.change(call, found, change).await
    }
}

wire::shape! {
    pub(crate) struct UpdateRepositoryNameInput {
        "oldName" old_name: String, required, [NAME, NAME_PATTERN];
        "newName" new_name: String, required, [NAME, NAME_PATTERN];
    }
}

/// Renames a repository, which keeps its id.
pub(crate) struct UpdateRepositoryName;

impl ResourceOperation for UpdateRepositoryName {
    type On = Named;
    const NAME: &'static str = "UpdateRepositoryName";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateRepositoryNameInput;
    type Output = ();

    fn key(input: &Self::Input) -> &str {
        &input.old_name
    }

    /// The right on the new name as well: a name is what policies go by.
    fn further_needs<'n>(
        input: &'n Self::Input,
        _: Option<&'n Named>,
        call: &'n Call<'_, CodeCommit>,
    ) -> Vec<Need<'n>> {
        vec![need_of_name(&input.new_name, <Self as ResourceOperation>::ACTION, call)]
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Named>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let (new, now) = (input.new_name, call.now);
        check_new_name(&new)?;
        let change = move |record: &mut RepositoryRecord, tx: &mut Tx<'_>| {
            let domain = record.domain();
            if tx.get::<NameRecord>(&domain, &new)?.is_some() {
                return Err(Refusal::RepositoryNameExists { name: new }.into());
            }
            tx.delete::<NameRecord>(&domain, &record.name)?;
            tx.insert(&domain, &new, &NameRecord { name: new.clone(), id: record.id.clone() })?;
            (record.name, record.modified) = (new, now);
            Ok(())
        };
        call.service.change(call, found, change).await
    }
}

wire::shape! {
    pub(crate) struct UpdateRepositoryEncryptionKeyInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "kmsKeyId" kms_key_id: String, required, [KMS_KEY_LENGTH, KMS_KEY];
    }
}

wire::output! {
    pub(crate) struct UpdateRepositoryEncryptionKeyOutput {
        "repositoryId" repository_id: String, required;
        "kmsKeyId" kms_key_id: String, required;
        "originalKmsKeyId" original_kms_key_id: String, required;
    }
}

/// Seals a repository's data key under another KMS key. What the data key seals is not written again.
pub(crate) struct UpdateRepositoryEncryptionKey;

impl ResourceOperation for UpdateRepositoryEncryptionKey {
    type On = Named;
    const NAME: &'static str = "UpdateRepositoryEncryptionKey";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateRepositoryEncryptionKeyInput;
    type Output = UpdateRepositoryEncryptionKeyOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Named>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let resealed = reseal(found, &input.kms_key_id, call).await?;
        let (kms_key_id, before, now) = (resealed.key_arn.clone(), found.data_key.clone(), call.now);
        let change = move |record: &mut RepositoryRecord, _: &mut Tx<'_>| {
            if record.data_key != before {
                return Err(Refusal::OperationNotAllowed { reason: "the key was changed by another call" }.into());
            }
            (record.data_key, record.key_arn) = (Blob(resealed.sealed), resealed.key_arn);
            record.modified = now;
            Ok(())
        };
        call.service.change(call, found, change).await?;
        Ok(UpdateRepositoryEncryptionKeyOutput {
            repository_id: found.id.clone(),
            kms_key_id,
            original_kms_key_id: found.key_arn.clone(),
        })
    }
}
