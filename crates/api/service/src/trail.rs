//! The audit trail: writes each event to the journal, and waits for it where the answer depends on it.

use std::cell::RefCell;

use journal::{Journal, JournalError, Ticket};

use crate::event::Event;
use crate::operation::Effect;

/// Nearly all events are shorter.
const USUAL_BYTES: usize = 4096;

thread_local! {
    /// Where a thread writes its events, one after the other.
    static RECORD: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The audit trail of this server.
#[derive(Clone)]
pub struct Trail {
    journal: Journal,
}

impl Trail {
    /// A trail that is kept in `journal`.
    #[must_use]
    pub const fn new(journal: Journal) -> Self {
        Self { journal }
    }

    /// Whether events can be kept. When they cannot, no call is served: what cannot be audited does not happen.
    #[must_use]
    pub fn healthy(&self) -> bool {
        self.journal.healthy()
    }

    /// Keeps the event: returns when it is durable for a change, at once for anything else.
    pub(crate) async fn keep(&self, event: &Event<'_>, effect: Effect) -> Result<(), JournalError> {
        match effect {
            Effect::Change => self.append_durable(event).await,
            Effect::Read | Effect::Use => self.append(event).map(|_| ()),
        }
    }

    /// Keeps the event, and returns when it is durable.
    pub(crate) async fn append_durable(&self, event: &Event<'_>) -> Result<(), JournalError> {
        let ticket = self.append(event)?;
        self.journal.durable(ticket).await
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
