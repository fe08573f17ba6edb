//! Associations of templates with repositories: one at a time, and in batches.

use service::{AuditClass, Call, Need, Operation, Permit, ResourceOperation, ServiceError as _};
use store::Tx;
use wire::shape::Rule;

use super::{TEMPLATE_NAME, named};
use crate::CodeCommit;
use crate::access::{Named, Opened, need_of_name};
use crate::error::{CodeCommitError, Refusal};
use crate::record::template::Association;
use crate::record::{RepositoryRecord, domain};
use crate::rules::{BATCH_MAX, NAME, NAME_PATTERN, check_batch};

/// How many templates a repository has at most.
const TEMPLATES_MAX: usize = 25;

wire::shape! {
    /// The input of operations on a template and a repository.
    pub(crate) struct AssociationInput {
        "approvalRuleTemplateName" template: String, required, [TEMPLATE_NAME];
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
    }
}

/// Whether an association is made or ended.
#[derive(Clone, Copy)]
enum Change {
    Make,
    End,
}

impl Change {
    /// Makes or ends an association, whether or not there is one.
    async fn apply(
        self,
        template: String,
        repository: &RepositoryRecord,
        call: &Call<'_, CodeCommit>,
    ) -> Result<(), CodeCommitError> {
        let work = move |record: &mut RepositoryRecord, tx: &mut Tx<'_>| {
            let template = named(tx, &record.domain(), &template)?;
            let mut repositories = tx.index_mut::<Association>(&template.id);
            match self {
                Self::Make => {
                    repositories.put(record.id.as_bytes(), &Association {})?;
                    record.templates.insert(template.id);
                    if record.templates.len() > TEMPLATES_MAX {
                        return Err(
                            Refusal::MaximumRuleTemplatesAssociatedWithRepository { most: TEMPLATES_MAX }.into()
                        );
                    }
                }
                Self::End => {
                    repositories.remove(record.id.as_bytes())?;
                    record.templates.remove(&template.id);
                }
            }
            Ok(())
        };
        call.service.change(call, repository, work).await
    }
}

/// Has a template act on new pull requests of a repository.
pub(crate) struct AssociateApprovalRuleTemplateWithRepository;

impl ResourceOperation for AssociateApprovalRuleTemplateWithRepository {
    type On = Opened;
    const NAME: &'static str = "AssociateApprovalRuleTemplateWithRepository";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = AssociationInput;
    type Output = ();

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        Change::Make.apply(input.template, found, call).await
    }
}

/// Ends what [`AssociateApprovalRuleTemplateWithRepository`] began.
pub(crate) struct DisassociateApprovalRuleTemplateFromRepository;

impl ResourceOperation for DisassociateApprovalRuleTemplateFromRepository {
    type On = Opened;
    const NAME: &'static str = "DisassociateApprovalRuleTemplateFromRepository";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = AssociationInput;
    type Output = ();

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        Change::End.apply(input.template, found, call).await
    }
}

wire::shape! {
    /// The input of operations on a template and several repositories.
    pub(crate) struct BatchInput {
        "approvalRuleTemplateName" template: String, required, [TEMPLATE_NAME];
        "repositoryNames" repository_names: Vec<String>, required, [Rule::Each(&[NAME, NAME_PATTERN])];
    }
}

wire::output! {
    /// Why a repository of a batch was left as it is.
    pub(crate) struct BatchError {
        "repositoryName" repository_name: String, required;
        "errorCode" error_code: String, required;
        "errorMessage" error_message: String, required;
    }
}

wire::output! {
    pub(crate) struct BatchAssociateOutput {
        "associatedRepositoryNames" names: Vec<String>, required;
        "errors" errors: Vec<BatchError>, required;
    }
}

wire::output! {
    pub(crate) struct BatchDisassociateOutput {
        "disassociatedRepositoryNames" names: Vec<String>, required;
        "errors" errors: Vec<BatchError>, required;
    }
}

/// The repositories of a batch, as far as they are there.
type Batch = Vec<Option<Named>>;

async fn find(input: &BatchInput, call: &Call<'_, CodeCommit>) -> Result<Batch, CodeCommitError> {
    check_batch(&input.repository_names)?;
    let mut found = Vec::with_capacity(input.repository_names.len());
    for name in &input.repository_names {
        found.push(Named::look_up(name, call).await?);
    }
    let (domain, template) = (domain(call.account(), call.region), input.template.clone());
    call.service.store.read(move |tx| named(tx, &domain, &template).map(drop)).await?;
    Ok(found)
}

fn needs<'n>(
    input: &'n BatchInput,
    found: Option<&'n Batch>,
    action: &'static str,
    call: &'n Call<'_, CodeCommit>,
) -> Vec<Need<'n>> {
    let found = |index: usize| found.and_then(|found| found.get(index)).and_then(Option::as_ref);
    let names = input.repository_names.iter().take(BATCH_MAX).enumerate();
    let needs = names.map(|(index, name)| {
        found(index).map_or_else(|| need_of_name(name, action, call), |found| found.need_of(action))
    });
    let needs: Vec<_> = needs.collect();
    if needs.is_empty() { vec![Need::identity(action, "*")] } else { needs }
}

async fn run(
    change: Change,
    input: BatchInput,
    found: Batch,
    call: &Call<'_, CodeCommit>,
) -> Result<(Vec<String>, Vec<BatchError>), CodeCommitError> {
    let (mut done, mut errors) = (Vec::new(), Vec::new());
    for (repository_name, found) in input.repository_names.into_iter().zip(found) {
        match one(change, &input.template, &repository_name, found, call).await {
            Ok(()) => done.push(repository_name),
            Err(error @ (CodeCommitError::Key(_) | CodeCommitError::Refused(_))) => {
                let fault = error.fault();
                let (error_code, error_message) = (fault.code.to_owned(), fault.message);
                errors.push(BatchError { repository_name, error_code, error_message });
            }
            Err(error) => return Err(error),
        }
    }
    Ok((done, errors))
}

async fn one(
    change: Change,
    template: &str,
    name: &str,
    found: Option<Named>,
    call: &Call<'_, CodeCommit>,
) -> Result<(), CodeCommitError> {
    let found = found.ok_or_else(|| Refusal::RepositoryDoesNotExist { name: name.to_owned() })?;
    let mut opened = Opened::sealed(found);
    opened.open(call).await?;
    change.apply(template.to_owned(), &opened, call).await
}

/// Associates a template with several repositories.
pub(crate) struct BatchAssociateApprovalRuleTemplateWithRepositories;

impl Operation for BatchAssociateApprovalRuleTemplateWithRepositories {
    type Service = CodeCommit;
    const NAME: &'static str = "BatchAssociateApprovalRuleTemplateWithRepositories";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = BatchInput;
    type Output = BatchAssociateOutput;
    type Target = Batch;

    async fn find(input: &Self::Input, call: &Call<'_, CodeCommit>) -> Result<Batch, CodeCommitError> {
        find(input, call).await
    }

    fn needs<'n>(input: &'n Self::Input, found: Option<&'n Batch>, call: &'n Call<'_, CodeCommit>) -> Vec<Need<'n>> {
        needs(input, found, "codecommit:BatchAssociateApprovalRuleTemplateWithRepositories", call)
    }

    async fn run(
        input: Self::Input,
        found: Permit<Batch>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let (names, errors) = run(Change::Make, input, found.into_inner(), call).await?;
        Ok(BatchAssociateOutput { names, errors })
    }
}

/// Ends the associations of a template with several repositories.
pub(crate) struct BatchDisassociateApprovalRuleTemplateFromRepositories;

impl Operation for BatchDisassociateApprovalRuleTemplateFromRepositories {
    type Service = CodeCommit;
    const NAME: &'static str = "BatchDisassociateApprovalRuleTemplateFromRepositories";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = BatchInput;
    type Output = BatchDisassociateOutput;
    type Target = Batch;

    async fn find(input: &Self::Input, call: &Call<'_, CodeCommit>) -> Result<Batch, CodeCommitError> {
        find(input, call).await
    }

    fn needs<'n>(input: &'n Self::Input, found: Option<&'n Batch>, call: &'n Call<'_, CodeCommit>) -> Vec<Need<'n>> {
        needs(input, found, "codecommit:BatchDisassociateApprovalRuleTemplateFromRepositories", call)
    }

    async fn run(
        input: Self::Input,
        found: Permit<Batch>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let (names, errors) = run(Change::End, input, found.into_inner(), call).await?;
        Ok(BatchDisassociateOutput { names, errors })
    }
}
