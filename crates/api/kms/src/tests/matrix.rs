//! The golden matrix: for each operation, which of seven typical callers may call it.
//!
//! The decisions come from whole calls on keys that exist. An operation that is added without a row fails the test, as
//! does one whose decision changes.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use service::{AuditClass, Entry, Service as _};

use super::*;

/// File of the expected matrix.
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests/matrix.txt");

/// The columns, as the first line of the file has them. `key-administrator` and `key-user` hold what the console's
/// wizard gives them in the key policy, and nothing else; `nobody` is of the account and holds nothing; `guest` and
/// `stranger` hold everything in another account, and of these two the key policy admits `guest` only.
const CALLERS: [&str; 7] = ["root", "administrator", "key-administrator", "key-user", "nobody", "guest", "stranger"];

/// Members that an operation does not require, and without which it would not get as far as its decision.
const BESIDES: &[(&str, &[&str])] = &[
    ("CreateGrant", &["GranteePrincipal"]),
    ("Decrypt", &["CiphertextBlob"]),
    ("ListRetirableGrants", &["RetiringPrincipal"]),
    ("ReEncrypt", &["CiphertextBlob"]),
    ("RetireGrant", &["KeyId", "GrantId"]),
];

/// A key and what hangs on it.
struct Stage {
    key: String,
    alias: String,
    blob: Value,
    grant: String,
}

impl Stage {
    async fn set(world: &World, index: usize) -> Self {
        let manage = json!([
            "kms:Create*",
            "kms:Describe*",
            "kms:Enable*",
            "kms:List*",
            "kms:Put*",
            "kms:Update*",
            "kms:Revoke*",
            "kms:Disable*",
            "kms:Get*",
            "kms:Delete*",
            "kms:ImportKeyMaterial",
            "kms:ReplicateKey",
            "kms:TagResource",
            "kms:UntagResource",
            "kms:ScheduleKeyDeletion",
            "kms:CancelKeyDeletion",
            "kms:RotateKeyOnDemand"
        ]);
        let apply = json!([
            "kms:Encrypt",
            "kms:Decrypt",
            "kms:ReEncrypt*",
            "kms:GenerateDataKey*",
            "kms:DescribeKey",
            "kms:GetPublicKey",
            "kms:Sign",
            "kms:Verify",
            "kms:GenerateMac",
            "kms:VerifyMac",
            "kms:DeriveSharedSecret"
        ]);
        let mut guest = allow("guest", json!("kms:*"));
        guest["Principal"] = json!({"AWS": user_arn(OTHER_ACCOUNT, "guest")});
        let statements = [allow("key-administrator", manage), allow("key-user", apply), guest];
        let key = world.key_with(&statements).await;
        let alias = format!("alias/matrix-{index}");
        world.done("admin", "CreateAlias", json!({"AliasName": alias, "TargetKeyId": key})).await;
        let input = json!({"KeyId": key, "GranteePrincipal": user_arn(ACCOUNT, "bob"), "Operations": ["Decrypt"]});
        let grant = text(&world.done("admin", "CreateGrant", input).await["GrantId"]);
        let blob = world.encrypted(&key, "x").await;
        Self { key: arn_of(&key), alias, blob, grant }
    }

    /// A value for each member that some operation requires.
    fn value(&self, operation: &str, member: &str) -> Value {
        let bytes = json!(base64(&[7; 32]));
        match member {
            "KeyId" | "TargetKeyId" | "DestinationKeyId" => json!(self.key),
            "AliasName" => json!(self.alias),
            "CiphertextBlob" => self.blob.clone(),
            "GrantId" => json!(self.grant),
            "GranteePrincipal" | "RetiringPrincipal" => json!(user_arn(ACCOUNT, "alice")),
            "Operations" => json!(["Encrypt"]),
            "Policy" => json!(policy_with(&[])),
            "Description" => json!("x"),
            "Tags" => json!([{"TagKey": "k", "TagValue": "v"}]),
            "TagKeys" => json!(["k"]),
            "Plaintext" | "Message" | "Mac" | "Signature" => bytes,
            "SigningAlgorithm" => json!("ECDSA_SHA_256"),
            "MacAlgorithm" => json!("HMAC_SHA_256"),
            "KeyPairSpec" => json!("ECC_NIST_P256"),
            "KeyAgreementAlgorithm" => json!("ECDH"),
            "PublicKey" | "SharedSecretCiphertextBlob" => bytes,
            "EncapsulationAlgorithm" => json!("ML_KEM"),
            "WrappingAlgorithm" => json!("RSAES_OAEP_SHA_256"),
            "WrappingKeySpec" => json!("RSA_2048"),
            "ImportToken" | "EncryptedKeyMaterial" => bytes,
            "ReplicaRegion" | "PrimaryRegion" => json!("eu-west-1"),
            "CustomKeyStoreId" => json!("cks-0123456789abcdef0"),
            "CustomKeyStoreName" => json!("x"),
            _ => panic!("{operation}: give {member} a value in crates/api/kms/src/tests/matrix.rs, Stage::value"),
        }
    }

    fn input(&self, entry: &Entry<Kms>) -> Value {
        let besides = BESIDES.iter().find(|(name, _)| *name == entry.name).map_or(&[][..], |(_, members)| members);
        let required = entry.input.iter().filter(|member| member.required).map(|member| member.name);
        let members = required.chain(besides.iter().copied());
        Value::Object(members.map(|member| (member.to_owned(), self.value(entry.name, member))).collect())
    }
}

/// `+` for a call that passed authorisation, whatever came of it, `-` for one that was denied or got the answer that
/// what exists does not.
fn mark(operation: &str, answer: &Answer) -> char {
    let Err(error) = answer else { return '+' };
    let code = error.split(':').next().unwrap_or_default();
    assert!(code != "KMSInternalException", "{operation}: {error}");
    let form = code == "SerializationException" || error.contains("failed to satisfy constraint");
    assert!(!form, "{operation} never got to its decision; see Stage::value and BESIDES: {error}");
    if matches!(code, "AccessDeniedException" | "NotFoundException") { '-' } else { '+' }
}

#[tokio::test]
async fn every_operation_decides_about_typical_callers_as_the_matrix_says() {
    let world = World::new();
    let everything = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    world.user("administrator", ACCOUNT, "AIDAADMINISTRATOR", Some(everything.clone()));
    for name in ["key-administrator", "key-user", "nobody"] {
        world.user(name, ACCOUNT, &format!("AIDA{name}"), None);
    }
    for name in ["guest", "stranger"] {
        world.user(name, OTHER_ACCOUNT, &format!("AIDA{name}"), Some(everything.clone()));
    }
    let mut found = format!("# operation: {}\n", CALLERS.join(" "));
    let mut stages = 0;
    for entry in Kms::operations() {
        let mut stage = None;
        let mut marks = String::new();
        for caller in CALLERS {
            let set = match stage.take() {
                Some(set) => set,
                None => Stage::set(&world, stages).await,
            };
            stages += 1;
            let answer = world.call(caller, entry.name, set.input(entry)).await;
            // What a change left behind would bear on the next caller.
            if answer.is_err() || entry.class != AuditClass::Change {
                stage = Some(set);
            }
            marks.push(' ');
            marks.push(mark(entry.name, &answer));
        }
        let _ = writeln!(found, "kms:{}{marks}", entry.name);
    }
    let golden = std::fs::read_to_string(GOLDEN).expect("the matrix");
    let (expected, actual): (BTreeSet<_>, BTreeSet<_>) = (golden.lines().collect(), found.lines().collect());
    let lines = |lines: Vec<&&str>| lines.into_iter().map(|line| format!("    {line}\n")).collect::<String>();
    let (missing, extra) = (actual.difference(&expected).collect(), expected.difference(&actual).collect());
    assert!(
        found == golden,
        "the matrix in {GOLDEN} does not say what the operations decide.\nDecide whether each of these rows is right \
         (+ permitted, - denied, for {}), then put it into the file, in the order of the operations' table:\n{}\
         and take out:\n{}",
        CALLERS.join(", "),
        lines(missing),
        lines(extra),
    );
}
