//! No bytes make anything panic: neither any at all, nor messages that were changed at random.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use std::num::NonZeroU32;

use common::{Memory, keyring, plaintext};
use envelope::{AlgorithmSuite, Bytes, CommitmentPolicy, Decryption, Encryption, Header};
use proptest::prelude::*;

fn try_everything(bytes: &[u8]) -> bool {
    let keyring = keyring();
    let decryption = Decryption::new(&keyring).commitment_policy(CommitmentPolicy::RequireEncryptAllowDecrypt);
    let length = bytes.len() as u64;
    let _ = Header::inspect(bytes);
    let _ = decryption.decrypt_range_unverified(&Bytes(bytes), length, 3..90, Vec::new());
    let _ = decryption.plaintext_bytes(&Bytes(bytes), length);
    let at = decryption.clone().threads(2).decrypt_at(&Bytes(bytes), length, &Memory::default()).is_ok();
    let whole = decryption.decrypt(bytes).is_ok();
    assert_eq!(at, whole, "both ways see the same message");
    whole
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(!try_everything(&bytes));
    }

    #[test]
    fn changed_messages_are_refused(
        suite in prop::sample::select(AlgorithmSuite::ALL.to_vec()),
        frame_length in 1_u32..60,
        length in 0_usize..200,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
        inserted in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let keyring = keyring();
        let policy = match suite.format_version() {
            1 => CommitmentPolicy::ForbidEncryptAllowDecrypt,
            _ => CommitmentPolicy::RequireEncryptAllowDecrypt,
        };
        let encryption = Encryption::new(&keyring).suite(suite).commitment_policy(policy);
        let encryption = encryption.frame_length(NonZeroU32::new(frame_length).unwrap());
        let message = encryption.encrypt(&plaintext(length)).unwrap();
        let mut changed = message.clone();
        for (at, byte) in changes {
            let at = at.index(changed.len());
            *changed.get_mut(at).unwrap() = byte;
        }
        if let Some(cut) = cut {
            changed.truncate(cut.index(changed.len()));
        }
        if let (Some((at, byte)), false) = (inserted, changed.is_empty()) {
            changed.insert(at.index(changed.len()), byte);
        }
        prop_assert_eq!(try_everything(&changed), changed == message);
    }
}
