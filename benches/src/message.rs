//! One file encrypted or decrypted with the library, in a process of its own, so that time and memory are a command's.

use std::fs::File;
use std::io;
use std::num::NonZeroU32;
use std::path::Path;

use clap::Args;
use envelope::{AlgorithmSuite, Decryption, Encryption, RawAesKeyring};

/// A key for measuring with.
pub(crate) const KEY: [u8; 32] = [7; 32];

/// The form of encrypted messages.
#[derive(Args, Clone, Copy)]
pub(crate) struct Form {
    /// The algorithm suite's identifier
    #[arg(long)]
    pub(crate) suite: AlgorithmSuite,
    /// The length of frames in bytes
    #[arg(long)]
    pub(crate) frame_length: NonZeroU32,
}

pub(crate) fn keyring() -> io::Result<RawAesKeyring> {
    RawAesKeyring::new("benchmark", "key", &KEY).map_err(io::Error::other)
}

pub(crate) fn encrypt(form: Form, source: &Path, sink: &Path) -> io::Result<()> {
    let keyring = keyring()?;
    let (source, sink) = (File::open(source)?, File::create(sink)?);
    let encryption = Encryption::new(&keyring).suite(form.suite).frame_length(form.frame_length);
    encryption.encrypt_at(&source, source.metadata()?.len(), &sink)?;
    Ok(())
}

pub(crate) fn decrypt(source: &Path, sink: &Path) -> io::Result<()> {
    let keyring = keyring()?;
    let (source, sink) = (File::open(source)?, File::create(sink)?);
    Decryption::new(&keyring).decrypt_at(&source, source.metadata()?.len(), &sink)?;
    Ok(())
}
