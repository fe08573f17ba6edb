//! A name for a bucket, whether or not there is one of that name: for the operation that makes one.

use service::{Call, Need, Resource};

use super::{Bucket, BucketKey};
use crate::S3;
use crate::error::S3Error;

/// The bucket that has the name already.
pub(crate) struct Vacancy(pub(crate) Option<Bucket>);

impl Resource for Vacancy {
    type Service = S3;
    type Key<'a> = BucketKey<'a>;

    async fn find<'a>(key: BucketKey<'a>, call: &'a Call<'_, S3>) -> Result<Self, S3Error> {
        Bucket::look_up(key.name, call).await.map(Self)
    }

    /// Identity policies alone decide who makes buckets: the other's policy has no part in it.
    fn need<'n>(&'n self, key: BucketKey<'n>, action: &'static str, _: &'n Call<'_, S3>) -> Need<'n> {
        Need::identity(action, ["arn:aws:s3:::", key.name].concat())
    }

    fn need_of_missing<'n>(key: BucketKey<'n>, action: &'static str, _: &'n Call<'_, S3>) -> Option<Need<'n>> {
        Some(Need::identity(action, ["arn:aws:s3:::", key.name].concat()))
    }
}
