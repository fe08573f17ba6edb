//! What the tests share: a raw key, plaintexts, and memory to write at positions.

#![allow(dead_code, reason = "each test uses some of it")]

use std::sync::Mutex;

use envelope::{RawAesKeyring, WriteAt};

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
