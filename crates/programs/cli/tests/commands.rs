//! The commands beside `serve`, as scripts see them: what they print and with what they exit.

#![allow(clippy::expect_used, reason = "a test that cannot go on has to stop, saying why")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Output;

use testkit::Server;

fn start() -> Server {
    Server::start(env!("CARGO_BIN_EXE_sealstack"), &[])
}

/// Makes as many audit records: requests that are refused for want of a signature.
fn knock(server: &Server, times: usize) {
    for _ in 0..times {
        let mut stream = TcpStream::connect(server.address()).expect("a connection");
        let request = "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: TrentService.ListKeys\r\nContent-Length: 0\r\n\
                       Connection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.contains("MissingAuthenticationToken"), "{answer}");
    }
}

fn printed(output: &Output) -> String {
    let (out, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}: {out}{complaint}", output.status);
    out.into_owned()
}

/// The command's error output, after it exited with `code`.
fn refused(output: &Output, code: i32) -> String {
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{complaint}");
    complaint
}

#[test]
fn env_names_the_server_and_tells_no_secret() {
    let server = start();
    let statements = printed(&server.sealstack(&["env"]));
    let endpoint = format!("export AWS_ENDPOINT_URL='https://{}'", server.address());
    assert!(statements.lines().any(|line| line == endpoint), "{statements}");
    let credentials = std::fs::read_to_string(server.data().join("aws/credentials")).expect("credentials");
    let secret = credentials.lines().find_map(|line| line.strip_prefix("aws_secret_access_key = ")).expect("a secret");
    for text in [&statements, &server.log()] {
        assert!(!text.contains(secret));
    }
}

#[test]
fn a_second_server_exits_with_4_and_names_the_first() {
    let server = start();
    let complaint = refused(&server.sealstack(&["serve", "--listen", "127.0.0.1:0"]), 4);
    assert!(complaint.contains(&format!("process {}", server.pid())), "{complaint}");
}

#[test]
fn sigterm_ends_the_server_well() {
    let stopped = start().terminate();
    assert_eq!(stopped.status.code(), Some(0));
    let _running = stopped.restart();
}

#[test]
fn the_root_seal_is_rotated_with_the_server_stopped_and_everything_opens_after() {
    let stopped = start().terminate();
    let before = printed(&stopped.sealstack(&["seal", "status"]));
    let rotated = printed(&stopped.sealstack(&["seal", "rotate"]));
    assert!(rotated.contains("generation 2"), "{rotated}");
    assert_ne!(printed(&stopped.sealstack(&["seal", "status"])), before);
    let server = stopped.restart();
    knock(&server, 1);
    // The first account, the rotation's begin and end, and the call.
    assert!(printed(&server.terminate().sealstack(&["audit", "verify"])).starts_with("intact: 4 records"));
}

#[test]
fn the_audit_log_is_verified_beside_a_running_server() {
    let server = start();
    knock(&server, 3);
    // Records of refused calls are on the disk within 200 ms.
    std::thread::sleep(std::time::Duration::from_millis(300));
    let report = printed(&server.sealstack(&["audit", "verify"]));
    assert!(report.starts_with("intact: 4 records"), "the first account and three calls: {report}");
    assert!(report.contains("changes: 1, each with its record"), "{report}");
    let end = report.lines().find_map(|line| line.strip_prefix("end: ")).expect("an end").to_owned();
    knock(&server, 1);
    printed(&server.sealstack(&["audit", "verify", "--expect", &end]));
    let (rest, last) = end.split_at(end.len() - 1);
    let other = format!("{rest}{}", if last == "0" { "1" } else { "0" });
    refused(&server.sealstack(&["audit", "verify", "--against", &other]), 8);
}

#[test]
fn a_changed_audit_log_is_found() {
    let server = start();
    knock(&server, 20);
    let stopped = server.terminate();
    let segment = stopped.data().join("audit/00000001.seal");
    let mut bytes = std::fs::read(&segment).expect("a segment");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes).expect("changed");
    let output = stopped.sealstack(&["audit", "verify"]);
    let complaint = refused(&output, 8);
    assert!(complaint.contains("segment 1"), "{complaint}");
}

#[test]
fn the_audit_log_is_shown_a_json_object_a_line() {
    let server = start();
    knock(&server, 5);
    let stopped = server.terminate();
    let lines = |arguments: &[&str]| {
        let shown = printed(&stopped.sealstack(&[&["audit", "show"], arguments].concat()));
        let events: Result<Vec<serde_json::Value>, _> = shown.lines().map(serde_json::from_str).collect();
        events.expect("JSON")
    };
    let all = lines(&[]);
    assert_eq!(all.len(), 6);
    assert_eq!(all[0]["eventName"], "CreateFirstAccount");
    assert!(all[1..].iter().all(|event| event["errorCode"] == "MissingAuthenticationTokenException"));
    assert_eq!(lines(&["--limit", "2"]), all[4..]);
    assert_eq!(lines(&["--failed", "--since", "1h"]), all[1..]);
    assert!(lines(&["--event", "Decrypt"]).is_empty());
}

#[test]
fn without_data_the_commands_say_so_and_make_nothing() {
    let parent = tempfile::tempdir().expect("a directory");
    let data = parent.path().join("none");
    for arguments in [&["env"][..], &["seal", "status"], &["seal", "rotate"], &["audit", "verify"], &["audit", "show"]]
    {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_sealstack"))
            .args(arguments)
            .env("SEALSTACK_DATA", &data)
            .output()
            .expect("it runs");
        let complaint = refused(&output, 3);
        assert!(complaint.contains("sealstack serve"), "{arguments:?}: {complaint}");
        assert!(!data.exists(), "{arguments:?}");
    }
}
