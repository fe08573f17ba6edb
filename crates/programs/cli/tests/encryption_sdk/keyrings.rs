//! A running server with keys in it, and keyrings of our side with instructions to the other side for the same.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use client::{Environment, Kms, Session};
use envelope::branch_key::{KmsBranchKeyStore, LocalBranchKeyRecords, StoreKey};
use envelope::kms::{GetPublicKey, KmsClient, KmsError};
use envelope::{
    Curve, DiscoveryFilter, EncryptionContext, HierarchicalKeyring, Keyring, KmsDiscoveryKeyring, KmsEcdhKeyring,
    KmsKeyring, KmsRsaKeyring, MultiKeyring, Padding, RawAesKeyring, RawEcdhKeyring, RawRsaKeyring,
};
use serde_json::{Value, json};
use testkit::Server;
use tokio::runtime::{Handle, Runtime};

const HOME: &str = "us-east-1";
const AWAY: &str = "eu-west-1";

/// Keyrings of our side, and instructions to the other side for the same.
pub(crate) struct Pair {
    pub(crate) name: String,
    pub(crate) encrypts: Box<dyn Keyring>,
    pub(crate) decrypts: Box<dyn Keyring>,
    /// `{"encrypt": …, "decrypt": …}`
    pub(crate) theirs: Value,
    /// Whether the SDK from npm has such a keyring.
    pub(crate) npm: bool,
    /// Whether it takes signed suites.
    pub(crate) signed: bool,
}

impl Pair {
    /// A pair that encrypts and decrypts with one keyring, which `ours` makes.
    fn new<K: Keyring + 'static>(name: impl Into<String>, ours: K, theirs: &Value, npm: bool) -> Self {
        let ours = Arc::new(ours);
        Self {
            name: name.into(),
            encrypts: Box::new(Arc::clone(&ours)),
            decrypts: Box::new(ours),
            theirs: json!({ "encrypt": theirs, "decrypt": theirs }),
            npm,
            signed: true,
        }
    }
}

/// A server with keys in two regions, and a client of its key service.
pub(crate) struct World {
    pub(crate) server: Server,
    runtime: Runtime,
    clients: Clients,
    home: String,
    away: String,
    multi_region: String,
    rsa: String,
    elliptic: String,
}

/// Makes clients of the key service as the command does.
#[derive(Clone)]
struct Clients(Arc<Session>, Handle);

impl Clients {
    fn of(&self, region: &str) -> Arc<dyn KmsClient> {
        Arc::new(Kms::new(Arc::clone(&self.0), region, self.1.clone()))
    }
}

/// Runs OpenSSL and returns what it printed.
fn openssl(arguments: &[&str], input: &str) -> Vec<u8> {
    use std::io::Write as _;
    let piped = std::process::Stdio::piped;
    let mut command = Command::new("openssl");
    let mut child = command.args(arguments).stdin(piped()).stdout(piped()).spawn().expect("openssl starts");
    child.stdin.take().unwrap().write_all(input.as_bytes()).expect("openssl reads");
    let output = child.wait_with_output().expect("openssl ends");
    assert!(output.status.success(), "openssl {arguments:?}");
    output.stdout
}

/// A private key in PEM.
fn private_key(algorithm: &str, option: &str) -> String {
    String::from_utf8(openssl(&["genpkey", "-quiet", "-algorithm", algorithm, "-pkeyopt", option], "")).unwrap()
}

/// The public half of a private key, as a SubjectPublicKeyInfo in a form.
fn public_key(private: &str, form: &str) -> Vec<u8> {
    openssl(&["pkey", "-pubout", "-outform", form], private)
}

impl World {
    pub(crate) fn start() -> Self {
        let server = Server::start(env!("CARGO_BIN_EXE_sealstack"), &[]);
        let text = |value: &Value| value.as_str().expect("an ARN").to_owned();
        let create = |region: &str, arguments: &[&str]| {
            let all = [&["--region", region, "kms", "create-key"][..], arguments].concat();
            text(&server.aws(&all)["KeyMetadata"]["Arn"])
        };
        let (home, away) = (create(HOME, &[]), create(AWAY, &[]));
        let multi_region = create(HOME, &["--multi-region"]);
        let rsa = create(HOME, &["--key-spec", "RSA_2048", "--key-usage", "ENCRYPT_DECRYPT"]);
        let elliptic = create(HOME, &["--key-spec", "ECC_NIST_P384", "--key-usage", "KEY_AGREEMENT"]);
        let replicate = ["kms", "replicate-key", "--key-id", &multi_region, "--replica-region", AWAY];
        let replica = text(&server.aws(&[&["--region", HOME], &replicate[..]].concat())["ReplicaKeyMetadata"]["Arn"]);
        assert_eq!(replica, multi_region.replace(HOME, AWAY));

        let file = |name: &str| server.data().join("aws").join(name).to_str().expect("UTF-8").to_owned();
        let environment = Environment::from_iter([
            ("AWS_CONFIG_FILE", file("config")),
            ("AWS_SHARED_CREDENTIALS_FILE", file("credentials")),
        ]);
        let session = Arc::new(Session::read(environment, None).expect("a configuration"));
        let runtime = Runtime::new().expect("a runtime");
        let clients = Clients(session, runtime.handle().clone());
        Self { server, runtime, clients, home, away, multi_region, rsa, elliptic }
    }

    pub(crate) fn pairs(&self) -> Vec<Pair> {
        let mut pairs = raw();
        pairs.extend([self.strict(), self.several(), self.discovery(), self.replica(), self.hierarchy()]);
        pairs.extend([self.rsa(), self.agreement()]);
        pairs
    }

    fn source(&self) -> impl Fn(&str) -> Result<Arc<dyn KmsClient>, KmsError> + use<> {
        let clients = self.clients.clone();
        move |region| Ok(clients.of(region))
    }

    fn strict(&self) -> Pair {
        let ours = KmsKeyring::new(self.clients.of(HOME), &self.home);
        Pair::new("KMS key", ours, &json!({ "kind": "kms", "key": self.home }), true)
    }

    /// Two keys in two regions encrypt, and the second one alone decrypts.
    fn several(&self) -> Pair {
        let both = MultiKeyring::kms(&self.source(), Some(&self.home), &[&self.away], false).expect("two keys");
        let second = MultiKeyring::kms(&self.source(), None, &[&self.away], false).expect("a key");
        Pair {
            name: "two KMS keys".to_owned(),
            encrypts: Box::new(both),
            decrypts: Box::new(second),
            theirs: json!({
                "encrypt": { "kind": "kms-multi", "generator": self.home, "keys": [self.away] },
                "decrypt": { "kind": "kms-multi", "generator": null, "keys": [self.away] },
            }),
            npm: true,
            signed: true,
        }
    }

    fn discovery(&self) -> Pair {
        let account = self.home.split(':').nth(4).expect("an account");
        let ours = KmsDiscoveryKeyring::new(self.source()).filter(DiscoveryFilter::new("aws", [account]));
        Pair {
            decrypts: Box::new(ours),
            name: "KMS discovery".to_owned(),
            theirs: json!({
                "encrypt": { "kind": "kms", "key": self.home },
                "decrypt": { "kind": "kms-discovery", "account": account },
            }),
            ..self.strict()
        }
    }

    /// A Multi-Region key encrypts, and its replica in another region decrypts.
    fn replica(&self) -> Pair {
        let there = self.multi_region.replace(HOME, AWAY);
        Pair {
            name: "Multi-Region KMS key".to_owned(),
            encrypts: Box::new(KmsKeyring::new(self.clients.of(HOME), &self.multi_region).multi_region()),
            decrypts: Box::new(KmsKeyring::new(self.clients.of(AWAY), &there).multi_region()),
            theirs: json!({
                "encrypt": { "kind": "kms-mrk", "key": self.multi_region, "region": HOME },
                "decrypt": { "kind": "kms-mrk", "key": there, "region": AWAY },
            }),
            npm: false,
            signed: true,
        }
    }

    /// The public half of a key in KMS, in DER.
    fn public_key(&self, key_id: &str) -> Vec<u8> {
        let client = self.clients.of(HOME);
        let asked = client.get_public_key(GetPublicKey { key_id, grant_tokens: &[] });
        self.runtime.block_on(asked).expect("a public key")
    }

    fn rsa(&self) -> Pair {
        let ours = KmsRsaKeyring::new(self.clients.of(HOME), &self.rsa);
        let public = STANDARD.encode(self.public_key(&self.rsa));
        let public = format!("-----BEGIN PUBLIC KEY-----\n{public}\n-----END PUBLIC KEY-----\n");
        let theirs = json!({ "kind": "kms-rsa", "key": self.rsa, "public": public });
        Pair { signed: false, ..Pair::new("KMS RSA key", ours, &theirs, false) }
    }

    /// Agreement of a key in KMS with a raw key of somebody else.
    fn agreement(&self) -> Pair {
        let (sender, client) = (self.public_key(&self.elliptic), self.clients.of(HOME));
        let recipient = public_key(&private_key("EC", "ec_paramgen_curve:P-384"), "DER");
        let ours = KmsEcdhKeyring::between(client, &self.elliptic, Curve::P384, &recipient).expect("a public key");
        let theirs = json!({
            "kind": "kms-ecdh",
            "curve": "ECC_NIST_P384",
            "key": self.elliptic,
            "sender": STANDARD.encode(sender),
            "recipient": STANDARD.encode(recipient),
        });
        Pair::new("KMS key agreement", ours, &theirs, false)
    }

    /// A branch key in our store, whose records the other side reads. Its own store wants DynamoDB, so it is handed
    /// the records by something that answers as DynamoDB does; what they are encrypted under is the server's.
    fn hierarchy(&self) -> Pair {
        let (records, key) = (LocalBranchKeyRecords::default(), StoreKey::Key(self.home.clone()));
        let store = KmsBranchKeyStore::new(records, "tenants", self.clients.of(HOME), key);
        let context = EncryptionContext::from([("department", "admin")]);
        let created = self.runtime.block_on(store.create(None, &context, SystemTime::now()));
        let id = created.expect("a branch key");
        self.runtime.block_on(store.rotate(&id, SystemTime::now())).expect("a new version");
        let items: serde_json::Map<String, Value> = (store.records().records().into_iter())
            .map(|record| {
                let encrypted = STANDARD.encode(&record.encrypted);
                (record.kind, json!({ "attributes": record.attributes, "enc": encrypted }))
            })
            .collect();
        let theirs = json!({ "kind": "hierarchy", "store": "tenants", "arn": self.home, "id": id, "items": items });
        let ours = HierarchicalKeyring::new(store, id, Duration::from_secs(600), Instant::now);
        Pair::new("branch key", ours, &theirs, false)
    }
}

/// Keyrings that need no server.
fn raw() -> Vec<Pair> {
    let mut pairs = Vec::new();
    for length in [16, 24, 32] {
        let key = vec![0x17; length];
        let ours = RawAesKeyring::new("interop", "aes", &key).unwrap();
        let theirs = json!({ "kind": "aes", "key": STANDARD.encode(&key) });
        pairs.push(Pair::new(format!("raw AES-{}", length * 8), ours, &theirs, true));
    }
    let private = private_key("RSA", "rsa_keygen_bits:2048");
    let public = String::from_utf8(public_key(&private, "PEM")).unwrap();
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
        pairs.push(Pair::new(format!("raw RSA {name}"), ours, &theirs, true));
    }
    for (curve, name, option) in [
        (Curve::P256, "ECC_NIST_P256", "ec_paramgen_curve:P-256"),
        (Curve::P384, "ECC_NIST_P384", "ec_paramgen_curve:P-384"),
        (Curve::P521, "ECC_NIST_P521", "ec_paramgen_curve:P-521"),
    ] {
        let (our_key, their_key) = (private_key("EC", option), private_key("EC", option));
        let ours = RawEcdhKeyring::between(curve, our_key.as_bytes(), &public_key(&their_key, "DER")).unwrap();
        let public = STANDARD.encode(public_key(&our_key, "DER"));
        let theirs = json!({ "kind": "ecdh", "curve": name, "private": their_key, "public": public });
        pairs.push(Pair::new(format!("raw ECDH {name}"), ours, &theirs, false));
    }
    pairs
}
