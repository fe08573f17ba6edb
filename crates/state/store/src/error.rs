//! Errors of the store, each with what to do about it.

use crypto::RootKeyId;

use crate::Location;

/// An outcome of this crate's operations. Nothing in it is secret: places, collections and codes only.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A record to be inserted is there already.
    #[error("a record of {collection} with this name exists already")]
    Exists {
        /// The collection.
        collection: &'static str,
    },
    /// A transaction went on in a space that it did not name when it began.
    #[error("a transaction did not name the space {space}")]
    SpaceNotNamed {
        /// The space.
        space: u8,
    },
    /// A cursor that this store did not give out for this listing.
    #[error("the cursor was not given out for this listing")]
    BadCursor,
    /// The database was made under another root key.
    #[error(
        "the database {database} was sealed under the root key {stored}, but the root seal holds {given}: restore the seal \
         directory that belongs to this database"
    )]
    WrongRootKey {
        /// The database.
        database: Location,
        /// The root key that wraps its keys.
        stored: RootKeyId,
        /// The root key that was given.
        given: RootKeyId,
    },
    /// The database's structure is damaged.
    #[error(
        "the database {database} is damaged ({detail}): stop the server, keep a copy of the file together with its -wal file, \
         check the disk, and restore the last backup"
    )]
    Corrupt {
        /// The database.
        database: Location,
        /// The engine's finding.
        detail: String,
    },
    /// A record does not open: it was changed, moved or cut outside of this program.
    #[error(
        "a record of {collection} is not authentic: the database was changed outside of this program; restore the \
         last backup"
    )]
    NotAuthentic {
        /// The collection.
        collection: String,
    },
    /// The rows do not have the ledger's digest, though each of them is genuine.
    #[error(
        "rows of the database were put back, left out or taken from another copy of it: each is genuine, but they are \
         not what was last written; restore the last backup, or see `sealstack rollback --help`"
    )]
    RowsPutBack,
    /// A record opened, but it is not what this version of the program takes for one.
    #[error("a record of {collection} cannot be read by this version (line {line}, column {column})")]
    Unreadable {
        /// The collection.
        collection: &'static str,
        /// Where in the record, as JSON.
        line: usize,
        /// Where in the line.
        column: usize,
    },
    /// A later version of the program wrote a record that was to be replaced, and this version would lose part of it.
    #[error(
        "a record of {collection} was written by a newer version of this program (level {found}; this version writes \
         {known}), and replacing it would lose what that version stored: nothing was changed; run the newer version"
    )]
    NewerRecord {
        /// The collection.
        collection: &'static str,
        /// The level of the record that is there.
        found: u32,
        /// The level that this version writes.
        known: u32,
    },
    /// A record cannot be written as JSON.
    #[error("a record of {collection} cannot be encoded")]
    Unwritable {
        /// The collection.
        collection: &'static str,
    },
    /// A key or a value is longer than an index takes.
    #[error("a {what} of {collection} has {bytes} bytes, and an index takes at most {max}")]
    TooLarge {
        /// The kind of index.
        collection: &'static str,
        /// "key" or "value".
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The longest that is taken.
        max: usize,
    },
    /// Every page of an index is genuine, but together they make no tree.
    #[error("an index is damaged ({detail}): restore the last backup, and report this with the log")]
    DamagedIndex {
        /// The parts that do not fit together.
        detail: &'static str,
    },
    /// The file is a database of some other program.
    #[error("{database} is not a Sealstack database: name another data directory")]
    Foreign {
        /// The database.
        database: Location,
    },
    /// A later version of the program has upgraded the database.
    #[error(
        "the database {database} has the schema {found}, and this version knows up to {known}: run the newer version"
    )]
    NewerSchema {
        /// The database.
        database: Location,
        /// Its schema.
        found: u32,
        /// The newest schema that this version knows.
        known: u32,
    },
    /// There is no room left.
    #[error("no space is left for the database {database}: free some and try again; nothing was lost")]
    Full {
        /// The database.
        database: Location,
    },
    /// The directory or the file may not be written.
    #[error(
        "the database {database} cannot be written ({detail}): check that its directory exists and that this user owns it"
    )]
    Denied {
        /// The database.
        database: Location,
        /// The operating system's or the engine's words.
        detail: String,
    },
    /// Another process has the database locked.
    #[error("the database {database} is held by another process: stop it and try again")]
    Busy {
        /// The database.
        database: Location,
    },
    /// The disk failed.
    #[error("reading or writing the database {database} failed ({detail}): check the disk")]
    Io {
        /// The database.
        database: Location,
        /// The engine's words.
        detail: String,
    },
    /// Anything else that the engine says.
    #[error("the database engine failed: {detail}")]
    Engine {
        /// The engine's words.
        detail: String,
    },
    /// The closure panicked; its changes were rolled back.
    #[error("a transaction panicked and was rolled back")]
    Panicked,
    /// The store is being closed.
    #[error("the store is closed")]
    Closed,
}
