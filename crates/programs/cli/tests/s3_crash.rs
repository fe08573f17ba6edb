//! `kill -9` at random moments while objects are put, removed and assembled of parts: what was acknowledged is there whole,
//! and of what was not, all or nothing.

#![allow(clippy::expect_used, reason = "a test that cannot go on has to stop, saying why")]
#![allow(clippy::print_stdout, reason = "the figures are of use to whoever runs it")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::Stdio;
use std::time::Duration;

use testkit::{Python, Server};

/// The variable that has how many times the server is killed.
const KILLS: &str = "SEALSTACK_S3_KILLS";

/// How many times it is killed if the variable is not there.
const KILLS_USUAL: u32 = 50;

/// The longest time from the first change to the kill, in milliseconds.
const CHANGING_MS_MAX: f64 = 600.0;

/// Fractions between 0 and 1, spread evenly however few are taken.
fn fraction(number: u32) -> f64 {
    // The golden ratio's multiples.
    (f64::from(number) * 0.618_033_988_749_895).fract()
}

/// Changes objects until the server is killed, after so long. Yields the server again, and what was said of the changes.
fn changed_until_killed(server: Server, round: u32, after: Duration) -> (Server, String) {
    let mut command = Python::installed().script("s3_until_killed.py");
    let child = server.configure(command.arg(round.to_string())).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = child.expect("the script starts");
    let mut said = BufReader::new(child.stdout.take().expect("its output"));
    // The script takes its time to start; from its first change on the moment of the kill counts.
    let mut lines = String::new();
    said.read_line(&mut lines).expect("a change is asked for");
    std::thread::sleep(after);
    let killed = server.kill();
    // The script ends by itself once its connections break.
    said.read_to_string(&mut lines).expect("its output is text");
    child.wait().expect("the script ends");
    (killed.restart(), lines)
}

/// Checks what was said against the server. Yields what each key has now.
fn checked(server: &Server, round: u32, said: &str) -> String {
    let mut check = Python::installed().script("check_objects.py");
    let command = server.configure(&mut check);
    let mut checking =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the check starts");
    checking.stdin.take().expect("its input").write_all(said.as_bytes()).expect("lines are taken");
    let output = checking.wait_with_output().expect("the check ends");
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "round {round}: {complained}\n{}", server.log());
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn objects_are_there_whole_or_as_before_however_the_server_is_killed() {
    let kills = std::env::var(KILLS).map_or(KILLS_USUAL, |kills| kills.parse().expect("a number"));
    let mut server = Server::start(env!("CARGO_BIN_EXE_sealstack"), &[]);
    let _ = server.aws(&["s3api", "create-bucket", "--bucket", "killed"]);
    let (mut known, mut acknowledged, mut open) = (String::new(), 0, 0);
    for round in 0..kills {
        let after = Duration::from_secs_f64(CHANGING_MS_MAX * fraction(round + 1) / 1000.0);
        let (restarted, said) = changed_until_killed(server, round, after);
        let asked = said.matches("\"asked\"").count();
        let answered = said.matches("\"acknowledged\"").count();
        (acknowledged, open) = (acknowledged + answered, open + asked - answered);
        known = checked(&restarted, round, &(known + &said));
        server = restarted;
    }
    println!("{kills} kills: {acknowledged} changes acknowledged, {open} cut off");
    assert!(acknowledged > 0 && open > 0, "kills hit some changes and missed others: {acknowledged} {open}");
    let stopped = server.terminate();
    for (arguments, intact) in [(["check"].as_slice(), "blobs: intact"), (&["audit", "verify"], "intact")] {
        let output = stopped.sealstack(arguments);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(output.status.success() && said.contains(intact), "{arguments:?}: {said}");
        // The bucket's own key opens them, without a caller.
        assert!(!said.contains("blobs: intact, 0 blobs"), "{said}");
    }
}
