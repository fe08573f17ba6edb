//! Events of objects: queued for the destinations that a bucket's configuration names, in the transaction of the change.
//!
//! Source: Amazon S3 User Guide, "Event message structure".

use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use service::{Call, Deliveries};
use store::{StoreError, Tx};
use wire::Timestamp;

use crate::S3;
use crate::access::{Bucket, canonical_id};
use crate::error::S3Error;
use crate::record::{BucketRecord, NotificationConfiguration};

/// All but letters, digits and `-_.*/`, as in the query of a URL; spaces become plus signs.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/').remove(b' ');

/// An event of an object.
#[derive(Clone, Debug)]
pub(crate) struct Happened<'a> {
    /// Such as `s3:ObjectCreated:Put`.
    pub(crate) event: &'static str,
    pub(crate) key: &'a str,
    /// The length of its content and its entity tag; `None` for one that was removed.
    pub(crate) content: Option<(u64, &'a str)>,
    /// The version's id, if the bucket gives ids.
    pub(crate) version_id: Option<&'a str>,
    /// A number that grows with each change of the object.
    pub(crate) sequence: u64,
}

/// Who caused events, and in which request.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    pub(crate) principal_id: String,
    pub(crate) ip: String,
    pub(crate) request_id: String,
    pub(crate) now: Timestamp,
}

/// The destinations of a bucket's events.
#[derive(Clone)]
pub(crate) struct Listeners {
    configuration: Arc<NotificationConfiguration>,
    bucket: Arc<BucketRecord>,
    cause: Cause,
}

impl Listeners {
    /// The destinations of the events of a call in a bucket; `None` if there are none.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn of(bucket: &Bucket, call: &Call<'_, S3>) -> Result<Option<Self>, S3Error> {
        let cause = || Cause {
            principal_id: ["AWS:", &call.caller.principal.unique_id].concat(),
            ip: call.origin.ip.to_string(),
            request_id: call.request_id.to_owned(),
            now: call.now,
        };
        Self::by(call.service, &bucket.record, cause).await
    }

    /// The destinations of events that no call causes.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn by(
        service: &S3,
        bucket: &Arc<BucketRecord>,
        cause: impl FnOnce() -> Cause,
    ) -> Result<Option<Self>, S3Error> {
        let found = service.notifications.get(&bucket.id, "").await?;
        let configuration = found.filter(|found| found.destinations().next().is_some());
        Ok(configuration.map(|configuration| Self { configuration, bucket: Arc::clone(bucket), cause: cause() }))
    }

    /// Queues the event for each destination that it fits.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn queue(&self, tx: &mut Tx<'_>, happened: &Happened<'_>) -> Result<(), StoreError> {
        for destination in self.configuration.destinations() {
            if destination.wants(happened.event, happened.key) {
                let message = self.message(happened, destination.id.unwrap_or_default());
                Deliveries::queue(tx, destination.arn, message, self.cause.now)?;
            }
        }
        Ok(())
    }

    fn message(&self, happened: &Happened<'_>, configuration_id: &str) -> String {
        let Self { bucket, cause, .. } = self;
        let key = utf8_percent_encode(happened.key, ENCODED).to_string().replace(' ', "+");
        let mut object = json!({"key": key, "sequencer": format!("{:016X}", happened.sequence)});
        if let Some(object) = object.as_object_mut() {
            if let Some((size, e_tag)) = happened.content {
                object.insert("size".to_owned(), json!(size));
                object.insert("eTag".to_owned(), json!(e_tag));
            }
            object.extend(happened.version_id.map(|id| ("versionId".to_owned(), json!(id))));
        }
        let record = json!({
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": bucket.region,
            "eventTime": cause.now.iso8601_millis(),
            "eventName": happened.event.trim_start_matches("s3:"),
            "userIdentity": {"principalId": cause.principal_id},
            "requestParameters": {"sourceIPAddress": cause.ip},
            "responseElements": {"x-amz-request-id": cause.request_id},
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": configuration_id,
                "bucket": {
                    "name": bucket.name,
                    "ownerIdentity": {"principalId": canonical_id(&bucket.account)},
                    "arn": bucket.arn(),
                },
                "object": object,
            },
        });
        json!({"Records": [record]}).to_string()
    }
}

/// The message by which a destination learns that it gets a bucket's events from now on.
pub(crate) fn test_message(bucket: &str, request_id: &str, now: Timestamp) -> String {
    json!({
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": now.iso8601_millis(),
        "Bucket": bucket,
        "RequestId": request_id,
    })
    .to_string()
}
