//! The audit trail: writes each event to the journal, and waits for it where the answer depends on it. Events of
//! changes come to it through the store's outbox.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use journal::{Journal, JournalError, Room, Ticket};
use store::{Outlet, Standing};
use wire::Timestamp;

use crate::anchor::Anchor;
use crate::event::{Event, Kind, USUAL_BYTES, UserIdentity};
use crate::request_id;
use crate::strangers::{Counted, Strangers};

thread_local! {
    /// Where a thread writes its events, one after the other.
    static RECORD: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The audit trail of this server.
#[derive(Clone)]
pub struct Trail {
    journal: Journal,
    strangers: Arc<Mutex<Strangers>>,
    stopped: Arc<AtomicBool>,
    database: Arc<Mutex<Option<Anchor>>>,
}

impl Trail {
    /// A trail that is stored in `journal`.
    #[must_use]
    pub fn new(journal: Journal) -> Self {
        Self { journal, strangers: Arc::default(), stopped: Arc::default(), database: Arc::default() }
    }

    /// Whether events can be recorded. When they cannot, no call is served: what cannot be audited does not happen.
    #[must_use]
    pub fn healthy(&self) -> bool {
        self.journal.healthy() && !self.is_stopped()
    }

    /// Has no call served any more: what the records say cannot be relied on.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether [`stop`](Self::stop) was called.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Where the database stood after its last commit; none before the first that the trail heard of.
    #[must_use]
    pub fn database(&self) -> Option<Anchor> {
        *self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reserves room for an event of about `bytes`, before the change that it will describe is made.
    pub(crate) fn reserve(&self, bytes: usize) -> Result<Room, JournalError> {
        self.journal.reserve(bytes.min(journal::RECORD_BYTES_MAX))
    }

    /// Records the event: returns when it is durable if it has to be, at once otherwise.
    pub(crate) async fn record(&self, event: &Event<'_>, durable: bool) -> Result<(), JournalError> {
        let ticket = self.append(event)?;
        if durable { self.journal.durable(ticket).await } else { Ok(()) }
    }

    /// Records the event of a caller who did not prove who they are, or counts it if there are many.
    pub(crate) fn record_unauthenticated(&self, event: &Event<'_>) -> Result<(), JournalError> {
        let Some(ip) = event.source_ip_address else { return self.append(event).map(drop) };
        let (records, counted) = {
            let mut strangers = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
            let counted = strangers.take_before(event.time);
            (strangers.has_record(ip), counted)
        };
        self.append_counted(counted)?;
        if records { self.append(event).map(drop) } else { Ok(()) }
    }

    /// Records the counts of strangers' calls before `now`. To be called about once a second.
    ///
    /// # Errors
    /// Those of the journal.
    pub fn record_suppressed(&self, now: Timestamp) -> Result<(), JournalError> {
        let counted = self.strangers.lock().unwrap_or_else(PoisonError::into_inner).take_before(now);
        self.append_counted(counted)
    }

    fn append_counted(&self, counted: Vec<Counted>) -> Result<(), JournalError> {
        for Counted { time, source, calls } in counted {
            self.append(&Event {
                kind: Kind::Call,
                user_identity: UserIdentity::Unknown(None),
                time,
                source: "-",
                name: "-",
                region: "-",
                source_ip_address: source,
                user_agent: "",
                via: None,
                error_code: Some("CallsCountedTogether"),
                error_message: None,
                request_parameters: None,
                request_id: &request_id::next(),
                event_id: &request_id::next(),
                read_only: true,
                resources: &[],
                recipient_account_id: None,
                counted: Some(calls),
                additional: b"",
            })?;
        }
        Ok(())
    }

    /// Records a whole event, and returns when it is durable.
    pub(crate) async fn append_durable(&self, event: &[u8]) -> Result<(), JournalError> {
        let ticket = self.journal.append(event)?;
        self.journal.durable(ticket).await
    }

    /// Appends a whole event.
    pub(crate) fn append_encoded(&self, event: &[u8]) -> Result<(), JournalError> {
        self.journal.append(event).map(drop)
    }

    fn append(&self, event: &Event<'_>) -> Result<Ticket, JournalError> {
        RECORD.with_borrow_mut(|record| {
            event.write(record);
            let ticket = self.journal.append(record);
            record.clear();
            record.shrink_to(USUAL_BYTES);
            ticket
        })
    }
}

impl Outlet for Trail {
    fn take(&self, number: u64, event: &[u8]) -> bool {
        let marked = self.journal.marked();
        if number <= marked {
            return true;
        }
        if number > marked + 1 {
            tracing::error!(number, marked, "the audit log lacks records of changes: run `sealstack check`");
            return false;
        }
        match self.journal.append_marked(event) {
            Ok(_) => true,
            Err(error) => {
                tracing::debug!(number, %error, "an event waits in the outbox");
                false
            }
        }
    }

    fn settled(&self) -> u64 {
        self.journal.durable_marked()
    }

    fn witness(&self) -> Vec<u8> {
        self.journal.durable_end().to_bytes().to_vec()
    }

    fn committed(&self, standing: &Standing) {
        let anchor = Anchor::of(standing);
        *self.database.lock().unwrap_or_else(PoisonError::into_inner) = Some(anchor);
        self.journal.set_anchor(anchor.to_bytes());
    }
}
