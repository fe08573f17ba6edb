//! Conflicts settled by the caller file by file, and the commit of a merge.

use std::collections::BTreeSet;

use git::Repository;
use git_diff::merge::Conflict;
use git_object::{Kind, Mode, ObjectId};
use wire::shape::Rule;
use wire::{Blob, SecretText};

use super::attempt::Attempt;
use super::conflict::path_of;
use super::{Settings, Sides, Strategy};
use crate::commit::create::{DeleteFileEntry, SetFileModeEntry};
use crate::commit::{Author, FILE_BYTES_MAX, FILES_BYTES_MAX, PATH, commit_objects};
use crate::content::edit::Edit;
use crate::content::{FileMode, Reader, blocking};
use crate::error::{CodeCommitError, Refusal};
use crate::record::pull_request::MergeOption;

/// How many files a caller settles at most.
const ENTRIES_MAX: usize = 100;

wire::text_enum! {
    /// The replacement of a file in conflict.
    pub(crate) enum ReplacementType {
        KeepBase = "KEEP_BASE",
        KeepSource = "KEEP_SOURCE",
        KeepDestination = "KEEP_DESTINATION",
        UseNewContent = "USE_NEW_CONTENT",
    }
}

wire::shape! {
    /// A file in conflict, and what it is to be.
    pub(crate) struct ReplaceContentEntry {
        "filePath" file_path: String, required, [PATH];
        "replacementType" replacement: ReplacementType, required, [];
        "content" content: Blob, optional, [Rule::Length(0, FILE_BYTES_MAX)];
        "fileMode" file_mode: FileMode, optional, [];
    }
}

wire::shape! {
    /// How conflicts are settled.
    pub(crate) struct ConflictResolution {
        "replaceContents" replace: Vec<ReplaceContentEntry>, default,
            [Rule::Length(0, ENTRIES_MAX), Rule::Together(3 * FILES_BYTES_MAX)];
        "deleteFiles" delete: Vec<DeleteFileEntry>, default, [Rule::Length(0, ENTRIES_MAX)];
        "setFileModes" modes: Vec<SetFileModeEntry>, default, [Rule::Length(0, ENTRIES_MAX)];
    }
}

impl ConflictResolution {
    /// Checks what can be checked without looking at the repository.
    ///
    /// # Errors
    /// [`Refusal::InvalidConflictResolution`], [`Refusal::MultipleConflictResolutionEntries`],
    /// [`Refusal::ReplacementContentRequired`], [`Refusal::FolderContentSizeLimitExceeded`].
    pub(crate) fn check(resolution: Option<&Self>, strategy: Option<Strategy>) -> Result<(), CodeCommitError> {
        let Some(resolution) = resolution else { return Ok(()) };
        if strategy != Some(Strategy::Automerge) {
            return Err(Refusal::InvalidConflictResolution.into());
        }
        let mut settled = BTreeSet::new();
        let replaced = resolution.replace.iter().map(|entry| &entry.file_path);
        for path in replaced.chain(resolution.delete.iter().map(|entry| &entry.file_path)) {
            if !settled.insert(path.trim_matches('/')) {
                return Err(Refusal::MultipleConflictResolutionEntries { path: path.clone() }.into());
            }
        }
        for entry in &resolution.replace {
            if entry.replacement == ReplacementType::UseNewContent && entry.content.is_none() {
                return Err(Refusal::ReplacementContentRequired { path: entry.file_path.clone() }.into());
            }
        }
        let contents = resolution.replace.iter().filter_map(|entry| entry.content.as_ref());
        if contents.map(|content| content.0.len()).sum::<usize>() > FILES_BYTES_MAX {
            return Err(Refusal::FolderContentSizeLimitExceeded { most: FILES_BYTES_MAX }.into());
        }
        Ok(())
    }

    /// Settles conflicts in the tree of a merge. Blocks.
    ///
    /// # Errors
    /// [`Refusal::ManualMergeRequired`] for a conflict that is not settled; those of [`Edit`].
    fn apply(self, reader: &Reader, attempt: Attempt, keep: bool) -> Result<Attempt, CodeCommitError> {
        let Attempt { tree, objects, conflicts } = attempt;
        let reader = reader.with_made(tree.format(), &objects)?;
        let mut edit = Edit::new(&reader, tree.format(), Some(&tree))?;
        let settled: BTreeSet<String> = self
            .replace
            .iter()
            .map(|entry| &entry.file_path)
            .chain(self.delete.iter().map(|entry| &entry.file_path))
            .chain(self.modes.iter().map(|entry| &entry.file_path))
            .map(|path| path.trim_matches('/').to_owned())
            .collect();
        if conflicts.iter().any(|conflict| !settled.contains(&path_of(conflict))) {
            return Err(Refusal::ManualMergeRequired.into());
        }
        let find = |path: &str| conflicts.iter().find(|conflict| path_of(conflict) == path.trim_matches('/'));
        for entry in self.delete {
            edit.remove(&entry.file_path, keep)?;
        }
        for entry in self.replace {
            let (mode, id) = replacement(&entry, find(&entry.file_path), &mut edit)?;
            match id {
                Some(id) => edit.put(&entry.file_path, entry.file_mode.map_or(mode, FileMode::mode), id)?,
                None if edit.get(&entry.file_path)?.is_some() => drop(edit.remove(&entry.file_path, keep)?),
                None => {}
            }
        }
        for entry in self.modes {
            let missing = || Refusal::FileDoesNotExist { path: entry.file_path.clone() };
            let found = edit.get(&entry.file_path)?.filter(|(mode, _)| FileMode::of(*mode).is_some());
            let (_, id) = found.ok_or_else(missing)?;
            edit.put(&entry.file_path, entry.file_mode.mode(), id)?;
        }
        let (tree, made) = edit.finish()?;
        Ok(Attempt { tree, objects: objects.into_iter().chain(made).collect(), conflicts: Vec::new() })
    }
}

/// The mode and content that a file in conflict is replaced by; no content if that version does not have it.
fn replacement(
    entry: &ReplaceContentEntry,
    conflict: Option<&Conflict>,
    edit: &mut Edit<'_>,
) -> Result<(Mode, Option<ObjectId>), CodeCommitError> {
    let conflict = conflict.ok_or(Refusal::InvalidConflictResolution)?;
    let [base, ours, theirs] = conflict.stages;
    let kept = match entry.replacement {
        ReplacementType::KeepBase => base,
        ReplacementType::KeepDestination => ours,
        ReplacementType::KeepSource => theirs,
        ReplacementType::UseNewContent => {
            let content = entry.content.as_ref();
            let path = || entry.file_path.clone();
            let content = content.ok_or_else(|| Refusal::ReplacementContentRequired { path: path() })?;
            let known = ours.or(theirs).or(base).map(|item| item.mode);
            let mode = known.filter(|mode| FileMode::of(*mode).is_some()).unwrap_or(Mode::Regular);
            return Ok((mode, Some(edit.make_blob(&content.0)?)));
        }
    };
    Ok((kept.map_or(Mode::Regular, |item| item.mode), kept.map(|item| item.id)))
}

/// A merge that is to be made, with who makes it.
pub(crate) struct Resolved {
    pub(crate) settings: Settings,
    pub(crate) resolution: Option<ConflictResolution>,
    pub(crate) keep_empty_folders: bool,
    pub(crate) author: Author,
    pub(crate) message: String,
}

/// A commit of a merge with all objects that it brings.
pub(crate) struct MergeCommit {
    pub(crate) commit: ObjectId,
    pub(crate) tree: ObjectId,
    pub(crate) objects: Vec<(Kind, Vec<u8>)>,
}

impl Resolved {
    /// The message that a caller states, or else one that says what was merged.
    pub(crate) fn message(stated: Option<SecretText>, source: &str, destination: &str) -> String {
        let stated = stated.map(|text| text.0.to_string()).filter(|text| !text.is_empty());
        stated.unwrap_or_else(|| format!("Merge {source} into {destination}"))
    }

    /// Makes the commit: with one parent for a squash, and two for a three-way merge.
    ///
    /// # Errors
    /// [`Refusal::ManualMergeRequired`]; those of trying the merge and of settling conflicts.
    pub(crate) async fn commit(
        self,
        git: &Repository,
        sides: Sides,
        option: MergeOption,
    ) -> Result<MergeCommit, CodeCommitError> {
        let reader = Reader::new(git);
        blocking(move || {
            let mut attempt = sides.attempt(&reader, self.settings)?;
            if let Some(resolution) = self.resolution {
                attempt = resolution.apply(&reader, attempt, self.keep_empty_folders)?;
            }
            if !attempt.conflicts.is_empty() {
                return Err(Refusal::ManualMergeRequired.into());
            }
            let parents = match option {
                MergeOption::ThreeWay => vec![sides.destination, sides.source],
                MergeOption::Squash | MergeOption::FastForward => vec![sides.destination],
            };
            let Attempt { tree, objects, .. } = attempt;
            let (commit, objects) = commit_objects(tree, &parents, &self.author, &self.message, objects)?;
            Ok(MergeCommit { commit, tree, objects })
        })
        .await
    }
}
