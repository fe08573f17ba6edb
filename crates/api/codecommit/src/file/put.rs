//! `PutFile` and `DeleteFile`: a commit of one file.

use git_object::Mode;
use service::{AuditClass, Call, Need, Permit, ResourceOperation};
use wire::shape::Rule;
use wire::{Blob, SecretText};

use crate::CodeCommit;
use crate::access::Opened;
use crate::branch::describe;
use crate::commit::{AUTHOR, Author, Base, EMAIL, FILE_BYTES_MAX, MESSAGE, PATH, check_email, make};
use crate::content::edit::{Edit, parts};
use crate::content::{FileMode, check_branch_name};
use crate::error::{CodeCommitError, Refusal};
use crate::rules::{BRANCH, NAME, NAME_PATTERN};

wire::shape! {
    pub(crate) struct PutFileInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "branchName" branch_name: String, required, [BRANCH];
        "fileContent" file_content: Blob, required, [Rule::Length(0, FILE_BYTES_MAX)];
        "filePath" file_path: String, required, [PATH];
        "fileMode" file_mode: FileMode, optional, [];
        "parentCommitId" parent_commit_id: String, optional, [];
        "commitMessage" commit_message: SecretText, optional, [MESSAGE];
        "name" name: String, optional, [AUTHOR];
        "email" email: String, optional, [EMAIL];
    }
}

wire::output! {
    pub(crate) struct PutFileOutput {
        "commitId" commit_id: String, required;
        "blobId" blob_id: String, required;
        "treeId" tree_id: String, required;
    }
}

/// The message of a commit, or another if the caller states none.
fn message(stated: Option<SecretText>, other: impl FnOnce() -> String) -> String {
    stated.map(|text| text.0.to_string()).filter(|text| !text.is_empty()).unwrap_or_else(other)
}

/// Adds or changes a file.
pub(crate) struct PutFile;

impl ResourceOperation for PutFile {
    type On = Opened;
    const NAME: &'static str = "PutFile";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = PutFileInput;
    type Output = PutFileOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    fn check(input: &Self::Input) -> Result<(), CodeCommitError> {
        check_branch_name(&input.branch_name)?;
        check_email(input.email.as_deref())?;
        if input.file_content.0.is_empty() {
            return Err(Refusal::FileContentRequired.into());
        }
        parts(&input.file_path).map(drop)
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
        let author = Author::new(input.name, input.email, call);
        let (path, wanted, content) = (input.file_path, input.file_mode, input.file_content);
        let message = message(input.commit_message, || format!("Put {path}"));
        let change = move |edit: &mut Edit<'_>| {
            let before = edit.get(&path)?;
            let own = before.map(|(mode, _)| mode).filter(|mode| FileMode::of(*mode).is_some());
            let mode = wanted.map(FileMode::mode).or(own).unwrap_or(Mode::Regular);
            let id = edit.make_blob(&content.0)?;
            if before == Some((mode, id)) {
                return Err(Refusal::SameFileContent.into());
            }
            edit.put(&path, mode, id)?;
            Ok(id)
        };
        let made = make(opened, base, (author, message), change, call).await?;
        Ok(PutFileOutput {
            commit_id: made.commit.to_string(),
            blob_id: made.value.to_string(),
            tree_id: made.tree.to_string(),
        })
    }
}

wire::shape! {
    pub(crate) struct DeleteFileInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "branchName" branch_name: String, required, [BRANCH];
        "filePath" file_path: String, required, [PATH];
        "parentCommitId" parent_commit_id: String, required, [];
        "keepEmptyFolders" keep_empty_folders: bool, default, [];
        "commitMessage" commit_message: SecretText, optional, [MESSAGE];
        "name" name: String, optional, [AUTHOR];
        "email" email: String, optional, [EMAIL];
    }
}

wire::output! {
    pub(crate) struct DeleteFileOutput {
        "commitId" commit_id: String, required;
        "blobId" blob_id: String, required;
        "treeId" tree_id: String, required;
        "filePath" file_path: String, required;
    }
}

/// Deletes a file.
pub(crate) struct DeleteFile;

impl ResourceOperation for DeleteFile {
    type On = Opened;
    const NAME: &'static str = "DeleteFile";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = DeleteFileInput;
    type Output = DeleteFileOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    fn check(input: &Self::Input) -> Result<(), CodeCommitError> {
        check_branch_name(&input.branch_name)?;
        check_email(input.email.as_deref())?;
        parts(&input.file_path).map(drop)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Opened>, need: Need<'n>) -> Need<'n> {
        describe(need, &input.branch_name, true)
    }

    async fn run(
        input: Self::Input,
        opened: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let base = Base::find(opened, &input.branch_name, Some(&input.parent_commit_id), call).await?;
        let author = Author::new(input.name, input.email, call);
        let (path, keep) = (input.file_path, input.keep_empty_folders);
        let message = message(input.commit_message, || format!("Deleted {path}"));
        let file_path = parts(&path)?.join("/");
        let change = move |edit: &mut Edit<'_>| edit.remove(&path, keep).map(|(_, id)| id);
        let made = make(opened, base, (author, message), change, call).await?;
        Ok(DeleteFileOutput {
            commit_id: made.commit.to_string(),
            blob_id: made.value.to_string(),
            tree_id: made.tree.to_string(),
            file_path,
        })
    }
}
