//! Listings: keys in order, grouped by what follows a prefix, and versions of each key. Reads indexes alone.

use store::{Index, Indexed, ReadTx};

use crate::entry::{EntryVersion, ObjectEntry, version_key};
use crate::{Bucket, BucketsError, version_id};

/// The parameters of a listing.
#[derive(Clone, Copy, Debug)]
pub struct Listing<'a> {
    /// The beginning of all keys.
    pub prefix: &'a str,
    /// Keys that have this behind the prefix are grouped up to its first end; empty for no groups.
    pub delimiter: &'a str,
    /// The key or group after which the page begins. All keys of a group that this is come before the page.
    pub after: Option<&'a str>,
    /// How many keys and groups there are at most.
    pub limit: usize,
}

/// A key with its value, or a group of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Walked<T> {
    /// A key.
    Key(String, T),
    /// The common prefix of a group's keys.
    Group(String),
}

/// An object or a group of a listing.
pub type Item = Walked<EntryVersion>;

/// A page of objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Objects and groups, in order.
    pub items: Vec<Item>,
    /// Whether there are more.
    pub more: bool,
}

/// A version of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionItem {
    /// The version, or delete marker.
    pub entry: EntryVersion,
    /// Whether it is the newest of its key.
    pub is_latest: bool,
}

/// Where a listing of versions begins.
#[derive(Clone, Copy, Debug)]
pub struct VersionStart<'a> {
    /// After this key or group.
    pub key: &'a str,
    /// Or after this version of it.
    pub version_id: Option<&'a str>,
}

/// A page of versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedVersions {
    /// Versions and groups of keys: by key, the newest version first.
    pub items: Vec<Walked<VersionItem>>,
    /// Whether there are more.
    pub more: bool,
}

impl<T> Walked<T> {
    /// The key, or what the group begins with.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Key(name, _) | Self::Group(name) => name,
        }
    }
}

impl Bucket {
    /// A page of objects: of each key the newest version, unless that is a delete marker.
    ///
    /// # Errors
    /// Those of reading.
    pub fn list(&self, tx: &ReadTx<'_>, listing: &Listing<'_>) -> Result<Listed, BucketsError> {
        let index = tx.index::<ObjectEntry>(&self.to_string())?;
        let mut items = Vec::with_capacity(listing.limit.min(1000));
        if listing.limit == 0 {
            return Ok(Listed { items, more: false });
        }
        let names = (listing.prefix, listing.delimiter);
        let more = walk_if(
            &index,
            names,
            listing.after,
            false,
            |entry| !entry.current.marker,
            |item| {
                if items.len() >= listing.limit {
                    return Ok(false);
                }
                items.push(match item {
                    Walked::Key(key, entry) => Walked::Key(key, entry.current),
                    Walked::Group(group) => Walked::Group(group),
                });
                Ok(true)
            },
        )?;
        Ok(Listed { items, more })
    }

    /// A page of versions and delete markers.
    ///
    /// # Errors
    /// [`BucketsError::InvalidVersionId`]; those of reading.
    pub fn list_versions(
        &self,
        tx: &ReadTx<'_>,
        (prefix, delimiter): (&str, &str),
        after: Option<VersionStart<'_>>,
        limit: usize,
    ) -> Result<ListedVersions, BucketsError> {
        let name = self.to_string();
        let (index, others) = (tx.index::<ObjectEntry>(&name)?, tx.index::<EntryVersion>(&name)?);
        let (after_key, after_version) = after.map_or((None, None), |after| (Some(after.key), after.version_id));
        let after_sequence = match after_version {
            None | Some(version_id::NULL) => None,
            Some(id) => Some(version_id::sequence(id)?),
        };
        let mut items = Vec::with_capacity(limit.min(1000));
        if limit == 0 {
            return Ok(ListedVersions { items, more: false });
        }
        let more = walk(&index, (prefix, delimiter), after_key, after_version.is_some(), |item| {
            let (key, entry) = match item {
                Walked::Group(_) if items.len() >= limit => return Ok(false),
                Walked::Group(group) => {
                    items.push(Walked::Group(group));
                    return Ok(true);
                }
                Walked::Key(key, entry) => (key, entry),
            };
            // Sequence numbers fall; those from here on were on the page before.
            let begin = match after_version {
                Some(_) if after_key == Some(&key) => after_sequence.or(entry.null).unwrap_or_default(),
                _ => u64::MAX,
            };
            let mut push = |entry: EntryVersion, is_latest| {
                let room = items.len() < limit;
                if room {
                    items.push(Walked::Key(key.clone(), VersionItem { entry, is_latest }));
                }
                room
            };
            let ObjectEntry { number, current, others: count, .. } = entry;
            if current.sequence < begin && !push(current, true) {
                return Ok(false);
            }
            if count == 0 {
                return Ok(true);
            }
            let mut older = others.iter(&number.to_be_bytes())?;
            if begin != u64::MAX {
                older.seek(&version_key(number, begin.saturating_sub(1)))?;
            }
            while let Some((_, entry)) = older.next()? {
                if !push(entry, false) {
                    return Ok(false);
                }
            }
            Ok(true)
        })?;
        Ok(ListedVersions { items, more })
    }
}

/// Yields keys and groups in order to `take`, until it answers that it takes no more. Yields whether that was so.
pub(crate) fn walk<R: Indexed>(
    index: &Index<'_, R>,
    names: (&str, &str),
    after: Option<&str>,
    again: bool,
    take: impl FnMut(Walked<R>) -> Result<bool, BucketsError>,
) -> Result<bool, BucketsError> {
    walk_if(index, names, after, again, |_| true, take)
}

/// As [`walk`], with entries that are `visible` alone. With `again` the key `after` itself comes first.
fn walk_if<R: Indexed>(
    index: &Index<'_, R>,
    (prefix, delimiter): (&str, &str),
    after: Option<&str>,
    again: bool,
    visible: impl Fn(&R) -> bool,
    mut take: impl FnMut(Walked<R>) -> Result<bool, BucketsError>,
) -> Result<bool, BucketsError> {
    let group_of = |key: &str| {
        let rest = key.strip_prefix(prefix).filter(|_| !delimiter.is_empty())?;
        let end = prefix.len() + rest.find(delimiter)? + delimiter.len();
        key.get(..end).map(str::to_owned)
    };
    let mut entries = index.iter(prefix.as_bytes())?;
    match after {
        Some(after) if group_of(after).is_some_and(|group| group == after) => entries.seek(&behind(after))?,
        Some(after) if again => entries.seek(after.as_bytes())?,
        Some(after) => entries.seek(&[after.as_bytes(), &[0]].concat())?,
        None => {}
    }
    while let Some((key, entry)) = entries.next()? {
        if !visible(&entry) {
            continue;
        }
        let key = String::from_utf8(key).map_err(|_| BucketsError::damaged("a key is not UTF-8"))?;
        let group = group_of(&key);
        let next = group.as_deref().map(behind);
        let item = group.map_or_else(|| Walked::Key(key, entry), Walked::Group);
        if !take(item)? {
            return Ok(true);
        }
        if let Some(next) = next {
            entries.seek(&next)?;
        }
    }
    Ok(false)
}

/// The first key that comes after all that begin with `group`, which is not empty.
fn behind(group: &str) -> Vec<u8> {
    let mut next = group.as_bytes().to_vec();
    // No byte of UTF-8 is the largest.
    if let Some(last) = next.last_mut() {
        *last = last.saturating_add(1);
    }
    next
}
