//! `MergePullRequestByFastForward`, `MergePullRequestBySquash` and `MergePullRequestByThreeWay`: the destination moves and
//! the pull request is closed in one transaction.

use std::sync::Arc;

use git::{Received, RefUpdate, Repository};
use git_object::ObjectId;
use service::{AuditClass, Call, Need, Permit, ResourceOperation};
use store::Tx;
use wire::SecretText;
use wire::shape::Rule;

use super::branches::remembered;
use super::{ConflictResolution, DetailLevel, Resolved, Settings, Sides, Strategy};
use crate::CodeCommit;
use crate::access::{FAST_FORWARD, Pull, REFERENCES, THROUGH_PULL_REQUEST};
use crate::approval::evaluation::Evaluation;
use crate::commit::{AUTHOR, Author, EMAIL, MESSAGE, check_email, write_objects};
use crate::content::object_id;
use crate::error::{CodeCommitError, Refusal};
use crate::pull_request::{NUMBER, PullRequestOutput};
use crate::record::pull_request::{EventRecord, MergeOption, Merged, PullRequestRecord, PullRequestStatus};
use crate::reference::{Move, moved, publish};
use crate::rules::{NAME, NAME_PATTERN};

wire::shape! {
    pub(crate) struct FastForwardInput {
        "pullRequestId" id: String, required, [NUMBER];
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "sourceCommitId" source_commit: String, optional, [Rule::Length(1, 64)];
    }
}

wire::shape! {
    /// The input of merges that make a commit.
    pub(crate) struct MergePullRequestInput {
        "pullRequestId" id: String, required, [NUMBER];
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "sourceCommitId" source_commit: String, optional, [Rule::Length(1, 64)];
        "conflictDetailLevel" detail: DetailLevel, optional, [];
        "conflictResolutionStrategy" strategy: Strategy, optional, [];
        "commitMessage" message: SecretText, optional, [MESSAGE];
        "authorName" author_name: String, optional, [AUTHOR];
        "email" email: String, optional, [EMAIL];
        "keepEmptyFolders" keep_empty_folders: bool, default, [];
        "conflictResolution" resolution: ConflictResolution, optional, [];
    }
}

/// The condition keys of a merge into a pull request's destination.
fn refined<'n>(found: Option<&'n Pull<true>>, need: Need<'n>) -> Need<'n> {
    let need = need.with(FAST_FORWARD, true).with(THROUGH_PULL_REQUEST, true);
    match found {
        Some(found) => need.with(REFERENCES, found.record.destination.as_str()),
        None => need,
    }
}

/// A pull request that may be merged, and the tips of its branches.
struct Ready {
    git: Repository,
    sides: Sides,
}

impl Ready {
    /// Checks that a pull request can be merged as the caller knows it.
    async fn check(
        found: &Pull<true>,
        (repository, source_commit): (&str, Option<&str>),
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self, CodeCommitError> {
        found.expect_repository(repository)?;
        let record = &found.record;
        if !record.is_open() {
            return Err(Refusal::PullRequestAlreadyClosed { id: record.id }.into());
        }
        let git = found.repository.git(call).await?;
        let tip = |name: &String| {
            let missing = || Refusal::ReferenceDoesNotExist { name: name.clone() };
            git.reference(name).ok_or_else(missing)
        };
        let (source, destination) = (tip(&record.source)?, tip(&record.destination)?);
        if let Some(stated) = source_commit {
            let id = object_id(stated).ok_or_else(|| Refusal::InvalidCommitId { id: stated.to_owned() })?;
            if id != source {
                return Err(Refusal::TipOfSourceReferenceIsDifferent.into());
            }
        }
        Evaluation::expect_approved(record)?;
        let sides = Sides::of(&git, source, destination).await?;
        Ok(Self { git, sides })
    }

    /// Moves the destination and closes the pull request, if nothing has changed since it was looked at.
    async fn land(
        self,
        found: &Pull<true>,
        (received, commit): (Received, ObjectId),
        option: MergeOption,
        call: &Call<'_, CodeCommit>,
    ) -> Result<PullRequestOutput, CodeCommitError> {
        let Self { git, sides } = self;
        let record = &found.record;
        let name = record.destination.clone();
        let merge = Merged {
            by: call.caller.principal.arn.to_string(),
            commit: Some(commit.to_string()),
            option: Some(option),
        };
        let (domain, number, now) = (record.domain(), record.id, call.now);
        let (revision, source) = (record.revision.clone(), sides.source.to_string());
        let remembered = (option != MergeOption::FastForward).then(|| remembered(&found.repository, &sides, commit));
        let destination = name.clone();
        let close = move |tx: &mut Tx<'_>| {
            let current = tx.get::<PullRequestRecord>(&domain, &number.to_string())?;
            let mut record = current.ok_or_else(|| Refusal::PullRequestDoesNotExist { id: number.to_string() })?;
            if !record.is_open() {
                return Err(Refusal::PullRequestAlreadyClosed { id: number }.into());
            }
            if record.revision != revision || record.source_commit != source {
                return Err(Refusal::TipOfSourceReferenceIsDifferent.into());
            }
            // Rules and approvals as they are by now.
            Evaluation::expect_approved(&record)?;
            record.status = PullRequestStatus::Closed;
            record.merge = Some(merge.clone());
            let event = EventRecord::Merged { destination: destination.clone(), merge: merge.clone() };
            record.add_event(tx, event, &merge.by, now)?;
            record.put(tx)?;
            remembered.as_ref().map_or(Ok(()), |remember| remember(tx))
        };
        let update = RefUpdate { name: name.clone(), old: Some(sides.destination), new: Some(commit) };
        let wanted = Move { merged: Some(number), besides: Some(Arc::new(close)), ..Move::one(received, update) };
        let outcomes = publish(&found.repository, &git, wanted, call).await?;
        moved(&name, &outcomes, |_| Refusal::ConcurrentReferenceUpdate)?;
        let (domain, id) = (record.domain(), number.to_string());
        let read = call.service.store.read(move |tx| tx.get::<PullRequestRecord>(&domain, &id)).await?;
        let record = read.ok_or_else(|| Refusal::PullRequestDoesNotExist { id: number.to_string() })?;
        Ok(PullRequestOutput::of(record, &found.repository.name))
    }
}

/// Moves the destination forward to the source.
pub(crate) struct MergePullRequestByFastForward;

impl ResourceOperation for MergePullRequestByFastForward {
    type On = Pull<true>;
    const NAME: &'static str = "MergePullRequestByFastForward";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = FastForwardInput;
    type Output = PullRequestOutput;

    fn key(input: &Self::Input) -> &str {
        &input.id
    }

    fn refine<'n>(_: &'n Self::Input, found: Option<&'n Pull<true>>, need: Need<'n>) -> Need<'n> {
        refined(found, need)
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Pull<true>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let stated = (&*input.repository_name, input.source_commit.as_deref());
        let ready = Ready::check(found, stated, call).await?;
        if !ready.sides.forward {
            return Err(Refusal::ManualMergeRequired.into());
        }
        let source = ready.sides.source;
        let received = ready.git.check(source.format(), vec![source]).await?;
        ready.land(found, (received, source), MergeOption::FastForward, call).await
    }
}

fn check(input: &MergePullRequestInput) -> Result<(), CodeCommitError> {
    check_email(input.email.as_deref())?;
    ConflictResolution::check(input.resolution.as_ref(), input.strategy)
}

async fn merge(
    option: MergeOption,
    input: MergePullRequestInput,
    found: &Pull<true>,
    call: &Call<'_, CodeCommit>,
) -> Result<PullRequestOutput, CodeCommitError> {
    let stated = (&*input.repository_name, input.source_commit.as_deref());
    let ready = Ready::check(found, stated, call).await?;
    let record = &found.record;
    let resolved = Resolved {
        settings: Settings::new(input.detail, input.strategy),
        resolution: input.resolution,
        keep_empty_folders: input.keep_empty_folders,
        author: Author::new(input.author_name, input.email, call),
        message: Resolved::message(input.message, &record.source, &record.destination),
    };
    let made = resolved.commit(&ready.git, ready.sides, option).await?;
    let commit = made.commit;
    let received = write_objects(&ready.git, commit.format(), made.objects, commit).await?;
    ready.land(found, (received, commit), option, call).await
}

/// Merges into one commit, whose only parent is the destination's tip.
pub(crate) struct MergePullRequestBySquash;

impl ResourceOperation for MergePullRequestBySquash {
    type On = Pull<true>;
    const NAME: &'static str = "MergePullRequestBySquash";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = MergePullRequestInput;
    type Output = PullRequestOutput;

    fn key(input: &Self::Input) -> &str {
        &input.id
    }

    fn check(input: &Self::Input) -> Result<(), CodeCommitError> {
        check(input)
    }

    fn refine<'n>(_: &'n Self::Input, found: Option<&'n Pull<true>>, need: Need<'n>) -> Need<'n> {
        refined(found, need)
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Pull<true>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        merge(MergeOption::Squash, input, found, call).await
    }
}

/// Merges into a commit with both tips as parents.
pub(crate) struct MergePullRequestByThreeWay;

impl ResourceOperation for MergePullRequestByThreeWay {
    type On = Pull<true>;
    const NAME: &'static str = "MergePullRequestByThreeWay";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = MergePullRequestInput;
    type Output = PullRequestOutput;

    fn key(input: &Self::Input) -> &str {
        &input.id
    }

    fn check(input: &Self::Input) -> Result<(), CodeCommitError> {
        check(input)
    }

    fn refine<'n>(_: &'n Self::Input, found: Option<&'n Pull<true>>, need: Need<'n>) -> Need<'n> {
        refined(found, need)
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Pull<true>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        merge(MergeOption::ThreeWay, input, found, call).await
    }
}
