//! An object that an input names. Nothing of it is loaded: what acting on it needs is decided by its name and its bucket.

use service::{Call, Need, Resource};

use super::{Bucket, BucketKey, check_object_name};
use crate::S3;
use crate::error::S3Error;

/// The name of an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ObjectKey<'a> {
    pub(crate) bucket: BucketKey<'a>,
    pub(crate) name: &'a str,
}

/// The bucket of an object.
#[derive(Clone)]
pub(crate) struct Object(pub(crate) Bucket);

impl std::ops::Deref for Object {
    type Target = Bucket;

    fn deref(&self) -> &Bucket {
        &self.0
    }
}

impl Object {
    /// The need of `action` on an object of the bucket.
    pub(crate) fn need_on_object<'n>(
        bucket: &'n Bucket,
        name: &str,
        action: &'static str,
        call: &Call<'_, S3>,
    ) -> Need<'n> {
        bucket.need_on(action, [&*bucket.arn(), "/", name].concat(), call)
    }
}

impl Resource for Object {
    type Service = S3;
    type Key<'a> = ObjectKey<'a>;

    async fn find<'a>(key: ObjectKey<'a>, call: &'a Call<'_, S3>) -> Result<Self, S3Error> {
        let bucket = Bucket::find(key.bucket, call).await?;
        check_object_name(key.name)?;
        Ok(Self(bucket))
    }

    fn need<'n>(&'n self, key: ObjectKey<'n>, action: &'static str, call: &'n Call<'_, S3>) -> Need<'n> {
        Self::need_on_object(&self.0, key.name, action, call)
    }

    fn need_of_missing<'n>(_: ObjectKey<'n>, _: &'static str, _: &'n Call<'_, S3>) -> Option<Need<'n>> {
        None
    }
}

/// The action for a request that names a version of an object.
///
/// Source: Amazon S3 API Reference, "Required permissions" of the operations with `versionId`.
pub(crate) fn action_on_version(action: &'static str, version_id: Option<&str>) -> &'static str {
    if version_id.is_none() {
        return action;
    }
    match action {
        "s3:GetObject" => "s3:GetObjectVersion",
        "s3:GetObjectAcl" => "s3:GetObjectVersionAcl",
        "s3:GetObjectAttributes" => "s3:GetObjectVersionAttributes",
        "s3:GetObjectTagging" => "s3:GetObjectVersionTagging",
        "s3:PutObjectAcl" => "s3:PutObjectVersionAcl",
        "s3:PutObjectTagging" => "s3:PutObjectVersionTagging",
        "s3:DeleteObject" => "s3:DeleteObjectVersion",
        "s3:DeleteObjectTagging" => "s3:DeleteObjectVersionTagging",
        other => other,
    }
}
