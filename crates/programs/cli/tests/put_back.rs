//! Whoever gets hold of the disk while no server runs, and puts old files or rows back without any key, is found out.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has to stop, saying why")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use testkit::{Server, Stopped};

const BINARY: &str = env!("CARGO_BIN_EXE_sealstack");

/// The copy that an attacker once made, and the change since: the access key of a user, who was an administrator.
struct Scene {
    stopped: Stopped,
    old: tempfile::TempDir,
}

impl Scene {
    fn new(arguments: &[&str]) -> Self {
        let server = Server::start(BINARY, arguments);
        let _ = server.aws(&["iam", "create-user", "--user-name", "mallory"]);
        let _ = server.aws(&["kms", "create-key"]);
        let stopped = server.terminate();
        let old = tempfile::tempdir().expect("a directory");
        copy(&stopped.data(), old.path());
        let server = stopped.restart();
        let _ = server.aws(&["iam", "delete-user", "--user-name", "mallory"]);
        let stopped = server.terminate();
        Self { stopped, old }
    }

    /// Puts one of the old files or directories in the place of the present one.
    fn put_back(&self, name: &str) {
        let (from, to) = (self.old.path().join(name), self.stopped.data().join(name));
        if to.is_dir() {
            std::fs::remove_dir_all(&to).expect("it can be removed");
        }
        copy(&from, &to);
    }

    /// Starts the server; how it ended, if it refused to start.
    fn refusal(&self) -> String {
        let output = serve(&self.stopped.data(), &[]);
        assert_eq!(output.status.code(), Some(12), "{}", String::from_utf8_lossy(&output.stderr));
        let check = self.stopped.sealstack(&["check"]);
        assert_eq!(check.status.code(), Some(12), "{}", String::from_utf8_lossy(&check.stderr));
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}

/// Runs a server that is expected to end at once.
fn serve(data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new("timeout");
    command.args(["20", BINARY, "serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(arguments);
    command.output().expect("it ends")
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).expect("a directory");
        for entry in std::fs::read_dir(from).expect("a directory") {
            let entry = entry.expect("an entry");
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else if from.is_file() {
        std::fs::copy(from, to).expect("it can be copied");
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn an_old_database_is_refused_and_an_operator_can_accept_it_on_the_record() {
    let scene = Scene::new(&[]);
    scene.put_back("sealstack.db");
    let refusal = scene.refusal();
    for word in ["the database is at commit", "the audit log saw it at commit", "the anchor", "sealstack rollback"] {
        assert!(refusal.contains(word), "{word}: {refusal}");
    }
    let shown = scene.stopped.sealstack(&["rollback", "show"]);
    assert!(text(&shown).contains("the audit log saw it at commit"), "{}", text(&shown));
    // A command that writes builds upon nothing that was put back either.
    let made = scene.stopped.sealstack(&["account", "create", "other"]);
    assert_eq!(made.status.code(), Some(12), "{}", text(&made));

    let accepted = scene.stopped.sealstack(&["rollback", "accept", "--reason", "the disk was replaced"]);
    assert!(accepted.status.success(), "{}", text(&accepted));
    let server = scene.stopped.restart();
    let users = server.aws(&["iam", "list-users", "--query", "Users[].UserName"]);
    assert!(users.to_string().contains("mallory"), "what was put back is there: {users}");
    let _ = server.aws(&["kms", "create-key"]);
    let stopped = server.terminate();
    for command in [&["check"][..], &["audit", "verify"]] {
        let verified = stopped.sealstack(command);
        assert!(verified.status.success(), "{}", text(&verified));
    }
    let record = text(&stopped.sealstack(&["audit", "show", "--event", "AcceptRollback"]));
    assert!(record.contains("the disk was replaced") && record.contains("saw it at commit"), "{record}");
    assert_eq!(record.lines().count(), 1, "{record}");
}

#[test]
fn an_old_audit_log_is_refused() {
    let scene = Scene::new(&[]);
    scene.put_back("audit");
    let refusal = scene.refusal();
    assert!(refusal.contains("the audit log ends at record"), "{refusal}");
    let accepted = scene.stopped.sealstack(&["rollback", "accept", "--reason", "test"]);
    assert!(accepted.status.success(), "{}", text(&accepted));
    let server = scene.stopped.restart();
    let _ = server.aws(&["kms", "create-key"]);
    let stopped = server.terminate();
    let checked = stopped.sealstack(&["check"]);
    assert!(checked.status.success(), "{}", text(&checked));
}

#[test]
fn a_missing_audit_log_is_refused() {
    let scene = Scene::new(&[]);
    std::fs::remove_dir_all(scene.stopped.data().join("audit")).expect("removed");
    let refusal = scene.refusal();
    assert!(refusal.contains("is gone"), "{refusal}");
}

#[test]
fn an_old_database_with_its_old_audit_log_is_refused_by_the_anchor_beside_the_root_seal() {
    let scene = Scene::new(&[]);
    scene.put_back("sealstack.db");
    scene.put_back("audit");
    let refusal = scene.refusal();
    assert!(refusal.contains("seal/anchor saw it at commit"), "{refusal}");
    // Nor does it help to take the anchor away.
    std::fs::remove_file(scene.stopped.data().join("seal/anchor")).expect("removed");
    let refusal = scene.refusal();
    assert!(refusal.contains("seal/anchor is gone"), "{refusal}");
}

#[test]
fn a_whole_directory_that_was_put_back_is_refused_by_an_anchor_elsewhere() {
    let elsewhere = tempfile::tempdir().expect("a directory");
    let anchor: PathBuf = elsewhere.path().join("anchor");
    let flag = format!("--audit-anchor-file={}", anchor.display());
    let scene = Scene::new(&[&flag]);
    for name in ["sealstack.db", "audit", "seal"] {
        scene.put_back(name);
    }
    // Nothing within the directory can tell.
    let checked = scene.stopped.sealstack(&["check"]);
    assert!(checked.status.success(), "{}", text(&checked));
    let output = serve(&scene.stopped.data(), &[&flag]);
    assert_eq!(output.status.code(), Some(12), "{}", text(&output));
    assert!(text(&output).contains("anchor saw it at commit"), "{}", text(&output));
    let checked = scene.stopped.sealstack(&["check", "--anchor-file", anchor.to_str().expect("UTF-8")]);
    assert_eq!(checked.status.code(), Some(12), "{}", text(&checked));
}

#[test]
fn old_rows_are_found_beside_the_calls_and_stop_them() {
    let scene = Scene::new(&[]);
    // As an attacker with no key would: rows of the old file that the present one lacks.
    let script = "import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute('ATTACH ? AS old', (sys.argv[2],))
done = database.execute('INSERT OR REPLACE INTO main.records SELECT * FROM old.records EXCEPT SELECT * FROM main.records')
database.commit()
assert done.rowcount > 0, done.rowcount
";
    let (database, old) = (scene.stopped.data().join("sealstack.db"), scene.old.path().join("sealstack.db"));
    let put_back = Command::new("python3").args(["-c", script]).arg(database).arg(old).output().expect("Python runs");
    assert!(put_back.status.success(), "{}", text(&put_back));
    let checked = scene.stopped.sealstack(&["check"]);
    assert_eq!(checked.status.code(), Some(12), "{}", text(&checked));
    let server = scene.stopped.restart();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while server.health() == "ok" {
        assert!(std::time::Instant::now() < deadline, "{}", server.log());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(server.log().contains("rows of the database were put back"), "{}", server.log());
}

#[test]
fn a_kill_at_any_moment_is_no_rollback() {
    let mut server = Server::start(BINARY, &[]);
    for round in 0..6 {
        for step in 0..=round {
            let _ = server.aws(&["iam", "create-user", "--user-name", &format!("r{round}s{step}")]);
        }
        let killed = server.kill();
        let checked = killed.sealstack(&["check"]);
        assert!(checked.status.success(), "{}", text(&checked));
        server = killed.restart();
        assert_eq!(server.health(), "ok");
    }
}
