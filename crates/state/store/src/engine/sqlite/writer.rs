//! The one thread that writes: gathers what is queued, runs each job on an overlay, commits them together, and hands
//! recorded events to their receiver.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, mpsc};

use rusqlite::Connection;

use super::session::Session;
use super::{Counts, lock};
use crate::engine::Job;
use crate::outbox::{Committed, Outbox};
use crate::transaction::Transaction;
use crate::{Location, StoreError};

/// How many closures share one commit at most, so that the first of them does not wait for ever.
const GROUP_MAX: usize = 256;

/// A job that was run, and what became of it. An error is the engine's or a panic.
type Ran = (Box<dyn Job>, Result<(), StoreError>);

/// The writer's thread.
pub(super) struct Writer {
    pub(super) location: Location,
    pub(super) connection: Arc<Mutex<Connection>>,
    pub(super) jobs: mpsc::Receiver<Box<dyn Job>>,
    pub(super) counts: Arc<Counts>,
    pub(super) outbox: Outbox,
}

impl Writer {
    pub(super) fn run(mut self) {
        // While one group is being committed the next one gathers in the queue.
        while let Ok(first) = self.jobs.recv() {
            let mut group = VecDeque::from([first]);
            while group.len() < GROUP_MAX
                && let Ok(job) = self.jobs.try_recv()
            {
                group.push_back(job);
            }
            let connection = Arc::clone(&self.connection);
            let connection = lock(&connection);
            while !group.is_empty() {
                self.commit(&connection, &mut group);
            }
        }
    }

    /// Runs jobs of the group in one transaction and answers them: all, but those after one that broke it.
    fn commit(&mut self, connection: &Connection, group: &mut VecDeque<Box<dyn Job>>) {
        let session = Session::new(connection, &self.location);
        if let Err(error) = session.execute("BEGIN IMMEDIATE") {
            group.drain(..).for_each(|job| job.done(Err(error.clone())));
            return;
        }
        let mut ran = Vec::with_capacity(group.len());
        let committed = run_group(&session, &self.outbox, group, &mut ran).and_then(|committed| {
            session.execute("COMMIT")?;
            Ok(committed)
        });
        if committed.is_err() && !session.is_lost() {
            // If even this fails the next BEGIN fails too, and says so.
            let _ = session.execute("ROLLBACK");
        }
        self.counts.closures.fetch_add(ran.len() as u64, Ordering::Relaxed);
        self.counts.commits.fetch_add(1, Ordering::Relaxed);
        let outcome = committed.map(|committed| {
            let waiting = self.outbox.hand_over(&session, committed);
            self.counts.events_waiting.store(waiting, Ordering::Relaxed);
        });
        for (job, ended) in ran {
            job.done(outcome.clone().and(ended));
        }
    }
}

/// Runs jobs of the group up to one that broke the transaction, and writes the ledger.
fn run_group(
    session: &Session<'_>,
    outbox: &Outbox,
    group: &mut VecDeque<Box<dyn Job>>,
    ran: &mut Vec<Ran>,
) -> Result<Committed, StoreError> {
    let transaction = match Transaction::begin(session, outbox.ledger()) {
        Ok(transaction) => transaction,
        Err(error) => {
            // No row may change that the ledger cannot follow.
            ran.extend(group.drain(..).map(|job| (job, Ok(()))));
            return Err(error);
        }
    };
    while let Some(mut job) = group.pop_front() {
        let outcome = run_job(&transaction, &mut *job);
        let accepted = if outcome.as_ref().is_ok_and(|kept| *kept) { transaction.accept() } else { Ok(()) };
        ran.push((job, outcome.map(|_| ())));
        // A full disk and the like make SQLite undo the whole transaction; after another failure part of a closure is in it.
        if session.is_lost() {
            return Err(session.failure());
        }
        accepted?;
    }
    outbox.close(session, transaction)
}

/// Runs a job on the transaction's overlay, so that it alone is undone when it fails. Returns whether it succeeded; an
/// error is a panic.
fn run_job(transaction: &Transaction<'_>, job: &mut dyn Job) -> Result<bool, StoreError> {
    let mark = transaction.mark();
    let kept = catch_unwind(AssertUnwindSafe(|| job.run(transaction)));
    if !matches!(kept, Ok(true)) {
        transaction.undo(mark);
    }
    kept.map_err(|_| StoreError::Panicked)
}
