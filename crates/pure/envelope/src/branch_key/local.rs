//! Records in memory, for programs that keep them in a place of their own.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{BranchKeyError, BranchKeyRecord, BranchKeyRecords};
use crate::keyring::Pending;

type Records = BTreeMap<(String, String), BranchKeyRecord>;

/// Records in memory. They hold no key in plaintext: a program may store what [`records`](Self::records) returns
/// wherever it likes, and collect them from there.
#[derive(Default)]
pub struct LocalBranchKeyRecords(Mutex<Records>);

impl LocalBranchKeyRecords {
    /// All records.
    #[must_use]
    pub fn records(&self) -> Vec<BranchKeyRecord> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(
        &self,
        created: Vec<BranchKeyRecord>,
        replaced: Option<(BranchKeyRecord, Vec<u8>)>,
    ) -> Result<(), BranchKeyError> {
        let mut records = self.lock();
        let place = |record: &BranchKeyRecord| (record.id.clone(), record.kind.clone());
        if created.iter().any(|record| records.contains_key(&place(record))) {
            return Err(BranchKeyError::Conflict);
        }
        if let Some((record, before)) = replaced {
            match records.entry(place(&record)) {
                Entry::Occupied(mut found) if found.get().encrypted == before => found.insert(record),
                _ => return Err(BranchKeyError::Conflict),
            };
        }
        records.extend(created.into_iter().map(|record| (place(&record), record)));
        Ok(())
    }
}

impl FromIterator<BranchKeyRecord> for LocalBranchKeyRecords {
    fn from_iter<I: IntoIterator<Item = BranchKeyRecord>>(records: I) -> Self {
        let placed = records.into_iter().map(|record| ((record.id.clone(), record.kind.clone()), record));
        Self(Mutex::new(placed.collect()))
    }
}

impl BranchKeyRecords for LocalBranchKeyRecords {
    fn get<'a>(&'a self, id: &'a str, kind: &'a str) -> Pending<'a, Result<Option<BranchKeyRecord>, BranchKeyError>> {
        let found = self.lock().get(&(id.to_owned(), kind.to_owned())).cloned();
        Box::pin(std::future::ready(Ok(found)))
    }

    fn put(
        &self,
        created: Vec<BranchKeyRecord>,
        replaced: Option<(BranchKeyRecord, Vec<u8>)>,
    ) -> Pending<'_, Result<(), BranchKeyError>> {
        let stored = self.store(created, replaced);
        Box::pin(std::future::ready(stored))
    }
}
