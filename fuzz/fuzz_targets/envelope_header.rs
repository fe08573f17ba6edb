//! The beginning of a message: parsing never panics, and no bytes at all open under a key that made none of them.
#![no_main]

use std::sync::LazyLock;

use envelope::{CommitmentPolicy, Decryption, Header, RawAesKeyring};
use libfuzzer_sys::fuzz_target;

static KEYRING: LazyLock<RawAesKeyring> =
    LazyLock::new(|| RawAesKeyring::new("fuzz", "key", &[7; 32]).expect("32 bytes"));

fuzz_target!(|bytes: &[u8]| {
    if let Ok(header) = Header::inspect(bytes) {
        assert!(!header.encrypted_data_keys().is_empty());
        let _ = format!("{header:?}");
    }
    let decryption = Decryption::new(&*KEYRING).commitment_policy(CommitmentPolicy::RequireEncryptAllowDecrypt);
    assert!(decryption.decrypt(bytes).is_err());
});
