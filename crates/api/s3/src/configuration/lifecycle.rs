//! Rules of what happens to objects as they grow old: `PutBucketLifecycleConfiguration`,
//! `GetBucketLifecycleConfiguration`, `DeleteBucketLifecycle`, and the two former names of the first ones.
//!
//! Source: Amazon S3 User Guide, "Lifecycle configuration elements"; Amazon S3 API Reference,
//! PutBucketLifecycleConfiguration.

use std::collections::BTreeSet;

use service::{AuditClass, Bound, Call, Permit, ResourceOperation};
use store::Tx;
use wire::Timestamp;
use wire::shape::Binding::{Header, Label, Namespace, Payload};

use super::deletes;
use crate::NAMESPACE;
use crate::S3;
use crate::access::{Bucket, BucketInput, BucketKey, BucketName};
use crate::error::{Refusal, S3Error};
use crate::record::{
    BucketRecord, Expiration, Filter, LifecycleConfiguration, LifecycleRecord, LifecycleRule, MinimumSize,
    TransitionClass,
};

/// How many rules a bucket has at most.
const RULES_MAX: usize = 1000;

/// The longest id of a rule, in characters.
const ID_MAX: usize = 255;

/// How many versions that are not current a rule keeps at most.
const NEWER_MAX: i32 = 100;

/// One day in milliseconds.
const DAY: i64 = 86_400_000;

fn argument(argument: &'static str, value: impl ToString, reason: impl Into<String>) -> S3Error {
    Refusal::InvalidArgument { argument, value: value.to_string(), reason: reason.into() }.into()
}

fn request(reason: &str) -> S3Error {
    Refusal::InvalidRequest { reason: reason.to_owned() }.into()
}

fn malformed<T>() -> Result<T, S3Error> {
    Err(Refusal::MalformedXML.into())
}

/// Checks a number of days, at least `least`.
fn check_days(days: Option<i32>, least: i32, of: &str) -> Result<(), S3Error> {
    match days {
        Some(days) if days < least && least == 0 => {
            Err(argument("Days", days, format!("'Days' in {of} action must be nonnegative")))
        }
        Some(days) if days < least => {
            Err(argument("Days", days, format!("'Days' for {of} action must be a positive integer")))
        }
        _ => Ok(()),
    }
}

fn check_date(date: Option<Timestamp>) -> Result<(), S3Error> {
    match date {
        Some(date) if date.millis().rem_euclid(DAY) != 0 => {
            Err(argument("Date", date.iso8601(), "'Date' must be at midnight GMT"))
        }
        _ => Ok(()),
    }
}

/// Checks the configuration, and gives an id to each rule without one.
fn checked(mut configuration: LifecycleConfiguration) -> Result<LifecycleConfiguration, S3Error> {
    if !(1..=RULES_MAX).contains(&configuration.rules.len()) {
        return malformed();
    }
    let mut ids = BTreeSet::new();
    for rule in &mut configuration.rules {
        check(rule)?;
        let mut random = [0; 24];
        crypto::random_bytes(&mut random);
        let id = rule.id.get_or_insert_with(|| crypto::hex::encode(&random));
        if id.is_empty() {
            *id = crypto::hex::encode(&random);
        }
        if id.chars().count() > ID_MAX {
            return Err(argument("ID", &*id, "ID length should not exceed allowed limit of 255"));
        }
        if !ids.insert(id.clone()) {
            let reason = "Rule ID must be unique. Found same ID for more than one rule";
            return Err(argument("ID", &*id, reason));
        }
    }
    Ok(configuration)
}

/// Checks a rule.
fn check(rule: &LifecycleRule) -> Result<(), S3Error> {
    let tagged = match (&rule.filter, &rule.prefix) {
        (Some(filter), None) => check_filter(filter)?,
        (None, Some(_)) => false,
        _ => return malformed(),
    };
    let acts = rule.expiration.is_some()
        || rule.noncurrent_expiration.is_some()
        || rule.abort_incomplete.is_some()
        || !rule.transitions.is_empty()
        || !rule.noncurrent_transitions.is_empty();
    if !acts {
        return Err(request("At least one action needs to be specified in a rule"));
    }
    let mut earliest_end = None;
    if let Some(expiration) = &rule.expiration {
        match *expiration {
            Expiration { days: Some(days), date: None, expired_marker: None | Some(false) } => {
                check_days(Some(days), 1, "Expiration")?;
                earliest_end = Some(days);
            }
            Expiration { days: None, date: Some(date), expired_marker: None | Some(false) } => check_date(Some(date))?,
            Expiration { days: None, date: None, expired_marker: Some(_) } if tagged => {
                return Err(request("ExpiredObjectDeleteMarker cannot be specified with Tags."));
            }
            Expiration { days: None, date: None, expired_marker: Some(_) } => {}
            _ => return malformed(),
        }
    }
    for transition in &rule.transitions {
        let Some(class) = transition.storage_class else { return malformed() };
        check_date(transition.date)?;
        match (transition.days, transition.date) {
            (Some(days), None) => {
                check_days(Some(days), 0, "Transition")?;
                if matches!(class, TransitionClass::StandardIa | TransitionClass::OnezoneIa) && days < 30 {
                    let reason = "'Days' in Transition action must be greater than or equal to 30 for storageClass";
                    return Err(argument("Days", days, format!("{reason} '{class}'")));
                }
                if earliest_end.is_some_and(|end| end <= days) {
                    let reason = "'Days' in the Expiration action for prefix must be greater than 'Days' in the Transition action";
                    return Err(argument("Days", days, reason));
                }
            }
            (None, Some(_)) => {}
            _ => return malformed(),
        }
    }
    for transition in &rule.noncurrent_transitions {
        if transition.storage_class.is_none() || transition.days.is_none() {
            return malformed();
        }
        check_days(transition.days, 0, "NoncurrentVersionTransition")?;
        check_newer(transition.newer)?;
    }
    if let Some(expiration) = &rule.noncurrent_expiration {
        if expiration.days.is_none() {
            return malformed();
        }
        check_days(expiration.days, 1, "NoncurrentVersionExpiration")?;
        check_newer(expiration.newer)?;
    }
    if let Some(abort) = &rule.abort_incomplete {
        if tagged {
            return Err(request("AbortIncompleteMultipartUpload cannot be specified with Tags."));
        }
        if abort.days.is_none() {
            return malformed();
        }
        check_days(abort.days, 1, "AbortIncompleteMultipartUpload")?;
    }
    Ok(())
}

fn check_newer(newer: Option<i32>) -> Result<(), S3Error> {
    match newer {
        Some(newer) if !(1..=NEWER_MAX).contains(&newer) => {
            let reason = "'NewerNoncurrentVersions' must be a positive integer and at most 100";
            Err(argument("NewerNoncurrentVersions", newer, reason))
        }
        _ => Ok(()),
    }
}

/// Checks a filter, which says one thing or joins several. Returns whether it is about tags.
fn check_filter(filter: &Filter) -> Result<bool, S3Error> {
    let Filter { prefix, tag, larger_than, smaller_than, and } = filter;
    let said = [prefix.is_some(), tag.is_some(), larger_than.is_some(), smaller_than.is_some(), and.is_some()];
    if said.iter().filter(|said| **said).count() > 1 {
        return malformed();
    }
    let Some(and) = and else { return Ok(tag.is_some()) };
    let sizes = usize::from(and.larger_than.is_some()) + usize::from(and.smaller_than.is_some());
    if usize::from(and.prefix.is_some()) + and.tags.len() + sizes < 2 {
        return malformed();
    }
    if let (Some(larger), Some(smaller)) = (and.larger_than, and.smaller_than)
        && larger >= smaller
    {
        return Err(request("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'."));
    }
    let keys: BTreeSet<_> = and.tags.iter().map(|tag| &tag.key).collect();
    if keys.len() < and.tags.len() {
        return Err(request("Duplicate Tag Keys are not allowed."));
    }
    Ok(!and.tags.is_empty())
}

wire::output! {
    pub(crate) struct GetBucketLifecycleConfigurationOutput {
        "TransitionDefaultMinimumObjectSize" minimum_size: MinimumSize, required,
            [Header("x-amz-transition-default-minimum-object-size")];
        "LifecycleConfiguration" answer: LifecycleConfiguration, required, [Payload, Namespace("", NAMESPACE)];
    }
}

wire::output! {
    pub(crate) struct PutBucketLifecycleConfigurationOutput {
        "TransitionDefaultMinimumObjectSize" minimum_size: MinimumSize, required,
            [Header("x-amz-transition-default-minimum-object-size")];
    }
}

wire::shape! {
    pub(crate) struct PutBucketLifecycleConfigurationInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "ChecksumAlgorithm" checksum_algorithm: String, optional, [], [Header("x-amz-sdk-checksum-algorithm")];
        "LifecycleConfiguration" given: LifecycleConfiguration, optional, [], [Payload];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
        "TransitionDefaultMinimumObjectSize" minimum_size: MinimumSize, optional, [],
            [Header("x-amz-transition-default-minimum-object-size")];
    }
}

wire::shape! {
    pub(crate) struct PutBucketLifecycleInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "ContentMD5" content_md5: String, optional, [], [Header("content-md5")];
        "ChecksumAlgorithm" checksum_algorithm: String, optional, [], [Header("x-amz-sdk-checksum-algorithm")];
        "LifecycleConfiguration" given: LifecycleConfiguration, optional, [], [Payload];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
    }
}

/// Gets the rules of a bucket.
async fn get(bucket: &Bucket, call: &Call<'_, S3>) -> Result<Bound<GetBucketLifecycleConfigurationOutput>, S3Error> {
    let id = bucket.id.clone();
    let found = call.service.store.read(move |tx| tx.get::<LifecycleRecord>(&id, "")).await?;
    let found = found.ok_or_else(|| Refusal::NoSuchLifecycleConfiguration { bucket: bucket.name.clone() })?;
    let LifecycleRecord { configuration, minimum_size, .. } = found;
    Ok(Bound(GetBucketLifecycleConfigurationOutput { minimum_size, answer: configuration }))
}

/// Puts other rules into the place of a bucket's.
async fn put(
    given: Option<LifecycleConfiguration>,
    minimum_size: Option<MinimumSize>,
    bucket: &Bucket,
    call: &Call<'_, S3>,
) -> Result<Bound<PutBucketLifecycleConfigurationOutput>, S3Error> {
    let configuration = checked(given.ok_or(Refusal::MissingRequestBodyError)?)?;
    let minimum_size = minimum_size.unwrap_or(MinimumSize::AllStorageClasses128K);
    let record = LifecycleRecord { bucket: bucket.name.clone(), configuration, minimum_size, done_at: None };
    let change = move |bucket: &mut BucketRecord, tx: &mut Tx<'_>| Ok(tx.put(&bucket.id, "", &record)?);
    call.service.change(call, bucket, change).await?;
    Ok(Bound(PutBucketLifecycleConfigurationOutput { minimum_size }))
}

/// Declares an operation that gets the rules of a bucket.
macro_rules! gets_lifecycle {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub(crate) struct $name;

        impl ResourceOperation for $name {
            type On = Bucket;
            const NAME: &'static str = stringify!($name);
            const ACTION: &'static str = "s3:GetLifecycleConfiguration";
            const AUDIT: AuditClass = AuditClass::Read;
            type Input = BucketInput;
            type Output = Bound<GetBucketLifecycleConfigurationOutput>;

            fn key(input: &Self::Input) -> BucketKey<'_> {
                input.key()
            }

            async fn run(_: Self::Input, bucket: &Permit<Bucket>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
                get(bucket, call).await
            }
        }
    };
}

gets_lifecycle! {
    /// Gets the rules of a bucket.
    GetBucketLifecycleConfiguration
}

gets_lifecycle! {
    /// Gets the rules of a bucket: the former name.
    GetBucketLifecycle
}

/// Declares an operation that puts the rules of a bucket.
macro_rules! puts_lifecycle {
    ($(#[$doc:meta])* $name:ident <- $input:ident, |$given:ident| $minimum_size:expr) => {
        $(#[$doc])*
        pub(crate) struct $name;

        impl ResourceOperation for $name {
            type On = Bucket;
            const NAME: &'static str = stringify!($name);
            const ACTION: &'static str = "s3:PutLifecycleConfiguration";
            const AUDIT: AuditClass = AuditClass::Change;
            type Input = $input;
            type Output = Bound<PutBucketLifecycleConfigurationOutput>;

            fn key(input: &Self::Input) -> BucketKey<'_> {
                BucketKey { name: &input.bucket, expected_owner: input.expected_bucket_owner.as_deref() }
            }

            async fn run(
                $given: Self::Input,
                bucket: &Permit<Bucket>,
                call: &Call<'_, S3>,
            ) -> Result<Self::Output, S3Error> {
                let minimum_size = $minimum_size;
                put($given.given, minimum_size, bucket, call).await
            }
        }
    };
}

puts_lifecycle! {
    /// Puts other rules into the place of a bucket's.
    PutBucketLifecycleConfiguration <- PutBucketLifecycleConfigurationInput, |input| input.minimum_size
}

puts_lifecycle! {
    /// Puts other rules into the place of a bucket's: the former name.
    PutBucketLifecycle <- PutBucketLifecycleInput, |input| None
}

deletes! {
    /// Removes the rules of a bucket.
    DeleteBucketLifecycle ("s3:PutLifecycleConfiguration") = |bucket, call| {
        let change = |bucket: &mut BucketRecord, tx: &mut Tx<'_>| {
            tx.delete::<LifecycleRecord>(&bucket.id, "")?;
            Ok(())
        };
        call.service.change(call, bucket, change).await
    }
}
