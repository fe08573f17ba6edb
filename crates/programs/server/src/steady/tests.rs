use std::cell::Cell;

use super::*;

/// When the tests begin.
const START: i64 = 1_790_000_000_000;
const WEEK: i64 = 7 * DAY;

/// A clock, the machine's other one, and the judge of both.
struct Machine {
    wall: i64,
    boot: i64,
    judge: Judge,
}

impl Machine {
    fn new() -> Self {
        let reading = Reading { wall: START, boot: 5 * HOUR };
        let (judge, change) = Judge::new(None, reading);
        assert_eq!(change, None);
        Self { wall: reading.wall, boot: reading.boot, judge }
    }

    fn reading(&self) -> Reading {
        Reading { wall: self.wall, boot: self.boot }
    }

    /// Lets time pass.
    fn pass(&mut self, millis: i64) -> Option<Change> {
        self.boot += millis;
        self.jump(millis)
    }

    /// Sets the clock ahead by so much.
    fn jump(&mut self, millis: i64) -> Option<Change> {
        self.wall += millis;
        self.judge.look(self.reading())
    }

    /// Lets the machine be off for so long, and starts the server again.
    fn off(&mut self, millis: i64) -> Option<Change> {
        (self.wall, self.boot) = (self.wall + millis, HOUR);
        let (judge, change) = Judge::new(Some(self.judge.known()), self.reading());
        self.judge = judge;
        change
    }

    /// How far the time that destroys is behind the clock.
    fn lead(&self) -> i64 {
        self.judge.jump(self.reading()).map_or(0, |jump| jump.clock.millis() - jump.known.millis())
    }
}

#[test]
fn a_clock_that_passes_or_is_set_by_up_to_a_day_is_believed() {
    let mut machine = Machine::new();
    for change in [machine.pass(3 * WEEK), machine.jump(DAY), machine.jump(-WEEK), machine.pass(HOUR)] {
        assert_eq!((change, machine.lead()), (None, 0));
    }
    let mut machine = Machine::new();
    assert_eq!((machine.off(DAY), machine.lead()), (None, 0));
    assert_eq!((machine.off(-WEEK), machine.lead()), (None, 0));
}

#[test]
fn a_jump_counts_for_nothing_until_the_clock_ran_evenly_for_a_day() {
    let mut machine = Machine::new();
    assert_eq!(machine.jump(WEEK), Some(Change::Jumped));
    assert_eq!(machine.lead(), WEEK);
    assert_eq!(machine.pass(DAY - 1), None);
    assert_eq!(machine.lead(), WEEK, "the time that is known goes on");
    assert_eq!(machine.judge.jump(machine.reading()).map(|jump| jump.seconds_left), Some(0));
    assert_eq!(machine.pass(1), Some(Change::Proven));
    assert_eq!((machine.lead(), machine.pass(WEEK)), (0, None));
}

#[test]
fn small_steps_add_up_to_a_jump() {
    let mut machine = Machine::new();
    let changes: Vec<_> = (0..5).map(|_| machine.jump(6 * HOUR)).collect();
    assert_eq!(changes, [None, None, None, None, Some(Change::Jumped)]);
    assert_eq!(machine.lead(), 30 * HOUR);
}

#[test]
fn an_uneven_clock_begins_its_day_anew() {
    let mut machine = Machine::new();
    assert_eq!(machine.jump(WEEK), Some(Change::Jumped));
    assert_eq!(machine.pass(20 * HOUR), None);
    assert_eq!(machine.jump(HOUR), None, "a correction");
    assert_eq!(machine.jump(1), Some(Change::Jumped), "no correction any more");
    assert_eq!(machine.pass(DAY - 1), None);
    assert_eq!(machine.pass(1), Some(Change::Proven));
}

#[test]
fn a_clock_that_goes_back_is_believed_at_once() {
    let mut machine = Machine::new();
    assert_eq!(machine.jump(WEEK), Some(Change::Jumped));
    assert_eq!(machine.pass(HOUR), None);
    assert_eq!((machine.jump(-WEEK), machine.lead()), (Some(Change::Returned), 0));
    assert_eq!(machine.judge.known(), Known { at: Timestamp::from_millis(START + HOUR), proof: None });
}

#[test]
fn a_restart_forgets_no_jump() {
    let mut machine = Machine::new();
    assert_eq!(machine.jump(WEEK), Some(Change::Jumped));
    assert_eq!(machine.off(0), Some(Change::Jumped));
    assert_eq!(machine.lead(), WEEK);
    // Who is switched off every night proves it in several days, who is away for longer begins anew.
    assert_eq!(machine.pass(12 * HOUR), None);
    assert_eq!(machine.off(12 * HOUR), Some(Change::Jumped));
    assert_eq!(machine.judge.jump(machine.reading()).map(|jump| jump.seconds_left), Some(12 * 3600));
    assert_eq!(machine.off(2 * DAY), Some(Change::Jumped));
    assert_eq!(machine.pass(DAY - 1), None);
    assert_eq!(machine.pass(1), Some(Change::Proven));
}

#[test]
fn a_clock_that_is_accepted_is_believed() {
    let mut machine = Machine::new();
    assert_eq!(machine.off(WEEK), Some(Change::Jumped));
    machine.judge.believe(machine.reading());
    assert_eq!((machine.lead(), machine.pass(HOUR), machine.off(0)), (0, None, None));
}

thread_local! {
    static CLOCKS: Cell<Reading> = const { Cell::new(Reading { wall: START, boot: 0 }) };
}

async fn open(store: &Store, recorded: Option<i64>) -> Steady {
    let recorded = std::future::ready(recorded.map(Timestamp::from_millis));
    Steady::over(store.clone(), recorded, || CLOCKS.get()).await.expect("opened")
}

#[tokio::test]
async fn the_time_that_destroys_lasts_and_an_operator_sets_it() {
    let store = Store::open_in_memory().expect("a store");
    let steady = open(&store, None).await;
    steady.tick().await.expect("stored");
    CLOCKS.set(Reading { wall: START + WEEK, boot: 1000 });
    assert_eq!(steady.now().millis(), START + 1000, "without a look in between");
    let again = open(&store, Some(START + WEEK)).await;
    assert_eq!(again.now().millis(), START, "what is stored counts, not when the wrong clock wrote a record");
    assert_eq!(again.jump().map(|jump| jump.clock.millis()), Some(START + WEEK));
    again.accept().await.expect("stored");
    assert_eq!((again.now().millis(), again.jump()), (START + WEEK, None));
    assert_eq!(open(&store, None).await.now().millis(), START + WEEK);
}

#[tokio::test]
async fn the_audit_log_tells_the_time_where_nothing_is_stored_yet() {
    let store = Store::open_in_memory().expect("a store");
    CLOCKS.set(Reading { wall: START, boot: 0 });
    assert_eq!(open(&store, Some(START - WEEK)).await.now().millis(), START - WEEK);
    assert_eq!(open(&store, Some(START - DAY)).await.now().millis(), START);
}

#[tokio::test]
async fn what_is_known_is_stored_every_hour() {
    let store = Store::open_in_memory().expect("a store");
    let steady = open(&store, None).await;
    let stored =
        async || store.read(|tx| tx.get::<Known>(PLACE.0, PLACE.1)).await.expect("read").map(|it| it.at.millis());
    for (passed, expected) in [(0, 0), (HOUR - 1, 0), (HOUR, HOUR), (2 * HOUR - 1, HOUR), (2 * HOUR, 2 * HOUR)] {
        CLOCKS.set(Reading { wall: START + passed, boot: passed });
        steady.tick().await.expect("stored");
        assert_eq!(stored().await, Some(START + expected), "after {passed} ms");
    }
}
