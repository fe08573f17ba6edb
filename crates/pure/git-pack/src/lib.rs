//! Git's packs: entries, deltas and indexes, read and written.
//!
//! Owns their bytes. Refuses to know where packs are stored and who asks.
