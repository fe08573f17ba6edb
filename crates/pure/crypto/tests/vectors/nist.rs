//! Vectors of NIST's validation programs, CAVP and ACVP, and known answers of the designs that it standardised.
//!
//! Two Python packages ship them; `./test` installs both.

mod agreement;
mod encryption;
mod hashing;
mod ml_dsa;
mod ml_kem;
mod rsa;
mod signatures;

use std::path::PathBuf;

use installed::{Python, Record, records};

/// The records of a file of `cryptography_vectors`.
fn read(path: &str) -> Vec<Record> {
    records(&file(path))
}

/// A file of `cryptography_vectors`.
fn file(path: &str) -> PathBuf {
    Python::installed().package("cryptography_vectors").join(path)
}
