//! `GetComment`, `GetCommentsForComparedCommit` and `GetCommentsForPullRequest`: threads in the order in which they were
//! begun, each with its comments in order.

use std::ops::Bound;

use service::{AuditClass, Call, Permit, ResourceOperation, Window};
use store::ReadTx;
use wire::shape::Rule;

use super::output::{Comment, LocationOutput};
use super::{COMMENT_ID, CommentOutput};
use crate::CodeCommit;
use crate::access::{Commented, Opened, Pull};
use crate::content::object_id;
use crate::error::{CodeCommitError, Refusal};
use crate::pull_request::NUMBER;
use crate::record::comment::{CommentRecord, ReplyEntry, ThreadEntry, ThreadRecord, compared_list};
use crate::rules::{MAX_RESULTS, NAME, NAME_PATTERN, TOKEN};

/// How many threads a page has.
const PAGE: usize = 100;

/// How many threads a page has at most.
const PAGE_MAX: usize = 500;

/// How many comments of a thread are shown at most.
const REPLIES_MAX: usize = 1000;

wire::shape! {
    /// The input of operations that take a comment's id and no more.
    pub(crate) struct CommentInput {
        "commentId" id: String, required, [COMMENT_ID];
    }
}

/// Gets a comment.
pub(crate) struct GetComment;

impl ResourceOperation for GetComment {
    type On = Commented<true>;
    const NAME: &'static str = "GetComment";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = CommentInput;
    type Output = CommentOutput;

    fn key(input: &Self::Input) -> &str {
        &input.id
    }

    async fn run(
        _: Self::Input,
        found: &Permit<Commented<true>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        found.expect_kept()?;
        Ok(CommentOutput { comment: Comment::of(found.record.clone(), call.caller.principal.arn.as_str()) })
    }
}

/// A page of threads as they are stored.
struct Threads {
    list: String,
    domain: String,
    repository_id: String,
    token: Option<String>,
    size: usize,
    /// The commits that a thread has to be about, if any.
    about: Option<(String, String)>,
}

/// A thread and its comments.
type Thread = (ThreadRecord, Vec<CommentRecord>);

impl Threads {
    fn read(self, tx: &ReadTx<'_>) -> Result<(Vec<Thread>, Option<String>), CodeCommitError> {
        let index = tx.index::<ThreadEntry>(&self.list)?;
        let listing = format!("{:?}", self.about).into_bytes();
        let mut after = self.token.map(|token| index.open_token(&listing, &token)).transpose()?;
        let mut threads = Vec::new();
        loop {
            let from = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
            let found = index.range(&[], from, self.size)?;
            for (key, entry) in found.items {
                let thread = tx.get::<ThreadRecord>(&self.repository_id, &entry.root)?;
                let about = |thread: &ThreadRecord| {
                    self.about.as_ref().is_none_or(|(before, after)| {
                        thread.before_commit.as_ref() == Some(before) && thread.after_commit == *after
                    })
                };
                if let Some(thread) = thread.filter(about) {
                    if threads.len() == self.size {
                        let next = after.map(|last: Vec<u8>| index.token(&listing, &last));
                        return Ok((threads, next));
                    }
                    let replies = tx.index::<ReplyEntry>(&entry.root)?.range(&[], Bound::Unbounded, REPLIES_MAX)?;
                    let mut comments = Vec::with_capacity(replies.items.len());
                    for (_, reply) in replies.items {
                        comments.extend(tx.get::<CommentRecord>(&self.domain, &reply.comment)?);
                    }
                    threads.push((thread, comments));
                }
                after = Some(key);
            }
            if !found.more {
                return Ok((threads, None));
            }
        }
    }
}

/// Checks the id of a commit, which need not be there any more.
fn check_commit(text: Option<&String>) -> Result<(), CodeCommitError> {
    match text {
        Some(text) if object_id(text).is_none() => Err(Refusal::InvalidCommitId { id: text.clone() }.into()),
        _ => Ok(()),
    }
}

wire::shape! {
    pub(crate) struct GetCommentsForComparedCommitInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "beforeCommitId" before: String, optional, [Rule::Length(1, 64)];
        "afterCommitId" after: String, required, [Rule::Length(1, 64)];
        "nextToken" next_token: String, optional, [TOKEN];
        "maxResults" max_results: i32, optional, [MAX_RESULTS];
    }
}

wire::output! {
    /// The comments of a thread.
    pub(crate) struct CommentsForComparedCommit {
        "repositoryName" repository_name: String, required;
        "beforeCommitId" before_commit: String, optional;
        "afterCommitId" after_commit: String, required;
        "beforeBlobId" before_blob: String, optional;
        "afterBlobId" after_blob: String, optional;
        "location" location: LocationOutput, optional;
        "comments" comments: Vec<Comment>, required;
    }
}

wire::output! {
    pub(crate) struct GetCommentsForComparedCommitOutput {
        "commentsForComparedCommitData" data: Vec<CommentsForComparedCommit>, required;
        "nextToken" next_token: String, optional;
    }
}

/// Lists the threads about the difference of two commits.
pub(crate) struct GetCommentsForComparedCommit;

impl ResourceOperation for GetCommentsForComparedCommit {
    type On = Opened;
    const NAME: &'static str = "GetCommentsForComparedCommit";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetCommentsForComparedCommitInput;
    type Output = GetCommentsForComparedCommitOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    fn check(input: &Self::Input) -> Result<(), CodeCommitError> {
        check_commit(input.before.as_ref())?;
        check_commit(Some(&input.after))
    }

    async fn run(
        input: Self::Input,
        opened: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let threads = Threads {
            list: compared_list(&opened.id, input.before.as_deref(), &input.after),
            domain: opened.domain(),
            repository_id: opened.id.clone(),
            token: input.next_token,
            size: Window::new(None, input.max_results, PAGE, PAGE_MAX).size(),
            about: None,
        };
        let (threads, next_token) = call.service.store.read(move |tx| threads.read(tx)).await?;
        let caller = call.caller.principal.arn.as_str();
        let data = threads.into_iter().map(|(thread, comments)| CommentsForComparedCommit {
            repository_name: opened.name.clone(),
            before_commit: thread.before_commit,
            after_commit: thread.after_commit,
            before_blob: thread.before_blob,
            after_blob: thread.after_blob,
            location: thread.location.map(LocationOutput::from),
            comments: comments.into_iter().map(|record| Comment::of(record, caller)).collect(),
        });
        Ok(GetCommentsForComparedCommitOutput { data: data.collect(), next_token })
    }
}

wire::shape! {
    pub(crate) struct GetCommentsForPullRequestInput {
        "pullRequestId" id: String, required, [NUMBER];
        "repositoryName" repository_name: String, optional, [NAME, NAME_PATTERN];
        "beforeCommitId" before: String, optional, [Rule::Length(1, 64)];
        "afterCommitId" after: String, optional, [Rule::Length(1, 64)];
        "nextToken" next_token: String, optional, [TOKEN];
        "maxResults" max_results: i32, optional, [MAX_RESULTS];
    }
}

wire::output! {
    /// The comments of a thread.
    pub(crate) struct CommentsForPullRequest {
        "pullRequestId" pull_request_id: String, required;
        "repositoryName" repository_name: String, required;
        "beforeCommitId" before_commit: String, optional;
        "afterCommitId" after_commit: String, required;
        "beforeBlobId" before_blob: String, optional;
        "afterBlobId" after_blob: String, optional;
        "location" location: LocationOutput, optional;
        "comments" comments: Vec<Comment>, required;
    }
}

wire::output! {
    pub(crate) struct GetCommentsForPullRequestOutput {
        "commentsForPullRequestData" data: Vec<CommentsForPullRequest>, required;
        "nextToken" next_token: String, optional;
    }
}

/// Lists the threads of a pull request: all of them, or those about the difference of two commits.
pub(crate) struct GetCommentsForPullRequest;

impl ResourceOperation for GetCommentsForPullRequest {
    type On = Pull<true>;
    const NAME: &'static str = "GetCommentsForPullRequest";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetCommentsForPullRequestInput;
    type Output = GetCommentsForPullRequestOutput;

    fn key(input: &Self::Input) -> &str {
        &input.id
    }

    fn check(input: &Self::Input) -> Result<(), CodeCommitError> {
        check_commit(input.before.as_ref())?;
        check_commit(input.after.as_ref())?;
        // All of them or none.
        match (&input.repository_name, &input.before, &input.after) {
            (None, None, None) | (Some(_), Some(_), Some(_)) => Ok(()),
            (None, ..) => Err(Refusal::RepositoryNameRequired.into()),
            _ => Err(Refusal::CommitIdRequired.into()),
        }
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Pull<true>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        if let Some(name) = &input.repository_name {
            found.expect_repository(name)?;
        }
        let repository = &found.repository;
        let threads = Threads {
            list: format!("{}/{}", repository.id, input.id),
            domain: repository.domain(),
            repository_id: repository.id.clone(),
            token: input.next_token,
            size: Window::new(None, input.max_results, PAGE, PAGE_MAX).size(),
            about: input.before.zip(input.after),
        };
        let (threads, next_token) = call.service.store.read(move |tx| threads.read(tx)).await?;
        let caller = call.caller.principal.arn.as_str();
        let data = threads.into_iter().map(|(thread, comments)| CommentsForPullRequest {
            pull_request_id: input.id.clone(),
            repository_name: repository.name.clone(),
            before_commit: thread.before_commit,
            after_commit: thread.after_commit,
            before_blob: thread.before_blob,
            after_blob: thread.after_blob,
            location: thread.location.map(LocationOutput::from),
            comments: comments.into_iter().map(|record| Comment::of(record, caller)).collect(),
        });
        Ok(GetCommentsForPullRequestOutput { data: data.collect(), next_token })
    }
}
