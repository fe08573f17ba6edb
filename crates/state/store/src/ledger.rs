//! What the database vouches for about itself: how often it was committed, a keyed digest of all its rows, and how many
//! changes were recorded for the audit trail. Written in every transaction that changes a row.
//!
//! Knows no SQL and no records. Who compares the ledger with anchors kept elsewhere is the store's user.

use std::cell::RefCell;
use std::ops::ControlFlow;

use crypto::{HmacKey, Key256, SecretBytes, kdf, sealed};

use crate::StoreError;
use crate::db::{Blind, Change, Read, Row, RowKey, Rows, Write};
use crate::index::{Working, Written};

/// The name of the sealed ledger among the values about the database.
const META_LEDGER: &str = "ledger";

const LEDGER: &[u8] = b"sealstack ledger";
const EVENT: &[u8] = b"sealstack outbox event";

/// The most bytes that a [`Standing::witness`] may have.
pub(crate) const WITNESS_BYTES_MAX: usize = 256;

/// How many rows are read at once when all of them are digested.
const BATCH: usize = 1000;

/// Where a database stands after a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The number of commits that changed rows. It only grows: a smaller one means that an older database was put back.
    pub version: u64,
    /// The keyed digest of all rows: the sum of their MACs, so that it changes with each row and depends on no order.
    pub digest: Digest,
    /// How many changes were recorded in the outbox since the database was made.
    pub recorded: u64,
    /// What the outbox's receiver vouches for about itself, as of the commit. Opaque here.
    pub witness: Vec<u8>,
}

/// A sum of 256-bit MACs, modulo 2^256. Without the key of the MACs nobody can find rows with a given sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest([u64; 4]);

impl Digest {
    /// Its 32 bytes, the least significant first.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes.chunks_exact_mut(8).zip(self.0).for_each(|(out, limb)| out.copy_from_slice(&limb.to_le_bytes()));
        bytes
    }

    /// The digest of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let mut limbs = [0; 4];
        for (limb, bytes) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
            *limb = bytes.try_into().map_or(0, u64::from_le_bytes);
        }
        Self(limbs)
    }

    fn add(&mut self, other: Self) {
        let mut carry = false;
        for (limb, other) in self.0.iter_mut().zip(other.0) {
            let (sum, first) = limb.overflowing_add(other);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            (*limb, carry) = (sum, first || second);
        }
    }

    fn subtract(&mut self, other: Self) {
        let mut borrow = false;
        for (limb, other) in self.0.iter_mut().zip(other.0) {
            let (difference, first) = limb.overflowing_sub(other);
            let (difference, second) = difference.overflowing_sub(u64::from(borrow));
            (*limb, borrow) = (difference, first || second);
        }
    }
}

/// The keys of a database's ledger and outbox.
pub(crate) struct Ledger {
    row: HmacKey,
    state: Key256,
    event: Key256,
}

impl Ledger {
    /// The ledger of the database whose records are sealed under `record`.
    pub(crate) fn new(record: &Key256) -> Self {
        Self {
            row: HmacKey::new(kdf::derive(record, b"sealstack row digest", &[]).expose()),
            state: kdf::derive(record, LEDGER, &[]),
            event: kdf::derive(record, EVENT, &[]),
        }
    }

    /// What the ledger said at the snapshot; `None` if it was never begun.
    pub(crate) fn read(&self, tx: &(impl Read + ?Sized)) -> Result<Option<Standing>, StoreError> {
        tx.meta(META_LEDGER)?.map(|value| self.open(&value)).transpose()
    }

    fn write(&self, rows: &dyn Rows, standing: &Standing) -> Result<(), StoreError> {
        let mut fields = Vec::with_capacity(8 + 32 + 8 + standing.witness.len());
        fields.extend_from_slice(&standing.version.to_be_bytes());
        fields.extend_from_slice(&standing.digest.to_bytes());
        fields.extend_from_slice(&standing.recorded.to_be_bytes());
        fields.extend_from_slice(standing.witness.get(..WITNESS_BYTES_MAX).unwrap_or(&standing.witness));
        rows.set_meta(META_LEDGER, &sealed::seal(&self.state, LEDGER, &fields))
    }

    fn open(&self, value: &[u8]) -> Result<Standing, StoreError> {
        let fields = sealed::open(&self.state, LEDGER, value).map_err(|_| refused())?;
        let (version, rest) = fields.expose().split_first_chunk::<8>().ok_or_else(refused)?;
        let (digest, rest) = rest.split_first_chunk::<32>().ok_or_else(refused)?;
        let (recorded, witness) = rest.split_first_chunk::<8>().ok_or_else(refused)?;
        Ok(Standing {
            version: u64::from_be_bytes(*version),
            digest: Digest::from_bytes(digest),
            recorded: u64::from_be_bytes(*recorded),
            witness: witness.to_vec(),
        })
    }

    /// The MAC of a row: bound to its place and to every byte of its value.
    fn row(&self, key: RowKey<'_>, value: &[u8]) -> Digest {
        // Parent and id have fixed lengths, so a zero byte is delimiter enough.
        Digest::from_bytes(&self.row.sign(&[key.collection.as_bytes(), &[0], key.parent, key.id, value]))
    }

    /// The digest of all rows of a snapshot. `pause` is called after each batch of rows; none if it breaks off.
    pub(crate) fn digest(
        &self,
        tx: &(impl Read + ?Sized),
        mut pause: impl FnMut() -> ControlFlow<()>,
    ) -> Result<Option<Digest>, StoreError> {
        let mut digest = Digest::default();
        for collection in tx.collections()? {
            let mut after: Option<(Blind, Blind)> = None;
            loop {
                let rows = tx.scan(&collection, after.as_ref().map(|(parent, id)| (parent, id)), BATCH)?;
                let Some(last) = rows.last() else { break };
                after = Some((last.parent, last.id));
                for Row { parent, id, value } in &rows {
                    digest.add(self.row(RowKey { collection: &collection, parent, id }, value));
                }
                if pause().is_break() {
                    return Ok(None);
                }
            }
        }
        Ok(Some(digest))
    }

    /// Begins the ledger of a database that has none, from the rows that it has.
    pub(crate) fn begin(&self, tx: &dyn Write) -> Result<(), StoreError> {
        if self.read(tx)?.is_none() {
            tx.replace_standing(Standing { digest: self.digest_now(tx)?, ..Standing::default() });
        }
        Ok(())
    }

    fn digest_now(&self, tx: &dyn Write) -> Result<Digest, StoreError> {
        Ok(self.digest(tx, || ControlFlow::Continue(()))?.unwrap_or_default())
    }

    /// Makes the ledger agree with the rows as they are, and go on behind the commit `version` if that is later, and
    /// behind the event `recorded`. Events that wait in the outbox and come after that are numbered anew.
    pub(crate) fn reset(&self, tx: &dyn Write, version: u64, recorded: u64) -> Result<(), StoreError> {
        let found = self.read(tx)?.unwrap_or_default();
        let waiting = tx.events(recorded, usize::MAX)?;
        tx.drop_events(u64::MAX)?;
        let (version, digest) = (version.max(found.version), self.digest_now(tx)?);
        tx.replace_standing(Standing { version, digest, recorded, witness: Vec::new() });
        for (number, event) in waiting {
            tx.record(self.open_event(number, &event)?.expose())?;
        }
        Ok(())
    }

    /// An event as the outbox holds it, bound to its number.
    pub(crate) fn seal_event(&self, number: u64, event: &[u8]) -> Vec<u8> {
        sealed::seal(&self.event, &number.to_be_bytes(), event)
    }

    /// An event of the outbox.
    pub(crate) fn open_event(&self, number: u64, value: &[u8]) -> Result<SecretBytes, StoreError> {
        sealed::open(&self.event, &number.to_be_bytes(), value).map_err(|_| refused())
    }
}

fn refused() -> StoreError {
    StoreError::NotAuthentic { collection: META_LEDGER.to_owned() }
}

/// A transaction on rows that follows what its jobs change, for the ledger.
pub(crate) struct Tracked<'a> {
    rows: &'a dyn Rows,
    ledger: Option<&'a Ledger>,
    state: RefCell<State>,
    indexes: RefCell<Working>,
}

#[derive(Default)]
struct State {
    standing: Standing,
    changed: bool,
    events: Vec<Recorded>,
}

/// An event that a transaction recorded.
pub(crate) struct Recorded {
    pub(crate) number: u64,
    pub(crate) event: Vec<u8>,
}

/// A place in a transaction to go back to.
pub(crate) struct Mark {
    standing: Standing,
    changed: bool,
    events: usize,
}

impl<'a> Tracked<'a> {
    /// Follows changes from where the database stands. Without a ledger, as before there are keys, it follows nothing.
    pub(crate) fn begin(rows: &'a dyn Rows, ledger: Option<&'a Ledger>) -> Result<Self, StoreError> {
        let standing = ledger.map(|ledger| ledger.read(rows)).transpose()?.flatten().unwrap_or_default();
        let state = RefCell::new(State { standing, ..State::default() });
        Ok(Self { rows, ledger, state, indexes: RefCell::default() })
    }

    /// The place where a job begins.
    pub(crate) fn mark(&self) -> Mark {
        self.indexes.borrow_mut().begin_closure();
        let State { standing, changed, events } = &*self.state.borrow();
        Mark { standing: standing.clone(), changed: *changed, events: events.len() }
    }

    /// Forgets what was changed since `mark`, which the engine has undone.
    pub(crate) fn undo(&self, mark: Mark) {
        self.indexes.borrow_mut().undo_closure();
        let mut state = self.state.borrow_mut();
        state.events.truncate(mark.events);
        (state.standing, state.changed) = (mark.standing, mark.changed);
    }

    /// Writes the indexes' changed pages, and the ledger if anything was changed. `witness` is what the receiver of
    /// events vouches for now.
    pub(crate) fn close(&self, witness: impl FnOnce() -> Option<Vec<u8>>) -> Result<Written, StoreError> {
        let version = self.state.borrow().standing.version.saturating_add(1);
        let written = self.indexes.borrow_mut().flush(self, version)?;
        let mut state = self.state.borrow_mut();
        let Some(ledger) = self.ledger.filter(|_| state.changed) else { return Ok(written) };
        state.standing.version = version;
        if let Some(witness) = witness() {
            state.standing.witness = witness;
        }
        ledger.write(self.rows, &state.standing)?;
        Ok(written)
    }

    /// Where the database stands if the transaction is committed, unless nothing was changed, and what was recorded.
    pub(crate) fn finish(self) -> (Option<Standing>, Vec<Recorded>) {
        let State { standing, changed, events } = self.state.into_inner();
        (Some(standing).filter(|_| changed && self.ledger.is_some()), events)
    }

    /// Follows the row at `key`, which has the value `new` from now on.
    fn follow(&self, key: RowKey<'_>, old: Option<&[u8]>, new: Option<&[u8]>) {
        let Some(ledger) = self.ledger else { return };
        let mut state = self.state.borrow_mut();
        state.changed = true;
        if let Some(old) = old {
            state.standing.digest.subtract(ledger.row(key, old));
        }
        if let Some(new) = new {
            state.standing.digest.add(ledger.row(key, new));
        }
    }
}

impl Read for Tracked<'_> {
    fn get(&self, key: RowKey<'_>) -> Result<Option<Vec<u8>>, StoreError> {
        self.rows.get(key)
    }

    fn page(
        &self,
        collection: &str,
        parent: &Blind,
        after: Option<&Blind>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        self.rows.page(collection, parent, after, limit)
    }

    fn scan(&self, collection: &str, after: Option<(&Blind, &Blind)>, limit: usize) -> Result<Vec<Row>, StoreError> {
        self.rows.scan(collection, after, limit)
    }

    fn collections(&self) -> Result<Vec<String>, StoreError> {
        self.rows.collections()
    }

    fn changes(&self, after: i64, limit: usize) -> Result<Vec<Change>, StoreError> {
        self.rows.changes(after, limit)
    }

    fn change_bounds(&self) -> Result<Option<(i64, i64)>, StoreError> {
        self.rows.change_bounds()
    }

    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.rows.meta(name)
    }

    fn events(&self, after: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        self.rows.events(after, limit)
    }

    fn index_page(&self, id: u64) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        self.rows.index_page(id)
    }

    fn index_pages(&self, after: u64, limit: usize) -> Result<Vec<u64>, StoreError> {
        self.rows.index_pages(after, limit)
    }

    fn working(&self) -> Option<&RefCell<Working>> {
        // Without a ledger nothing would vouch for an index's header.
        self.ledger.map(|_| &self.indexes)
    }
}

impl Write for Tracked<'_> {
    fn put(&self, key: RowKey<'_>, value: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let old = self.rows.get(key)?;
        self.rows.put(key, value)?;
        self.follow(key, old.as_deref(), Some(value));
        Ok(old)
    }

    fn insert(&self, key: RowKey<'_>, value: &[u8]) -> Result<bool, StoreError> {
        let inserted = self.rows.insert(key, value)?;
        if inserted {
            self.follow(key, None, Some(value));
        }
        Ok(inserted)
    }

    fn delete(&self, key: RowKey<'_>) -> Result<bool, StoreError> {
        let old = self.rows.get(key)?;
        let deleted = self.rows.delete(key)?;
        if deleted {
            self.follow(key, old.as_deref(), None);
        }
        Ok(deleted)
    }

    fn append_change(&self, collection: &str, key: &[u8]) -> Result<(), StoreError> {
        self.rows.append_change(collection, key)
    }

    fn set_meta(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.rows.set_meta(name, value)
    }

    fn put_index_page(&self, id: u64, version: u64, value: &[u8]) -> Result<(), StoreError> {
        self.rows.put_index_page(id, version, value)
    }

    fn delete_index_page(&self, id: u64) -> Result<(), StoreError> {
        self.rows.delete_index_page(id)
    }

    fn replace_standing(&self, standing: Standing) {
        let mut state = self.state.borrow_mut();
        (state.standing, state.changed) = (standing, true);
    }

    fn drop_events(&self, up_to: u64) -> Result<(), StoreError> {
        self.rows.drop_events(up_to)
    }

    fn record(&self, event: &[u8]) -> Result<(), StoreError> {
        let ledger = self.ledger.ok_or_else(refused)?;
        let mut state = self.state.borrow_mut();
        let number = state.standing.recorded.saturating_add(1);
        self.rows.append_event(number, &ledger.seal_event(number, event))?;
        (state.standing.recorded, state.changed) = (number, true);
        state.events.push(Recorded { number, event: event.to_vec() });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_goes_back_to_what_it_was_whatever_the_order() {
        let digests = [[0xff; 32], [1; 32], [0x80; 32], [7; 32]].map(|bytes| Digest::from_bytes(&bytes));
        let mut sum = Digest::default();
        digests.iter().for_each(|digest| sum.add(*digest));
        assert_ne!(sum, Digest::default());
        digests.iter().rev().for_each(|digest| sum.subtract(*digest));
        assert_eq!(sum, Digest::default());
        // A borrow and a carry go through all limbs.
        sum.subtract(Digest::from_bytes(&{
            let mut one = [0; 32];
            one[0] = 1;
            one
        }));
        assert_eq!(sum.to_bytes(), [0xff; 32]);
    }

    #[test]
    fn a_rows_digest_depends_on_its_place_and_its_value() {
        let ledger = Ledger::new(&Key256::random());
        let (a, b) = ([1; 16], [2; 16]);
        let row = |collection, parent, id, value: &[u8]| ledger.row(RowKey { collection, parent, id }, value);
        let one = row("c", &a, &b, b"value");
        for other in [
            row("d", &a, &b, b"value"),
            row("c", &b, &a, b"value"),
            row("c", &a, &a, b"value"),
            row("c", &a, &b, b"valud"),
            Ledger::new(&Key256::random()).row(RowKey { collection: "c", parent: &a, id: &b }, b"value"),
        ] {
            assert_ne!(one, other);
        }
        assert_eq!(one, row("c", &a, &b, b"value"));
    }

    #[test]
    fn an_event_opens_under_its_own_number_alone() {
        let ledger = Ledger::new(&Key256::random());
        let sealed = ledger.seal_event(7, b"event");
        assert_eq!(ledger.open_event(7, &sealed).expect("it opens").expose(), b"event");
        assert!(ledger.open_event(8, &sealed).is_err());
    }
}
