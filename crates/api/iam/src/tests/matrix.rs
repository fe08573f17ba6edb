//! The golden matrix: for each operation, which of five typical callers may call it.
//!
//! The decisions come from whole calls. An operation that is added without a row fails the test, as does one whose
//! decision changes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use service::{Entry, Service};

use super::access_keys::root_key;
use super::server::{ACCOUNT, Answer, Key, OPERATOR, Server, allow};
use crate::{Iam, Sts, create_account};

/// File of the expected matrix.
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests/matrix.txt");

/// A value for each member that some operation requires. Nothing of the kind exists: what counts is whether the caller
/// would learn that.
fn values() -> BTreeMap<&'static str, Vec<(String, String)>> {
    let none = format!("arn:aws:iam::{ACCOUNT}:policy/none");
    let user = format!("arn:aws:iam::{ACCOUNT}:user/none");
    let provider = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/none.example");
    let role = format!("arn:aws:iam::{ACCOUNT}:role/none");
    let document = allow("s3:*");
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
        "Principal":{"Service":"ec2.amazonaws.com"}}]}"#;
    let plain = [
        ("AWSServiceName", "ecs.amazonaws.com"),
        ("AccessKeyId", "AKIAMISSINGMISSING22"),
        ("AccountAlias", "none"),
        ("AssumeRolePolicyDocument", trust),
        ("ClientID", "none"),
        ("DeletionTaskId", "task/aws-service-role/none/none/1"),
        ("Description", "none"),
        ("EncodedMessage", "none"),
        ("Encoding", "PEM"),
        ("GroupName", "none"),
        ("JobId", "00000000-0000-4000-8000-000000000000"),
        ("InstanceProfileName", "none"),
        ("Arn", &user),
        ("Name", "none"),
        ("NewPassword", "none"),
        ("OldPassword", "none"),
        ("OpenIDConnectProviderArn", &provider),
        ("PermissionsBoundary", &none),
        ("PolicyArn", &none),
        ("PolicyDocument", &document),
        ("PolicyName", "none"),
        ("PolicySourceArn", &user),
        ("RoleArn", &role),
        ("RoleName", "none"),
        ("RoleSessionName", "none"),
        ("SSHPublicKeyBody", "none"),
        ("SSHPublicKeyId", "APKAMISSINGMISSING222"),
        ("ServiceName", "codecommit.amazonaws.com"),
        ("ServiceNamespace", "kms"),
        ("ServiceSpecificCredentialId", "ACCAMISSINGMISSING222"),
        ("Status", "Active"),
        ("Url", "https://none.example"),
        ("UserName", "none"),
        ("VersionId", "v1"),
        ("WebIdentityToken", "none"),
    ];
    let mut values: BTreeMap<_, _> =
        plain.into_iter().map(|(name, value)| (name, vec![(name.to_owned(), value.to_owned())])).collect();
    for (name, value) in [
        ("ActionNames", "s3:GetObject"),
        ("PolicyInputList", &document),
        ("ServiceNamespaces", "kms"),
        ("TagKeys", "none"),
        ("ThumbprintList", "0123456789012345678901234567890123456789"),
    ] {
        values.insert(name, vec![(format!("{name}.member.1"), value.to_owned())]);
    }
    let tag = ["Key", "Value"].map(|part| (format!("Tags.member.1.{part}"), "none".to_owned()));
    values.insert("Tags", tag.to_vec());
    values
}

/// `+` for a call that passed authorisation, whatever came of it, `-` for one that was denied.
fn mark(operation: &str, answer: &Answer) -> char {
    let denied = answer.error == Some("AccessDenied");
    assert!(answer.status < 500, "{operation}: {}", answer.body);
    let form = answer.body.contains("validation error") || answer.body.contains("MissingParameter");
    assert!(!form, "{operation} never got to its decision: {}", answer.body);
    if denied { '-' } else { '+' }
}

async fn rows<S: Service>(server: &Server, callers: &[Key], out: &mut String) {
    let values = values();
    let operations: &[Entry<S>] = S::operations();
    for entry in operations {
        let mut parameters = Vec::new();
        for member in entry.input.iter().filter(|member| member.required) {
            let value = values.get(member.name);
            parameters.extend(value.unwrap_or_else(|| {
                panic!("{}: give {} a value in crates/api/iam/src/tests/matrix.rs, values()", entry.name, member.name)
            }));
        }
        let mut parameters: Vec<_> = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        // An access key that belongs to nobody is reported to no caller.
        if entry.name == "GetAccessKeyLastUsed" {
            parameters = vec![("AccessKeyId", &server.admin.id)];
        }
        let mut marks = String::new();
        for caller in callers {
            let answer = match S::NAME {
                "sts" => server.sts(caller, entry.name, &parameters).await,
                _ => server.call(caller, entry.name, &parameters).await,
            };
            marks.push(' ');
            marks.push(mark(entry.name, &answer));
        }
        let _ = writeln!(out, "{}:{}{marks}", S::NAME, entry.name);
    }
}

#[tokio::test]
async fn every_operation_decides_about_typical_callers_as_the_matrix_says() {
    let server = Server::start().await;
    let root = root_key(&server).await;
    let reader = server.user("reader").await;
    let read_only = ("PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess");
    server.admin("AttachUserPolicy", &[("UserName", "reader"), read_only]).await.ok();
    let nobody = server.user("nobody").await;
    let stranger = stranger(&server).await;
    let callers = [root, server.admin.clone(), reader, nobody, stranger];
    let mut found = String::from("# operation: root administrator read-only nobody stranger\n");
    rows::<Iam>(&server, &callers, &mut found).await;
    rows::<Sts>(&server, &callers, &mut found).await;
    let golden = std::fs::read_to_string(GOLDEN).expect("the matrix");
    let (expected, actual): (BTreeSet<_>, BTreeSet<_>) = (golden.lines().collect(), found.lines().collect());
    let lines = |lines: Vec<&&str>| lines.into_iter().map(|line| format!("    {line}\n")).collect::<String>();
    assert!(
        found == golden,
        "the matrix in {GOLDEN} does not say what the operations decide.\nDecide whether each of these rows is right \
         (+ permitted, - denied), then put it into the file, in the order of the operations' tables:\n{}and take \
         out:\n{}",
        lines(actual.difference(&expected).collect()),
        lines(expected.difference(&actual).collect()),
    );
}

/// An administrator of another account, who may do everything there.
async fn stranger(server: &Server) -> Key {
    let made = create_account(&server.store, "strangers", OPERATOR).await.expect("made");
    let root = Key { id: made.access_key_id, secret: made.secret_access_key.expose().to_owned() };
    server.call(&root, "CreateUser", &[("UserName", "stranger")]).await.ok();
    let everything = ("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess");
    server.call(&root, "AttachUserPolicy", &[("UserName", "stranger"), everything]).await.ok();
    let made = server.call(&root, "CreateAccessKey", &[("UserName", "stranger")]).await.ok();
    Key { id: made.text("AccessKeyId").to_owned(), secret: made.text("SecretAccessKey").to_owned() }
}
