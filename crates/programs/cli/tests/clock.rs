//! A clock that jumps while a key waits for its destruction: with a library before the real one that moves the time.

#![allow(clippy::expect_used, reason = "a test that cannot go on has to stop, saying why")]

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use testkit::Server;

/// Adds as many seconds to the clock as the file says that `CLOCK_AHEAD` names. The clock since the machine's start is
/// left alone.
const LIBRARY: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(id, now);
    const char *path = getenv("CLOCK_AHEAD");
    if (id == CLOCK_REALTIME && path) {
        FILE *file = fopen(path, "r");
        long seconds = 0;
        if (file) {
            if (fscanf(file, "%ld", &seconds) == 1) now->tv_sec += seconds;
            fclose(file);
        }
    }
    return result;
}
"#;

const DAY: i64 = 86_400;

/// The library and the file that moves the clock.
struct Moved {
    directory: tempfile::TempDir,
}

impl Moved {
    /// Builds the library; `None` where there is no compiler.
    fn build() -> Option<Self> {
        let directory = tempfile::tempdir().expect("a directory");
        let source = directory.path().join("clock.c");
        std::fs::write(&source, LIBRARY).expect("written");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-o"]).arg(directory.path().join("clock.so")).arg(&source).arg("-ldl");
        match compiler.output() {
            Ok(built) => assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr)),
            Err(error) => {
                eprintln!("skipped: cc cannot be run: {error}");
                return None;
            }
        }
        let moved = Self { directory };
        moved.by(0);
        Some(moved)
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("ahead")
    }

    fn by(&self, seconds: i64) {
        std::fs::write(self.file(), seconds.to_string()).expect("written");
    }

    fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        vec![("LD_PRELOAD", self.directory.path().join("clock.so")), ("CLOCK_AHEAD", self.file())]
    }
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Whether the key is destroyed while the server runs for as long as its first jobs take.
fn destroys(server: &Server) -> bool {
    let deadline = Instant::now() + Duration::from_secs(4);
    while Instant::now() < deadline {
        if server.log().contains("destroyed key=") {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}

#[test]
fn a_clock_that_jumped_destroys_no_key_until_an_operator_accepts_it() {
    let Some(moved) = Moved::build() else { return };
    let server = Server::start_in(moved.environment(), env!("CARGO_BIN_EXE_sealstack"), &[]);
    let made = server.aws(&["kms", "create-key"]);
    let key = made["KeyMetadata"]["KeyId"].as_str().expect("a key").to_owned();
    let window = ["--pending-window-in-days", "7"];
    let _ = server.aws(&[&["kms", "schedule-key-deletion", "--key-id", &key][..], &window].concat());
    assert_eq!(printed(&server.sealstack(&["clock", "status"])), "The server believes its clock.\n");

    // As after a loss of power, with a clock that came back wrong.
    let stopped = server.kill();
    moved.by(8 * DAY);
    let server = stopped.restart();
    assert!(!destroys(&server), "{}", server.log());
    assert!(server.log().contains("the clock is more than a day ahead"), "{}", server.log());
    let status = printed(&server.sealstack(&["clock", "status"]));
    assert!(status.starts_with("The server does not believe its clock: ") && status.contains("24 hours"), "{status}");

    // Records of the audit log that the wrong clock wrote prove nothing, and the right clock is believed at once.
    let server = server.terminate().restart();
    assert!(!destroys(&server), "{}", server.log());
    let stopped = server.terminate();
    moved.by(0);
    let server = stopped.restart();
    let known = server.aws(&["kms", "describe-key", "--key-id", &key]);
    assert_eq!(known["KeyMetadata"]["KeyState"], "PendingDeletion");
    assert_eq!(printed(&server.sealstack(&["clock", "status"])), "The server believes its clock.\n");

    // A jump while it runs, and an operator who knows that it is right.
    moved.by(8 * DAY);
    let accepted = printed(&server.sealstack(&["clock", "accept"]));
    assert!(accepted.starts_with("The server believes its clock now: "), "{accepted}");
    let server = server.terminate().restart();
    assert!(destroys(&server), "{}", server.log());
    let trail = printed(&server.sealstack(&["audit", "show", "--limit", "20"]));
    assert!(trail.contains("AcceptClock"), "{trail}");
}
