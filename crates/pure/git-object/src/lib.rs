//! Git's objects: ids, hashing, forms, names of references, and the rules that `git fsck` has for them.
//!
//! Owns what one object is. Refuses to know packs, repositories and wires.

mod commit;
pub mod fsck;
mod hash;
mod header;
mod id;
mod identity;
mod kind;
pub mod refname;
mod tag;
mod tree;

pub use commit::{Commit, FormError, NewCommit};
pub use hash::{Checksum, Collision, Hasher, hash_object};
pub use header::Header;
pub use id::{IdError, ObjectFormat, ObjectId};
pub use identity::{Identity, IdentityError, Zone, clean};
pub use kind::Kind;
pub use tag::{NewTag, Tag};
pub use tree::{Entry, EntryError, Mode, Tree, entry_order, write_tree};
