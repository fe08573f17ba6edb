//! Retentions and legal holds as requests and answers have them.
//!
//! Source: Amazon S3 User Guide, "Locking objects with Object Lock".

use std::collections::BTreeMap;

use buckets::{Details, Retention, RetentionMode};
use wire::Timestamp;

use crate::error::{Refusal, S3Error};
use crate::record::{BucketRecord, ObjectLockMode};

const DAY_MS: i64 = 86_400_000;

/// The headers of a request that lock a new version.
#[derive(Clone, Copy, Default)]
pub(crate) struct LockHeaders<'a> {
    pub(crate) mode: Option<&'a str>,
    pub(crate) until: Option<Timestamp>,
    pub(crate) legal_hold: Option<&'a str>,
}

/// The time in milliseconds since 1970, which is never before that.
pub(crate) fn millis(time: Timestamp) -> u64 {
    u64::try_from(time.millis()).unwrap_or_default()
}

/// The mode of this name.
///
/// # Errors
/// [`Refusal::InvalidArgument`].
pub(crate) fn mode(text: &str) -> Result<RetentionMode, S3Error> {
    match ObjectLockMode::from_text(text) {
        Some(ObjectLockMode::Governance) => Ok(RetentionMode::Governance),
        Some(ObjectLockMode::Compliance) => Ok(RetentionMode::Compliance),
        None => {
            let reason = "Unknown wormMode directive.".to_owned();
            Err(Refusal::InvalidArgument { argument: "x-amz-object-lock-mode", value: text.to_owned(), reason }.into())
        }
    }
}

/// Refuses a bucket in which versions cannot be locked.
///
/// # Errors
/// [`Refusal::InvalidRequest`].
pub(crate) fn check_bucket(bucket: &BucketRecord) -> Result<(), S3Error> {
    match bucket.object_lock {
        Some(_) => Ok(()),
        None => {
            let reason = "Bucket is missing Object Lock Configuration".to_owned();
            Err(Refusal::InvalidRequest { reason }.into())
        }
    }
}

/// Refuses a request that asks for an event hold, by any of its three headers.
///
/// # Errors
/// [`Refusal::NotImplemented`].
pub(crate) fn refuse_event_hold(hold: Option<&str>, days: Option<i32>, years: Option<i32>) -> Result<(), S3Error> {
    let asked = hold.is_some() || days.is_some() || years.is_some();
    if asked { Err(Refusal::not_implemented("x-amz-object-lock-event-hold").into()) } else { Ok(()) }
}

impl LockHeaders<'_> {
    /// The retention and legal hold of a new version: the request's, or else the bucket's default.
    ///
    /// # Errors
    /// [`Refusal::InvalidArgument`], [`Refusal::InvalidRequest`].
    pub(crate) fn resolve(self, bucket: &BucketRecord, now: Timestamp) -> Result<(Option<Retention>, bool), S3Error> {
        let refuse = |argument, value: &str, reason: &str| Refusal::InvalidArgument {
            argument,
            value: value.to_owned(),
            reason: reason.to_owned(),
        };
        let Self { mode: asked, until, legal_hold } = self;
        if asked.is_some() || until.is_some() || legal_hold.is_some() {
            check_bucket(bucket)?;
        }
        let hold = match legal_hold {
            None | Some("OFF") => false,
            Some("ON") => true,
            Some(other) => {
                let argument = "x-amz-object-lock-legal-hold";
                return Err(refuse(argument, other, "Legal Hold must be either of 'ON' or 'OFF'").into());
            }
        };
        let retention = match (asked, until) {
            (Some(asked), Some(until)) => {
                if until.millis() <= now.millis() {
                    let argument = "x-amz-object-lock-retain-until-date";
                    let reason = "The retain until date must be in the future!";
                    return Err(refuse(argument, &until.iso8601(), reason).into());
                }
                Some(Retention { mode: mode(asked)?, until_ms: millis(until) })
            }
            (None, None) => by_default(bucket, now),
            _ => {
                let reason = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied";
                return Err(refuse("x-amz-object-lock-mode", "", reason).into());
            }
        };
        Ok((retention, hold))
    }
}

/// The retention of a new version whose request names none.
fn by_default(bucket: &BucketRecord, now: Timestamp) -> Option<Retention> {
    let default = bucket.object_lock?.default?;
    let days = i64::from(default.days.unwrap_or_default()) + 365 * i64::from(default.years.unwrap_or_default());
    let until = now.millis().saturating_add(days.saturating_mul(DAY_MS));
    let mode = match default.mode {
        ObjectLockMode::Governance => RetentionMode::Governance,
        ObjectLockMode::Compliance => RetentionMode::Compliance,
    };
    Some(Retention { mode, until_ms: millis(Timestamp::from_millis(until)) })
}

/// The name of a mode.
pub(crate) const fn mode_name(mode: RetentionMode) -> &'static str {
    match mode {
        RetentionMode::Governance => "GOVERNANCE",
        RetentionMode::Compliance => "COMPLIANCE",
    }
}

/// When a retention ends.
pub(crate) fn until(retention: &Retention) -> Timestamp {
    Timestamp::from_millis(i64::try_from(retention.until_ms).unwrap_or(i64::MAX))
}

/// Headers that begin with `x-amz-object-lock-`, by the rest of their names: of the retention, of the legal hold, or both.
pub(crate) fn headers(details: &Details, retention: bool, legal_hold: bool) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    if let Some(found) = details.retention.filter(|_| retention) {
        headers.insert("mode".to_owned(), mode_name(found.mode).to_owned());
        headers.insert("retain-until-date".to_owned(), until(&found).iso8601_millis());
    }
    if details.legal_hold && legal_hold {
        headers.insert("legal-hold".to_owned(), "ON".to_owned());
    }
    headers
}
