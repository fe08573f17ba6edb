//! Faults of a pack. The words are those that git's users know, as far as git has some.

use git_object::{Collision, ObjectId};

/// A failure of what packed bytes are read from. Its words are its owner's.
pub type ReadError = Box<dyn std::error::Error + Send + Sync>;

/// A delta that makes no object of its base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeltaError {
    /// It ends within a size or an instruction.
    #[error("delta is truncated")]
    Truncated,
    /// It was made for a base of another size.
    #[error("delta base has {found} bytes instead of {declared}")]
    BaseBytes {
        /// The declared size.
        declared: u64,
        /// The base's size.
        found: u64,
    },
    /// It copies what its base does not have.
    #[error("delta points past its base")]
    PastBase,
    /// Its instructions make more or fewer bytes than it says.
    #[error("delta does not make the {declared} bytes it declares")]
    ResultBytes {
        /// The declared size.
        declared: u64,
    },
    /// It makes more bytes than the caller takes.
    #[error("delta makes more than {max} bytes")]
    TooLarge {
        /// The limit.
        max: u64,
    },
    /// It has the instruction 0, which is reserved.
    #[error("unexpected delta opcode 0")]
    Reserved,
}

/// A pack or an index that is refused, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The bytes do not begin as a pack does.
    #[error("pack signature mismatch")]
    Signature,
    /// The pack has another version than 2 or 3.
    #[error("pack version {version} unsupported")]
    Version {
        /// The version.
        version: u32,
    },
    /// It declares more objects than the limit.
    #[error("pack has {objects} objects, more than {max}")]
    TooManyObjects {
        /// Declared objects.
        objects: u32,
        /// The limit.
        max: u32,
    },
    /// It ends before it is whole.
    #[error("early EOF")]
    Truncated,
    /// Bytes follow the trailer.
    #[error("pack has junk at the end")]
    Junk,
    /// The hash at the end is not that of the bytes before.
    #[error("pack is corrupted (checksum mismatch)")]
    Checksum,
    /// An entry has a header that cannot be.
    #[error("bad entry header at offset {offset}")]
    EntryHeader {
        /// Where the entry begins.
        offset: u64,
    },
    /// An entry's base lies outside of the pack or within another entry.
    #[error("delta base offset is out of bound at offset {offset}")]
    BaseOffset {
        /// Where the entry begins.
        offset: u64,
    },
    /// The compressed bytes of an entry are broken.
    #[error("inflate failed at offset {offset}")]
    Inflate {
        /// Where the entry begins.
        offset: u64,
    },
    /// An entry inflates to more or fewer bytes than it declares.
    #[error("entry at offset {offset} does not have the {declared} bytes it declares")]
    EntryBytes {
        /// Where the entry begins.
        offset: u64,
        /// The declared size.
        declared: u64,
    },
    /// An object is larger than the limit for its kind.
    #[error("object of {bytes} bytes at offset {offset} exceeds the limit of {max} bytes")]
    TooLarge {
        /// Where the entry begins.
        offset: u64,
        /// The declared or the found size.
        bytes: u64,
        /// The limit.
        max: u64,
    },
    /// A delta is wrong.
    #[error("bad delta at offset {offset}: {cause}")]
    Delta {
        /// Where the entry begins.
        offset: u64,
        /// The fault.
        cause: DeltaError,
    },
    /// Deltas whose bases are nowhere, or which need each other.
    #[error("pack has {count} unresolved deltas; the base {base} is missing")]
    Unresolved {
        /// How many.
        count: u64,
        /// One base that is missing.
        base: ObjectId,
    },
    /// An object is there twice although deltas name it as their base. Git takes no such pack.
    #[error("duplicate base {base}")]
    DuplicateBase {
        /// The base.
        base: ObjectId,
    },
    /// SHA-1 was attacked.
    #[error(transparent)]
    Collision(#[from] Collision),
    /// An index is not one of version 2, or contradicts itself.
    #[error("bad pack index: {what}")]
    Index {
        /// The part.
        what: &'static str,
    },
    /// The source failed.
    #[error("cannot read the pack: {0}")]
    Read(#[source] ReadError),
}
