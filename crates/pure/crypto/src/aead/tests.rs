use super::*;
use crate::hex::encode as hex;
use crate::secret::tests::bytes;

/// McGrew and Viega, "The Galois/Counter Mode of Operation (GCM)", appendix B: test cases 4, 10 and 16.
#[test]
fn the_published_vectors_come_out() {
    let plaintext = bytes(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de\
         657ba637b39",
    );
    let aad = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    let nonce: [u8; 12] = bytes("cafebabefacedbaddecaf888").try_into().unwrap();
    let key = bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
    let cases = [
        (Algorithm::Aes128Gcm, 16, "42831ec2217774244b7221b784d0d49c", "5bc94fbc3221a5db94fae95ae7121a47"),
        (Algorithm::Aes192Gcm, 24, "3980ca0b3c00e841eb06fac4872a2757", "2519498e80f1478f37ba55bd6d27618c"),
        (Algorithm::Aes256Gcm, 32, "522dc1f099567d07f47f37a32a84427d", "76fc6ece0f4e1768cddf8853bb2d551b"),
    ];
    for (algorithm, key_length, first_block, tag) in cases {
        let key = AeadKey::new(algorithm, &key[..key_length]).unwrap();
        let mut data = plaintext.clone();
        let sealed = key.seal_in_place(&nonce, &aad, &mut data).unwrap();
        assert_eq!(hex(&data[..16]), first_block);
        assert_eq!(hex(&sealed), tag);
        key.open_in_place(&nonce, &aad, &mut data, &sealed).unwrap();
        assert_eq!(data, plaintext);
    }
}

#[test]
fn any_change_is_refused() {
    let key = AeadKey::aes256(&Key256::random());
    let nonce = [1; NONCE_LENGTH];
    let mut data = *b"attack at dawn";
    let tag = key.seal_in_place(&nonce, b"aad", &mut data).unwrap();
    let refused = |nonce: &[u8; 12], aad: &[u8], mut data: Vec<u8>, tag: &[u8; 16]| {
        assert!(matches!(key.open_in_place(nonce, aad, &mut data, tag), Err(CryptoError::NotAuthentic)));
        assert_ne!(data, b"attack at dawn");
    };
    refused(&[2; NONCE_LENGTH], b"aad", data.to_vec(), &tag);
    refused(&nonce, b"", data.to_vec(), &tag);
    refused(&nonce, b"aad", data[1..].to_vec(), &tag);
    refused(&nonce, b"aad", data.to_vec(), &[0; 16]);
}

#[test]
fn a_key_of_the_wrong_length_is_refused() {
    for (algorithm, length) in [(Algorithm::Aes128Gcm, 15), (Algorithm::Aes192Gcm, 32), (Algorithm::Aes256Gcm, 0)] {
        assert!(matches!(AeadKey::new(algorithm, &vec![0; length]), Err(CryptoError::Length { .. })));
    }
}
