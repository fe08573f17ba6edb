//! Approval-rule templates: made, changed, removed, and associated with repositories.

pub(crate) mod association;
pub(crate) mod create;
pub(crate) mod list;
pub(crate) mod update;

use service::Call;
use store::{ReadTx, Tx};
use wire::Timestamp;
use wire::shape::Rule;

use crate::CodeCommit;
use crate::error::{CodeCommitError, Refusal};
use crate::record::rule::digest;
use crate::record::template::{TemplateName, TemplateRecord};

/// The name of a template.
pub(crate) const TEMPLATE_NAME: Rule = Rule::Length(1, 100);

/// The content of a template.
pub(crate) const TEMPLATE_CONTENT: Rule = Rule::Length(1, 3000);

wire::shape! {
    /// The input of operations that take a template's name and no more.
    pub(crate) struct TemplateInput {
        "approvalRuleTemplateName" name: String, required, [TEMPLATE_NAME];
    }
}

wire::output! {
    /// A template.
    pub(crate) struct ApprovalRuleTemplate {
        "approvalRuleTemplateId" id: String, required;
        "approvalRuleTemplateName" name: String, required;
        "approvalRuleTemplateDescription" description: String, optional;
        "approvalRuleTemplateContent" content: String, required;
        "ruleContentSha256" sha256: String, required;
        "lastModifiedDate" modified: Timestamp, required;
        "creationDate" created: Timestamp, required;
        "lastModifiedUser" modified_by: String, required;
    }
}

wire::output! {
    /// An output that is a template.
    pub(crate) struct TemplateOutput {
        "approvalRuleTemplate" template: ApprovalRuleTemplate, required;
    }
}

impl From<TemplateRecord> for TemplateOutput {
    fn from(record: TemplateRecord) -> Self {
        let template = ApprovalRuleTemplate {
            id: record.id,
            name: record.name,
            description: record.description,
            sha256: digest(&record.content),
            content: record.content,
            modified: record.modified,
            created: record.created,
            modified_by: record.modified_by,
        };
        Self { template }
    }
}

/// The template that has a name.
///
/// # Errors
/// [`Refusal::ApprovalRuleTemplateDoesNotExist`]; those of the store.
pub(crate) fn named(tx: &ReadTx<'_>, domain: &str, name: &str) -> Result<TemplateRecord, CodeCommitError> {
    let found = tx.index::<TemplateName>(domain)?.get(name.as_bytes())?;
    let record = found.map(|found| tx.get::<TemplateRecord>(domain, &found.id)).transpose()?.flatten();
    record.ok_or_else(|| Refusal::ApprovalRuleTemplateDoesNotExist { name: name.to_owned() }.into())
}

/// Changes the template that has a name, for a call.
///
/// # Errors
/// [`Refusal::ApprovalRuleTemplateDoesNotExist`]; those of `work` and of the store.
async fn change(
    call: &Call<'_, CodeCommit>,
    name: String,
    work: impl FnOnce(&mut TemplateRecord, &mut Tx<'_>, &str) -> Result<(), CodeCommitError> + Send + 'static,
) -> Result<TemplateOutput, CodeCommitError> {
    let domain = crate::record::domain(call.account(), call.region);
    let (now, by) = (call.now, call.caller.principal.arn.to_string());
    let changed = move |tx: &mut Tx<'_>| {
        let mut record = named(tx, &domain, &name)?;
        work(&mut record, tx, &domain)?;
        (record.modified, record.modified_by) = (now, by);
        tx.put(&domain, &record.id, &record)?;
        Ok::<_, CodeCommitError>(record)
    };
    call.write(&call.service.store, changed).await.map(Into::into)
}
