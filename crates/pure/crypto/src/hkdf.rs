//! HKDF (RFC 5869), for secrets that are not already uniform keys; between keys, use [`crate::kdf`].

use aws_lc_rs::hkdf;

use crate::CryptoError;

/// The hash that HKDF runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

struct OutputLength(usize);

impl hkdf::KeyType for OutputLength {
    fn len(&self) -> usize {
        self.0
    }
}

/// Extracts from `secret` with `salt` (may be empty), expands with the concatenated `info`, and fills `out`.
///
/// # Errors
/// [`CryptoError::Length`] when `out` is longer than 255 digests.
pub fn derive(hash: Hash, salt: &[u8], secret: &[u8], info: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
    let algorithm = match hash {
        Hash::Sha256 => hkdf::HKDF_SHA256,
        Hash::Sha384 => hkdf::HKDF_SHA384,
        Hash::Sha512 => hkdf::HKDF_SHA512,
    };
    let refused = CryptoError::Length { bytes: out.len() };
    let key = hkdf::Salt::new(algorithm, salt).extract(secret);
    let derived = key.expand(info, OutputLength(out.len())).and_then(|output| output.fill(out));
    derived.map_err(|_| refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::tests::bytes;

    /// RFC 5869, appendices A.1 to A.3.
    #[test]
    fn the_rfc_5869_vectors_come_out() {
        let long = |from: u8, to: u8| (from..=to).collect::<Vec<u8>>();
        let cases = [
            (
                vec![0x0b; 22],
                long(0, 0x0c),
                long(0xf0, 0xf9),
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
            ),
            (
                long(0x00, 0x4f),
                long(0x60, 0xaf),
                long(0xb0, 0xff),
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09\
                 da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
            ),
            (
                vec![0x0b; 22],
                Vec::new(),
                Vec::new(),
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
            ),
        ];
        for (secret, salt, info, expected) in cases {
            let mut out = vec![0; expected.len() / 2];
            let (front, back) = info.split_at(info.len() / 2);
            derive(Hash::Sha256, &salt, &secret, &[front, back], &mut out).unwrap();
            assert_eq!(out, bytes(expected));
        }
    }

    /// RFC 5869, section 2.3: at most 255 digests come out, which also tells the hashes apart.
    #[test]
    fn each_hash_gives_at_most_255_digests() {
        for (hash, digest_bytes) in [(Hash::Sha256, 32), (Hash::Sha384, 48), (Hash::Sha512, 64)] {
            let mut longest = vec![0; 255 * digest_bytes];
            derive(hash, b"", b"secret", &[], &mut longest).unwrap();
            longest.push(0);
            let refused = derive(hash, b"", b"secret", &[], &mut longest);
            assert!(matches!(refused, Err(CryptoError::Length { bytes }) if bytes == longest.len()));
        }
    }
}
