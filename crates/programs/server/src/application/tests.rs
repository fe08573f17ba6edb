use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use front::{CertificateSource, Certificates, Front, Limits, Listener, Serving, Workers};
use pki::LocalAuthority;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

/// Answers with what it was sent.
#[derive(Default)]
struct Echo {
    unread: Arc<Mutex<Vec<String>>>,
}

impl Api for Echo {
    async fn handle(&self, incoming: &Incoming) -> Reply {
        let error = (incoming.uri.path() == "/error").then_some("NotFoundException");
        let status = if error.is_some() { 400 } else { 200 };
        let secure = if incoming.secure { "TLS" } else { "plain" };
        let body = format!("{} {} {secure} {}", incoming.method, incoming.uri.path(), incoming.body.len());
        let content_type = "application/x-amz-json-1.1";
        Reply { status, content_type, request_id: "the-id".to_owned(), error, body: body.into_bytes() }
    }

    fn body_bytes_max(&self, head: &request::Parts) -> usize {
        if head.uri.path() == "/small" { BODY_BYTES_LEAST } else { usize::MAX }
    }

    fn unread(&self, head: &request::Parts, ip: IpAddr, fault: &Fault) -> String {
        self.unread.lock().expect("no panic").push(format!("{ip} {} {}", head.uri.path(), fault.code));
        "unread-id".to_owned()
    }

    fn health_problem(&self) -> Option<HealthProblem> {
        Some(HealthProblem::unavailable("for the test"))
    }

    fn metrics(&self) -> String {
        "# EOF\n".to_owned()
    }
}

struct Running {
    address: SocketAddr,
    unread: Arc<Mutex<Vec<String>>>,
    _serving: Serving,
}

fn run() -> Running {
    let authority = LocalAuthority::create(SystemTime::now()).expect("an authority");
    let certificates = Certificates::new(CertificateSource::Local(authority, Vec::new())).expect("a certificate");
    let listener = Listener::bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let (address, echo) = (listener.address(), Echo::default());
    let unread = Arc::clone(&echo.unread);
    let front = Arc::new(Front::new(AwsHttp(echo), Arc::new(certificates), Limits::default(), false));
    Running { address, unread, _serving: front.serve(listener, Workers::start(None).expect("threads")) }
}

impl Running {
    /// Sends `request` and returns everything that comes back until the server closes.
    async fn exchange(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = TcpStream::connect(self.address).await.expect("a connection");
        stream.write_all(request.as_ref()).await.expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("an answer");
        String::from_utf8(answer).expect("UTF-8")
    }
}

const CLOSE: &str = "Host: x\r\nConnection: close\r\n";

#[tokio::test]
async fn a_call_is_answered_with_the_headers_that_aws_sends() {
    let answer = run().exchange(format!("POST / HTTP/1.1\r\n{CLOSE}Content-Length: 3\r\n\r\nabc")).await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    for header in ["x-amzn-requestid: the-id", "content-type: application/x-amz-json-1.1", "date: ", "content-length: "]
    {
        assert!(head.contains(header), "{header} in {head}");
    }
    assert!(!head.contains("x-amzn-errortype"), "{head}");
    assert_eq!(body, "POST / plain 3");
}

#[tokio::test]
async fn an_error_is_named_in_a_header() {
    let answer = run().exchange(format!("GET /error HTTP/1.1\r\n{CLOSE}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("x-amzn-errortype: NotFoundException\r\n"), "{answer}");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_in_the_protocol_of_its_call_and_recorded() {
    let server = run();
    let body = "a".repeat(BODY_BYTES_LEAST + 1);
    for (target, content_type, error_type) in
        [("X-Amz-Target: TrentService.Encrypt\r\n", "application/x-amz-json-1.1", true), ("", "text/xml", false)]
    {
        let length = body.len();
        let request = format!("POST /small HTTP/1.1\r\nHost: x\r\n{target}Content-Length: {length}\r\n\r\n{body}");
        let answer = server.exchange(request).await;
        assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("RequestEntityTooLarge"), "{answer}");
        for header in ["connection: close\r\n", "x-amzn-requestid: unread-id\r\n", content_type] {
            assert!(answer.contains(header), "{header} in {answer}");
        }
        assert_eq!(answer.contains("x-amzn-errortype: RequestEntityTooLarge"), error_type, "{answer}");
    }
    let recorded = server.unread.lock().expect("no panic").clone();
    assert_eq!(
        recorded,
        ["RequestEntityTooLargeException", "RequestEntityTooLarge"].map(|code| format!("127.0.0.1 /small {code}"))
    );
    // Elsewhere, and up to the limit, it is taken.
    for (path, length) in [("/small", BODY_BYTES_LEAST), ("/", body.len())] {
        let body = body.get(..length).expect("so many");
        let request = format!("POST {path} HTTP/1.1\r\n{CLOSE}Content-Length: {length}\r\n\r\n{body}");
        assert!(server.exchange(request).await.ends_with(&format!("POST {path} plain {length}")), "{path} {length}");
    }
}

#[tokio::test]
async fn the_servers_pages_say_how_it_is() {
    let server = run();
    let health = server.exchange(format!("GET /health HTTP/1.1\r\n{CLOSE}\r\n")).await;
    assert!(health.starts_with("HTTP/1.1 503 "), "{health}");
    let body =
        concat!(r#"{"status":"unavailable","reason":"for the test","version":""#, env!("CARGO_PKG_VERSION"), r#""}"#);
    assert!(health.ends_with(body), "{health}");
    assert!(server.exchange(format!("GET /metrics HTTP/1.1\r\n{CLOSE}\r\n")).await.ends_with("# EOF\n"));
}
