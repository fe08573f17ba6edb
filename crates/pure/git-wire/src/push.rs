//! The request of receive-pack: reference updates, capabilities and options, up to where the pack begins.
//!
//! Source: gitprotocol-pack, "Reference Update Request and Packfile Transfer".

use git_object::{ObjectFormat, ObjectId};

use crate::capabilities::Capabilities;
use crate::error::WireError;
use crate::fetch::{add, id, same_format};
use crate::packet::Packet;
use crate::side_band::SideBand;
use crate::{COMMANDS_MAX, PUSH_OPTIONS_MAX, SHALLOW_MAX};

/// An update of a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The value the client expects; null to create it.
    pub old: ObjectId,
    /// The new value; null to delete it.
    pub new: ObjectId,
    /// Its name as sent: nothing was checked of it.
    pub name: Vec<u8>,
}

impl Command {
    /// Whether the reference is to be deleted.
    #[must_use]
    pub fn deletes(&self) -> bool {
        self.new.is_null()
    }
}

/// A push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// The format of the client's ids.
    pub format: ObjectFormat,
    /// The updates. None: the client only tries whether it may send.
    pub commands: Vec<Command>,
    /// Commits whose parents the client lacks.
    pub shallow: Vec<ObjectId>,
    /// Whether all updates are made or none.
    pub atomic: bool,
    /// Whether the client reads a report, and if so whether of version 2.
    pub report: Option<Report>,
    /// The packets that the report is sent in; `None`: it follows as it is, without progress.
    pub side_band: Option<SideBand>,
    /// Whether progress is unwanted.
    pub quiet: bool,
    /// Options for whoever acts on the push.
    pub options: Vec<Vec<u8>>,
    /// The capabilities of the client.
    pub capabilities: Capabilities,
}

/// A form of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// `report-status`.
    V1,
    /// `report-status-v2`.
    V2,
}

impl Push {
    /// Whether a pack follows: it does unless all that is asked for is to delete.
    #[must_use]
    pub fn has_pack(&self) -> bool {
        self.commands.iter().any(|command| !command.deletes())
    }
}

/// Reads a [`Push`] from packets.
pub struct PushReader {
    /// `None` while a repository that takes either has not seen an id.
    format: Option<ObjectFormat>,
    shallow: Vec<ObjectId>,
    /// Not in `push` before the format is known.
    push: Option<Push>,
    in_options: bool,
    ended: bool,
    side_band: Option<SideBand>,
}

impl PushReader {
    /// A reader of pushes to a repository of that format; `None`: to one that takes that of its first push.
    #[must_use]
    pub const fn new(format: Option<ObjectFormat>) -> Self {
        Self { format, shallow: Vec::new(), push: None, in_options: false, ended: false, side_band: None }
    }

    /// The packets in which the client reads why its push fails, from its first command on.
    #[must_use]
    pub const fn side_band(&self) -> Option<SideBand> {
        self.side_band
    }

    /// Takes a packet; the push once the flush packet came that ends it. Bytes that follow are the pack.
    ///
    /// # Errors
    /// [`WireError`] for lines that are none of the protocol's, too many of them, another hash function, and signed
    /// pushes.
    pub fn packet(&mut self, packet: Packet<'_>) -> Result<Option<Push>, WireError> {
        if self.ended {
            return Err(WireError::unexpected("nothing", packet.shown()));
        }
        if packet == Packet::Flush {
            if let Some(push) = self.push.as_ref().filter(|_| !self.in_options)
                && push.capabilities.has("push-options")
            {
                self.in_options = true;
                return Ok(None);
            }
            self.ended = true;
            let format = self.format.unwrap_or(ObjectFormat::Sha1);
            let mut push = self.push.take().unwrap_or_else(|| Push::none(format));
            push.shallow = std::mem::take(&mut self.shallow);
            return Ok(Some(push));
        }
        match &mut self.push {
            Some(push) if self.in_options => {
                add(&mut push.options, packet.line("a push option")?.to_vec(), "push options", PUSH_OPTIONS_MAX)?;
            }
            _ => self.line(packet.line("<old> <new> <reference>")?)?,
        }
        Ok(None)
    }

    fn line(&mut self, line: &[u8]) -> Result<(), WireError> {
        let (text, capabilities) = match line.iter().position(|byte| *byte == 0) {
            Some(at) => (line.get(..at).unwrap_or_default(), line.get(at + 1..).unwrap_or_default()),
            None => (line, [].as_slice()),
        };
        if let Some(hex) = text.strip_prefix(b"shallow ") {
            let id = id(self.format_of(hex), "shallow <id>", hex, line)?;
            return add(&mut self.shallow, id, "shallow commits", SHALLOW_MAX);
        }
        if text.starts_with(b"push-cert") {
            return Err(WireError::Unsupported { what: "a signed push" });
        }
        let mut words = text.splitn(3, |byte| *byte == b' ');
        let (Some(old), Some(new), Some(name)) = (words.next(), words.next(), words.next()) else {
            return Err(WireError::unexpected("<old> <new> <reference>", line));
        };
        if self.push.is_none() {
            let format = self.format_of(old);
            let capabilities = Capabilities::parse(capabilities);
            self.side_band = SideBand::of(&capabilities);
            if let Some(client) = capabilities.value("object-format") {
                same_format(format, client)?;
            }
            self.format = Some(format);
            self.push = Some(Push::with(format, capabilities));
        }
        let Some(push) = &mut self.push else { return Ok(()) };
        if push.commands.len() >= COMMANDS_MAX {
            return Err(WireError::TooManyCommands { max: COMMANDS_MAX });
        }
        const EXPECTED: &str = "<old> <new> <reference>";
        let (old, new) = (id(push.format, EXPECTED, old, line)?, id(push.format, EXPECTED, new, line)?);
        push.commands.push(Command { old, new, name: name.to_vec() });
        Ok(())
    }

    /// The repository's format, else that of an id which is so long.
    fn format_of(&self, hex: &[u8]) -> ObjectFormat {
        let longer = hex.len() == 2 * ObjectFormat::Sha256.id_bytes();
        self.format.unwrap_or(if longer { ObjectFormat::Sha256 } else { ObjectFormat::Sha1 })
    }
}

impl Push {
    fn none(format: ObjectFormat) -> Self {
        Self::with(format, Capabilities::none())
    }

    fn with(format: ObjectFormat, capabilities: Capabilities) -> Self {
        let report = if capabilities.has("report-status-v2") {
            Some(Report::V2)
        } else {
            capabilities.has("report-status").then_some(Report::V1)
        };
        Self {
            format,
            commands: Vec::new(),
            shallow: Vec::new(),
            atomic: capabilities.has("atomic"),
            report,
            side_band: SideBand::of(&capabilities),
            quiet: capabilities.has("quiet"),
            options: Vec::new(),
            capabilities,
        }
    }
}

#[cfg(test)]
mod tests;
