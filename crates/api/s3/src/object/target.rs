//! A version of an object as operations find it, and what a caller learns of one that is not there.

use std::sync::Arc;

use buckets::{BucketsError, Condition, Details, EntryVersion, Found, Stored};
use http::header::{ALLOW, HeaderName, HeaderValue, LAST_MODIFIED};
use service::{Call, Need, Resource};
use store::Tx;
use wire::Timestamp;

use crate::S3;
use crate::access::{Bucket, Object, ObjectKey, action_on_version, check_object_name};
use crate::error::{Refusal, S3Error};
use crate::record::BucketRecord;

static DELETE_MARKER: HeaderName = HeaderName::from_static("x-amz-delete-marker");
static VERSION_ID: HeaderName = HeaderName::from_static("x-amz-version-id");

/// A bucket, and a version of an object in it if it is there.
pub(crate) struct Target {
    pub(crate) bucket: Bucket,
    found: Result<Found, Missing>,
}

/// Why there is no version.
#[derive(Clone, Copy, Debug)]
enum Missing {
    Key,
    Version,
    InvalidId,
}

/// The name of an object, and of a version of it.
#[derive(Clone, Copy)]
pub(crate) struct VersionKey<'a> {
    pub(crate) object: ObjectKey<'a>,
    pub(crate) version_id: Option<&'a str>,
}

impl Resource for Target {
    type Service = S3;
    type Key<'a> = VersionKey<'a>;

    /// That there is no such version is no error yet: who may read what is there is asked first.
    async fn find<'a>(key: VersionKey<'a>, call: &'a Call<'_, S3>) -> Result<Self, S3Error> {
        let VersionKey { object, version_id } = key;
        let bucket = Bucket::find(object.bucket, call).await?;
        check_object_name(object.name)?;
        let (objects, name, id) = (bucket.objects()?, object.name.to_owned(), version_id.map(str::to_owned));
        let found = call.service.store.read(move |tx| objects.find(tx, &name, id.as_deref())).await;
        let found = match found {
            Ok(found) => Ok(found),
            Err(BucketsError::NoSuchKey) => Err(Missing::Key),
            Err(BucketsError::NoSuchVersion) => Err(Missing::Version),
            Err(BucketsError::InvalidVersionId) => Err(Missing::InvalidId),
            Err(error) => return Err(error.into()),
        };
        Ok(Self { bucket, found })
    }

    fn need<'n>(&'n self, key: VersionKey<'n>, action: &'static str, call: &'n Call<'_, S3>) -> Need<'n> {
        let VersionKey { object, version_id } = key;
        let action = action_on_version(action, version_id);
        let mut need = Object::need_on_object(&self.bucket, object.name, action, call);
        if let Some(version_id) = version_id {
            need = need.with("s3:versionid", version_id);
        }
        match self.found.as_ref().ok().and_then(|found| found.stored.as_ref()) {
            Some(stored) => need.with_named("s3:ExistingObjectTag/", stored.version.details.tags.iter().cloned()),
            None => need,
        }
    }

    fn need_of_missing<'n>(_: VersionKey<'n>, _: &'static str, _: &'n Call<'_, S3>) -> Option<Need<'n>> {
        None
    }
}

impl Target {
    /// The version, which has a content.
    ///
    /// # Errors
    /// [`Refusal::NoSuchKey`], [`Refusal::NoSuchVersion`] for a caller who may list the bucket, [`Refusal::AccessDenied`] for
    /// others; [`Refusal::MethodNotAllowed`] for a delete marker by its id, [`Refusal::InvalidArgument`] for an id that is none.
    pub(crate) async fn version(
        &self,
        name: &str,
        version_id: Option<&str>,
        call: &Call<'_, S3>,
    ) -> Result<(&Found, &Stored), S3Error> {
        let missing = || -> Refusal {
            match version_id {
                None => Refusal::NoSuchKey { key: name.to_owned() },
                Some(id) => Refusal::NoSuchVersion { key: name.to_owned(), version_id: id.to_owned() },
            }
        };
        let found = match &self.found {
            Ok(Found { stored: None, entry, .. }) if version_id.is_some() => {
                let modified = Timestamp::from_millis(i64::try_from(entry.modified_ms).unwrap_or(i64::MAX));
                let mut headers = marker(entry.id());
                headers.push((ALLOW, HeaderValue::from_static("DELETE")));
                headers.extend(HeaderValue::try_from(modified.http_date()).ok().map(|value| (LAST_MODIFIED, value)));
                let refusal = Refusal::MethodNotAllowed { method: "GET".to_owned(), resource_type: "DeleteMarker" };
                return Err(S3Error::WithHeaders(refusal, headers));
            }
            Ok(found) => found,
            Err(Missing::InvalidId) => return Err(invalid_version_id(version_id.unwrap_or_default()).into()),
            Err(Missing::Key | Missing::Version) => {
                let may_list = call.would_allow(&self.bucket.need_of("s3:ListBucket", call)).await?;
                return Err(if may_list { missing() } else { Refusal::AccessDenied }.into());
            }
        };
        match &found.stored {
            Some(stored) => Ok((found, stored)),
            None => Err(S3Error::WithHeaders(missing(), marker(found.entry.id()))),
        }
    }
}

impl Target {
    /// The version's id as answers have it: none as long as the bucket never had versions.
    pub(crate) fn shown_id(&self, entry: &EntryVersion) -> Option<String> {
        self.bucket.versioning.map(|_| entry.id().to_owned())
    }

    /// Whether the version is there and has tags.
    pub(crate) fn has_tags(&self) -> bool {
        let stored = self.found.as_ref().ok().and_then(|found| found.stored.as_ref());
        stored.is_some_and(|stored| !stored.version.details.tags.is_empty())
    }

    /// Changes details of the version of this id, or of the newest, in the transaction that has the call's record.
    ///
    /// # Errors
    /// Those of `change`; those of finding the version, which may be gone by now.
    pub(crate) async fn edit(
        &self,
        name: String,
        version_id: Option<String>,
        call: &Call<'_, S3>,
        change: impl FnOnce(&mut Details) -> Result<(), S3Error> + Send + 'static,
    ) -> Result<EntryVersion, S3Error> {
        let record = Arc::clone(&self.bucket.record);
        let work = move |tx: &mut Tx<'_>| {
            let objects = BucketRecord::current(tx, &record)?.objects()?;
            let edited = objects.edit(tx, &name, version_id.as_deref(), change);
            let edited =
                edited.map_err(|error: S3Error| error.on_version(&name, version_id.as_deref(), &Condition::None));
            Ok::<_, S3Error>(edited?.0)
        };
        call.write(&call.service.store, work).await
    }
}

/// The refusal of a text that is no version id.
pub(crate) fn invalid_version_id(id: &str) -> Refusal {
    let reason = "Invalid version id specified".to_owned();
    Refusal::InvalidArgument { argument: "versionId", value: id.to_owned(), reason }
}

/// The headers that say that a delete marker was met.
fn marker(id: &str) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = vec![(DELETE_MARKER.clone(), HeaderValue::from_static("true"))];
    headers.extend(HeaderValue::from_str(id).ok().map(|id| (VERSION_ID.clone(), id)));
    headers
}
