//! The schema's history. A step is never edited once released; the next one is appended.

/// "SEAL", in the database's header.
pub(crate) const APPLICATION_ID: i32 = 0x5345_414c;

/// The steps; a database's `user_version` says how many of them it has seen.
pub(crate) const STEPS: &[&str] = &[
    "
    CREATE TABLE records (
        collection TEXT NOT NULL,
        parent     BLOB NOT NULL,
        id         BLOB NOT NULL,
        value      BLOB NOT NULL,
        PRIMARY KEY (collection, parent, id)
    ) WITHOUT ROWID, STRICT;

    CREATE TABLE changes (
        seq        INTEGER PRIMARY KEY AUTOINCREMENT,
        collection TEXT NOT NULL,
        key        BLOB NOT NULL
    ) STRICT;

    CREATE TABLE meta (
        name  TEXT PRIMARY KEY,
        value BLOB NOT NULL
    ) WITHOUT ROWID, STRICT;
",
    "
    CREATE TABLE outbox (
        number INTEGER PRIMARY KEY,
        event  BLOB NOT NULL
    ) STRICT;
",
    "
    CREATE TABLE pages (
        id      INTEGER PRIMARY KEY,
        version INTEGER NOT NULL,
        value   BLOB NOT NULL
    ) STRICT;
",
    "
    DROP TABLE changes;

    CREATE TABLE feed (
        id    INTEGER PRIMARY KEY,
        names BLOB NOT NULL
    ) STRICT;

    CREATE TABLE records_by_number (
        collection TEXT NOT NULL,
        parent     BLOB NOT NULL,
        id         BLOB NOT NULL,
        value      BLOB NOT NULL,
        UNIQUE (collection, parent, id)
    ) STRICT;
    INSERT INTO records_by_number SELECT * FROM records;
    DROP TABLE records;
    ALTER TABLE records_by_number RENAME TO records;
",
];
