//! Connections as they come and go.

use std::sync::Arc;
use std::time::Duration;

use russh::Disconnect;
use russh::server::{Config, run_stream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::GitSsh;
use super::connection::Connection;
use super::places::{Place, Places};

/// How long a client has to say who it is.
const LOGIN_MAX: Duration = Duration::from_secs(60);

/// How long transfers have to end once the server stops.
const STOP_MAX: Duration = Duration::from_secs(10);

/// How long accepting pauses after it failed, as for want of descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Connections that are being served.
pub struct Running {
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    pub(super) fn start(git: Arc<GitSsh>, listener: TcpListener, config: Arc<Config>) -> Self {
        let (stop, stopping) = watch::channel(false);
        let task = tokio::spawn(accept(git, listener, config, stopping));
        Self { stop, task }
    }

    /// Takes no more connections, gives those that there are a few seconds to end, and closes them.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // It ends by itself.
        let _ = self.task.await;
    }
}

async fn accept(git: Arc<GitSsh>, listener: TcpListener, config: Arc<Config>, mut stopping: watch::Receiver<bool>) {
    let (places, mut connections) = (Places::default(), JoinSet::new());
    loop {
        let accepted = tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Some(place) = places.take(peer.ip().to_canonical()) else {
                    tracing::debug!(ip = %peer.ip(), "too many SSH connections");
                    continue;
                };
                let connection = Connection::new(Arc::clone(&git), peer.ip().to_canonical());
                connections.spawn(serve(stream, connection, Arc::clone(&config), place, stopping.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "no SSH connection can be accepted");
                sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    let ended = timeout(STOP_MAX, async { while connections.join_next().await.is_some() {} }).await;
    if ended.is_err() {
        connections.shutdown().await;
    }
}

async fn serve(
    stream: TcpStream,
    connection: Connection,
    config: Arc<Config>,
    _place: Place,
    mut stopping: watch::Receiver<bool>,
) {
    let ip = connection.ip();
    let known = connection.known();
    let busy = connection.busy();
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%ip, %error, "an SSH connection broke before its first byte");
        return;
    }
    let session = match timeout(LOGIN_MAX, run_stream(config, stream, connection)).await {
        Ok(Ok(session)) => session,
        Ok(Err(error)) => {
            tracing::debug!(%ip, %error, "an SSH connection ended badly");
            return;
        }
        Err(_) => return,
    };
    let handle = session.handle();
    let mut session = std::pin::pin!(session);
    let ended = tokio::select! {
        ended = &mut session => ended,
        () = async {
            sleep(LOGIN_MAX).await;
            if known.get().is_some() {
                std::future::pending::<()>().await;
            }
        } => {
            tracing::debug!(%ip, "an SSH client did not say who it is");
            let _ = handle.disconnect(Disconnect::ByApplication, "too slow".to_owned(), "en".to_owned()).await;
            session.await
        }
        () = async {
            let _ = stopping.wait_for(|stop| *stop).await;
            busy.wait_until_idle().await;
        } => {
            let _ = handle.disconnect(Disconnect::ByApplication, "the server stops".to_owned(), "en".to_owned()).await;
            session.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%ip, %error, "an SSH connection ended badly");
    }
}
