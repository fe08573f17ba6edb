//! Keys from outside, once the wrapping key has opened what came: unwrapping and reading DER never panic, and what is read
//! as a key is written the same way each time.
#![no_main]

use crypto::{KeyPair, PairKind, key_wrap};
use libfuzzer_sys::fuzz_target;

const KINDS: [PairKind; 8] = [
    PairKind::Rsa2048,
    PairKind::Rsa3072,
    PairKind::Rsa4096,
    PairKind::P256,
    PairKind::P384,
    PairKind::P521,
    PairKind::Secp256k1,
    PairKind::Ed25519,
];

fuzz_target!(|bytes: &[u8]| {
    let key = [7; 32];
    // Nobody finds the integrity value by chance, so what is unwrapped was wrapped.
    assert!(key_wrap::unwrap_padded(&key, bytes).is_err());
    if let Ok(wrapped) = key_wrap::wrap_padded(&key, bytes) {
        assert_eq!(key_wrap::unwrap_padded(&key, &wrapped).expect("unwraps").expose(), bytes);
    }
    for kind in KINDS {
        if let Ok(read) = KeyPair::read(kind, bytes) {
            let again = KeyPair::read(kind, read.private.expose()).expect("what is written is read");
            assert!(again.private.expose() == read.private.expose() && again.public == read.public);
        }
    }
});
