use std::net::SocketAddr;
use std::sync::atomic::AtomicUsize;
use std::time::{Instant, SystemTime};

use http::{HeaderValue, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioExecutor;
use pki::LocalAuthority;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::*;
use crate::application::{Request, Response, ResponseBody};
use crate::certificates::{CertificateSource, Certificates};
use crate::limits::Limits;
use crate::listener::Listener;
use crate::pages::{self, HealthProblem, Page};
use crate::shared::BODIES_BYTES_MAX;
use crate::workers::Workers;

/// Bytes that a body at `/small` may have.
const SMALL_BYTES_MAX: usize = 64 * 1024;

/// Answers with what it was sent.
#[derive(Default)]
struct Echo {
    finished: AtomicUsize,
    refused: AtomicUsize,
}

impl Application for Echo {
    async fn handle(&self, request: Request<'_>) -> Response {
        let Request { mut head, body, peer } = request;
        let path = head.uri.path();
        match path {
            "/unread" => return Response::text(StatusCode::OK, "unread"),
            "/dropped" => {
                let mut stream = body.stream();
                let _ = stream.frame().await;
                drop(stream);
                return Response::text(StatusCode::OK, "dropped");
            }
            "/dropped-late" => {
                let stream = body.stream();
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(400)).await;
                    drop(stream);
                });
                return Response::text(StatusCode::OK, "dropped late");
            }
            _ => {}
        }
        let body = match body.whole(if path == "/small" { SMALL_BYTES_MAX } else { usize::MAX }).await {
            Ok(body) => body,
            Err(error) => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                return error.response();
            }
        };
        if path == "/slow" {
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
        self.finished.fetch_add(1, Ordering::Relaxed);
        let secure = if peer.secure { "TLS" } else { "plain" };
        let body = format!("{} {path} {secure} {}", head.method, body.len());
        // The room of the request's headers, as applications in a hurry use it.
        head.headers.clear();
        head.headers.insert("x-echo", HeaderValue::from_static("yes"));
        Response { status: StatusCode::OK, headers: head.headers, body: ResponseBody::Whole(body.into_bytes()) }
    }

    fn page(&self, head: &http::request::Parts, peer: Peer, draining: bool) -> Option<Response> {
        Some(match Page::asked(head)? {
            Page::Health => pages::health(draining.then_some(HealthProblem::DRAINING), "1.2.3"),
            Page::Metrics => pages::metrics(head, peer, || "# EOF\n".to_owned()),
        })
    }
}

struct Running {
    address: SocketAddr,
    front: Arc<Front<Echo>>,
    certificate: String,
    accepting: tokio::task::JoinHandle<()>,
    _workers: Arc<Workers>,
}

fn short() -> Limits {
    Limits {
        connections_max: 64,
        head_bytes_max: 16 * 1024,
        body_bytes_max: 64 * 1024,
        head_timeout: Duration::from_secs(1),
        body_timeout: Duration::from_secs(1),
        idle_timeout: Duration::from_secs(2),
        shutdown_timeout: Duration::from_secs(2),
    }
}

fn run(limits: Limits) -> Running {
    let authority = LocalAuthority::create(SystemTime::now()).expect("an authority");
    let certificate = authority.certificate_pem().to_owned();
    let certificates =
        Arc::new(Certificates::new(CertificateSource::Local(authority, Vec::new())).expect("a certificate"));
    let listener = Listener::bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let address = listener.address();
    let front = Arc::new(Front::new(Echo::default(), certificates, limits, false));
    let watched = Arc::clone(&front.shared);
    tokio::spawn(async move { watched.connections.sweep().await });
    let workers = Arc::new(Workers::start(None).expect("threads"));
    let accepting = tokio::spawn(listener.accept(Arc::clone(&front), Arc::clone(&workers)));
    Running { address, front, certificate, accepting, _workers: workers }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    async fn connect_tls(&self, protocols: &[&[u8]]) -> tokio_rustls::client::TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.certificate.as_bytes()).expect("PEM")).expect("a certificate");
        let builder = ClientConfig::builder_with_provider(crypto::tls::provider());
        let builder = builder.with_safe_default_protocol_versions().expect("versions");
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        let name = ServerName::try_from("localhost").expect("a name");
        TlsConnector::from(Arc::new(config)).connect(name, self.connect().await).await.expect("a handshake")
    }

    /// Sends `request` and returns everything that comes back until the server closes.
    async fn exchange(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request.as_ref()).await.expect("sent");
        read_all(&mut stream).await
    }
}

async fn read_all(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    // A reset after the answer ends it as well.
    let _ = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await.expect("an end");
    String::from_utf8_lossy(&answer).into_owned()
}

const CLOSE: &str = "Host: x\r\nConnection: close\r\n";

#[tokio::test]
async fn a_request_is_answered_with_the_headers_of_its_response_and_those_of_http() {
    let request = format!("POST / HTTP/1.1\r\n{CLOSE}X-Asked: yes\r\nContent-Length: 3\r\n\r\nabc");
    let answer = run(short()).exchange(request).await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    for header in ["x-echo: yes", "date: ", "content-length: "] {
        assert!(head.contains(header), "{header} in {head}");
    }
    assert!(!head.contains("x-asked"), "{head}");
    assert_eq!(body, "POST / plain 3");
}

#[tokio::test]
async fn requests_follow_each_other_on_one_connection_even_unasked() {
    let server = run(short());
    let request = "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";
    let answer = server.exchange(format!("{request}{request}GET / HTTP/1.1\r\n{CLOSE}\r\n")).await;
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 3, "{answer}");
}

#[tokio::test]
async fn a_client_that_expects_it_is_told_to_go_on() {
    let server = run(short());
    let mut stream = server.connect().await;
    let head = format!("POST / HTTP/1.1\r\n{CLOSE}Content-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.expect("an interim answer");
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"abc").await.expect("sent");
    assert!(read_all(&mut stream).await.ends_with("POST / plain 3"));
}

#[tokio::test]
async fn a_programs_own_pages_are_there_for_the_unsigned() {
    let server = run(short());
    let get = async |path: &str, more: &str| server.exchange(format!("GET {path} HTTP/1.1\r\n{CLOSE}{more}\r\n")).await;
    let health = get("/health", "").await;
    assert!(
        health.starts_with("HTTP/1.1 200 OK") && health.contains(r#"{"status":"ok","version":"1.2.3"}"#),
        "{health}"
    );
    assert!(get("/metrics", "").await.ends_with("# EOF\n"));
    assert!(get("/metrics", "X-Forwarded-For: 192.0.2.1\r\n").await.starts_with("HTTP/1.1 403 "));
    // A signed request means a resource of that name.
    assert!(get("/health", "Authorization: AWS4-HMAC-SHA256 …\r\n").await.ends_with("GET /health plain 0"));
    let head = server.exchange(format!("HEAD /health HTTP/1.1\r\n{CLOSE}\r\n")).await;
    assert!(head.starts_with("HTTP/1.1 200 OK") && head.ends_with("\r\n\r\n"), "{head}");
    server.front.shared.draining.store(true, Ordering::Relaxed);
    assert!(get("/health", "").await.starts_with("HTTP/1.1 503 "));
}

#[tokio::test]
async fn a_connection_that_sends_its_headers_too_slowly_is_closed() {
    let server = run(short());
    for first in ["", "P", "POST / HTTP/1.1\r\nHost: x\r\n", "\x16"] {
        let mut stream = server.connect().await;
        stream.write_all(first.as_bytes()).await.expect("sent");
        let started = Instant::now();
        let dribble = async {
            loop {
                tokio::time::sleep(Duration::from_millis(100)).await;
                if !first.is_empty() && stream.write_all(b"a").await.is_err() {
                    break;
                }
                let mut byte = [0];
                let read = tokio::time::timeout(Duration::from_millis(1), stream.read(&mut byte)).await;
                if matches!(read, Ok(Ok(0) | Err(_))) {
                    break;
                }
            }
        };
        // Bytes that begin like TLS and are none may be refused at once.
        tokio::time::timeout(Duration::from_secs(5), dribble).await.unwrap_or_else(|_| panic!("{first:?} is open"));
        assert!(first == "\x16" || started.elapsed() >= Duration::from_secs(1), "{first:?}: {:?}", started.elapsed());
    }
    assert!(server.front.shared.connections.closed().head.load(Ordering::Relaxed) >= 3);
}

#[tokio::test]
async fn a_body_that_does_not_come_closes_the_connection() {
    let server = run(short());
    let started = Instant::now();
    let answer = server.exchange("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc").await;
    assert_eq!(answer, "");
    assert!((1..5).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    assert_eq!(server.front.shared.connections.closed().body.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_connection_rests_for_a_while_and_no_longer() {
    let server = run(short());
    let started = Instant::now();
    let answer = server.exchange("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(answer.ends_with("GET / plain 0"), "{answer}");
    assert!((2..6).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

#[tokio::test]
async fn more_headers_than_allowed_are_refused() {
    let server = run(short());
    let many = "X-Many: 1\r\n".repeat(200);
    let long = format!("X-Long: {}\r\n", "a".repeat(20_000));
    for headers in [many, long] {
        let answer = server.exchange(format!("GET / HTTP/1.1\r\n{CLOSE}{headers}\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
}

#[tokio::test]
async fn what_is_not_http_is_refused() {
    let answer = run(short()).exchange("\0\0\0\0 not HTTP at all\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_unread() {
    let server = run(short());
    let mut stream = server.connect().await;
    let head = "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: TrentService.Encrypt\r\nContent-Length: 1000000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut answer = [0; 13];
    let started = Instant::now();
    stream.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 413 ");
    assert!(started.elapsed() < Duration::from_millis(500), "before any of the body: {:?}", started.elapsed());
    // The client may go on for a moment, so that the answer reaches it, and no longer.
    let piece = vec![0; 1 << 20];
    let mut sent = 0;
    while sent < 64 && stream.write_all(&piece).await.is_ok() {
        sent += 1;
    }
    assert!(sent < 64, "the connection is still open after {sent} MiB");
}

#[tokio::test]
async fn a_client_that_sends_a_little_too_much_gets_its_answer() {
    let server = run(short());
    let mut request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n".to_vec();
    request.resize(request.len() + 3_000_000, b'a');
    let answer = server.exchange(request).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("The body is too long."), "{answer}");
}

#[tokio::test]
async fn a_body_without_a_length_is_cut_off_at_the_limit() {
    let server = run(short());
    let chunked = |pieces: usize| {
        let piece = format!("1000\r\n{}\r\n", "a".repeat(4096));
        format!("POST / HTTP/1.1\r\n{CLOSE}Transfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n", piece.repeat(pieces))
    };
    assert!(server.exchange(chunked(16)).await.ends_with("POST / plain 65536"));
    assert!(server.exchange(chunked(17)).await.starts_with("HTTP/1.1 413 "));
    assert!(server.front.shared.bodies.take(BODIES_BYTES_MAX), "every byte was given back");
}

#[tokio::test]
async fn tls_and_plain_http_share_the_port() {
    let server = run(short());
    let mut stream = server.connect_tls(&[b"http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    stream.write_all(format!("GET / HTTP/1.1\r\n{CLOSE}\r\n").as_bytes()).await.expect("sent");
    assert!(read_all(&mut stream).await.ends_with("GET / TLS 0"));
    assert!(server.exchange(format!("GET / HTTP/1.1\r\n{CLOSE}\r\n")).await.ends_with("GET / plain 0"));
}

#[tokio::test]
async fn http2_is_spoken_over_tls_and_in_plain() {
    let server = run(short());
    let tls = server.connect_tls(&[b"h2", b"http/1.1"]).await;
    assert_eq!(tls.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    assert_eq!(ask_http2(tls, 3).await, ["POST / TLS 3"; 3]);
    assert_eq!(ask_http2(server.connect().await, 3).await, ["POST / plain 3"; 3]);
}

/// Sends as many requests at once over one HTTP/2 connection.
async fn ask_http2(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, count: usize) -> Vec<String> {
    let (sender, connection) =
        hyper::client::conn::http2::handshake::<_, _, Full<Bytes>>(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("a handshake");
    tokio::spawn(connection);
    let asking: Vec<_> = (0..count)
        .map(|_| {
            let mut sender = sender.clone();
            let request = http::Request::post("https://localhost/").body(Full::new(Bytes::from_static(b"abc")));
            tokio::spawn(async move {
                let answer = sender.send_request(request.expect("a request")).await.expect("an answer");
                let body = answer.into_body().collect().await.expect("a body").to_bytes();
                String::from_utf8_lossy(&body).into_owned()
            })
        })
        .collect();
    let mut answers = Vec::new();
    for answer in asking {
        answers.push(answer.await.expect("an answer"));
    }
    answers
}

/// A body that begins and does not go on.
struct Stuck(Option<Bytes>);

impl hyper::body::Body for Stuck {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
        self.0.take().map_or(Poll::Pending, |bytes| Poll::Ready(Some(Ok(hyper::body::Frame::data(bytes)))))
    }
}

/// Sends a request over HTTP/2 whose body does not come to its end.
async fn ask_stuck(server: &Running) -> tokio::task::JoinHandle<hyper::Result<http::Response<hyper::body::Incoming>>> {
    let stream = TokioIo::new(server.connect().await);
    let opened = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await;
    let (mut sender, connection) = opened.expect("a handshake");
    tokio::spawn(connection);
    let request = http::Request::post("http://localhost/").body(Stuck(Some(Bytes::from_static(b"ab"))));
    tokio::spawn(async move { sender.send_request(request.expect("a request")).await })
}

#[tokio::test]
async fn an_http2_body_that_does_not_come_is_refused_in_time() {
    let server = run(short());
    let started = Instant::now();
    let answer = ask_stuck(&server).await.await.expect("no panic").expect("an answer");
    assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT);
    assert!((1..5).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

#[tokio::test]
async fn an_http2_request_that_is_reset_before_its_body_came_is_not_waited_for() {
    let server = run(Limits { body_timeout: Duration::from_secs(600), ..short() });
    let asking = ask_stuck(&server).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    asking.abort();
    let _ = asking.await;
    let ended = async {
        while server.front.application.refused.load(Ordering::Relaxed) == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), ended).await.expect("an end");
    assert!(server.front.shared.bodies.take(BODIES_BYTES_MAX), "every byte was given back");
}

#[tokio::test]
async fn a_call_is_finished_though_its_client_has_hung_up() {
    let server = run(short());
    let mut plain = server.connect().await;
    plain.write_all(b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab").await.expect("sent");
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(server.connect().await))
            .await
            .expect("a handshake");
    let connection = tokio::spawn(connection);
    let request = http::Request::post("http://localhost/slow").body(Full::new(Bytes::from_static(b"ab")));
    let asking = tokio::spawn(async move { sender.send_request(request.expect("a request")).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(plain);
    // One resets its stream, both close their connections.
    asking.abort();
    let _ = asking.await;
    connection.abort();
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(server.front.application.finished.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn plain_http_from_another_machine_is_refused() {
    let server = run(short());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mut client = TcpStream::connect(listener.local_addr().expect("it")).await.expect("a connection");
    let (stream, _) = listener.accept().await.expect("a connection");
    let elsewhere = "192.0.2.1".parse().expect("an address");
    let admission = server.front.shared.connections.admit(elsewhere).await.expect("a place");
    let state = Arc::clone(admission.state());
    tokio::spawn(admission.attend(serve(Arc::clone(&server.front), stream, elsewhere, state)));
    client.write_all(format!("GET / HTTP/1.1\r\n{CLOSE}\r\n").as_bytes()).await.expect("sent");
    let answer = read_all(&mut client).await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 400 ") && body.contains("https://"), "{answer}");
    assert!(head.contains(&format!("Content-Length: {}", body.len())), "{answer}");
    assert_eq!(server.front.shared.traffic.plain_refused.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn draining_finishes_what_was_begun_and_takes_nothing_more() {
    let server = run(short());
    let mut resting = server.connect().await;
    resting.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    let mut working = server.connect().await;
    working.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    let mut dawdling = server.connect().await;
    dawdling.write_all(b"GET / HT").await.expect("sent");
    tokio::time::sleep(Duration::from_millis(100)).await;

    server.accepting.abort();
    let started = Instant::now();
    server.front.shared.connections.drain(Duration::from_secs(10)).await;
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert!(read_all(&mut working).await.ends_with("GET /slow plain 0"));
    assert!(read_all(&mut resting).await.ends_with("GET / plain 0"));
    assert_eq!(read_all(&mut dawdling).await, "");
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn connections_over_the_limit_wait_for_what_is_being_served() {
    let server = run(Limits { connections_max: 1, ..short() });
    let mut first = server.connect().await;
    first.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut second = server.connect().await;
    second.write_all(format!("GET / HTTP/1.1\r\n{CLOSE}\r\n").as_bytes()).await.expect("sent");
    let mut byte = [0];
    let waited = tokio::time::timeout(Duration::from_millis(200), second.read(&mut byte)).await;
    assert!(waited.is_err(), "the first has the only place");
    // It has been served, and rests: the second gets its place.
    assert!(read_all(&mut second).await.ends_with("GET / plain 0"));
    assert!(read_all(&mut first).await.ends_with("GET /slow plain 0"));
}

/// A connection from an address of its own.
async fn connect_from(host: u8, to: SocketAddr) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from(([127, 0, 0, host], 0))).expect("an address");
    socket.connect(to).await.expect("a connection")
}

#[tokio::test]
async fn slow_connections_of_one_host_do_not_keep_others_out() {
    let long = Duration::from_secs(600);
    let limits = Limits { connections_max: 32, head_timeout: long, body_timeout: long, idle_timeout: long, ..short() };
    for first in ["POST / HTTP/1.1\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na", HTTP2_OPEN] {
        let server = run(limits);
        let mut resting = connect_from(3, server.address).await;
        let request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        resting.write_all(request.as_bytes()).await.expect("sent");
        let mut slow = Vec::new();
        for _ in 0..100 {
            let mut stream = connect_from(2, server.address).await;
            // It may be closed again already.
            let _ = stream.write_all(first.as_bytes()).await;
            slow.push(stream);
        }
        for _ in 0..8 {
            let mut other = connect_from(3, server.address).await;
            other.write_all(format!("GET / HTTP/1.1\r\n{CLOSE}\r\n").as_bytes()).await.expect("sent");
            assert!(read_all(&mut other).await.ends_with("GET / plain 0"), "{first:?}");
        }
        // Who was there before them keeps its place.
        let mut answer = [0; 4096];
        let read = resting.read(&mut answer).await.expect("an answer");
        assert!(answer[..read].ends_with(b"GET / plain 0"));
        resting.write_all(request.as_bytes()).await.expect("sent");
        assert!(resting.read(&mut answer).await.expect("an answer") > 0, "{first:?}");
    }
}

/// HTTP/2 frame by frame: type, flags, stream and payload.
struct Frames(TcpStream);

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ACK: u8 = 1;

impl Frames {
    async fn open(server: &Running) -> Self {
        let mut stream = server.connect().await;
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.expect("sent");
        let mut frames = Self(stream);
        frames.send(SETTINGS, 0, 0, &[]).await;
        frames
    }

    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let mut frame = u32::try_from(payload.len()).expect("a length").to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        self.0.write_all(&frame).await.expect("sent");
    }

    /// Sends the headers of a POST to `path` that has a body.
    async fn post(&mut self, stream: u32, path: &str) {
        let mut block = b"\x03\x04POST\x04".to_vec();
        block.push(u8::try_from(path.len()).expect("a length"));
        block.extend(path.bytes());
        block.extend(b"\x06\x04http\x01\x01x");
        self.send(HEADERS, END_HEADERS, stream, &block).await;
    }

    async fn next(&mut self) -> (u8, u8, u32) {
        let mut head = [0; 9];
        let read = tokio::time::timeout(Duration::from_secs(20), self.0.read_exact(&mut head)).await;
        read.expect("a frame in time").expect("a frame");
        let [a, b, c, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]).try_into().expect("a length")];
        self.0.read_exact(&mut payload).await.expect("a payload");
        (kind, flags, u32::from_be_bytes(stream))
    }

    /// Reads to the answer's end on `stream`. Whether the stream was reset first.
    async fn answer(&mut self, stream: u32) -> bool {
        loop {
            match self.next().await {
                (RST_STREAM, _, on) if on == stream => return true,
                (DATA | HEADERS, flags, on) if on == stream && flags & END_STREAM != 0 => return false,
                _ => {}
            }
        }
    }

    /// Whether `stream` was reset by what was sent so far.
    async fn is_reset(&mut self, stream: u32) -> bool {
        self.send(PING, 0, 0, &[0; 8]).await;
        let mut reset = false;
        loop {
            match self.next().await {
                (RST_STREAM, _, on) if on == stream => reset = true,
                (PING, flags, _) if flags & ACK != 0 => return reset,
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn an_http2_stream_whose_body_nobody_read_is_not_reset_before_its_client_ends_it() {
    let server = run(short());
    for path in ["/unread", "/dropped", "/dropped-late"] {
        let mut client = Frames::open(&server).await;
        client.post(1, path).await;
        client.send(DATA, 0, 1, b"0000").await;
        assert!(!client.answer(1).await, "{path}: reset before its answer");
        // The client hears of the answer, and ends its request some time later.
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert!(!client.is_reset(1).await, "{path}: reset after its answer");
        client.send(DATA, END_STREAM, 1, b"").await;
        assert!(!client.is_reset(1).await, "{path}: reset after its end");
        client.post(3, "/").await;
        client.send(DATA, END_STREAM, 3, b"abc").await;
        assert!(!client.answer(3).await, "{path}: the next request");
    }
}

#[tokio::test]
async fn an_http2_stream_whose_unread_body_is_long_is_reset_after_its_answer() {
    let server = run(short());
    let mut client = Frames::open(&server).await;
    client.post(1, "/unread").await;
    assert!(!client.answer(1).await, "the answer comes first");
    let mut sent = 0;
    while !client.is_reset(1).await {
        client.send(DATA, 0, 1, &[b'a'; 8192]).await;
        sent += 8192;
        assert!(sent < 1 << 20, "it is read for ever");
    }
    assert!(sent >= 64 * 1024, "{sent}");
}

#[tokio::test]
async fn an_http1_connection_goes_on_after_a_short_body_that_nobody_read() {
    let server = run(short());
    for path in ["/unread", "/dropped"] {
        for body in ["Content-Length: 4\r\n\r\n0000", "Transfer-Encoding: chunked\r\n\r\n4\r\n0000\r\n"] {
            let mut stream = server.connect().await;
            let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\n{body}");
            stream.write_all(head.as_bytes()).await.expect("sent");
            tokio::time::sleep(Duration::from_millis(100)).await;
            let end = if body.starts_with('T') { "0\r\n\r\n" } else { "" };
            let follows = format!("{end}GET /second HTTP/1.1\r\n{CLOSE}\r\n");
            stream.write_all(follows.as_bytes()).await.expect("sent");
            let answer = read_all(&mut stream).await;
            assert!(answer.ends_with("GET /second plain 0"), "{path} {body:?}: {answer}");
        }
    }
}

/// An HTTP/2 connection's preface, its settings, and the headers of a POST whose body does not come.
const HTTP2_OPEN: &str = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\
                          \0\0\x12\x01\x04\0\0\0\x01\x03\x04POST\x04\x01/\x06\x04http\x01\x01x";

#[tokio::test]
async fn what_could_be_read_in_two_ways_is_refused_and_ends_the_connection() {
    let server = run(short());
    let post = "POST / HTTP/1.1\r\nHost: x\r\n";
    let chunked = format!("{post}Transfer-Encoding: chunked\r\n\r\n");
    let follows = "GET /second HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    for refused in [
        "GET / HTTP/1.1\nHost: x\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: x\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: x\r\n\n".to_owned(),
        "\nGET / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n\tb\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost : x\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\n Host: x\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: x\r\nX: a\x01b\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: x\r\nX: a\x7fb\r\n\r\n".to_owned(),
        format!("{post}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
        format!("{post}Content-Length: 3, 3\r\n\r\nabc"),
        format!("{post}Content-Length: +3\r\n\r\nabc"),
        format!("{post}Content-Length : 3\r\n\r\nabc"),
        format!("{post}Transfer-Encoding: identity\r\n\r\n"),
        format!("{post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding:\r\n\r\n"),
        format!("{post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
        format!("{post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
        format!("{chunked}1\na\r\n0\r\n\r\n"),
        format!("{chunked}1\r\na\n0\r\n\r\n"),
        format!("{chunked}1\r\na\r\n0\n\r\n"),
        format!("{chunked}1\r\na\r\n0\r\n\n"),
        format!("{chunked}1;x=\ny\r\na\r\n0\r\n\r\n"),
        format!("{chunked}1\r\nab\r\n0\r\n\r\n"),
        format!("{chunked}1 \r\na\r\n0\r\n\r\n"),
        format!("{chunked}-1\r\na\r\n0\r\n\r\n"),
        format!("{chunked}0x1\r\na\r\n0\r\n\r\n"),
        format!("{chunked}10000000000000001\r\na\r\n0\r\n\r\n"),
    ] {
        let answer = server.exchange(format!("{refused}{follows}")).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{refused:?}: {answer}");
        assert!(!answer.contains("/second") && answer.matches("HTTP/1.1 ").count() == 1, "{refused:?}: {answer}");
        // The same as the second of two that came at once.
        let answer = server.exchange(format!("GET / HTTP/1.1\r\nHost: x\r\n\r\n{refused}{follows}")).await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("HTTP/1.1 400 "), "{refused:?}: {answer}");
        assert!(!answer.contains("/second"), "{refused:?}: {answer}");
    }
    for (accepted, body) in [
        (format!("{post}Content-Length: 3\r\nContent-Length: 3\r\n\r\na\nb"), "POST / plain 3"),
        (format!("{chunked}3;x=y\r\na\nb\r\n0\r\nX: y\r\n\r\n"), "POST / plain 3"),
        (format!("\r\n{post}\r\n"), "POST / plain 0"),
    ] {
        let answer = server.exchange(format!("{accepted}{follows}")).await;
        assert!(answer.contains(body) && answer.ends_with("GET /second plain 0"), "{accepted:?}: {answer}");
    }
}

#[tokio::test]
async fn a_body_is_as_long_as_its_head_allows() {
    let server = run(Limits { body_bytes_max: 1 << 20, ..short() });
    for (path, length, status) in [("/small", 64 << 10, 200), ("/small", (64 << 10) + 1, 413), ("/", 1 << 20, 200)] {
        let body = "a".repeat(length);
        let known = format!("POST {path} HTTP/1.1\r\n{CLOSE}Content-Length: {length}\r\n\r\n{body}");
        let chunked = format!(
            "POST {path} HTTP/1.1\r\n{CLOSE}Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"
        );
        for request in [known, chunked] {
            let answer = server.exchange(request).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path} {length}: {answer}");
        }
    }
}
