//! Sealed records and ordered indexes in an embedded database: typed transactions over rows that show nothing readable.
//!
//! Owns durability, sealing at rest, and the caches that the hot path reads. Refuses to know what any record means.
//! Only this crate names the SQL library, and in it only `engine/sqlite`.

mod cache;
mod changes;
mod cursor;
mod engine;
mod error;
mod feed;
mod index;
mod keyring;
mod ledger;
mod location;
mod outbox;
mod overlay;
mod record;
mod space;
mod store;
mod transaction;
mod vault;

pub use cache::{Cache, ListCache};
pub use changes::Watch;
pub use crypto::{RootKey, RootKeyId};
pub use cursor::Cursor;
pub use engine::sqlite::snapshot;
pub use error::StoreError;
pub use index::{Entries, Index, IndexMut, Indexed, Node as IndexNode, Range};
pub use keyring::{Keyring, rewrap};
pub use ledger::{Digest, Standing};
pub use location::Location;
pub use outbox::Outlet;
pub use record::{Page, ReadTx, Record, Tx};
pub use space::{Position, Space, Spaces};
pub use store::{CheckReport, Store, WriteCounts};
