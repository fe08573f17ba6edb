use super::*;
use crate::secret::tests::bytes;
use crate::{sha256, sha384};

fn verifies(algorithm: Ecdsa, key: &[u8], digest: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
    EcdsaPublicKey::read(algorithm, key)?.verify_digest(digest, signature)
}

#[test]
fn what_a_key_signs_its_compressed_public_key_verifies() {
    for (algorithm, length) in [(Ecdsa::P256Sha256, 33), (Ecdsa::P384Sha384, 49)] {
        let key = EcdsaKey::generate(algorithm).unwrap();
        let digest = match algorithm {
            Ecdsa::P256Sha256 => sha256(b"message").to_vec(),
            Ecdsa::P384Sha384 => sha384(b"message").to_vec(),
        };
        let public = key.public_key().unwrap();
        assert_eq!(public.len(), length);
        let signature = key.sign_digest(&digest).unwrap();
        verifies(algorithm, &public, &digest, &signature).unwrap();

        let mut other = digest.clone();
        other[0] ^= 1;
        assert!(verifies(algorithm, &public, &other, &signature).is_err());
        let stranger = EcdsaKey::generate(algorithm).unwrap().public_key().unwrap();
        assert!(verifies(algorithm, &stranger, &digest, &signature).is_err());
        assert!(verifies(algorithm, &public[1..], &digest, &signature).is_err());
        assert!(matches!(key.sign_digest(&digest[1..]), Err(CryptoError::Length { .. })));
    }
}

/// RFC 6979, appendix A.2.6: P-384 with SHA-384, message "sample".
#[test]
fn a_published_signature_verifies() {
    let x = "ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc13";
    let y = "8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720";
    let r = "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46";
    let s = "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8";
    let key = bytes(&format!("04{x}{y}"));
    let signature = bytes(&format!("3066023100{r}023100{s}"));
    verifies(Ecdsa::P384Sha384, &key, &sha384(b"sample"), &signature).unwrap();
    assert!(verifies(Ecdsa::P384Sha384, &key, &sha384(b"simple"), &signature).is_err());
}

#[test]
fn the_mirror_of_a_signature_verifies_and_its_mirror_is_the_signature() {
    for (algorithm, digest) in
        [(Ecdsa::P256Sha256, sha256(b"message").to_vec()), (Ecdsa::P384Sha384, sha384(b"message").to_vec())]
    {
        let key = EcdsaKey::generate(algorithm).unwrap();
        let mut lengths = std::collections::BTreeSet::new();
        for _ in 0..32 {
            let signature = key.sign_digest(&digest).unwrap();
            let other = mirrored(algorithm, &signature).unwrap();
            assert_ne!(signature, other);
            verifies(algorithm, &key.public_key().unwrap(), &digest, &other).unwrap();
            assert_eq!(mirrored(algorithm, &other).unwrap(), signature);
            lengths.extend([signature.len(), other.len()]);
        }
        assert!(lengths.len() > 1, "the mirror of a short signature is a long one");
    }
}

#[test]
fn what_is_no_signature_has_no_mirror() {
    let (n, zero) = ([&[2, 33, 0][..], &P256_ORDER].concat(), [2, 1, 0]);
    let mut more = [&[2, 33, 0][..], &P256_ORDER].concat();
    *more.last_mut().unwrap() += 1;
    let long = [&[2, 34, 1, 0][..], &P256_ORDER].concat();
    for s in [n, zero.to_vec(), more, long, vec![2, 1, 0x80], vec![2, 2, 0, 1], vec![2, 0], vec![4, 1, 1], vec![]] {
        let signature = der::element(der::SEQUENCE, &[&[2, 1, 1], &s]);
        assert_eq!(mirrored(Ecdsa::P256Sha256, &signature), None, "{s:02x?}");
    }
    let good = [0x30, 6, 2, 1, 1, 2, 1, 1];
    assert!(mirrored(Ecdsa::P256Sha256, &good).is_some());
    assert_eq!(mirrored(Ecdsa::P256Sha256, &good[..7]), None);
    assert_eq!(mirrored(Ecdsa::P256Sha256, &[&good[..], &[0]].concat()), None);
}
