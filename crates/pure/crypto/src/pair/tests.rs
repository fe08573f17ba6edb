use super::*;

const KINDS: [PairKind; 14] = [
    PairKind::Rsa2048,
    PairKind::Rsa3072,
    PairKind::Rsa4096,
    PairKind::P256,
    PairKind::P384,
    PairKind::P521,
    PairKind::Secp256k1,
    PairKind::Ed25519,
    PairKind::MlDsa44,
    PairKind::MlDsa65,
    PairKind::MlDsa87,
    PairKind::MlKem512,
    PairKind::MlKem768,
    PairKind::MlKem1024,
];

#[test]
fn a_pair_is_read_back_as_it_was_written_and_by_its_own_kind_alone() {
    for kind in KINDS {
        let pair = KeyPair::generate(kind).unwrap();
        let read = KeyPair::read(kind, pair.private.expose()).unwrap();
        assert_eq!(read.private.expose(), pair.private.expose(), "{kind:?}");
        assert_eq!(read.public, pair.public, "{kind:?}");
        for other in KINDS.into_iter().filter(|other| *other != kind) {
            assert!(KeyPair::read(other, pair.private.expose()).is_err(), "{kind:?} as {other:?}");
        }
    }
}

#[test]
fn what_is_no_private_key_is_refused() {
    for kind in KINDS {
        let mut pair = KeyPair::generate(if kind.is_slow_to_make() { PairKind::P256 } else { kind }).unwrap();
        let whole = pair.private.len();
        for wrong in [&b""[..], b"\x30", &[0x30; 64], &pair.public] {
            assert!(matches!(KeyPair::read(kind, wrong), Err(CryptoError::Key)), "{kind:?}");
        }
        pair.private.truncate(whole - 1);
        assert!(matches!(KeyPair::read(kind, pair.private.expose()), Err(CryptoError::Key)), "{kind:?}");
    }
}
