//! Shared by the tests: a raw key, plaintexts, and memory to write at positions.

#![allow(dead_code, reason = "each test uses some of it")]

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use envelope::{AlgorithmSuite, Decryption, Encryption, Error, MaterialsSource, RawAesKeyring, WriteAt};

pub(crate) fn keyring() -> RawAesKeyring {
    RawAesKeyring::new("tests", "aes-256", &[0x42; 32]).unwrap()
}

/// Bytes that differ from frame to frame.
pub(crate) fn plaintext(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

/// Memory that is written at positions.
#[derive(Default)]
pub(crate) struct Memory(Mutex<Vec<u8>>);

impl Memory {
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }
}

impl WriteAt for Memory {
    fn write_all_at(&self, buffer: &[u8], offset: u64) -> std::io::Result<()> {
        let mut bytes = self.0.lock().unwrap();
        let (begin, end) = (usize::try_from(offset).unwrap(), usize::try_from(offset).unwrap() + buffer.len());
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[begin..end].copy_from_slice(buffer);
        Ok(())
    }
}

pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}

pub(crate) fn seal(materials: &impl MaterialsSource) -> Result<Vec<u8>, Error> {
    Encryption::new(materials)
        .suite(AlgorithmSuite::Aes256GcmHkdfSha512CommitKey)
        .context([("tenant", "blue")])
        .encrypt(b"plaintext")
}

/// Decrypts and returns the wrapping key.
pub(crate) fn open(materials: &impl MaterialsSource, message: &[u8]) -> Result<String, Error> {
    let (plaintext, opened) = Decryption::new(materials).decrypt(message)?;
    assert_eq!(plaintext, b"plaintext");
    Ok(opened.wrapping_key)
}

pub(crate) fn reasons(error: Error) -> Vec<String> {
    match error {
        Error::Unwrap { failures, .. } => failures.iter().map(ToString::to_string).collect(),
        Error::Wrap(failure) => vec![failure.to_string()],
        error => panic!("{error}"),
    }
}

/// A clock that is moved by hand.
#[derive(Clone)]
pub(crate) struct Hand(Instant, Arc<AtomicU64>);

impl Hand {
    pub(crate) fn new() -> Self {
        Self(Instant::now(), Arc::default())
    }

    pub(crate) fn forward(&self, seconds: u64) {
        self.1.fetch_add(seconds, Ordering::Relaxed);
    }

    pub(crate) fn clock(&self) -> impl Fn() -> Instant + Send + Sync + use<> {
        let hand = self.clone();
        move || hand.0 + Duration::from_secs(hand.1.load(Ordering::Relaxed))
    }
}
