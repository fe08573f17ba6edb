//! The merge of two commits as it would come out: a tree and its objects, or conflicts.

use git::{GitError, Repository};
use git_diff::DiffError;
use git_diff::merge::{Conflict, Detail, Options, Resolution, merge_commits};
use git_object::{Kind, ObjectId};

use crate::content::{COMPARED_BYTES_MAX, Reader, blocking, leads_to, merge_base, resolve};
use crate::error::{CodeCommitError, Refusal};

/// How many paths are compared at most.
const ENTRIES_MAX: usize = 1_000_000;

wire::text_enum! {
    /// The unit of a conflict.
    pub(crate) enum DetailLevel { File = "FILE_LEVEL", Line = "LINE_LEVEL" }
}

wire::text_enum! {
    /// The handling of conflicts.
    pub(crate) enum Strategy {
        None = "NONE",
        AcceptSource = "ACCEPT_SOURCE",
        AcceptDestination = "ACCEPT_DESTINATION",
        Automerge = "AUTOMERGE",
    }
}

/// How a merge is to be done.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    detail: Detail,
    resolution: Resolution,
}

impl Settings {
    /// The settings of an input: conflicts by file, and none settled, unless it says otherwise.
    pub(crate) fn new(detail: Option<DetailLevel>, strategy: Option<Strategy>) -> Self {
        let detail = match detail {
            Some(DetailLevel::Line) => Detail::Line,
            Some(DetailLevel::File) | None => Detail::File,
        };
        // What merges is brought into the destination, which is ours.
        let resolution = match strategy {
            Some(Strategy::AcceptSource) => Resolution::Theirs,
            Some(Strategy::AcceptDestination) => Resolution::Ours,
            Some(Strategy::None | Strategy::Automerge) | None => Resolution::None,
        };
        Self { detail, resolution }
    }
}

/// The commits of a merge.
#[derive(Clone, Copy)]
pub(crate) struct Sides {
    pub(crate) source: ObjectId,
    pub(crate) destination: ObjectId,
    pub(crate) base: Option<ObjectId>,
    /// Whether the source leads to the destination, so that the branch need only move.
    pub(crate) forward: bool,
}

/// A merge that was tried.
pub(crate) struct Attempt {
    pub(crate) tree: ObjectId,
    pub(crate) objects: Vec<(Kind, Vec<u8>)>,
    pub(crate) conflicts: Vec<Conflict>,
}

impl Sides {
    /// The name of the record of their merge.
    pub(super) fn name(&self) -> String {
        format!("{}..{}", self.destination, self.source)
    }

    /// The commits that two specifiers name.
    ///
    /// # Errors
    /// [`Refusal::CommitDoesNotExist`], [`Refusal::TipsDivergenceExceeded`]; those of reading.
    pub(crate) async fn named(git: &Repository, source: &str, destination: &str) -> Result<Self, CodeCommitError> {
        let (source, destination) = (resolve(git, source).await?, resolve(git, destination).await?);
        Self::of(git, source, destination).await
    }

    /// Two commits.
    ///
    /// # Errors
    /// [`Refusal::TipsDivergenceExceeded`]; those of reading.
    pub(crate) async fn of(git: &Repository, source: ObjectId, destination: ObjectId) -> Result<Self, CodeCommitError> {
        let reader = Reader::new(git);
        blocking(move || {
            let base = merge_base(&reader, &source, &destination)?;
            let forward = leads_to(&reader, &source, &destination)?;
            Ok(Self { source, destination, base, forward })
        })
        .await
    }

    /// Tries the merge. Blocks.
    ///
    /// # Errors
    /// [`Refusal::MaximumFileContentToLoadExceeded`], [`Refusal::MaximumItemsToCompareExceeded`]; those of reading.
    pub(crate) fn attempt(&self, reader: &Reader, settings: Settings) -> Result<Attempt, CodeCommitError> {
        let (ours, theirs) = (self.destination.to_string(), self.source.to_string());
        let options = Options {
            ours: ours.as_bytes(),
            theirs: theirs.as_bytes(),
            detail: settings.detail,
            resolution: settings.resolution,
            entries_max: ENTRIES_MAX,
            ..Options::default()
        };
        let merged = merge_commits(reader, &self.destination, &self.source, &options).map_err(|error| match error {
            DiffError::Large => Refusal::MaximumItemsToCompareExceeded { most: ENTRIES_MAX }.into(),
            DiffError::Source(GitError::TooLarge { .. }) => {
                Refusal::MaximumFileContentToLoadExceeded { most: COMPARED_BYTES_MAX }.into()
            }
            other => CodeCommitError::from(other),
        })?;
        let objects = merged.objects.into_iter().map(|(_, kind, content)| (kind, content)).collect();
        Ok(Attempt { tree: merged.tree, objects, conflicts: merged.conflicts })
    }
}
