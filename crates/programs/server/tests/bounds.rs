//! Requests of strangers cost a connection and next to no memory.

#![allow(clippy::expect_used, reason = "a test that cannot go on has to stop, saying why")]

use std::net::SocketAddr;

use server::Server;
use server::config::{Config, Settings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Connections that misbehave at the same time.
const STRANGERS: usize = 64;

/// Growth that all of them may cause, in MiB; the requests themselves amount to 64 GB.
const GROWTH_MIB_MAX: usize = 48;

fn resident_mib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.split_whitespace().next().and_then(|kib| kib.parse::<usize>().ok()).expect("a number") / 1024
}

/// Announces a body of 1 GB, or none in advance, and sends until the server has had enough.
async fn flood(address: SocketAddr, chunked: bool) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let length = if chunked { "Transfer-Encoding: chunked" } else { "Content-Length: 1000000000" };
    let head = format!("POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: TrentService.Encrypt\r\n{length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("sent");
    let (mut reading, mut writing) = stream.split();
    let piece = format!("4000\r\n{}\r\n", "a".repeat(0x4000));
    let mut answer = Vec::new();
    let send = async {
        let mut sent = 0;
        while sent < 1_000_000_000 && writing.write_all(piece.as_bytes()).await.is_ok() {
            sent += piece.len();
        }
        sent
    };
    // The server resets a connection that goes on and on; the answer has come by then.
    let (sent, _) = tokio::join!(send, reading.read_to_end(&mut answer));
    assert!(sent < 100_000_000, "the server took {sent} bytes");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_without_end_cost_no_memory() {
    let data = tempfile::tempdir().expect("a directory");
    let listen = Some("127.0.0.1:0".parse().expect("an address"));
    let settings = Settings { listen, ..Settings::default() };
    let config = Config::resolve(data.path().to_owned(), settings).expect("a configuration");
    let server = Server::start(config).await.expect("a server");

    let before = resident_mib();
    let address = server.address();
    let strangers: Vec<_> = (0..STRANGERS).map(|index| tokio::spawn(flood(address, index % 2 == 0))).collect();
    for stranger in strangers {
        let answer = stranger.await.expect("an answer");
        // Nobody has signed it, so nothing of it is read.
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("MissingAuthenticationToken"), "{answer}");
    }
    let grown = resident_mib().saturating_sub(before);
    assert!(grown <= GROWTH_MIB_MAX, "{grown} MiB");
    server.stop().await.expect("a clean end");
}
