//! Roles assumed at the security token service, by an access key or by a web identity's token.
//!
//! Source: AWS STS API Reference, AssumeRole and AssumeRoleWithWebIdentity.

use std::collections::HashMap;
use std::path::Path;
use std::time::SystemTime;

use crypto::SecretBytes;
use http::{HeaderMap, HeaderValue, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use quick_xml::Reader;
use quick_xml::events::Event;
use zeroize::Zeroizing;

use crate::credentials::moment;
use crate::session::STS;
use crate::{ClientError, Credentials, Request, Session, Signing};

/// Characters that are percent-encoded in a form.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Elements of an answer that are read: more of them make it no answer of this service.
const FIELDS_MAX: usize = 64;

/// The region of the calls when nothing names one.
const REGION_DEFAULT: &str = "us-east-1";

/// A role, and how it is assumed.
pub(crate) struct Role {
    pub(crate) arn: String,
    pub(crate) name: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) seconds: Option<u32>,
}

impl Role {
    fn session_name(&self) -> String {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.name.clone().unwrap_or_else(|| format!("sealstack-{}", since.as_secs()))
    }

    fn failed(&self) -> impl Fn(ClientError) -> ClientError + '_ {
        |cause| ClientError::Role { role: self.arn.clone(), cause: Box::new(cause) }
    }
}

/// Assumes a role by an access key.
pub(crate) async fn assume(session: &Session, by: &Credentials, role: &Role) -> Result<Credentials, ClientError> {
    let seconds = role.seconds.map(|seconds| seconds.to_string());
    let request = request(session, |form| {
        for (name, value) in [
            ("Action", Some("AssumeRole")),
            ("RoleArn", Some(&role.arn)),
            ("RoleSessionName", Some(&role.session_name())),
            ("ExternalId", role.external_id.as_deref()),
            ("DurationSeconds", seconds.as_deref()),
        ] {
            parameter(form, name, value);
        }
    })
    .map_err(role.failed())?;
    let signing = Signing { credentials: by, region: region(session), service: STS.name };
    let answer = session.transport.call(&request, &signing, session.attempts).await.map_err(role.failed())?;
    credentials(&answer.body).ok_or(ClientError::Form { service: STS.name })
}

/// Assumes a role by the token in a file, which others renew there.
pub(crate) async fn assume_by_token(session: &Session, role: &Role, path: &Path) -> Result<Credentials, ClientError> {
    let failed =
        |cause| ClientError::WebIdentity { role: role.arn.clone(), path: path.to_owned(), cause: Box::new(cause) };
    let token = std::fs::read_to_string(path).map(Zeroizing::new);
    let token = token.map_err(|cause| ClientError::File { path: path.to_owned(), cause })?;
    let seconds = role.seconds.map(|seconds| seconds.to_string());
    let request = request(session, |form| {
        for (name, value) in [
            ("Action", Some("AssumeRoleWithWebIdentity")),
            ("RoleArn", Some(role.arn.as_str())),
            ("RoleSessionName", Some(&role.session_name())),
            ("WebIdentityToken", Some(token.trim())),
            ("DurationSeconds", seconds.as_deref()),
        ] {
            parameter(form, name, value);
        }
    })
    .map_err(failed)?;
    let answer = session.transport.call_unsigned(&request, session.attempts).await.map_err(failed)?;
    credentials(&answer.body).ok_or(ClientError::Form { service: STS.name })
}

fn region(session: &Session) -> &str {
    session.region().unwrap_or(REGION_DEFAULT)
}

fn request(session: &Session, fill: impl FnOnce(&mut SecretBytes)) -> Result<Request, ClientError> {
    let mut headers = HeaderMap::new();
    let form = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
    headers.insert(http::header::CONTENT_TYPE, form);
    let mut body = SecretBytes::from(&b"Version=2011-06-15"[..]);
    fill(&mut body);
    Ok(Request { method: Method::POST, uri: session.endpoint(STS, region(session))?, headers, body })
}

fn parameter(form: &mut SecretBytes, name: &str, value: Option<&str>) {
    let Some(value) = value else { return };
    for part in ["&", name, "="].into_iter().chain(utf8_percent_encode(value, ENCODED)) {
        form.extend(part.as_bytes());
    }
}

fn credentials(body: &SecretBytes) -> Option<Credentials> {
    let mut fields = fields(body.expose())?;
    let mut take = |name: &str| fields.remove(name);
    let (id, secret, token) = (take("AccessKeyId")?, take("SecretAccessKey")?, take("SessionToken")?);
    Some(Credentials::new(id.to_string(), secret, Some(token), Some(moment(&take("Expiration")?)?)))
}

/// The texts of the elements that hold nothing but text, by name; `None` when it isn't XML.
pub(crate) fn fields(body: &[u8]) -> Option<HashMap<String, Zeroizing<String>>> {
    let mut reader = Reader::from_str(std::str::from_utf8(body).ok()?);
    let mut fields = HashMap::new();
    let mut open: Option<(String, Zeroizing<String>)> = None;
    let mut any = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(element) => {
                any = true;
                open = Some((element.local_name().as_ref().to_owned(), Zeroizing::default()));
            }
            Event::Text(text) => {
                if let Some((_, value)) = &mut open {
                    value.push_str(&text);
                }
            }
            Event::GeneralRef(reference) => {
                if let Some((_, value)) = &mut open {
                    match reference.resolve_char_ref().ok()? {
                        Some(character) => value.push(character),
                        None => value.push_str(quick_xml::escape::resolve_predefined_entity(&reference)?),
                    }
                }
            }
            Event::End(_) => {
                if let Some((name, value)) = open.take() {
                    if fields.len() >= FIELDS_MAX {
                        return None;
                    }
                    fields.insert(name, value);
                }
            }
            Event::Eof => return any.then_some(fields),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
      <AssumeRoleResult>
        <AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/a/b</Arn></AssumedRoleUser>
        <Credentials>
          <AccessKeyId>ASIA1</AccessKeyId>
          <SecretAccessKey>a/b+c&amp;&#100;</SecretAccessKey>
          <SessionToken>token==</SessionToken>
          <Expiration>2026-11-25T15:00:00Z</Expiration>
        </Credentials>
      </AssumeRoleResult>
    </AssumeRoleResponse>"#;

    #[test]
    fn credentials_are_read_from_the_answer() {
        let found = credentials(&ANSWER.as_bytes().into()).expect("credentials");
        assert_eq!(found.access_key_id, "ASIA1");
        assert_eq!(found.secret_access_key.as_str(), "a/b+c&d");
        assert_eq!(found.session_token.expect("a token").as_str(), "token==");
        let expires = found.expires.expect("an end").duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        assert_eq!(expires.as_secs(), 1_795_618_800);
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for body in ["", "{}", "plain", "<a><b>", "<a>&unknown;</a>", "<a></b>", &ANSWER.replace("Expiration", "Ex")] {
            assert!(credentials(&body.as_bytes().into()).is_none(), "{body}");
        }
        let many = format!("<a>{}</a>", (0..100).map(|n| format!("<x{n}>1</x{n}>")).collect::<String>());
        assert!(fields(many.as_bytes()).is_none());
    }

    #[test]
    fn parameters_are_encoded() {
        let mut form = SecretBytes::from(&b"a=b"[..]);
        parameter(&mut form, "Name", Some("x y&=é~"));
        parameter(&mut form, "None", None);
        assert_eq!(form.expose(), b"a=b&Name=x%20y%26%3D%C3%A9~");
    }
}
