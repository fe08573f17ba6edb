//! `EvaluatePullRequestApprovalRules`.

use service::{AuditClass, Call, Permit, ResourceOperation};

use super::{REVISION, expect_revision};
use crate::CodeCommit;
use crate::access::Pull;
use crate::error::{CodeCommitError, Refusal};
use crate::pull_request::NUMBER;
use crate::record::pull_request::PullRequestRecord;
use crate::record::rule::{Of, RuleContent};

wire::shape! {
    /// The input of operations on a revision of a pull request.
    pub(crate) struct RevisionInput {
        "pullRequestId" id: String, required, [NUMBER];
        "revisionId" revision: String, required, [REVISION];
    }
}

wire::output! {
    /// An evaluation of rules.
    pub(crate) struct Evaluation {
        "approved" approved: bool, required;
        "overridden" overridden: bool, required;
        "approvalRulesSatisfied" satisfied: Vec<String>, required;
        "approvalRulesNotSatisfied" not_satisfied: Vec<String>, required;
    }
}

wire::output! {
    pub(crate) struct EvaluateOutput {
        "evaluation" evaluation: Evaluation, required;
    }
}

impl Evaluation {
    /// The evaluation of a pull request's rules, by those who approved its revision.
    pub(crate) fn of(record: &PullRequestRecord) -> Self {
        let (mut satisfied, mut not_satisfied) = (Vec::new(), Vec::new());
        for rule in &record.rules {
            let content = RuleContent::parse(&rule.content, Of::Rule);
            let approvers = record.approvals.iter().map(String::as_str);
            // A content that cannot be read any more lets nothing through.
            let enough = content.is_some_and(|content| content.is_satisfied(approvers));
            if enough { &mut satisfied } else { &mut not_satisfied }.push(rule.name.clone());
        }
        let overridden = record.overrider.is_some();
        Self { approved: overridden || not_satisfied.is_empty(), overridden, satisfied, not_satisfied }
    }

    /// Checks that the rules let a merge through.
    ///
    /// # Errors
    /// [`Refusal::PullRequestApprovalRulesNotSatisfied`].
    pub(crate) fn expect_approved(record: &PullRequestRecord) -> Result<(), CodeCommitError> {
        let evaluation = Self::of(record);
        if evaluation.approved {
            return Ok(());
        }
        Err(Refusal::PullRequestApprovalRulesNotSatisfied { names: evaluation.not_satisfied.join(", ") }.into())
    }
}

/// Says whether the rules of a pull request are satisfied.
pub(crate) struct EvaluatePullRequestApprovalRules;

impl ResourceOperation for EvaluatePullRequestApprovalRules {
    type On = Pull<true>;
    const NAME: &'static str = "EvaluatePullRequestApprovalRules";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = RevisionInput;
    type Output = EvaluateOutput;

    fn key(input: &Self::Input) -> &str {
        &input.id
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Pull<true>>,
        _: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        expect_revision(&found.record, &input.revision)?;
        Ok(EvaluateOutput { evaluation: Evaluation::of(&found.record) })
    }
}
