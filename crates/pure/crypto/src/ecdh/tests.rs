use super::*;
use crate::hex::encode as hex;
use crate::secret::tests::bytes;

const CURVES: [(Curve, usize, usize); 3] = [(Curve::P256, 33, 91), (Curve::P384, 49, 120), (Curve::P521, 67, 158)];

#[test]
fn both_sides_agree_whatever_encoding_the_public_key_came_in() {
    for (curve, compressed, spki) in CURVES {
        let (ours, theirs) = (EcdhPrivateKey::generate(curve).unwrap(), EcdhPrivateKey::generate(curve).unwrap());
        let public = theirs.public_key().unwrap();
        assert_eq!((public.compressed().len(), public.spki().len()), (compressed, spki));
        let uncompressed = &public.spki()[spki - 2 * curve.coordinate() - 1..];
        let expected = theirs.agree(&ours.public_key().unwrap()).unwrap();
        assert_eq!(expected.len(), curve.coordinate());
        for encoded in [public.compressed(), public.spki(), uncompressed] {
            let read = EcdhPublicKey::read(curve, encoded).unwrap();
            assert!(read == public, "the encodings name one point");
            assert_eq!(ours.agree(&read).unwrap().expose(), expected.expose());
        }
    }
}

#[test]
fn keys_of_other_curves_and_points_off_the_curve_are_refused() {
    let p256 = EcdhPrivateKey::generate(Curve::P256).unwrap();
    let p384 = EcdhPrivateKey::generate(Curve::P384).unwrap().public_key().unwrap();
    assert!(p256.agree(&p384).is_err());
    let mut off = p256.public_key().unwrap().spki().to_vec();
    *off.last_mut().unwrap() ^= 1;
    for wrong in [p384.spki(), p384.compressed(), &off, &[0], &[]] {
        assert!(matches!(EcdhPublicKey::read(Curve::P256, wrong), Err(CryptoError::Key)));
    }
    assert!(matches!(EcdhPrivateKey::read(Curve::P256, b"-----BEGIN PRIVATE KEY-----"), Err(CryptoError::Key)));
}

/// RFC 5903, section 8.1: P-256.
#[test]
fn the_rfc_5903_secret_comes_out() {
    let private = bytes("c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433");
    let peer = bytes(
        "04d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf6356fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
    );
    let key = PrivateKey::from_private_key(&ECDH_P256, &private).unwrap();
    let key = EcdhPrivateKey { curve: Curve::P256, key };
    let secret = key.agree(&EcdhPublicKey::read(Curve::P256, &peer).unwrap()).unwrap();
    assert_eq!(hex(secret.expose()), "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de");
}

/// The construction spelled out with HMAC alone.
#[test]
fn derivation_counts_blocks_of_hmac_sha384() {
    use aws_lc_rs::hmac;
    let secret = SecretBytes::from(&[5; 32][..]);
    let mut out = [0; 64];
    derive(&secret, b"label", b"context", &mut out).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA384, secret.expose());
    let block = |count: u8| hmac::sign(&key, &[&[0, 0, 0, count], &b"label\0context"[..], &[0, 0, 2, 0]].concat());
    assert_eq!(out[..48], *block(1).as_ref());
    assert_eq!(out[48..], block(2).as_ref()[..16]);
}
