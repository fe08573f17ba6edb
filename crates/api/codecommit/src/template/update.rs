//! `UpdateApprovalRuleTemplateContent`, `…Description` and `…Name`.

use service::{Account, AuditClass, Call, Permit, ResourceOperation};
use store::Tx;
use wire::shape::Rule;

use super::{TEMPLATE_CONTENT, TEMPLATE_NAME, TemplateOutput, change};
use crate::CodeCommit;
use crate::error::{CodeCommitError, Refusal};
use crate::record::rule::{Of, RuleContent, digest};
use crate::record::template::{TemplateName, TemplateRecord};

wire::shape! {
    pub(crate) struct UpdateApprovalRuleTemplateContentInput {
        "approvalRuleTemplateName" name: String, required, [TEMPLATE_NAME];
        "newRuleContent" content: String, required, [TEMPLATE_CONTENT];
        "existingRuleContentSha256" existing: String, optional, [Rule::Length(1, 128)];
    }
}

/// Changes the content of a template. The rules that it made stay as they are.
pub(crate) struct UpdateApprovalRuleTemplateContent;

impl ResourceOperation for UpdateApprovalRuleTemplateContent {
    type On = Account<CodeCommit>;
    const NAME: &'static str = "UpdateApprovalRuleTemplateContent";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateApprovalRuleTemplateContentInput;
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
        let work = move |record: &mut TemplateRecord, _: &mut Tx<'_>, _: &str| {
            if input.existing.is_some_and(|existing| existing != digest(&record.content)) {
                return Err(Refusal::InvalidRuleContentSha256.into());
            }
            record.content = input.content;
            Ok(())
        };
        change(call, input.name, work).await
    }
}

wire::shape! {
    pub(crate) struct UpdateApprovalRuleTemplateDescriptionInput {
        "approvalRuleTemplateName" name: String, required, [TEMPLATE_NAME];
        "approvalRuleTemplateDescription" description: String, required, [Rule::Length(0, 1000)];
    }
}

/// Changes the description of a template.
pub(crate) struct UpdateApprovalRuleTemplateDescription;

impl ResourceOperation for UpdateApprovalRuleTemplateDescription {
    type On = Account<CodeCommit>;
    const NAME: &'static str = "UpdateApprovalRuleTemplateDescription";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateApprovalRuleTemplateDescriptionInput;
    type Output = TemplateOutput;

    fn key(_: &Self::Input) {}

    async fn run(
        input: Self::Input,
        _: &Permit<Account<CodeCommit>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let work = move |record: &mut TemplateRecord, _: &mut Tx<'_>, _: &str| {
            record.description = Some(input.description).filter(|text| !text.is_empty());
            Ok(())
        };
        change(call, input.name, work).await
    }
}

wire::shape! {
    pub(crate) struct UpdateApprovalRuleTemplateNameInput {
        "oldApprovalRuleTemplateName" old_name: String, required, [TEMPLATE_NAME];
        "newApprovalRuleTemplateName" new_name: String, required, [TEMPLATE_NAME];
    }
}

/// Renames a template, which keeps its id and its repositories.
pub(crate) struct UpdateApprovalRuleTemplateName;

impl ResourceOperation for UpdateApprovalRuleTemplateName {
    type On = Account<CodeCommit>;
    const NAME: &'static str = "UpdateApprovalRuleTemplateName";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateApprovalRuleTemplateNameInput;
    type Output = TemplateOutput;

    fn key(_: &Self::Input) {}

    async fn run(
        input: Self::Input,
        _: &Permit<Account<CodeCommit>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let name = input.new_name;
        let work = move |record: &mut TemplateRecord, tx: &mut Tx<'_>, domain: &str| {
            if tx.index::<TemplateName>(domain)?.get(name.as_bytes())?.is_some() {
                return Err(Refusal::ApprovalRuleTemplateNameAlreadyExists { name }.into());
            }
            let mut names = tx.index_mut::<TemplateName>(domain);
            names.remove(record.name.as_bytes())?;
            names.insert(name.as_bytes(), &TemplateName { id: record.id.clone() })?;
            record.name = name;
            Ok(())
        };
        change(call, input.old_name, work).await
    }
}
