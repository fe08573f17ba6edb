//! Buckets and objects as Amazon S3 has them, sealed on the server under keys that every caller must hold.
//!
//! Owns buckets' names and configurations, who may do what, and which keys protect an object. Objects' versions and their
//! contents are `buckets`'. Refuses to know users, and HTTP.
//!
//! Source: Amazon S3 API Reference; Amazon S3 User Guide.

mod access;
mod bucket;
mod configuration;
mod control;
mod cross_origin;
mod encryption;
mod error;
mod event;
mod form;
mod lifecycle;
mod list;
mod multipart;
mod object;
mod operations;
mod record;
mod routes;

use std::sync::Arc;

use buckets::Contents;
use http::HeaderMap;
use service::ports::{DataKeys, Principals};
use service::{Call, CrossOrigin, CrossOriginAnswer, Entry, Service};
use store::{Cache, Store, Tx};
use wire::shape::{At, Breach, MemberInfo, Wrong};
use wire::{Fault, Protocol};

pub use access::side;
pub use encryption::BlobOwners;
pub use error::{KeyFault, Refusal, S3Error};

use access::{Bucket, BucketPolicy};
use record::{
    BucketRecord, CorsConfiguration, CorsRecord, LifecycleConfiguration, LifecycleRecord, NotificationConfiguration,
    NotificationRecord, PolicyRecord,
};

/// How many buckets are cached.
const BUCKETS_CACHED: usize = 10_000;

/// The namespace of answers.
pub(crate) const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Amazon S3.
pub struct S3 {
    store: Store,
    contents: Contents,
    principals: Arc<dyn Principals>,
    data_keys: Arc<dyn DataKeys>,
    records: Cache<BucketRecord>,
    policies: Cache<BucketPolicy>,
    cors: Cache<CorsConfiguration>,
    notifications: Cache<NotificationConfiguration>,
    lifecycles: Cache<LifecycleConfiguration>,
}

impl S3 {
    /// S3 over `store`, with `contents` of objects sealed under data keys of `data_keys`; `principals` are those whom policies
    /// name.
    #[must_use]
    pub fn new(
        store: Store,
        contents: Contents,
        principals: Arc<dyn Principals>,
        data_keys: Arc<dyn DataKeys>,
    ) -> Self {
        Self {
            records: Cache::new::<BucketRecord>(&store, BUCKETS_CACHED, |record| record),
            policies: Cache::new::<PolicyRecord>(&store, BUCKETS_CACHED, BucketPolicy::from),
            cors: Cache::new::<CorsRecord>(&store, BUCKETS_CACHED, |CorsRecord(rules)| rules),
            notifications: Cache::new::<NotificationRecord>(&store, BUCKETS_CACHED, |NotificationRecord(wanted)| {
                wanted
            }),
            lifecycles: Cache::new::<LifecycleRecord>(&store, BUCKETS_CACHED, |record| record.configuration),
            store,
            contents,
            principals,
            data_keys,
        }
    }

    /// Changes a bucket's record for a call.
    ///
    /// # Errors
    /// [`Refusal::NoSuchBucket`] for a bucket that is gone by now; those of `work`.
    async fn change<T: Send + 'static>(
        &self,
        call: &Call<'_, Self>,
        bucket: &Bucket,
        work: impl FnOnce(&mut BucketRecord, &mut Tx<'_>) -> Result<T, S3Error> + Send + 'static,
    ) -> Result<T, S3Error> {
        let bucket = Arc::clone(&bucket.record);
        call.write(&self.store, move |tx| {
            let mut record = BucketRecord::current(tx, &bucket)?;
            let value = work(&mut record, tx)?;
            tx.put(BucketRecord::PARENT, &record.name, &record)?;
            Ok(value)
        })
        .await
    }
}

impl Service for S3 {
    const NAME: &'static str = "s3";
    const EVENT_SOURCE: &'static str = "s3.amazonaws.com";
    const PROTOCOLS: &'static [Protocol] = &[Protocol::rest_xml(NAMESPACE, routes::ROUTES)];
    const ANONYMOUS: bool = true;
    /// A thousand of the longest names, and what XML adds to them.
    const BODY_BYTES_MAX: usize = 4 << 20;
    const NOT_SERVED: &'static str = include_str!("../missing.txt");
    type Error = S3Error;

    fn cross_origin<'a>(&'a self, asked: CrossOrigin<'a>) -> Option<CrossOriginAnswer<'a>> {
        use service::ServiceError as _;
        Some(Box::pin(async move { cross_origin::answer(self, &asked).await.map_err(|error| error.fault()) }))
    }

    /// S3 Control's hosts name the account.
    fn is_below_account(headers: &HeaderMap, path: &str) -> bool {
        path.starts_with("/v20180820/") && headers.contains_key("x-amz-account-id")
    }

    /// Violations in the body are malformed XML; those in head and path are invalid arguments.
    fn fault_of(operation: &'static str, breach: Breach) -> Option<Fault> {
        use service::ServiceError as _;
        let entry = Self::operations().iter().find(|entry| entry.name == operation)?;
        let member = entry.input.iter().find(|member| member.name == breach.member);
        let at = |member: &MemberInfo| member.place.at;
        match (member.map(at), breach.wrong) {
            (Some(At::Payload), Wrong::Missing) => Some(S3Error::from(Refusal::MissingRequestBodyError).fault()),
            (None | Some(At::Payload | At::Body), _) => Some(S3Error::from(Refusal::MalformedXML).fault()),
            _ => None,
        }
    }

    fn operations() -> &'static [Entry<Self>] {
        operations::TABLE
    }
}

#[cfg(test)]
mod tests;
