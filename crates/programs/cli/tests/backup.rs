//! Backups of a server that is being written to, restored elsewhere; and backups that are not what they should be.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has to stop, saying why")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use testkit::{Python, Server};

const BINARY: &str = env!("CARGO_BIN_EXE_sealstack");

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn done(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}: {said}{}", output.status, String::from_utf8_lossy(&output.stderr));
    said
}

fn refused(output: &Output, code: i32, complaint: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(complaint), "{said}");
}

fn restore(file: &Path, data: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    command.arg("restore").arg(file).arg("--data").arg(data).args(more);
    command.output().expect("it ends")
}

/// A place outside of the data directory, and the key file copied to it.
fn elsewhere(data: &Path) -> (tempfile::TempDir, PathBuf) {
    let elsewhere = tempfile::tempdir().expect("a directory");
    let key = elsewhere.path().join("root.key");
    std::fs::copy(data.join("seal/root.key"), &key).expect("a copy");
    (elsewhere, key)
}

#[test]
fn what_was_acknowledged_before_a_backup_is_in_it_though_the_server_goes_on_and_is_killed() {
    let server = Server::start(BINARY, &[]);
    let (elsewhere, key) = elsewhere(&server.data());
    let mut command = Python::installed().script("change_until_killed.py");
    let child = server.configure(command.arg("0")).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = child.expect("the script starts");
    let mut told = BufReader::new(child.stdout.take().expect("its output"));
    let mut facts = String::new();
    while facts.lines().count() < 40 {
        assert_ne!(told.read_line(&mut facts).expect("a fact"), 0, "the changes go on");
    }
    let file = elsewhere.path().join("backup.tar");
    done(&server.sealstack(&["backup", text(&file)]));
    refused(&server.sealstack(&["backup", text(&file)]), 2, "--overwrite");
    done(&server.sealstack(&["backup", text(&file), "--overwrite"]));
    let killed = server.kill();
    drop(told);
    let _ = child.wait();

    let data = elsewhere.path().join("restored");
    refused(&restore(&file, &data, &[]), 6, "root.key");
    assert!(!data.exists(), "nothing appears before all is verified");
    done(&restore(&file, &data, &["--check", "--seal-file", text(&key)]));
    assert!(!data.exists(), "a check keeps nothing");
    done(&restore(&file, &data, &["--seal-file", text(&key)]));
    refused(&restore(&file, &data, &["--seal-file", text(&key)]), 3, "not empty");
    let names: Vec<_> =
        std::fs::read_dir(elsewhere.path()).expect("it").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(names.len(), 3, "a backup, a key file, a directory: {names:?}");

    // The machine is lost; what comes in its place starts with the restored directory.
    let lost = elsewhere.path().join("lost");
    std::fs::rename(killed.data(), &lost).expect("moved");
    std::fs::rename(&data, killed.data()).expect("moved");
    // The access key is in no backup: the administrator has it, and the server still knows it.
    std::fs::create_dir_all(killed.data().join("aws")).expect("a directory");
    std::fs::copy(lost.join("aws/credentials"), killed.data().join("aws/credentials")).expect("a copy");
    let server = killed.restart();
    let mut check = Python::installed().script("check_facts.py");
    let mut checking = server
        .configure(&mut check)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the check starts");
    checking.stdin.take().expect("its input").write_all(facts.as_bytes()).expect("facts are taken");
    done(&checking.wait_with_output().expect("the check ends"));
    done(&server.sealstack(&["audit", "verify"]));
    let shown = done(&server.sealstack(&["audit", "show", "--event", "CreateBackup"]));
    assert_eq!(shown.lines().count(), 1, "the one before the one that was restored: {shown}");
}

#[test]
fn a_stopped_server_is_backed_up_through_a_pipe_and_every_change_to_the_backup_is_found() {
    let server = Server::start(BINARY, &[]);
    let _ = server.aws(&["kms", "create-key", "--description", "a description that nobody reads"]);
    let (elsewhere, key) = elsewhere(&server.data());
    let stopped = server.terminate();
    let made = stopped.sealstack(&["backup", "-"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let backup = made.stdout;
    let key_line = std::fs::read(&key).expect("the key");
    for secret in [&b"a description"[..], key_line.trim_ascii(), b"aws_secret_access_key"] {
        assert!(!backup.windows(secret.len()).any(|window| window == secret), "readable");
    }

    let file = elsewhere.path().join("backup.tar");
    let data = elsewhere.path().join("restored");
    let refused = |bytes: &[u8], complaint: &str| {
        std::fs::write(&file, bytes).expect("a file");
        refused(&restore(&file, &data, &["--seal-file", text(&key)]), 11, complaint);
        assert!(!data.exists());
        let names = std::fs::read_dir(elsewhere.path()).expect("it").count();
        assert_eq!(names, 2, "no draft stays behind");
    };
    refused(b"", "not a backup");
    refused(b"something else entirely", "not a backup");
    refused(&backup[..backup.len() / 2], "cut short");
    refused(&backup[..backup.len() - 2048], "cut short");
    let position = |name: &[u8]| backup.windows(name.len()).position(|window| window == name).expect("a member");
    for (name, label) in
        [(&b"sealstack.db"[..], "sealstack.db"), (b"audit/0", "audit/0"), (b"seal/root.json", "seal/root.json")]
    {
        let mut changed = backup.clone();
        // The member's content begins behind its header of 512 bytes.
        changed[position(name) + 512 + 20] ^= 1;
        refused(&changed, label);
    }
    let mut renamed = backup.clone();
    let at = position(b"sealstack.db");
    renamed[at..at + 12].copy_from_slice(b"sealstack.xx");
    refused(&renamed, "");

    std::fs::write(&file, &backup).expect("a file");
    done(&restore(&file, &data, &["--seal-file", text(&key)]));
    let other = Server::start(BINARY, &[]);
    let wrong = other.data().join("seal/root.key");
    let second = elsewhere.path().join("second");
    let output = restore(&file, &second, &["--seal-file", text(&wrong)]);
    assert_eq!(output.status.code(), Some(6), "another server's key: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_manifest_that_the_server_did_not_vouch_for_is_refused() {
    let server = Server::start(BINARY, &[]);
    let (elsewhere, key) = elsewhere(&server.data());
    let first = server.sealstack(&["backup", "-"]).stdout;
    let _ = server.aws(&["kms", "create-key"]);
    let second = server.sealstack(&["backup", "-"]).stdout;
    // Everything of the second but the tag, which is the first's: its content is the last block that is not zero.
    let tag = |archive: &[u8]| archive.windows(12).rposition(|window| window == b"manifest.tag").expect("a tag") + 512;
    let mut mixed = second.clone();
    let (from, to) = (tag(&first), tag(&second));
    mixed[to..to + 32].copy_from_slice(&first[from..from + 32]);
    let file = elsewhere.path().join("backup.tar");
    std::fs::write(&file, mixed).expect("a file");
    let output = restore(&file, &elsewhere.path().join("restored"), &["--seal-file", text(&key)]);
    refused(&output, 11, "did not vouch");
}

#[test]
fn no_command_writes_over_what_opens_the_data_directory_or_is_in_it() {
    let server = Server::start(BINARY, &[]);
    let data = server.data();
    let stopped = server.terminate();
    let outside = tempfile::tempdir().expect("a directory");
    let path = |name: &str| outside.path().join(name);
    done(&stopped.sealstack(&["seal", "rotate", "--new-seal-file", text(&path("root.key"))]));
    std::fs::hard_link(path("root.key"), path("hard")).expect("linked");
    std::os::unix::fs::symlink(data.join("sealstack.db"), path("database")).expect("linked");
    std::fs::write(path("policy"), "{}").expect("written");
    std::fs::create_dir_all(data.join("oidc")).expect("made");
    std::fs::write(data.join("oidc/example.com.jwks"), "{}").expect("written");
    let head = std::fs::read_dir(data.join("audit")).expect("it").next().expect("a file").expect("an entry").path();
    let precious = [
        path("root.key"),
        path("hard"),
        path("database"),
        data.join("sealstack.db"),
        data.join("seal/root.json"),
        data.join("aws/credentials"),
        data.join("oidc/example.com.jwks"),
        head,
    ];
    for file in &precious {
        let before = std::fs::read(file).expect("it");
        refused(&stopped.sealstack(&["backup", text(file), "--overwrite"]), 2, "can't be written: it is the");
        assert!(std::fs::read(file).expect("it") == before, "{}", file.display());
    }
    // The lock is emptied by whoever takes the directory, and the key file is written by a rotation.
    let lock = data.join("lock");
    let before = std::fs::read(&lock).expect("it");
    refused(&stopped.sealstack(&["account", "scp", "set", "default", text(&lock)]), 2, "it is the policy");
    refused(&stopped.sealstack(&["audit", "verify", "--seal-passphrase-file", text(&lock)]), 2, "the passphrase file");
    assert!(std::fs::read(&lock).expect("it") == before);
    let (pin, policy) = (path("pin"), path("policy"));
    let rotate = ["seal", "rotate", "--new-seal-file", text(&pin), "--new-seal-pin-file", text(&pin)];
    refused(&stopped.sealstack(&rotate), 2, "it is the PIN file");
    let credentials = data.join("aws/credentials");
    for read in [&["--seed"][..], &["--tls-key", text(&policy), "--tls-certificate"]] {
        let serve = [&["serve", "--listen", "127.0.0.1:0"], read, &[text(&credentials)]].concat();
        refused(&stopped.sealstack(&serve), 2, "can't be written: it is the");
    }
    done(&stopped.sealstack(&["backup", text(&policy), "--overwrite"]));
    done(&stopped.sealstack(&["audit", "verify"]));
}
