//! Destinations of a bucket's events: `PutBucketNotificationConfiguration`, `GetBucketNotificationConfiguration`, and the
//! two former names.
//!
//! Source: Amazon S3 User Guide, "Amazon S3 Event Notifications".

use std::collections::BTreeSet;

use service::{Call, Deliveries};
use store::Tx;
use wire::Arn;
use wire::shape::Binding::Header;

use super::{gets, puts};
use crate::S3;
use crate::access::Bucket;
use crate::error::{Refusal, S3Error};
use crate::event::test_message;
use crate::record::{BucketRecord, Destination, NotificationConfiguration, NotificationRecord};

/// The events that can be delivered.
const EVENTS: [&str; 31] = [
    "s3:ReducedRedundancyLostObject",
    "s3:ObjectCreated:*",
    "s3:ObjectCreated:Put",
    "s3:ObjectCreated:Post",
    "s3:ObjectCreated:Copy",
    "s3:ObjectCreated:CompleteMultipartUpload",
    "s3:ObjectRemoved:*",
    "s3:ObjectRemoved:Delete",
    "s3:ObjectRemoved:DeleteMarkerCreated",
    "s3:ObjectRestore:*",
    "s3:ObjectRestore:Post",
    "s3:ObjectRestore:Completed",
    "s3:ObjectRestore:Delete",
    "s3:Replication:*",
    "s3:Replication:OperationFailedReplication",
    "s3:Replication:OperationNotTracked",
    "s3:Replication:OperationMissedThreshold",
    "s3:Replication:OperationReplicatedAfterThreshold",
    "s3:LifecycleTransition",
    "s3:IntelligentTiering",
    "s3:ObjectAcl:Put",
    "s3:LifecycleExpiration:*",
    "s3:LifecycleExpiration:Delete",
    "s3:LifecycleExpiration:DeleteMarkerCreated",
    "s3:ObjectTagging:*",
    "s3:ObjectTagging:Put",
    "s3:ObjectTagging:Delete",
    "s3:ObjectAnnotation:*",
    "s3:ObjectAnnotation:Put",
    "s3:ObjectAnnotation:Delete",
    "s3:ObjectRetention:Put",
];

fn argument(argument: &'static str, value: &str, reason: &str) -> S3Error {
    Refusal::InvalidArgument { argument, value: value.to_owned(), reason: reason.to_owned() }.into()
}

/// Checks the configuration, and gives an id to each destination without one.
fn checked(mut configuration: NotificationConfiguration, region: &str) -> Result<NotificationConfiguration, S3Error> {
    for id in configuration.ids() {
        let mut random = [0; 24];
        crypto::random_bytes(&mut random);
        id.get_or_insert_with(|| crypto::hex::encode(&random));
    }
    let mut ids = BTreeSet::new();
    let destinations: Vec<_> = configuration.destinations().collect();
    for (index, destination) in destinations.iter().enumerate() {
        check(destination, region)?;
        if destination.id.is_some_and(|id| id.chars().count() > 255 || !ids.insert(id)) {
            return Err(argument("Id", destination.id.unwrap_or_default(), "The configuration IDs are not valid."));
        }
        if destinations.iter().skip(index + 1).any(|other| overlap(destination, other)) {
            let reason = "Configurations overlap. Configurations on the same bucket cannot share a common event type.";
            return Err(argument("Event", destination.arn, reason));
        }
    }
    Ok(configuration)
}

fn check(destination: &Destination<'_>, region: &str) -> Result<(), S3Error> {
    let arn: Option<Arn> = destination.arn.parse().ok();
    let fits = |arn: &Arn| arn.service() == destination.service && !arn.resource().is_empty() && arn.region() == region;
    if !arn.as_ref().is_some_and(fits) {
        let reason = "Unable to validate the following destination configurations";
        return Err(argument("Destination", destination.arn, reason));
    }
    if destination.events.is_empty() {
        return Err(Refusal::MalformedXML.into());
    }
    if let Some(event) = destination.events.iter().find(|event| !EVENTS.contains(&event.as_str())) {
        return Err(argument("Event", event, "The event is not supported for notifications"));
    }
    let mut parts = BTreeSet::new();
    for rule in destination.rules {
        let part = rule.part();
        let part = part.ok_or_else(|| {
            argument(
                "FilterRule.Name",
                rule.name.as_deref().unwrap_or_default(),
                "filter rule name must be either prefix or suffix",
            )
        })?;
        if !parts.insert(part) {
            let reason = "Cannot specify more than one prefix or suffix rule in a filter.";
            return Err(argument("FilterRule.Name", rule.name.as_deref().unwrap_or_default(), reason));
        }
        if rule.value().len() > 1024 {
            return Err(argument(
                "FilterRule.Value",
                rule.value(),
                "Size of filter rule value cannot exceed 1024 bytes in UTF-8",
            ));
        }
    }
    Ok(())
}

/// Whether one event could go to two destinations.
fn overlap(one: &Destination<'_>, other: &Destination<'_>) -> bool {
    let kind = |event: &str| event.strip_suffix('*').map(str::to_owned);
    let same = |a: &str, b: &str| match (kind(a), kind(b)) {
        (Some(a), Some(b)) => a == b,
        (Some(kind), None) => b.starts_with(&kind),
        (None, Some(kind)) => a.starts_with(&kind),
        (None, None) => a == b,
    };
    let events = one.events.iter().any(|a| other.events.iter().any(|b| same(a, b)));
    let ((prefix, suffix), (other_prefix, other_suffix)) = (one.ends(), other.ends());
    let prefixes = prefix.starts_with(other_prefix) || other_prefix.starts_with(prefix);
    let suffixes = suffix.ends_with(other_suffix) || other_suffix.ends_with(suffix);
    events && prefixes && suffixes
}

gets! {
    /// Gets the destinations of a bucket's events.
    GetBucketNotificationConfiguration ("s3:GetBucketNotification") -> GetBucketNotificationConfigurationOutput {
        "NotificationConfiguration": NotificationConfiguration
    } = |bucket, call| {
        get(bucket, call).await?
    }
}

gets! {
    /// Gets the destinations of a bucket's events: the former name.
    GetBucketNotification ("s3:GetBucketNotification") -> GetBucketNotificationOutput {
        "NotificationConfiguration": NotificationConfiguration
    } = |bucket, call| {
        get(bucket, call).await?
    }
}

puts! {
    /// Puts the destinations of a bucket's events.
    PutBucketNotificationConfiguration ("s3:PutBucketNotification") <- PutBucketNotificationConfigurationInput {
        "NotificationConfiguration": NotificationConfiguration, required;
        "SkipDestinationValidation" skip_validation: bool, optional, [], [Header("x-amz-skip-destination-validation")];
    } = |input, bucket, call| {
        put(input.given, bucket, call).await
    }
}

puts! {
    /// Puts the destinations of a bucket's events: the former name.
    PutBucketNotification ("s3:PutBucketNotification") <- PutBucketNotificationInput {
        "NotificationConfiguration": NotificationConfiguration, required;
        "ContentMD5" content_md5: String, optional, [], [Header("content-md5")];
        "ChecksumAlgorithm" checksum_algorithm: String, optional, [], [Header("x-amz-sdk-checksum-algorithm")];
    } = |input, bucket, call| {
        put(input.given, bucket, call).await
    }
}

/// The destinations of a bucket's events.
async fn get(bucket: &Bucket, call: &Call<'_, S3>) -> Result<NotificationConfiguration, S3Error> {
    let found = call.service.notifications.get(&bucket.id, "").await?;
    Ok(found.map_or_else(NotificationConfiguration::of_nobody, |found| (*found).clone()))
}

/// Puts the destinations of a bucket's events, and queues a test message to each.
async fn put(given: NotificationConfiguration, bucket: &Bucket, call: &Call<'_, S3>) -> Result<(), S3Error> {
    let record = NotificationRecord(checked(given, call.region)?);
    let (test, now) = (test_message(&bucket.name, call.request_id, call.now), call.now);
    let change = move |bucket: &mut BucketRecord, tx: &mut Tx<'_>| {
        // Functions are not tested, as with AWS.
        for destination in record.0.destinations().filter(|destination| destination.service != "lambda") {
            Deliveries::queue(tx, destination.arn, test.clone(), now)?;
        }
        Ok(tx.put(&bucket.id, "", &record)?)
    };
    call.service.change(call, bucket, change).await
}
