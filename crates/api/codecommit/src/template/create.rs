//! `CreateApprovalRuleTemplate`, `GetApprovalRuleTemplate` and `DeleteApprovalRuleTemplate`.

use std::ops::Bound;

use service::{Account, AuditClass, Call, Permit, ResourceOperation};
use store::Tx;
use wire::shape::Rule;

use super::{TEMPLATE_CONTENT, TEMPLATE_NAME, TemplateInput, TemplateOutput, named};
use crate::CodeCommit;
use crate::error::{CodeCommitError, Refusal};
use crate::record::domain;
use crate::record::rule::{Of, RuleContent};
use crate::record::template::{Association, TemplateName, TemplateRecord};

/// How many templates an account has in a Region at most.
const TEMPLATES_MAX: usize = 1000;

wire::shape! {
    pub(crate) struct CreateApprovalRuleTemplateInput {
        "approvalRuleTemplateName" name: String, required, [TEMPLATE_NAME];
        "approvalRuleTemplateContent" content: String, required, [TEMPLATE_CONTENT];
        "approvalRuleTemplateDescription" description: String, optional, [Rule::Length(0, 1000)];
    }
}

/// Creates a template.
pub(crate) struct CreateApprovalRuleTemplate;

impl ResourceOperation for CreateApprovalRuleTemplate {
    type On = Account<CodeCommit>;
    const NAME: &'static str = "CreateApprovalRuleTemplate";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateApprovalRuleTemplateInput;
    type Output = TemplateOutput;

    fn key(_: &Self::Input) {}

    async fn run(
        input: Self::Input,
        _: &Permit<Account<CodeCommit>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        if RuleContent::parse(&input.content, Of::Template).is_none() {
            return Err(Refusal::InvalidApprovalRuleTemplateContent.into());
        }
        let domain = domain(call.account(), call.region);
        let record = TemplateRecord {
            id: uuid::Uuid::new_v4().to_string(),
            name: input.name,
            description: input.description.filter(|text| !text.is_empty()),
            content: input.content,
            created: call.now,
            modified: call.now,
            modified_by: call.caller.principal.arn.to_string(),
        };
        let made = move |tx: &mut Tx<'_>| {
            let names = tx.index::<TemplateName>(&domain)?;
            if names.get(record.name.as_bytes())?.is_some() {
                return Err(Refusal::ApprovalRuleTemplateNameAlreadyExists { name: record.name }.into());
            }
            if names.range(&[], Bound::Unbounded, TEMPLATES_MAX)?.items.len() >= TEMPLATES_MAX {
                return Err(Refusal::NumberOfRuleTemplatesExceeded { most: TEMPLATES_MAX }.into());
            }
            let entry = TemplateName { id: record.id.clone() };
            tx.index_mut::<TemplateName>(&domain).insert(record.name.as_bytes(), &entry)?;
            tx.insert(&domain, &record.id, &record)?;
            Ok::<_, CodeCommitError>(record)
        };
        call.write(&call.service.store, made).await.map(Into::into)
    }
}

/// Gets a template.
pub(crate) struct GetApprovalRuleTemplate;

impl ResourceOperation for GetApprovalRuleTemplate {
    type On = Account<CodeCommit>;
    const NAME: &'static str = "GetApprovalRuleTemplate";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = TemplateInput;
    type Output = TemplateOutput;

    fn key(_: &Self::Input) {}

    async fn run(
        input: Self::Input,
        _: &Permit<Account<CodeCommit>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let domain = domain(call.account(), call.region);
        call.service.store.read(move |tx| named(tx, &domain, &input.name)).await.map(Into::into)
    }
}

wire::output! {
    pub(crate) struct DeleteApprovalRuleTemplateOutput {
        "approvalRuleTemplateId" id: String, required;
    }
}

/// Deletes a template that no repository is associated with. One that is not there is none after that as well.
pub(crate) struct DeleteApprovalRuleTemplate;

impl ResourceOperation for DeleteApprovalRuleTemplate {
    type On = Account<CodeCommit>;
    const NAME: &'static str = "DeleteApprovalRuleTemplate";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = TemplateInput;
    type Output = DeleteApprovalRuleTemplateOutput;

    fn key(_: &Self::Input) {}

    async fn run(
        input: Self::Input,
        _: &Permit<Account<CodeCommit>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let domain = domain(call.account(), call.region);
        let removed = move |tx: &mut Tx<'_>| {
            let found = tx.index::<TemplateName>(&domain)?.get(input.name.as_bytes())?;
            let Some(TemplateName { id }) = found else { return Ok(String::new()) };
            if !tx.index::<Association>(&id)?.range(&[], Bound::Unbounded, 1)?.items.is_empty() {
                return Err(Refusal::ApprovalRuleTemplateInUse { name: input.name }.into());
            }
            tx.index_mut::<TemplateName>(&domain).remove(input.name.as_bytes())?;
            tx.delete::<TemplateRecord>(&domain, &id)?;
            Ok::<_, CodeCommitError>(id)
        };
        let id = call.write(&call.service.store, removed).await?;
        Ok(DeleteApprovalRuleTemplateOutput { id })
    }
}
