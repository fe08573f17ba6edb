//! Requests that are signed and, where that helps, tried again. What an answer that is no success says.

use std::time::SystemTime;

use http::Uri;
use wire::Timestamp;
use wire::sigv4::{Payload, Rules, Signer};

use crate::transport::host;
use crate::{Answer, ClientError, Credentials, Request, ServiceError, Transport, TransportError, retry};

/// Who signs, for which service, in which region.
#[derive(Clone, Copy)]
pub struct Signing<'a> {
    /// The access key.
    pub credentials: &'a Credentials,
    /// The region of the scope.
    pub region: &'a str,
    /// The service's signing name.
    pub service: &'a str,
}

impl Signing<'_> {
    /// A copy of the request, with the headers that sign it at this moment.
    fn sign(&self, request: &Request) -> Result<Request, ClientError> {
        let Request { method, uri, headers, body } = request;
        let body = crypto::SecretBytes::from(body.expose());
        let mut copy = Request { method: method.clone(), uri: uri.clone(), headers: headers.clone(), body };
        self.sign_in_place(&mut copy)?;
        Ok(copy)
    }

    /// Adds the headers that sign the request at this moment.
    fn sign_in_place(&self, request: &mut Request) -> Result<(), ClientError> {
        let url = || TransportError::Url(request.uri.to_string());
        let headers = &mut request.headers;
        headers.insert(http::header::HOST, host(&request.uri).ok_or_else(url)?);
        let signer = Signer {
            access_key_id: &self.credentials.access_key_id,
            secret_access_key: self.credentials.secret_access_key.as_bytes(),
            session_token: self.credentials.session_token.as_deref().map(String::as_str),
            region: self.region,
            service: self.service,
            rules: if self.service == "s3" { Rules::S3 } else { Rules::STANDARD },
        };
        let time = now();
        let key = self.credentials.signing_key(time, self.region, self.service);
        let (path, query) = (request.uri.path(), request.uri.query().unwrap_or_default());
        let line = (request.method.as_str(), path, query);
        signer.sign_with(&key, line, headers, Payload::Body(request.body.expose()), time)?;
        Ok(())
    }
}

/// The time of signing.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

impl Transport {
    /// Signs a request and sends it, up to `attempts` times while the other side is busy or out of reach. An answer
    /// that is no success is an error.
    ///
    /// # Errors
    /// [`ClientError::Service`], [`ClientError::Transport`], [`ClientError::Sign`].
    pub async fn call(&self, request: &Request, signing: &Signing<'_>, attempts: u32) -> Result<Answer, ClientError> {
        self.attempt(attempts, || signing.sign(request)).await
    }

    /// Signs a request and sends it once. Yields the answer whatever its status.
    ///
    /// # Errors
    /// [`ClientError::Transport`], [`ClientError::Sign`].
    pub async fn send_signed(&self, mut request: Request, signing: &Signing<'_>) -> Result<Answer, ClientError> {
        signing.sign_in_place(&mut request)?;
        Ok(self.send(request).await?)
    }

    /// Sends a request that nobody signs, as [`call`](Self::call) does.
    pub(crate) async fn call_unsigned(&self, request: &Request, attempts: u32) -> Result<Answer, ClientError> {
        let copy = || {
            let body = crypto::SecretBytes::from(request.body.expose());
            let Request { method, uri, headers, .. } = request;
            Ok(Request { method: method.clone(), uri: uri.clone(), headers: headers.clone(), body })
        };
        self.attempt(attempts, copy).await
    }

    async fn attempt(
        &self,
        attempts: u32,
        request: impl Fn() -> Result<Request, ClientError>,
    ) -> Result<Answer, ClientError> {
        let mut made = 0;
        loop {
            // Signed again each time: a signature is good for some minutes only.
            let answered = match self.send(request()?).await {
                Ok(answer) if answer.status.is_success() => return Ok(answer),
                Ok(answer) => ClientError::Service(refusal(&answer)),
                Err(error) => error.into(),
            };
            made += 1;
            match retry::wait(&answered, made).filter(|_| made < attempts) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(answered),
            }
        }
    }
}

/// The error in an answer that is no success, in awsJson, REST-JSON or XML.
fn refusal(answer: &Answer) -> ServiceError {
    let body = answer.body.expose();
    let status = answer.status.as_u16();
    let header = answer.headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok());
    let (mut code, mut message) = (header.map(str::to_owned), None);
    if let Ok(said) = serde_json::from_slice::<serde_json::Value>(body) {
        let text = |names: [&str; 3]| names.iter().find_map(|name| said.get(*name)?.as_str()).map(str::to_owned);
        code = text(["__type", "code", "errorName"]).or(code);
        message = text(["message", "Message", "errorMessage"]);
    } else if let Some(fields) = crate::sts::fields(body) {
        code = fields.get("Code").map(|text| text.to_string()).or(code);
        message = fields.get("Message").map(|text| text.to_string());
    }
    // Some services put a namespace before the name, and some a URL after it.
    let code = code.unwrap_or_default();
    let code = code.split(':').next().unwrap_or_default().rsplit('#').next().unwrap_or_default().to_owned();
    let reason = answer.status.canonical_reason().unwrap_or("no success");
    ServiceError {
        status,
        code: if code.is_empty() { format!("Status{status}") } else { code },
        message: message.unwrap_or_else(|| reason.to_owned()),
    }
}

/// A URL from its text.
pub(crate) fn uri(text: &str) -> Result<Uri, TransportError> {
    text.parse::<Uri>().map_err(|_| TransportError::Url(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::*;

    fn answer(status: u16, error_type: Option<&'static str>, body: &str) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some(text) = error_type {
            headers.insert("x-amzn-errortype", http::HeaderValue::from_static(text));
        }
        let status = StatusCode::from_u16(status).expect("a status");
        Answer { status, headers, body: body.as_bytes().into() }
    }

    #[test]
    fn refusals_are_read_in_every_protocol() {
        for (answer, code, message) in [
            (
                answer(400, None, r#"{"__type":"com.amazonaws.kms#NotFoundException","message":"gone"}"#),
                "NotFoundException",
                "gone",
            ),
            (answer(400, Some("Throttling:http://x/"), r#"{"Message":"slow"}"#), "Throttling", "slow"),
            (
                answer(
                    403,
                    None,
                    "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>a &lt; b</Message></Error>\
                     <RequestId>1</RequestId></ErrorResponse>",
                ),
                "AccessDenied",
                "a < b",
            ),
            (answer(404, None, r#"{"errorName":"KeyNotFoundException"}"#), "KeyNotFoundException", "Not Found"),
            (answer(502, None, "Bad gateway"), "Status502", "Bad Gateway"),
            (answer(500, None, ""), "Status500", "Internal Server Error"),
        ] {
            let status = answer.status.as_u16();
            assert_eq!(refusal(&answer), ServiceError { status, code: code.into(), message: message.into() });
        }
    }
}
