//! `GetMergeOptions`, `GetMergeConflicts` and `GetMergeCommit`.

use service::{AuditClass, Call, Need, Permit, ResourceOperation};

use super::conflict::ConflictMetadata;
use super::{DetailLevel, Settings, Sides, Strategy, branch_of, text_of};
use crate::CodeCommit;
use crate::access::{Opened, REFERENCES};
use crate::content::{Reader, blocking, full_branch};
use crate::error::{CodeCommitError, Refusal};
use crate::record::merge::MergeRecord;
use crate::record::pull_request::MergeOption;
use crate::rules::{MAX_RESULTS, NAME, NAME_PATTERN, SPECIFIER, TOKEN};

/// How many files a page has unless fewer are asked for, and at most.
pub(super) const FILES_MAX: usize = 100;

/// How many commits are looked at in search of a merge.
const COMMITS_MAX: usize = 100_000;

wire::shape! {
    pub(crate) struct GetMergeOptionsInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "sourceCommitSpecifier" source: String, required, [SPECIFIER];
        "destinationCommitSpecifier" destination: String, required, [SPECIFIER];
        "conflictDetailLevel" detail: DetailLevel, optional, [];
        "conflictResolutionStrategy" strategy: Strategy, optional, [];
    }
}

wire::output! {
    pub(crate) struct GetMergeOptionsOutput {
        "mergeOptions" options: Vec<MergeOption>, required;
        "sourceCommitId" source: String, required;
        "destinationCommitId" destination: String, required;
        "baseCommitId" base: String, required;
    }
}

/// Lists the ways in which two commits can be merged without anybody's help.
pub(crate) struct GetMergeOptions;

impl ResourceOperation for GetMergeOptions {
    type On = Opened;
    const NAME: &'static str = "GetMergeOptions";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetMergeOptionsInput;
    type Output = GetMergeOptionsOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    async fn run(
        input: Self::Input,
        opened: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let git = opened.git(call).await?;
        let sides = Sides::named(&git, &input.source, &input.destination).await?;
        let (reader, settings) = (Reader::new(&git), Settings::new(input.detail, input.strategy));
        let clean = blocking(move || Ok(sides.attempt(&reader, settings)?.conflicts.is_empty())).await?;
        let mut options = Vec::new();
        if sides.forward {
            options.push(MergeOption::FastForward);
        }
        if clean {
            options.extend([MergeOption::Squash, MergeOption::ThreeWay]);
        }
        Ok(GetMergeOptionsOutput {
            options,
            source: sides.source.to_string(),
            destination: sides.destination.to_string(),
            base: text_of(sides.base).unwrap_or_default(),
        })
    }
}

wire::shape! {
    pub(crate) struct GetMergeConflictsInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "destinationCommitSpecifier" destination: String, required, [SPECIFIER];
        "sourceCommitSpecifier" source: String, required, [SPECIFIER];
        "mergeOption" option: MergeOption, required, [];
        "conflictDetailLevel" detail: DetailLevel, optional, [];
        "maxConflictFiles" max_files: i32, optional, [MAX_RESULTS];
        "conflictResolutionStrategy" strategy: Strategy, optional, [];
        "nextToken" next_token: String, optional, [TOKEN];
    }
}

wire::output! {
    pub(crate) struct GetMergeConflictsOutput {
        "mergeable" mergeable: bool, required;
        "destinationCommitId" destination: String, required;
        "sourceCommitId" source: String, required;
        "baseCommitId" base: String, optional;
        "conflictMetadataList" conflicts: Vec<ConflictMetadata>, required;
        "nextToken" next_token: String, optional;
    }
}

/// Lists the files that stand in the way of a merge.
pub(crate) struct GetMergeConflicts;

impl ResourceOperation for GetMergeConflicts {
    type On = Opened;
    const NAME: &'static str = "GetMergeConflicts";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetMergeConflictsInput;
    type Output = GetMergeConflictsOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    async fn run(
        input: Self::Input,
        opened: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let git = opened.git(call).await?;
        let sides = Sides::named(&git, &input.source, &input.destination).await?;
        let skipped = input.next_token.map_or(Ok(0), |token| token.parse::<usize>());
        let skipped = skipped.map_err(|_| Refusal::InvalidContinuationToken)?;
        let size = input.max_files.and_then(|most| usize::try_from(most).ok()).unwrap_or(FILES_MAX).clamp(1, FILES_MAX);
        let mut output = GetMergeConflictsOutput {
            mergeable: sides.forward,
            destination: sides.destination.to_string(),
            source: sides.source.to_string(),
            base: text_of(sides.base),
            conflicts: Vec::new(),
            next_token: None,
        };
        if input.option == MergeOption::FastForward {
            return Ok(output);
        }
        let (reader, settings) = (Reader::new(&git), Settings::new(input.detail, input.strategy));
        blocking(move || {
            let found = sides.attempt(&reader, settings)?.conflicts;
            output.mergeable = found.is_empty();
            if found.len() > skipped + size {
                output.next_token = Some((skipped + size).to_string());
            }
            for conflict in found.iter().skip(skipped).take(size) {
                output.conflicts.push(ConflictMetadata::of(conflict, &reader)?);
            }
            Ok(output)
        })
        .await
    }
}

wire::shape! {
    pub(crate) struct GetMergeCommitInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "sourceCommitSpecifier" source: String, required, [SPECIFIER];
        "destinationCommitSpecifier" destination: String, required, [SPECIFIER];
        "conflictDetailLevel" detail: DetailLevel, optional, [];
        "conflictResolutionStrategy" strategy: Strategy, optional, [];
    }
}

wire::output! {
    pub(crate) struct GetMergeCommitOutput {
        "sourceCommitId" source: String, required;
        "destinationCommitId" destination: String, required;
        "baseCommitId" base: String, optional;
        "mergedCommitId" merged: String, optional;
    }
}

/// Finds the commit that merged two others, if there is one.
pub(crate) struct GetMergeCommit;

impl ResourceOperation for GetMergeCommit {
    type On = Opened;
    const NAME: &'static str = "GetMergeCommit";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetMergeCommitInput;
    type Output = GetMergeCommitOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Opened>, need: Need<'n>) -> Need<'n> {
        match branch_of(&input.destination) {
            Some(branch) => need.with(REFERENCES, full_branch(branch)),
            None => need,
        }
    }

    async fn run(
        input: Self::Input,
        opened: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let git = opened.git(call).await?;
        let sides = Sides::named(&git, &input.source, &input.destination).await?;
        let (id, name) = (opened.id.clone(), sides.name());
        let known = call.service.store.read(move |tx| tx.get::<MergeRecord>(&id, &name)).await?;
        let merged = match known {
            Some(record) => Some(record.commit),
            None => {
                let prefix = full_branch("");
                let tips = git.references().with_prefix(&prefix).map(|found| found.id).collect::<Vec<_>>();
                let (reader, objects) = (Reader::new(&git), git.objects());
                blocking(move || {
                    for id in objects.history(&tips, COMMITS_MAX)? {
                        if reader.expect_commit(&id)?.parents == [sides.destination, sides.source] {
                            return Ok(Some(id.to_string()));
                        }
                    }
                    Ok(None)
                })
                .await?
            }
        };
        Ok(GetMergeCommitOutput {
            source: sides.source.to_string(),
            destination: sides.destination.to_string(),
            base: text_of(sides.base),
            merged,
        })
    }
}
