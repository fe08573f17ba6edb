//! Git's objects: ids, hashing, forms, names of references, and the rules that `git fsck` has for them.
//!
//! Owns what one object is. Refuses to know packs, repositories and wires.

mod hash;
mod id;
mod kind;

pub use hash::{Checksum, Collision, Hasher, hash_object};
pub use id::{IdError, ObjectFormat, ObjectId};
pub use kind::Kind;
