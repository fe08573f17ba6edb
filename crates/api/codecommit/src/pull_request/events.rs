//! `DescribePullRequestEvents`.

use service::{AuditClass, Call, Permit, ResourceOperation};
use store::ReadTx;
use wire::shape::Rule;
use wire::{Arn, Timestamp};

use super::NUMBER;
use super::output::MergeMetadata;
use crate::CodeCommit;
use crate::access::Pull;
use crate::error::{CodeCommitError, Refusal};
use crate::record::pull_request::{EventRecord, PullRequestEventRecord, PullRequestStatus, event_parent};
use crate::rules::{MAX_RESULTS, TOKEN};

/// How many events a page has at most, and unless fewer are asked for.
const PAGE: usize = 100;

wire::text_enum! {
    /// The kind of an event.
    pub(crate) enum EventType {
        Created = "PULL_REQUEST_CREATED",
        StatusChanged = "PULL_REQUEST_STATUS_CHANGED",
        SourceUpdated = "PULL_REQUEST_SOURCE_REFERENCE_UPDATED",
        MergeStateChanged = "PULL_REQUEST_MERGE_STATE_CHANGED",
        RuleCreated = "PULL_REQUEST_APPROVAL_RULE_CREATED",
        RuleUpdated = "PULL_REQUEST_APPROVAL_RULE_UPDATED",
        RuleDeleted = "PULL_REQUEST_APPROVAL_RULE_DELETED",
        RuleOverridden = "PULL_REQUEST_APPROVAL_RULE_OVERRIDDEN",
        ApprovalStateChanged = "PULL_REQUEST_APPROVAL_STATE_CHANGED",
    }
}

wire::shape! {
    pub(crate) struct DescribePullRequestEventsInput {
        "pullRequestId" id: String, required, [NUMBER];
        "pullRequestEventType" event_type: EventType, optional, [];
        "actorArn" actor: String, optional, [Rule::Length(1, 2048)];
        "nextToken" next_token: String, optional, [TOKEN];
        "maxResults" max_results: i32, optional, [MAX_RESULTS];
    }
}

wire::output! {
    /// The metadata of an opened pull request.
    pub(crate) struct CreatedMetadata {
        "repositoryName" repository_name: String, required;
        "sourceCommitId" source: String, required;
        "destinationCommitId" destination: String, required;
        "mergeBase" base: String, optional;
    }
}

wire::output! {
    /// The metadata of a status change.
    pub(crate) struct StatusMetadata {
        "pullRequestStatus" status: PullRequestStatus, required;
    }
}

wire::output! {
    /// The metadata of a push to the source.
    pub(crate) struct SourceMetadata {
        "repositoryName" repository_name: String, required;
        "beforeCommitId" before: String, required;
        "afterCommitId" after: String, required;
        "mergeBase" base: String, optional;
    }
}

wire::output! {
    /// The metadata of a merge.
    pub(crate) struct MergedMetadata {
        "repositoryName" repository_name: String, required;
        "destinationReference" destination: String, required;
        "mergeMetadata" merge: MergeMetadata, required;
    }
}

wire::output! {
    /// The metadata of a rule.
    pub(crate) struct RuleMetadata {
        "approvalRuleName" name: String, required;
        "approvalRuleId" id: String, required;
        "approvalRuleContent" content: String, required;
    }
}

wire::output! {
    /// The metadata of an approval.
    pub(crate) struct ApprovalMetadata {
        "revisionId" revision: String, required;
        "approvalStatus" status: String, required;
    }
}

wire::output! {
    /// The metadata of an override of rules.
    pub(crate) struct OverriddenMetadata {
        "revisionId" revision: String, required;
        "overrideStatus" status: String, required;
    }
}

wire::output! {
    /// An event.
    pub(crate) struct PullRequestEvent {
        "pullRequestId" id: String, required;
        "eventDate" at: Timestamp, required;
        "pullRequestEventType" event_type: EventType, required;
        "actorArn" actor: String, required;
        "pullRequestCreatedEventMetadata" created: CreatedMetadata, optional;
        "pullRequestStatusChangedEventMetadata" status: StatusMetadata, optional;
        "pullRequestSourceReferenceUpdatedEventMetadata" source: SourceMetadata, optional;
        "pullRequestMergedStateChangedEventMetadata" merged: MergedMetadata, optional;
        "approvalRuleEventMetadata" rule: RuleMetadata, optional;
        "approvalStateChangedEventMetadata" approval: ApprovalMetadata, optional;
        "approvalRuleOverriddenEventMetadata" overridden: OverriddenMetadata, optional;
    }
}

wire::output! {
    pub(crate) struct DescribePullRequestEventsOutput {
        "pullRequestEvents" events: Vec<PullRequestEvent>, required;
        "nextToken" next_token: String, optional;
    }
}

/// Lists the events of a pull request in the order in which they happened.
pub(crate) struct DescribePullRequestEvents;

impl ResourceOperation for DescribePullRequestEvents {
    type On = Pull<true>;
    const NAME: &'static str = "DescribePullRequestEvents";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = DescribePullRequestEventsInput;
    type Output = DescribePullRequestEventsOutput;

    fn key(input: &Self::Input) -> &str {
        &input.id
    }

    fn check(input: &Self::Input) -> Result<(), CodeCommitError> {
        let valid = input.actor.as_ref().is_none_or(|actor| actor.parse::<Arn>().is_ok());
        if valid { Ok(()) } else { Err(Refusal::InvalidActorArn.into()) }
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Pull<true>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let first = input.next_token.map_or(Ok(0), |token| token.parse::<u64>());
        let first = first.map_err(|_| Refusal::InvalidContinuationToken)?;
        let size = input.max_results.and_then(|most| usize::try_from(most).ok()).unwrap_or(PAGE).clamp(1, PAGE);
        let (domain, number, count) = (found.record.domain(), found.record.id, found.record.events);
        let name = found.repository.name.clone();
        let (wanted, actor) = (input.event_type, input.actor);
        let page = move |tx: &ReadTx<'_>| {
            let parent = event_parent(&domain, number);
            let mut events = Vec::new();
            for place in first..count {
                let Some(record) = tx.get::<PullRequestEventRecord>(&parent, &place.to_string())? else { continue };
                let event = PullRequestEvent::of(record, number, &name);
                let right_type = wanted.is_none_or(|wanted| wanted == event.event_type);
                if !right_type || actor.as_ref().is_some_and(|actor| *actor != event.actor) {
                    continue;
                }
                if events.len() == size {
                    let next_token = Some(place.to_string());
                    return Ok(DescribePullRequestEventsOutput { events, next_token });
                }
                events.push(event);
            }
            Ok::<_, CodeCommitError>(DescribePullRequestEventsOutput { events, next_token: None })
        };
        call.service.store.read(page).await
    }
}

impl PullRequestEvent {
    fn of(record: PullRequestEventRecord, number: u64, repository: &str) -> Self {
        let mut event = Self {
            id: number.to_string(),
            at: record.at,
            event_type: EventType::Created,
            actor: record.actor,
            created: None,
            status: None,
            source: None,
            merged: None,
            rule: None,
            approval: None,
            overridden: None,
        };
        let repository_name = repository.to_owned();
        let rule = |id, name, content| Some(RuleMetadata { name, id, content });
        match record.what {
            EventRecord::Created { source, destination, base } => {
                event.created = Some(CreatedMetadata { repository_name, source, destination, base });
            }
            EventRecord::Status(status) => {
                event.event_type = EventType::StatusChanged;
                event.status = Some(StatusMetadata { status });
            }
            EventRecord::SourceUpdated { before, after, base } => {
                event.event_type = EventType::SourceUpdated;
                event.source = Some(SourceMetadata { repository_name, before, after, base });
            }
            EventRecord::Merged { destination, merge } => {
                event.event_type = EventType::MergeStateChanged;
                event.merged = Some(MergedMetadata { repository_name, destination, merge: Some(merge).into() });
            }
            EventRecord::RuleCreated { id, name, content } => {
                (event.event_type, event.rule) = (EventType::RuleCreated, rule(id, name, content));
            }
            EventRecord::RuleUpdated { id, name, content } => {
                (event.event_type, event.rule) = (EventType::RuleUpdated, rule(id, name, content));
            }
            EventRecord::RuleDeleted { id, name, content } => {
                (event.event_type, event.rule) = (EventType::RuleDeleted, rule(id, name, content));
            }
            EventRecord::Overridden { revision, set } => {
                event.event_type = EventType::RuleOverridden;
                let status = if set { "OVERRIDE" } else { "REVOKE" }.to_owned();
                event.overridden = Some(OverriddenMetadata { revision, status });
            }
            EventRecord::Approval { revision, approved } => {
                event.event_type = EventType::ApprovalStateChanged;
                let status = if approved { "APPROVE" } else { "REVOKE" }.to_owned();
                event.approval = Some(ApprovalMetadata { revision, status });
            }
        }
        event
    }
}
