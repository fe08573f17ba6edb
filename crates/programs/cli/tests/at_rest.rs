//! Whoever steals the data directory reads nothing: every file under it is searched for what the server was sent.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has to stop, saying why")]

use std::path::Path;

use testkit::Server;

#[test]
fn nothing_that_the_server_was_told_can_be_found_in_its_directory() {
    let server = Server::start(env!("CARGO_BIN_EXE_sealstack"), &[]);
    // The script uses every kind of record and prints what must not be found, a line each: a label, a tab, hexadecimal.
    let told = server.script("scan_plaintext.py", &[]);
    let needles: Vec<(&str, Vec<u8>)> = told
        .lines()
        .map(|line| line.split_once('\t').expect("a label and a value"))
        .map(|(label, hex)| (label, from_hex(hex)))
        .collect();
    assert!(needles.len() > 30, "the script tells enough: {}", needles.len());

    let killed = server.kill();
    search(&killed.data(), &needles);
    let stopped = killed.restart().terminate();
    assert!(stopped.status.success());
    search(&stopped.data(), &needles);
}

fn search(directory: &Path, needles: &[(&str, Vec<u8>)]) {
    let mut files = 0;
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            search(&path, needles);
            continue;
        }
        // A socket holds nothing.
        if !path.is_file() {
            continue;
        }
        files += 1;
        // The one readable file: it is the administrator's own.
        if path.ends_with("aws/credentials") {
            continue;
        }
        let bytes = std::fs::read(&path).expect("a file");
        for (label, needle) in needles {
            let found = bytes.windows(needle.len()).any(|window| window == needle);
            assert!(!found, "{label} stands readable in {}", path.display());
        }
    }
    // Nothing of this test is a blob: those that hold repositories have a test of their own.
    let may_be_empty = directory.ends_with("audit") || directory.components().any(|part| part.as_os_str() == "blobs");
    assert!(files > 0 || may_be_empty, "there is something to search in {}", directory.display());
}

fn from_hex(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).expect("hexadecimal")).collect()
}
