//! `RenameObject`: another key for an object, in a bucket without versions. No content is written.

use buckets::{BucketsError, Condition};
use service::{AuditClass, Call, Need, Operation, Permit, Resource as _};
use store::Tx;
use wire::Timestamp;
use wire::shape::Binding::{Header, Label};

use super::conditions::{ReadConditions, write_condition};
use super::locks::millis;
use super::source::Source;
use super::target::{Target, VersionKey};
use crate::S3;
use crate::access::{BucketKey, BucketName, ObjectKey, check_object_name};
use crate::error::{Refusal, S3Error};
use crate::record::BucketRecord;

wire::shape! {
    pub(crate) struct RenameObjectInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "Key" key: String, required, [], [Label];
        "RenameSource" rename_source: String, required, [], [Header("x-amz-rename-source")];
        "DestinationIfMatch" destination_if_match: String, optional, [], [Header("if-match")];
        "DestinationIfNoneMatch" destination_if_none_match: String, optional, [], [Header("if-none-match")];
        "DestinationIfModifiedSince" destination_if_modified_since: Timestamp, optional, [], [Header("if-modified-since")];
        "DestinationIfUnmodifiedSince" destination_if_unmodified_since: Timestamp, optional, [], [Header("if-unmodified-since")];
        "SourceIfMatch" source_if_match: String, optional, [], [Header("x-amz-rename-source-if-match")];
        "SourceIfNoneMatch" source_if_none_match: String, optional, [], [Header("x-amz-rename-source-if-none-match")];
        "SourceIfModifiedSince" source_if_modified_since: Timestamp, optional, [], [Header("x-amz-rename-source-if-modified-since")];
        "SourceIfUnmodifiedSince" source_if_unmodified_since: Timestamp, optional, [], [Header("x-amz-rename-source-if-unmodified-since")];
        "ClientToken" client_token: String, optional, [], [Header("x-amz-client-token")];
    }
}

/// Gives an object another key, in the place of one that has it.
pub(crate) struct RenameObject;

impl RenameObjectInput {
    /// The name that the object has.
    fn source(&self) -> Result<String, S3Error> {
        let encoded = &*self.rename_source;
        let source = Source::parse(encoded)?;
        if source.bucket != *self.bucket || source.version_id.is_some() {
            let reason = "An object is renamed within its bucket.".to_owned();
            return Err(Refusal::InvalidRequest { reason }.into());
        }
        Ok(source.name)
    }
}

/// The object that gets another name, and the one that it has.
pub(crate) struct Renamed {
    object: Target,
    name: String,
}

impl Operation for RenameObject {
    type Service = S3;
    const NAME: &'static str = "RenameObject";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = RenameObjectInput;
    type Output = ();
    type Target = Renamed;

    async fn find(input: &Self::Input, call: &Call<'_, S3>) -> Result<Renamed, S3Error> {
        let name = input.source()?;
        check_object_name(&input.key)?;
        let bucket = BucketKey { name: &input.bucket, expected_owner: None };
        let key = VersionKey { object: ObjectKey { bucket, name: &name }, version_id: None };
        let object = Target::find(key, call).await?;
        Ok(Renamed { object, name })
    }

    fn needs<'n>(input: &'n Self::Input, target: Option<&'n Renamed>, call: &'n Call<'_, S3>) -> Vec<Need<'n>> {
        let Some(Renamed { object, name }) = target else { return Vec::new() };
        let bucket = BucketKey { name: &input.bucket, expected_owner: None };
        let named = |name| VersionKey { object: ObjectKey { bucket, name }, version_id: None };
        let mut needs = vec![object.need(named(&input.key), "s3:PutObject", call)];
        needs.extend(["s3:GetObject", "s3:DeleteObject"].map(|action| object.need(named(name), action, call)));
        needs
    }

    async fn run(input: Self::Input, target: Permit<Renamed>, call: &Call<'_, S3>) -> Result<(), S3Error> {
        let Renamed { object, name } = &*target;
        let (_, stored) = object.version(name, None, call).await?;
        let conditions = ReadConditions {
            if_match: input.source_if_match.as_deref(),
            if_none_match: input.source_if_none_match.as_deref(),
            if_modified_since: input.source_if_modified_since,
            if_unmodified_since: input.source_if_unmodified_since,
        };
        let etag = stored.version.details.etag.clone();
        conditions.check_source((&etag, stored.version.modified_ms), call.now)?;
        if input.destination_if_modified_since.is_some() || input.destination_if_unmodified_since.is_some() {
            let reason = "A header you provided implies functionality that is not implemented";
            return Err(Refusal::NotImplemented { header: "If-Modified-Since".to_owned(), reason }.into());
        }
        let (if_match, if_none_match) =
            (input.destination_if_match.as_deref(), input.destination_if_none_match.as_deref());
        let destination = write_condition(if_match, if_none_match)?;
        let (record, from, to) = (std::sync::Arc::clone(&object.bucket.record), name.clone(), input.key);
        let now_ms = millis(call.now);
        let change = move |tx: &mut Tx<'_>| {
            let current = BucketRecord::current(tx, &record)?;
            if current.versioning.is_some() {
                let reason = "Objects of buckets with versions cannot be renamed";
                return Err(Refusal::InvalidBucketState { reason }.into());
            }
            // What was tested is what is renamed.
            let source = Condition::Matches(etag);
            let renamed = current.objects()?.rename(tx, (&from, &source), (&to, &destination), now_ms);
            renamed.map(|_| ()).map_err(|error: BucketsError| S3Error::from(error).on_object(&from, &destination))
        };
        call.write(&call.service.store, change).await
    }
}
