//! Object lock of a bucket: `PutObjectLockConfiguration`, `GetObjectLockConfiguration`.

use store::Tx;
use wire::shape::Binding::Header;

use super::{gets, puts};
use crate::error::{Refusal, S3Error};
use crate::record::{BucketRecord, DefaultRetention, ObjectLock, ObjectLockMode, Versioning};

/// The longest default retention.
const DAYS_MAX: i32 = 36_500;
const YEARS_MAX: i32 = 100;

wire::text_enum! {
    /// Whether versions can be locked: it cannot be said that they cannot.
    pub(crate) enum Enabled { Enabled = "Enabled" }
}

wire::document! {
    /// How long something lasts.
    pub(crate) struct EventHold {
        "Days" days: i32, optional, [];
        "Years" years: i32, optional, [];
    }
}

wire::document! {
    /// The retention of versions whose requests name none.
    pub(crate) struct Retention {
        "Mode" mode: ObjectLockMode, optional, [];
        "Days" days: i32, optional, [];
        "Years" years: i32, optional, [];
        "DefaultEventHold" event_hold: EventHold, optional, [];
    }
}

wire::document! {
    pub(crate) struct ObjectLockRule {
        "DefaultRetention" default: Retention, optional, [];
    }
}

wire::document! {
    /// Object lock of a bucket.
    pub(crate) struct ObjectLockConfiguration {
        "ObjectLockEnabled" enabled: Enabled, optional, [];
        "Rule" rule: ObjectLockRule, optional, [];
    }
}

impl Retention {
    /// The retention, checked.
    fn check(self) -> Result<DefaultRetention, S3Error> {
        if self.event_hold.is_some() {
            return Err(Refusal::not_implemented("DefaultEventHold").into());
        }
        let (mode, length, most) = match self {
            Self { mode: Some(mode), days: Some(days), years: None, .. } => (mode, days, DAYS_MAX),
            Self { mode: Some(mode), days: None, years: Some(years), .. } => (mode, years, YEARS_MAX),
            _ => return Err(Refusal::MalformedXML.into()),
        };
        let reason = match length {
            ..=0 => "Default retention period must be a positive integer value.",
            long if long > most => "Default retention period too large.",
            _ => return Ok(DefaultRetention { mode, days: self.days, years: self.years }),
        };
        let (argument, value) = (if self.days.is_some() { "Days" } else { "Years" }, length.to_string());
        Err(Refusal::InvalidArgument { argument, value, reason: reason.to_owned() }.into())
    }
}

gets! {
    /// Gets whether the versions of a bucket can be locked, and how long new ones are.
    GetObjectLockConfiguration ("s3:GetBucketObjectLockConfiguration") -> GetObjectLockConfigurationOutput {
        "ObjectLockConfiguration": ObjectLockConfiguration
    } = |bucket, _| {
        let missing = || Refusal::ObjectLockConfigurationNotFoundError { bucket: bucket.name.clone() };
        let ObjectLock { default } = bucket.object_lock.ok_or_else(missing)?;
        let retention = |DefaultRetention { mode, days, years }| Retention { mode: Some(mode), days, years, event_hold: None };
        let rule = default.map(|default| ObjectLockRule { default: Some(retention(default)) });
        ObjectLockConfiguration { enabled: Some(Enabled::Enabled), rule }
    }
}

puts! {
    /// Says that the versions of a bucket can be locked, for good, and how long new ones are.
    PutObjectLockConfiguration ("s3:PutBucketObjectLockConfiguration") <- PutObjectLockConfigurationInput {
        "ObjectLockConfiguration": ObjectLockConfiguration, optional;
        "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
        "Token" token: String, optional, [], [Header("x-amz-bucket-object-lock-token")];
        "ContentMD5" content_md5: String, optional, [], [Header("content-md5")];
        "ChecksumAlgorithm" checksum_algorithm: String, optional, [], [Header("x-amz-sdk-checksum-algorithm")];
    } = |input, bucket, call| {
        let ObjectLockConfiguration { enabled, rule } = input.given.ok_or(Refusal::MissingRequestBodyError)?;
        enabled.ok_or(Refusal::MalformedXML)?;
        let default = match rule {
            Some(ObjectLockRule { default }) => Some(default.ok_or(Refusal::MalformedXML)?.check()?),
            None => None,
        };
        let change = move |record: &mut BucketRecord, _: &mut Tx<'_>| {
            if record.versioning != Some(Versioning::Enabled) {
                let reason = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration";
                return Err(Refusal::InvalidBucketState { reason }.into());
            }
            record.object_lock = Some(ObjectLock { default });
            Ok(())
        };
        call.service.change(call, bucket, change).await
    }
}
