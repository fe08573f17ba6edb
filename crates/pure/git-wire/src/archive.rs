//! The request of `git archive --remote`: arguments, one a packet.
//!
//! Source: git's documentation of git-upload-archive and git-archive.

use crate::error::WireError;
use crate::fetch::add;
use crate::packet::{FLUSH, Packet, line_of};
use crate::{ARCHIVE_ARGUMENTS_MAX, text::clean};

/// Reads the arguments from packets.
#[derive(Default)]
pub struct ArchiveReader {
    arguments: Vec<Vec<u8>>,
}

impl ArchiveReader {
    /// Takes a packet; all arguments, such as `--format=tar` and `main`, once the flush packet came that ends them.
    ///
    /// # Errors
    /// [`WireError`] for a packet that is no argument, and for too many.
    pub fn packet(&mut self, packet: Packet<'_>) -> Result<Option<Vec<Vec<u8>>>, WireError> {
        if packet == Packet::Flush {
            return Ok(Some(std::mem::take(&mut self.arguments)));
        }
        let line = packet.line("argument <text>")?;
        let argument = line.strip_prefix(b"argument ").ok_or_else(|| WireError::unexpected("argument <text>", line))?;
        add(&mut self.arguments, argument.to_vec(), "arguments", ARCHIVE_ARGUMENTS_MAX)?;
        Ok(None)
    }
}

/// Writes that the archive follows, in side-band packets that a flush packet ends.
pub fn acknowledge_archive(out: &mut Vec<u8>) {
    line_of(out, format_args!("ACK"));
    out.extend_from_slice(FLUSH);
}

/// Writes why no archive follows.
pub fn refuse_archive(out: &mut Vec<u8>, reason: &str) {
    line_of(out, format_args!("NACK {}", clean(reason.as_bytes()).replace('\n', " ")));
    out.extend_from_slice(FLUSH);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_up_to_the_flush_packet() {
        let mut reader = ArchiveReader::default();
        assert_eq!(reader.packet(Packet::Data(b"argument --format=tar\n")), Ok(None));
        assert_eq!(reader.packet(Packet::Data(b"argument main\n")), Ok(None));
        assert_eq!(reader.packet(Packet::Flush), Ok(Some(vec![b"--format=tar".to_vec(), b"main".to_vec()])));
        assert!(reader.packet(Packet::Data(b"--exec=sh")).is_err());
        let mut reader = ArchiveReader::default();
        let taken = (0..100).take_while(|_| reader.packet(Packet::Data(b"argument x")).is_ok()).count();
        assert_eq!(taken, ARCHIVE_ARGUMENTS_MAX);
    }
}
