use std::time::SystemTime;

use pki::LocalAuthority;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

/// A peer that hands each request to `answer`, which says what to send back and whether to close then.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, mut answer: impl FnMut(&str) -> (String, bool)) {
    let mut received = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let Ok(read @ 1..) = stream.read(&mut chunk).await else { return };
        received.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&received).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() < length.map_or(0, |length| length.parse().expect("a length")) {
            continue;
        }
        received.clear();
        let (said, close) = answer(&text);
        if stream.write_all(said.as_bytes()).await.is_err() || close {
            return;
        }
    }
}

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

fn request(uri: &str, body: &str) -> Request {
    Request {
        method: Method::POST,
        uri: uri.parse().expect("a URL"),
        headers: HeaderMap::new(),
        body: body.as_bytes().into(),
    }
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn transport(limits: Limits) -> Transport {
    Transport::new(Trust::System, limits)
}

#[tokio::test(flavor = "current_thread")]
async fn a_connection_is_used_again_and_replaced_once_it_is_closed() {
    let (listener, port) = listen().await;
    tokio::spawn(async move {
        for connection in 1.. {
            let (stream, _) = listener.accept().await.expect("a connection");
            // Told to close silently after the second request: the client finds out with the third.
            let mut count = 0;
            let answer = |_: &str| {
                count += 1;
                (ok(&format!("{connection}/{count}")), count == 2)
            };
            serve(stream, answer).await;
        }
    });
    let transport = transport(Limits::default());
    let mut answers = Vec::new();
    for _ in 0..4 {
        let answer = transport.send(request(&format!("http://127.0.0.1:{port}/"), "x")).await.expect("an answer");
        answers.push(String::from_utf8(answer.body.expose().to_vec()).expect("text"));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(answers, ["1/1", "1/2", "2/1", "2/2"]);
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_sent_has_its_host_path_headers_and_body() {
    let (listener, port) = listen().await;
    let received = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        let mut seen = String::new();
        serve(stream, |text| {
            seen = text.to_owned();
            (ok(""), true)
        })
        .await;
        seen
    });
    let mut sent = request(&format!("http://localhost:{port}/a%20b?c=d"), "body");
    sent.headers.insert("x-amz-target", HeaderValue::from_static("T"));
    transport(Limits::default()).send(sent).await.expect("an answer");
    let received = received.await.expect("it came");
    assert!(received.starts_with("POST /a%20b?c=d HTTP/1.1\r\n"), "{received}");
    for part in [&format!("host: localhost:{port}\r\n"), "x-amz-target: T\r\n", "\r\n\r\nbody"] {
        assert!(received.contains(part), "{received}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn answers_are_bounded_in_time_and_size() {
    let (listener, port) = listen().await;
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            tokio::spawn(serve(stream, |text| {
                let long = text.contains("/long");
                (if long { ok(&"x".repeat(2000)) } else { "HTTP/1.1 200 OK\r\n".to_owned() }, false)
            }));
        }
    });
    let limits = Limits { answer: Duration::from_millis(100), body_bytes_max: 1999, ..Limits::default() };
    let transport = transport(limits);
    let to = |path: &str| request(&format!("http://127.0.0.1:{port}{path}"), "");
    let (slow, long) = (transport.send(to("/slow")).await, transport.send(to("/long")).await);
    assert!(matches!(slow, Err(TransportError::Time { .. })));
    assert!(matches!(long, Err(TransportError::TooLong { max: 1999, .. })));
}

#[tokio::test(flavor = "current_thread")]
async fn only_a_trusted_server_is_spoken_to() {
    let (ours, other) = (authority(), authority());
    let identity = ours.issue_server(&[], SystemTime::now()).expect("a certificate");
    let acceptor = TlsAcceptor::from(Arc::new(identity.server_config(&[b"http/1.1"]).expect("a configuration")));
    let (listener, port) = listen().await;
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            if let Ok(stream) = acceptor.accept(stream).await {
                tokio::spawn(serve(stream, |_| (ok("tls"), false)));
            }
        }
    });
    let send = async |trust, host: &str| {
        Transport::new(trust, Limits::default()).send(request(&format!("https://{host}:{port}/"), "")).await
    };
    let pem = |authority: &LocalAuthority| authority.certificate_pem().as_bytes().to_vec();
    for host in ["127.0.0.1", "localhost"] {
        let answer = send(Trust::Only(pem(&ours)), host).await.expect("trusted");
        assert_eq!(answer.body.expose(), b"tls");
    }
    let refused = send(Trust::Only(pem(&other)), "localhost").await;
    assert!(matches!(refused, Err(TransportError::Connect { .. })));
    assert!(matches!(send(Trust::Only(b"none".to_vec()), "localhost").await, Err(TransportError::Roots(_))));
}

fn authority() -> LocalAuthority {
    LocalAuthority::create(SystemTime::now()).expect("an authority")
}

#[tokio::test(flavor = "current_thread")]
async fn plain_http_stays_within_this_machine() {
    let transport = transport(Limits::default());
    for (url, plain) in [("http://192.0.2.1/", true), ("http://kms.example/", true), ("ftp://localhost/", false)] {
        let refused = transport.send(request(url, "")).await;
        match refused {
            Err(TransportError::PlainHttp(_)) => assert!(plain, "{url}"),
            Err(TransportError::Url(_)) => assert!(!plain, "{url}"),
            _ => panic!("{url} was not refused"),
        }
    }
    let (listener, port) = listen().await;
    drop(listener);
    let refused = transport.send(request(&format!("http://[::1]:{port}/"), "")).await;
    assert!(matches!(refused, Err(TransportError::Connect { .. })));
}

#[tokio::test(flavor = "current_thread")]
async fn a_busy_service_is_asked_again_with_a_new_signature_and_a_refusal_is_final() {
    let (listener, port) = listen().await;
    let (seen, mut requests) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            let seen = seen.clone();
            let mut count = 0;
            tokio::spawn(serve(stream, move |text| {
                count += 1;
                let _ = seen.send(text.to_owned());
                let answer = match (text.contains("/busy"), count) {
                    (true, 3..) => ok("done"),
                    (true, _) => "HTTP/1.1 503 Slow\r\ncontent-length: 0\r\n\r\n".to_owned(),
                    (false, _) => {
                        let body = r#"{"__type":"AccessDeniedException","message":"no"}"#;
                        format!("HTTP/1.1 400 Bad\r\ncontent-length: {}\r\n\r\n{body}", body.len())
                    }
                };
                (answer, false)
            }));
        }
    });
    let (secret, token) = ("the secret".to_owned().into(), "the token".to_owned().into());
    let credentials = crate::Credentials::new("AKIAEXAMPLE".to_owned(), secret, Some(token), None);
    let signing = crate::Signing { credentials: &credentials, region: "us-east-1", service: "kms" };
    let url = |path: &str| format!("http://127.0.0.1:{port}{path}");
    let transport = transport(Limits::default());
    let answer = transport.call(&request(&url("/busy"), "body"), &signing, 3).await.expect("done at last");
    assert_eq!(answer.body.expose(), b"done");
    for _ in 0..3 {
        let text = requests.recv().await.expect("a request");
        for part in
            ["Credential=AKIAEXAMPLE/", "/us-east-1/kms/aws4_request", "x-amz-security-token: the token", "body"]
        {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("the secret"));
    }
    for (path, attempts, status, made) in [("/busy2", 2, 503, 2), ("/no", 5, 400, 1)] {
        // A transport of its own: the peer counts the requests of a connection.
        let transport = Transport::new(Trust::System, Limits::default());
        let refused = transport.call(&request(&url(path), ""), &signing, attempts).await;
        match refused {
            Err(crate::ClientError::Service(error)) => assert_eq!(error.status, status, "{error}"),
            _ => panic!("{path} was not refused"),
        }
        let counted = std::iter::from_fn(|| requests.try_recv().ok()).count();
        assert_eq!(counted, made, "{path}");
    }
}
