//! One request to one URL: connections that are reused, TLS, and bounds of time and size.
//!
//! Knows no signatures and tries nothing twice, but for a reused connection that the other side had closed.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use crypto::SecretBytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::{self, Handle};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::Trust;

/// Bounds on a request.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the first packet until a connection is ready for requests.
    pub connect: Duration,
    /// From sending a request, over a connection that is ready, until its answer is here.
    pub answer: Duration,
    /// Bytes of an answer's body.
    pub body_bytes_max: usize,
    /// How long an idle connection stays open.
    pub idle: Duration,
    /// How many idle connections to one place stay open.
    pub idle_connections_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(30),
            body_bytes_max: 1 << 20,
            idle: Duration::from_secs(20),
            idle_connections_max: 16,
        }
    }
}

/// A request.
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where to, with scheme, host, path and query.
    pub uri: Uri,
    /// The headers. `Host` is added unless it is there.
    pub headers: HeaderMap,
    /// The body. It may hold secrets.
    pub body: SecretBytes,
}

/// An answer.
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body. It may hold secrets.
    pub body: SecretBytes,
}

/// Why no answer came back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The URL has no host, or is neither of `https` nor of `http`.
    #[error("{0} is not a URL of https or http")]
    Url(String),
    /// Plain HTTP to another machine.
    #[error("{0} is plain HTTP, which is spoken within this machine only: data keys would cross the network readable")]
    PlainHttp(String),
    /// No certificate authority can be trusted.
    #[error("the certificate authorities to trust can't be read: {0}")]
    Roots(String),
    /// There is no connection.
    #[error("can't connect to {host}: {cause}")]
    Connect {
        /// Where to.
        host: String,
        /// The error of the operating system or of TLS.
        cause: io::Error,
    },
    /// It took too long.
    #[error("{host} did not answer within {} ms", limit.as_millis())]
    Time {
        /// Who.
        host: String,
        /// The limit.
        limit: Duration,
    },
    /// The connection broke, or what came over it is not HTTP.
    #[error("the connection to {host} broke: {cause}")]
    Broken {
        /// With whom.
        host: String,
        /// HTTP's error.
        cause: hyper::Error,
    },
    /// The answer is longer than allowed.
    #[error("{host} answered with more than {max} bytes")]
    TooLong {
        /// Who.
        host: String,
        /// The bound in bytes.
        max: usize,
    },
}

impl TransportError {
    /// Whether the same request may fare better a moment later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::Time { .. } | Self::Broken { .. })
    }
}

/// Where a connection leads.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Origin {
    secure: bool,
    host: String,
    port: u16,
}

impl Origin {
    fn of(uri: &Uri) -> Result<Self, TransportError> {
        let url = || TransportError::Url(uri.to_string());
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(url()),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(url)?;
        // IPv6 addresses stand in brackets in a URL, and nowhere else.
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        if !secure && !is_loopback(&host) {
            return Err(TransportError::PlainHttp(uri.to_string()));
        }
        Ok(Self { secure, host, port })
    }

    fn name(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

type Body = Full<Bytes>;

/// A connection without a request.
struct Idle {
    sender: SendRequest<Body>,
    since: Instant,
}

/// Sends requests, on any runtime: a connection lives on the one that it was made on, and serves that alone.
pub struct Transport {
    trust: Trust,
    limits: Limits,
    /// Made with the first connection that needs it: the system's certificates take a while to read.
    tls: OnceLock<Arc<rustls::ClientConfig>>,
    idle: Mutex<HashMap<(runtime::Id, Origin), Vec<Idle>>>,
}

impl Transport {
    /// A transport without connections yet.
    #[must_use]
    pub fn new(trust: Trust, limits: Limits) -> Self {
        Self { trust, limits, tls: OnceLock::new(), idle: Mutex::default() }
    }

    /// Another transport with the same trust and other limits.
    #[must_use]
    pub fn with_limits(&self, limits: Limits) -> Self {
        Self::new(self.trust.clone(), limits)
    }

    /// Sends a request and waits for the whole of its answer, whatever its status.
    ///
    /// # Errors
    /// [`TransportError`].
    pub async fn send(&self, request: Request) -> Result<Answer, TransportError> {
        let place = (Handle::current().id(), Origin::of(&request.uri)?);
        let origin = &place.1;
        let mut message = message(request, origin)?;
        while let Some(mut sender) = self.idle(&place) {
            match self.exchange(&mut sender, origin, message).await {
                Ok(answer) => return Ok(self.answered(place, sender, answer)),
                Err(Lost::Unsent(unsent)) => message = *unsent,
                Err(Lost::Sent(error)) => return Err(error),
            }
        }
        // Most requests need none of the room that this takes.
        let mut sender = Box::pin(self.connect(origin)).await?;
        match self.exchange(&mut sender, origin, message).await {
            Ok(answer) => Ok(self.answered(place, sender, answer)),
            Err(Lost::Sent(error)) => Err(error),
            Err(Lost::Unsent(_)) => {
                let cause = io::ErrorKind::ConnectionAborted.into();
                Err(TransportError::Connect { host: origin.name(), cause })
            }
        }
    }

    fn idle(&self, place: &(runtime::Id, Origin)) -> Option<SendRequest<Body>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = idle.get_mut(place)?;
        while let Some(Idle { sender, since }) = connections.pop() {
            if sender.is_ready() && since.elapsed() < self.limits.idle {
                return Some(sender);
            }
        }
        None
    }

    fn answered(&self, place: (runtime::Id, Origin), sender: SendRequest<Body>, answer: Answer) -> Answer {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = idle.entry(place).or_default();
        if connections.len() < self.limits.idle_connections_max && !sender.is_closed() {
            connections.push(Idle { sender, since: Instant::now() });
        }
        answer
    }

    async fn connect(&self, origin: &Origin) -> Result<SendRequest<Body>, TransportError> {
        let failed = |cause| TransportError::Connect { host: origin.name(), cause };
        let tls = if origin.secure { Some(TlsConnector::from(self.tls()?)) } else { None };
        let connecting = async {
            let stream = TcpStream::connect((origin.host.as_str(), origin.port)).await.map_err(failed)?;
            stream.set_nodelay(true).map_err(failed)?;
            let Some(tls) = tls else { return begin(origin, stream).await };
            let name = ServerName::try_from(origin.host.clone());
            let name = name.map_err(|_| TransportError::Url(origin.name()))?;
            begin(origin, tls.connect(name, stream).await.map_err(failed)?).await
        };
        let late = |_| TransportError::Time { host: origin.name(), limit: self.limits.connect };
        timeout(self.limits.connect, connecting).await.map_err(late)?
    }

    fn tls(&self) -> Result<Arc<rustls::ClientConfig>, TransportError> {
        if let Some(config) = self.tls.get() {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(self.trust.client_config()?);
        Ok(Arc::clone(self.tls.get_or_init(|| config)))
    }

    async fn exchange(
        &self,
        sender: &mut SendRequest<Body>,
        origin: &Origin,
        message: http::Request<Body>,
    ) -> Result<Answer, Lost> {
        let host = || origin.name();
        let exchanging = async {
            let answer = sender.try_send_request(message).await.map_err(|mut error| match error.take_message() {
                Some(message) => Lost::Unsent(Box::new(message)),
                None => Lost::Sent(TransportError::Broken { host: host(), cause: error.into_error() }),
            })?;
            let (head, mut incoming) = answer.into_parts();
            let mut body = SecretBytes::with_capacity(1024);
            while let Some(frame) = incoming.frame().await {
                let frame = frame.map_err(|cause| Lost::Sent(TransportError::Broken { host: host(), cause }))?;
                let Ok(data) = frame.into_data() else { continue };
                if body.len() + data.len() > self.limits.body_bytes_max {
                    return Err(Lost::Sent(TransportError::TooLong { host: host(), max: self.limits.body_bytes_max }));
                }
                body.extend(&data);
            }
            Ok(Answer { status: head.status, headers: head.headers, body })
        };
        let late = |_| Lost::Sent(TransportError::Time { host: host(), limit: self.limits.answer });
        timeout(self.limits.answer, exchanging).await.map_err(late)?
    }
}

/// How a request on a connection came to nothing.
enum Lost {
    /// It never left: the connection was closed already.
    Unsent(Box<http::Request<Body>>),
    /// It may have arrived.
    Sent(TransportError),
}

async fn begin<S>(origin: &Origin, stream: S) -> Result<SendRequest<Body>, TransportError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |cause| TransportError::Broken { host: origin.name(), cause };
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // It ends with the connection; whoever has a request on it gets the error.
    tokio::spawn(connection);
    Ok(sender)
}

/// The value of `Host`: what is signed has to be what is sent.
pub(crate) fn host(uri: &Uri) -> Option<HeaderValue> {
    let host = uri.host()?;
    let usual = match uri.scheme_str() {
        Some("https") => 443,
        _ => 80,
    };
    match uri.port_u16().filter(|port| *port != usual) {
        Some(port) => HeaderValue::from_str(&format!("{host}:{port}")).ok(),
        None => HeaderValue::from_str(host).ok(),
    }
}

/// A body on its way, wiped once it is sent.
struct Wiped(SecretBytes);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        self.0.expose()
    }
}

fn message(request: Request, origin: &Origin) -> Result<http::Request<Body>, TransportError> {
    let Request { method, uri, headers, body } = request;
    let mut message = http::Request::new(Full::new(Bytes::from_owner(Wiped(body))));
    *message.method_mut() = method;
    *message.headers_mut() = headers;
    if !message.headers().contains_key(http::header::HOST) {
        let host = host(&uri).or_else(|| HeaderValue::from_str(&origin.name()).ok());
        message.headers_mut().insert(http::header::HOST, host.ok_or_else(|| TransportError::Url(uri.to_string()))?);
    }
    *message.uri_mut() = uri.path_and_query().cloned().map_or_else(|| Uri::from_static("/"), Uri::from);
    Ok(message)
}

#[cfg(test)]
mod tests;
