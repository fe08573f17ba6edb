//! Messages exchanged with the official Python SDK, both ways, under keys that need no key service.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
#[path = "common/fake_kms.rs"]
mod fake_kms;
#[path = "common/vectors.rs"]
mod vectors;

use std::io::Write as _;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{plaintext, wait};
use envelope::branch_key::{BranchKeyStore as _, KmsBranchKeyStore, LocalBranchKeyRecords, StoreKey};
use envelope::{
    AlgorithmSuite, CommitmentPolicy, Curve, Decryption, Encryption, EncryptionContext, HierarchicalKeyring, Keyring,
    Padding, RawAesKeyring, RawEcdhKeyring, RawRsaKeyring, RequiredContext,
};
use fake_kms::{FakeKms, arn};
use serde_json::{Value, json};
use vectors::Vectors;

/// A keyring here, and what tells Python to make the same.
struct Pair {
    ours: Box<dyn Keyring>,
    theirs: Value,
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

/// A PKCS#8 key with a scalar of one repeated byte, and the public key.
fn key_pair(curve: Curve, byte: u8) -> (Vec<u8>, Vec<u8>) {
    let (length, curve_oid): (usize, &[u8]) = match curve {
        Curve::P256 => (32, &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]),
        Curve::P384 => (48, &[6, 5, 0x2b, 0x81, 4, 0, 34]),
        Curve::P521 => (66, &[6, 5, 0x2b, 0x81, 4, 0, 35]),
    };
    let element = |tag: u8, parts: &[&[u8]]| [&[tag, parts.concat().len() as u8], &parts.concat()[..]].concat();
    let mut scalar = vec![byte; length];
    scalar[0] = 0;
    let inner = element(0x30, &[&[2, 1, 1], &element(4, &[&scalar])]);
    let algorithm = element(0x30, &[&[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1], curve_oid]);
    let private = element(0x30, &[&[2, 1, 0], &algorithm, &element(4, &[&inner])]);
    let public = crypto::ecdh::EcdhPrivateKey::read(curve, &private).unwrap().public_key().unwrap();
    (private, public.spki().to_vec())
}

fn keyrings() -> Vec<Pair> {
    let mut pairs = Vec::new();
    for length in [16, 24, 32] {
        let key = vec![0x17; length];
        pairs.push(Pair {
            ours: Box::new(RawAesKeyring::new("interop", "aes", &key).unwrap()),
            theirs: json!({ "kind": "aes", "key": STANDARD.encode(&key) }),
        });
    }
    let (private, public) = Vectors::rsa();
    for (padding, name) in [
        (Padding::Pkcs1, "PKCS1"),
        (Padding::OaepSha1, "OAEP_SHA1_MGF1"),
        (Padding::OaepSha256, "OAEP_SHA256_MGF1"),
        (Padding::OaepSha384, "OAEP_SHA384_MGF1"),
        (Padding::OaepSha512, "OAEP_SHA512_MGF1"),
    ] {
        let ours = RawRsaKeyring::new("interop", "rsa", padding);
        let ours = ours.with_private_key(private.as_bytes()).unwrap().with_public_key(public.as_bytes()).unwrap();
        let theirs = json!({ "kind": "rsa", "padding": name, "private": private, "public": public });
        pairs.push(Pair { ours: Box::new(ours), theirs });
    }
    for (curve, name) in
        [(Curve::P256, "ECC_NIST_P256"), (Curve::P384, "ECC_NIST_P384"), (Curve::P521, "ECC_NIST_P521")]
    {
        let ((our_private, our_public), (their_private, their_public)) = (key_pair(curve, 1), key_pair(curve, 2));
        let their_private = pem("PRIVATE KEY", &their_private);
        pairs.push(Pair {
            ours: Box::new(RawEcdhKeyring::between(curve, &our_private, &their_public).unwrap()),
            theirs: json!({
                "kind": "ecdh", "curve": name, "private": their_private, "public": STANDARD.encode(our_public),
            }),
        });
    }
    pairs.push(hierarchy());
    pairs
}

/// A branch key in our store, whose records Python reads.
fn hierarchy() -> Pair {
    let (kms, key) = (FakeKms::new("us-west-2").with("key-1").shared(), arn("us-west-2", "key-1"));
    let records = LocalBranchKeyRecords::default();
    let store = KmsBranchKeyStore::new(records, "tenants", kms, StoreKey::Key(key.clone()));
    let context = EncryptionContext::from([("department", "admin")]);
    let id = wait(store.create(None, &context, SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000))).unwrap();
    let branch = wait(store.active(&id)).unwrap();
    let (mut items, mut known) = (serde_json::Map::new(), serde_json::Map::new());
    for record in store.records().records() {
        let mut bound = record.attributes.clone();
        bound.extend([
            ("branch-key-id".to_owned(), record.id.clone()),
            ("type".to_owned(), record.kind.clone()),
            ("tablename".to_owned(), "tenants".to_owned()),
        ]);
        let encrypted = STANDARD.encode(&record.encrypted);
        known.insert(encrypted.clone(), json!({ "context": bound, "plaintext": STANDARD.encode(branch.key.expose()) }));
        items.insert(record.kind, json!({ "attributes": record.attributes, "enc": encrypted }));
    }
    let theirs =
        json!({ "kind": "hierarchy", "store": "tenants", "arn": key, "id": id, "items": items, "known": known });
    Pair { ours: Box::new(HierarchicalKeyring::new(store, id, Duration::from_secs(60), Instant::now)), theirs }
}

fn policy(suite: AlgorithmSuite) -> CommitmentPolicy {
    match suite.format_version() {
        1 => CommitmentPolicy::ForbidEncryptAllowDecrypt,
        _ => CommitmentPolicy::RequireEncryptRequireDecrypt,
    }
}

struct Case {
    keyring: usize,
    suite: AlgorithmSuite,
    /// Zero for a message without frames.
    frame_length: u32,
    length: usize,
    required: bool,
}

impl Case {
    fn context() -> EncryptionContext {
        EncryptionContext::from([("purpose", "interop"), ("größe", "ünïcode"), ("tenant", "blue")])
    }

    /// The names of entries that are not stored.
    fn required(&self) -> &'static [&'static str] {
        if self.required { &["tenant"] } else { &[] }
    }

    fn to_python(&self, what: &str, source: &[u8]) -> Value {
        let context: serde_json::Map<_, _> =
            Self::context().iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
        json!({
            "do": what,
            "keyring": self.keyring,
            "suite": self.suite.id(),
            "frame_length": self.frame_length,
            "context": context,
            "required": self.required(),
            "source": STANDARD.encode(source),
        })
    }

    fn seal(&self, keyring: &dyn Keyring) -> Vec<u8> {
        let materials = RequiredContext::new(Borrowed(keyring), self.required().iter().copied());
        let encryption = Encryption::new(&materials).suite(self.suite).commitment_policy(policy(self.suite));
        let encryption = encryption.context(Self::context());
        let encryption = match NonZeroU32::new(self.frame_length) {
            Some(length) => encryption.frame_length(length),
            None => encryption.unframed(),
        };
        encryption.encrypt(&plaintext(self.length)).unwrap()
    }

    fn open(&self, keyring: &dyn Keyring, message: &[u8]) {
        let materials = RequiredContext::new(Borrowed(keyring), self.required().iter().copied());
        let decryption = Decryption::new(&materials).context(Self::context()).commitment_policy(policy(self.suite));
        let (opened, known) = decryption.decrypt(message).unwrap_or_else(|error| panic!("{}: {error}", self.what()));
        assert!(opened == plaintext(self.length), "{}", self.what());
        assert_eq!(known.header.suite(), self.suite);
        assert_eq!(known.header.context().contains("tenant"), !self.required);
    }

    fn what(&self) -> String {
        format!("keyring {} {} {} bytes in frames of {}", self.keyring, self.suite, self.length, self.frame_length)
    }
}

/// A keyring that is lent to a source of materials.
struct Borrowed<'k>(&'k dyn Keyring);

impl Keyring for Borrowed<'_> {
    fn wrap<'a>(
        &'a self,
        keys: &'a mut envelope::Wrapping<'_>,
    ) -> envelope::Pending<'a, Result<(), envelope::KeyFailure>> {
        self.0.wrap(keys)
    }

    fn open<'a>(
        &'a self,
        keys: &'a envelope::Unwrapping<'_>,
    ) -> envelope::Pending<'a, Result<envelope::Unwrapped, Vec<envelope::KeyFailure>>> {
        self.0.open(keys)
    }
}

fn cases(keyrings: usize) -> Vec<Case> {
    let mut cases = Vec::new();
    for suite in AlgorithmSuite::ALL {
        for length in [0, 1, 4095, 4096, 4097] {
            cases.push(Case { keyring: 2, suite, frame_length: 4096, length, required: false });
        }
        cases.push(Case { keyring: 2, suite, frame_length: 128, length: 1000, required: true });
        cases.push(Case { keyring: 2, suite, frame_length: 0, length: 1000, required: false });
    }
    for suite in [AlgorithmSuite::Aes256GcmHkdfSha512CommitKey, AlgorithmSuite::Aes256GcmHkdfSha512CommitKeyEcdsaP384] {
        cases.push(Case { keyring: 0, suite, frame_length: 1 << 16, length: 1 << 20, required: false });
        for keyring in 0..keyrings {
            cases.push(Case { keyring, suite, frame_length: 4096, length: 5000, required: false });
        }
    }
    cases
}

/// The Python environment that the test command installs.
fn python() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let environment = std::env::var_os("SEALSTACK_CLIENTS").map_or_else(|| root.join("target/clients"), PathBuf::from);
    let python = environment.join("bin/python");
    assert!(python.exists(), "no test clients in {}: run ./test once, it installs them", environment.display());
    python
}

fn run_python(request: &Value) -> Vec<Vec<u8>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python_sdk.py");
    let mut command = Command::new(python());
    let mut child = command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(request.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "Python failed");
    let results: Vec<String> = serde_json::from_slice(&output.stdout).unwrap();
    results.iter().map(|result| STANDARD.decode(result).unwrap()).collect()
}

#[test]
fn each_side_decrypts_what_the_other_encrypted() {
    let keyrings = keyrings();
    let cases = cases(keyrings.len());
    let mut asked = Vec::new();
    for case in &cases {
        asked.push(case.to_python("decrypt", &case.seal(&*keyrings[case.keyring].ours)));
        asked.push(case.to_python("encrypt", &plaintext(case.length)));
    }
    let descriptions: Vec<_> = keyrings.iter().map(|pair| &pair.theirs).collect();
    let results = run_python(&json!({ "keyrings": descriptions, "cases": asked }));
    assert_eq!(results.len(), 2 * cases.len());
    for (case, results) in cases.iter().zip(results.chunks(2)) {
        assert!(results[0] == plaintext(case.length), "{}", case.what());
        case.open(&*keyrings[case.keyring].ours, &results[1]);
    }
}
