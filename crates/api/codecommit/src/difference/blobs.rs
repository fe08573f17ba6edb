//! `GetBlobDifferences`.

use git::GitError;
use git_diff::lines::{Hunk, Options, Side, hunks};
use git_diff::{Source, is_binary};
use git_object::{Kind, ObjectId};
use service::{AuditClass, Call, Permit, ResourceOperation};
use wire::shape::Rule;

use crate::CodeCommit;
use crate::access::Opened;
use crate::content::{COMPARED_BYTES_MAX, Reader, blocking, object_id};
use crate::error::{CodeCommitError, Refusal};
use crate::rules::{MAX_RESULTS, NAME, NAME_PATTERN, TOKEN};

/// How many hunks a page has unless fewer are asked for, and at most.
const PAGE: usize = 100;

wire::shape! {
    pub(crate) struct GetBlobDifferencesInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "afterBlobId" after: String, required, [Rule::Length(1, 64)];
        "beforeBlobId" before: String, optional, [Rule::Length(1, 64)];
        "contextLines" context_lines: i32, optional, [Rule::Range(0, 20)];
        "ignoreWhitespace" ignore_whitespace: bool, default, [];
        "MaxResults" max_results: i32, optional, [MAX_RESULTS];
        "NextToken" next_token: String, optional, [TOKEN];
    }
}

wire::text_enum! {
    /// The type of a hunk line.
    pub(crate) enum LineType { Context = "CONTEXT", Add = "ADD", Delete = "DELETE" }
}

wire::output! {
    /// A line of a hunk. Numbers begin with 1.
    pub(crate) struct DiffChange {
        "type" kind: LineType, required;
        "beforeLineNumber" before: i64, optional;
        "afterLineNumber" after: i64, optional;
        "content" content: String, required;
    }
}

wire::output! {
    /// Lines that differ, with lines around them.
    pub(crate) struct DiffHunk {
        "beforeStartLine" before_start: i64, required;
        "beforeLineCount" before_count: i64, required;
        "afterStartLine" after_start: i64, required;
        "afterLineCount" after_count: i64, required;
        "changes" changes: Vec<DiffChange>, required;
    }
}

wire::output! {
    pub(crate) struct GetBlobDifferencesOutput {
        "hunks" hunks: Vec<DiffHunk>, required;
        "isBinary" is_binary: bool, required;
        "beforeBlobSize" before_size: i64, required;
        "afterBlobSize" after_size: i64, required;
        "NextToken" next_token: String, optional;
    }
}

/// Compares two blobs; without one before, all lines are added.
pub(crate) struct GetBlobDifferences;

impl ResourceOperation for GetBlobDifferences {
    type On = Opened;
    const NAME: &'static str = "GetBlobDifferences";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetBlobDifferencesInput;
    type Output = GetBlobDifferencesOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    async fn run(
        input: Self::Input,
        opened: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let git = opened.git(call).await?;
        let id = |text: &String| {
            let id = object_id(text).ok_or_else(|| Refusal::InvalidBlobId { id: text.clone() })?;
            Ok::<_, CodeCommitError>(id)
        };
        let (before, after) = (input.before.as_ref().map(id).transpose()?, id(&input.after)?);
        let ids: Vec<_> = before.into_iter().chain([after]).collect();
        let foreign = ids.iter().find(|id| git.format() != Some(id.format())).copied();
        let missing = match foreign {
            Some(id) => Some(id),
            None => git.unreachable(ids).await?,
        };
        if let Some(id) = missing {
            return Err(Refusal::BlobIdDoesNotExist { id: id.to_string() }.into());
        }
        let skipped = input.next_token.map_or(Ok(0), |token| token.parse::<usize>());
        let skipped = skipped.map_err(|_| Refusal::InvalidContinuationToken)?;
        let size = input.max_results.and_then(|most| usize::try_from(most).ok()).unwrap_or(PAGE).clamp(1, PAGE);
        let context = input.context_lines.and_then(|lines| u32::try_from(lines).ok()).unwrap_or(3);
        let options = Options { context, ignore_whitespace: input.ignore_whitespace, ..Options::default() };
        let reader = Reader::new(&git);
        blocking(move || compare(&reader, before.as_ref(), &after, &options, (skipped, size))).await
    }
}

fn compare(
    reader: &Reader,
    before: Option<&ObjectId>,
    after: &ObjectId,
    options: &Options,
    (skipped, size): (usize, usize),
) -> Result<GetBlobDifferencesOutput, CodeCommitError> {
    let old = before.map(|id| content(reader, id)).transpose()?;
    let new = content(reader, after)?;
    let (old, new) = (old.as_ref().map(AsRef::as_ref).unwrap_or_default(), new.as_ref());
    let length = |content: &[u8]| i64::try_from(content.len()).unwrap_or(i64::MAX);
    let is_binary = is_binary(old) || is_binary(new);
    let mut output = GetBlobDifferencesOutput {
        hunks: Vec::new(),
        is_binary,
        before_size: length(old),
        after_size: length(new),
        next_token: None,
    };
    if !is_binary && before != Some(after) {
        let found = hunks(old, new, options);
        if found.len() > skipped + size {
            output.next_token = Some((skipped + size).to_string());
        }
        output.hunks.extend(found.iter().skip(skipped).take(size).map(DiffHunk::from));
    }
    Ok(output)
}

fn content(reader: &Reader, id: &ObjectId) -> Result<<Reader as Source>::Bytes, CodeCommitError> {
    reader.read(id, Kind::Blob).map_err(|error| match error {
        GitError::TooLarge { bytes, .. } => Refusal::FileTooLarge { bytes, most: COMPARED_BYTES_MAX }.into(),
        GitError::MissingObject { id } => Refusal::BlobIdDoesNotExist { id: id.to_string() }.into(),
        other => CodeCommitError::from(other),
    })
}

impl From<&Hunk<'_>> for DiffHunk {
    fn from(hunk: &Hunk<'_>) -> Self {
        let start = |range: &std::ops::Range<u32>| i64::from(range.start) + i64::from(!range.is_empty());
        let count = |range: &std::ops::Range<u32>| i64::from(range.end - range.start);
        let changes = hunk.lines.iter().map(|line| {
            let content = line.content.strip_suffix(b"\n").unwrap_or(line.content);
            let kind = match line.side {
                Side::Context => LineType::Context,
                Side::Added => LineType::Add,
                Side::Deleted => LineType::Delete,
            };
            let number = |number: Option<u32>| number.map(|number| i64::from(number) + 1);
            let content = String::from_utf8_lossy(content).into_owned();
            DiffChange { kind, before: number(line.before), after: number(line.after), content }
        });
        Self {
            before_start: start(&hunk.before),
            before_count: count(&hunk.before),
            after_start: start(&hunk.after),
            after_count: count(&hunk.after),
            changes: changes.collect(),
        }
    }
}
