//! Removal of objects and versions, and delete markers. Knows no contents but their places.

use blobs::{BlobId, Reference};
use store::Tx;

use crate::entry::{EntryVersion, ObjectEntry, version_key};
use crate::garbage::Garbage;
use crate::version::Place;
use crate::{Bucket, BucketsError, Condition, Put, Versioning, row};

/// The outcome of a removal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// The version or delete marker that was removed.
    pub removed: Option<EntryVersion>,
    /// The delete marker that was added.
    pub marker: Option<EntryVersion>,
}

impl Bucket {
    /// Removes an object: with versioning, by a delete marker; without, for good. An object that is not there is no error.
    ///
    /// # Errors
    /// [`BucketsError::PreconditionFailed`], also when an object was to be there and is not; [`BucketsError::Locked`]; those
    /// of writing.
    pub fn delete(&self, tx: &mut Tx<'_>, key: &str, put: &Put) -> Result<Removed, BucketsError> {
        let found = self.entry(tx, key)?;
        put.condition.check(found.as_ref()).map_err(|error| match error {
            BucketsError::NoSuchKey => BucketsError::PreconditionFailed,
            error => error,
        })?;
        if put.versioning == Versioning::Off {
            let Some(found) = found else { return Ok(Removed::default()) };
            let entry = found.current.clone();
            self.take_out(tx, key, found, &entry, put.now_ms, false)?;
            return Ok(Removed { removed: Some(entry), marker: None });
        }
        let sequence = self.next_sequence(tx)?;
        let marker = EntryVersion { marker: true, ..put.versioning.new_entry(sequence, put.now_ms) };
        self.push(tx, key, found, marker.clone())?;
        Ok(Removed { removed: None, marker: Some(marker) })
    }

    /// Removes one version or delete marker for good. The newest one that is left is the object then. One that is not there is
    /// no error.
    ///
    /// # Errors
    /// [`BucketsError::InvalidVersionId`], [`BucketsError::PreconditionFailed`]; [`BucketsError::Locked`] unless
    /// `bypass_governance` ends the retention; those of writing.
    pub fn delete_version(
        &self,
        tx: &mut Tx<'_>,
        key: &str,
        version_id: &str,
        condition: &Condition,
        (now_ms, bypass_governance): (u64, bool),
    ) -> Result<Removed, BucketsError> {
        let (_, entry, _) = match self.locate(tx, key, Some(version_id)) {
            Ok(located) => located,
            Err(BucketsError::NoSuchVersion) if *condition == Condition::None => return Ok(Removed::default()),
            Err(BucketsError::NoSuchVersion) => return Err(BucketsError::PreconditionFailed),
            Err(error) => return Err(error),
        };
        let holds = match condition {
            Condition::None => true,
            Condition::Absent => false,
            Condition::Present => !entry.marker,
            Condition::Matches(etag) => !entry.marker && *etag == entry.etag,
        };
        if !holds {
            return Err(BucketsError::PreconditionFailed);
        }
        let Some(found) = self.entry(tx, key)? else { return Ok(Removed::default()) };
        self.take_out(tx, key, found, &entry, now_ms, bypass_governance)?;
        Ok(Removed { removed: Some(entry), marker: None })
    }

    /// Gives an object another key, in the place of one that has it. For buckets without versioning.
    ///
    /// # Errors
    /// [`BucketsError::NoSuchKey`]; [`BucketsError::PreconditionFailed`] by the conditions on the object and on the one that has
    /// the new key; [`BucketsError::KeyLength`], [`BucketsError::Locked`]; those of writing.
    pub fn rename(
        &self,
        tx: &mut Tx<'_>,
        (from, source): (&str, &Condition),
        (to, destination): (&str, &Condition),
        now_ms: u64,
    ) -> Result<EntryVersion, BucketsError> {
        let found = self.entry(tx, from)?.ok_or(BucketsError::NoSuchKey)?;
        source.check(Some(&found))?;
        let replaced = self.entry(tx, to)?;
        destination.check(replaced.as_ref())?;
        let entry = found.current.clone();
        if from == to {
            return Ok(entry);
        }
        if let Some(replaced) = replaced {
            let before = replaced.current.clone();
            self.take_out(tx, to, replaced, &before, now_ms, false)?;
        }
        let mut index = tx.index_mut::<ObjectEntry>(&self.to_string());
        index.remove(from.as_bytes())?;
        index.put(to.as_bytes(), &found)?;
        Ok(entry)
    }

    /// Removes a version, which has to be one of the key's.
    fn take_out(
        &self,
        tx: &mut Tx<'_>,
        key: &str,
        found: ObjectEntry,
        entry: &EntryVersion,
        now_ms: u64,
        bypass_governance: bool,
    ) -> Result<(), BucketsError> {
        let ObjectEntry { number, current, others, null } = found;
        self.drop_content(tx, number, entry, now_ms, bypass_governance)?;
        let null = null.filter(|sequence| *sequence != entry.sequence);
        let name = self.to_string();
        let left = if entry.sequence != current.sequence {
            self.others(tx).remove(&version_key(number, entry.sequence))?;
            ObjectEntry { number, current, others: others.saturating_sub(1), null }
        } else {
            let next = tx.index::<EntryVersion>(&name)?.iter(&number.to_be_bytes())?.next()?;
            let Some((place, current)) = next else {
                tx.index_mut::<ObjectEntry>(&name).remove(key.as_bytes())?;
                return Ok(());
            };
            self.others(tx).remove(&place)?;
            ObjectEntry { number, current, others: others.saturating_sub(1), null }
        };
        Ok(tx.index_mut(&name).put(key.as_bytes(), &left)?)
    }

    /// Removes a version's row and ends the reference to its content.
    pub(crate) fn drop_content(
        &self,
        tx: &mut Tx<'_>,
        number: u64,
        entry: &EntryVersion,
        now_ms: u64,
        bypass_governance: bool,
    ) -> Result<(), BucketsError> {
        if entry.marker {
            return Ok(());
        }
        if entry.outside || entry.lockable {
            let version = self.stored(tx, number, entry.sequence)?.version;
            if version.details.locked(now_ms, bypass_governance) {
                return Err(BucketsError::Locked);
            }
            match version.place {
                Place::Row => {}
                Place::Blob(id) => {
                    let id = BlobId::parse(&id).ok_or(BucketsError::damaged("a blob has no id"))?;
                    Reference::remove(tx, &id)?;
                }
                Place::Parts(upload) => Garbage::Version(upload).insert(tx, self)?,
            }
        }
        tx.remove_bytes(row::VERSIONS, &self.to_string(), &row::version_id(number, entry.sequence))?;
        Ok(())
    }
}
