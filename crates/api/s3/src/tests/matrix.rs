//! The golden matrix: for each operation, which of five typical callers may call it.
//!
//! An operation that is added without a row fails the test, as does one whose decision changes.

use std::fmt::Write as _;

use service::{AuditClass, Entry, Service as _};
use wire::shape::At;

use super::*;
use crate::routes::ROUTES;

/// File of the expected matrix.
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests/matrix.txt");

/// The columns. `full` and `reader` hold what AWS's managed policies for S3 give; `lister` may list one bucket and no more;
/// `nobody` is of the account and holds nothing; `stranger` holds everything in another account.
const CALLERS: [&str; 5] = ["full", "reader", "lister", "nobody", "stranger"];

/// A request for an operation on the bucket, with everything that is required.
fn request(entry: &Entry<S3>, bucket: &str) -> (String, Vec<(&'static str, String)>, String) {
    let route = ROUTES.iter().find(|route| route.operation == entry.name).expect("a route");
    let arn = format!("arn%3Aaws%3As3%3A%3A%3A{bucket}");
    let bucket = if entry.name == "CreateBucket" { format!("{bucket}-new") } else { bucket.to_owned() };
    let uri = route.uri.replace("{Bucket}", &bucket).replace("{Key+}", "key").replace("{ResourceArn+}", &arn);
    let mut query: Vec<String> = Vec::new();
    let (mut headers, mut body) = (Vec::new(), String::new());
    for member in entry.input.iter().filter(|member| member.required) {
        match member.place.at {
            At::Label | At::PrefixHeaders(_) | At::Status => {}
            At::Query(name) => query.push(format!("{name}={}", value(entry.name, member.name))),
            At::Header(name) => {
                headers.push((name, value(entry.name, member.name).replace("SOURCE", &bucket)));
            }
            At::Body | At::Payload => body = value(entry.name, member.name),
        }
    }
    let (path, keys) = uri.split_once('?').unwrap_or((&uri, ""));
    let given = |key: &str| query.iter().any(|pair| pair.split('=').next() == Some(key));
    let bare: Vec<_> = keys.split('&').filter(|key| !key.is_empty() && !given(key)).map(str::to_owned).collect();
    let all = [bare, query].concat().join("&");
    let uri = if all.is_empty() { path.to_owned() } else { format!("{path}?{all}") };
    (format!("{} {uri}", route.method), headers, body)
}

/// A value for each member that some operation requires outside the path.
fn value(operation: &str, member: &str) -> String {
    match member {
        "AccountId" => ACCOUNT,
        "UploadId" => "none",
        "PartNumber" => "1",
        "TagKeys" | "Id" => "a",
        "Tags" => "<TagResourceRequest><Tags><Tag><Key>a</Key><Value>b</Value></Tag></Tags></TagResourceRequest>",
        "AbacStatus" => "<AbacStatus><Status>Disabled</Status></AbacStatus>",
        "CORSConfiguration" => {
            "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>\
             </CORSConfiguration>"
        }
        "ServerSideEncryptionConfiguration" => {
            "<ServerSideEncryptionConfiguration><Rule/></ServerSideEncryptionConfiguration>"
        }
        "NotificationConfiguration" => "<NotificationConfiguration/>",
        "OwnershipControls" => {
            "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>"
        }
        "Policy" => return policy_of(&json!({"AWS": ACCOUNT}), &json!("s3:GetObject"), &json!("arn:aws:s3:::x/*")),
        "Tagging" => "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
        "VersioningConfiguration" => "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
        "CopySource" | "RenameSource" => "/SOURCE/key",
        "ObjectAttributes" => "ETag",
        "ObjectEncryption" => {
            "<ObjectEncryption><SSE-KMS><KMSKeyArn>arn:aws:kms:us-east-1:111122223333:key/x</KMSKeyArn></SSE-KMS>\
             </ObjectEncryption>"
        }
        "Delete" => "<Delete><Object><Key>key</Key></Object></Delete>",
        "PublicAccessBlockConfiguration" => "<PublicAccessBlockConfiguration/>",
        _ => panic!("{operation}: give {member} a value in crates/api/s3/src/tests/matrix.rs, value()"),
    }
    .to_owned()
}

/// `+` for a call that passed authorisation, whatever came of it, `-` for one that was denied.
fn mark(operation: &str, code: Option<&str>) -> char {
    match code {
        Some("InternalError" | "MalformedXML" | "NotImplemented" | "MethodNotAllowed" | "SignatureDoesNotMatch") => {
            panic!("{operation} never got to its decision: {code:?}")
        }
        Some("AccessDenied") => '-',
        _ => '+',
    }
}

#[tokio::test]
async fn who_may_call_what_is_as_decided() {
    let world = World::new();
    world.user("full", ACCOUNT, &[allow(&json!(["s3:*", "s3-object-lambda:*"]), "*")]);
    world.user("reader", ACCOUNT, &[allow(&json!(["s3:Get*", "s3:List*", "s3:Describe*"]), "*")]);
    world.user("lister", ACCOUNT, &[allow(&json!("s3:ListBucket"), "*")]);
    let mut found = format!("# action: {}\n", CALLERS.join(" "));
    for (row, entry) in S3::operations().iter().enumerate() {
        let mut marks = String::new();
        for (column, caller) in CALLERS.into_iter().enumerate() {
            let bucket = format!("b{row}-{column}");
            world.done("admin", &format!("PUT /{bucket}"), "").await;
            let answer = if entry.form {
                world.post(Some(caller), &bucket, &[("key", "key")], b"x").await
            } else {
                let (request, headers, body) = request(entry, &bucket);
                let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
                world.send(caller, &request, &headers, body.as_bytes()).await
            };
            marks.extend([' ', mark(entry.name, answer.error)]);
        }
        let _ = writeln!(found, "s3:{}{marks}", entry.name);
    }
    if std::env::var_os("WRITE_MATRIX").is_some() {
        std::fs::write(GOLDEN, &found).expect("written");
    }
    let golden = std::fs::read_to_string(GOLDEN).expect("the matrix");
    assert!(
        found == golden,
        "the matrix in {GOLDEN} does not say what the operations decide (+ permitted, - denied, for {}). Read each row \
         that differs, and have the file written with WRITE_MATRIX=1 if it is right:\n{found}",
        CALLERS.join(", "),
    );
}

/// Reads must not be taken for changes, nor the other way round: the audit trail goes by it.
#[test]
fn operations_that_get_change_nothing() {
    for entry in S3::operations() {
        let reads = ["Get", "Head", "List"].iter().any(|prefix| entry.name.starts_with(prefix));
        assert_eq!(reads, entry.class == AuditClass::Read, "{}", entry.name);
    }
}
