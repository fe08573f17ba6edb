//! The load: signed requests, prepared before the clock starts, replayed over a number of connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// One HTTP/1.1 connection that stays open, as far as the server lets it.
pub(crate) struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Whether the server said that it closes after an answer. Some that say so do not, and then answer nothing more.
    pub(crate) closes: bool,
}

/// An answer's status and body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> std::io::Result<Self> {
        Ok(Self { address, stream: dial(address).await?, buffer: vec![0; 64 * 1024], closes: false })
    }

    /// Sends a whole request and reads a whole answer; its status and where its body stands in the buffer.
    async fn exchange(&mut self, request: &[u8]) -> std::io::Result<(u16, std::ops::Range<usize>)> {
        if self.closes {
            self.stream = dial(self.address).await?;
        }
        self.stream.write_all(request).await?;
        let mut filled = 0;
        let mut whole = None;
        loop {
            if filled == self.buffer.len() {
                self.buffer.resize(filled * 2, 0);
            }
            let read = self.stream.read(&mut self.buffer[filled..]).await?;
            if read == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            filled += read;
            if whole.is_none() {
                whole = head(&self.buffer[..filled]);
            }
            if let Some((status, start, length)) = whole
                && filled >= start + length
            {
                return Ok((status, start..start + length));
            }
        }
    }

    pub(crate) async fn call(&mut self, request: &[u8]) -> std::io::Result<Answer> {
        let (status, body) = self.exchange(request).await?;
        self.closes |= String::from_utf8_lossy(&self.buffer[..body.start])
            .lines()
            .any(|line| line.eq_ignore_ascii_case("connection: close"));
        Ok(Answer { status, body: self.buffer[body].to_vec() })
    }
}

async fn dial(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Status, start of the body and its length, once the head is there.
fn head(bytes: &[u8]) -> Option<(u16, usize, usize)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&bytes[..end]).ok()?;
    let status = text.get(9..12)?.parse().ok()?;
    let length = text
        .lines()
        .find_map(|line| line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length")))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0);
    Some((status, end + 4, length))
}

/// Measurements of one run of a load.
pub(crate) struct Measured {
    pub(crate) requests_per_second: f64,
    pub(crate) answered: usize,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// Answers with a status other than 200; a run with any is worth nothing.
    pub(crate) failed: usize,
}

/// The requests that are replayed, and their server.
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    /// Whether each request takes a connection of its own, see [`Connection::closes`].
    pub(crate) closes: bool,
    pub(crate) requests: Arc<Vec<Vec<u8>>>,
}

/// How long a server may take over its last answers.
const PATIENCE: Duration = Duration::from_secs(10);

/// Replays requests in turn over `connections` connections for `duration`, all on the calling thread's runtime.
pub(crate) async fn replay(load: &Load, connections: usize, duration: Duration) -> std::io::Result<Measured> {
    let replayed = tokio::time::timeout(duration + PATIENCE, replay_all(load, connections, duration)).await;
    replayed.unwrap_or_else(|_| Err(std::io::Error::other("it stopped answering")))
}

async fn replay_all(load: &Load, connections: usize, duration: Duration) -> std::io::Result<Measured> {
    let mut open = Vec::new();
    for _ in 0..connections {
        let mut connection = Connection::open(load.address).await?;
        connection.closes = load.closes;
        open.push(connection);
    }
    let started = Instant::now();
    let deadline = started + duration;
    let tasks: Vec<_> = open
        .into_iter()
        .enumerate()
        .map(|(index, mut connection)| {
            let requests = Arc::clone(&load.requests);
            tokio::spawn(async move {
                let mut latencies = Vec::with_capacity(1 << 16);
                let mut failed = 0;
                let mut next = index;
                let mut sent = Instant::now();
                while sent < deadline {
                    let (status, _) = connection.exchange(&requests[next % requests.len()]).await?;
                    let now = Instant::now();
                    latencies.push(u32::try_from((now - sent).as_micros()).unwrap_or(u32::MAX));
                    failed += usize::from(status != 200);
                    sent = now;
                    next += connections;
                }
                Ok::<_, std::io::Error>((latencies, failed))
            })
        })
        .collect();
    let (mut latencies, mut failed) = (Vec::new(), 0);
    for task in tasks {
        let (some, bad) = task.await.map_err(std::io::Error::other)??;
        latencies.extend(some);
        failed += bad;
    }
    let elapsed = started.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let at = |share: f64| {
        let index = ((latencies.len() as f64 - 1.0) * share) as usize;
        Duration::from_micros(u64::from(latencies.get(index).copied().unwrap_or_default()))
    };
    let answered = latencies.len();
    Ok(Measured { requests_per_second: answered as f64 / elapsed, answered, p50: at(0.5), p99: at(0.99), failed })
}
