use super::*;

const KINDS: [(PairKind, usize); 3] =
    [(PairKind::MlKem512, 768), (PairKind::MlKem768, 1088), (PairKind::MlKem1024, 1568)];

#[test]
fn what_the_public_key_encapsulates_the_private_key_decapsulates() {
    for (kind, length) in KINDS {
        let pair = KeyPair::generate(kind).unwrap();
        assert_eq!(pair.private.len(), 86, "a seed is as long for every parameter set");
        let private = DecapsulationKey::read(kind, pair.private.expose()).unwrap();
        let public = EncapsulationKey::read(kind, &pair.public).unwrap();
        let (secret, ciphertext) = public.encapsulate().unwrap();
        assert_eq!((secret.len(), ciphertext.len()), (32, length));
        assert_eq!(private.decapsulate(&ciphertext).unwrap().expose(), secret.expose());

        let mut changed = ciphertext.clone();
        changed[0] ^= 1;
        let other = private.decapsulate(&changed).unwrap();
        assert_ne!(other.expose(), secret.expose(), "rejected without a word");
        assert_eq!(private.decapsulate(&changed).unwrap().expose(), other.expose(), "and always the same");
        for wrong in [&ciphertext[1..], &[]] {
            assert!(matches!(private.decapsulate(wrong), Err(CryptoError::Length { .. })));
        }
    }
}

#[test]
fn keys_of_other_parameter_sets_and_other_kinds_are_refused() {
    let pair = KeyPair::generate(PairKind::MlKem768).unwrap();
    for kind in [PairKind::MlKem512, PairKind::MlKem1024, PairKind::P256] {
        assert!(matches!(EncapsulationKey::read(kind, &pair.public), Err(CryptoError::Key)));
        assert!(KeyPair::read(kind, pair.private.expose()).is_err());
    }
    for wrong in [&pair.public[1..], &[]] {
        assert!(matches!(EncapsulationKey::read(PairKind::MlKem768, wrong), Err(CryptoError::Key)));
    }
    assert!(matches!(DecapsulationKey::read(PairKind::Rsa2048, pair.private.expose()), Err(CryptoError::Key)));
    assert!(matches!(DecapsulationKey::read(PairKind::MlKem768, &[]), Err(CryptoError::Key)));
}
