//! The remains of a deleted repository: pull requests, comments, request tokens and what belongs to them, removed step by
//! step.

use std::collections::BTreeSet;
use std::ops::Bound;

use serde::{Deserialize, Serialize};
use store::{Record, Tx};

use crate::CodeCommit;
use crate::error::CodeCommitError;
use crate::record::comment::{CommentRecord, ReplyEntry, ThreadEntry, ThreadRecord, thread_list};
use crate::record::merge::MergeRecord;
use crate::record::pull_request::{
    OpenEntry, PullRequestEntry, PullRequestEventRecord, PullRequestRecord, event_parent, number_of,
};
use crate::record::{TokenOfRecord, TokenRecord};

/// How many records a step removes, about.
const STEP: usize = 200;

/// A repository that was deleted, and of which records are left.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct DeletedRecord {
    pub(super) id: String,
    /// The parent key of its pull requests and comments.
    pub(super) domain: String,
}

impl Record for DeletedRecord {
    const COLLECTION: &'static str = "codecommit-deleted";
}

impl CodeCommit {
    /// Removes what deleted repositories have left. Returns how many are done with.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn purge_repositories(&self) -> Result<usize, CodeCommitError> {
        let deleted = self.store.read(|tx| tx.all::<DeletedRecord>("")).await?;
        let count = deleted.len();
        for repository in deleted {
            // Each step is a short transaction, so that others get their turn.
            loop {
                let step = repository.clone();
                if !self.store.write(move |tx| purge(tx, &step)).await? {
                    break;
                }
            }
        }
        Ok(count)
    }
}

/// Removes some records. Returns whether more may be left.
fn purge(tx: &mut Tx<'_>, repository: &DeletedRecord) -> Result<bool, CodeCommitError> {
    let DeletedRecord { id, domain } = repository;
    let pulls = tx.index::<PullRequestEntry>(id)?.range(&[], Bound::Unbounded, STEP)?.items;
    for (key, _) in &pulls {
        let number = number_of(key).unwrap_or_default();
        let record = tx.get::<PullRequestRecord>(domain, &number.to_string())?;
        let parent = event_parent(domain, number);
        for place in 0..record.map_or(0, |record| record.events) {
            tx.delete::<PullRequestEventRecord>(&parent, &place.to_string())?;
        }
        tx.delete::<PullRequestRecord>(domain, &number.to_string())?;
        tx.index_mut::<PullRequestEntry>(id).remove(key)?;
    }
    let open = tx.index::<OpenEntry>(id)?.range(&[], Bound::Unbounded, STEP)?.items;
    for (key, _) in &open {
        tx.index_mut::<OpenEntry>(id).remove(key)?;
    }
    let threads = tx.page::<ThreadRecord>(id, None, STEP)?.items;
    let lists: BTreeSet<String> = threads.iter().map(|thread| thread_list(id, thread)).collect();
    for list in &lists {
        for (key, thread) in tx.index::<ThreadEntry>(list)?.range(&[], Bound::Unbounded, STEP)?.items {
            for (key, reply) in tx.index::<ReplyEntry>(&thread.root)?.range(&[], Bound::Unbounded, usize::MAX)?.items {
                tx.delete::<CommentRecord>(domain, &reply.comment)?;
                tx.index_mut::<ReplyEntry>(&thread.root).remove(&key)?;
            }
            tx.delete::<ThreadRecord>(id, &thread.root)?;
            tx.index_mut::<ThreadEntry>(list).remove(&key)?;
        }
    }
    let merges = tx.page::<MergeRecord>(id, None, STEP)?.items;
    for merge in &merges {
        tx.delete::<MergeRecord>(id, &merge.name)?;
    }
    let tokens = tx.page::<TokenOfRecord>(id, None, STEP)?.items;
    for token in &tokens {
        tx.delete::<TokenRecord>(domain, &token.name)?;
        tx.delete::<TokenOfRecord>(id, &token.name)?;
    }
    let records = pulls.len() + open.len() + threads.len() + merges.len() + tokens.len();
    let more = records > 0;
    if !more {
        tx.delete::<DeletedRecord>("", id)?;
    }
    Ok(more)
}
