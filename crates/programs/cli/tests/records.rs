//! A change and its audit record are one thing: whatever is sent, whenever the server is killed, whether the disk has room.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has to stop, saying why")]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use testkit::{Python, Server, Stopped};

/// The audit log's records of an operation.
fn records(stopped: &Stopped, operation: &str) -> Vec<Value> {
    let shown = stopped.sealstack(&["audit", "show", "--event", operation]);
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    let text = String::from_utf8(shown.stdout).expect("JSON is text");
    text.lines().map(|line| serde_json::from_str(line).expect("a record is JSON")).collect()
}

#[test]
fn no_record_is_too_long_to_be_kept() {
    let server = Server::start(env!("CARGO_BIN_EXE_sealstack"), &[]);
    let said = server.script("padded_policies.py", &[]);
    let said: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let calls: Vec<_> = said.iter().filter(|line| line.get("operation").is_some()).collect();
    assert_eq!(calls.len(), 8, "{said:?}");
    let stopped = server.terminate();
    for call in &calls {
        let (operation, allowed) = (call["operation"].as_str().expect("a name"), call["allowed"] == true);
        let found = records(&stopped, operation);
        let fitting = found.iter().filter(|record| record.get("errorCode").is_none() == allowed);
        assert_eq!(fitting.count(), 1, "{operation}: {found:?}");
    }
    assert_eq!(calls.iter().filter(|call| call["allowed"] == true).count(), 5, "{said:?}");
    let planted = records(&stopped, "PutUserPolicy");
    let omitted = &planted[0]["requestParameters"]["policyDocument"]["omitted"];
    assert_eq!(omitted["bytes"], 131_072, "{planted:?}");
    assert_eq!(omitted["sha256"].as_str().map(str::len), Some(64));
    assert_eq!(planted[0]["requestParameters"]["userName"], "mallory");
    let verified = stopped.sealstack(&["check"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

/// The script that changes things until it is stopped.
struct Chaos {
    child: Child,
    said: std::thread::JoinHandle<Vec<String>>,
}

impl Chaos {
    /// Starts it, and returns once its changes are acknowledged.
    fn begin(server: &Server, round: usize) -> Self {
        let mut command = Python::installed().script("chaos.py");
        let command = server.configure(command.arg(round.to_string()));
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = child.expect("the script starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output"));
        let (begun, begins) = std::sync::mpsc::channel();
        let said = std::thread::spawn(move || {
            let (mut said, mut line) = (Vec::new(), String::new());
            while lines.read_line(&mut line).is_ok_and(|read| read > 0) {
                // A line without its end says nothing.
                if line.ends_with('\n') {
                    said.push(line.trim().to_owned());
                }
                line.clear();
                let _ = begun.send(());
            }
            said
        });
        begins.recv_timeout(Duration::from_secs(60)).expect("something is acknowledged");
        Self { child, said }
    }

    /// The acknowledged changes.
    fn end(mut self) -> Vec<String> {
        drop(self.child.stdin.take());
        self.child.wait().expect("the script ends");
        self.said.join().expect("it is read to its end")
    }
}

/// Has no file of the server grow beyond its present length for a while, as if the disk were full.
fn fill_the_disk(server: &Server, during: Duration) {
    let limit = |bytes: &str| {
        let set =
            Command::new("prlimit").args(["--pid", &server.pid().to_string(), &format!("--fsize={bytes}:")]).status();
        assert!(set.expect("prlimit runs").success());
    };
    limit("65536");
    std::thread::sleep(during);
    limit("unlimited");
}

/// The changes in effect, each as it was acknowledged.
fn in_effect(server: &Server) -> BTreeSet<String> {
    let users = server.aws(&["iam", "list-users", "--query", "Users[].UserName"]);
    let keys = server.aws(&["kms", "list-keys", "--query", "Keys[].KeyArn"]);
    let names = |list: &Value, kind: &str| {
        let list = list.as_array().cloned().unwrap_or_default();
        list.iter().map(|name| format!("{kind} {}", name.as_str().unwrap_or_default())).collect::<Vec<_>>()
    };
    let users = names(&users, "user").into_iter().filter(|user| user != "user administrator");
    users.chain(names(&keys, "key")).collect()
}

/// The changes in the audit log in their order; twice if it has one twice.
fn recorded(stopped: &Stopped) -> Vec<String> {
    let succeeded = |record: &Value| record.get("errorCode").is_none();
    let text = |record: &Value, place| record.pointer(place).and_then(Value::as_str).unwrap_or_default().to_owned();
    let users = records(stopped, "CreateUser").into_iter().filter(succeeded);
    let keys = records(stopped, "CreateKey").into_iter().filter(succeeded);
    let users = users.map(|record| format!("user {}", text(&record, "/requestParameters/userName")));
    users.chain(keys.map(|record| format!("key {}", text(&record, "/resources/0/ARN")))).collect()
}

#[test]
fn acknowledged_changes_changes_in_effect_and_records_agree_through_kills_and_full_disks() {
    let mut server = Server::start(env!("CARGO_BIN_EXE_sealstack"), &[]);
    let mut acknowledged = BTreeSet::new();
    for (round, (millis, full)) in
        [(1500, false), (900, true), (1100, false), (700, true), (300, false), (1300, false)].into_iter().enumerate()
    {
        let chaos = Chaos::begin(&server, round);
        std::thread::sleep(Duration::from_millis(millis));
        if full {
            fill_the_disk(&server, Duration::from_millis(400));
            std::thread::sleep(Duration::from_millis(300));
        }
        let killed = server.kill();
        acknowledged.extend(chaos.end());
        server = killed.restart();
    }
    assert!(acknowledged.len() > 100, "{} changes were acknowledged", acknowledged.len());
    let effect = in_effect(&server);
    let stopped = server.terminate();
    let records = recorded(&stopped);
    let distinct: BTreeSet<_> = records.iter().cloned().collect();
    assert_eq!(records.len(), distinct.len(), "no change is recorded twice");
    let lost: Vec<_> = acknowledged.difference(&effect).collect();
    let unrecorded: Vec<_> = effect.difference(&distinct).collect();
    let untrue: Vec<_> = distinct.difference(&effect).collect();
    assert!(
        lost.is_empty() && unrecorded.is_empty() && untrue.is_empty(),
        "of {} in effect: lost {lost:?}, unrecorded {unrecorded:?}, recorded and not there {untrue:?}",
        effect.len()
    );
    for command in ["check", "audit"] {
        let arguments: &[&str] = if command == "audit" { &["audit", "verify"] } else { &["check"] };
        let verified = stopped.sealstack(arguments);
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    }
}
