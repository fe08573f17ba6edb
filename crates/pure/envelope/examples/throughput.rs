//! Measures a file encrypted and decrypted at positions, beside `cp` of the same file and SHA-384 alone.
//!
//! `cargo run --release -p sealstack-envelope --example throughput -- DIRECTORY [MEBIBYTES [THREADS]]`

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::indexing_slicing, reason = "a program to look at")]

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::num::NonZeroU32;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use envelope::{AlgorithmSuite, Decryption, Encryption, RawAesKeyring};

const RUNS: usize = 5;

/// The best of some runs, in GB/s.
fn measure(what: &str, bytes: u64, mut run: impl FnMut()) {
    let busy = cpu_seconds();
    let best = (0..RUNS).map(|_| {
        let begin = Instant::now();
        run();
        begin.elapsed().as_secs_f64()
    });
    let best = best.fold(f64::MAX, f64::min);
    let busy = (cpu_seconds() - busy) / RUNS as f64;
    let speed = bytes as f64 / best / 1e9;
    println!("{what:<42} {speed:>6.2} GB/s, {best:.3} s, {busy:.3} CPU s, peak {} MiB", peak_mebibytes());
}

/// The processor time that this process and those it waited for took so far.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
    fields.skip(11).take(4).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// The most memory that this process ever held.
fn peak_mebibytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() / 1024
}

fn write_plaintext(path: &Path, mebibytes: u64) {
    let mut file = File::create(path).unwrap();
    let mut chunk = vec![0; 1 << 20];
    for index in 0..mebibytes {
        for (at, byte) in chunk.iter_mut().enumerate() {
            *byte = (at as u64 ^ index).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[0];
        }
        file.write_all(&chunk).unwrap();
    }
    // Else the first measurements pay for writing it back.
    file.sync_all().unwrap();
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().unwrap_or_else(|| ".".to_owned());
    let mebibytes: u64 = arguments.next().map_or(1024, |text| text.parse().unwrap());
    let threads: Option<usize> = arguments.next().map(|text| text.parse().unwrap());
    let path = |name: &str| Path::new(&directory).join(name);
    let (plain, sealed, copied) = (path("plain"), path("sealed"), path("copied"));
    write_plaintext(&plain, mebibytes);
    let bytes = mebibytes << 20;
    let keyring = RawAesKeyring::new("benchmark", "key", &[7; 32]).unwrap();

    let measure_cp = || {
        measure("cp", bytes, || {
            assert!(Command::new("cp").arg(&plain).arg(&copied).status().unwrap().success());
        });
    };
    let mut source = File::open(&plain).unwrap();
    let mut chunk = vec![0; 1 << 20];
    source.read_exact(&mut chunk).unwrap();
    measure("SHA-384 of 64 × 1 MiB in memory", 64 << 20, || {
        let mut digest = crypto::Sha384::new();
        (0..64).for_each(|_| digest.update(&chunk));
        std::hint::black_box(digest.finish());
    });
    drop(chunk);

    for (suite, frame_length) in [
        (AlgorithmSuite::Aes256GcmHkdfSha512CommitKey, 1 << 20),
        (AlgorithmSuite::Aes256GcmHkdfSha512CommitKey, 4096),
        (AlgorithmSuite::Aes256GcmHkdfSha512CommitKeyEcdsaP384, 1 << 20),
        (AlgorithmSuite::Aes256GcmHkdfSha512CommitKeyEcdsaP384, 4096),
    ] {
        let encryption = Encryption::new(&keyring).suite(suite).frame_length(NonZeroU32::new(frame_length).unwrap());
        let decryption = Decryption::new(&keyring);
        let (encryption, decryption) = match threads {
            Some(threads) => (encryption.threads(threads), decryption.threads(threads)),
            None => (encryption, decryption),
        };
        measure_cp();
        let what = |verb: &str| format!("{verb} {:04x}, frames of {frame_length}", suite.id());
        measure(&what("encrypt_at"), bytes, || {
            let (source, sink) = (File::open(&plain).unwrap(), File::create(&sealed).unwrap());
            encryption.encrypt_at(&source, bytes, &sink).unwrap();
        });
        let length = fs::metadata(&sealed).unwrap().len();
        measure(&what("decrypt_at"), bytes, || {
            let (source, sink) = (File::open(&sealed).unwrap(), File::create(&copied).unwrap());
            decryption.decrypt_at(&source, length, &sink).unwrap();
        });
        measure(&what("encrypt_stream"), bytes, || {
            let (source, sink) = (File::open(&plain).unwrap(), File::create(&sealed).unwrap());
            encryption.encrypt_stream(source, sink).unwrap();
        });
        measure(&what("decrypt_seekable"), bytes, || {
            let (source, sink) = (File::open(&sealed).unwrap(), File::create(&copied).unwrap());
            decryption.decrypt_seekable(source, sink).unwrap();
        });
        let begin = Instant::now();
        let source = File::open(&sealed).unwrap();
        decryption
            .decrypt_range_unverified(&source, length, bytes / 2..bytes / 2 + (1 << 20), std::io::sink())
            .unwrap();
        println!("{:<44} {:>6.2} ms", what("1 MiB range"), begin.elapsed().as_secs_f64() * 1e3);
    }
    for path in [plain, sealed, copied] {
        fs::remove_file(path).unwrap();
    }
    for suite in [AlgorithmSuite::Aes256GcmHkdfSha512CommitKey, AlgorithmSuite::Aes256GcmHkdfSha512CommitKeyEcdsaP384] {
        let (encryption, decryption) = (Encryption::new(&keyring).suite(suite), Decryption::new(&keyring));
        let small = vec![1; 4096];
        let message = encryption.encrypt(&small).unwrap();
        for (verb, run) in [
            ("encrypt", &(|| drop(encryption.encrypt(&small).unwrap())) as &dyn Fn()),
            ("decrypt", &|| drop(decryption.decrypt(&message).unwrap())),
        ] {
            let begin = Instant::now();
            (0..1000).for_each(|_| run());
            println!("{verb} {:04x}, 4 KiB: {:.1} µs a message", suite.id(), begin.elapsed().as_secs_f64() * 1e3);
        }
    }
}
