//! The way of recorded events out of the database, to the receiver that takes them over.
//!
//! An event is written in the transaction of the change that it records. Once that is durable it is handed to the
//! receiver, in the order of its number, and its row is removed once the receiver has it on the disk. After a crash the
//! receiver says how far it got. Knows no journal.

use std::sync::{Arc, OnceLock};

use crate::StoreError;
use crate::engine::{Read, Rows};
use crate::ledger::{Ledger, Standing};
use crate::transaction::{Outcome, Transaction};

/// How many batches of events are read from the outbox at once.
const BATCH: usize = 16;

/// Receives events in the order of their numbers, which are 1, 2, 3, … from the database's beginning.
///
/// Called on the writer's thread: it must be quick and must not write to the store.
pub trait Outlet: Send + Sync + 'static {
    /// Takes the event `number`. `false` when it cannot be taken now; it is offered again, and none after it before.
    fn take(&self, number: u64, event: &[u8]) -> bool;

    /// The number up to which all events are on the receiver's disk.
    fn settled(&self) -> u64;

    /// The receiver's attestation about itself, for [`Standing::witness`]. At most 256 bytes.
    fn witness(&self) -> Vec<u8>;

    /// The database was committed, durably, and stands there now.
    fn committed(&self, standing: &Standing);
}

/// The parts of a database's writer that are set after it was opened.
#[derive(Default)]
pub(crate) struct Attached {
    pub(crate) ledger: OnceLock<Arc<Ledger>>,
    pub(crate) outlet: OnceLock<Arc<dyn Outlet>>,
}

/// The writer's state of the outbox.
pub(crate) struct Outbox {
    attached: Arc<Attached>,
    /// The number of the last event that was recorded, as far as it is known.
    recorded: u64,
    /// The number of the last event that the outlet took.
    offered: u64,
    /// The number up to which events were removed.
    dropped: u64,
}

/// The outcome of a commit.
pub(crate) struct Committed {
    outcome: Outcome,
    /// The number up to which the outlet has events on its disk. The outbox has no batches any more that end before it.
    settled: u64,
}

impl Outbox {
    pub(crate) const fn new(attached: Arc<Attached>) -> Self {
        Self { attached, recorded: 0, offered: 0, dropped: 0 }
    }

    pub(crate) fn ledger(&self) -> Option<&Ledger> {
        self.attached.ledger.get().map(|ledger| &**ledger)
    }

    /// Ends a transaction: removes events that the outlet has on its disk, and writes what the transaction collected.
    pub(crate) fn close(&self, rows: &dyn Rows, transaction: Transaction<'_>) -> Result<Committed, StoreError> {
        let outlet = self.attached.outlet.get();
        let settled = outlet.map_or(0, |outlet| outlet.settled());
        // First, so that new events fill the pages that old ones leave.
        if settled > self.dropped {
            rows.drop_events(settled)?;
        }
        let outcome = transaction.close(|| outlet.map(|outlet| outlet.witness()))?;
        Ok(Committed { outcome, settled })
    }

    /// Reports to the outlet what is durable now, and offers it the events that it does not have yet. Returns how many
    /// events it does not have on its disk.
    pub(crate) fn hand_over(&mut self, read: &dyn Read, committed: Committed) -> u64 {
        let Committed { outcome: Outcome { standing, events, pages }, settled } = committed;
        pages.publish();
        let Some(outlet) = self.attached.outlet.get().cloned() else { return 0 };
        (self.dropped, self.offered) = (self.dropped.max(settled), self.offered.max(settled));
        if let Some(standing) = &standing {
            outlet.committed(standing);
            self.recorded = standing.recorded;
        }
        // Whether all others were offered is known once a commit has said how many there are.
        if standing.is_some() && self.offered.saturating_add(events.len() as u64) == self.recorded {
            for event in &events {
                if !outlet.take(self.offered.saturating_add(1), event) {
                    break;
                }
                self.offered = self.offered.saturating_add(1);
            }
        } else if let Err(error) = self.offer_waiting(read, &*outlet) {
            tracing::error!(%error, "events in the outbox could not be read; they are offered again");
        }
        self.recorded = self.recorded.max(self.offered);
        self.recorded.saturating_sub(settled)
    }

    /// Offers the events that wait, as far as the outlet takes them.
    fn offer_waiting(&mut self, read: &dyn Read, outlet: &dyn Outlet) -> Result<(), StoreError> {
        let Some(ledger) = self.attached.ledger.get() else { return Ok(()) };
        loop {
            let batches = read.events(self.offered, BATCH)?;
            for (last, batch) in &batches {
                let offered = self.offered;
                for (number, event) in ledger.open_events(*last, batch)?.iter().filter(|(number, _)| *number > offered)
                {
                    if !outlet.take(*number, event.expose()) {
                        return Ok(());
                    }
                    self.offered = *number;
                }
            }
            if batches.len() < BATCH {
                return Ok(());
            }
        }
    }
}
