//! The port: binds it and accepts connections. Who has a place and who gives one up is the connection limiter's.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};

use crate::application::Application;
use crate::connection;
use crate::error::FrontError;
use crate::front::Front;
use crate::workers::Workers;

/// Connections that the kernel queues for us.
const BACKLOG: u32 = 1024;

/// How long to wait when the operating system has no more descriptors to give.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// A bound port. Clients queue up from now on, and are answered once a [`Front`] serves it.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Binds `address`; port 0 leaves the port to the operating system.
    ///
    /// # Errors
    /// [`FrontError::Listen`].
    pub fn bind(address: SocketAddr) -> Result<Self, FrontError> {
        let bind = || {
            let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
            // A restarted server must not wait for its predecessor's connections to be forgotten.
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            let socket = socket.listen(BACKLOG)?;
            let address = socket.local_addr()?;
            Ok(Self { socket, address })
        };
        bind().map_err(|cause| FrontError::Listen { address, cause })
    }

    /// The address, with the port that the operating system chose if that was left to it.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts connections until dropped, and has each served by one of the workers.
    pub(crate) async fn accept<A: Application>(self, front: Arc<Front<A>>, workers: Arc<Workers>) {
        loop {
            let (stream, peer) = match self.socket.accept().await {
                Ok(accepted) => accepted,
                Err(error) if is_peers(&error) => continue,
                Err(error) => {
                    tracing::error!(%error, "no connection can be accepted");
                    tokio::time::sleep(EXHAUSTED_PAUSE).await;
                    continue;
                }
            };
            front.shared.traffic.accepted.fetch_add(1, Ordering::Relaxed);
            let ip = peer.ip().to_canonical();
            let Some(admission) = front.shared.connections.admit(ip).await else { return };
            let (front, state) = (Arc::clone(&front), Arc::clone(admission.state()));
            let served =
                workers.serve(stream, move |stream| admission.attend(connection::serve(front, stream, ip, state)));
            if let Err(error) = served {
                tracing::error!(%error, "a connection could not be handed to a worker");
            }
        }
    }
}

/// Whether the peer went away before it was accepted.
fn is_peers(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted)
}
