//! SHA-1 that finds content which was made to collide.
//!
//! A collision attack on SHA-1 has to use one of few known differences between two messages ("disturbance vectors"). From
//! one message alone it shows whether another one, with such a difference, would have had the same digest so far: the
//! detection of Stevens ("Counter-cryptanalysis", 2013), which git uses as well. Few blocks fulfil the conditions that
//! all messages with a given difference do (Stevens and Shumow, "Speeding up detection of SHA-1 collision attacks using
//! unavoidable attack conditions", 2017), so that the processor's own instructions for SHA-1 do nearly all of the work.

mod block;
mod conditions;
mod masks;

use sha1::digest::generic_array::GenericArray;

/// A block's length in bytes.
const BLOCK: usize = 64;

/// Blocks that are looked at at once.
const LANES: usize = 16;

const FIRST: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

type Block = [u8; BLOCK];

/// SHA-1 of content that arrives in pieces, and whether the content was made to collide.
#[derive(Clone)]
pub struct Sha1Checked {
    state: [u32; 5],
    /// The beginning of a block, whose length is that of all modulo a block's.
    pending: Block,
    bytes: u64,
    collides: bool,
}

impl Default for Sha1Checked {
    fn default() -> Self {
        Self::new()
    }
}

impl Sha1Checked {
    /// Begins a digest.
    #[must_use]
    pub fn new() -> Self {
        Self { state: FIRST, pending: [0; BLOCK], bytes: 0, collides: false }
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, mut data: &[u8]) {
        let pending = (self.bytes % BLOCK as u64) as usize;
        self.bytes = self.bytes.wrapping_add(data.len() as u64);
        if pending > 0 {
            let room = self.pending.get_mut(pending..).unwrap_or_default();
            let (now, rest) = data.split_at(room.len().min(data.len()));
            let full = now.len() == room.len();
            if let Some(room) = room.get_mut(..now.len()) {
                room.copy_from_slice(now);
            }
            data = rest;
            if !full {
                return;
            }
            let block = self.pending;
            self.blocks(&[block]);
        }
        let (blocks, rest) = data.as_chunks::<BLOCK>();
        for blocks in blocks.chunks(LANES) {
            self.blocks(blocks);
        }
        if let Some(pending) = self.pending.get_mut(..rest.len()) {
            pending.copy_from_slice(rest);
        }
    }

    /// The digest of all that was taken in, and whether it was made to collide.
    #[must_use]
    pub fn finish(mut self) -> ([u8; 20], bool) {
        let bits = self.bytes.wrapping_mul(8).to_be_bytes();
        let pending = (self.bytes % BLOCK as u64) as usize;
        // A bit, zeros, and the length at the end of a block.
        let mut padding = [0; 2 * BLOCK];
        padding[0] = 0x80;
        let length = if pending < BLOCK - 8 { BLOCK - pending } else { 2 * BLOCK - pending };
        if let Some(end) = padding.get_mut(length - 8..length) {
            end.copy_from_slice(&bits);
        }
        self.update(padding.get(..length).unwrap_or_default());
        let mut digest = [0; 20];
        for (bytes, word) in digest.chunks_exact_mut(4).zip(self.state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        (digest, self.collides)
    }

    /// Takes in up to [`LANES`] blocks.
    fn blocks(&mut self, blocks: &[Block]) {
        for (block, mask) in blocks.iter().zip(masks::masks(blocks)) {
            let start = self.state;
            sha1::compress(&mut self.state, std::slice::from_ref(GenericArray::from_slice(block)));
            if mask != 0 {
                self.collides |= block::collides(block, mask, &start, &self.state);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Sha1Checked;
    use crate::Sha1;

    #[test]
    fn digests_are_those_of_sha_1() {
        let mut state = 1_u32;
        let content: Vec<u8> = (0..20_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        let lengths = (0..400).chain([1023, 1024, 1025, 4096, 19_999, 20_000]);
        for length in lengths {
            let content = &content[..length];
            let mut plain = Sha1::new();
            plain.update(content);
            let expected = plain.finish();
            for piece in [1, 63, 64, 65, 1000, 20_000] {
                let mut checked = Sha1Checked::new();
                content.chunks(piece).for_each(|piece| checked.update(piece));
                assert_eq!(checked.finish(), (expected, false), "{length} {piece}");
            }
        }
    }

    /// The first 320 bytes of both files of shattered.io (2017): their digests are the same.
    #[test]
    fn both_halves_of_the_known_collision_are_found() {
        let bytes = |text: &str| base16ct::mixed::decode_vec(text).expect("hex");
        let prefix = "255044462d312e330a25e2e3cfd30a0a0a312030206f626a0a3c3c2f57696474682032203020522f4865696768742033203\
            020522f547970652034203020522f537562747970652035203020522f46696c7465722036203020522f436f6c6f7253706163652037203\
            020522f4c656e6774682038203020522f42697473506572436f6d706f6e656e7420383e3e0a73747265616d0affd8fffe00245348412d3\
            120697320646561642121212121852fec092339759c39b1a1c63c4c97e1fffe01";
        let halves = [
            "7f46dc93a6b67e013b029aaa1db2560b45ca67d688c7f84b8c4c791fe02b3df614f86db1690901c56b45c1530afedfb76038e972722f\
            e7ad728f0e4904e046c230570fe9d41398abe12ef5bc942be33542a4802d98b5d70f2a332ec37fac3514e74ddc0f2cc1a874cd0c783\
            05a21566461309789606bd0bf3f98cda8044629a1",
            "7346dc9166b67e118f029ab621b2560ff9ca67cca8c7f85ba84c79030c2b3de218f86db3a90901d5df45c14f26fedfb3dc38e96ac22f\
            e7bd728f0e45bce046d23c570feb141398bb552ef5a0a82be331fea48037b8b5d71f0e332edf93ac3500eb4ddc0decc1a864790c782\
            c76215660dd309791d06bd0af3f98cda4bc4629b1",
        ];
        let digests = halves.map(|half| {
            let mut content = bytes(prefix);
            content.extend(bytes(half));
            assert_eq!(content.len(), 320);
            let mut checked = Sha1Checked::new();
            checked.update(&content);
            let (digest, collides) = checked.finish();
            assert!(collides);
            // A bit that is not part of the difference ends it.
            content[300] ^= 0x40;
            let mut checked = Sha1Checked::new();
            checked.update(&content);
            assert!(!checked.finish().1);
            digest
        });
        assert_eq!(digests[0], digests[1]);
    }
}
