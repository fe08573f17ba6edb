//! The ledger: what the database attests of itself. How often it was committed, a keyed digest of all its rows, and how many
//! changes were recorded for the audit trail. Written in every transaction that changes a row.
//!
//! Knows no SQL and no records. The store's user compares the ledger with anchors stored elsewhere.

use std::ops::ControlFlow;

use crypto::{HmacKey, Key256, SecretBytes, kdf, sealed};

use crate::StoreError;
use crate::engine::{Blind, Read, Row, RowKey, Rows};
use crate::feed::Feed;
use crate::space::Versions;
use crate::transaction::Transaction;

/// The name of the sealed ledger among the values about the database.
const META_LEDGER: &str = "ledger";

const LEDGER: &[u8] = b"sealstack ledger";
/// The associated data of a ledger that has the versions of spaces.
const LEDGER_2: &[u8] = b"sealstack ledger 2";

/// A batch of events.
const EVENTS: &[u8] = b"sealstack outbox events";
/// One event alone, as the outbox had it before there were batches.
const EVENT: &[u8] = b"sealstack outbox event";

/// A batch is ended once it has this much, in bytes.
const BATCH_BYTES: usize = 64 * 1024;

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
    /// The attestation of the outbox's receiver about itself, as of the commit. Opaque here.
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

    pub(crate) fn add(&mut self, other: Self) {
        let mut carry = false;
        for (limb, other) in self.0.iter_mut().zip(other.0) {
            let (sum, first) = limb.overflowing_add(other);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            (*limb, carry) = (sum, first || second);
        }
    }

    pub(crate) fn subtract(&mut self, other: Self) {
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
    events: Key256,
    pub(crate) feed: Feed,
}

/// The ledger's content: where the database stands, and each space.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) standing: Standing,
    pub(crate) versions: Versions,
}

impl Ledger {
    /// The ledger of the database whose records are sealed under `record`.
    pub(crate) fn new(record: &Key256) -> Self {
        Self {
            row: HmacKey::new(kdf::derive(record, b"sealstack row digest", &[]).expose()),
            state: kdf::derive(record, LEDGER, &[]),
            event: kdf::derive(record, EVENT, &[]),
            events: kdf::derive(record, EVENTS, &[]),
            feed: Feed::new(record),
        }
    }

    /// The ledger at the snapshot; `None` if it was never begun.
    pub(crate) fn read(&self, tx: &(impl Read + ?Sized)) -> Result<Option<Entry>, StoreError> {
        tx.meta(META_LEDGER)?.map(|value| self.open(&value)).transpose()
    }

    pub(crate) fn write(&self, rows: &dyn Rows, Entry { standing, versions }: &Entry) -> Result<(), StoreError> {
        let mut fields = Vec::with_capacity(8 + 32 + 8 + 1 + 9 + standing.witness.len());
        fields.extend_from_slice(&standing.version.to_be_bytes());
        fields.extend_from_slice(&standing.digest.to_bytes());
        fields.extend_from_slice(&standing.recorded.to_be_bytes());
        versions.write(&mut fields);
        fields.extend_from_slice(standing.witness.get(..WITNESS_BYTES_MAX).unwrap_or(&standing.witness));
        rows.set_meta(META_LEDGER, &sealed::seal(&self.state, LEDGER_2, &fields))
    }

    fn open(&self, value: &[u8]) -> Result<Entry, StoreError> {
        let (fields, has_versions) = match sealed::open(&self.state, LEDGER_2, value) {
            Ok(fields) => (fields, true),
            Err(_) => (sealed::open(&self.state, LEDGER, value).map_err(|_| refused())?, false),
        };
        let (version, rest) = fields.expose().split_first_chunk::<8>().ok_or_else(refused)?;
        let (digest, rest) = rest.split_first_chunk::<32>().ok_or_else(refused)?;
        let (recorded, rest) = rest.split_first_chunk::<8>().ok_or_else(refused)?;
        let (versions, witness) = match has_versions {
            true => Versions::parse(rest).ok_or_else(refused)?,
            false => (Versions::default(), rest),
        };
        let standing = Standing {
            version: u64::from_be_bytes(*version),
            digest: Digest::from_bytes(digest),
            recorded: u64::from_be_bytes(*recorded),
            witness: witness.to_vec(),
        };
        Ok(Entry { standing, versions })
    }

    /// The MAC of a row: bound to its place and to every byte of its value.
    pub(crate) fn row(&self, key: RowKey<'_>, value: &[u8]) -> Digest {
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
    pub(crate) fn begin(&self, tx: &Transaction<'_>) -> Result<(), StoreError> {
        if self.read(tx)?.is_none() {
            tx.replace_standing(Standing { digest: self.digest_now(tx)?, ..Standing::default() });
        }
        Ok(())
    }

    fn digest_now(&self, tx: &Transaction<'_>) -> Result<Digest, StoreError> {
        Ok(self.digest(tx, || ControlFlow::Continue(()))?.unwrap_or_default())
    }

    /// Makes the ledger agree with the rows as they are, and go on behind the commit `version` if that is later, and
    /// behind the event `recorded`. Events that wait in the outbox and come after that are numbered anew.
    pub(crate) fn reset(&self, tx: &Transaction<'_>, version: u64, recorded: u64) -> Result<(), StoreError> {
        let found = self.read(tx)?.unwrap_or_default().standing;
        let mut waiting = Vec::new();
        for (last, batch) in tx.events(recorded, usize::MAX)? {
            waiting.extend(self.open_events(last, &batch)?);
        }
        tx.drop_events(u64::MAX);
        let (version, digest) = (version.max(found.version), self.digest_now(tx)?);
        tx.replace_standing(Standing { version, digest, recorded, witness: Vec::new() });
        for (_, event) in waiting.iter().filter(|(number, _)| *number > recorded) {
            tx.record(event.expose())?;
        }
        Ok(())
    }

    /// Seals events for the outbox, of which the first has the number `first`, in as few batches as have a bounded
    /// length. Returns the number of the last event of each batch with it.
    pub(crate) fn seal_events(&self, first: u64, events: &[Vec<u8>]) -> Vec<(u64, Vec<u8>)> {
        let mut batches = Vec::new();
        let mut plaintext = Vec::new();
        for (number, event) in (first..).zip(events) {
            // No event has 4 GiB.
            plaintext.extend_from_slice(&u32::try_from(event.len()).unwrap_or(u32::MAX).to_be_bytes());
            plaintext.extend_from_slice(event);
            let ends = plaintext.len() >= BATCH_BYTES || number.wrapping_sub(first) + 1 == events.len() as u64;
            if ends {
                batches.push((number, sealed::seal(&self.events, &number.to_be_bytes(), &plaintext)));
                plaintext.clear();
            }
        }
        batches
    }

    /// The events of a batch of the outbox whose last event has the number `last`, each with its number.
    pub(crate) fn open_events(&self, last: u64, batch: &[u8]) -> Result<Vec<(u64, SecretBytes)>, StoreError> {
        let Ok(plaintext) = sealed::open(&self.events, &last.to_be_bytes(), batch) else {
            let event = sealed::open(&self.event, &last.to_be_bytes(), batch).map_err(|_| refused())?;
            return Ok(vec![(last, event)]);
        };
        let (mut rest, mut events) = (plaintext.expose(), Vec::new());
        while !rest.is_empty() {
            let (length, after) = rest.split_first_chunk().ok_or_else(refused)?;
            let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| refused())?;
            let (event, after) = after.split_at_checked(length).ok_or_else(refused)?;
            events.push(SecretBytes::from(event));
            rest = after;
        }
        let first = last.checked_add(1).and_then(|next| next.checked_sub(events.len() as u64)).ok_or_else(refused)?;
        Ok((first..).zip(events).collect())
    }
}

pub(crate) fn refused() -> StoreError {
    StoreError::NotAuthentic { collection: META_LEDGER.to_owned() }
}

#[cfg(test)]
impl Ledger {
    /// Writes the ledger, and an event under its last number, in the forms that they had before spaces and batches.
    pub(crate) fn write_in_old_forms(
        &self,
        rows: &dyn Rows,
        standing: &Standing,
        event: &[u8],
    ) -> Result<(), StoreError> {
        let Standing { version, digest, recorded, witness } = standing;
        let fields = [&version.to_be_bytes()[..], &digest.to_bytes(), &recorded.to_be_bytes(), witness].concat();
        rows.set_meta(META_LEDGER, &sealed::seal(&self.state, LEDGER, &fields))?;
        rows.append_events(*recorded, &sealed::seal(&self.event, &recorded.to_be_bytes(), event))
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
    fn events_open_under_their_own_numbers_alone() {
        let ledger = Ledger::new(&Key256::random());
        let events: Vec<Vec<u8>> = [1, 0, 40_000, 30_000, 5].map(|length| vec![b'e'; length]).to_vec();
        let batches = ledger.seal_events(7, &events);
        assert_eq!(batches.iter().map(|(last, _)| *last).collect::<Vec<_>>(), [10, 11]);
        let opened = batches.iter().flat_map(|(last, batch)| ledger.open_events(*last, batch).expect("it opens"));
        let opened: Vec<_> = opened.map(|(number, event)| (number, event.expose().to_vec())).collect();
        assert_eq!(opened, (7..).zip(events).collect::<Vec<_>>());
        assert!(ledger.open_events(11, &batches[0].1).is_err());
        assert!(ledger.seal_events(1, &[]).is_empty());
    }
}
