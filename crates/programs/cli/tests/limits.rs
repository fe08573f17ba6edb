//! Limits of the operating system and requests of strangers end in an answer: the server lives on and stays small.

#![allow(clippy::expect_used, reason = "a test that cannot go on has to stop, saying why")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use testkit::{Python, Server};

fn limit_file_size(server: &Server, bytes: Option<u64>) {
    let pid = Pid::from_raw(server.pid().try_into().expect("a process id"));
    prlimit(pid, Resource::Fsize, Rlimit { current: bytes, maximum: None }).expect("a limit");
}

/// Makes a user, and whether that was acknowledged.
fn create_user(server: &Server, name: &str) -> bool {
    let mut command = Python::installed().command("aws");
    server.configure(command.args(["iam", "create-user", "--user-name", name]));
    command.output().expect("the AWS CLI starts").status.success()
}

#[test]
fn a_write_over_the_limit_of_files_fails_and_does_not_end_the_server() {
    let server = Server::start(env!("CARGO_BIN_EXE_sealstack"), &[]);
    assert!(create_user(&server, "before"));
    // Every file is longer than that already: no write succeeds.
    limit_file_size(&server, Some(1));
    for name in ["during", "still"] {
        assert!(!create_user(&server, name), "what could not be written was acknowledged");
        assert!(["ok", "unavailable"].contains(&server.health().as_str()));
    }
    limit_file_size(&server, None);
    let server = server.terminate().restart();
    let users = server.aws(&["iam", "list-users", "--query", "Users[].UserName"]).to_string();
    assert!(users.contains("before") && !users.contains("during") && !users.contains("still"), "{users}");
    assert!(create_user(&server, "after"));
    let verified = server.terminate().sealstack(&["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

/// Connections that send the longest bodies at the same time, and how many each sends.
const SENDERS: usize = 56;
const BODIES: usize = 4;

/// Growth of the server that may remain afterwards, in bytes.
const KEPT_BYTES_MAX: usize = 20 << 20;

fn resident_bytes(server: &Server) -> usize {
    let statm = std::fs::read_to_string(format!("/proc/{}/statm", server.pid())).expect("a running server");
    let pages: usize = statm.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).expect("a number");
    pages * rustix::param::page_size()
}

/// The access key of the administrator: the body of an unknown one is not read.
fn access_key_id(server: &Server) -> String {
    let text = std::fs::read_to_string(server.data().join("aws/credentials")).expect("credentials");
    let line = text.lines().find_map(|line| line.strip_prefix("aws_access_key_id")).expect("an access key");
    line.trim_start_matches([' ', '=']).to_owned()
}

/// Sends a body for IAM whose signature is wrong: it is read whole, hashed and refused.
fn send(stream: &mut TcpStream, access_key_id: &str, body: &[u8]) {
    let head = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Date: 20260101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 \
         Credential={access_key_id}/20260101/us-east-1/iam/aws4_request, SignedHeaders=host;x-amz-date, \
         Signature={}\r\nContent-Length: {}\r\n\r\n",
        "0".repeat(64),
        body.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).expect("sent");
    let mut answer = [0; 4096];
    let read = stream.read(&mut answer).expect("an answer");
    let answer = String::from_utf8_lossy(answer.get(..read).unwrap_or_default());
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
}

#[test]
fn the_memory_of_long_bodies_is_given_back_though_their_connections_stay() {
    let server = Server::start(env!("CARGO_BIN_EXE_sealstack"), &[]);
    let connect = || TcpStream::connect(server.address()).expect("a connection");
    let access_key_id = access_key_id(&server);
    send(&mut connect(), &access_key_id, b"Action=ListUsers");
    let before = resident_bytes(&server);
    let body = vec![b'a'; 1 << 20];
    let connections: Vec<_> = std::thread::scope(|scope| {
        let sending: Vec<_> = (0..SENDERS)
            .map(|_| {
                scope.spawn(|| {
                    let mut stream = connect();
                    (0..BODIES).for_each(|_| send(&mut stream, &access_key_id, &body));
                    stream
                })
            })
            .collect();
        sending.into_iter().map(|sender| sender.join().expect("no panic")).collect()
    });
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let kept = resident_bytes(&server).saturating_sub(before);
        if kept <= KEPT_BYTES_MAX {
            break;
        }
        assert!(Instant::now() < deadline, "{} MiB are kept", kept >> 20);
        std::thread::sleep(Duration::from_millis(100));
    }
    drop(connections);
}
