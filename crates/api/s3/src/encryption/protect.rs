//! A new object's key, and how it is wrapped.

use std::collections::BTreeMap;
use std::sync::Arc;

use buckets::{ObjectKey, Protection, Sealed, WrappedKey};
use crypto::{Key256, sealed};
use service::Call;

use super::{Asked, CONTEXT_KEY, SERVICE, bound_to};
use crate::S3;
use crate::access::Bucket;
use crate::error::{KeyFault, S3Error};

/// A key for an object, and what is stored of it.
pub(crate) struct Protected {
    pub(crate) key: Arc<ObjectKey>,
    pub(crate) protection: Protection,
}

/// Makes the key of a new object of `bucket` that is called `name`, and wraps it as was asked.
///
/// With a bucket key, the encryption context is that of the bucket, as with AWS. Each object has a data key of its own all the same:
/// KMS is here, so that there are no calls to be saved, and key, policy and state count for each request.
///
/// # Errors
/// [`S3Error::Key`] when the caller cannot use the KMS key.
pub(crate) async fn protect(
    asked: &Asked,
    bucket: &Bucket,
    name: &str,
    call: &Call<'_, S3>,
) -> Result<Protected, S3Error> {
    let arn = || [&*bucket.arn(), "/", name].concat();
    match asked {
        Asked::Bucket => {
            let key = ObjectKey::generate();
            let secret = bucket.secret.key().map_err(|_| S3Error::Damaged("a bucket's key".to_owned()))?;
            let protection = Protection::Bucket(wrap(&secret, bucket, key.outer()));
            Ok(Protected { key: Arc::new(key), protection })
        }
        Asked::Customer(customer) => {
            let key = ObjectKey::generate();
            let protection = Protection::Customer(wrap(&customer.key, bucket, key.outer()));
            Ok(Protected { key: Arc::new(key), protection })
        }
        Asked::Kms { key: kms_key, context, bucket_key } => {
            let key = ObjectKey::generate();
            let context = with_arn(context, if *bucket_key { bucket.arn() } else { arn() });
            let (wrapped, key_arn) = wrap_under(kms_key, &context, bucket, key.outer(), call).await?;
            let protection = Protection::Kms { key_arn, wrapped, context, bucket_key: *bucket_key };
            Ok(Protected { key: Arc::new(key), protection })
        }
        Asked::Dsse { key: kms_key, context } => {
            let key = ObjectKey::generate_doubled();
            let context = with_arn(context, arn());
            let (outer, key_arn) = wrap_under(kms_key, &context, bucket, key.outer(), call).await?;
            let Some(below) = key.inner() else { return Err(S3Error::Damaged("a key of one layer".to_owned())) };
            let (inner, _) = wrap_under(kms_key, &context, bucket, below, call).await?;
            Ok(Protected { protection: Protection::Dsse { key_arn, outer, inner, context }, key: Arc::new(key) })
        }
    }
}

/// Wraps the key of an object that is there under a new data key of a KMS key.
///
/// # Errors
/// [`S3Error::Key`] when the caller cannot use the KMS key.
pub(crate) async fn rewrap(
    key: &ObjectKey,
    kms_key: &str,
    bucket_key: bool,
    (bucket, name): (&Bucket, &str),
    call: &Call<'_, S3>,
) -> Result<Protection, S3Error> {
    let arn = if bucket_key { bucket.arn() } else { [&*bucket.arn(), "/", name].concat() };
    let context = with_arn(&BTreeMap::new(), arn);
    let (wrapped, key_arn) = wrap_under(kms_key, &context, bucket, key.outer(), call).await?;
    Ok(Protection::Kms { key_arn, wrapped, context, bucket_key })
}

fn with_arn(pairs: &BTreeMap<String, String>, arn: String) -> BTreeMap<String, String> {
    let mut context = pairs.clone();
    context.insert(CONTEXT_KEY.to_owned(), arn);
    context
}

/// Wraps a key under another.
pub(super) fn wrap(under: &Key256, bucket: &Bucket, key: &Key256) -> Sealed {
    Sealed(sealed::seal(under, &bound_to(&bucket.id), key.expose()))
}

/// Wraps a key under a new data key of a KMS key. Yields the KMS key's ARN with it.
async fn wrap_under(
    kms_key: &str,
    context: &BTreeMap<String, String>,
    bucket: &Bucket,
    key: &Key256,
    call: &Call<'_, S3>,
) -> Result<(WrappedKey, String), S3Error> {
    let origin = call.origin_via(SERVICE);
    let pairs: Vec<_> = context.iter().map(|(name, value)| (&**name, &**value)).collect();
    let generated = call.service.data_keys.generate(call.behalf(&origin), kms_key, &pairs).await;
    let data_key = generated.map_err(KeyFault::of)?;
    let key = wrap(&data_key.key, bucket, key);
    Ok((WrappedKey { data_key: Sealed(data_key.sealed), key }, data_key.key_arn))
}
