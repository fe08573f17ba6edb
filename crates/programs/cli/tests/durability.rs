//! `kill -9` at any point: every acknowledged key, alias, policy, grant and user is there when the server comes back.

#![allow(clippy::expect_used, reason = "a test that cannot go on has to stop, saying why")]

use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use testkit::{Python, Server};

#[test]
fn what_was_acknowledged_survives_kill_9_at_any_point() {
    let mut server = Server::start(env!("CARGO_BIN_EXE_sealstack"), &[]);
    let mut facts = String::new();
    // Killed earlier and later in the stream of changes; the moment within a change is up to the machine.
    for (round, millis) in [700, 1900, 1300].into_iter().enumerate() {
        let mut command = Python::installed().script("change_until_killed.py");
        let child =
            server.configure(command.arg(round.to_string())).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let child = child.expect("the script starts");
        std::thread::sleep(Duration::from_millis(millis));
        let killed = server.kill();
        // The script ends by itself once its connection breaks.
        let output = child.wait_with_output().expect("the script ends");
        facts.push_str(&String::from_utf8_lossy(&output.stdout));
        server = killed.restart();

        let mut check = Python::installed().script("check_facts.py");
        let mut checking = server
            .configure(&mut check)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the check starts");
        checking.stdin.take().expect("its input").write_all(facts.as_bytes()).expect("facts are taken");
        let output = checking.wait_with_output().expect("the check ends");
        let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "round {round}: {said}\n{complained}\n{}", server.log());
    }
    assert!(facts.lines().count() > 30, "changes were acknowledged: {}", facts.lines().count());
    let stopped = server.terminate();
    let verified = stopped.sealstack(&["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}
