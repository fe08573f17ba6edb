//! A seeded server in memory, as a test suite has it: the same world at every start, and nothing left behind.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has to stop, saying why")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use testkit::{Python, workspace_root};

const BINARY: &str = env!("CARGO_BIN_EXE_sealstack");

/// A server in memory; killed when dropped.
struct Ephemeral {
    child: Child,
    address: SocketAddr,
}

impl Ephemeral {
    fn start(seed: &Path) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let mut child = Command::new(BINARY)
            .args(["serve", "--ephemeral", "--listen", &address.to_string(), "--seed"])
            .arg(seed)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let deadline = Instant::now() + Duration::from_secs(30);
        while !healthy(address) {
            assert!(child.try_wait().expect("its state").is_none() && Instant::now() < deadline, "no answer");
            std::thread::sleep(Duration::from_millis(5));
        }
        Self { child, address }
    }

    /// Runs the script with what the seed says and nothing else: no file of the server is read.
    fn meet(&self, arguments: &[&str]) -> String {
        let output = Python::installed()
            .script("seeded_world.py")
            .arg(format!("http://{}", self.address))
            .args(arguments)
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .output()
            .expect("the script runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }
}

impl Drop for Ephemeral {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn healthy(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let asked = stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut answer = String::new();
    asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200")
}

fn example() -> PathBuf {
    workspace_root().join("docs/examples/seed.toml")
}

#[test]
fn what_one_seeded_server_sealed_the_next_one_opens() {
    let first = Ephemeral::start(&example());
    let (world, sealed) = {
        let told = first.meet(&[]);
        let (world, sealed) = told.split_once('\n').expect("two lines");
        (world.to_owned(), sealed.to_owned())
    };
    drop(first);
    let second = Ephemeral::start(&example());
    let told = second.meet(&[&sealed]);
    assert_eq!(told.lines().next(), Some(world.as_str()), "the same ids");
}

#[test]
fn a_seed_that_cannot_be_used_is_named_by_its_line_and_shows_no_secret() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("seed.toml");
    for (text, complaint) in [
        (
            "[[account]]\nid = \"111122223333\"\nadministrator = { id = \"AKIAADMINISTRATOR222\", sekret = \"tell-nobody\" }\n",
            "line 3",
        ),
        ("[[account]]\nid = \"111122223333\"\n[[account.key]]\nid = \"1\"\n", "not a UUID"),
        (
            "[[account]]\nid = \"111122223333\"\n[[account.key]]\nid = \"11111111-2222-3333-4444-555555555555\"\nmaterial = \"dGVsbC1ub2JvZHk=\"\n",
            "not of its spec",
        ),
        ("account = []\n", "no account"),
    ] {
        std::fs::write(&file, text).expect("a file");
        let output = Command::new(BINARY)
            .args(["serve", "--ephemeral", "--listen", "127.0.0.1:0", "--seed"])
            .arg(&file)
            .output()
            .expect("it ends by itself");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(complaint), "{said}");
        for secret in ["tell-nobody", "dGVsbC1ub2JvZHk="] {
            assert!(!said.contains(secret), "{said}");
        }
    }
}
