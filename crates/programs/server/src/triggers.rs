//! Events of repositories and buckets on their way: posted to a URL with a signature, or given to a program as its input.
//!
//! The signature is `sha256=` and the HMAC-SHA-256 of the body in hexadecimal digits, in `X-Sealstack-Signature`.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use client::{Limits, Request, Transport, Trust};
use crypto::{HmacKey, SecretBytes, hex};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use service::BoxFuture;
use service::ports::EventDelivery;

use crate::config::TriggerSettings;
use crate::error::{ConfigError, ServerError};

/// The header with the signature of an event.
const SIGNATURE: HeaderName = HeaderName::from_static("x-sealstack-signature");

/// How long a destination may take.
const TIME_MAX: Duration = Duration::from_secs(30);

/// How often a running program is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// The ways to all destinations, by their ARNs.
#[derive(Default)]
pub(crate) struct Destinations(BTreeMap<String, Way>);

enum Way {
    Post(Box<Endpoint>),
    Run(Vec<String>),
}

/// A URL, the key that events are signed with, and the connections to it.
struct Endpoint {
    uri: Uri,
    key: Option<HmacKey>,
    transport: Transport,
}

impl Destinations {
    /// The ways that the configuration names.
    ///
    /// # Errors
    /// [`ServerError::Io`] for a file that cannot be read; [`ConfigError::Value`] for a URL that is none.
    pub(crate) fn new(settings: &BTreeMap<String, TriggerSettings>) -> Result<Self, ServerError> {
        let ways = settings.iter().map(|(arn, settings)| Ok((arn.clone(), Way::new(settings)?)));
        ways.collect::<Result<_, ServerError>>().map(Self)
    }
}

impl Way {
    fn new(settings: &TriggerSettings) -> Result<Self, ServerError> {
        if let Some(command) = &settings.command {
            return Ok(Self::Run(command.clone()));
        }
        let read = |path: &std::path::PathBuf| {
            let failed = |cause| ServerError::Io { action: "read", path: path.clone(), cause };
            std::fs::read(path).map_err(failed)
        };
        let rule = "a URL such as https://ci.example.com/hook";
        let uri = settings.url.as_deref().unwrap_or_default().parse();
        let uri = uri.map_err(|_| ConfigError::Value { setting: "url of a table of triggers", rule })?;
        let secret = settings.secret_file.as_ref().map(read).transpose()?.map(SecretBytes::from);
        let key = secret.map(|secret| HmacKey::new(secret.expose().trim_ascii()));
        let trust = settings.ca.as_ref().map(read).transpose()?.map_or(Trust::System, Trust::Only);
        let transport = Transport::new(trust, Limits { answer: TIME_MAX, ..Limits::default() });
        Ok(Self::Post(Box::new(Endpoint { uri, key, transport })))
    }
}

impl EventDelivery for Destinations {
    fn deliver<'a>(&'a self, destination: &'a str, message: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            match self.0.get(destination) {
                None => Err(format!("no endpoint is configured for {destination}")),
                Some(Way::Post(endpoint)) => endpoint.post(message).await,
                Some(Way::Run(command)) => {
                    let (command, message) = (command.clone(), message.to_owned());
                    let run = tokio::task::spawn_blocking(move || run(&command, &message)).await;
                    run.unwrap_or_else(|_| Err("the program was interrupted".to_owned()))
                }
            }
        })
    }
}

impl Endpoint {
    async fn post(&self, message: &str) -> Result<(), String> {
        let Self { uri, key, transport } = self;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(key) = key {
            let signature = format!("sha256={}", hex::encode(&key.sign(&[message.as_bytes()])));
            // Hexadecimal digits are a value.
            headers.extend(HeaderValue::from_str(&signature).ok().map(|value| (SIGNATURE, value)));
        }
        let body = SecretBytes::from(message.as_bytes().to_vec());
        let request = Request { method: Method::POST, uri: uri.clone(), headers, body };
        match transport.send(request).await {
            Ok(answer) if answer.status.is_success() => Ok(()),
            Ok(answer) => Err(format!("the endpoint answered {}", answer.status)),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Runs a program with a message as its input. Blocks.
fn run(command: &[String], message: &str) -> Result<(), String> {
    let Some((program, arguments)) = command.split_first() else { return Err("no program is named".to_owned()) };
    let started =
        Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut child = started.map_err(|error| format!("{program} cannot be started: {error}"))?;
    if let Some(mut input) = child.stdin.take() {
        // Whoever needs no input may end without reading it; what counts is how it ends.
        let _ = input.write_all(message.as_bytes());
    }
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("{program} ended with {status}")),
            Ok(None) if begun.elapsed() < TIME_MAX => std::thread::sleep(LOOK),
            Ok(None) => {
                let ended = child.kill().and_then(|()| child.wait());
                return Err(format!(
                    "{program} took too long{}",
                    if ended.is_ok() { "" } else { " and cannot be ended" }
                ));
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    const ARN: &str = "arn:aws:sns:us-east-1:111122223333:builds";

    fn destinations(settings: TriggerSettings) -> Destinations {
        Destinations::new(&BTreeMap::from([(ARN.to_owned(), settings)])).expect("valid")
    }

    #[tokio::test]
    async fn a_program_gets_the_event_as_its_input_and_its_end_counts() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("event");
        let shell = |script: &str| {
            let words = ["/bin/sh", "-c", script, "sh", file.to_str().expect("UTF-8")].map(str::to_owned);
            destinations(TriggerSettings { command: Some(words.to_vec()), ..TriggerSettings::default() })
        };
        shell("cat > \"$1\"").deliver(ARN, "{\"a\":1}").await.expect("taken");
        assert_eq!(std::fs::read_to_string(&file).expect("written"), "{\"a\":1}");
        let refused = shell("exit 3").deliver(ARN, "{}").await.expect_err("refused");
        assert!(refused.contains('3'), "{refused}");
        let unknown = shell("true").deliver("arn:aws:sns:us-east-1:111122223333:other", "{}").await;
        assert!(unknown.expect_err("unknown").contains(":other"));
    }

    #[tokio::test]
    async fn a_posted_event_is_signed_and_any_answer_but_success_is_a_failure() {
        let directory = tempfile::tempdir().expect("a directory");
        let secret = directory.path().join("secret");
        std::fs::write(&secret, "key\n").expect("written");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let server = std::thread::spawn(move || {
            ["200 OK", "500 Internal Server Error"].map(|status| {
                let (mut stream, _) = listener.accept().expect("a connection");
                let mut request = Vec::new();
                while !request.ends_with(b"{\"a\":1}") {
                    let mut piece = [0; 1024];
                    let read = stream.read(&mut piece).expect("read");
                    request.extend_from_slice(&piece[..read]);
                }
                write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").expect("sent");
                String::from_utf8(request).expect("text")
            })
        });
        let to =
            destinations(TriggerSettings { url: Some(url), secret_file: Some(secret), ..TriggerSettings::default() });
        to.deliver(ARN, "{\"a\":1}").await.expect("taken");
        let refused = to.deliver(ARN, "{\"a\":1}").await.expect_err("refused");
        assert!(refused.contains("500"), "{refused}");
        let [first, _] = server.join().expect("served");
        let expected = hex::encode(&HmacKey::new(b"key").sign(&[b"{\"a\":1}"]));
        assert!(first.starts_with("POST /hook ") && first.contains(&format!("sha256={expected}")), "{first}");
    }
}
