//! `GetFile`, `GetFolder` and `GetBlob`.

use git::GitError;
use git_object::{Kind, Mode, ObjectId};
use service::{AuditClass, Call, Permit, ResourceOperation};
use wire::Blob;
use wire::shape::Rule;

use crate::CodeCommit;
use crate::access::Opened;
use crate::commit::FILE_BYTES_MAX;
use crate::content::{FileMode, Reader, blocking, object_id, resolve_or_head};
use crate::error::{CodeCommitError, Refusal};
use crate::rules::{NAME, NAME_PATTERN, SPECIFIER};

/// The largest file that the API gives, in bytes.
const BYTES_MAX: u64 = FILE_BYTES_MAX as u64;

/// A file's content.
fn content(reader: &Reader, id: &ObjectId) -> Result<Option<Blob>, CodeCommitError> {
    match reader.blob(id, BYTES_MAX) {
        Ok(found) => Ok(found.map(|content| Blob(content.to_vec()))),
        Err(CodeCommitError::Git(GitError::TooLarge { bytes, .. })) => {
            Err(Refusal::FileTooLarge { bytes, most: BYTES_MAX }.into())
        }
        Err(error) => Err(error),
    }
}

/// A path without slashes around it.
fn plain(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
}

wire::shape! {
    pub(crate) struct GetFileInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "commitSpecifier" commit_specifier: String, optional, [SPECIFIER];
        "filePath" file_path: String, required, [Rule::Length(1, 4096)];
    }
}

wire::output! {
    pub(crate) struct GetFileOutput {
        "commitId" commit_id: String, required;
        "blobId" blob_id: String, required;
        "filePath" file_path: String, required;
        "fileMode" file_mode: FileMode, required;
        "fileSize" file_size: i64, required;
        "fileContent" file_content: Content, required;
    }
}

/// Bytes in an answer.
pub(crate) struct Content(Blob);

impl serde::Serialize for Content {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(out)
    }
}

impl wire::shape::Described for Content {
    const KIND: wire::shape::Kind = wire::shape::Kind::Bytes;
}

/// Gets a file at a commit, or at the tip of the default branch.
pub(crate) struct GetFile;

impl ResourceOperation for GetFile {
    type On = Opened;
    const NAME: &'static str = "GetFile";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetFileInput;
    type Output = GetFileOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    async fn run(
        input: Self::Input,
        opened: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let git = opened.git(call).await?;
        let commit = resolve_or_head(&git, input.commit_specifier.as_deref()).await?;
        let (reader, path) = (Reader::new(&git), plain(&input.file_path));
        blocking(move || {
            let missing = || Refusal::FileDoesNotExist { path: path.clone() };
            let tree = reader.expect_commit(&commit)?.tree;
            let item = reader.item(&tree, &path)?.ok_or_else(missing)?;
            let mode = FileMode::of(item.mode).ok_or_else(missing)?;
            let content = content(&reader, &item.id)?.ok_or_else(missing)?;
            Ok(GetFileOutput {
                commit_id: commit.to_string(),
                blob_id: item.id.to_string(),
                file_path: path,
                file_mode: mode,
                file_size: i64::try_from(content.0.len()).unwrap_or(i64::MAX),
                file_content: Content(content),
            })
        })
        .await
    }
}

wire::shape! {
    pub(crate) struct GetBlobInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "blobId" blob_id: String, required, [Rule::Length(1, 64)];
    }
}

wire::output! {
    pub(crate) struct GetBlobOutput {
        "content" content: Content, required;
    }
}

/// Gets a blob that some reference leads to.
pub(crate) struct GetBlob;

impl ResourceOperation for GetBlob {
    type On = Opened;
    const NAME: &'static str = "GetBlob";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetBlobInput;
    type Output = GetBlobOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    async fn run(
        input: Self::Input,
        opened: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let git = opened.git(call).await?;
        let text = input.blob_id;
        let id = object_id(&text).ok_or_else(|| Refusal::InvalidBlobId { id: text.clone() })?;
        let missing = move || Refusal::BlobIdDoesNotExist { id: text };
        if git.format() != Some(id.format()) || git.unreachable(vec![id]).await?.is_some() {
            return Err(missing().into());
        }
        let reader = Reader::new(&git);
        blocking(move || {
            let found = reader.header(&id)?.filter(|(kind, _)| *kind == Kind::Blob);
            let content = found.map(|_| content(&reader, &id)).transpose()?.flatten();
            Ok(GetBlobOutput { content: Content(content.ok_or_else(missing)?) })
        })
        .await
    }
}

wire::shape! {
    pub(crate) struct GetFolderInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "commitSpecifier" commit_specifier: String, optional, [SPECIFIER];
        "folderPath" folder_path: String, required, [Rule::Length(0, 4096)];
    }
}

wire::output! {
    /// A folder in a folder.
    pub(crate) struct Folder {
        "treeId" tree_id: String, required;
        "absolutePath" absolute_path: String, required;
        "relativePath" relative_path: String, required;
    }
}

wire::output! {
    /// A file or symbolic link in a folder.
    pub(crate) struct File {
        "blobId" blob_id: String, required;
        "absolutePath" absolute_path: String, required;
        "relativePath" relative_path: String, required;
        "fileMode" file_mode: FileMode, required;
    }
}

wire::output! {
    /// A submodule in a folder.
    pub(crate) struct SubModule {
        "commitId" commit_id: String, required;
        "absolutePath" absolute_path: String, required;
        "relativePath" relative_path: String, required;
    }
}

wire::output! {
    pub(crate) struct GetFolderOutput {
        "commitId" commit_id: String, required;
        "folderPath" folder_path: String, required;
        "treeId" tree_id: String, required;
        "subFolders" sub_folders: Vec<Folder>, required;
        "files" files: Vec<File>, required;
        "symbolicLinks" symbolic_links: Vec<File>, required;
        "subModules" sub_modules: Vec<SubModule>, required;
    }
}

/// Lists what lies in a folder, not deeper.
pub(crate) struct GetFolder;

impl ResourceOperation for GetFolder {
    type On = Opened;
    const NAME: &'static str = "GetFolder";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetFolderInput;
    type Output = GetFolderOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    async fn run(
        input: Self::Input,
        opened: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let git = opened.git(call).await?;
        let commit = resolve_or_head(&git, input.commit_specifier.as_deref()).await?;
        let (reader, path) = (Reader::new(&git), plain(&input.folder_path));
        blocking(move || {
            let missing = || Refusal::FolderDoesNotExist { path: path.clone() };
            let root = reader.expect_commit(&commit)?.tree;
            let tree = reader.item(&root, &path)?.filter(|item| item.mode == Mode::Tree).ok_or_else(missing)?.id;
            let mut output = GetFolderOutput {
                commit_id: commit.to_string(),
                folder_path: path.clone(),
                tree_id: tree.to_string(),
                sub_folders: Vec::new(),
                files: Vec::new(),
                symbolic_links: Vec::new(),
                sub_modules: Vec::new(),
            };
            for (name, mode, id) in reader.entries(&tree)? {
                let relative_path = String::from_utf8_lossy(&name).into_owned();
                let absolute_path =
                    if path.is_empty() { relative_path.clone() } else { [&path, "/", &relative_path].concat() };
                let id = id.to_string();
                match (mode, FileMode::of(mode)) {
                    (_, Some(file_mode)) => {
                        let list = if mode == Mode::Symlink { &mut output.symbolic_links } else { &mut output.files };
                        list.push(File { blob_id: id, absolute_path, relative_path, file_mode });
                    }
                    (Mode::Tree, None) => {
                        output.sub_folders.push(Folder { tree_id: id, absolute_path, relative_path });
                    }
                    (_, None) => output.sub_modules.push(SubModule { commit_id: id, absolute_path, relative_path }),
                }
            }
            Ok(output)
        })
        .await
    }
}
