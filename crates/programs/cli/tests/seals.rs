//! Root seals from outside: rotated and moved while the server serves, split among people, and opened by them.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test that cannot go on has to stop, saying why")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use testkit::{Server, SoftHsm, Stopped};

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
    assert_eq!(names, ["CreateFirstAccount", "BeginRootSealRotation", "RotateRootSeal", "UnsealRootKey", "ListKeys"]);
    assert_eq!(events[2]["requestParameters"]["seal"], "shares");
    assert_eq!(events[2]["userIdentity"]["type"], "Operator");
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
    write_secret(&passphrase, "correct horse\n");
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

/// A key of `keeper` for sealing with, and the variables that lead another server to it.
fn sealing_key(keeper: &Server) -> (String, Vec<(&'static str, PathBuf)>) {
    let key = keeper.aws(&["kms", "create-key"])["KeyMetadata"]["Arn"].as_str().expect("an ARN").to_owned();
    let file = |name| keeper.data().join(name);
    let environment = vec![
        ("AWS_CONFIG_FILE", file("aws/config")),
        ("AWS_SHARED_CREDENTIALS_FILE", file("aws/credentials")),
        ("AWS_CA_BUNDLE", file("tls/ca.pem")),
        ("AWS_MAX_ATTEMPTS", "1".into()),
    ];
    (key, environment)
}

#[test]
fn another_servers_key_seals_the_root_key_and_opens_it_at_every_start() {
    let keeper = start();
    let (key, environment) = sealing_key(&keeper);
    let _ = keeper.aws(&["kms", "create-alias", "--alias-name", "alias/root", "--target-key-id", &key]);
    let arguments = ["--seal", "kms", "--seal-kms-key", "alias/root"];
    let server = Server::start_in(environment, env!("CARGO_BIN_EXE_sealstack"), &arguments);
    assert_eq!(server.health(), "ok");
    let status = printed(&server.sealstack(&["seal", "status"]));
    assert!(status.contains(&key), "{status}");
    let deployment = status.split("sealstack:deployment=").nth(1).and_then(|rest| rest.lines().next()).expect("its id");

    // It was made for this deployment, and does not open for another.
    let mut asked = String::new();
    for _ in 0..50 {
        asked = printed(&keeper.sealstack(&["audit", "show", "--event", "Encrypt"]));
        if !asked.is_empty() {
            break;
        }
        // Records of use are on the disk some time after the answer.
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert!(asked.contains(deployment) && asked.contains("sealstack:root-key"), "{asked}");
    let id = server.aws(&["kms", "create-key"])["KeyMetadata"]["KeyId"].as_str().expect("an id").to_owned();
    let rotated = printed(&server.sealstack(&["seal", "rotate"]));
    assert!(rotated.contains("generation 2"), "{rotated}");
    let server = server.kill().restart();
    assert_eq!(server.aws(&["kms", "describe-key", "--key-id", &id])["KeyMetadata"]["KeyState"], "Enabled");
    let stopped = server.terminate();
    let header = stopped.data().join("seal/root.json");
    let whole = std::fs::read_to_string(&header).expect("a header");
    std::fs::write(&header, whole.replace(deployment, &"0".repeat(32))).expect("written");
    let complaint = refused(&stopped.sealstack(&["audit", "verify"]), 6);
    assert!(complaint.contains("for another deployment"), "{complaint}");
    std::fs::write(&header, whole).expect("written");

    // Without the key it does not open, and says why.
    let _ = keeper.aws(&["kms", "disable-key", "--key-id", &key]);
    let complaint = refused(&stopped.sealstack(&["audit", "verify"]), 6);
    assert!(complaint.contains(&key) && complaint.contains("DisabledException"), "{complaint}");
    let _ = keeper.aws(&["kms", "enable-key", "--key-id", &key]);
    printed(&stopped.sealstack(&["audit", "verify"]));
    let keeper = keeper.terminate();
    let complaint = refused(&stopped.sealstack(&["audit", "verify"]), 6);
    assert!(complaint.contains("cannot be used"), "{complaint}");
    drop(keeper);
}

#[test]
fn a_token_seals_the_root_key_with_a_key_that_never_leaves_it() {
    let hsm = SoftHsm::new();
    hsm.add_token("vault", "123456");
    let (variable, configuration) = hsm.environment();
    let environment = vec![(variable, configuration), ("SEALSTACK_SEAL_PIN", "123456".into())];
    let module = SoftHsm::module().to_str().expect("text");
    let arguments = ["--seal", "token", "--seal-token-module", module, "--seal-token", "vault"];
    let server = Server::start_in(environment, env!("CARGO_BIN_EXE_sealstack"), &arguments);
    let id = server.aws(&["kms", "create-key"])["KeyMetadata"]["KeyId"].as_str().expect("an id").to_owned();
    let status = printed(&server.sealstack(&["seal", "status"]));
    assert!(status.contains("key sealstack-root in the token vault"), "{status}");

    let wrong = hsm_command(&server, &["seal", "rotate"], "654321");
    assert!(refused(&wrong, 6).contains("refuses the PIN"));
    let rotated = hsm_command(&server, &["seal", "rotate", "--new-seal-token-key", "second"], "123456");
    assert!(printed(&rotated).contains("generation 2"));
    let server = server.kill().restart();
    assert_eq!(server.aws(&["kms", "describe-key", "--key-id", &id])["KeyMetadata"]["KeyState"], "Enabled");
    // Away from the token and back to it, by name and while it serves.
    let moved = ["seal", "rotate", "--new-seal", "key-file"];
    assert!(printed(&hsm_command(&server, &moved, "123456")).contains("still says"));
    let back = ["seal", "rotate", "--seal", "key-file", "--new-seal", "token", "--new-seal-token-module", module];
    let back = [&back[..], &["--new-seal-token", "vault"]].concat();
    printed(&hsm_command(&server, &back, "123456"));
    let server = server.kill().restart();
    assert_eq!(server.health(), "ok");
    let stopped = server.terminate();
    let header = stopped.data().join("seal/root.json");
    let whole = std::fs::read_to_string(&header).expect("a header");
    std::fs::write(&header, whole.replace("\"generation\": 4", "\"generation\": 5")).expect("written");
    assert!(refused(&stopped.sealstack(&["audit", "verify"]), 6).contains("does not open"));
}

/// A file that nobody else may read.
fn write_secret(path: &Path, text: &str) {
    std::fs::write(path, text).expect("a file");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("a mode");
}

/// A command with another PIN than the server has, and the same for a new seal.
fn hsm_command(server: &Server, arguments: &[&str], pin: &str) -> Output {
    let file = server.data().join("../pin");
    write_secret(&file, pin);
    let file = file.to_str().expect("text");
    let pins = ["--seal-pin-file", file, "--new-seal-pin-file", file];
    server.sealstack(&[arguments, &pins].concat())
}

#[test]
fn the_root_key_moves_between_every_two_kinds_of_seal() {
    let keeper = start();
    let (key, mut environment) = sealing_key(&keeper);
    let hsm = SoftHsm::new();
    hsm.add_token("vault", "123456");
    let (variable, configuration) = hsm.environment();
    environment.extend([
        (variable, configuration),
        ("SEALSTACK_SEAL_PIN", "123456".into()),
        ("SEALSTACK_NEW_SEAL_PIN", "123456".into()),
        ("SEALSTACK_SEAL_PASSPHRASE", "correct horse".into()),
        ("SEALSTACK_NEW_SEAL_PASSPHRASE", "correct horse".into()),
    ]);
    let module = SoftHsm::module().to_str().expect("text");
    let mut server = Server::start_in(environment, env!("CARGO_BIN_EXE_sealstack"), &[]);
    let id = server.aws(&["kms", "create-key"])["KeyMetadata"]["KeyId"].as_str().expect("an id").to_owned();
    // Every kind comes after every other once: an Euler tour of the five.
    let tour = [0, 1, 2, 3, 4, 0, 2, 4, 1, 3, 0, 4, 3, 2, 1, 4, 2, 0, 3, 1, 0];
    let (mut held, mut seen) = (Vec::new(), std::collections::BTreeSet::new());
    for pair in tour.windows(2) {
        let &[from, to] = pair else { continue };
        assert!(seen.insert((from, to)));
        let arguments: &[&str] = match to {
            0 => &["seal", "rotate", "--new-seal", "key-file"],
            1 => &["seal", "rotate", "--new-seal", "passphrase"],
            2 => &["seal", "split", "--shares", "3", "--threshold", "2"],
            3 => &["seal", "rotate", "--new-seal", "kms", "--new-seal-kms-key", &key],
            _ => &[
                "seal",
                "rotate",
                "--new-seal",
                "token",
                "--new-seal-token-module",
                module,
                "--new-seal-token",
                "vault",
            ],
        };
        let said = printed(&server.sealstack_reading(arguments, &held.join("\n")));
        held = shares(&said);
        server = server.kill().restart();
        assert_eq!(server.health(), if to == 2 { "sealed" } else { "ok" }, "{from} to {to}");
        if to == 2 {
            assert_eq!(printed(&server.sealstack_reading(&["unseal"], &held.join("\n"))), "The server is open.\n");
        }
    }
    assert_eq!(seen.len(), 20);
    let described = server.aws(&["kms", "describe-key", "--key-id", &id]);
    assert_eq!(described["KeyMetadata"]["KeyState"], "Enabled");
}
