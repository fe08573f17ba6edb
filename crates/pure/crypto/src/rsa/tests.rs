use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::KeyPair as _;

use super::*;

const PADDINGS: [Padding; 5] =
    [Padding::Pkcs1, Padding::OaepSha1, Padding::OaepSha256, Padding::OaepSha384, Padding::OaepSha512];

fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    use std::fmt::Write as _;
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = format!("-----BEGIN {label}-----\n");
    for chunk in der.chunks(3) {
        let group = chunk.iter().fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[((group >> (18 - 6 * place)) & 63) as usize];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    write!(text, "\n-----END {label}-----\n").unwrap();
    text.into_bytes()
}

#[test]
fn every_padding_opens_what_it_sealed_and_nothing_else() {
    let private = RsaPrivateKey(PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap());
    let public = private.public_key();
    assert_eq!(public.bits(), 2048);
    for padding in PADDINGS {
        let sealed = public.encrypt(padding, b"a data key").unwrap();
        assert_eq!(private.decrypt(padding, &sealed).unwrap().expose(), b"a data key");
        let mut changed = sealed.clone();
        changed[100] ^= 1;
        if padding != Padding::Pkcs1 {
            assert!(matches!(private.decrypt(padding, &changed), Err(CryptoError::NotAuthentic)));
        }
        assert!(matches!(private.decrypt(padding, &sealed[1..]), Err(CryptoError::NotAuthentic)));
        assert!(matches!(public.encrypt(padding, &[1; 250]), Err(CryptoError::Length { bytes: 250 })));
    }
}

#[test]
fn keys_are_read_from_pem_and_der_in_both_forms() {
    let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
    let pkcs8: Pkcs8V1Der<'_> = private.as_der().unwrap();
    let pair = aws_lc_rs::rsa::KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
    let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    // The PKCS#1 key is the octet string that ends the PKCS#8 structure.
    let pkcs1 = &pkcs8.as_ref()[26..];
    assert_eq!(private_key_info(&RSA_ENCRYPTION, pkcs1).expose(), pkcs8.as_ref());

    let privates =
        [pkcs8.as_ref().to_vec(), pkcs1.to_vec(), pem("PRIVATE KEY", pkcs8.as_ref()), pem("RSA PRIVATE KEY", pkcs1)];
    for public in [spki.as_ref().to_vec(), pem("PUBLIC KEY", spki.as_ref())] {
        let sealed = RsaPublicKey::read(&public).unwrap().encrypt(Padding::OaepSha256, b"x").unwrap();
        for private in &privates {
            let opened = RsaPrivateKey::read(private).unwrap().decrypt(Padding::OaepSha256, &sealed).unwrap();
            assert_eq!(opened.expose(), b"x");
        }
    }
    for wrong in [&b""[..], b"-----BEGIN PUBLIC KEY-----", &pem("CERTIFICATE", spki.as_ref()), &[0x30; 40]] {
        assert!(matches!(RsaPublicKey::read(wrong), Err(CryptoError::Key)));
        assert!(matches!(RsaPrivateKey::read(wrong), Err(CryptoError::Key)));
    }
}
