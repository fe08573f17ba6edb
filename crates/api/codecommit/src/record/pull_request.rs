//! Pull requests as they are stored, their events, and the lists of them.

use crypto::{hex, sha256};
use serde::{Deserialize, Serialize};
use store::{Indexed, Record, StoreError, Tx};
use wire::Timestamp;

use super::domain;

wire::text_enum! {
    /// Whether a pull request can still be merged.
    pub(crate) enum PullRequestStatus { Open = "OPEN", Closed = "CLOSED" }
}

wire::text_enum! {
    /// A way of merging.
    pub(crate) enum MergeOption {
        FastForward = "FAST_FORWARD_MERGE",
        Squash = "SQUASH_MERGE",
        ThreeWay = "THREE_WAY_MERGE",
    }
}

/// A pull request, stored under its account and Region by its number.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PullRequestRecord {
    pub(crate) id: u64,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) repository_id: String,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) status: PullRequestStatus,
    pub(crate) author: String,
    pub(crate) created: Timestamp,
    pub(crate) active: Timestamp,
    /// Full names of references.
    pub(crate) source: String,
    pub(crate) destination: String,
    pub(crate) source_commit: String,
    pub(crate) destination_commit: String,
    pub(crate) merge_base: Option<String>,
    pub(crate) merge: Option<Merged>,
    pub(crate) token: Option<String>,
    /// Changes with the source's tip, so that what was approved before does not count any more.
    pub(crate) revision: String,
    pub(crate) rules: Vec<RuleRecord>,
    /// The ARNs of those who approved this revision.
    pub(crate) approvals: Vec<String>,
    /// The ARN of whoever set the rules of this revision aside.
    pub(crate) overrider: Option<String>,
    /// How many events there are.
    pub(crate) events: u64,
}

impl Record for PullRequestRecord {
    const COLLECTION: &'static str = "codecommit-pull-request";
}

/// How a pull request was merged.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Merged {
    pub(crate) by: String,
    pub(crate) commit: Option<String>,
    pub(crate) option: Option<MergeOption>,
}

/// A rule of a pull request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RuleRecord {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) content: String,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    pub(crate) modified_by: String,
    /// The id and name of the template that made it.
    pub(crate) template: Option<(String, String)>,
}

/// The number that the last pull request of an account in a Region got.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PullRequestCounter {
    pub(crate) last: u64,
}

impl Record for PullRequestCounter {
    const COLLECTION: &'static str = "codecommit-pull-request-counter";
}

/// The pull requests of a repository, the latest first: an ordered index for each repository.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PullRequestEntry {
    #[serde(rename = "o")]
    pub(crate) open: bool,
    /// The digest of the author's ARN.
    #[serde(rename = "a")]
    pub(crate) author: String,
}

impl Indexed for PullRequestEntry {
    const NAME: &'static str = "codecommit-pull-request";
}

/// The open pull requests of a repository: an ordered index for each repository, by digests of the names of a
/// reference, source and destination, and the number.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OpenEntry {
    #[serde(rename = "n")]
    pub(crate) number: u64,
}

impl Indexed for OpenEntry {
    const NAME: &'static str = "codecommit-open-pull-request";
}

impl OpenEntry {
    /// The beginning of the keys of those that `reference` is the source or destination of.
    pub(crate) fn prefix(reference: &str) -> [u8; 32] {
        sha256(reference.as_bytes())
    }

    fn key(reference: &str, number: u64) -> Vec<u8> {
        [&Self::prefix(reference)[..], &number.to_be_bytes()].concat()
    }
}

/// The digest of an ARN in a list.
pub(crate) fn author_digest(arn: &str) -> String {
    hex::encode(&sha256(arn.as_bytes()))
}

/// The key of a number in a list whose latest comes first.
pub(crate) fn latest_first(number: u64) -> [u8; 8] {
    (u64::MAX - number).to_be_bytes()
}

/// The number of a key of such a list.
pub(crate) fn number_of(key: &[u8]) -> Option<u64> {
    Some(u64::MAX - u64::from_be_bytes(key.try_into().ok()?))
}

impl PullRequestRecord {
    /// The domain that it is stored under.
    pub(crate) fn domain(&self) -> String {
        domain(&self.account, &self.region)
    }

    /// Begins a revision, of which nobody has approved anything.
    pub(crate) fn begin_revision(&mut self) {
        self.revision = crypto::hex::encode(&crypto::random_nonce::<32>());
        self.approvals.clear();
        self.overrider = None;
    }

    /// Whether it is open.
    pub(crate) fn is_open(&self) -> bool {
        self.status == PullRequestStatus::Open
    }

    /// Writes it, in the lists as well.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn put(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let entry = PullRequestEntry { open: self.is_open(), author: author_digest(&self.author) };
        tx.index_mut::<PullRequestEntry>(&self.repository_id).put(&latest_first(self.id), &entry)?;
        for reference in [&self.source, &self.destination] {
            let key = OpenEntry::key(reference, self.id);
            let mut open = tx.index_mut::<OpenEntry>(&self.repository_id);
            if self.is_open() {
                open.put(&key, &OpenEntry { number: self.id })?;
            } else {
                open.remove(&key)?;
            }
        }
        tx.put(&self.domain(), &self.id.to_string(), self)
    }

    /// Adds an event and makes the pull request active. The caller [puts](Self::put) it afterwards.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn add_event(
        &mut self,
        tx: &mut Tx<'_>,
        what: EventRecord,
        actor: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let event = PullRequestEventRecord { at, actor: actor.to_owned(), what };
        tx.put(&event_parent(&self.domain(), self.id), &self.events.to_string(), &event)?;
        self.events += 1;
        self.active = at;
        Ok(())
    }
}

/// The parent key of a pull request's events, stored by their places.
pub(crate) fn event_parent(domain: &str, number: u64) -> String {
    format!("{domain}/{number}")
}

/// An event of a pull request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PullRequestEventRecord {
    pub(crate) at: Timestamp,
    pub(crate) actor: String,
    pub(crate) what: EventRecord,
}

impl Record for PullRequestEventRecord {
    const COLLECTION: &'static str = "codecommit-pull-request-event";
}

/// Event details.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum EventRecord {
    Created { source: String, destination: String, base: Option<String> },
    Status(PullRequestStatus),
    SourceUpdated { before: String, after: String, base: Option<String> },
    Merged { destination: String, merge: Merged },
    RuleCreated { id: String, name: String, content: String },
    RuleUpdated { id: String, name: String, content: String },
    RuleDeleted { id: String, name: String, content: String },
    Overridden { revision: String, set: bool },
    Approval { revision: String, approved: bool },
}
