//! `DescribeMergeConflicts` and `BatchDescribeMergeConflicts`: conflicts hunk by hunk.

use service::{AuditClass, Call, Permit, ResourceOperation, ServiceError as _};
use wire::shape::Rule;

use super::conflict::{ConflictMetadata, MergeHunk, hunks, path_of};
use super::options::FILES_MAX;
use super::{DetailLevel, Settings, Sides, Strategy, text_of};
use crate::CodeCommit;
use crate::access::Opened;
use crate::content::{Reader, blocking};
use crate::error::{CodeCommitError, Refusal};
use crate::record::pull_request::MergeOption;
use crate::rules::{MAX_RESULTS, NAME, NAME_PATTERN, SPECIFIER, TOKEN};

/// How many hunks a page has unless fewer are asked for, and at most.
const HUNKS_MAX: usize = 100;

wire::shape! {
    pub(crate) struct DescribeMergeConflictsInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "destinationCommitSpecifier" destination: String, required, [SPECIFIER];
        "sourceCommitSpecifier" source: String, required, [SPECIFIER];
        "mergeOption" option: MergeOption, required, [];
        "maxMergeHunks" max_hunks: i32, optional, [MAX_RESULTS];
        "filePath" file_path: String, required, [Rule::Length(1, 4096)];
        "conflictDetailLevel" detail: DetailLevel, optional, [];
        "conflictResolutionStrategy" strategy: Strategy, optional, [];
        "nextToken" next_token: String, optional, [TOKEN];
    }
}

wire::output! {
    pub(crate) struct DescribeMergeConflictsOutput {
        "conflictMetadata" metadata: ConflictMetadata, required;
        "mergeHunks" hunks: Vec<MergeHunk>, required;
        "nextToken" next_token: String, optional;
        "destinationCommitId" destination: String, required;
        "sourceCommitId" source: String, required;
        "baseCommitId" base: String, optional;
    }
}

fn expect_merge(option: MergeOption) -> Result<(), CodeCommitError> {
    if option == MergeOption::FastForward { Err(Refusal::InvalidMergeOption.into()) } else { Ok(()) }
}

/// Shows one conflict.
pub(crate) struct DescribeMergeConflicts;

impl ResourceOperation for DescribeMergeConflicts {
    type On = Opened;
    const NAME: &'static str = "DescribeMergeConflicts";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = DescribeMergeConflictsInput;
    type Output = DescribeMergeConflictsOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    fn check(input: &Self::Input) -> Result<(), CodeCommitError> {
        expect_merge(input.option)
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
        let size = input.max_hunks.and_then(|most| usize::try_from(most).ok()).unwrap_or(HUNKS_MAX).clamp(1, HUNKS_MAX);
        let (reader, settings) = (Reader::new(&git), Settings::new(input.detail, input.strategy));
        let path = input.file_path.trim_matches('/').to_owned();
        blocking(move || {
            let found = sides.attempt(&reader, settings)?.conflicts;
            let conflict = found.iter().find(|conflict| path_of(conflict) == path);
            let conflict = conflict.ok_or_else(|| Refusal::FileDoesNotExist { path: path.clone() })?;
            let all = hunks(conflict, &reader)?;
            let next_token = (all.len() > skipped + size).then(|| (skipped + size).to_string());
            Ok(DescribeMergeConflictsOutput {
                metadata: ConflictMetadata::of(conflict, &reader)?,
                hunks: all.into_iter().skip(skipped).take(size).collect(),
                next_token,
                destination: sides.destination.to_string(),
                source: sides.source.to_string(),
                base: text_of(sides.base),
            })
        })
        .await
    }
}

wire::shape! {
    pub(crate) struct BatchDescribeMergeConflictsInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "destinationCommitSpecifier" destination: String, required, [SPECIFIER];
        "sourceCommitSpecifier" source: String, required, [SPECIFIER];
        "mergeOption" option: MergeOption, required, [];
        "maxMergeHunks" max_hunks: i32, optional, [MAX_RESULTS];
        "maxConflictFiles" max_files: i32, optional, [MAX_RESULTS];
        "filePaths" file_paths: Vec<String>, default, [Rule::Each(&[Rule::Length(1, 4096)])];
        "conflictDetailLevel" detail: DetailLevel, optional, [];
        "conflictResolutionStrategy" strategy: Strategy, optional, [];
        "nextToken" next_token: String, optional, [TOKEN];
    }
}

wire::output! {
    /// A conflict with its hunks.
    pub(crate) struct ConflictOutput {
        "conflictMetadata" metadata: ConflictMetadata, required;
        "mergeHunks" hunks: Vec<MergeHunk>, required;
    }
}

wire::output! {
    /// Why a conflict is not shown.
    pub(crate) struct BatchDescribeMergeConflictsError {
        "filePath" file_path: String, required;
        "exceptionName" exception_name: String, required;
        "message" message: String, required;
    }
}

wire::output! {
    pub(crate) struct BatchDescribeMergeConflictsOutput {
        "conflicts" conflicts: Vec<ConflictOutput>, required;
        "nextToken" next_token: String, optional;
        "errors" errors: Vec<BatchDescribeMergeConflictsError>, required;
        "destinationCommitId" destination: String, required;
        "sourceCommitId" source: String, required;
        "baseCommitId" base: String, optional;
    }
}

/// Shows several conflicts, or all of them.
pub(crate) struct BatchDescribeMergeConflicts;

impl ResourceOperation for BatchDescribeMergeConflicts {
    type On = Opened;
    const NAME: &'static str = "BatchDescribeMergeConflicts";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = BatchDescribeMergeConflictsInput;
    type Output = BatchDescribeMergeConflictsOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    fn check(input: &Self::Input) -> Result<(), CodeCommitError> {
        expect_merge(input.option)
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
        let within = |asked: Option<i32>, most: usize| {
            asked.and_then(|asked| usize::try_from(asked).ok()).unwrap_or(most).clamp(1, most)
        };
        let (files, most) = (within(input.max_files, FILES_MAX), within(input.max_hunks, HUNKS_MAX));
        let (reader, settings) = (Reader::new(&git), Settings::new(input.detail, input.strategy));
        let wanted: Vec<_> = input.file_paths.iter().map(|path| path.trim_matches('/').to_owned()).collect();
        blocking(move || {
            let mut found = sides.attempt(&reader, settings)?.conflicts;
            let missing = wanted.iter().filter(|path| !found.iter().any(|conflict| path_of(conflict) == **path));
            let errors = missing.map(|path| {
                let fault = CodeCommitError::from(Refusal::FileDoesNotExist { path: path.clone() }).fault();
                let (exception_name, message) = (fault.code.to_owned(), fault.message);
                BatchDescribeMergeConflictsError { file_path: path.clone(), exception_name, message }
            });
            let errors = errors.collect();
            found.retain(|conflict| wanted.is_empty() || wanted.contains(&path_of(conflict)));
            let next_token = (found.len() > skipped + files).then(|| (skipped + files).to_string());
            let mut conflicts = Vec::new();
            for conflict in found.iter().skip(skipped).take(files) {
                let mut hunks = hunks(conflict, &reader)?;
                hunks.truncate(most);
                conflicts.push(ConflictOutput { metadata: ConflictMetadata::of(conflict, &reader)?, hunks });
            }
            Ok(BatchDescribeMergeConflictsOutput {
                conflicts,
                next_token,
                errors,
                destination: sides.destination.to_string(),
                source: sides.source.to_string(),
                base: text_of(sides.base),
            })
        })
        .await
    }
}
