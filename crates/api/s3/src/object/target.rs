//! A version of an object as operations find it, and what a caller learns of one that is not there.

use buckets::{BucketsError, Found, Stored};
use http::header::{ALLOW, HeaderName, HeaderValue, LAST_MODIFIED};
use service::{Call, Need};
use wire::Timestamp;

use crate::S3;
use crate::access::{Bucket, ObjectKey, action_on_version, check_object_name};
use crate::error::{Refusal, S3Error};

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

impl Target {
    /// Finds the version of this id, or the newest.
    ///
    /// # Errors
    /// Those of finding the bucket, and of the store. That there is no version is none.
    pub(crate) async fn find(
        key: ObjectKey<'_>,
        version_id: Option<&str>,
        call: &Call<'_, S3>,
    ) -> Result<Self, S3Error> {
        let bucket = <Bucket as service::Resource>::find(key.bucket, call).await?;
        check_object_name(key.name)?;
        let (objects, name, id) = (bucket.objects()?, key.name.to_owned(), version_id.map(str::to_owned));
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

    /// The need of `action` on the version.
    pub(crate) fn need<'n>(
        &'n self,
        name: &str,
        version_id: Option<&'n str>,
        action: &'static str,
        call: &Call<'_, S3>,
    ) -> Need<'n> {
        let arn = [&*self.bucket.arn(), "/", name].concat();
        let mut need = self.bucket.need_on(action_on_version(action, version_id), arn, call);
        if let Some(version_id) = version_id {
            need = need.with("s3:versionid", version_id);
        }
        match self.found.as_ref().ok().and_then(|found| found.stored.as_ref()) {
            Some(stored) => need.with_named("s3:ExistingObjectTag/", stored.version.details.tags.iter().cloned()),
            None => need,
        }
    }

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
