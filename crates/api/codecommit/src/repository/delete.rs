//! `DeleteRepository`.
//!
//! Needs no use of the repository's KMS key: one whose key is gone could not be removed otherwise.

use service::{AuditClass, Call, Permit, ResourceOperation};

use super::RepositoryInput;
use super::purge::DeletedRecord;
use crate::CodeCommit;
use crate::access::Maybe;
use crate::error::CodeCommitError;
use crate::record::template::Association;
use crate::record::trigger::TriggersRecord;
use crate::record::{NameRecord, RepositoryRecord};

wire::output! {
    pub(crate) struct DeleteRepositoryOutput {
        "repositoryId" repository_id: String, optional;
    }
}

/// Deletes a repository. One that is not there is none after that as well.
pub(crate) struct DeleteRepository;

impl ResourceOperation for DeleteRepository {
    type On = Maybe;
    const NAME: &'static str = "DeleteRepository";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = RepositoryInput;
    type Output = DeleteRepositoryOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    async fn run(
        _: Self::Input,
        found: &Permit<Maybe>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let Some(found) = &found.0 else { return Ok(DeleteRepositoryOutput { repository_id: None }) };
        let (domain, id) = (found.domain(), found.id.clone());
        let git = call.service.git.clone();
        let removed = move |tx: &mut store::Tx<'_>| {
            // Its name as it is by now.
            let Some(record) = tx.get::<RepositoryRecord>(&domain, &id)? else { return Ok(None) };
            tx.delete::<NameRecord>(&domain, &record.name)?;
            tx.delete::<RepositoryRecord>(&domain, &id)?;
            tx.delete::<TriggersRecord>(&id, "")?;
            for template in &record.templates {
                tx.index_mut::<Association>(template).remove(id.as_bytes())?;
            }
            git.remove(tx, &id)?;
            tx.put("", &id, &DeletedRecord { id: id.clone(), domain })?;
            Ok::<_, CodeCommitError>(Some(id))
        };
        let repository_id = call.write(&call.service.store, removed).await?;
        Ok(DeleteRepositoryOutput { repository_id })
    }
}
