//! SHA-384 over bytes that arrive in pieces, by the fastest code that this processor runs.

use aws_lc_rs::digest;

use super::sized;
#[cfg(target_arch = "x86_64")]
use super::{choice, vector};

/// SHA-384 over bytes that arrive in pieces. Meant for public data: what it holds is not zeroised.
#[derive(Clone)]
pub struct Sha384(State);

#[derive(Clone)]
enum State {
    Provider(digest::Context),
    #[cfg(target_arch = "x86_64")]
    Blocks(Box<Blocks>),
}

impl Sha384 {
    /// Begins a digest.
    #[must_use]
    pub fn new() -> Self {
        #[cfg(target_arch = "x86_64")]
        if choice::any() {
            return Self(State::Blocks(Box::new(Blocks::new())));
        }
        Self(State::Provider(digest::Context::new(&digest::SHA384)))
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, data: &[u8]) {
        match &mut self.0 {
            State::Provider(context) => context.update(data),
            #[cfg(target_arch = "x86_64")]
            State::Blocks(blocks) => blocks.update(data),
        }
    }

    /// The digest of all that was taken in.
    #[must_use]
    pub fn finish(self) -> [u8; 48] {
        match self.0 {
            State::Provider(context) => sized(&context.finish()),
            #[cfg(target_arch = "x86_64")]
            State::Blocks(blocks) => blocks.finish(),
        }
    }
}

impl Default for Sha384 {
    fn default() -> Self {
        Self::new()
    }
}

/// The state between blocks, and the beginning of the next one.
#[cfg(target_arch = "x86_64")]
#[derive(Clone)]
struct Blocks {
    state: [u64; 8],
    partial: [u8; vector::BLOCK],
    partial_bytes: usize,
    bytes: u128,
}

#[cfg(target_arch = "x86_64")]
impl Blocks {
    /// FIPS 180-4, section 5.3.4.
    const fn new() -> Self {
        let state = [
            0xcbbb_9d5d_c105_9ed8,
            0x629a_292a_367c_d507,
            0x9159_015a_3070_dd17,
            0x152f_ecd8_f70e_5939,
            0x6733_2667_ffc0_0b31,
            0x8eb4_4a87_6858_1511,
            0xdb0c_2e0d_64f9_8fa7,
            0x47b5_481d_befa_4fa4,
        ];
        Self { state, partial: [0; vector::BLOCK], partial_bytes: 0, bytes: 0 }
    }

    fn update(&mut self, mut data: &[u8]) {
        self.bytes += data.len() as u128;
        if self.partial_bytes > 0 {
            data = self.fill(data);
        }
        let (blocks, rest) = data.as_chunks();
        self.compress(blocks);
        let untouched = self.fill(rest);
        debug_assert!(untouched.is_empty(), "less than a block is left");
    }

    fn compress(&mut self, blocks: &[[u8; vector::BLOCK]]) {
        // There is a kind, or else the provider hashes.
        if let Some(kind) = choice::kind(blocks.len()) {
            kind.compress(&mut self.state, blocks);
        }
    }

    /// Fills the partial block and returns what it has no room for.
    fn fill<'d>(&mut self, data: &'d [u8]) -> &'d [u8] {
        let place = self.partial.get_mut(self.partial_bytes..).unwrap_or_default();
        let (taken, rest) = data.split_at(data.len().min(place.len()));
        if let Some(place) = place.get_mut(..taken.len()) {
            place.copy_from_slice(taken);
        }
        self.partial_bytes += taken.len();
        if self.partial_bytes == vector::BLOCK {
            let block = self.partial;
            self.compress(&[block]);
            self.partial_bytes = 0;
        }
        rest
    }

    /// FIPS 180-4, section 5.1.2: a one, zeros, and the length in bits.
    fn finish(mut self) -> [u8; 48] {
        let bits = (self.bytes * 8).to_be_bytes();
        let zeros = (2 * vector::BLOCK - bits.len() - 1 - self.partial_bytes) % vector::BLOCK;
        let padding = [0x80].into_iter().chain(std::iter::repeat_n(0, zeros)).chain(bits);
        self.update(&padding.collect::<Vec<u8>>());
        let mut digest = [0; 48];
        for (place, word) in digest.as_chunks_mut::<8>().0.iter_mut().zip(self.state) {
            *place = word.to_be_bytes();
        }
        digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sha384;

    /// Against the provider's code: whole messages of every number of blocks, which are their own padding here.
    #[cfg(target_arch = "x86_64")]
    #[test]
    fn every_kind_that_this_processor_runs_hashes_alike() {
        use vector::{BLOCK, Kind};
        let mut kinds = Kind::available().to_vec();
        if !kinds.is_empty() {
            // What runs the later ones runs these as well.
            kinds.extend([Kind::Avx2Fewest, Kind::Avx2Shortest]);
        }
        let data: Vec<u8> = (0..41 * BLOCK as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 9) as u8).collect();
        for kind in kinds {
            for length in (0..data.len()).step_by(61) {
                let mut padded = data[..length].to_vec();
                padded.push(0x80);
                padded.resize((length + 17).next_multiple_of(BLOCK) - 16, 0);
                padded.extend((length as u128 * 8).to_be_bytes());
                let mut state = Blocks::new().state;
                kind.compress(&mut state, padded.as_chunks().0);
                let digest: Vec<u8> = state[..6].iter().flat_map(|word| word.to_be_bytes()).collect();
                assert_eq!(digest, sha384(&data[..length]), "{kind:?}, {length} bytes");
            }
        }
    }

    /// Long enough for the quickest kind to be looked for on the way.
    #[test]
    fn long_data_hashes_as_the_provider_does() {
        let data: Vec<u8> = (0..3_000_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
        let mut digest = Sha384::new();
        let (head, rest) = data.split_at(1_000_001);
        [head, rest].iter().for_each(|piece| digest.update(piece));
        assert_eq!(digest.finish(), sha384(&data));
    }

    #[test]
    fn every_length_and_division_hashes_as_the_provider_does() {
        let data: Vec<u8> = (0..3000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
        for length in (0..300).chain((300..1300).step_by(31)).chain([2047, 2048, 2049, 2999, 3000]) {
            let data = &data[..length];
            for piece in [1, 64, 127, 128, 129, 700, 3000] {
                if piece == 1 && length > 300 {
                    continue;
                }
                let mut digest = Sha384::new();
                data.chunks(piece).for_each(|piece| digest.update(piece));
                assert_eq!(digest.clone().finish(), sha384(data), "{length} bytes in pieces of {piece}");
            }
        }
    }

    /// FIPS 180-2, appendices D.2 and D.3.
    #[test]
    fn the_standards_longer_examples_come_out() {
        let two_blocks = b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
        let mut digest = Sha384::new();
        digest.update(two_blocks);
        assert_eq!(digest.finish()[..8], [0x09, 0x33, 0x0c, 0x33, 0xf7, 0x11, 0x47, 0xe8]);
        let mut digest = Sha384::new();
        (0..1000).for_each(|_| digest.update(&[b'a'; 1000]));
        assert_eq!(digest.finish()[..8], [0x9d, 0x0e, 0x18, 0x09, 0x71, 0x64, 0x74, 0xcb]);
    }
}
