use std::net::Ipv4Addr;

use super::*;

const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

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
async fn sweeps_to_close(prepare: impl FnOnce(&Arc<ConnectionState>) -> Option<Turn>) -> Option<u32> {
    let connections = ConnectionLimiter::new(limits());
    let admission = connections.admit(HOME).await.expect("a place");
    let _turn = prepare(admission.state());
    (1..100).find(|_| {
        connections.look();
        admission.state().is_closed()
    })
}

#[tokio::test]
async fn each_phase_has_its_own_deadline() {
    // Two sweeps a second, and one for the part of a tick in which the phase began.
    assert_eq!(sweeps_to_close(|_| None).await, Some(3), "headers");
    assert_eq!(sweeps_to_close(ConnectionState::begin).await, Some(5), "a body");
    let serving = |state: &Arc<ConnectionState>| {
        let mut turn = state.begin();
        assert!(turn.as_mut().is_some_and(Turn::serves));
        turn
    };
    assert_eq!(sweeps_to_close(serving).await, None, "the server's own work");
    let idle = |state: &Arc<ConnectionState>| {
        drop(state.begin());
        None
    };
    assert_eq!(sweeps_to_close(idle).await, Some(9), "rest");
    let next_head = |state: &Arc<ConnectionState>| {
        drop(state.begin());
        assert!(state.heard());
        None
    };
    assert_eq!(sweeps_to_close(next_head).await, Some(3), "the next request's headers");
}

#[tokio::test]
async fn http2_rests_only_when_no_stream_is_open() {
    let two_of_three = |state: &Arc<ConnectionState>| {
        state.speaks(Protocol::Http2);
        let (first, second, third) = (state.begin(), state.begin(), state.begin());
        drop((first, third));
        second
    };
    assert_eq!(sweeps_to_close(two_of_three).await, None);
    let pinging = |state: &Arc<ConnectionState>| {
        state.speaks(Protocol::Http2);
        drop(state.begin());
        // Frames that are no request do not make it younger or older.
        assert!(state.heard());
        None
    };
    assert_eq!(sweeps_to_close(pinging).await, Some(9));
}

#[tokio::test]
async fn a_closed_connection_begins_nothing() {
    let connections = ConnectionLimiter::new(limits());
    let admission = connections.admit(HOME).await.expect("a place");
    let state = Arc::clone(admission.state());
    let mut turn = state.begin().expect("open");
    assert_eq!(state.close_if(|_, _| true), Some(Phase::Body));
    assert!(!turn.serves() && !state.heard() && state.begin().is_none());
    // The task ends, even though what it waits for never comes.
    admission.attend(std::future::pending()).await;
    assert_eq!(connections.count(), 0);
}

#[tokio::test]
async fn idle_connections_make_room_when_it_gets_crowded() {
    let connections = ConnectionLimiter::new(limits());
    let mut admissions = Vec::new();
    for _ in 0..7 {
        let admission = connections.admit(HOME).await.expect("a place");
        drop(admission.state().begin());
        admissions.push(admission);
    }
    for _ in 0..2 {
        connections.look();
    }
    assert!(admissions.iter().all(|admission| admission.state().is_closed()));
    assert_eq!(connections.closed().idle.load(Ordering::Relaxed), 7);
}

#[tokio::test]
async fn slow_heads_and_bodies_have_less_time_when_it_gets_crowded() {
    let slow = Duration::from_secs(8);
    let connections = ConnectionLimiter::new(Limits { head_timeout: slow, body_timeout: slow, ..limits() });
    let mut heads = Vec::new();
    for _ in 0..4 {
        heads.push(connections.admit(HOME).await.expect("a place"));
    }
    let look = |times| (0..times).for_each(|_| connections.look());
    look(4);
    assert!(heads.iter().all(|admission| !admission.state().is_closed()), "half of the places are taken");
    let (mut bodies, mut turns) = (Vec::new(), Vec::new());
    for number in 0..3 {
        let admission = connections.admit(HOME).await.expect("a place");
        if number > 0 {
            admission.state().speaks(Protocol::Http2);
        }
        turns.push(admission.state().begin().expect("open"));
        bodies.push(admission);
    }
    assert!(turns.last_mut().is_some_and(Turn::serves));
    look(3);
    assert!(heads.iter().chain(&bodies[..2]).all(|admission| admission.state().is_closed()));
    assert!(!bodies[2].state().is_closed(), "the server's own work");
    let closed = connections.closed();
    assert_eq!((closed.head.load(Ordering::Relaxed), closed.body.load(Ordering::Relaxed)), (4, 2));
}

#[tokio::test(start_paused = true)]
async fn draining_waits_for_the_server_and_not_for_clients() {
    let connections = ConnectionLimiter::new(limits());
    let start = |admission: Admission, serving: bool| {
        let state = Arc::clone(admission.state());
        tokio::spawn(admission.attend(async move {
            if serving {
                let mut turn = state.begin().expect("open");
                turn.serves();
                tokio::time::sleep(Duration::from_secs(5)).await;
            } else {
                assert!(state.heard());
                std::future::pending::<()>().await;
            }
        }))
    };
    let working = start(connections.admit(HOME).await.expect("a place"), true);
    let dawdling = start(connections.admit(HOME).await.expect("a place"), false);
    tokio::task::yield_now().await;
    let started = Instant::now();
    connections.drain(Duration::from_secs(60)).await;
    assert_eq!(started.elapsed().as_secs(), 5);
    working.await.expect("ended");
    dawdling.await.expect("ended");
}

#[tokio::test(start_paused = true)]
async fn draining_ends_with_the_grace_period() {
    let connections = ConnectionLimiter::new(limits());
    let admission = connections.admit(HOME).await.expect("a place");
    let state = Arc::clone(admission.state());
    let stuck = tokio::spawn(admission.attend(async move {
        let mut turn = state.begin().expect("open");
        turn.serves();
        std::future::pending::<()>().await;
    }));
    tokio::task::yield_now().await;
    let started = Instant::now();
    connections.drain(Duration::from_secs(3)).await;
    assert_eq!(started.elapsed().as_secs(), 3);
    stuck.await.expect("closed");
}

/// Connections of 192.0.2.`host`: what each does, in the order in which they came, half a second apart.
struct Guest(u8, Doing);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Doing {
    Head,
    Body,
    Idle,
    Serving,
}

const fn address(host: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, host))
}

/// Which of the guests give up their places to one of `newcomer`'s.
async fn leavers(places: usize, guests: &[Guest], newcomer: u8) -> Vec<usize> {
    let connections = ConnectionLimiter::new(Limits {
        connections_max: places,
        head_timeout: Duration::from_secs(3600),
        body_timeout: Duration::from_secs(3600),
        idle_timeout: Duration::from_secs(3600),
        ..limits()
    });
    let mut present = Vec::new();
    for Guest(host, doing) in guests {
        let admission = connections.admit(address(*host)).await.expect("a place");
        let mut turn = if *doing == Doing::Head { None } else { admission.state().begin() };
        match doing {
            Doing::Idle => turn = None,
            Doing::Serving => assert!(turn.as_mut().is_some_and(Turn::serves)),
            Doing::Head | Doing::Body => {}
        }
        present.push((admission, turn));
        connections.look();
    }
    connections.make_room(address(newcomer).into());
    present.iter().enumerate().filter(|(_, (admission, _))| admission.state().is_closed()).map(|(at, _)| at).collect()
}

#[tokio::test]
async fn who_has_most_gives_up_what_waited_longest_and_nobody_what_is_being_served() {
    use Doing::{Body, Head, Idle, Serving};
    for (what, guests, newcomer, expect) in [
        ("the one with most", [Guest(1, Idle), Guest(2, Head), Guest(2, Head), Guest(2, Idle)], 3, vec![1]),
        ("not what is served", [Guest(1, Idle), Guest(2, Serving), Guest(2, Body), Guest(2, Head)], 3, vec![2]),
        ("its own", [Guest(2, Head), Guest(2, Idle), Guest(1, Head), Guest(1, Head)], 1, vec![2]),
        ("another's, below its share", [Guest(1, Head), Guest(2, Head), Guest(2, Head), Guest(2, Head)], 1, vec![1]),
        ("anybody's", [Guest(2, Serving), Guest(2, Serving), Guest(2, Serving), Guest(1, Idle)], 3, vec![3]),
        ("nobody", [Guest(1, Serving), Guest(1, Serving), Guest(2, Serving), Guest(2, Serving)], 3, vec![]),
        ("the only one's", [Guest(1, Idle), Guest(1, Head), Guest(1, Body), Guest(1, Idle)], 1, vec![0]),
    ] {
        assert_eq!(leavers(4, &guests, newcomer).await, expect, "{what}");
    }
    // Of many places, several at once, but none of its share.
    let guests: Vec<_> = (0..256).map(|_| Guest(1, Head)).collect();
    assert_eq!(leavers(256, &guests, 2).await, [0, 1, 2, 3]);
    assert_eq!(leavers(256, &guests, 1).await, [0]);
}

#[test]
fn addresses_of_one_network_are_one_host() {
    let host = |text: &str| Host::from(text.parse::<IpAddr>().expect("an address"));
    assert_eq!(host("2001:db8:1:2::1"), host("2001:db8:1:2:ffff::9"));
    assert_ne!(host("2001:db8:1:2::1"), host("2001:db8:1:3::1"));
    assert_ne!(host("192.0.2.1"), host("192.0.2.2"));
}
