//! Output to a client, whole or in side-band packets, and what keeps its connection open meanwhile.

use std::time::Duration;

use bytes::Bytes;
use git_wire::{Band, FLUSH, KEEP_ALIVE, SideBand};
use tokio::sync::mpsc;

use super::TransferError;

/// How long a client hears nothing at most, so that no proxy takes the connection for dead.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(5);

/// The way to a client. Whoever sends faster than it takes waits.
#[derive(Clone)]
pub struct Output(mpsc::Sender<Bytes>);

impl Output {
    /// A way to a client whose bytes come out at the other end.
    #[must_use]
    pub fn new(pieces_ahead: usize) -> (Self, mpsc::Receiver<Bytes>) {
        let (sender, receiver) = mpsc::channel(pieces_ahead);
        (Self(sender), receiver)
    }

    /// Sends bytes. None are not sent.
    ///
    /// # Errors
    /// [`TransferError::Gone`].
    pub async fn send(&self, bytes: impl Into<Bytes> + Send) -> Result<(), TransferError> {
        let bytes = bytes.into();
        if bytes.is_empty() {
            return Ok(());
        }
        self.0.send(bytes).await.map_err(|_| TransferError::Gone)
    }
}

/// The way for a pack or a report, with or without a side band.
pub(super) struct Banded<'a> {
    pub(super) output: &'a Output,
    pub(super) side_band: Option<SideBand>,
    /// Whether the client wants to know how things go.
    pub(super) verbose: bool,
}

impl Banded<'_> {
    /// Sends data.
    pub(super) async fn data(&self, bytes: Bytes) -> Result<(), TransferError> {
        let Some(side_band) = self.side_band else { return self.output.send(bytes).await };
        let headers = 5 * bytes.len().div_ceil(side_band.payload_bytes_max());
        let mut out = Vec::with_capacity(bytes.len() + headers);
        side_band.write(Band::Data, &bytes, &mut out);
        self.output.send(out).await
    }

    /// Shows text to the user, if there is a way and they want to see it.
    pub(super) async fn progress(&self, text: &str) -> Result<(), TransferError> {
        if self.verbose { self.message(text).await } else { Ok(()) }
    }

    /// Shows text to the user, if there is a way.
    pub(super) async fn message(&self, text: &str) -> Result<(), TransferError> {
        let Some(side_band) = self.side_band else { return Ok(()) };
        let mut out = Vec::new();
        side_band.write(Band::Progress, git_wire::clean_progress(text.as_bytes()).as_bytes(), &mut out);
        self.output.send(out).await
    }

    /// Tells why there is no more. Without a side band there is no way.
    pub(super) async fn error(&self, text: &str) -> Result<(), TransferError> {
        let Some(side_band) = self.side_band else { return Ok(()) };
        let mut out = Vec::new();
        side_band.write(Band::Error, git_wire::clean(text.as_bytes()).as_bytes(), &mut out);
        self.output.send(out).await
    }

    /// Keeps the connection open.
    pub(super) async fn keep_alive(&self) -> Result<(), TransferError> {
        if self.side_band.is_some() { self.output.send(KEEP_ALIVE).await } else { Ok(()) }
    }

    /// Ends the side band.
    pub(super) async fn end(&self) -> Result<(), TransferError> {
        if self.side_band.is_some() { self.output.send(FLUSH).await } else { Ok(()) }
    }
}
