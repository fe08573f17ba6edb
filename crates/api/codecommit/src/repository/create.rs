//! `CreateRepository`.

use std::collections::{BTreeMap, BTreeSet};

use service::{AuditClass, Call, Need, Permit, ResourceOperation};
use store::Tx;
use wire::Blob;

use super::metadata::{RepositoryMetadata, RepositoryOutput};
use super::{REPOSITORIES_MAX, check_new_name};
use crate::CodeCommit;
use crate::access::{DEFAULT_KEY, Maybe, generate};
use crate::error::{CodeCommitError, Refusal};
use crate::record::{NameRecord, RepositoryRecord, check_tags, domain};
use crate::rules::{DESCRIPTION, KMS_KEY, KMS_KEY_LENGTH, NAME, NAME_PATTERN};

wire::shape! {
    pub(crate) struct CreateRepositoryInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "repositoryDescription" repository_description: String, optional, [DESCRIPTION];
        "tags" tags: BTreeMap<String, String>, default, [];
        "kmsKeyId" kms_key_id: String, optional, [KMS_KEY_LENGTH, KMS_KEY];
    }
}

/// Creates a repository, whose data key the caller seals under a KMS key.
pub(crate) struct CreateRepository;

impl ResourceOperation for CreateRepository {
    type On = Maybe;
    const NAME: &'static str = "CreateRepository";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateRepositoryInput;
    type Output = RepositoryOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Maybe>, need: Need<'n>) -> Need<'n> {
        need.with_many("aws:TagKeys", input.tags.keys().map(String::as_str))
            .with_named("aws:RequestTag/", input.tags.iter().map(|(key, value)| (key, value.as_str())))
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Maybe>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let name = input.repository_name;
        check_new_name(&name)?;
        check_tags(&input.tags)?;
        if found.0.is_some() {
            return Err(Refusal::RepositoryNameExists { name }.into());
        }
        let id = uuid::Uuid::new_v4().to_string();
        let data_key = generate(input.kms_key_id.as_deref().unwrap_or(DEFAULT_KEY), &id, call).await?;
        let record = RepositoryRecord {
            id,
            name,
            account: call.account().to_owned(),
            region: call.region.to_owned(),
            description: input.repository_description.filter(|text| !text.is_empty()),
            created: call.now,
            modified: call.now,
            tags: input.tags,
            data_key: Blob(data_key.sealed),
            key_arn: data_key.key_arn,
            templates: BTreeSet::new(),
        };
        let metadata = RepositoryMetadata::of(&record, None, call);
        let git = call.service.git.clone();
        let make = move |tx: &mut Tx<'_>| {
            insert(tx, &record)?;
            Ok::<_, CodeCommitError>(git.create(tx, &record.id, None)?)
        };
        call.write(&call.service.store, make).await?;
        Ok(RepositoryOutput { repository_metadata: metadata })
    }
}

/// Writes a new repository's records.
fn insert(tx: &mut Tx<'_>, record: &RepositoryRecord) -> Result<(), CodeCommitError> {
    let domain = domain(&record.account, &record.region);
    if tx.get::<NameRecord>(&domain, &record.name)?.is_some() {
        return Err(Refusal::RepositoryNameExists { name: record.name.clone() }.into());
    }
    if tx.page::<NameRecord>(&domain, None, REPOSITORIES_MAX)?.items.len() >= REPOSITORIES_MAX {
        return Err(Refusal::RepositoryLimitExceeded { most: REPOSITORIES_MAX }.into());
    }
    tx.insert(&domain, &record.name, &NameRecord { name: record.name.clone(), id: record.id.clone() })?;
    tx.insert(&domain, &record.id, record)?;
    Ok(())
}
