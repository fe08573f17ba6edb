//! `GetDifferences`.

use git_diff::{Change, Item, TreeDiff};
use service::{AuditClass, Call, Permit, ResourceOperation};

use crate::CodeCommit;
use crate::access::Opened;
use crate::commit::PATH;
use crate::content::{Reader, blocking, resolve};
use crate::error::{CodeCommitError, Refusal};
use crate::rules::{MAX_RESULTS, NAME, NAME_PATTERN, SPECIFIER, TOKEN};

/// How many differences a page has unless fewer are asked for, and at most.
const PAGE: usize = 100;

/// How many differences are looked at for one answer.
const DIFFERENCES_MAX: usize = 1_000_000;

wire::text_enum! {
    /// The change of a file.
    pub(crate) enum ChangeType { Added = "A", Modified = "M", Deleted = "D" }
}

wire::shape! {
    pub(crate) struct GetDifferencesInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "beforeCommitSpecifier" before: String, optional, [SPECIFIER];
        "afterCommitSpecifier" after: String, required, [SPECIFIER];
        "beforePath" before_path: String, optional, [PATH];
        "afterPath" after_path: String, optional, [PATH];
        "MaxResults" max_results: i32, optional, [MAX_RESULTS];
        "NextToken" next_token: String, optional, [TOKEN];
    }
}

wire::output! {
    /// A version of a file. The mode is octal, as in Git.
    pub(crate) struct BlobMetadata {
        "blobId" blob_id: String, required;
        "path" path: String, required;
        "mode" mode: String, required;
    }
}

wire::output! {
    /// A file that is not the same.
    pub(crate) struct Difference {
        "beforeBlob" before_blob: BlobMetadata, optional;
        "afterBlob" after_blob: BlobMetadata, optional;
        "changeType" change_type: ChangeType, required;
    }
}

wire::output! {
    pub(crate) struct GetDifferencesOutput {
        "differences" differences: Vec<Difference>, required;
        "NextToken" next_token: String, optional;
    }
}

/// Lists the files that are not the same at two commits. Without a commit before, all are added.
pub(crate) struct GetDifferences;

impl ResourceOperation for GetDifferences {
    type On = Opened;
    const NAME: &'static str = "GetDifferences";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetDifferencesInput;
    type Output = GetDifferencesOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    async fn run(
        input: Self::Input,
        opened: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let git = opened.git(call).await?;
        let before = match &input.before {
            Some(text) => Some(resolve(&git, text).await?),
            None => None,
        };
        let after = resolve(&git, &input.after).await?;
        let skipped = input.next_token.map_or(Ok(0), |token| token.parse::<usize>());
        let skipped = skipped.map_err(|_| Refusal::InvalidContinuationToken)?;
        let size = input.max_results.and_then(|most| usize::try_from(most).ok()).unwrap_or(PAGE).clamp(1, PAGE);
        let reader = Reader::new(&git);
        let after_path = input.after_path.unwrap_or_default();
        let before_path = input.before_path.unwrap_or_else(|| after_path.clone());
        blocking(move || {
            let tree = |commit| Ok::<_, CodeCommitError>(reader.expect_commit(commit)?.tree);
            let (old, new) = (before.as_ref().map(tree).transpose()?, tree(&after)?);
            for (tree, path) in [(old, &before_path), (Some(new), &after_path)] {
                let there = tree.map(|tree| reader.item(&tree, path)).transpose()?.flatten().is_some();
                let other = if path == &before_path { &after_path } else { &before_path };
                // A path that one side alone has is a difference, one that neither has an error.
                if !there && !path.is_empty() && path != other {
                    return Err(Refusal::PathDoesNotExist { path: path.clone() }.into());
                }
            }
            let (old, new) = ((old.as_ref(), before_path.as_bytes()), (Some(&new), after_path.as_bytes()));
            let found = TreeDiff::at_paths(&reader, old, new)?.take(DIFFERENCES_MAX).skip(skipped);
            let (mut differences, mut next_token) = (Vec::with_capacity(size), None);
            for change in found {
                if differences.len() == size {
                    next_token = Some((skipped + size).to_string());
                    break;
                }
                differences.push(Difference::from(change?));
            }
            Ok(GetDifferencesOutput { differences, next_token })
        })
        .await
    }
}

impl From<Change> for Difference {
    fn from(change: Change) -> Self {
        let path = String::from_utf8_lossy(&change.path).into_owned();
        let blob = |item: Item| BlobMetadata {
            blob_id: item.id.to_string(),
            path: path.clone(),
            mode: format!("{:06o}", item.mode.bits()),
        };
        let change_type = match (&change.before, &change.after) {
            (None, _) => ChangeType::Added,
            (_, None) => ChangeType::Deleted,
            _ => ChangeType::Modified,
        };
        Self { before_blob: change.before.map(blob), after_blob: change.after.map(blob), change_type }
    }
}
