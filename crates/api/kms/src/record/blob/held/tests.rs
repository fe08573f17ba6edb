//! Ciphertexts of keys held elsewhere. The key store is played by AES-GCM under a key of the test's.

use crypto::Key256;
use crypto::aead::AeadKey;
use proptest::prelude::*;

use super::*;
use crate::record::{AccountNumber, AnyCiphertext, KeyId};

fn names() -> KeyVersion {
    KeyVersion {
        account: AccountNumber::parse("012345678901").expect("an account id"),
        key: KeyId::parse("1234abcd-12ab-34cd-56ef-1234567890ab").expect("a key id"),
        material: [9; 16],
    }
}

fn material() -> DerivationKey {
    DerivationKey::new(&Key256::random())
}

fn pairs(pairs: &[(&str, &str)]) -> EncryptionContext {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

const NONCE: [u8; 12] = [5; 12];

fn store(key: &Key256, aad: &[u8], inner: &[u8]) -> HeldCiphertext {
    let mut ciphertext = inner.to_vec();
    let tag = AeadKey::aes256(key).seal_in_place(&NONCE, aad, &mut ciphertext).expect("short");
    HeldCiphertext { ciphertext, vector: NONCE.to_vec(), tag, metadata: b"m1".to_vec() }
}

fn sealed(ours: &DerivationKey, theirs: &Key256, context: &EncryptionContext, plaintext: &[u8]) -> Vec<u8> {
    let half = seal(ours, &names(), context, plaintext);
    let outer = store(theirs, &half.aad, &half.inner);
    half.finish(&outer).expect("the store did its part")
}

fn opened(blob: &[u8], ours: &DerivationKey, theirs: &Key256, context: &EncryptionContext) -> Option<Vec<u8>> {
    let held = HeldBlob::parse(blob).ok()?;
    let mut inner = held.outer.ciphertext.clone();
    let nonce = held.outer.vector.as_slice().try_into().ok()?;
    AeadKey::aes256(theirs).open_in_place(nonce, &held.aad(context), &mut inner, &held.outer.tag).ok()?;
    held.open(&inner, ours, context).ok().map(|plaintext| plaintext.to_vec())
}

#[test]
fn it_takes_both_keys_and_the_context_to_open_one() {
    let (ours, theirs, context) = (material(), Key256::random(), pairs(&[("purpose", "test")]));
    let blob = sealed(&ours, &theirs, &context, b"attack at dawn");
    assert_eq!(opened(&blob, &ours, &theirs, &context).as_deref(), Some(&b"attack at dawn"[..]));
    assert!(opened(&blob, &material(), &theirs, &context).is_none(), "without our material");
    assert!(opened(&blob, &ours, &Key256::random(), &context).is_none(), "without the store's key");
    assert!(opened(&blob, &ours, &theirs, &pairs(&[("purpose", "Test")])).is_none(), "in another context");
    let parsed = AnyCiphertext::parse(&blob).expect("well-formed");
    assert_eq!((*parsed.names(), parsed.to_bytes()), (names(), blob.clone()));
}

#[test]
fn the_longest_is_within_both_limits() {
    let (key, context) = (Key256::random(), EncryptionContext::new());
    let half = seal(&material(), &names(), &context, &[7; PLAINTEXT_MAX]);
    assert!(half.inner.len() <= 4300 && half.aad.len() <= 8192, "what every proxy takes");
    let outer = HeldCiphertext { vector: vec![0; 16], metadata: vec![0; 20], ..store(&key, &half.aad, &half.inner) };
    let blob = half.finish(&outer).expect("finished");
    assert!(blob.len() <= 6144 && HeldBlob::parse(&blob).is_ok(), "what Decrypt takes");
}

#[test]
fn a_store_that_sends_another_length_makes_no_ciphertext() {
    let (key, context) = (Key256::random(), EncryptionContext::new());
    let half = seal(&material(), &names(), &context, b"x");
    let mut outer = store(&key, &half.aad, &half.inner);
    outer.ciphertext.pop();
    assert!(half.finish(&outer).is_none());
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused_or_read_back(mut bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let half = seal(&material(), &names(), &EncryptionContext::new(), b"x");
        if let Some(first) = bytes.first_mut() {
            *first = VERSION;
        }
        prop_assert!(HeldBlob::parse(&bytes).is_err());
        let behind_header = [half.header.as_slice(), &bytes].concat();
        if let Ok(held) = HeldBlob::parse(&behind_header) {
            prop_assert_eq!(held.to_bytes(), behind_header.clone());
        }
    }

    #[test]
    fn any_flipped_bit_and_any_cut_is_found(
        plaintext in proptest::collection::vec(any::<u8>(), 1..200),
        bit in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let (ours, theirs, context) = (material(), Key256::random(), pairs(&[("a", "b")]));
        let blob = sealed(&ours, &theirs, &context, &plaintext);
        prop_assert_eq!(opened(&blob, &ours, &theirs, &context), Some(plaintext));
        let mut flipped = blob.clone();
        let bit = bit.index(blob.len() * 8);
        flipped[bit / 8] ^= 1 << (bit % 8);
        // The metadata are the store's to authenticate, which this one does not do.
        if HeldBlob::parse(&flipped).is_ok_and(|held| held.outer.metadata == b"m1") {
            prop_assert!(opened(&flipped, &ours, &theirs, &context).is_none());
        }
        prop_assert!(opened(&blob[..cut.index(blob.len())], &ours, &theirs, &context).is_none());
    }
}
