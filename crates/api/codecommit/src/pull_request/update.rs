//! `UpdatePullRequestTitle`, `UpdatePullRequestDescription` and `UpdatePullRequestStatus`.

use service::{AuditClass, Call, Permit, ResourceOperation};
use wire::SecretText;

use super::{DESCRIPTION, NUMBER, PullRequestOutput, TITLE, change};
use crate::CodeCommit;
use crate::access::Pull;
use crate::error::{CodeCommitError, Refusal};
use crate::record::pull_request::{EventRecord, PullRequestStatus};

wire::shape! {
    pub(crate) struct UpdatePullRequestTitleInput {
        "pullRequestId" id: String, required, [NUMBER];
        "title" title: SecretText, required, [TITLE];
    }
}

/// Changes the title of an open pull request.
pub(crate) struct UpdatePullRequestTitle;

impl ResourceOperation for UpdatePullRequestTitle {
    type On = Pull<false>;
    const NAME: &'static str = "UpdatePullRequestTitle";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdatePullRequestTitleInput;
    type Output = PullRequestOutput;

    fn key(input: &Self::Input) -> &str {
        &input.id
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Pull<false>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        if input.title.0.trim().is_empty() {
            return Err(Refusal::TitleRequired.into());
        }
        let (title, now) = (input.title.0.to_string(), call.now);
        let (record, ()) = change(&found.record, call, move |record, _| {
            (record.title, record.active) = (title, now);
            Ok(())
        })
        .await?;
        Ok(PullRequestOutput::of(record, &found.repository.name))
    }
}

wire::shape! {
    pub(crate) struct UpdatePullRequestDescriptionInput {
        "pullRequestId" id: String, required, [NUMBER];
        "description" description: SecretText, required, [DESCRIPTION];
    }
}

/// Changes the description of an open pull request, or takes it away.
pub(crate) struct UpdatePullRequestDescription;

impl ResourceOperation for UpdatePullRequestDescription {
    type On = Pull<false>;
    const NAME: &'static str = "UpdatePullRequestDescription";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdatePullRequestDescriptionInput;
    type Output = PullRequestOutput;

    fn key(input: &Self::Input) -> &str {
        &input.id
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Pull<false>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let (description, now) = (input.description.0.to_string(), call.now);
        let (record, ()) = change(&found.record, call, move |record, _| {
            record.description = Some(description).filter(|text| !text.is_empty());
            record.active = now;
            Ok(())
        })
        .await?;
        Ok(PullRequestOutput::of(record, &found.repository.name))
    }
}

wire::shape! {
    pub(crate) struct UpdatePullRequestStatusInput {
        "pullRequestId" id: String, required, [NUMBER];
        "pullRequestStatus" status: PullRequestStatus, required, [];
    }
}

/// Closes a pull request. A closed one stays closed.
pub(crate) struct UpdatePullRequestStatus;

impl ResourceOperation for UpdatePullRequestStatus {
    type On = Pull<true>;
    const NAME: &'static str = "UpdatePullRequestStatus";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdatePullRequestStatusInput;
    type Output = PullRequestOutput;

    fn key(input: &Self::Input) -> &str {
        &input.id
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Pull<true>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let name = &found.repository.name;
        match (found.record.status, input.status) {
            (PullRequestStatus::Closed, PullRequestStatus::Open) => {
                return Err(Refusal::InvalidPullRequestStatusUpdate.into());
            }
            (from, to) if from == to => return Ok(PullRequestOutput::of(found.record.clone(), name)),
            _ => {}
        }
        let (who, now) = (call.caller.principal.arn.to_string(), call.now);
        let (record, ()) = change(&found.record, call, move |record, tx| {
            record.status = PullRequestStatus::Closed;
            Ok(record.add_event(tx, EventRecord::Status(PullRequestStatus::Closed), &who, now)?)
        })
        .await?;
        Ok(PullRequestOutput::of(record, name))
    }
}
