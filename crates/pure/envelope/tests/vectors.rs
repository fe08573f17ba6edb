//! The vectors that the official .NET implementation published, from `../shared/vectors/esdk` beside the workspace.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "common/vectors.rs"]
mod files;

use std::collections::BTreeMap;

use envelope::{
    AlgorithmSuite, CommitmentPolicy, Decryption, EncryptionContext, Error, MultiKeyring, Padding, RawAesKeyring,
    RawRsaKeyring, RequiredContext,
};
use files::Vectors;
use serde_json::Value;

/// A raw key as the manifest describes it, or `None` for a key that only AWS has.
fn keyring(description: &Value, keys: &Value) -> Option<MultiKeyring> {
    if description["type"] == "aws-kms" {
        return None;
    }
    let key = &keys["keys"][description["key"].as_str().unwrap()];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (namespace, name, material) = (text(&description["provider-id"]), text(&key["key-id"]), text(&key["material"]));
    if description["encryption-algorithm"] == "aes" {
        use base64::Engine as _;
        let material = base64::engine::general_purpose::STANDARD.decode(material).unwrap();
        return Some(MultiKeyring::for_decryption().with(RawAesKeyring::new(namespace, name, &material).unwrap()));
    }
    let padding = match (description["padding-algorithm"].as_str(), description["padding-hash"].as_str()) {
        (Some("pkcs1"), _) => Padding::Pkcs1,
        (Some("oaep-mgf1"), Some("sha1")) => Padding::OaepSha1,
        (Some("oaep-mgf1"), Some("sha256")) => Padding::OaepSha256,
        (Some("oaep-mgf1"), Some("sha384")) => Padding::OaepSha384,
        (Some("oaep-mgf1"), Some("sha512")) => Padding::OaepSha512,
        other => panic!("{other:?}"),
    };
    let keyring = RawRsaKeyring::new(namespace, name, padding);
    let keyring = if key["type"] == "private" {
        keyring.with_private_key(material.as_bytes()).unwrap()
    } else {
        keyring.with_public_key(material.as_bytes()).unwrap()
    };
    Some(MultiKeyring::for_decryption().with(keyring))
}

/// Decrypts a case as its manifest asks, or `None` when it needs AWS.
fn decrypt(vectors: &Vectors, case: &Value, keys: &Value) -> Option<Result<(Vec<u8>, AlgorithmSuite), Error>> {
    let mut all = MultiKeyring::for_decryption();
    for description in case["master-keys"].as_array().unwrap() {
        all = all.with(keyring(description, keys)?);
    }
    let context = case["encryption-context"].as_object().unwrap();
    let context: EncryptionContext = context.iter().map(|(name, value)| (name, value.as_str().unwrap())).collect();
    let message = vectors.file(&case["ciphertext"]);
    let settings = |decryption: Decryption<'_>| {
        let decryption =
            decryption.context(context.clone()).commitment_policy(CommitmentPolicy::RequireEncryptAllowDecrypt);
        decryption.decrypt(message).map(|(plaintext, opened)| {
            for (name, value) in context.iter() {
                assert_eq!(opened.context.get(name), Some(value));
            }
            (plaintext, opened.header.suite())
        })
    };
    Some(match case["cmm"].as_str().unwrap() {
        "RequiredEncryptionContext" => {
            let names: Vec<String> = context.iter().map(|(name, _)| name.to_owned()).collect();
            settings(Decryption::new(&RequiredContext::new(all, names)))
        }
        _ => settings(Decryption::new(&all)),
    })
}

#[test]
fn every_case_that_needs_no_kms_decrypts() {
    let vectors = Vectors::read("v4-Net-4.0.1.zip");
    let (manifest, keys) = (vectors.json("manifest.json"), vectors.json("keys.json"));
    let (mut decrypted, mut of_kms) = (BTreeMap::new(), 0);
    for (id, case) in manifest["tests"].as_object().unwrap() {
        let Some(outcome) = decrypt(&vectors, case, &keys) else {
            of_kms += 1;
            continue;
        };
        let (plaintext, suite) = outcome.unwrap_or_else(|error| panic!("{id}: {error}"));
        assert!(plaintext == vectors.file(&case["result"]["output"]["plaintext"]), "{id}");
        *decrypted.entry(suite).or_insert(0) += 1;
    }
    // Three keyrings by three contexts for each of the eleven suites.
    assert_eq!(decrypted, AlgorithmSuite::ALL.into_iter().map(|suite| (suite, 9)).collect());
    assert_eq!((decrypted.values().sum::<i32>(), of_kms), (99, 33));
}

/// A release of that implementation authenticated headers wrongly.
#[test]
fn every_invalid_case_is_refused_for_its_header() {
    let vectors = Vectors::read("invalid-Net-4.0.0.zip");
    let (manifest, keys) = (vectors.json("manifest.json"), vectors.json("keys.json"));
    let cases = manifest["tests"].as_object().unwrap();
    assert_eq!(cases.len(), 28);
    for (id, case) in cases {
        let refused = decrypt(&vectors, case, &keys).expect("the keys are raw");
        assert!(matches!(refused, Err(Error::HeaderNotAuthentic)), "{id}: {refused:?}");
    }
}
