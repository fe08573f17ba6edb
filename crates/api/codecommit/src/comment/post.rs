//! `PostCommentForComparedCommit`, `PostCommentForPullRequest` and `PostCommentReply`.

use git::Repository;
use git_object::ObjectId;
use service::{AuditClass, Call, Permit, ResourceOperation};
use store::Tx;
use wire::SecretText;
use wire::shape::Rule;

use super::output::{Comment, LocationOutput};
use super::{COMMENT_ID, CONTENT, CommentOutput, Location, check_content};
use crate::CodeCommit;
use crate::access::{Commented, Opened, Pull};
use crate::content::{Reader, blocking, object_id};
use crate::error::{CodeCommitError, Refusal};
use crate::pull_request::NUMBER;
use crate::record::comment::{
    CommentRecord, FileVersion, LocationRecord, ReplyEntry, ThreadEntry, ThreadRecord, order_key, thread_list,
};
use crate::record::{RepositoryRecord, Tokened};
use crate::rules::{NAME, NAME_PATTERN};

wire::shape! {
    pub(crate) struct PostCommentForComparedCommitInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "beforeCommitId" before: String, optional, [Rule::Length(1, 64)];
        "afterCommitId" after: String, required, [Rule::Length(1, 64)];
        "location" location: Location, optional, [];
        "content" content: SecretText, required, [CONTENT];
        "clientRequestToken" token: String, optional, [];
    }
}

wire::output! {
    /// A comment and what it is about.
    pub(crate) struct PostedOutput {
        "repositoryName" repository_name: String, required;
        "pullRequestId" pull_request_id: String, optional;
        "beforeCommitId" before_commit: String, optional;
        "afterCommitId" after_commit: String, required;
        "beforeBlobId" before_blob: String, optional;
        "afterBlobId" after_blob: String, optional;
        "location" location: LocationOutput, optional;
        "comment" comment: Comment, required;
    }
}

/// The subject of a comment.
struct Subject {
    pull_request_id: Option<String>,
    before: Option<String>,
    after: String,
    location: Option<Location>,
}

impl Subject {
    /// Checks that the commits and the place are there.
    async fn check(self, git: &Repository) -> Result<ThreadRecord, CodeCommitError> {
        let id = |text: &String| object_id(text).ok_or_else(|| Refusal::InvalidCommitId { id: text.clone() });
        let (before, after) = (self.before.as_ref().map(id).transpose()?, id(&self.after)?);
        if before == Some(after) {
            return Err(Refusal::BeforeCommitIdAndAfterCommitIdAreSame.into());
        }
        let missing = |id: ObjectId| Refusal::CommitDoesNotExist { name: id.to_string() };
        let ids: Vec<_> = before.into_iter().chain([after]).collect();
        if let Some(id) = ids.iter().find(|id| git.format() != Some(id.format())) {
            return Err(missing(*id).into());
        }
        let reader = Reader::new(git);
        let (before_blob, after_blob, location) = blocking(move || {
            let tree = |id: &ObjectId| Ok::<_, CodeCommitError>(reader.commit(id)?.ok_or_else(|| missing(*id))?.tree);
            let (old, new) = (before.as_ref().map(tree).transpose()?, tree(&after)?);
            let Some(location) = self.location else { return Ok((None, None, None)) };
            let path = location.path.filter(|path| !path.is_empty());
            let Some(path) = path else {
                let needed = location.position.is_some() || location.version.is_some();
                return if needed { Err(Refusal::PathRequired.into()) } else { Ok((None, None, None)) };
            };
            let item = |tree: &ObjectId| {
                let found = reader.item(tree, &path)?;
                Ok::<_, CodeCommitError>(found.filter(|item| item.mode.kind().is_some()).map(|item| item.id))
            };
            let (old, new) = (old.as_ref().map(item).transpose()?.flatten(), item(&new)?);
            let version = location.version.unwrap_or(FileVersion::After);
            let found = if version == FileVersion::Before { old } else { new };
            let blob = found.ok_or_else(|| Refusal::PathDoesNotExist { path: path.clone() })?;
            if let Some(position) = location.position {
                let content = reader.blob(&blob, crate::content::COMPARED_BYTES_MAX)?;
                let lines = content.map_or(0, |content| content.split(|byte| *byte == b'\n').count());
                if usize::try_from(position).is_ok_and(|position| position > lines) {
                    return Err(Refusal::InvalidFilePosition.into());
                }
            }
            let record = LocationRecord { path: Some(path), position: location.position, version: Some(version) };
            Ok((old, new, Some(record)))
        })
        .await?;
        Ok(ThreadRecord {
            pull_request_id: self.pull_request_id,
            before_commit: self.before,
            after_commit: self.after,
            before_blob: before_blob.map(|id| id.to_string()),
            after_blob: after_blob.map(|id| id.to_string()),
            location,
        })
    }
}

/// Begins a thread, unless the same request did before.
async fn post(
    operation: &'static str,
    repository: &RepositoryRecord,
    thread: ThreadRecord,
    (content, token): (String, Option<String>),
    call: &Call<'_, CodeCommit>,
) -> Result<PostedOutput, CodeCommitError> {
    let who = call.caller.principal.arn.to_string();
    let domain = repository.domain();
    // Texts, numbers and lists under fixed names cannot fail to be written.
    let about = serde_json::to_string(&thread).unwrap_or_default();
    let tokened = Tokened::new(&domain, (operation, &who), token.as_deref(), &[&repository.id, &about, &content])?;
    let id = uuid::Uuid::new_v4().to_string();
    let record = CommentRecord {
        id: id.clone(),
        repository_id: repository.id.clone(),
        root: id,
        in_reply_to: None,
        content,
        author: who.clone(),
        created: call.now,
        modified: call.now,
        deleted: false,
        token,
        reactions: Default::default(),
    };
    let begun = thread.clone();
    let posted = move |tx: &mut Tx<'_>| {
        if let Some(known) = repeated(tx, &domain, tokened.as_ref())? {
            return Ok(known);
        }
        let key = order_key(record.created, &record.id);
        tx.insert(&record.repository_id, &record.id, &begun)?;
        let list = thread_list(&record.repository_id, &begun);
        tx.index_mut::<ThreadEntry>(&list).put(&key, &ThreadEntry { root: record.id.clone() })?;
        insert(tx, &domain, record, tokened)
    };
    let record = call.write(&call.service.store, posted).await?;
    Ok(PostedOutput {
        repository_name: repository.name.clone(),
        pull_request_id: thread.pull_request_id,
        before_commit: thread.before_commit,
        after_commit: thread.after_commit,
        before_blob: thread.before_blob,
        after_blob: thread.after_blob,
        location: thread.location.map(LocationOutput::from),
        comment: Comment::of(record, &who),
    })
}

/// The comment that the same request made before.
fn repeated(tx: &Tx<'_>, domain: &str, tokened: Option<&Tokened>) -> Result<Option<CommentRecord>, CodeCommitError> {
    let made = tokened.map(|tokened| tokened.made(tx)).transpose()?.flatten();
    Ok(made.map(|made| tx.get::<CommentRecord>(domain, &made)).transpose()?.flatten())
}

fn insert(
    tx: &mut Tx<'_>,
    domain: &str,
    record: CommentRecord,
    tokened: Option<Tokened>,
) -> Result<CommentRecord, CodeCommitError> {
    let key = order_key(record.created, &record.id);
    tx.index_mut::<ReplyEntry>(&record.root).put(&key, &ReplyEntry { comment: record.id.clone() })?;
    tx.insert(domain, &record.id, &record)?;
    if let Some(tokened) = tokened {
        tokened.note(tx, &record.repository_id, &record.id)?;
    }
    Ok(record)
}

/// Comments on the difference of two commits.
pub(crate) struct PostCommentForComparedCommit;

impl ResourceOperation for PostCommentForComparedCommit {
    type On = Opened;
    const NAME: &'static str = "PostCommentForComparedCommit";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = PostCommentForComparedCommitInput;
    type Output = PostedOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    fn check(input: &Self::Input) -> Result<(), CodeCommitError> {
        check_content(&input.content.0)
    }

    async fn run(
        input: Self::Input,
        opened: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let PostCommentForComparedCommitInput { before, after, location, content, token, .. } = input;
        let subject = Subject { pull_request_id: None, before, after, location };
        let thread = subject.check(&opened.git(call).await?).await?;
        post(Self::NAME, opened, thread, (content.0.to_string(), token), call).await
    }
}

wire::shape! {
    pub(crate) struct PostCommentForPullRequestInput {
        "pullRequestId" id: String, required, [NUMBER];
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "beforeCommitId" before: String, required, [Rule::Length(1, 64)];
        "afterCommitId" after: String, required, [Rule::Length(1, 64)];
        "location" location: Location, optional, [];
        "content" content: SecretText, required, [CONTENT];
        "clientRequestToken" token: String, optional, [];
    }
}

/// Comments on a pull request, whether it is open or closed.
pub(crate) struct PostCommentForPullRequest;

impl ResourceOperation for PostCommentForPullRequest {
    type On = Pull<true>;
    const NAME: &'static str = "PostCommentForPullRequest";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = PostCommentForPullRequestInput;
    type Output = PostedOutput;

    fn key(input: &Self::Input) -> &str {
        &input.id
    }

    fn check(input: &Self::Input) -> Result<(), CodeCommitError> {
        check_content(&input.content.0)
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Pull<true>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        found.expect_repository(&input.repository_name)?;
        let PostCommentForPullRequestInput { id, before, after, location, content, token, .. } = input;
        let subject = Subject { pull_request_id: Some(id), before: Some(before), after, location };
        let thread = subject.check(&found.repository.git(call).await?).await?;
        post(Self::NAME, &found.repository, thread, (content.0.to_string(), token), call).await
    }
}

wire::shape! {
    pub(crate) struct PostCommentReplyInput {
        "inReplyTo" in_reply_to: String, required, [COMMENT_ID];
        "clientRequestToken" token: String, optional, [];
        "content" content: SecretText, required, [CONTENT];
    }
}

/// Replies to a comment.
pub(crate) struct PostCommentReply;

impl ResourceOperation for PostCommentReply {
    type On = Commented<false>;
    const NAME: &'static str = "PostCommentReply";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = PostCommentReplyInput;
    type Output = CommentOutput;

    fn key(input: &Self::Input) -> &str {
        &input.in_reply_to
    }

    fn check(input: &Self::Input) -> Result<(), CodeCommitError> {
        check_content(&input.content.0)
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Commented<false>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let who = call.caller.principal.arn.to_string();
        let (domain, content) = (found.repository.domain(), input.content.0.to_string());
        let parts = [input.in_reply_to.as_str(), &content];
        let tokened = Tokened::new(&domain, (Self::NAME, &who), input.token.as_deref(), &parts)?;
        let record = CommentRecord {
            id: uuid::Uuid::new_v4().to_string(),
            repository_id: found.record.repository_id.clone(),
            root: found.record.root.clone(),
            in_reply_to: Some(input.in_reply_to),
            content,
            author: who.clone(),
            created: call.now,
            modified: call.now,
            deleted: false,
            token: input.token,
            reactions: Default::default(),
        };
        let posted = move |tx: &mut Tx<'_>| match repeated(tx, &domain, tokened.as_ref())? {
            Some(known) => Ok(known),
            None => insert(tx, &domain, record, tokened),
        };
        let record = call.write(&call.service.store, posted).await?;
        Ok(CommentOutput { comment: Comment::of(record, &who) })
    }
}
