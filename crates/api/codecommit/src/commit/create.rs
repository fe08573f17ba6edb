//! `CreateCommit`: files put, copied, moved, deleted and given other modes, in one commit.

use std::collections::BTreeSet;

use git_object::{Mode, ObjectId};
use service::{AuditClass, Call, Need, Permit, ResourceOperation};
use wire::shape::Rule;
use wire::{Blob, SecretText};

use super::{AUTHOR, Author, Base, EMAIL, FILE_BYTES_MAX, FILES_BYTES_MAX, MESSAGE, PATH, check_email, make};
use crate::CodeCommit;
use crate::access::Opened;
use crate::branch::describe;
use crate::content::edit::{Edit, KEEP, parts};
use crate::content::{FileMode, check_branch_name};
use crate::error::{CodeCommitError, Refusal};
use crate::rules::{BRANCH, NAME, NAME_PATTERN};

/// How many files a commit changes at most.
const ENTRIES_MAX: usize = 100;

wire::shape! {
    /// A file that another is made from.
    pub(crate) struct SourceFileSpecifier {
        "filePath" file_path: String, required, [PATH];
        "isMove" is_move: bool, default, [];
    }
}

wire::shape! {
    /// A file to be put.
    pub(crate) struct PutFileEntry {
        "filePath" file_path: String, required, [PATH];
        "fileMode" file_mode: FileMode, optional, [];
        "fileContent" file_content: Blob, optional, [Rule::Length(0, FILE_BYTES_MAX)];
        "sourceFile" source_file: SourceFileSpecifier, optional, [];
    }
}

wire::shape! {
    /// A file to be deleted.
    pub(crate) struct DeleteFileEntry {
        "filePath" file_path: String, required, [PATH];
    }
}

wire::shape! {
    /// A file to be given another mode.
    pub(crate) struct SetFileModeEntry {
        "filePath" file_path: String, required, [PATH];
        "fileMode" file_mode: FileMode, required, [];
    }
}

wire::shape! {
    pub(crate) struct CreateCommitInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "branchName" branch_name: String, required, [BRANCH];
        "parentCommitId" parent_commit_id: String, optional, [];
        "authorName" author_name: String, optional, [AUTHOR];
        "email" email: String, optional, [EMAIL];
        "commitMessage" commit_message: SecretText, optional, [MESSAGE];
        "keepEmptyFolders" keep_empty_folders: bool, default, [];
        "putFiles" put_files: Vec<PutFileEntry>, default, [Rule::Length(0, ENTRIES_MAX), Rule::Together(3 * FILES_BYTES_MAX)];
        "deleteFiles" delete_files: Vec<DeleteFileEntry>, default, [Rule::Length(0, ENTRIES_MAX)];
        "setFileModes" set_file_modes: Vec<SetFileModeEntry>, default, [Rule::Length(0, ENTRIES_MAX)];
    }
}

wire::output! {
    /// A file that a commit changed.
    pub(crate) struct FileMetadata {
        "absolutePath" absolute_path: String, required;
        "blobId" blob_id: String, required;
        "fileMode" file_mode: FileMode, required;
    }
}

wire::output! {
    pub(crate) struct CreateCommitOutput {
        "commitId" commit_id: String, required;
        "treeId" tree_id: String, required;
        "filesAdded" added: Vec<FileMetadata>, required;
        "filesUpdated" updated: Vec<FileMetadata>, required;
        "filesDeleted" deleted: Vec<FileMetadata>, required;
    }
}

/// Makes a commit.
pub(crate) struct CreateCommit;

impl ResourceOperation for CreateCommit {
    type On = Opened;
    const NAME: &'static str = "CreateCommit";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateCommitInput;
    type Output = CreateCommitOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    fn check(input: &Self::Input) -> Result<(), CodeCommitError> {
        check_branch_name(&input.branch_name)?;
        check_email(input.email.as_deref())?;
        check_entries(input)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Opened>, need: Need<'n>) -> Need<'n> {
        describe(need, &input.branch_name, true)
    }

    async fn run(
        input: Self::Input,
        opened: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let base = Base::find(opened, &input.branch_name, input.parent_commit_id.as_deref(), call).await?;
        let author = Author::new(input.author_name, input.email, call);
        let count = input.put_files.len() + input.delete_files.len() + input.set_file_modes.len();
        let message = input.commit_message.map(|text| text.0.to_string()).filter(|text| !text.is_empty());
        let message = message.unwrap_or_else(|| format!("Changed {count} files"));
        let (puts, deletes, modes, keep) =
            (input.put_files, input.delete_files, input.set_file_modes, input.keep_empty_folders);
        let change = move |edit: &mut Edit<'_>| apply(edit, puts, deletes, modes, keep);
        let made = make(opened, base, (author, message), change, call).await?;
        let [added, updated, deleted] = made.value;
        Ok(CreateCommitOutput {
            commit_id: made.commit.to_string(),
            tree_id: made.tree.to_string(),
            added,
            updated,
            deleted,
        })
    }
}

/// Checks what can be checked without looking at the repository.
fn check_entries(input: &CreateCommitInput) -> Result<(), CodeCommitError> {
    let CreateCommitInput { put_files, delete_files, set_file_modes, .. } = input;
    match put_files.len() + delete_files.len() + set_file_modes.len() {
        0 => return Err(Refusal::FileEntryRequired.into()),
        1..=ENTRIES_MAX => {}
        _ => return Err(Refusal::MaximumFileEntriesExceeded { most: ENTRIES_MAX }.into()),
    }
    let mut changed = BTreeSet::new();
    let mut change = |path: &str| {
        let path = parts(path)?.join("/");
        match changed.insert(path.clone()) {
            true => Ok(()),
            false => Err(CodeCommitError::from(Refusal::SamePathRequest { path })),
        }
    };
    for put in put_files {
        let path = || put.file_path.clone();
        change(&put.file_path)?;
        match (&put.file_content, &put.source_file) {
            (None, None) => return Err(Refusal::SourceFileOrContentRequired { path: path() }.into()),
            (Some(_), Some(_)) => return Err(Refusal::FileContentAndSourceFileSpecified { path: path() }.into()),
            (Some(_), None) => {}
            (None, Some(source)) => {
                if parts(&source.file_path)?.last() == Some(&KEEP) {
                    return Err(Refusal::RestrictedSourceFile { path: source.file_path.clone() }.into());
                }
                if source.is_move {
                    change(&source.file_path)?;
                }
            }
        }
    }
    delete_files.iter().try_for_each(|delete| change(&delete.file_path))?;
    set_file_modes.iter().try_for_each(|set| change(&set.file_path))?;
    let bytes: usize =
        put_files.iter().filter_map(|put| put.file_content.as_ref()).map(|content| content.0.len()).sum();
    if bytes > FILES_BYTES_MAX {
        return Err(Refusal::FolderContentSizeLimitExceeded { most: FILES_BYTES_MAX }.into());
    }
    let puts: BTreeSet<String> =
        put_files.iter().filter_map(|put| parts(&put.file_path).ok()).map(|p| p.join("/")).collect();
    for path in &puts {
        let inside = [path, "/"].concat();
        if puts.range(inside.clone()..).next().is_some_and(|next| next.starts_with(&inside)) {
            return Err(Refusal::PutFileEntryConflict { path: path.clone() }.into());
        }
    }
    Ok(())
}

/// Does all changes, deletions first, so that they make room. Yields what was added, updated and deleted.
fn apply(
    edit: &mut Edit<'_>,
    puts: Vec<PutFileEntry>,
    deletes: Vec<DeleteFileEntry>,
    modes: Vec<SetFileModeEntry>,
    keep: bool,
) -> Result<[Vec<FileMetadata>; 3], CodeCommitError> {
    let (mut added, mut updated, mut deleted) = (Vec::new(), Vec::new(), Vec::new());
    let mut sources = Vec::with_capacity(puts.len());
    for put in &puts {
        let Some(source) = &put.source_file else {
            sources.push(None);
            continue;
        };
        let missing = || Refusal::FileDoesNotExist { path: source.file_path.clone() };
        let found = edit.get(&source.file_path)?.filter(|(mode, _)| FileMode::of(*mode).is_some());
        sources.push(Some(found.ok_or_else(missing)?));
    }
    let moves = puts.iter().filter_map(|put| put.source_file.as_ref()).filter(|source| source.is_move);
    let gone: Vec<_> =
        moves.map(|source| &source.file_path).chain(deletes.iter().map(|delete| &delete.file_path)).collect();
    for path in gone {
        let (mode, id) = edit.remove(path, keep)?;
        deleted.push(metadata(path, mode, id)?);
    }
    for (put, source) in puts.into_iter().zip(sources) {
        let before = edit.get(&put.file_path)?;
        let (id, mode) = match (source, put.file_content) {
            (Some((mode, id)), _) => (id, put.file_mode.map_or(mode, FileMode::mode)),
            (None, Some(content)) => {
                let mode = put.file_mode.map_or_else(|| kept(before), FileMode::mode);
                (edit.make_blob(&content.0)?, mode)
            }
            (None, None) => return Err(Refusal::SourceFileOrContentRequired { path: put.file_path }.into()),
        };
        edit.put(&put.file_path, mode, id)?;
        let put = metadata(&put.file_path, mode, id)?;
        if before.is_some() { updated.push(put) } else { added.push(put) }
    }
    for set in modes {
        let missing = || Refusal::FileDoesNotExist { path: set.file_path.clone() };
        let (_, id) =
            edit.get(&set.file_path)?.filter(|(mode, _)| FileMode::of(*mode).is_some()).ok_or_else(missing)?;
        let mode = set.file_mode.mode();
        edit.put(&set.file_path, mode, id)?;
        updated.push(metadata(&set.file_path, mode, id)?);
    }
    Ok([added, updated, deleted])
}

/// The mode of a file that is put without one: as it is, or else that of a file.
fn kept(before: Option<(Mode, ObjectId)>) -> Mode {
    before.map(|(mode, _)| mode).filter(|mode| FileMode::of(*mode).is_some()).unwrap_or(Mode::Regular)
}

fn metadata(path: &str, mode: Mode, id: ObjectId) -> Result<FileMetadata, CodeCommitError> {
    let absolute_path = parts(path)?.join("/");
    Ok(FileMetadata {
        absolute_path,
        blob_id: id.to_string(),
        file_mode: FileMode::of(mode).unwrap_or(FileMode::Normal),
    })
}
