//! A comment as answers show it.

use std::collections::BTreeMap;

use wire::Timestamp;
use wire::shape::Rule;

use super::reactions::Reaction;
use crate::record::comment::{CommentRecord, FileVersion, LocationRecord};

wire::shape! {
    /// A place in a file, as callers give it.
    pub(crate) struct Location {
        "filePath" path: String, optional, [Rule::Length(0, 4096)];
        "filePosition" position: i64, optional, [Rule::Range(1, i64::MAX)];
        "relativeFileVersion" version: FileVersion, optional, [];
    }
}

wire::output! {
    /// A place in a file.
    pub(crate) struct LocationOutput {
        "filePath" path: String, optional;
        "filePosition" position: i64, optional;
        "relativeFileVersion" version: FileVersion, optional;
    }
}

wire::output! {
    /// A comment.
    pub(crate) struct Comment {
        "commentId" id: String, required;
        "content" content: String, optional;
        "inReplyTo" in_reply_to: String, optional;
        "creationDate" created: Timestamp, required;
        "lastModifiedDate" modified: Timestamp, required;
        "authorArn" author: String, required;
        "deleted" deleted: bool, required;
        "clientRequestToken" token: String, optional;
        "callerReactions" caller_reactions: Vec<String>, required;
        "reactionCounts" reaction_counts: BTreeMap<String, i64>, required;
    }
}

wire::output! {
    /// An output that is a comment.
    pub(crate) struct CommentOutput {
        "comment" comment: Comment, required;
    }
}

impl From<LocationRecord> for LocationOutput {
    fn from(record: LocationRecord) -> Self {
        Self { path: record.path, position: record.position, version: record.version }
    }
}

impl Comment {
    /// The comment of a record, as a caller sees it.
    pub(crate) fn of(record: CommentRecord, caller: &str) -> Self {
        let name = |code: &String| Reaction::of_code(code).map(Reaction::name);
        let mut reaction_counts = BTreeMap::new();
        for name in record.reactions.values().filter_map(name) {
            *reaction_counts.entry(name).or_insert(0) += 1;
        }
        Self {
            id: record.id,
            content: Some(record.content).filter(|_| !record.deleted),
            in_reply_to: record.in_reply_to,
            created: record.created,
            modified: record.modified,
            author: record.author,
            deleted: record.deleted,
            token: record.token,
            caller_reactions: record.reactions.get(caller).and_then(name).into_iter().collect(),
            reaction_counts,
        }
    }
}
