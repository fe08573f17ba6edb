//! Signed requests as bytes, ready to be replayed.

use std::net::SocketAddr;
use std::path::Path;
use std::time::SystemTime;

use http::{HeaderMap, HeaderValue};
use serde_json::Value;
use wire::Timestamp;
use wire::sigv4::{Payload, RequestParts, Rules, Signer};

use crate::load::{Answer, Connection};

pub(crate) const REGION: &str = "us-east-1";

/// An access key.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Credentials {
    /// The `default` profile of a shared credentials file.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(path).ok()?;
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.trim().strip_prefix(name))?;
            Some(line.trim().trim_start_matches('=').trim().to_owned())
        };
        Some(Self { id: value("aws_access_key_id")?, secret: value("aws_secret_access_key")? })
    }
}

/// One signed KMS request.
pub(crate) fn kms(credentials: &Credentials, address: SocketAddr, operation: &str, body: &Value) -> Vec<u8> {
    let target = format!("TrentService.{operation}");
    signed(
        credentials,
        address,
        "kms",
        &[("content-type", "application/x-amz-json-1.1"), ("x-amz-target", &target)],
        &body.to_string(),
    )
}

/// Makes one CodeCommit call that has to succeed.
pub(crate) async fn call_codecommit(
    connection: &mut Connection,
    credentials: &Credentials,
    address: SocketAddr,
    operation: &str,
    body: &Value,
) -> std::io::Result<Value> {
    let target = format!("CodeCommit_20150413.{operation}");
    let named = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", &*target)];
    let request = signed(credentials, address, "codecommit", &named, &body.to_string());
    json(operation, connection.call(&request).await?)
}

/// One signed IAM request.
pub(crate) fn iam(credentials: &Credentials, address: SocketAddr, form: &str) -> Vec<u8> {
    let form = format!("{form}&Version=2010-05-08");
    signed(credentials, address, "iam", &[("content-type", "application/x-www-form-urlencoded; charset=utf-8")], &form)
}

fn signed(
    credentials: &Credentials,
    address: SocketAddr,
    service: &str,
    named: &[(&'static str, &str)],
    body: &str,
) -> Vec<u8> {
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_str(&address.to_string()).expect("an address is a header value"));
    for (name, value) in named {
        headers.insert(*name, HeaderValue::from_str(value).expect("a header value"));
    }
    // What botocore sends along.
    headers.insert(
        "user-agent",
        HeaderValue::from_static("aws-cli/1.46.3 md/Botocore#1.44.5 ua/2.1 os/linux lang/python"),
    );
    headers.insert("accept-encoding", HeaderValue::from_static("identity"));
    let signer = Signer {
        access_key_id: &credentials.id,
        secret_access_key: credentials.secret.as_bytes(),
        session_token: None,
        region: REGION,
        service,
        rules: Rules::STANDARD,
    };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock after 1970");
    let now = Timestamp::from_millis(i64::try_from(now.as_millis()).expect("a clock before the year 292278994"));
    let parts = RequestParts { method: "POST", path: "/", query: "", headers: &headers, host: None };
    let added = signer.sign(&parts, Payload::Body(body.as_bytes()), now).expect("a request that can be signed");
    headers.extend(added);
    let mut request = b"POST / HTTP/1.1\r\n".to_vec();
    for (name, value) in &headers {
        request.extend_from_slice(name.as_str().as_bytes());
        request.extend_from_slice(b": ");
        request.extend_from_slice(value.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(format!("content-length: {}\r\n\r\n{body}", body.len()).as_bytes());
    request
}

/// Makes one KMS call that has to succeed.
pub(crate) async fn call_kms(
    connection: &mut Connection,
    credentials: &Credentials,
    address: SocketAddr,
    operation: &str,
    body: &Value,
) -> std::io::Result<Value> {
    json(operation, connection.call(&kms(credentials, address, operation, body)).await?)
}

/// The JSON of an answer that has to be a success.
fn json(operation: &str, answer: Answer) -> std::io::Result<Value> {
    if answer.status != 200 {
        let said = String::from_utf8_lossy(&answer.body).into_owned();
        return Err(std::io::Error::other(format!("{operation} answered {}: {said}", answer.status)));
    }
    Ok(serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
}

/// Makes one IAM call that has to succeed; its XML.
pub(crate) async fn call_iam(
    connection: &mut Connection,
    credentials: &Credentials,
    address: SocketAddr,
    form: &str,
) -> std::io::Result<String> {
    let answer = connection.call(&iam(credentials, address, form)).await?;
    let said = String::from_utf8_lossy(&answer.body).into_owned();
    if answer.status == 200 {
        Ok(said)
    } else {
        Err(std::io::Error::other(format!("{form} answered {}: {said}", answer.status)))
    }
}

/// The text of the first element of this name.
pub(crate) fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = xml.split_once(&format!("<{name}>"))?;
    after.split_once(&format!("</{name}>")).map(|(text, _)| text)
}
