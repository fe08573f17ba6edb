//! A client's input: packets, and the bytes behind them. Bounds how many bytes of packets a request may have.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;
use git_wire::{Band, Decoder, Packet, SideBand, WireError, error_line};

use super::TransferError;

/// Bytes as they arrive from a client.
pub type ByteSource = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// Bytes of packets in a request at most: more than its limits on wants and haves let it have.
const REQUEST_BYTES_MAX: usize = 16 << 20;

/// Bytes that are taken in of a request that is refused already: git sends so many (`http.postBuffer`) before it reads.
const UNREAD_BYTES_MAX: usize = 1 << 20;

/// A client's input.
pub struct Packets {
    source: ByteSource,
    decoder: Decoder,
    /// Bytes that the request may still have.
    left: usize,
    /// Packets in which the client reads why a request fails, if it knows such.
    side_band: Option<SideBand>,
}

impl Packets {
    /// Packets out of bytes that arrive.
    #[must_use]
    pub fn new(source: ByteSource) -> Self {
        Self { source, decoder: Decoder::default(), left: REQUEST_BYTES_MAX, side_band: None }
    }

    /// Takes in all that is sent: over HTTP an answer begins once its request has ended.
    ///
    /// # Errors
    /// [`TransferError::Wire`] for more than a request may have, [`TransferError::Input`].
    pub async fn gather(&mut self) -> Result<(), TransferError> {
        while let Some(bytes) = self.arriving().await? {
            self.take(&bytes)?;
        }
        Ok(())
    }

    /// Takes in what a client sends before it reads that its request was refused.
    pub async fn drain(&mut self) {
        let mut left = UNREAD_BYTES_MAX;
        while let Ok(Some(bytes)) = self.arriving().await {
            match left.checked_sub(bytes.len()) {
                Some(less) => left = less,
                None => return,
            }
        }
    }

    /// The packet that says why a request fails, as its client reads it.
    #[must_use]
    pub fn refusal(&self, words: &str) -> Vec<u8> {
        let mut out = Vec::new();
        match self.side_band {
            Some(side_band) => side_band.write(Band::Error, words.as_bytes(), &mut out),
            None => error_line(&mut out, format_args!("{words}")),
        }
        out
    }

    /// From now on, the client reads failures in those packets.
    pub(super) const fn refuse_in(&mut self, side_band: Option<SideBand>) {
        self.side_band = side_band;
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        let left = self.left.checked_sub(bytes.len());
        self.left = left.ok_or(WireError::TooMany { what: "bytes in a request", max: REQUEST_BYTES_MAX })?;
        self.decoder.push(bytes);
        Ok(())
    }

    /// Begins another request on the same stream.
    pub(super) const fn begin(&mut self) {
        self.left = REQUEST_BYTES_MAX;
    }

    /// Hands the next packet to `take`; `None` once nothing more is sent.
    pub(super) async fn next<T>(
        &mut self,
        take: impl FnOnce(Packet<'_>) -> Result<T, WireError> + Send,
    ) -> Result<Option<T>, TransferError> {
        loop {
            if let Some(packet) = self.decoder.next()? {
                return Ok(Some(take(packet)?));
            }
            match self.arriving().await? {
                Some(bytes) => {
                    let left = self.left.checked_sub(bytes.len());
                    self.left =
                        left.ok_or(WireError::TooMany { what: "bytes in a request", max: REQUEST_BYTES_MAX })?;
                    self.decoder.push(&bytes);
                }
                None if self.decoder.is_empty() => return Ok(None),
                None => return Err(TransferError::Input(io::ErrorKind::UnexpectedEof.into())),
            }
        }
    }

    /// Hands packets to `take` until it has what it wants; `None` if nothing more is sent.
    pub(super) async fn until<T: Send>(
        &mut self,
        mut take: impl FnMut(Packet<'_>) -> Result<Option<T>, WireError> + Send,
    ) -> Result<Option<T>, TransferError> {
        while let Some(taken) = self.next(&mut take).await? {
            if taken.is_some() {
                return Ok(taken);
            }
        }
        Ok(None)
    }

    /// The next bytes behind the packets; `None` at the end.
    pub(super) async fn bytes(&mut self) -> Result<Option<Bytes>, TransferError> {
        let rest = self.decoder.take_rest();
        if rest.is_empty() { self.arriving().await } else { Ok(Some(rest.into())) }
    }

    async fn arriving(&mut self) -> Result<Option<Bytes>, TransferError> {
        let next = poll_fn(|task| self.source.as_mut().poll_next(task)).await;
        next.transpose().map_err(TransferError::Input)
    }
}
