//! The audit trail: writes each event to the journal, and waits for it where the answer depends on it.

use journal::{Journal, JournalError};

use crate::event::Event;
use crate::operation::Effect;

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
            Effect::Read | Effect::Use => self.journal.append(&event.to_json()).map(|_| ()),
        }
    }

    /// Keeps the event, and returns when it is durable.
    pub(crate) async fn append_durable(&self, event: &Event<'_>) -> Result<(), JournalError> {
        let ticket = self.journal.append(&event.to_json())?;
        self.journal.durable(ticket).await
    }
}
