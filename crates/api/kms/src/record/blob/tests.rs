//! Ciphertexts: what they name, what opens them, and that no damage goes unnoticed.

use proptest::prelude::*;

use super::*;

fn names() -> KeyVersion {
    KeyVersion {
        account: AccountNumber::parse("012345678901").expect("an account id"),
        key: KeyId::parse("1234abcd-12ab-34cd-56ef-1234567890ab").expect("a key id"),
        material: [9; 16],
    }
}

fn new_material() -> DerivationKey {
    DerivationKey::new(&crypto::Key256::random())
}

fn pairs(pairs: &[(&str, &str)]) -> EncryptionContext {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_ciphertext_names_its_key_and_opens_with_it() {
    let (material, context) = (new_material(), pairs(&[("purpose", "test")]));
    for key in [names().key, KeyId::Multi([7; 16])] {
        let names = KeyVersion { key, ..names() };
        let blob = seal(&material, &names, &context, b"attack at dawn");
        let parsed = Ciphertext::parse(&blob).expect("well-formed");
        assert_eq!(parsed.names, names);
        assert_eq!(parsed.to_bytes(), blob);
        assert_eq!(parsed.names.account.to_string(), "012345678901");
        assert_eq!(parsed.open(&material, &context).expect("authentic").as_slice(), b"attack at dawn");
    }
}

#[test]
fn the_longest_plaintext_makes_a_ciphertext_within_the_limit_of_6144_bytes() {
    let material = new_material();
    let blob = seal(&material, &names(), &EncryptionContext::new(), &[7; PLAINTEXT_MAX]);
    assert_eq!(blob.len(), PLAINTEXT_MAX + OVERHEAD);
    assert!(blob.len() <= 6144);
    assert!(Ciphertext::parse(&blob).is_ok());
}

#[test]
fn another_key_or_context_opens_nothing() {
    let (material, context) = (new_material(), pairs(&[("a", "b")]));
    let blob = seal(&material, &names(), &context, b"secret");
    let parsed = Ciphertext::parse(&blob).expect("well-formed");
    assert_eq!(parsed.open(&new_material(), &context).err(), Some(BlobError::NotAuthentic));
    for other in [&[][..], &[("a", "B")], &[("A", "b")], &[("a", "b"), ("c", "d")]] {
        assert_eq!(parsed.open(&material, &pairs(other)).err(), Some(BlobError::NotAuthentic));
    }
}

#[test]
fn the_same_plaintext_never_gives_the_same_ciphertext() {
    let material = new_material();
    let blobs: std::collections::BTreeSet<_> =
        (0..100).map(|_| seal(&material, &names(), &EncryptionContext::new(), b"same")).collect();
    assert_eq!(blobs.len(), 100);
}

#[test]
fn what_is_not_one_of_ours_says_why_to_the_log() {
    let blob = seal(&new_material(), &names(), &EncryptionContext::new(), b"x");
    let mut later = blob.clone();
    later[0] = 2;
    let mut damaged = blob.clone();
    damaged[10] ^= 1;
    let long = seal(&new_material(), &names(), &EncryptionContext::new(), &[0; PLAINTEXT_MAX + 1]);
    for (bytes, expected) in [
        (&b""[..], BlobError::Length { bytes: 0 }),
        (&blob[..OVERHEAD], BlobError::Length { bytes: OVERHEAD }),
        (&blob[..7], BlobError::Length { bytes: 7 }),
        (&long, BlobError::Length { bytes: long.len() }),
        (&later, BlobError::Version { version: 2 }),
        (&damaged, BlobError::Damaged),
    ] {
        assert_eq!(Ciphertext::parse(bytes).err(), Some(expected));
    }
}

fn opened(blob: &[u8], material: &DerivationKey, context: &EncryptionContext) -> Result<Vec<u8>, BlobError> {
    Ciphertext::parse(blob)?.open(material, context).map(|plaintext| plaintext.to_vec())
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Ciphertext::parse(&bytes).is_err());
    }

    #[test]
    fn arbitrary_headers_behind_a_valid_check_are_refused_or_parsed(
        mut bytes in proptest::collection::vec(any::<u8>(), CHECKED_LENGTH..CHECKED_LENGTH + 1),
        rest in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        bytes[0] = VERSION;
        let check = check_of(&bytes);
        bytes.extend_from_slice(&check);
        bytes.extend_from_slice(&rest);
        if let Ok(parsed) = Ciphertext::parse(&bytes) {
            prop_assert_eq!(parsed.to_bytes(), bytes.clone());
            prop_assert!(parsed.open(&new_material(), &EncryptionContext::new()).is_err());
        }
    }

    #[test]
    fn any_flipped_bit_and_any_cut_is_found(
        plaintext in proptest::collection::vec(any::<u8>(), 1..200),
        bit in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let (material, context) = (new_material(), pairs(&[("a", "b")]));
        let blob = seal(&material, &names(), &context, &plaintext);
        prop_assert_eq!(opened(&blob, &material, &context), Ok(plaintext));
        let mut flipped = blob.clone();
        let bit = bit.index(blob.len() * 8);
        flipped[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(opened(&flipped, &material, &context).is_err());
        prop_assert!(opened(&blob[..cut.index(blob.len())], &material, &context).is_err());
        let mut longer = blob;
        longer.push(0);
        prop_assert!(opened(&longer, &material, &context).is_err());
    }
}
