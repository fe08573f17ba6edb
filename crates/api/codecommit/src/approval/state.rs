//! Who approved a revision, and whether its rules are set aside: `UpdatePullRequestApprovalState`,
//! `GetPullRequestApprovalStates`, `OverridePullRequestApprovalRules` and `GetPullRequestOverrideState`.

use service::{AuditClass, Call, Permit, ResourceOperation};

use super::evaluation::RevisionInput;
use super::{REVISION, expect_revision};
use crate::CodeCommit;
use crate::access::Pull;
use crate::error::{CodeCommitError, Refusal};
use crate::pull_request::{NUMBER, change};
use crate::record::pull_request::EventRecord;

/// How many approvals a pull request has at most.
const APPROVALS_MAX: usize = 200;

wire::text_enum! {
    /// Whether somebody approves.
    pub(crate) enum ApprovalState { Approve = "APPROVE", Revoke = "REVOKE" }
}

wire::text_enum! {
    /// Whether rules are set aside.
    pub(crate) enum OverrideStatus { Override = "OVERRIDE", Revoke = "REVOKE" }
}

wire::shape! {
    pub(crate) struct UpdatePullRequestApprovalStateInput {
        "pullRequestId" id: String, required, [NUMBER];
        "revisionId" revision: String, required, [REVISION];
        "approvalState" state: ApprovalState, required, [];
    }
}

/// Approves a revision as the caller, or takes that back.
pub(crate) struct UpdatePullRequestApprovalState;

impl ResourceOperation for UpdatePullRequestApprovalState {
    type On = Pull<true>;
    const NAME: &'static str = "UpdatePullRequestApprovalState";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdatePullRequestApprovalStateInput;
    type Output = ();

    fn key(input: &Self::Input) -> &str {
        &input.id
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Pull<true>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let (who, now) = (call.caller.principal.arn.to_string(), call.now);
        let approves = input.state == ApprovalState::Approve;
        change(&found.record, call, move |record, tx| {
            expect_revision(record, &input.revision)?;
            if approves && record.author == who {
                return Err(Refusal::PullRequestCannotBeApprovedByAuthor.into());
            }
            let known = record.approvals.contains(&who);
            if known == approves {
                return Ok(());
            }
            if approves {
                record.approvals.push(who.clone());
            } else {
                record.approvals.retain(|arn| *arn != who);
            }
            if record.approvals.len() > APPROVALS_MAX {
                return Err(Refusal::MaximumNumberOfApprovalsExceeded { most: APPROVALS_MAX }.into());
            }
            let event = EventRecord::Approval { revision: input.revision, approved: approves };
            Ok(record.add_event(tx, event, &who, now)?)
        })
        .await
        .map(drop)
    }
}

wire::output! {
    /// An approval.
    pub(crate) struct Approval {
        "userArn" user: String, required;
        "approvalState" state: ApprovalState, required;
    }
}

wire::output! {
    pub(crate) struct GetPullRequestApprovalStatesOutput {
        "approvals" approvals: Vec<Approval>, required;
    }
}

/// Lists who approved a revision. Of earlier ones nothing is stored.
pub(crate) struct GetPullRequestApprovalStates;

impl ResourceOperation for GetPullRequestApprovalStates {
    type On = Pull<true>;
    const NAME: &'static str = "GetPullRequestApprovalStates";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = RevisionInput;
    type Output = GetPullRequestApprovalStatesOutput;

    fn key(input: &Self::Input) -> &str {
        &input.id
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Pull<true>>,
        _: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        if found.record.revision != input.revision {
            return Err(Refusal::InvalidRevisionId.into());
        }
        let approval = |user: &String| Approval { user: user.clone(), state: ApprovalState::Approve };
        Ok(GetPullRequestApprovalStatesOutput { approvals: found.record.approvals.iter().map(approval).collect() })
    }
}

wire::shape! {
    pub(crate) struct OverridePullRequestApprovalRulesInput {
        "pullRequestId" id: String, required, [NUMBER];
        "revisionId" revision: String, required, [REVISION];
        "overrideStatus" status: OverrideStatus, required, [];
    }
}

/// Sets the rules of a revision aside, or takes that back.
pub(crate) struct OverridePullRequestApprovalRules;

impl ResourceOperation for OverridePullRequestApprovalRules {
    type On = Pull<true>;
    const NAME: &'static str = "OverridePullRequestApprovalRules";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = OverridePullRequestApprovalRulesInput;
    type Output = ();

    fn key(input: &Self::Input) -> &str {
        &input.id
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Pull<true>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let (who, now) = (call.caller.principal.arn.to_string(), call.now);
        let sets = input.status == OverrideStatus::Override;
        change(&found.record, call, move |record, tx| {
            expect_revision(record, &input.revision)?;
            match (sets, record.overrider.is_some()) {
                (true, true) => return Err(Refusal::OverrideAlreadySet.into()),
                (false, false) => return Ok(()),
                _ => record.overrider = sets.then(|| who.clone()),
            }
            let event = EventRecord::Overridden { revision: input.revision, set: sets };
            Ok(record.add_event(tx, event, &who, now)?)
        })
        .await
        .map(drop)
    }
}

wire::output! {
    pub(crate) struct GetPullRequestOverrideStateOutput {
        "overridden" overridden: bool, required;
        "overrider" overrider: String, optional;
    }
}

/// Says whether the rules of a revision are set aside, and by whom.
pub(crate) struct GetPullRequestOverrideState;

impl ResourceOperation for GetPullRequestOverrideState {
    type On = Pull<true>;
    const NAME: &'static str = "GetPullRequestOverrideState";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = RevisionInput;
    type Output = GetPullRequestOverrideStateOutput;

    fn key(input: &Self::Input) -> &str {
        &input.id
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Pull<true>>,
        _: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        if found.record.revision != input.revision {
            return Err(Refusal::InvalidRevisionId.into());
        }
        let overrider = found.record.overrider.clone();
        Ok(GetPullRequestOverrideStateOutput { overridden: overrider.is_some(), overrider })
    }
}
