//! Ciphertext blobs of either kind: parsing never panics, and what parses is written back to the same bytes.
#![no_main]

use kms::blob::AnyCiphertext;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(blob) = AnyCiphertext::parse(bytes) {
        assert_eq!(blob.to_bytes(), bytes);
    }
});
