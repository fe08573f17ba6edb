//! How records become rows: names blinded, values sealed, both bound to where they stand.
//!
//! Refuses to know where the rows go.

use std::sync::Arc;

use crypto::{HmacKey, Key256, SecretBytes, kdf, sealed};

use crate::engine::{Blind, RowKey};
use crate::{Record, StoreError, index};

/// Begins the associated data of listings' tokens; no collection is called so.
const TOKEN: &[u8] = b"index token\0";

/// The length at which most records fit without growing, in bytes.
const RECORD_BYTES: usize = 1024;

/// Begins the value of a record whose level is above 1; the level follows in four bytes, and then the sealed record. No
/// sealed bytes begin so. The level is associated data, so a record with another level before it does not open.
const LEVELLED: u8 = 0;

/// The keys that stand between records and rows.
pub(crate) struct Vault {
    record: Arc<Key256>,
    blind: HmacKey,
    cursor: HmacKey,
    /// Pages of indexes that were opened.
    pub(crate) pages: index::Cache,
}

impl Vault {
    pub(crate) fn new(record: Arc<Key256>, blind: &Key256) -> Self {
        Self {
            record,
            blind: HmacKey::new(kdf::derive(blind, b"sealstack store names", &[]).expose()),
            cursor: HmacKey::new(kdf::derive(blind, b"sealstack store cursors", &[]).expose()),
            pages: index::Cache::new(),
        }
    }

    /// The blinded name of a parent. The same name looks different in another collection.
    pub(crate) fn parent(&self, collection: &str, parent: &str) -> Blind {
        self.name(b"parent", &[collection, parent])
    }

    /// The blinded name of a record. The same name looks different under another parent.
    pub(crate) fn id(&self, collection: &str, parent: &str, id: &str) -> Blind {
        self.name(b"record", &[collection, parent, id])
    }

    fn name(&self, kind: &[u8], names: &[&str]) -> Blind {
        let lengths = names.iter().map(|name| (name.len() as u64).to_be_bytes()).collect::<Vec<_>>();
        let mut parts = vec![kind];
        for (length, name) in lengths.iter().zip(names) {
            parts.extend([&length[..], name.as_bytes()]);
        }
        truncate(&self.blind.sign(&parts))
    }

    pub(crate) fn seal<R: Record>(&self, key: RowKey<'_>, record: &R) -> Result<Vec<u8>, StoreError> {
        let mut plaintext = SecretBytes::with_capacity(RECORD_BYTES);
        let written = serde_json::to_writer(&mut plaintext, record);
        written.map_err(|_| StoreError::Unwritable { collection: R::COLLECTION })?;
        if R::LEVEL == 1 {
            return Ok(self.seal_bytes(key, plaintext.expose()));
        }
        let mut value = [&[LEVELLED], &R::LEVEL.to_be_bytes()[..]].concat();
        value.extend(sealed::seal(&self.record, &[&associated(key), &value[..]].concat(), plaintext.expose()));
        Ok(value)
    }

    pub(crate) fn open<R: Record>(&self, key: RowKey<'_>, value: &[u8]) -> Result<R, StoreError> {
        let json = self.open_bytes(key, value)?;
        // The parser's message may quote the record, so only the place is passed on.
        serde_json::from_slice(json.expose()).map_err(|error| StoreError::Unreadable {
            collection: R::COLLECTION,
            line: error.line(),
            column: error.column(),
        })
    }

    pub(crate) fn seal_bytes(&self, key: RowKey<'_>, plaintext: &[u8]) -> Vec<u8> {
        sealed::seal(&self.record, &associated(key), plaintext)
    }

    /// The key of an index's pages.
    pub(crate) fn page_key(&self, tree: &[u8; 16]) -> Key256 {
        kdf::derive(&self.record, b"sealstack index", tree)
    }

    /// The place where an index's listing goes on, as a caller carries it.
    pub(crate) fn seal_token(&self, listing: &[u8], key: &[u8]) -> Vec<u8> {
        sealed::seal(&self.record, &[TOKEN, listing].concat(), key)
    }

    /// The key that [`seal_token`](Self::seal_token) was given for the same listing.
    pub(crate) fn open_token(&self, listing: &[u8], token: &[u8]) -> Result<SecretBytes, StoreError> {
        sealed::open(&self.record, &[TOKEN, listing].concat(), token).map_err(|_| StoreError::BadCursor)
    }

    /// Refuses to replace a record by one of a lower level, which would lose what it does not know.
    ///
    /// # Errors
    /// [`StoreError::NewerRecord`]. A record that does not open may be replaced.
    pub(crate) fn check_level<R: Record>(&self, key: RowKey<'_>, replaced: &[u8]) -> Result<(), StoreError> {
        let (head, _) = split_level(replaced);
        let level = head.split_last_chunk().map_or(1, |(_, level)| u32::from_be_bytes(*level));
        if level <= R::LEVEL || self.open_bytes(key, replaced).is_err() {
            return Ok(());
        }
        Err(StoreError::NewerRecord { collection: R::COLLECTION, found: level, known: R::LEVEL })
    }

    pub(crate) fn open_bytes(&self, key: RowKey<'_>, value: &[u8]) -> Result<SecretBytes, StoreError> {
        let (head, sealed) = split_level(value);
        let opened = sealed::open(&self.record, &[&associated(key), head].concat(), sealed);
        opened.map_err(|_| StoreError::NotAuthentic { collection: key.collection.to_owned() })
    }

    /// The tag that makes a cursor good for one listing.
    pub(crate) fn cursor_tag(&self, listing: &str, collection: &str, parent: &Blind, id: &Blind) -> Blind {
        truncate(&self.cursor.sign(&[listing.as_bytes(), &[0], collection.as_bytes(), &[0], parent, id]))
    }
}

/// The level before a sealed record, if there is one, with the byte that begins it, and the sealed record.
fn split_level(value: &[u8]) -> (&[u8], &[u8]) {
    match value.first() {
        Some(&LEVELLED) => value.split_at_checked(5).unwrap_or((&[], value)),
        _ => (&[], value),
    }
}

/// Binds a value to the row that it stands in. Parent and id have fixed lengths, so a zero byte is delimiter enough.
fn associated(key: RowKey<'_>) -> Vec<u8> {
    [key.collection.as_bytes(), &[0], key.parent, key.id].concat()
}

pub(crate) fn truncate(tag: &[u8; 32]) -> Blind {
    let mut blind = Blind::default();
    blind.iter_mut().zip(tag).for_each(|(to, from)| *to = *from);
    blind
}
