//! Comments as they are stored, and the threads that they lie in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use store::{Indexed, Record};
use wire::Timestamp;

/// A comment, stored under its account and Region by its id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CommentRecord {
    pub(crate) id: String,
    pub(crate) repository_id: String,
    /// The first comment of its thread: itself, if it is no reply.
    pub(crate) root: String,
    pub(crate) in_reply_to: Option<String>,
    /// Empty once the comment is deleted.
    pub(crate) content: String,
    pub(crate) author: String,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    pub(crate) deleted: bool,
    pub(crate) token: Option<String>,
    /// The reaction of each user, by the user's ARN: a short name such as `thumbsup`.
    pub(crate) reactions: BTreeMap<String, String>,
}

impl Record for CommentRecord {
    const COLLECTION: &'static str = "codecommit-comment";
}

/// A thread's subject, stored under its repository by its first comment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ThreadRecord {
    pub(crate) pull_request_id: Option<String>,
    pub(crate) before_commit: Option<String>,
    pub(crate) after_commit: String,
    pub(crate) before_blob: Option<String>,
    pub(crate) after_blob: Option<String>,
    pub(crate) location: Option<LocationRecord>,
}

impl Record for ThreadRecord {
    const COLLECTION: &'static str = "codecommit-thread";
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LocationRecord {
    pub(crate) path: Option<String>,
    pub(crate) position: Option<i64>,
    pub(crate) version: Option<FileVersion>,
}

wire::text_enum! {
    /// Which of two versions a place is in.
    pub(crate) enum FileVersion { Before = "BEFORE", After = "AFTER" }
}

/// The threads about something, in the order in which they were begun: an ordered index for each pull request, and for
/// each pair of commits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ThreadEntry {
    pub(crate) root: String,
}

impl Indexed for ThreadEntry {
    const NAME: &'static str = "codecommit-thread";
}

/// The comments of a thread in order: an ordered index for each thread.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ReplyEntry {
    pub(crate) comment: String,
}

impl Indexed for ReplyEntry {
    const NAME: &'static str = "codecommit-reply";
}

/// A key of both indexes: the time, and what keeps two of the same time apart.
pub(crate) fn order_key(at: Timestamp, id: &str) -> Vec<u8> {
    [&at.millis().to_be_bytes()[..], id.as_bytes()].concat()
}

/// The name of the list that a thread is in: its pull request's, or that of the commits that it compares.
pub(crate) fn thread_list(repository_id: &str, thread: &ThreadRecord) -> String {
    match &thread.pull_request_id {
        Some(number) => format!("{repository_id}/{number}"),
        None => compared_list(repository_id, thread.before_commit.as_deref(), &thread.after_commit),
    }
}

/// The name of the list of threads about the difference of two commits.
pub(crate) fn compared_list(repository_id: &str, before: Option<&str>, after: &str) -> String {
    format!("{repository_id}/{}..{after}", before.unwrap_or_default())
}
