//! Approval rules of one pull request: `CreatePullRequestApprovalRule`, `UpdatePullRequestApprovalRuleContent` and
//! `DeletePullRequestApprovalRule`. What a template made can be set aside, and neither changed nor deleted.

use service::{AuditClass, Call, Permit, ResourceOperation};
use wire::shape::Rule;

use super::{RULE_CONTENT, RULE_NAME};
use crate::CodeCommit;
use crate::access::Pull;
use crate::error::{CodeCommitError, Refusal};
use crate::pull_request::{ApprovalRule, NUMBER, change};
use crate::record::pull_request::{EventRecord, RuleRecord};
use crate::record::rule::{Of, RuleContent, digest};

/// How many rules a pull request has at most.
const RULES_MAX: usize = 30;

wire::shape! {
    pub(crate) struct CreatePullRequestApprovalRuleInput {
        "pullRequestId" id: String, required, [NUMBER];
        "approvalRuleName" name: String, required, [RULE_NAME];
        "approvalRuleContent" content: String, required, [RULE_CONTENT];
    }
}

wire::output! {
    /// An output that is a rule.
    pub(crate) struct RuleOutput {
        "approvalRule" rule: ApprovalRule, required;
    }
}

fn check_content(content: &str) -> Result<(), CodeCommitError> {
    match RuleContent::parse(content, Of::Rule) {
        Some(_) => Ok(()),
        None => Err(Refusal::InvalidApprovalRuleContent.into()),
    }
}

/// Adds a rule.
pub(crate) struct CreatePullRequestApprovalRule;

impl ResourceOperation for CreatePullRequestApprovalRule {
    type On = Pull<true>;
    const NAME: &'static str = "CreatePullRequestApprovalRule";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreatePullRequestApprovalRuleInput;
    type Output = RuleOutput;

    fn key(input: &Self::Input) -> &str {
        &input.id
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Pull<true>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        check_content(&input.content)?;
        let (who, now) = (call.caller.principal.arn.to_string(), call.now);
        let (_, rule) = change(&found.record, call, move |record, tx| {
            if record.rules.iter().any(|rule| rule.name == input.name) {
                return Err(Refusal::ApprovalRuleNameAlreadyExists { name: input.name }.into());
            }
            if record.rules.len() >= RULES_MAX {
                return Err(Refusal::NumberOfRulesExceeded { most: RULES_MAX }.into());
            }
            let rule = RuleRecord {
                id: uuid::Uuid::new_v4().to_string(),
                name: input.name,
                content: input.content,
                created: now,
                modified: now,
                modified_by: who.clone(),
                template: None,
            };
            record.rules.push(rule.clone());
            let (id, name, content) = (rule.id.clone(), rule.name.clone(), rule.content.clone());
            record.add_event(tx, EventRecord::RuleCreated { id, name, content }, &who, now)?;
            Ok(rule)
        })
        .await?;
        Ok(RuleOutput { rule: rule.into() })
    }
}

wire::shape! {
    pub(crate) struct UpdatePullRequestApprovalRuleContentInput {
        "pullRequestId" id: String, required, [NUMBER];
        "approvalRuleName" name: String, required, [RULE_NAME];
        "existingRuleContentSha256" existing: String, optional, [Rule::Length(1, 128)];
        "newRuleContent" content: String, required, [RULE_CONTENT];
    }
}

/// Changes the content of a rule.
pub(crate) struct UpdatePullRequestApprovalRuleContent;

impl ResourceOperation for UpdatePullRequestApprovalRuleContent {
    type On = Pull<true>;
    const NAME: &'static str = "UpdatePullRequestApprovalRuleContent";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdatePullRequestApprovalRuleContentInput;
    type Output = RuleOutput;

    fn key(input: &Self::Input) -> &str {
        &input.id
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Pull<true>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        check_content(&input.content)?;
        let (who, now) = (call.caller.principal.arn.to_string(), call.now);
        let (_, rule) = change(&found.record, call, move |record, tx| {
            let rule = record.rules.iter_mut().find(|rule| rule.name == input.name);
            let rule = rule.ok_or_else(|| Refusal::ApprovalRuleDoesNotExist { name: input.name.clone() })?;
            if rule.template.is_some() {
                return Err(Refusal::CannotModifyApprovalRuleFromTemplate { name: input.name }.into());
            }
            if input.existing.is_some_and(|existing| existing != digest(&rule.content)) {
                return Err(Refusal::InvalidRuleContentSha256.into());
            }
            (rule.content, rule.modified, rule.modified_by) = (input.content, now, who.clone());
            let rule = rule.clone();
            let (id, name, content) = (rule.id.clone(), rule.name.clone(), rule.content.clone());
            record.add_event(tx, EventRecord::RuleUpdated { id, name, content }, &who, now)?;
            Ok(rule)
        })
        .await?;
        Ok(RuleOutput { rule: rule.into() })
    }
}

wire::shape! {
    pub(crate) struct DeletePullRequestApprovalRuleInput {
        "pullRequestId" id: String, required, [NUMBER];
        "approvalRuleName" name: String, required, [RULE_NAME];
    }
}

wire::output! {
    pub(crate) struct DeletePullRequestApprovalRuleOutput {
        "approvalRuleId" id: String, required;
    }
}

/// Deletes a rule. One that is not there is none after that as well.
pub(crate) struct DeletePullRequestApprovalRule;

impl ResourceOperation for DeletePullRequestApprovalRule {
    type On = Pull<true>;
    const NAME: &'static str = "DeletePullRequestApprovalRule";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = DeletePullRequestApprovalRuleInput;
    type Output = DeletePullRequestApprovalRuleOutput;

    fn key(input: &Self::Input) -> &str {
        &input.id
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Pull<true>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let (who, now) = (call.caller.principal.arn.to_string(), call.now);
        let (_, id) = change(&found.record, call, move |record, tx| {
            let Some(place) = record.rules.iter().position(|rule| rule.name == input.name) else {
                return Ok(String::new());
            };
            if record.rules.get(place).is_some_and(|rule| rule.template.is_some()) {
                return Err(Refusal::CannotDeleteApprovalRuleFromTemplate { name: input.name }.into());
            }
            let RuleRecord { id, name, content, .. } = record.rules.remove(place);
            record.add_event(tx, EventRecord::RuleDeleted { id: id.clone(), name, content }, &who, now)?;
            Ok(id)
        })
        .await?;
        Ok(DeletePullRequestApprovalRuleOutput { id })
    }
}
