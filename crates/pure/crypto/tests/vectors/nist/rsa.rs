//! RSA: PKCS#1 v1.5 signatures verified, OAEP ciphertexts decrypted.
//!
//! NIST's PSS vectors have salts of 10 bytes, none as long as a digest: Project Wycheproof's stand for them.

use crypto::rsa::{Padding, RsaPrivateKey};
use crypto::signing::{Message, Scheme, VerifyingKey};
use crypto::{Hash, PairKind};
use installed::hex;
use wycheproof::TestResult;

use super::{file, read};
use crate::encodings::{rsa_private_key, rsa_public_key};
use crate::tally::Tally;

const NO_SUCH_SIZE: &str = "the key has none of 2048, 3072 and 4096 bits";
const NO_SUCH_HASH: &str = "the hash is none of SHA-256, SHA-384 and SHA-512";

/// The invalid ones have another message, another signature, another exponent or another encoding.
#[test]
fn pkcs1_signatures_verify() {
    let mut tally = Tally::default();
    let mut modulus = Vec::new();
    for (id, record) in read("asymmetric/RSA/FIPS_186-2/SigVer15_186-3.rsp").into_iter().enumerate() {
        if record.find("n").is_some() {
            modulus = record.bytes("n");
        }
        let Some(hash) = record.find("SHAAlg") else { continue };
        let kind = match record.heading("mod") {
            "2048" => PairKind::Rsa2048,
            "3072" => PairKind::Rsa3072,
            "4096" => PairKind::Rsa4096,
            _ => {
                tally.skip(NO_SUCH_SIZE, 1);
                continue;
            }
        };
        let hash = match hash {
            "SHA256" => Hash::Sha256,
            "SHA384" => Hash::Sha384,
            "SHA512" => Hash::Sha512,
            _ => {
                tally.skip(NO_SUCH_HASH, 1);
                continue;
            }
        };
        let key = VerifyingKey::read(kind, &rsa_public_key(&modulus, &record.bytes("e")));
        let (message, signature) = (record.bytes("Msg"), record.bytes("S"));
        let verified = key.and_then(|key| key.verify(Scheme::RsaPkcs1(hash), Message::Raw(&message), &signature));
        let valid = record.find("Result").unwrap().starts_with('P');
        tally.ran(kind, id, if valid { TestResult::Valid } else { TestResult::Invalid }, verified.is_ok());
    }
    tally.is([27, 135, 0, 0], &[(NO_SUCH_SIZE, 180), (NO_SUCH_HASH, 108)]);
}

/// The parts of a file of RSA's authors: titles, each with the bytes below it.
fn parts(path: &str) -> Vec<(String, Vec<u8>)> {
    let mut parts: Vec<(String, String)> = Vec::new();
    for line in std::fs::read_to_string(file(path)).unwrap().lines() {
        if let Some(title) = line.strip_prefix('#') {
            parts.push((title.trim().trim_end_matches(':').to_owned(), String::new()));
        } else if let Some((_, digits)) = parts.last_mut() {
            digits.extend(line.split(' '));
        }
    }
    parts.into_iter().filter(|(_, digits)| !digits.is_empty()).map(|(title, digits)| (title, hex(&digits))).collect()
}

const SMALLER: &str = "the key has less than 2048 bits, and is refused";

#[test]
fn oaep_decrypts_the_same() {
    let mut tally = Tally::default();
    for (path, padding) in [
        ("pkcs-1v2-1d2-vec/oaep-vect.txt", Padding::OaepSha1),
        ("oaep-custom/oaep-sha256-sha256.txt", Padding::OaepSha256),
        ("oaep-custom/oaep-sha384-sha384.txt", Padding::OaepSha384),
        ("oaep-custom/oaep-sha512-sha512.txt", Padding::OaepSha512),
    ] {
        let (mut numbers, mut message, mut key) = (Vec::new(), Vec::new(), None);
        for (id, (title, bytes)) in parts(&format!("asymmetric/RSA/{path}")).into_iter().enumerate() {
            match title.as_str() {
                "Modulus" => numbers = vec![bytes],
                "Message" => message = bytes,
                "Coefficient" => {
                    numbers.push(bytes);
                    let numbers = std::mem::take(&mut numbers).try_into().unwrap();
                    key = RsaPrivateKey::read(&rsa_private_key(&numbers)).ok();
                }
                "Encryption" => match &key {
                    Some(key) => {
                        assert_eq!(key.decrypt(padding, &bytes).unwrap().expose(), message, "{path}, {id}");
                        let again = key.public_key().encrypt(padding, &message).unwrap();
                        assert_eq!(key.decrypt(padding, &again).unwrap().expose(), message, "{path}, {id}");
                        tally.ran(path, id, TestResult::Valid, true);
                    }
                    None => tally.skip(SMALLER, 1),
                },
                "Seed" => {}
                _ => numbers.push(bytes),
            }
        }
    }
    tally.is([186, 0, 0, 0], &[(SMALLER, 54)]);
}
