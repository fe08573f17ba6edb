//! One connection from its first byte to its end: TLS or plain, HTTP/1.1 or HTTP/2.
//!
//! Knows bytes and HTTP; how long things may take is the connection limiter's, what requests mean is the application's.

mod answer;
mod framing;
mod outgoing;
mod stream;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::application::{Application, Peer};
use crate::connection_limiter::{ConnectionState, Protocol};
use crate::front::Front;
use crate::shared::Shared;
use answer::Visit;
use stream::ActivityStream;

/// The first byte of a TLS connection: a record of the handshake.
const TLS_HANDSHAKE: u8 = 0x16;

/// How a client spoke first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opening {
    Tls,
    Plain(Protocol),
}

/// One connection, once it has been seen how the client speaks.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) shared: Arc<Shared>,
    pub(crate) state: Arc<ConnectionState>,
    pub(crate) peer: Peer,
    pub(crate) protocol: Protocol,
}

/// Serves one connection to its end.
pub(crate) async fn serve<A: Application>(
    front: Arc<Front<A>>,
    stream: TcpStream,
    ip: IpAddr,
    state: Arc<ConnectionState>,
) {
    // Answers are whole when they are written: waiting for more would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%ip, %error, "a connection broke before its first byte");
        return;
    }
    match opening(&stream).await {
        Ok(Some(Opening::Tls)) => match front.certificates.acceptor().accept(stream).await {
            Ok(stream) => {
                let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                let protocol = if http2 { Protocol::Http2 } else { Protocol::Http1 };
                speak(front, stream, Peer { ip, secure: true }, protocol, state).await;
            }
            Err(error) => {
                front.shared.traffic.handshakes_failed.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(%ip, %error, "a TLS handshake failed");
            }
        },
        Ok(Some(Opening::Plain(protocol))) if ip.is_loopback() || front.allow_plain_http => {
            speak(front, stream, Peer { ip, secure: false }, protocol, state).await;
        }
        Ok(Some(Opening::Plain(_))) => {
            front.shared.traffic.plain_refused.fetch_add(1, Ordering::Relaxed);
            tracing::debug!(%ip, "plain HTTP was refused");
            refuse_plain(stream).await;
        }
        Ok(None) => {}
        Err(error) => tracing::debug!(%ip, %error, "a connection broke before its first byte"),
    }
}

/// Tells TLS, HTTP/1 and HTTP/2 apart by what the client sends first; `None` when it sends nothing.
async fn opening(stream: &TcpStream) -> std::io::Result<Option<Opening>> {
    loop {
        let mut first = [0; 2];
        let seen = stream.peek(&mut first).await?;
        return Ok(match (seen, first) {
            (0, _) => None,
            (_, [TLS_HANDSHAKE, _]) => Some(Opening::Tls),
            // `PRI * HTTP/2.0` begins like POST and PUT.
            (1, [b'P', _]) => {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
            (_, [b'P', b'R']) => Some(Opening::Plain(Protocol::Http2)),
            _ => Some(Opening::Plain(Protocol::Http1)),
        });
    }
}

/// Answers a client that would send its secrets readable over a network.
async fn refuse_plain(mut stream: TcpStream) {
    const REASON: &str = "This server answers plain HTTP on its own machine only. Use https:// instead.\r\n";
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{REASON}",
        REASON.len()
    );
    // A client that doesn't take the answer has lost nothing.
    if stream.write_all(answer.as_bytes()).await.is_ok() {
        let _ = stream.shutdown().await;
    }
}

async fn speak<A: Application, S>(
    front: Arc<Front<A>>,
    stream: S,
    peer: Peer,
    protocol: Protocol,
    state: Arc<ConnectionState>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let stream = TokioIo::new(ActivityStream::new(stream, Arc::clone(&state), protocol));
    let connection = Connection { shared: Arc::clone(&front.shared), state: Arc::clone(&state), peer, protocol };
    let visit = Arc::new(Visit { front: Arc::clone(&front), connection: Arc::new(connection) });
    let service = service_fn(move |request| {
        let visit = Arc::clone(&visit);
        async move { Ok::<_, Infallible>(visit.answer(request).await) }
    });
    let ended = match protocol {
        Protocol::Http1 => drive(front.http1.serve_connection(stream, service), &state).await,
        Protocol::Http2 => {
            state.speaks(Protocol::Http2);
            drive(front.http2.serve_connection(stream, service), &state).await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(ip = %peer.ip, %error, "a connection ended badly");
    }
}

/// Runs an HTTP connection to its end; once the server drains, to the end of its open requests.
async fn drive<C: GracefulConnection>(connection: C, state: &ConnectionState) -> Result<(), C::Error> {
    let mut connection = std::pin::pin!(connection);
    let mut draining = false;
    std::future::poll_fn(|task| -> Poll<Result<(), C::Error>> {
        if !draining && state.is_draining() {
            draining = true;
            connection.as_mut().graceful_shutdown();
        }
        connection.as_mut().poll(task)
    })
    .await
}

#[cfg(test)]
mod tests;
