//! Rules carried out: every bucket is gone through once a day, since rules are due at midnight.
//!
//! Each version is read again in the transaction that removes it: one that has changed by then stays.

use std::sync::Arc;

use buckets::{Bucket, BucketsError, Condition, EntryVersion, Put, VersionStart, Walked};
use service::Upkeep;
use store::{ReadTx, Tx};
use wire::Timestamp;

use super::due::{Aged, end_of_days};
use crate::S3;
use crate::error::S3Error;
use crate::event::{Cause, Happened, Listeners};
use crate::record::{BucketRecord, LifecycleConfiguration, LifecycleRecord};

/// How many versions or uploads are read at once, and how many of them one transaction removes.
const PAGE: usize = 500;

/// How many records of rules are read at once.
const RECORDS: usize = 100;

/// One day in milliseconds.
const DAY: i64 = 86_400_000;

/// The end of something.
#[derive(Debug, PartialEq, Eq)]
enum Ending {
    /// A current version: with versioning, a delete marker is put before it.
    Current { key: String, sequence: u64 },
    /// A version that is not current, or a delete marker before nothing.
    Version { key: String, version_id: String, sequence: u64 },
    /// An upload.
    Upload { key: String, upload_id: String },
}

/// A version in the walk through a bucket.
struct Walking {
    key: String,
    entry: EntryVersion,
    is_latest: bool,
}

impl S3 {
    /// Carries out the rules of all buckets that were not gone through since midnight. Returns how many versions, markers and
    /// uploads were removed.
    ///
    /// `now` must not come from a clock that may jump ahead: what is removed is gone.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn carry_out_lifecycles(&self, now: Timestamp) -> Result<usize, S3Error> {
        let (mut after, mut removed) = (None, 0);
        loop {
            let from = after.take();
            let page = move |tx: &ReadTx<'_>| tx.scan_collection::<LifecycleRecord>(from.as_ref(), RECORDS);
            let page = self.store.read(page).await?;
            for record in page.items {
                if record.is_due(now) {
                    removed += self.carry_out(record, now).await?;
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(removed);
            }
        }
    }

    /// Carries out the rules of one bucket.
    async fn carry_out(&self, record: LifecycleRecord, now: Timestamp) -> Result<usize, S3Error> {
        let Some(bucket) = self.records.get(BucketRecord::PARENT, &record.bucket).await? else { return Ok(0) };
        let cause = || Cause {
            principal_id: "s3.amazonaws.com".to_owned(),
            ip: "s3.amazonaws.com".to_owned(),
            request_id: String::new(),
            now,
        };
        let listeners = Listeners::by(self, &bucket, cause).await?;
        let run = Run {
            s3: self,
            rules: Arc::new(record.configuration.clone()),
            bucket: Arc::clone(&bucket),
            listeners,
            now,
        };
        let removed = run.versions().await? + run.uploads().await?;
        let (id, before) = (bucket.id.clone(), record.configuration);
        let done = move |tx: &mut Tx<'_>| {
            // Rules that were put meanwhile are still to be carried out.
            match tx.get::<LifecycleRecord>(&id, "")? {
                Some(mut found) if found.configuration == before => {
                    found.done_at = Some(now);
                    tx.put(&id, "", &found)
                }
                _ => Ok(()),
            }
        };
        self.store.write(done).await?;
        Ok(removed)
    }
}

impl LifecycleRecord {
    /// Whether there was a midnight since the rules were carried out.
    fn is_due(&self, now: Timestamp) -> bool {
        let day = |time: Timestamp| time.millis().div_euclid(DAY);
        self.configuration.rules.iter().any(|rule| rule.is_enabled())
            && self.done_at.is_none_or(|done| day(done) < day(now))
    }
}

/// One walk through a bucket.
struct Run<'a> {
    s3: &'a S3,
    rules: Arc<LifecycleConfiguration>,
    bucket: Arc<BucketRecord>,
    listeners: Option<Listeners>,
    now: Timestamp,
}

impl Run<'_> {
    /// Goes through the versions.
    async fn versions(&self) -> Result<usize, S3Error> {
        let about_versions = self
            .rules
            .rules
            .iter()
            .any(|rule| rule.is_enabled() && (rule.expiration.is_some() || rule.noncurrent_expiration.is_some()));
        if !about_versions {
            return Ok(0);
        }
        let objects = self.bucket.objects()?;
        let (mut removed, mut walk) = (0, Walk::default());
        let mut start: Option<(String, String)> = None;
        loop {
            let (from, rules, now) = (start.take(), Arc::clone(&self.rules), self.now);
            let page = move |tx: &ReadTx<'_>| {
                let after = from.as_ref().map(|(key, id)| VersionStart { key, version_id: Some(id) });
                let page = objects.list_versions(tx, ("", ""), after, PAGE)?;
                let last = page.items.last().and_then(|item| match item {
                    Walked::Key(key, item) => Some((key.clone(), item.entry.id().to_owned())),
                    Walked::Group(_) => None,
                });
                let mut endings = Vec::new();
                for item in page.items {
                    if let Walked::Key(key, item) = item {
                        let version = Walking { key, entry: item.entry, is_latest: item.is_latest };
                        walk.pass(version, (tx, &objects), &rules, now, &mut endings)?;
                    }
                }
                if !page.more {
                    walk.end(&rules, now, &mut endings);
                }
                Ok::<_, BucketsError>((walk, endings, last.filter(|_| page.more)))
            };
            let endings;
            (walk, endings, start) = self.s3.store.read(page).await?;
            removed += self.remove(endings).await?;
            if start.is_none() {
                return Ok(removed);
            }
        }
    }

    /// Goes through the uploads.
    async fn uploads(&self) -> Result<usize, S3Error> {
        let mut removed = 0;
        let objects = self.bucket.objects()?;
        for rule in self.rules.rules.iter().filter(|rule| rule.is_enabled()) {
            let Some(days) = rule.abort_incomplete.as_ref().and_then(|abort| abort.days) else { continue };
            let mut after: Option<(String, String)> = None;
            loop {
                let (from, prefix) = (after.take(), rule.prefix().to_owned());
                let page = move |tx: &ReadTx<'_>| {
                    let from = from.as_ref().map(|(key, id)| (key.as_str(), Some(id.as_str())));
                    objects.uploads(tx, (&prefix, ""), from, PAGE)
                };
                let page = self.s3.store.read(page).await?;
                let mut endings = Vec::new();
                for item in page.items {
                    let Walked::Key(key, entry) = item else { continue };
                    after = Some((key.clone(), entry.upload_id.clone())).filter(|_| page.more);
                    if end_of_days(entry.started_ms, days) <= self.now.millis() {
                        endings.push(Ending::Upload { key, upload_id: entry.upload_id });
                    }
                }
                removed += self.remove(endings).await?;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(removed)
    }

    /// Removes what has come to its end, with one record of all of it.
    async fn remove(&self, endings: Vec<Ending>) -> Result<usize, S3Error> {
        if endings.is_empty() {
            return Ok(0);
        }
        let (bucket, listeners, now) = (Arc::clone(&self.bucket), self.listeners.clone(), self.now);
        let change = move |tx: &mut Tx<'_>| {
            let Ok(record) = BucketRecord::current(tx, &bucket) else { return Ok(0) };
            let mut resources = Vec::new();
            for ending in &endings {
                if ending.carry_out(tx, &record, listeners.as_ref(), now)? {
                    resources.push([&*record.arn(), "/", ending.key()].concat());
                }
            }
            if resources.is_empty() {
                return Ok(0);
            }
            let upkeep = Upkeep {
                time: now,
                source: "s3.amazonaws.com",
                name: "LifecycleExpiration",
                region: &record.region,
                account: &record.account,
                resources: &resources,
            };
            tx.record(&upkeep.to_bytes())?;
            Ok::<_, S3Error>(resources.len())
        };
        self.s3.store.write(change).await
    }
}

impl Ending {
    fn key(&self) -> &str {
        match self {
            Self::Current { key, .. } | Self::Version { key, .. } | Self::Upload { key, .. } => key,
        }
    }

    /// Removes it, unless it is another by now or locked. Returns whether it did.
    fn carry_out(
        &self,
        tx: &mut Tx<'_>,
        bucket: &BucketRecord,
        listeners: Option<&Listeners>,
        now: Timestamp,
    ) -> Result<bool, S3Error> {
        let objects = bucket.objects()?;
        let now_ms = u64::try_from(now.millis()).unwrap_or_default();
        let unchanged = |tx: &Tx<'_>, key: &str, version_id: Option<&str>, sequence: u64| match objects
            .find_entry(tx, key, version_id)
        {
            Ok(entry) => Ok(entry.sequence == sequence),
            Err(BucketsError::NoSuchKey | BucketsError::NoSuchVersion) => Ok(false),
            Err(error) => Err(error),
        };
        let (removed, event) = match self {
            Self::Upload { key, upload_id } => {
                return match objects.abort_upload(tx, key, upload_id) {
                    Ok(()) => Ok(true),
                    Err(BucketsError::NoSuchUpload) => Ok(false),
                    Err(error) => Err(error.into()),
                };
            }
            Self::Current { key, sequence } => {
                if !unchanged(tx, key, None, *sequence)? {
                    return Ok(false);
                }
                let put = Put { versioning: bucket.object_versioning(), condition: Condition::None, now_ms };
                let removed = objects.delete(tx, key, &put);
                let marker = put.versioning != buckets::Versioning::Off;
                (
                    removed,
                    if marker { "s3:LifecycleExpiration:DeleteMarkerCreated" } else { "s3:LifecycleExpiration:Delete" },
                )
            }
            Self::Version { key, version_id, sequence } => {
                if !unchanged(tx, key, Some(version_id), *sequence)? {
                    return Ok(false);
                }
                let removed = objects.delete_version(tx, key, version_id, &Condition::None, (now_ms, false));
                (removed, "s3:LifecycleExpiration:Delete")
            }
        };
        let removed = match removed {
            Ok(removed) => removed,
            Err(BucketsError::Locked) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        if let Some(listeners) = listeners
            && let Some(entry) = removed.marker.as_ref().or(removed.removed.as_ref())
        {
            let version_id = entry.version_id.as_deref();
            let happened = Happened { event, key: self.key(), content: None, version_id, sequence: entry.sequence };
            listeners.queue(tx, &happened)?;
        }
        Ok(true)
    }
}

/// The state of a walk at one key.
#[derive(Default)]
struct Walk {
    key: String,
    /// When the version before was written, which made the next one one that is not current.
    newer_ms: u64,
    /// How many versions that are not current were passed.
    passed: i32,
    /// A current delete marker, until it shows whether there are versions behind it.
    marker: Option<(u64, String, u64)>,
}

impl Walk {
    /// Passes a version.
    fn pass(
        &mut self,
        version: Walking,
        (tx, objects): (&ReadTx<'_>, &Bucket),
        rules: &LifecycleConfiguration,
        now: Timestamp,
        endings: &mut Vec<Ending>,
    ) -> Result<(), BucketsError> {
        let Walking { key, entry, is_latest } = version;
        if is_latest {
            self.end(rules, now, endings);
            *self = Self { newer_ms: entry.modified_ms, ..Self::default() };
            self.key.clone_from(&key);
            if entry.marker {
                self.marker = Some((entry.sequence, entry.id().to_owned(), entry.modified_ms));
                return Ok(());
            }
        } else {
            // There is a version behind the marker.
            self.marker = None;
        }
        let noncurrent_ms = std::mem::replace(&mut self.newer_ms, entry.modified_ms);
        let by_tags =
            rules.rules.iter().any(|rule| rule.is_enabled() && rule.goes_by_tags() && key.starts_with(rule.prefix()));
        let found = if by_tags && !entry.marker { objects.find(tx, &key, Some(entry.id()))?.stored } else { None };
        let tags = found.as_ref().map(|stored| stored.version.details.tags.as_slice());
        let aged = Aged { key: &key, bytes: entry.bytes, tags, modified_ms: entry.modified_ms };
        let mut about = rules.rules.iter().filter(|rule| rule.is_about(&aged));
        let due = if is_latest {
            about.any(|rule| rule.expires_at(entry.modified_ms).is_some_and(|at| at <= now.millis()))
        } else {
            self.passed = self.passed.saturating_add(1);
            about.any(|rule| {
                rule.noncurrent_expiration.as_ref().is_some_and(|expiration| {
                    let old = expiration.days.is_some_and(|days| end_of_days(noncurrent_ms, days) <= now.millis());
                    old && expiration.newer.is_none_or(|newer| self.passed > newer)
                })
            })
        };
        if due && is_latest {
            endings.push(Ending::Current { key, sequence: entry.sequence });
        } else if due {
            let version_id = entry.id().to_owned();
            endings.push(Ending::Version { key, version_id, sequence: entry.sequence });
        }
        Ok(())
    }

    /// Ends a key: a delete marker before nothing goes if a rule says so.
    fn end(&mut self, rules: &LifecycleConfiguration, now: Timestamp, endings: &mut Vec<Ending>) {
        let Some((sequence, version_id, modified_ms)) = self.marker.take() else { return };
        let aged = Aged { key: &self.key, bytes: 0, tags: None, modified_ms };
        let due = rules.rules.iter().filter(|rule| rule.is_about(&aged)).any(|rule| {
            rule.expiration.as_ref().is_some_and(|expiration| match expiration.days {
                Some(days) => end_of_days(modified_ms, days) <= now.millis(),
                None => expiration.expired_marker == Some(true),
            })
        });
        if due {
            endings.push(Ending::Version { key: self.key.clone(), version_id, sequence });
        }
    }
}
