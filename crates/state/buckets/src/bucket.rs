//! A bucket: its versions put, found and changed in transactions of the caller. Knows no contents but their places.

use std::fmt;

use blobs::Reference;
use crypto::hex;
use store::{ReadTx, StoreError, Tx};

use crate::content::{NewContent, Placed};
use crate::entry::{EntryVersion, ObjectEntry, Sequence, version_key};
use crate::garbage::Garbage;
use crate::version::{Details, Found, Place, Stored, Version};
use crate::{BucketsError, row, version_id};

/// The service that contents belong to, in the index of all blobs.
pub const SERVICE: &str = "s3";

/// The longest key of an object, in bytes.
pub const KEY_BYTES_MAX: usize = 1024;

/// A bucket, by its random id: one that is made again under the same name shares nothing with the one before.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bucket([u8; 16]);

/// Which ids new versions get, and what becomes of the version before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versioning {
    /// There is one version, the null version, which each new one replaces.
    Off,
    /// Each version has an id of its own and stays.
    Enabled,
    /// A new version replaces the null version; others stay.
    Suspended,
}

/// A condition on the newest version for a change. It is tested in the transaction of the change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    #[default]
    None,
    /// There is no object (`If-None-Match: *`).
    Absent,
    /// There is an object (`If-Match: *`).
    Present,
    /// The object has this entity tag, without quotes (`If-Match`).
    Matches(String),
}

/// How a version is put.
#[derive(Clone, Debug)]
pub struct Put {
    /// The bucket's versioning.
    pub versioning: Versioning,
    /// The condition.
    pub condition: Condition,
    /// The time, in milliseconds since 1970.
    pub now_ms: u64,
}

impl Bucket {
    /// A bucket that nobody has yet. There is nothing to be written before the first object.
    #[must_use]
    pub fn generate() -> Self {
        Self(crypto::random_nonce())
    }

    /// The bucket of an id as it is displayed: 32 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        hex::decode_lower(text).map(Self)
    }

    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// Whether there is no version and no delete marker.
    ///
    /// # Errors
    /// Those of reading.
    pub fn is_empty(&self, tx: &ReadTx<'_>) -> Result<bool, StoreError> {
        Ok(tx.index::<ObjectEntry>(&self.to_string())?.iter(&[])?.next()?.is_none())
    }

    /// Removes what is left of an empty bucket: its uploads, some time later.
    ///
    /// # Errors
    /// [`BucketsError::NotEmpty`]; those of writing.
    pub fn remove(&self, tx: &mut Tx<'_>) -> Result<(), BucketsError> {
        if !self.is_empty(tx)? {
            return Err(BucketsError::NotEmpty);
        }
        Garbage::Bucket.insert(tx, self)
    }

    /// The version of this id, or the newest; a delete marker is found as well.
    ///
    /// # Errors
    /// [`BucketsError::NoSuchKey`] when the key has no version; [`BucketsError::NoSuchVersion`],
    /// [`BucketsError::InvalidVersionId`]; those of reading.
    pub fn find(&self, tx: &ReadTx<'_>, key: &str, version_id: Option<&str>) -> Result<Found, BucketsError> {
        let (number, entry, is_latest) = self.locate(tx, key, version_id)?;
        let stored = if entry.marker { None } else { Some(self.stored(tx, number, entry.sequence)?) };
        Ok(Found { entry, is_latest, stored })
    }

    /// As [`find`](Self::find), without reading the version's row: the entry that listings have.
    ///
    /// # Errors
    /// As for [`find`](Self::find).
    pub fn find_entry(
        &self,
        tx: &ReadTx<'_>,
        key: &str,
        version_id: Option<&str>,
    ) -> Result<EntryVersion, BucketsError> {
        Ok(self.locate(tx, key, version_id)?.1)
    }

    /// Puts a version with a content that was written for it. Hold `content` until the transaction is durable, so that no sweep
    /// takes it before: let the transaction return it.
    ///
    /// # Errors
    /// [`BucketsError::PreconditionFailed`]; [`BucketsError::NoSuchKey`] when an entity tag was to match and there is no
    /// object; [`BucketsError::KeyLength`], [`BucketsError::Locked`]; those of writing.
    pub fn put(
        &self,
        tx: &mut Tx<'_>,
        key: &str,
        details: Details,
        content: &NewContent,
        put: &Put,
    ) -> Result<EntryVersion, BucketsError> {
        let found = self.entry(tx, key)?;
        put.condition.check(found.as_ref())?;
        let sequence = self.next_sequence(tx)?;
        let number = found.as_ref().map_or(sequence, |found| found.number);
        let (place, inline) = match &content.placed {
            Placed::Row(sealed) => (Place::Row, &sealed[..]),
            Placed::Blob(written) => {
                Reference::insert(tx, written, SERVICE, &row::version_owner(self, number, sequence))?;
                (Place::Blob(written.id.to_string()), &[][..])
            }
        };
        let version =
            Version { details, bytes: content.bytes, modified_ms: put.now_ms, parts: None, upload_id: None, place };
        self.add(tx, key, found, sequence, &version, inline, put.versioning)
    }

    /// Changes details of a version, such as its tags. Yields what `change` does.
    ///
    /// # Errors
    /// As for [`find`](Self::find); [`BucketsError::NoSuchKey`] for a delete marker; those of `change` and of writing.
    pub fn edit<T, E: From<BucketsError>>(
        &self,
        tx: &mut Tx<'_>,
        key: &str,
        version_id: Option<&str>,
        change: impl FnOnce(&mut Details) -> Result<T, E>,
    ) -> Result<(EntryVersion, T), E> {
        let (number, mut entry, is_latest) = self.locate(tx, key, version_id)?;
        if entry.marker {
            return Err(BucketsError::NoSuchKey.into());
        }
        let Stored { mut version, inline } = self.stored(tx, number, entry.sequence)?;
        let changed = change(&mut version.details)?;
        self.write_row(tx, number, entry.sequence, &version, &inline)?;
        let before = entry.clone();
        describe(&mut entry, &version);
        if entry != before {
            self.replace_entry(tx, key, number, &entry, is_latest)?;
        }
        Ok((entry, changed))
    }

    /// The entry of a key, if it has versions.
    pub(crate) fn entry(&self, tx: &ReadTx<'_>, key: &str) -> Result<Option<ObjectEntry>, BucketsError> {
        if key.is_empty() || key.len() > KEY_BYTES_MAX {
            return Err(BucketsError::KeyLength { bytes: key.len() });
        }
        Ok(tx.index::<ObjectEntry>(&self.to_string())?.get(key.as_bytes())?)
    }

    /// The next sequence number.
    pub(crate) fn next_sequence(&self, tx: &mut Tx<'_>) -> Result<u64, BucketsError> {
        let mut index = tx.index_mut::<Sequence>("");
        let last = index.get(&self.0)?.map_or(0, |sequence| sequence.last);
        let next = last.checked_add(1).ok_or(BucketsError::damaged("a bucket has no numbers left"))?;
        index.put(&self.0, &Sequence { last: next })?;
        Ok(next)
    }

    /// Adds a version as the newest of its key, whose entry was `found`.
    #[expect(clippy::too_many_arguments, reason = "each is one fact about the version")]
    pub(crate) fn add(
        &self,
        tx: &mut Tx<'_>,
        key: &str,
        found: Option<ObjectEntry>,
        sequence: u64,
        version: &Version,
        inline: &[u8],
        versioning: Versioning,
    ) -> Result<EntryVersion, BucketsError> {
        let number = found.as_ref().map_or(sequence, |found| found.number);
        self.write_row(tx, number, sequence, version, inline)?;
        let mut entry = versioning.new_entry(sequence, version.modified_ms);
        describe(&mut entry, version);
        self.push(tx, key, found, entry.clone())?;
        Ok(entry)
    }

    /// Makes `new` the newest version of its key; the null version goes if `new` is one.
    pub(crate) fn push(
        &self,
        tx: &mut Tx<'_>,
        key: &str,
        found: Option<ObjectEntry>,
        new: EntryVersion,
    ) -> Result<(), BucketsError> {
        let null = new.version_id.is_none().then_some(new.sequence);
        let entry = match found {
            None => ObjectEntry { number: new.sequence, current: new, others: 0, null },
            Some(ObjectEntry { number, current, mut others, null: null_before }) => {
                let replaced = null_before.filter(|_| null.is_some());
                if replaced == Some(current.sequence) {
                    self.drop_content(tx, number, &current, new.modified_ms, false)?;
                } else {
                    if let Some(sequence) = replaced {
                        let before = self.other(tx, number, sequence)?;
                        self.drop_content(tx, number, &before, new.modified_ms, false)?;
                        self.others(tx).remove(&version_key(number, sequence))?;
                        others = others.saturating_sub(1);
                    }
                    self.others(tx).insert(&version_key(number, current.sequence), &current)?;
                    others += 1;
                }
                ObjectEntry { number, current: new, others, null: null.or(null_before) }
            }
        };
        tx.index_mut(&self.to_string()).put(key.as_bytes(), &entry)?;
        Ok(())
    }

    /// The index of versions that are not the newest.
    pub(crate) fn others<'t, 'a>(&self, tx: &'t mut Tx<'a>) -> store::IndexMut<'t, 'a, EntryVersion> {
        tx.index_mut(&self.to_string())
    }

    /// A version that is not the newest, and has to be there.
    pub(crate) fn other(&self, tx: &ReadTx<'_>, number: u64, sequence: u64) -> Result<EntryVersion, BucketsError> {
        let found = tx.index::<EntryVersion>(&self.to_string())?.get(&version_key(number, sequence))?;
        found.ok_or(BucketsError::damaged("a version is not in the index"))
    }

    /// Number, entry and whether it is the newest, of the version of this id.
    pub(crate) fn locate(
        &self,
        tx: &ReadTx<'_>,
        key: &str,
        version_id: Option<&str>,
    ) -> Result<(u64, EntryVersion, bool), BucketsError> {
        let sequence = match version_id {
            None | Some(version_id::NULL) => None,
            Some(id) => Some(version_id::sequence(id)?),
        };
        let Some(found) = self.entry(tx, key)? else {
            return Err(if version_id.is_some() { BucketsError::NoSuchVersion } else { BucketsError::NoSuchKey });
        };
        let ObjectEntry { number, current, null, .. } = found;
        let Some(version_id) = version_id else { return Ok((number, current, true)) };
        let sequence = sequence.or(null).ok_or(BucketsError::NoSuchVersion)?;
        let (entry, is_latest) = if current.sequence == sequence {
            (current, true)
        } else {
            let other = tx.index::<EntryVersion>(&self.to_string())?.get(&version_key(number, sequence))?;
            (other.ok_or(BucketsError::NoSuchVersion)?, false)
        };
        if entry.id() == version_id { Ok((number, entry, is_latest)) } else { Err(BucketsError::NoSuchVersion) }
    }

    /// The row of a version.
    pub(crate) fn stored(&self, tx: &ReadTx<'_>, number: u64, sequence: u64) -> Result<Stored, BucketsError> {
        let found = tx.get_bytes(row::VERSIONS, &self.to_string(), &row::version_id(number, sequence))?;
        row::decode(found.ok_or(BucketsError::damaged("a version has no row"))?.expose())
    }

    fn write_row(
        &self,
        tx: &mut Tx<'_>,
        number: u64,
        sequence: u64,
        version: &Version,
        inline: &[u8],
    ) -> Result<(), BucketsError> {
        let bytes = row::encode(version, inline)?;
        Ok(tx.put_bytes(row::VERSIONS, &self.to_string(), &row::version_id(number, sequence), &bytes)?)
    }

    /// Rewrites the entry of a version in whichever index has it.
    fn replace_entry(
        &self,
        tx: &mut Tx<'_>,
        key: &str,
        number: u64,
        entry: &EntryVersion,
        is_latest: bool,
    ) -> Result<(), BucketsError> {
        if !is_latest {
            return Ok(self.others(tx).put(&version_key(number, entry.sequence), entry)?);
        }
        let found = self.entry(tx, key)?.ok_or(BucketsError::NoSuchKey)?;
        let object = ObjectEntry { current: entry.clone(), ..found };
        Ok(tx.index_mut(&self.to_string()).put(key.as_bytes(), &object)?)
    }
}

/// Sets what an entry repeats of its version.
fn describe(entry: &mut EntryVersion, version: &Version) {
    let Version { details, bytes, place, .. } = version;
    entry.bytes = *bytes;
    entry.etag.clone_from(&details.etag);
    entry.storage_class.clone_from(&details.storage_class);
    entry.checksum = details.checksum.as_ref().map(|checksum| checksum.kind.clone());
    entry.outside = *place != Place::Row;
    entry.lockable = details.retention.is_some() || details.legal_hold;
}

impl Versioning {
    /// The entry of a new version, or a delete marker, with nothing in it yet.
    pub(crate) fn new_entry(self, sequence: u64, now_ms: u64) -> EntryVersion {
        EntryVersion {
            sequence,
            version_id: (self == Self::Enabled).then(|| version_id::generate(sequence)),
            modified_ms: now_ms,
            marker: false,
            bytes: 0,
            etag: String::new(),
            storage_class: None,
            checksum: None,
            outside: false,
            lockable: false,
        }
    }
}

impl Condition {
    /// Tests the condition on a key's entry.
    pub(crate) fn check(&self, found: Option<&ObjectEntry>) -> Result<(), BucketsError> {
        let current = found.map(|found| &found.current).filter(|current| !current.marker);
        match (self, current) {
            (Self::None, _) | (Self::Absent, None) | (Self::Present, Some(_)) => Ok(()),
            (Self::Matches(etag), Some(current)) if *etag == current.etag => Ok(()),
            (Self::Matches(_) | Self::Present, None) => Err(BucketsError::NoSuchKey),
            (Self::Absent | Self::Matches(_), Some(_)) => Err(BucketsError::PreconditionFailed),
        }
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Bucket({self})")
    }
}
