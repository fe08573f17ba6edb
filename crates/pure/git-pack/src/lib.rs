//! Git's packs: entries, deltas and indexes, read and written.
//!
//! Owns their bytes. Refuses to know where packs are stored and who asks.

#![forbid(unsafe_code)]

mod compress;
mod deflate;
mod delta;
mod entry;
mod error;
mod index;
mod inflate;
mod read;
mod resolve;
mod scan;
mod table;
mod write;

pub use compress::{Candidate, Choice, Objects, Search, choose, delta_again, path_hash, writing_order};
pub use deflate::Deflater;
pub use delta::{DeltaIndex, apply, apply_into, create, result_bytes};
pub use entry::{EntryHeader, EntryKind, PACK_HEADER_BYTES, decode_pack_header, encode_pack_header};
pub use error::{DeltaError, PackError, ReadError};
pub use index::{Index, Reverse, index_bytes, reverse_bytes, write_index, write_reverse};
pub use inflate::Inflater;
pub use read::{EntryReader, ReadAt};
pub use resolve::{Bases, Effort, NoBases, Visitor, resolve};
pub use scan::{Failure, Limits, Scanned, Scanner, Sink};
pub use table::Table;
pub use write::{Writer, checksum};
