//! Whether the clock can be believed: a time that never jumps ahead, for what destroys for good.
//!
//! Knows the machine's two clocks and what is stored of them; not who destroys what, nor who confirms.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use store::{Record, Store, StoreError};
use wire::Timestamp;

use crate::clock;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// How far the clock may be ahead of the time that is known, in milliseconds, and still be believed.
const LEAD_MAX: i64 = DAY;

/// For how long the server has to run with an even clock after a jump until it is believed, in milliseconds.
const PROOF: i64 = DAY;

/// By how much the clock may be corrected in that time, in milliseconds.
const CORRECTION_MAX: i64 = HOUR;

/// How often what is known of the time is stored, in milliseconds.
const STORED_EVERY: i64 = HOUR;

/// Both clocks at one moment, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Since 1970. Anybody may set it.
    pub(crate) wall: i64,
    /// Since the machine was started, suspended or not. Nobody sets it.
    pub(crate) boot: i64,
}

/// The stored form of the known time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    /// The clock when it was last believed.
    at: Timestamp,
    /// How far a jump since then is proven.
    proof: Option<Proof>,
}

impl Record for Known {
    const COLLECTION: &'static str = "known_time";
}

/// There is one.
const PLACE: (&str, &str) = ("", "clock");

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Proof {
    /// The clock when this was stored.
    seen: Timestamp,
    /// For how long servers have run with an even clock.
    ran_millis: i64,
}

/// A clock that is more than a day ahead of the time that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockJump {
    /// The time as far as it is known: the last one that was believed, and what has passed since then.
    pub known: Timestamp,
    /// The clock.
    pub clock: Timestamp,
    /// Seconds until the clock is believed if it runs on evenly.
    pub seconds_left: i64,
}

/// Result of a comparison of the clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// The clock jumped ahead.
    Jumped,
    /// It went back to what is known.
    Returned,
    /// It ran evenly for long enough.
    Proven,
}

/// Judges the clock by what is known and by the machine's other clock. Reads neither.
struct Judge {
    /// Both clocks when the one was last known to be right: the time that is known goes on from there.
    anchor: Reading,
    /// The clock when it was last believed.
    believed: i64,
    jump: Option<Jump>,
}

/// A jump that is not believed yet.
#[derive(Clone, Copy)]
struct Jump {
    /// Since when the clock has run evenly.
    since: Reading,
    last: Reading,
    /// How long it did before this process, in milliseconds.
    before: i64,
}

impl Jump {
    const fn ran(&self) -> i64 {
        self.before + self.last.boot - self.since.boot
    }
}

impl Judge {
    /// Begins with what is known; with nothing known, the clock is believed.
    fn new(known: Option<Known>, reading: Reading) -> (Self, Option<Change>) {
        let mut judge = Self { anchor: reading, believed: reading.wall, jump: None };
        let Some(Known { at, proof }) = known else { return (judge, None) };
        // Any time may have passed while no server ran, but without a witness no more than a day is believed.
        if reading.wall - at.millis() <= LEAD_MAX {
            return (judge, None);
        }
        judge.anchor.wall = at.millis();
        judge.believed = at.millis();
        let away = proof.map(|proof| reading.wall - proof.seen.millis());
        let before = proof.filter(|_| away.is_some_and(|away| (-CORRECTION_MAX..=LEAD_MAX).contains(&away)));
        judge.jump =
            Some(Jump { since: reading, last: reading, before: before.map_or(0, |proof| proof.ran_millis.max(0)) });
        (judge, Some(Change::Jumped))
    }

    /// The time that is known.
    const fn expected(&self, reading: Reading) -> i64 {
        self.anchor.wall + reading.boot - self.anchor.boot
    }

    fn look(&mut self, reading: Reading) -> Option<Change> {
        if reading.wall - self.expected(reading) <= LEAD_MAX {
            self.believed = reading.wall;
            return self.jump.take().map(|_| Change::Returned);
        }
        let fresh = Jump { since: reading, last: reading, before: 0 };
        let Some(jump) = &mut self.jump else {
            self.jump = Some(fresh);
            return Some(Change::Jumped);
        };
        let uneven = (reading.wall - jump.since.wall) - (reading.boot - jump.since.boot);
        if uneven.abs() > CORRECTION_MAX {
            *jump = fresh;
            return Some(Change::Jumped);
        }
        jump.last = reading;
        if jump.ran() >= PROOF {
            self.believe(reading);
            return Some(Change::Proven);
        }
        None
    }

    fn believe(&mut self, reading: Reading) {
        *self = Self { anchor: reading, believed: reading.wall, jump: None };
    }

    fn known(&self) -> Known {
        let proof = |jump: &Jump| Proof { seen: Timestamp::from_millis(jump.last.wall), ran_millis: jump.ran() };
        Known { at: Timestamp::from_millis(self.believed), proof: self.jump.as_ref().map(proof) }
    }

    fn jump(&self, reading: Reading) -> Option<ClockJump> {
        self.jump.as_ref().map(|jump| ClockJump {
            known: Timestamp::from_millis(self.expected(reading)),
            clock: Timestamp::from_millis(reading.wall),
            seconds_left: (PROOF - jump.ran()).max(0) / 1000,
        })
    }
}

/// The time by which things are destroyed for good: keys whose waiting period is over, key material that expired, old
/// segments of the audit log.
///
/// It is the clock's, as long as the clock is at most a day ahead of the time that is known: what was stored of it an
/// hour ago at most, and how much has passed by the machine's other clock since the start. When the clock is further
/// ahead, this time goes on from where it was, until
///
/// - the clock goes back,
/// - an operator confirms it (`sealstack clock accept`), or
/// - the server has run for 24 hours in which both clocks agree to within an hour. Pauses of up to a day do not count
///   and do no harm.
///
/// A server that was switched off for a week and one whose clock is wrong by a week look the same, so the first waits
/// for a day as well.
pub(crate) struct Steady {
    store: Store,
    read: fn() -> Reading,
    state: Mutex<State>,
}

struct State {
    judge: Judge,
    /// When it was last stored, by the machine's other clock; `None` when something changed since.
    stored: Option<i64>,
}

impl Steady {
    /// Reads what is known of the time. `recorded` says when the audit log was last written, if nothing was stored yet.
    pub(crate) async fn open(
        store: Store,
        recorded: impl Future<Output = Option<Timestamp>>,
    ) -> Result<Self, StoreError> {
        Self::over(store, recorded, clock::both).await
    }

    async fn over(
        store: Store,
        recorded: impl Future<Output = Option<Timestamp>>,
        read: fn() -> Reading,
    ) -> Result<Self, StoreError> {
        let known = match store.read(|tx| tx.get::<Known>(PLACE.0, PLACE.1)).await? {
            Some(known) => Some(known),
            None => recorded.await.map(|at| Known { at, proof: None }),
        };
        let reading = read();
        let (judge, change) = Judge::new(known, reading);
        report(change, &judge, reading);
        Ok(Self { store, read, state: Mutex::new(State { judge, stored: None }) })
    }

    /// The time. Never more than a day ahead of what is known.
    pub(crate) fn now(&self) -> Timestamp {
        let (state, reading) = self.look();
        let lead = state.judge.jump(reading).map_or(0, |jump| jump.clock.millis() - jump.known.millis());
        Timestamp::from_millis(reading.wall - lead)
    }

    /// The jump of the clock that is not believed, if there is one.
    pub(crate) fn jump(&self) -> Option<ClockJump> {
        let (state, reading) = self.look();
        state.judge.jump(reading)
    }

    /// Believes the clock as it is.
    pub(crate) async fn accept(&self) -> Result<(), StoreError> {
        self.believe();
        self.tick().await
    }

    fn believe(&self) {
        let (mut state, reading) = self.look();
        state.judge.believe(reading);
        state.stored = None;
    }

    /// Looks at the clocks, and stores what is known of the time now and then. To be called every minute or so.
    pub(crate) async fn tick(&self) -> Result<(), StoreError> {
        let Some((known, boot)) = self.unstored() else { return Ok(()) };
        self.store.write(move |tx| tx.put(PLACE.0, PLACE.1, &known)).await?;
        self.state().stored = Some(boot);
        Ok(())
    }

    /// The state to be stored, and the time of the machine's other clock.
    fn unstored(&self) -> Option<(Known, i64)> {
        let (state, reading) = self.look();
        let fresh = state.stored.is_some_and(|stored| reading.boot - stored < STORED_EVERY);
        (!fresh).then(|| (state.judge.known(), reading.boot))
    }

    /// The clock by which the journal's retention counts days.
    pub(crate) fn of_retention(self: &Arc<Self>) -> journal::RetentionClock {
        let steady = Arc::clone(self);
        journal::RetentionClock::new(move || u64::try_from(steady.now().millis()).unwrap_or_default())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self) -> (MutexGuard<'_, State>, Reading) {
        let mut state = self.state();
        let reading = (self.read)();
        let change = state.judge.look(reading);
        if change.is_some() {
            state.stored = None;
            report(change, &state.judge, reading);
        }
        (state, reading)
    }
}

impl fmt::Debug for Steady {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Steady").finish_non_exhaustive()
    }
}

fn report(change: Option<Change>, judge: &Judge, reading: Reading) {
    match (change, judge.jump(reading)) {
        (Some(Change::Jumped), Some(ClockJump { known, clock, .. })) => tracing::error!(
            known = known.iso8601(),
            clock = clock.iso8601(),
            "the clock is more than a day ahead of the time that is known: until it has run evenly for 24 hours, nothing \
             is destroyed by it; if it is right, `sealstack clock accept` says so at once"
        ),
        (Some(Change::Returned), _) => tracing::warn!("the clock went back to the time that is known and is believed"),
        (Some(Change::Proven), _) => {
            tracing::warn!(
                "the clock has run evenly for 24 hours since its jump and is believed: what is due is destroyed"
            );
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
