//! `ListFileCommitHistory`: the commits that changed a file, the latest first, back through renames.

use git_diff::TreeDiff;
use git_object::ObjectId;
use service::{AuditClass, Call, Permit, ResourceOperation};
use wire::shape::Rule;

use crate::CodeCommit;
use crate::access::Opened;
use crate::commit::CommitOutput;
use crate::content::{CommitParts, Reader, blocking, resolve_or_head};
use crate::error::{CodeCommitError, Refusal};
use crate::rules::{MAX_RESULTS, NAME, NAME_PATTERN, SPECIFIER, TOKEN};

/// How many versions a page has at most, and unless fewer are asked for.
const PAGE: usize = 100;

/// How many commits are looked at for one answer.
const COMMITS_MAX: usize = 100_000;

/// How many changes of a commit are looked at for a rename.
const CHANGES_MAX: usize = 10_000;

wire::shape! {
    pub(crate) struct ListFileCommitHistoryInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "commitSpecifier" commit_specifier: String, optional, [SPECIFIER];
        "filePath" file_path: String, required, [Rule::Length(1, 4096)];
        "maxResults" max_results: i32, optional, [MAX_RESULTS];
        "nextToken" next_token: String, optional, [TOKEN];
    }
}

wire::output! {
    /// A version of a file.
    pub(crate) struct FileVersion {
        "commit" commit: CommitOutput, required;
        "blobId" blob_id: String, required;
        "path" path: String, required;
        "revisionChildren" revision_children: Vec<String>, required;
    }
}

wire::output! {
    pub(crate) struct ListFileCommitHistoryOutput {
        "revisionDag" revision_dag: Vec<FileVersion>, required;
        "nextToken" next_token: String, optional;
    }
}

/// Lists the versions of a file.
pub(crate) struct ListFileCommitHistory;

impl ResourceOperation for ListFileCommitHistory {
    type On = Opened;
    const NAME: &'static str = "ListFileCommitHistory";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListFileCommitHistoryInput;
    type Output = ListFileCommitHistoryOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    async fn run(
        input: Self::Input,
        opened: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let git = opened.git(call).await?;
        // A token is the commit that the first page began with and how many versions it and those after it had.
        let (commit, skipped) = match &input.next_token {
            None => (resolve_or_head(&git, input.commit_specifier.as_deref()).await?, 0),
            Some(token) => {
                let parsed = token
                    .split_once('-')
                    .and_then(|(id, count)| Some((crate::content::object_id(id)?, count.parse::<usize>().ok()?)));
                let (id, count) = parsed.ok_or(Refusal::InvalidContinuationToken)?;
                if git.format() != Some(id.format()) || git.unreachable(vec![id]).await?.is_some() {
                    return Err(Refusal::InvalidContinuationToken.into());
                }
                (id, count)
            }
        };
        let size = input.max_results.and_then(|most| usize::try_from(most).ok()).unwrap_or(PAGE).clamp(1, PAGE);
        let (reader, path, objects) = (Reader::new(&git), input.file_path.trim_matches('/').to_owned(), git.objects());
        blocking(move || {
            let mut versions = Vec::new();
            let history = objects.history(&[commit], COMMITS_MAX)?;
            walk(&reader, history, path, skipped + size + 1, &mut versions)?;
            let more = versions.len() > skipped + size;
            let revision_dag = versions.into_iter().skip(skipped).take(size);
            let next_token = more.then(|| format!("{commit}-{}", skipped + size));
            Ok(ListFileCommitHistoryOutput { revision_dag: revision_dag.collect(), next_token })
        })
        .await
    }
}

/// Collects at most `limit` versions of the file at `path`.
fn walk(
    reader: &Reader,
    history: Vec<ObjectId>,
    mut path: String,
    limit: usize,
    versions: &mut Vec<FileVersion>,
) -> Result<(), CodeCommitError> {
    let mut child: Option<String> = None;
    for id in history {
        let commit = reader.expect_commit(&id)?;
        let Some(item) = reader.item(&commit.tree, &path)? else { continue };
        let mut same = false;
        let mut in_parent = false;
        for parent in &commit.parents {
            let found = reader.item(&reader.expect_commit(parent)?.tree, &path)?;
            same |= found == Some(item);
            in_parent |= found.is_some();
        }
        if same {
            continue;
        }
        let version = FileVersion {
            commit: CommitOutput::of(&commit)?,
            blob_id: item.id.to_string(),
            path: path.clone(),
            revision_children: child.replace(id.to_string()).into_iter().collect(),
        };
        versions.push(version);
        if versions.len() >= limit {
            return Ok(());
        }
        if !in_parent && let Some(before) = renamed(reader, &commit, &item.id)? {
            path = before;
        }
    }
    Ok(())
}

/// The path of a file with the same content that a commit removed.
fn renamed(reader: &Reader, commit: &CommitParts, blob: &ObjectId) -> Result<Option<String>, CodeCommitError> {
    let Some(parent) = commit.parents.first() else { return Ok(None) };
    let before = reader.expect_commit(parent)?.tree;
    for change in TreeDiff::new(reader, Some(&before), Some(&commit.tree))?.take(CHANGES_MAX) {
        let change = change?;
        if change.after.is_none() && change.before.is_some_and(|item| item.id == *blob) {
            return Ok(String::from_utf8(change.path).ok());
        }
    }
    Ok(None)
}
