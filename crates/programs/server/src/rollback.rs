//! `sealstack rollback`: shows that a database or an audit log was put back, and accepts it.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use blobs::{BlobReport, Fault, FaultyBlob, Location, Owners, Reference};
use crypto::Key256;
use journal::{Config, End, Expected, Journal, Report};
use service::Trail;
use store::{CheckReport, Store, StoreError};

use crate::anchor_file::{Anchors, StoredAnchor};
use crate::blob_place::{self, Registered};
use crate::config::SealConfig;
use crate::continuity::{Break, Breaks, Evidence};
use crate::data_dir::{DataDir, Layout};
use crate::error::ServerError;
use crate::operator::here;
use crate::{durable_state, root_seal};

/// A database or audit log that does not continue from where the server stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The breaks that show it.
    pub breaks: Vec<Break>,
    /// Whether the rows are other ones than those that were last written.
    pub rows_put_back: bool,
}

impl Found {
    /// Whether there is anything to be accepted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.breaks.is_empty() && !self.rows_put_back
    }

    /// Each finding in words.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let rows = self.rows_put_back.then(|| StoreError::RowsPutBack.to_string());
        self.breaks.iter().map(ToString::to_string).chain(rows).collect()
    }
}

/// A directory's database and the evidence of its continuity, opened by a command.
struct Opened {
    store: Store,
    audit_key: Arc<Key256>,
    evidence: Evidence,
}

impl Opened {
    fn new(layout: &Layout, store: Store, elsewhere: Option<&Path>) -> Result<Self, ServerError> {
        let audit_key = durable_state::runtime()?.block_on(durable_state::audit_key(&store))?;
        let evidence = Evidence::gather(&store, layout, &audit_key, elsewhere)?;
        Ok(Self { store, audit_key, evidence })
    }

    fn found(&self) -> Result<Found, ServerError> {
        let rows_put_back = match self.store.check_digest(|| ControlFlow::Continue(())) {
            Ok(()) => false,
            Err(StoreError::RowsPutBack) => true,
            Err(error) => return Err(error.into()),
        };
        Ok(Found { breaks: self.evidence.breaks(), rows_put_back })
    }
}

/// Looks what does not go on from where it was left. A server may be running in the directory.
///
/// # Errors
/// Those of opening the database.
pub fn show(layout: &Layout, seal: &SealConfig, elsewhere: Option<&Path>) -> Result<Found, ServerError> {
    Opened::new(layout, durable_state::open_beside(layout, seal)?, elsewhere)?.found()
}

/// Takes database and audit log as they are, has the audit log say so, and rewrites the anchors. `reason` is the
/// operator's. Changes nothing if there is nothing to be accepted.
///
/// # Errors
/// Those of opening the database and the audit log; [`ServerError::Io`] for an anchor.
pub fn accept(data: &DataDir, seal: &SealConfig, elsewhere: Option<&Path>, reason: &str) -> Result<Found, ServerError> {
    let layout = data.layout();
    durable_state::existing(layout)?;
    let opened = Opened::new(layout, durable_state::open_store(layout, &root_seal::open(layout, seal)?)?, elsewhere)?;
    let found = opened.found()?;
    if !found.is_empty() {
        let parameters = serde_json::json!({ "reason": reason, "found": found.texts() });
        go_on(layout, &opened, elsewhere, &here().event("AcceptRollback", &parameters))?;
    }
    Ok(found)
}

/// Has a restored directory go on from what was restored: its audit log says that it was.
///
/// # Errors
/// As for [`accept`].
pub(crate) fn restored(layout: &Layout, store: Store, made: &str) -> Result<(), ServerError> {
    let opened = Opened::new(layout, store, None)?;
    go_on(layout, &opened, None, &here().event("RestoreBackup", &serde_json::json!({ "made": made })))
}

fn go_on(layout: &Layout, opened: &Opened, elsewhere: Option<&Path>, event: &[u8]) -> Result<(), ServerError> {
    let Opened { store, audit_key, evidence } = opened;
    // Numbers go on behind the records that the log has.
    let journal = Journal::open(Config::new(layout.audit()), audit_key)?;
    let (marked, version) = (journal.durable_marked(), evidence.version_max());
    durable_state::runtime()?.block_on(async {
        store.accept(version, marked, event.to_vec()).await?;
        store.attach(Arc::new(Trail::new(journal.clone())));
        store.tidy().await?;
        journal.sync().await?;
        // What the log has on its disk by now need not wait in the database.
        Ok::<_, ServerError>(store.tidy().await?)
    })?;
    let log = journal.durable_end();
    journal.close()?;
    let database = service::Anchor::of(&store.standing()?);
    Anchors::new(audit_key, layout.anchors(elsewhere)).update(StoredAnchor { database, log })?;
    Ok(store.checkpoint()?)
}

/// Counts of a check that found everything in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The database.
    pub database: CheckReport,
    /// The audit log.
    pub audit: Report,
    /// The changes.
    pub changes: Changes,
    /// The blobs, if there is a place for them. Some may be damaged.
    pub blobs: Option<BlobReport>,
}

/// How many changes the database recorded, and where their records are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changes {
    /// How many there were since the database was made.
    pub recorded: u64,
    /// How many of their records are not in the audit log yet, and wait in the database.
    pub waiting: u64,
}

/// Checks everything: the database's structure, every record and row, the audit log from beginning to end, that both have
/// the same changes, that they go on from where the anchors saw them, and every blob at `location`. A server may be
/// running in the directory.
///
/// # Errors
/// [`ServerError::PutBack`], [`ServerError::Gap`]; those of opening and checking the database and the audit log, and of
/// reaching the blobs.
pub fn check(
    layout: &Layout,
    seal: &SealConfig,
    elsewhere: Option<&Path>,
    location: &Location,
) -> Result<Checked, ServerError> {
    let opened = Opened::new(layout, durable_state::open_beside(layout, seal)?, elsewhere)?;
    let breaks = opened.evidence.breaks();
    if !breaks.is_empty() {
        return Err(ServerError::PutBack { breaks: Breaks(breaks) });
    }
    let database = opened.store.check()?;
    let counted = Counted::before(&opened.store)?;
    let audit = journal::verify(&layout.audit(), &opened.audit_key)?;
    let changes = counted.compare(&opened.store, &audit)?;
    let blobs = check_blobs(&opened.store, location, &Registered::default())?;
    Ok(Checked { database, audit, changes, blobs })
}

/// Opens every blob that the database refers to; `None` if there is neither a blob nor a place for them.
pub(crate) fn check_blobs(
    store: &Store,
    location: &Location,
    owners: &dyn Owners,
) -> Result<Option<BlobReport>, ServerError> {
    let runtime = durable_state::runtime()?;
    let Some(place) = blob_place::open_existing(location)? else {
        // All are missing, if there are any.
        let page = |after| store.read(move |tx| Reference::page(tx, after, 1000));
        let mut faulty = Vec::new();
        loop {
            let ids = runtime.block_on(page(faulty.last().map(|faulty: &FaultyBlob| faulty.id)))?;
            if ids.is_empty() {
                let report = BlobReport { faulty, ..BlobReport::default() };
                return Ok(Some(report).filter(|report| !report.is_intact()));
            }
            faulty.extend(ids.into_iter().map(|(id, _)| FaultyBlob { id, fault: Fault::Missing }));
        }
    };
    Ok(Some(runtime.block_on(place.check_all(store, owners))?))
}

/// The number of changes that the database had recorded before the audit log was verified.
pub struct Counted {
    /// How many records the log had to have by then.
    least: u64,
}

impl Counted {
    /// Counts. Blocks.
    ///
    /// # Errors
    /// Those of reading.
    pub fn before(store: &Store) -> Result<Self, ServerError> {
        // What waits first: a server may move it on meanwhile.
        let waiting = store.first_waiting()?;
        let recorded = store.standing()?.recorded;
        Ok(Self { least: waiting.map_or(recorded, |first| first.saturating_sub(1)) })
    }

    /// Compares with the number of changes that the audit log has the records of.
    ///
    /// # Errors
    /// [`ServerError::Gap`]; those of reading.
    pub fn compare(&self, store: &Store, audit: &Report) -> Result<Changes, ServerError> {
        let most = store.standing()?.recorded;
        if (self.least..=most).contains(&audit.marked) {
            return Ok(Changes { recorded: most, waiting: most - audit.marked });
        }
        Err(ServerError::Gap { found: audit.marked, least: self.least, most })
    }
}

/// Verifies the audit log, and compares it with the database. A server may be running in the directory.
///
/// # Errors
/// Those of [`journal::verify_against`]; [`ServerError::Gap`]; those of opening the database.
pub fn verify_audit(
    layout: &Layout,
    seal: &SealConfig,
    expect: Option<&journal::Anchor>,
) -> Result<(Report, Changes), ServerError> {
    let store = durable_state::open_beside(layout, seal)?;
    let audit_key = durable_state::runtime()?.block_on(durable_state::audit_key(&store))?;
    let counted = Counted::before(&store)?;
    // The database knows an end as well.
    let witness = End::from_bytes(&store.standing()?.witness);
    let noted: Vec<Expected> =
        expect.map(|anchor| (*anchor).into()).into_iter().chain(witness.map(Expected::from)).collect();
    let report = journal::verify_against(&layout.audit(), &audit_key, &noted)?;
    let changes = counted.compare(&store, &report)?;
    Ok((report, changes))
}
