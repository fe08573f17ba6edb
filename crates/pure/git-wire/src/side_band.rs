//! Side-band packets: the pack, progress and errors on one stream.
//!
//! Source: gitprotocol-capabilities, "side-band, side-band-64k".

use crate::capabilities::Capabilities;
use crate::packet::{PACKET_BYTES_MAX, length_digits};

/// The packet that keeps a connection open while there is nothing to send.
pub const KEEP_ALIVE: &[u8] = b"0005\x01";

/// A packet's purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Band {
    /// The pack, or the report of a push.
    Data = 1,
    /// Text shown to the user, after `remote: `.
    Progress = 2,
    /// Text shown before the client gives up.
    Error = 3,
}

/// The packets that a client takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SideBand {
    /// Up to 1000 bytes each: `side-band`.
    Small,
    /// Up to 65,520 bytes each: `side-band-64k`.
    Large,
}

impl SideBand {
    /// The largest packets that a client with those capabilities takes; `None`: it knows no side band.
    #[must_use]
    pub fn of(capabilities: &Capabilities) -> Option<Self> {
        if capabilities.has("side-band-64k") {
            Some(Self::Large)
        } else {
            capabilities.has("side-band").then_some(Self::Small)
        }
    }

    /// Bytes that fit into a packet.
    #[must_use]
    pub const fn payload_bytes_max(self) -> usize {
        match self {
            Self::Small => 1000 - 5,
            Self::Large => PACKET_BYTES_MAX - 5,
        }
    }

    /// The header of `bytes` bytes of a band in a packet of their own. There must be no more of them than
    /// [`payload_bytes_max`](Self::payload_bytes_max).
    #[must_use]
    pub fn header(self, band: Band, bytes: usize) -> [u8; 5] {
        let [a, b, c, d] = length_digits(bytes.min(self.payload_bytes_max()) + 5);
        [a, b, c, d, band as u8]
    }

    /// Writes `bytes` in as many packets as they take. No bytes take none.
    pub fn write(self, band: Band, bytes: &[u8], out: &mut Vec<u8>) {
        for piece in bytes.chunks(self.payload_bytes_max()) {
            out.extend_from_slice(&self.header(band, piece.len()));
            out.extend_from_slice(piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{Decoder, Packet};

    #[test]
    fn bytes_come_back_from_packets_of_the_size_that_the_client_takes() {
        let bytes: Vec<u8> = (0..200_000_u32).map(|at| (at % 251) as u8).collect();
        for (side_band, longest) in [(SideBand::Small, 1000), (SideBand::Large, 65_520)] {
            let mut out = Vec::new();
            side_band.write(Band::Data, &bytes, &mut out);
            assert_eq!(out.len(), bytes.len() + 5 * bytes.len().div_ceil(longest - 5));
            let mut decoder = Decoder::default();
            decoder.push(&out);
            let mut read = Vec::new();
            while let Some(Packet::Data(packet)) = decoder.next().expect("packets") {
                assert!(packet.len() + 4 <= longest && packet[0] == 1);
                read.extend_from_slice(&packet[1..]);
            }
            assert_eq!(read, bytes);
        }
    }

    #[test]
    fn each_band_has_its_number() {
        let mut out = Vec::new();
        SideBand::Large.write(Band::Progress, b"hello\n", &mut out);
        SideBand::Large.write(Band::Error, b"no", &mut out);
        SideBand::Large.write(Band::Data, b"", &mut out);
        assert_eq!(out, b"000b\x02hello\n0007\x03no");
    }
}
