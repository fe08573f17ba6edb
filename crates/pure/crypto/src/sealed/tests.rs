use super::*;

#[test]
fn what_was_sealed_opens_and_no_two_seals_are_alike() {
    let key = Key256::random();
    for length in [0, 1, 31, 4_096] {
        let plaintext = vec![0x5a; length];
        let (first, second) = (seal(&key, b"aad", &plaintext), seal(&key, b"aad", &plaintext));
        assert_ne!(first, second);
        assert_eq!(first.len(), length + OVERHEAD);
        assert_eq!(open(&key, b"aad", &first).unwrap().expose(), plaintext);
    }
}

#[test]
fn every_changed_bit_a_cut_and_other_associated_data_are_refused() {
    let key = Key256::random();
    let sealed = seal(&key, b"aad", b"a record");
    for bit in 8..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(open(&key, b"aad", &changed), Err(CryptoError::NotAuthentic)));
    }
    for length in 0..sealed.len() {
        assert!(open(&key, b"aad", &sealed[..length]).is_err());
    }
    assert!(open(&key, b"other", &sealed).is_err());
    assert!(open(&Key256::random(), b"aad", &sealed).is_err());
}

#[test]
fn an_unknown_version_is_named() {
    let mut sealed = seal(&Key256::random(), b"", b"");
    sealed[0] = 9;
    assert!(matches!(open(&Key256::random(), b"", &sealed), Err(CryptoError::UnknownVersion { version: 9 })));
}

#[test]
fn a_sealed_key_opens_as_a_key_and_nothing_else_does() {
    let (key, secret) = (Key256::random(), Key256::random());
    let sealed = seal(&key, b"aad", secret.expose());
    assert_eq!(open_key(&key, b"aad", &sealed).unwrap().expose(), secret.expose());
    for refused in [
        open_key(&key, b"other", &sealed),
        open_key(&secret, b"aad", &sealed),
        open_key(&key, b"aad", &sealed[..sealed.len() - 1]),
        open_key(&key, b"aad", &seal(&key, b"aad", &[0; 31])),
        open_key(&key, b"aad", &seal(&key, b"aad", &[0; 33])),
    ] {
        assert!(matches!(refused, Err(CryptoError::NotAuthentic)));
    }
}
