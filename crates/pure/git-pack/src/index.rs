//! Indexes of packs: where the object of an id is, and which object is at a place.
//!
//! Written as `git index-pack` writes them, and read a few hundred bytes at a time from wherever they lie.
//! Source: git's documentation, gitformat-pack, "Version 2 pack-*.idx files" and "pack-*.rev files".

mod find;
mod write;

pub use find::{Index, Reverse};
pub use write::{index_bytes, reverse_bytes, write_index, write_reverse};

/// Signature and version of an index.
const INDEX_HEADER: [u8; 8] = [0xff, b't', b'O', b'c', 0, 0, 0, 2];

/// Signature and version of a reverse index, before the number of the hash function.
const REVERSE_HEADER: [u8; 8] = [b'R', b'I', b'D', b'X', 0, 0, 0, 1];

/// The fan-out: for each first byte, how many ids begin with that or a lower one.
const FAN_OUT_BYTES: u64 = 4 * 256;

/// Offsets from here on lie in a table of their own, as 8 bytes.
const LARGE: u64 = 1 << 31;

const REVERSE_HEADER_BYTES: u64 = 12;
