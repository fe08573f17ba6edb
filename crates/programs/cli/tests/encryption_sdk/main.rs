//! Messages exchanged both ways with the official SDKs, under keys of a running server and under raw keys.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has to stop, saying why"
)]

mod cases;
mod keyrings;

use std::path::Path;
use std::thread;

use cases::{Case, Exchange, FRAME_LENGTHS, LENGTHS};
use envelope::AlgorithmSuite;
use keyrings::{Pair, World};
use serde_json::{Value, json};

/// How many processes the cases are divided among.
const PROCESSES: usize = 2;

/// Lets both sides encrypt every case and decrypt what the other encrypted.
fn exchange(pairs: &[Pair], cases: &[Case], directory: &Path, run: impl Fn(&Path) + Sync) {
    let exchange = Exchange::new(directory, pairs);
    let descriptions: Vec<Value> = pairs.iter().map(|pair| pair.theirs.clone()).collect();
    thread::scope(|scope| {
        for (process, share) in cases.chunks(cases.len().div_ceil(PROCESSES)).enumerate() {
            let (exchange, descriptions, run) = (&exchange, &descriptions, &run);
            scope.spawn(move || {
                let mut asked = Vec::new();
                for case in share {
                    asked.extend(exchange.offer(case));
                }
                let request = directory.join(format!("request-{process}.json"));
                let text = json!({ "keyrings": descriptions, "cases": asked }).to_string();
                std::fs::write(&request, text).expect("a file");
                run(&request);
                for case in share {
                    exchange.receive(case);
                }
            });
        }
    });
}

#[test]
fn the_python_sdk_and_the_library_open_each_others_messages() {
    let world = World::start();
    let pairs = world.pairs();
    let cases = cases::of(&pairs, &AlgorithmSuite::ALL, &LENGTHS, &FRAME_LENGTHS);
    let directory = tempfile::tempdir().expect("a directory");
    exchange(&pairs, &cases, directory.path(), |request| {
        let _ = world.server.script("encryption_sdk_messages.py", &[request.to_str().expect("UTF-8")]);
    });
}

#[test]
fn the_npm_sdk_and_the_library_open_each_others_messages() {
    let world = World::start();
    let pairs: Vec<Pair> = world.pairs().into_iter().filter(|pair| pair.npm).collect();
    // It writes no messages without frames, and knows no required encryption context.
    let mut cases = cases::of(&pairs, &AlgorithmSuite::ALL, &[0, 1, 4096, 4097, 1 << 20], &[128, 4096, 1 << 20]);
    cases.iter_mut().for_each(|case| case.required = false);
    let directory = tempfile::tempdir().expect("a directory");
    exchange(&pairs, &cases, directory.path(), |request| {
        let _ = world.server.npm_script("encryption_sdk_messages.js", &[request.to_str().expect("UTF-8")]);
    });
}
