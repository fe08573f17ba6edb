use super::*;
use crate::hex::encode as hex;
use crate::secret::tests::bytes;
use crate::{KeyPair, sha256};

const SCHEMES: [(PairKind, &[Scheme]); 9] = [
    (
        PairKind::Rsa2048,
        &[
            Scheme::RsaPkcs1(Hash::Sha256),
            Scheme::RsaPkcs1(Hash::Sha384),
            Scheme::RsaPkcs1(Hash::Sha512),
            Scheme::RsaPss(Hash::Sha256),
            Scheme::RsaPss(Hash::Sha384),
            Scheme::RsaPss(Hash::Sha512),
        ],
    ),
    (PairKind::P256, &[Scheme::Ecdsa(Hash::Sha256)]),
    (PairKind::P384, &[Scheme::Ecdsa(Hash::Sha384)]),
    (PairKind::P521, &[Scheme::Ecdsa(Hash::Sha512)]),
    (PairKind::Secp256k1, &[Scheme::Ecdsa(Hash::Sha256)]),
    (PairKind::Ed25519, &[Scheme::Ed25519, Scheme::Ed25519ph]),
    (PairKind::MlDsa44, &[Scheme::MlDsa]),
    (PairKind::MlDsa65, &[Scheme::MlDsa]),
    (PairKind::MlDsa87, &[Scheme::MlDsa]),
];

fn keys(kind: PairKind) -> (SigningKey, VerifyingKey) {
    let pair = KeyPair::generate(kind).unwrap();
    (SigningKey::read(kind, pair.private.expose()).unwrap(), VerifyingKey::read(kind, &pair.public).unwrap())
}

#[test]
fn what_a_key_signs_its_public_key_verifies_and_no_other_scheme_or_message() {
    for (kind, schemes) in SCHEMES {
        let (private, public) = keys(kind);
        let (_, stranger) = keys(kind);
        for &scheme in schemes {
            let message = Message::Raw(b"message");
            let signature = private.sign(scheme, message).unwrap();
            public.verify(scheme, message, &signature).unwrap();
            let refused = |key: &VerifyingKey, scheme, message, signature: &[u8]| {
                assert!(key.verify(scheme, message, signature).is_err(), "{kind:?} {scheme:?}");
            };
            refused(&stranger, scheme, message, &signature);
            refused(&public, scheme, Message::Raw(b"massage"), &signature);
            for other in SCHEMES.iter().flat_map(|(_, schemes)| *schemes).filter(|other| **other != scheme) {
                refused(&public, *other, message, &signature);
            }
            let mut changed = signature.clone();
            *changed.last_mut().unwrap() ^= 1;
            for wrong in [&changed, &signature[1..], &signature[..signature.len() - 1], &[]] {
                refused(&public, scheme, message, wrong);
            }
        }
    }
}

#[test]
fn a_digest_and_its_message_have_the_same_signatures() {
    for (kind, schemes) in SCHEMES.into_iter().take(5) {
        let (private, public) = keys(kind);
        for &scheme in schemes {
            let (Scheme::RsaPkcs1(hash) | Scheme::RsaPss(hash) | Scheme::Ecdsa(hash)) = scheme else { continue };
            let digest = digest::digest(hash.algorithm(), b"message");
            let digest = Message::Digest(digest.as_ref());
            public.verify(scheme, digest, &private.sign(scheme, Message::Raw(b"message")).unwrap()).unwrap();
            public.verify(scheme, Message::Raw(b"message"), &private.sign(scheme, digest).unwrap()).unwrap();
            for length in [0, hash.length() - 1, hash.length() + 1] {
                let wrong = vec![0; length];
                let error = private.sign(scheme, Message::Digest(&wrong)).unwrap_err();
                assert!(matches!(error, CryptoError::Length { bytes } if bytes == length));
                let error = public.verify(scheme, Message::Digest(&wrong), b"").unwrap_err();
                assert!(matches!(error, CryptoError::Length { bytes } if bytes == length));
            }
        }
    }
}

/// That a representative which others computed stands for its message is tested end to end: there is no SHAKE here.
#[test]
fn a_representative_is_signed_as_it_is() {
    for kind in [PairKind::MlDsa44, PairKind::MlDsa65, PairKind::MlDsa87] {
        let (private, public) = keys(kind);
        let mu = [7; 64];
        let signature = private.sign(Scheme::MlDsa, Message::Mu(&mu)).unwrap();
        public.verify(Scheme::MlDsa, Message::Mu(&mu), &signature).unwrap();
        assert!(public.verify(Scheme::MlDsa, Message::Raw(&mu), &signature).is_err(), "no message of the same bytes");
        assert!(public.verify(Scheme::MlDsa, Message::Mu(&[8; 64]), &signature).is_err());
        for length in [0, 63, 65] {
            let wrong = vec![7; length];
            let error = private.sign(Scheme::MlDsa, Message::Mu(&wrong)).unwrap_err();
            assert!(matches!(error, CryptoError::Length { bytes } if bytes == length));
        }
    }
}

#[test]
fn kinds_of_message_that_a_scheme_does_not_take_are_refused() {
    let digest = sha256(b"message");
    for (kind, schemes) in SCHEMES {
        let (private, public) = keys(kind);
        for &scheme in schemes {
            let wrong = match scheme {
                Scheme::MlDsa | Scheme::Ed25519 | Scheme::Ed25519ph => Message::Digest(&digest),
                _ => Message::Mu(&[0; 64]),
            };
            assert!(matches!(private.sign(scheme, wrong), Err(CryptoError::Key)), "{kind:?}");
            assert!(matches!(public.verify(scheme, wrong, b""), Err(CryptoError::Key)), "{kind:?}");
        }
    }
}

/// RFC 8032, section 7.3.
#[test]
fn the_published_ed25519ph_signature_comes_out() {
    let seed = bytes("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42");
    let public = "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf";
    let expected = "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062adf5aa\
                    a10b8c61e636062aaad11c2a26083406";
    let pkcs8 = [bytes("302e020100300506032b657004220420"), seed].concat();
    let private = SigningKey::read(PairKind::Ed25519, &pkcs8).unwrap();
    let spki = [bytes("302a300506032b6570032100"), bytes(public)].concat();
    let public = VerifyingKey::read(PairKind::Ed25519, &spki).unwrap();
    let signature = private.sign(Scheme::Ed25519ph, Message::Raw(b"abc")).unwrap();
    assert_eq!(hex(&signature), expected);
    public.verify(Scheme::Ed25519ph, Message::Raw(b"abc"), &signature).unwrap();
    assert!(public.verify(Scheme::Ed25519, Message::Raw(b"abc"), &signature).is_err());
}

#[test]
fn keys_that_do_not_sign_are_refused() {
    for kind in [PairKind::MlKem512, PairKind::MlKem768, PairKind::MlKem1024] {
        let pair = KeyPair::generate(kind).unwrap();
        assert!(matches!(SigningKey::read(kind, pair.private.expose()), Err(CryptoError::Key)));
        assert!(matches!(VerifyingKey::read(kind, &pair.public), Err(CryptoError::Key)));
    }
    let p256 = KeyPair::generate(PairKind::P256).unwrap();
    assert!(matches!(SigningKey::read(PairKind::P384, p256.private.expose()), Err(CryptoError::Key)));
    assert!(matches!(VerifyingKey::read(PairKind::P384, &p256.public), Err(CryptoError::Key)));
}
