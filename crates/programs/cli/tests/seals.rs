//! Root seals from outside: rotated and moved while the server serves, split among people, and opened by them.

#![allow(clippy::expect_used, reason = "a test that cannot go on has to stop, saying why")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Output;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use testkit::{Server, Stopped};

fn start() -> Server {
    Server::start(env!("CARGO_BIN_EXE_sealstack"), &[])
}

fn printed(output: &Output) -> String {
    let (out, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}: {out}{complaint}", output.status);
    out.into_owned()
}

fn refused(output: &Output, code: i32) -> String {
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{complaint}");
    complaint
}

/// The shares in what `seal split` printed.
fn shares(printed: &str) -> Vec<String> {
    printed.split_whitespace().filter(|word| word.starts_with("seal1-")).map(str::to_owned).collect()
}

/// Sends a request for KMS that no one has signed, and returns the answer.
fn call(server: &Server) -> String {
    let mut stream = TcpStream::connect(server.address()).expect("a connection");
    let request = "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: TrentService.ListKeys\r\nContent-Length: 2\r\n\
                   Content-Type: application/x-amz-json-1.1\r\nConnection: close\r\n\r\n{}";
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

fn events(stopped: &Stopped, arguments: &[&str], input: &str) -> Vec<serde_json::Value> {
    let shown = printed(&stopped.sealstack_reading(&[&["audit", "show"], arguments].concat(), input));
    shown.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn a_split_root_key_opens_for_enough_of_its_holders_and_for_nobody_else() {
    let server = start();
    let split = printed(&server.sealstack(&["seal", "split", "--shares", "5", "--threshold", "3"]));
    let shares = shares(&split);
    assert_eq!(shares.len(), 5, "{split}");
    assert_eq!(server.health(), "ok", "the running server serves on");
    assert_eq!(printed(&server.sealstack(&["unseal", "--status"])), "The server is not sealed.\n");

    let server = server.kill().restart();
    assert_eq!(server.health(), "sealed");
    let answer = call(&server);
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("ServiceUnavailableException") && answer.contains("the root key is sealed"), "{answer}");
    let complaint = refused(&server.sealstack(&["seal", "rotate", "--new-seal", "key-file"]), 2);
    assert!(complaint.contains("a share is wanted"), "{complaint}");

    let give = |share: &str| server.sealstack_reading(&["unseal"], share);
    assert!(printed(&give(&shares[4])).contains("1 of the 3 shares"));
    let again = refused(&give(&shares[4].to_uppercase()), 6);
    assert!(again.contains("share 5 has been given already"), "{again}");
    let mistyped = refused(&give(&shares[0].replace(&shares[0][10..12], "qq")), 6);
    assert!(mistyped.contains("mistyped"), "{mistyped}");
    let foreign = refused(&give("seal1-qqqq"), 6);
    assert!(foreign.contains("checksum"), "{foreign}");
    assert!(refused(&give("password"), 6).contains("not a share"));
    assert!(printed(&server.sealstack(&["unseal", "--reset"])).contains("0 of the 3 shares"));
    assert!(refused(&give(""), 2).contains("standard input"));
    assert!(printed(&give(&shares[1])).contains("1 of the 3 shares"));
    assert_eq!(server.health(), "sealed");
    assert!(printed(&server.sealstack(&["seal", "status"])).contains("1 of the 3 shares needed were given"));
    assert_eq!(printed(&give(&format!("{}\n{}\n", shares[3], shares[0]))), "The server is open.\n");
    assert_eq!(server.health(), "ok");
    assert!(call(&server).contains("MissingAuthenticationToken"));

    // Commands that open the data themselves ask for shares as well.
    let stopped = server.terminate();
    let input = shares[..3].join("\n");
    let events = events(&stopped, &[], &input);
    let names: Vec<&str> = events.iter().filter_map(|event| event["eventName"].as_str()).collect();
    assert_eq!(names, ["BeginRootSealRotation", "RotateRootSeal", "UnsealRootKey", "ListKeys"]);
    assert_eq!(events[1]["requestParameters"]["seal"], "shares");
    assert_eq!(events[1]["userIdentity"]["type"], "Operator");
    assert!(events.iter().all(|event| !event.to_string().contains("seal1-")), "no share is told");
}

#[test]
fn shares_of_another_split_and_made_up_ones_are_told_as_such() {
    let server = start();
    let split = || shares(&printed(&server.sealstack(&["seal", "split", "--shares", "3", "--threshold", "2"])));
    let old = split();
    // The second split needs the first one's shares.
    let complaint = refused(&server.sealstack(&["seal", "split", "--shares", "3", "--threshold", "2"]), 2);
    assert!(complaint.contains("a share is wanted"), "{complaint}");
    let input = format!("{}\n{}\n", old[2], old[0]);
    let arguments = ["seal", "split", "--shares", "2", "--threshold", "2"];
    let new = shares(&printed(&server.sealstack_reading(&arguments, &input)));

    let server = server.kill().restart();
    let complaint = refused(&server.sealstack_reading(&["unseal"], &old[0]), 6);
    assert!(complaint.contains("belongs to the split"), "{complaint}");
    assert!(complaint.contains("replaced by a later split"), "{complaint}");
    assert_eq!(printed(&server.sealstack_reading(&["unseal"], &new.join("\n"))), "The server is open.\n");
    let moved = server.sealstack_reading(&["seal", "rotate", "--new-seal", "key-file"], &new.join("\n"));
    assert!(printed(&moved).contains("sealed by a key file"));
    assert_eq!(server.kill().restart().health(), "ok");
}

#[test]
fn the_root_key_moves_between_seals_while_calls_are_answered() {
    let server = start();
    let alias = server.aws(&["kms", "create-key"])["KeyMetadata"]["KeyId"].as_str().expect("an id").to_owned();
    let (stop, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let passphrase = server.data().join("../passphrase");
    std::fs::write(&passphrase, "correct horse\n").expect("a file");
    let file = passphrase.to_str().expect("text");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                assert!(call(&server).contains("MissingAuthenticationToken"));
                answered.fetch_add(1, Ordering::Relaxed);
            }
        });
        for arguments in [
            &["seal", "rotate"][..],
            &["seal", "rotate", "--new-seal", "passphrase", "--new-seal-passphrase-file", file],
            &["seal", "rotate", "--seal-passphrase-file", file, "--new-seal-passphrase-file", file],
            &["seal", "rotate", "--seal-passphrase-file", file, "--new-seal", "key-file"],
        ] {
            printed(&server.sealstack(arguments));
        }
        let wrong = server.sealstack(&["seal", "rotate", "--seal-file", "/dev/null"]);
        refused(&wrong, 6);
        stop.store(true, Ordering::Relaxed);
    });
    assert!(answered.load(Ordering::Relaxed) > 0);
    // A key of a region that had none is made under the new root key, beside those made before.
    let other = server.aws(&["kms", "create-key", "--region", "eu-west-1"]);
    let status = printed(&server.sealstack(&["seal", "status"]));
    assert!(status.contains("key file") && status.contains("generation 5"), "{status}");

    let server = server.kill().restart();
    let described = server.aws(&["kms", "describe-key", "--key-id", &alias]);
    assert_eq!(described["KeyMetadata"]["KeyState"], "Enabled");
    let sealed = server.aws(&["kms", "encrypt", "--key-id", &alias, "--plaintext", "aGVsbG8="]);
    assert!(sealed["CiphertextBlob"].is_string());
    let id = other["KeyMetadata"]["KeyId"].as_str().expect("an id");
    let sealed = server.aws(&["kms", "encrypt", "--region", "eu-west-1", "--key-id", id, "--plaintext", "aGVsbG8="]);
    assert!(sealed["CiphertextBlob"].is_string());
    let stopped = server.terminate();
    assert!(printed(&stopped.sealstack(&["audit", "verify"])).starts_with("intact"));
    let rotations = events(&stopped, &["--event", "RotateRootSeal"], "");
    assert_eq!(rotations.len(), 5);
    assert_eq!(rotations.iter().filter(|event| event["errorCode"].is_string()).count(), 1, "the refused one too");
}

#[test]
fn without_a_server_unseal_says_so() {
    let stopped = start().terminate();
    let complaint = refused(&stopped.sealstack_reading(&["unseal"], "seal1-qqqqqq"), 10);
    assert!(complaint.contains("sealstack serve"), "{complaint}");
}
