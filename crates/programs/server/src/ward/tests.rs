use super::pulse::Turn;
use super::*;

fn limits() -> Limits {
    Limits {
        connections_max: 8,
        head_timeout: Duration::from_secs(1),
        body_timeout: Duration::from_secs(2),
        idle_timeout: Duration::from_secs(4),
        ..Limits::default()
    }
}

/// How many sweeps it takes to close the connection that `prepare` brought into a phase; `None` for none in a while.
async fn sweeps_to_close(prepare: impl FnOnce(&Arc<Pulse>) -> Option<Turn>) -> Option<u32> {
    let ward = Ward::new(limits());
    let admission = ward.admit(ward.place().await.expect("a place"));
    let _turn = prepare(admission.pulse());
    (1..100).find(|_| {
        ward.look();
        admission.pulse().is_closed()
    })
}

#[tokio::test]
async fn each_phase_has_its_own_deadline() {
    // Two sweeps a second, and one for the part of a tick in which the phase began.
    assert_eq!(sweeps_to_close(|_| None).await, Some(3), "headers");
    assert_eq!(sweeps_to_close(Pulse::begin).await, Some(5), "a body");
    let serving = |pulse: &Arc<Pulse>| {
        let turn = pulse.begin();
        assert!(turn.as_ref().is_some_and(Turn::serves));
        turn
    };
    assert_eq!(sweeps_to_close(serving).await, None, "the server's own work");
    let idle = |pulse: &Arc<Pulse>| {
        drop(pulse.begin());
        None
    };
    assert_eq!(sweeps_to_close(idle).await, Some(9), "rest");
    let next_head = |pulse: &Arc<Pulse>| {
        drop(pulse.begin());
        assert!(pulse.heard());
        None
    };
    assert_eq!(sweeps_to_close(next_head).await, Some(3), "the next request's headers");
}

#[tokio::test]
async fn http2_rests_only_when_no_stream_is_open() {
    let two_of_three = |pulse: &Arc<Pulse>| {
        pulse.speaks(Protocol::Http2);
        let (first, second, third) = (pulse.begin(), pulse.begin(), pulse.begin());
        drop((first, third));
        second
    };
    assert_eq!(sweeps_to_close(two_of_three).await, None);
    let pinging = |pulse: &Arc<Pulse>| {
        pulse.speaks(Protocol::Http2);
        drop(pulse.begin());
        // Frames that are no request do not make it younger or older.
        assert!(pulse.heard());
        None
    };
    assert_eq!(sweeps_to_close(pinging).await, Some(9));
}

#[tokio::test]
async fn a_closed_connection_begins_nothing() {
    let ward = Ward::new(limits());
    let admission = ward.admit(ward.place().await.expect("a place"));
    let pulse = Arc::clone(admission.pulse());
    let turn = pulse.begin().expect("open");
    assert_eq!(pulse.close_if(|_, _| true), Some(Phase::Body));
    assert!(!turn.serves() && !pulse.heard() && pulse.begin().is_none());
    // The task ends, even though what it waits for never comes.
    admission.attend(std::future::pending()).await;
    assert_eq!(ward.count(), 0);
}

#[tokio::test]
async fn idle_connections_make_room_when_it_gets_crowded() {
    let ward = Ward::new(limits());
    let mut admissions = Vec::new();
    for _ in 0..7 {
        let admission = ward.admit(ward.place().await.expect("a place"));
        drop(admission.pulse().begin());
        admissions.push(admission);
    }
    for _ in 0..2 {
        ward.look();
    }
    assert!(admissions.iter().all(|admission| admission.pulse().is_closed()));
    assert_eq!(ward.closed().idle.load(Ordering::Relaxed), 7);
}

#[tokio::test(start_paused = true)]
async fn draining_waits_for_the_server_and_not_for_clients() {
    let ward = Ward::new(limits());
    let start = |place, serving: bool| {
        let admission = ward.admit(place);
        let pulse = Arc::clone(admission.pulse());
        tokio::spawn(admission.attend(async move {
            if serving {
                let turn = pulse.begin().expect("open");
                turn.serves();
                tokio::time::sleep(Duration::from_secs(5)).await;
            } else {
                assert!(pulse.heard());
                std::future::pending::<()>().await;
            }
        }))
    };
    let working = start(ward.place().await.expect("a place"), true);
    let dawdling = start(ward.place().await.expect("a place"), false);
    tokio::task::yield_now().await;
    let started = Instant::now();
    ward.drain(Duration::from_secs(60)).await;
    assert_eq!(started.elapsed().as_secs(), 5);
    working.await.expect("ended");
    dawdling.await.expect("ended");
}

#[tokio::test(start_paused = true)]
async fn draining_ends_with_the_grace_period() {
    let ward = Ward::new(limits());
    let admission = ward.admit(ward.place().await.expect("a place"));
    let pulse = Arc::clone(admission.pulse());
    let stuck = tokio::spawn(admission.attend(async move {
        let turn = pulse.begin().expect("open");
        turn.serves();
        std::future::pending::<()>().await;
    }));
    tokio::task::yield_now().await;
    let started = Instant::now();
    ward.drain(Duration::from_secs(3)).await;
    assert_eq!(started.elapsed().as_secs(), 3);
    stuck.await.expect("closed");
}
