use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use front::{CertificateSource, Certificates, Front, Limits, Listener, Serving, Workers};
use pki::LocalAuthority;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use service::RequestBody as _;
use wire::Protocol;

use super::*;

/// Answers with what it was sent.
#[derive(Default)]
struct Echo;

const JSON: Protocol = Protocol::json("1.1", "Echo");

fn reply(error: Option<&'static str>, body: String) -> Reply {
    let status = if error.is_some() { 400 } else { 200 };
    let (request_id, body) = ("the-id".to_owned(), body.into_bytes());
    Reply { protocol: JSON, status, request_id, error, headers: HeaderMap::new(), body, stream: None }
}

impl Api for Echo {
    async fn serve(&self, head: Head<'_>, mut body: Arriving<'_>) -> Reply {
        let secure = if head.secure { "TLS" } else { "plain" };
        match head.uri.path() {
            "/error" => reply(Some("NotFoundException"), String::new()),
            "/unread" => reply(Some("Refused"), String::new()),
            "/echo" => {
                let stream = body.stream().map_err(Into::into);
                Reply { stream: Some(Box::pin(stream)), ..reply(None, String::new()) }
            }
            path => match body.whole(if path == "/small" { 1000 } else { usize::MAX }).await {
                Ok(bytes) => reply(None, format!("{} {path} {secure} {}", head.method, bytes.len())),
                Err(error) => {
                    let fault = error.fault(JSON);
                    Reply { status: fault.status, ..reply(Some(fault.code), String::new()) }
                }
            },
        }
    }

    fn is_below_name(&self, head: &Head<'_>) -> bool {
        head.headers.get("host").is_some_and(|host| host == "photos.localhost")
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
    _serving: Serving,
}

fn run() -> Running {
    let authority = LocalAuthority::create(SystemTime::now()).expect("an authority");
    let certificates = Certificates::new(CertificateSource::Local(authority, Vec::new())).expect("a certificate");
    let listener = Listener::bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let address = listener.address();
    let front = Arc::new(Front::new(AwsHttp(Echo), Arc::new(certificates), Limits::default(), false));
    Running { address, _serving: front.serve(listener, Workers::start(None).expect("threads")) }
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
async fn paths_below_a_host_of_its_own_are_never_the_servers() {
    let server = run();
    for path in ["/health", "/metrics", "/v1/repos/photos/info/refs"] {
        let get = |host: &str| format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = server.exchange(get("photos.localhost")).await;
        assert!(answer.ends_with(&format!("GET {path} plain 0")), "{answer}");
        assert!(!server.exchange(get("localhost")).await.ends_with(" plain 0"), "{path}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_ends_its_connection() {
    let server = run();
    let body = "a".repeat(1001);
    let request = format!("POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n{body}");
    let answer = server.exchange(request).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    for header in ["connection: close\r\n", "x-amzn-requestid: the-id\r\n", "RequestEntityTooLargeException\r\n"] {
        assert!(answer.contains(header), "{header} in {answer}");
    }
    // Elsewhere, and up to the limit, it is taken.
    for (path, length) in [("/small", 1000), ("/", body.len())] {
        let body = body.get(..length).expect("so many");
        let request = format!("POST {path} HTTP/1.1\r\n{CLOSE}Content-Length: {length}\r\n\r\n{body}");
        assert!(server.exchange(request).await.ends_with(&format!("POST {path} plain {length}")), "{path} {length}");
    }
}

#[tokio::test]
async fn a_client_that_waits_to_be_asked_for_its_body_is_asked_only_if_it_is_read() {
    let server = run();
    let expect = |path| format!("POST {path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    let refused = server.exchange(expect("/unread")).await;
    assert!(refused.starts_with("HTTP/1.1 400 ") && refused.contains("connection: close\r\n"), "{refused}");

    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    stream.write_all(expect("/").as_bytes()).await.expect("sent");
    let mut continued = [0; 25];
    stream.read_exact(&mut continued).await.expect("an interim answer");
    assert_eq!(&continued, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"abc").await.expect("sent");
    let mut answer = vec![0; 512];
    let length = stream.read(&mut answer).await.expect("an answer");
    assert!(String::from_utf8_lossy(&answer[..length]).ends_with("POST / plain 3"));
}

#[tokio::test]
async fn a_short_body_that_nobody_read_does_not_end_its_connection() {
    let answer = run()
        .exchange(format!(
            "POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcPOST / HTTP/1.1\r\n{CLOSE}Content-Length: 0\r\n\r\n"
        ))
        .await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.ends_with("POST / plain 0"), "{answer}");
}

#[tokio::test]
async fn a_body_of_any_length_flows_through() {
    const CHUNK: usize = 64 * 1024;
    const CHUNKS: usize = 64;
    let mut stream = TcpStream::connect(run().address).await.expect("a connection");
    let (mut read, mut write) = stream.split();
    let send = async {
        let head = format!("POST /echo HTTP/1.1\r\n{CLOSE}Transfer-Encoding: chunked\r\n\r\n");
        write.write_all(head.as_bytes()).await.expect("sent");
        for _ in 0..CHUNKS {
            write.write_all(format!("{CHUNK:x}\r\n{}\r\n", "b".repeat(CHUNK)).as_bytes()).await.expect("sent");
        }
        write.write_all(b"0\r\n\r\n").await.expect("sent");
    };
    let receive = async {
        let mut answer = Vec::new();
        read.read_to_end(&mut answer).await.expect("an answer");
        answer
    };
    let ((), answer) = tokio::join!(send, receive);
    let echoed = answer.iter().filter(|byte| **byte == b'b').count();
    assert_eq!(echoed, CHUNK * CHUNKS);
    assert!(answer.ends_with(b"\r\n0\r\n\r\n"));
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
