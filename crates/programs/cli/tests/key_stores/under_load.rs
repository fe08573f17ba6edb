//! An external key store proxy that stops and dies with calls in flight, and a server that does: each call in flight is
//! answered as AWS answers it, other keys notice nothing, and all comes back by itself.

use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use testkit::{Calls, Outcome, Server, while_calling};

use crate::proxy::Outside;
use crate::{BINARY, play, text};

/// How many threads use a key in the store; the others use an ordinary one.
const HELD: usize = 8;
const ORDINARY: usize = 3;

/// No call takes longer, whatever happens to the proxy: its 250 ms, and a loaded machine's delays.
const ANSWERED_WITHIN: Duration = Duration::from_secs(3);

/// The error of callers while the proxy is dead, or does not answer.
const UNREACHABLE: &str = "KMS cannot communicate with the external key store proxy";
const LATE: &str = "did not respond in time";

/// Plaintexts and their ciphertexts.
type Answered = Mutex<Vec<(Vec<u8>, Vec<u8>)>>;

/// Encrypts something new and decrypts something older, and keeps what was answered.
fn use_key(calls: &Calls, key: &str, answered: &Answered, number: usize) -> Result<(), envelope::kms::KmsError> {
    let plaintext = format!("number {number}").into_bytes();
    let blob = calls.encrypt(key, &plaintext)?;
    let older = {
        let mut answered = answered.lock().expect("no thread panicked");
        answered.push((plaintext, blob));
        let at = number * 31 % answered.len();
        answered.get(at).cloned()
    };
    let (plaintext, blob) = older.expect("one of those");
    assert_eq!(calls.decrypt(key, &blob)?, plaintext);
    Ok(())
}

/// Everything that was answered opens. The proxy has AWS's time limit, which a loaded machine may miss.
fn check(calls: &Calls, key: &str, answered: &Answered) {
    let answered = answered.lock().expect("no thread panicked");
    assert!(answered.len() > HELD, "keys were used");
    for (plaintext, blob) in &*answered {
        let opened = (0..20).find_map(|_| match calls.decrypt(key, blob) {
            Ok(opened) => Some(opened),
            Err(error) => {
                assert!(error.message.contains(LATE), "{error}");
                None
            }
        });
        assert_eq!(opened.as_deref(), Some(plaintext.as_slice()));
    }
}

fn signal(pid: &str, name: &str) {
    let sent = Command::new("kill").args([name, pid]).status().expect("kill");
    assert!(sent.success());
}

/// Outcomes that lie within a span of time.
fn within<'a>(outcomes: &[&'a Outcome], from: Instant, until: Instant) -> Vec<&'a Outcome> {
    outcomes.iter().copied().filter(|outcome| outcome.began > from && outcome.ended < until).collect()
}

fn succeeded(outcomes: &[&Outcome]) -> usize {
    outcomes.iter().filter(|outcome| outcome.refusal.is_none()).count()
}

#[test]
fn a_proxy_that_stops_and_dies_with_calls_in_flight_is_missed_by_its_keys_alone() {
    let outside = Outside::new();
    let mut proxy = outside.start(0);
    let port = proxy.port;
    let server = Server::start(BINARY, &["--config", text(&outside.configuration(port))]);
    let (notes, key_file) = (outside.path("notes"), outside.path("key"));
    play(&server, &notes, "ready", &[text(&outside.credential), text(&key_file)]);
    let held = std::fs::read_to_string(&key_file).expect("a key");
    let ordinary = server.aws(&["kms", "create-key"])["KeyMetadata"]["KeyId"].as_str().expect("an id").to_owned();

    let (calls, number) = (Calls::new(&server), AtomicUsize::new(0));
    let (in_store, here) = (Answered::default(), Answered::default());
    let work = |thread| {
        let number = number.fetch_add(1, Ordering::Relaxed);
        if thread < HELD {
            use_key(&calls, &held, &in_store, number)
        } else {
            use_key(&calls, &ordinary, &here, number)
        }
    };
    let pause = |millis| std::thread::sleep(Duration::from_millis(millis));
    let ([began, stopped, continued, killed, dead, back, ended], outcomes) =
        while_calling(HELD + ORDINARY, work, || {
            let began = Instant::now();
            pause(1000);
            signal(&proxy.pid(), "-STOP");
            let stopped = Instant::now();
            pause(1000);
            signal(&proxy.pid(), "-CONT");
            let continued = Instant::now();
            pause(1000);
            let killed = Instant::now();
            proxy.kill();
            let dead = Instant::now();
            pause(1000);
            proxy = outside.start(port);
            let back = Instant::now();
            pause(2000);
            [began, stopped, continued, killed, dead, back, Instant::now()]
        });

    let (own, others): (Vec<_>, Vec<_>) = outcomes.iter().partition(|outcome| outcome.thread < HELD);
    // Ordinary keys: not one refusal, and no pause.
    let refusal = others.iter().find_map(|outcome| outcome.refusal.as_ref());
    assert!(refusal.is_none(), "{refusal:?}");
    for (from, until) in [(began, stopped), (stopped, continued), (killed, back), (back, ended)] {
        let served = within(&others, from, until).len();
        assert!(served > 20, "{served} calls within {:?}", until - from);
    }
    // Keys in the store: each refusal is AWS's for this, and comes in time.
    for outcome in &own {
        assert!(outcome.took() < ANSWERED_WITHIN * 2, "two calls took {:?}", outcome.took());
        let Some(refusal) = &outcome.refusal else { continue };
        let is_told = refusal.message.contains(UNREACHABLE) || refusal.message.contains(LATE);
        assert!(refusal.code == "KMSInvalidStateException" && is_told, "{refusal}");
    }
    for moment in [stopped, killed] {
        let in_flight: Vec<_> = own.iter().filter(|outcome| outcome.spans(moment)).collect();
        assert!(!in_flight.is_empty(), "calls were in flight");
    }
    let while_dead = within(&own, dead, back - Duration::from_millis(100));
    assert!(while_dead.len() > HELD, "{} were answered", while_dead.len());
    assert_eq!(succeeded(&while_dead), 0);
    // It answers again, and so do its keys. Connecting is not wanted: the store has been connected throughout.
    let (before, after) = (within(&own, began, stopped), within(&own, back, ended));
    assert!(
        succeeded(&before) > 0 && succeeded(&after) * 10 > after.len() * 9,
        "{} of {}",
        succeeded(&after),
        after.len()
    );
    play(&server, &notes, "still_connected", &[]);
    let slowest = |outcomes: &[&Outcome]| outcomes.iter().map(|outcome| outcome.took()).max();
    println!(
        "pairs of calls: {} of the store's key, {} refused, slowest {:?}; {} of an ordinary one, 0 refused, slowest {:?}",
        own.len(),
        own.len() - succeeded(&own),
        slowest(&own),
        others.len(),
        slowest(&others)
    );
    check(&calls, &held, &in_store);
    check(&calls, &ordinary, &here);

    // The server dies in the middle of it. What it answered is opened by the next, which connects by itself.
    let number = AtomicUsize::new(1_000_000);
    let work = |_| use_key(&calls, &held, &in_store, number.fetch_add(1, Ordering::Relaxed));
    let ((server, killed), outcomes) = while_calling(HELD, work, || {
        pause(700);
        let killed = Instant::now();
        (server.kill(), killed)
    });
    assert!(outcomes.iter().any(|outcome| outcome.spans(killed) && outcome.refusal.is_some()), "calls were in flight");
    let server = server.restart();
    check(&Calls::new(&server), &held, &in_store);
    play(&server, &notes, "still_connected", &[]);
}
