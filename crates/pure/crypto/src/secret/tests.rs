use super::*;

pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn a_key_is_thirty_two_bytes() {
    assert_eq!(Key256::from_slice(&[7; 32]).unwrap().expose(), &[7; 32]);
    for length in [0, 31, 33] {
        assert!(matches!(Key256::from_slice(&vec![0; length]), Err(CryptoError::Length { bytes }) if bytes == length));
    }
}

#[test]
fn random_keys_differ_and_a_duplicate_does_not() {
    let key = Key256::random();
    assert_ne!(key.expose(), Key256::random().expose());
    let duplicate = key.duplicate();
    assert_eq!(key.expose(), duplicate.expose());
    assert_ne!(key.expose().as_ptr(), duplicate.expose().as_ptr());
}

#[test]
fn a_truncated_secret_keeps_its_front() {
    let mut secret = SecretBytes::from(b"front and back".to_vec());
    secret.truncate(5);
    assert_eq!(secret.expose(), b"front");
    secret.truncate(9);
    assert_eq!((secret.len(), secret.is_empty()), (5, false));
}

#[test]
fn a_secret_grows_past_its_capacity() {
    use std::io::Write as _;
    let mut secret = SecretBytes::with_capacity(4);
    for piece in [&b"one "[..], b"", b"two ", b"three"] {
        secret.write_all(piece).unwrap();
    }
    assert_eq!(secret.expose(), b"one two three");
}
