//! `kill -9` at any point: every acknowledged key, alias, policy, grant and user is there when the server comes back, and a
//! first start is finished by the next.

#![allow(clippy::expect_used, reason = "a test that cannot go on has to stop, saying why")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

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
        let mut child = child.expect("the script starts");
        let mut said = BufReader::new(child.stdout.take().expect("its output"));
        // The script takes its time to start; from its first change on the moment of the kill counts.
        let mut first = String::new();
        said.read_line(&mut first).expect("a change is acknowledged");
        facts.push_str(&first);
        std::thread::sleep(Duration::from_millis(millis));
        let killed = server.kill();
        // The script ends by itself once its connection breaks.
        said.read_to_string(&mut facts).expect("its output is text");
        child.wait().expect("the script ends");
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

/// A server on `data`, whose port is free.
fn serve(data: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sealstack"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the server starts")
}

/// Waits until the server on `data` answers, and says how long it took.
fn started(child: &mut Child, data: &Path) -> Duration {
    let began = Instant::now();
    while !data.join("aws/config").exists() {
        assert!(child.try_wait().expect("its state").is_none(), "it ended by itself");
        assert!(began.elapsed() < Duration::from_secs(60), "no answer");
        std::thread::sleep(Duration::from_millis(1));
    }
    began.elapsed()
}

fn kill(mut child: Child) {
    child.kill().expect("killed");
    child.wait().expect("it ended");
}

#[test]
fn a_first_start_that_is_killed_at_any_point_is_finished_by_the_next() {
    let directory = tempfile::tempdir().expect("a directory");
    let whole = directory.path().join("whole");
    let mut child = serve(&whole);
    let whole = started(&mut child, &whole);
    kill(child);

    let (parts, mut interrupted) = (12, 0);
    for part in 1..=parts {
        let data = directory.path().join(part.to_string());
        // The start that continues it is killed as well.
        for _ in 0..2 {
            let child = serve(&data);
            std::thread::sleep(whole * part / parts);
            kill(child);
        }
        interrupted += usize::from(!data.join("aws/config").exists());
        let mut child = serve(&data);
        started(&mut child, &data);
        kill(child);
        let credentials = std::fs::read_to_string(data.join("aws/credentials")).expect("handed over");
        assert_eq!(credentials.matches("aws_access_key_id").count(), 1, "{credentials}");
        for arguments in [["check", "--data"].as_slice(), &["audit", "verify", "--data"]] {
            let output = Command::new(env!("CARGO_BIN_EXE_sealstack")).args(arguments).arg(&data).output();
            let output = output.expect("it runs");
            let said = [output.stdout, output.stderr].concat();
            assert!(output.status.success(), "{part}: {}", String::from_utf8_lossy(&said));
        }
    }
    assert!(interrupted > 0, "some were cut short");
}
