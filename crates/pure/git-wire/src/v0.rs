//! The request of upload-pack in versions 0 and 1, up to where negotiation begins.
//!
//! Source: gitprotocol-pack, "Packfile Negotiation"; gitprotocol-capabilities.

use git_object::{ObjectFormat, ObjectId};

use crate::capabilities::Capabilities;
use crate::error::WireError;
use crate::fetch::{Fetch, id, same_format};
use crate::negotiation::MultiAck;
use crate::packet::Packet;
use crate::side_band::SideBand;

/// A request of version 0 or 1, and how the client negotiates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadRequest {
    /// The fetch. No wants: it only looked.
    pub fetch: Fetch,
    /// How common commits are acknowledged.
    pub multi_ack: MultiAck,
    /// Whether the pack may follow without a `done`.
    pub no_done: bool,
    /// The packets that the pack is sent in; `None`: it follows as it is, without progress.
    pub side_band: Option<SideBand>,
    /// The capabilities of the client.
    pub capabilities: Capabilities,
}

/// Reads an [`UploadRequest`] from packets.
pub struct UploadReader {
    format: ObjectFormat,
    request: Option<UploadRequest>,
}

impl UploadReader {
    /// A reader of requests to a repository of that format.
    #[must_use]
    pub fn new(format: ObjectFormat) -> Self {
        let capabilities = Capabilities::none();
        let (multi_ack, no_done, side_band) = (MultiAck::Single, false, None);
        let request = UploadRequest { fetch: Fetch::default(), multi_ack, no_done, side_band, capabilities };
        Self { format, request: Some(request) }
    }

    /// Takes a packet; the request once the flush packet came that ends it.
    ///
    /// # Errors
    /// [`WireError`] for lines that are none of the protocol's, for too many of them, and for another hash function.
    pub fn packet(&mut self, packet: Packet<'_>) -> Result<Option<UploadRequest>, WireError> {
        let Some(request) = &mut self.request else { return Err(WireError::unexpected("nothing", packet.shown())) };
        if packet == Packet::Flush {
            request.fetch.settle();
            return Ok(self.request.take());
        }
        let line = packet.line("want <id>")?;
        let fetch = &mut request.fetch;
        if fetch.wants.is_empty()
            && let Some(first) = line.strip_prefix(b"want ")
        {
            let digits = 2 * self.format.id_bytes();
            let is_hex = |byte: &u8| byte.is_ascii_hexdigit();
            let end = first.iter().position(|byte| !is_hex(byte)).unwrap_or(first.len()).max(digits).min(first.len());
            let (hex, capabilities) = first.split_at_checked(end).unwrap_or((first, &[]));
            let wanted = id(self.format, "want <id>", hex, line)?;
            let capabilities = Capabilities::parse(capabilities);
            if let Some(client) = capabilities.value("object-format") {
                same_format(self.format, client)?;
            }
            fetch.want(wanted)?;
            request.take(capabilities);
        } else if !fetch.line(self.format, line)? {
            return Err(WireError::unexpected("want <id>, shallow <id>, deepen or filter", line));
        }
        Ok(None)
    }
}

impl UploadRequest {
    fn take(&mut self, capabilities: Capabilities) {
        self.multi_ack = if capabilities.has("multi_ack_detailed") {
            MultiAck::Detailed
        } else if capabilities.has("multi_ack") {
            MultiAck::Continue
        } else {
            MultiAck::Single
        };
        self.no_done = capabilities.has("no-done");
        self.side_band = SideBand::of(&capabilities);
        self.fetch.thin_pack = capabilities.has("thin-pack");
        self.fetch.no_progress = capabilities.has("no-progress");
        self.fetch.include_tag = capabilities.has("include-tag");
        self.fetch.ofs_delta = capabilities.has("ofs-delta");
        self.fetch.deepen.relative = capabilities.has("deepen-relative");
        self.capabilities = capabilities;
    }
}

/// The object that a line `have …` names; `None` for `done`.
pub(crate) fn have(format: ObjectFormat, line: &[u8]) -> Result<Option<ObjectId>, WireError> {
    const EXPECTED: &str = "have <id> or done";
    if line == b"done" {
        return Ok(None);
    }
    let hex = line.strip_prefix(b"have ").ok_or_else(|| WireError::unexpected(EXPECTED, line))?;
    id(format, EXPECTED, hex, line).map(Some)
}

#[cfg(test)]
mod tests;
