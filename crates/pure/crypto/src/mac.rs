//! HMAC under a precomputed key, and comparison in constant time.

use aws_lc_rs::hmac;

use crate::locked::Slots;
use crate::{Hash, aws_lc};

/// A key for HMAC-SHA256 whose padding is hashed once, so that each signature costs the message alone. It stays in
/// locked memory.
pub struct HmacKey(Slots<2>);

impl HmacKey {
    /// Takes a key of any length.
    #[must_use]
    #[expect(clippy::expect_used, reason = "it fails only without a context or a hash, and both are there")]
    pub fn new(key: &[u8]) -> Self {
        let mut state = Slots::new();
        aws_lc::hmac_sha256_state(key, state.bytes_mut()).expect("HMAC takes any key");
        Self(state)
    }

    /// The tag of the parts as if they were one message. Parts are not delimited: the caller's format must be.
    #[must_use]
    pub fn sign(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut tag = [0; 32];
        self.sign_into(parts, &mut tag);
        tag
    }

    /// Writes the tag of the parts to where it stays.
    #[expect(clippy::expect_used, reason = "it fails only without a context or a state, and both are there")]
    pub(crate) fn sign_into(&self, parts: &[&[u8]], tag: &mut [u8; 32]) {
        aws_lc::hmac_sha256(self.0.bytes(), parts, tag).expect("HMAC takes any message");
    }

    /// Whether `tag` is the parts' tag, compared in constant time.
    #[must_use]
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        constant_time_eq(&self.sign(parts), tag)
    }
}

/// A key for HMAC with a hash that the key's owner chose.
pub struct MacKey(hmac::Key);

impl MacKey {
    /// Takes a key of any length.
    #[must_use]
    pub fn new(hash: Hash, key: &[u8]) -> Self {
        let algorithm = match hash {
            Hash::Sha224 => hmac::HMAC_SHA224,
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha384 => hmac::HMAC_SHA384,
            Hash::Sha512 => hmac::HMAC_SHA512,
        };
        Self(hmac::Key::new(algorithm, key))
    }

    /// The message's tag, as long as a digest.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        hmac::sign(&self.0, message).as_ref().to_vec()
    }

    /// Whether `tag` is the message's whole tag, compared in constant time.
    #[must_use]
    pub fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        hmac::verify(&self.0, message, tag).is_ok()
    }
}

/// Whether the two are equal, in a time that depends on their lengths alone.
#[must_use]
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test cases 1 to 3, 6 and 7.
    #[test]
    fn the_rfc_4231_vectors_come_out() {
        let long_key = [0xaa; 131];
        let cases: [(&[u8], &[u8], &str); 5] = [
            (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            (
                &long_key,
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (
                &long_key,
                b"This is a test using a larger than block-size key and a larger than block-size data. The key needs \
                  to be hashed before being used by the HMAC algorithm.",
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
            ),
        ];
        for (key, message, expected) in cases {
            let key = HmacKey::new(key);
            let (front, back) = message.split_at(message.len() / 3);
            assert_eq!(crate::hex::encode(&key.sign(&[front, back])), expected);
            assert!(key.verify(&[message], &key.sign(&[message])));
            assert!(!key.verify(&[message], &[0; 32]));
            assert!(!key.verify(&[message], &[]));
        }
    }

    /// RFC 4231, test case 2, for each hash.
    #[test]
    fn every_hash_makes_the_tag_that_rfc_4231_publishes() {
        for (hash, expected) in [
            (Hash::Sha224, "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44"),
            (Hash::Sha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (
                Hash::Sha384,
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
            ),
            (
                Hash::Sha512,
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ),
        ] {
            let (key, message) = (MacKey::new(hash, b"Jefe"), b"what do ya want for nothing?");
            let tag = key.sign(message);
            assert_eq!(crate::hex::encode(&tag), expected);
            assert_eq!(tag.len(), hash.length());
            assert!(key.verify(message, &tag));
            assert!(!key.verify(message, &tag[1..]), "a part of the tag is not the tag");
            assert!(!key.verify(b"what do ya want for something?", &tag));
        }
    }

    #[test]
    fn slices_of_different_length_are_not_equal() {
        assert!(constant_time_eq(b"ab", b"ab"));
        assert!(!constant_time_eq(b"ab", b"ac"));
        assert!(!constant_time_eq(b"ab", b"abc"));
    }
}
