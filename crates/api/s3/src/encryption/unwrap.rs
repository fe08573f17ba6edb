//! An object's key, unwrapped for a caller who may use it.

use std::collections::BTreeMap;

use buckets::{ObjectKey, Protection, Sealed, WrappedKey};
use crypto::{Key256, sealed};
use service::Call;

use super::{CustomerKey, SERVICE, bound_to};
use crate::S3;
use crate::access::Bucket;
use crate::error::{KeyFault, Refusal, S3Error};

/// Unwraps the key of an object of `bucket`.
///
/// # Errors
/// [`S3Error::Key`] when the caller cannot use the KMS key; [`Refusal::InvalidRequest`] when the request brings no key and has to, or
/// brings one that has no use; [`Refusal::AccessDenied`] for another key than the object was written with.
pub(crate) async fn unwrap(
    protection: &Protection,
    customer: Option<&CustomerKey>,
    bucket: &Bucket,
    call: &Call<'_, S3>,
) -> Result<ObjectKey, S3Error> {
    check_customer(protection, customer)?;
    match protection {
        Protection::Bucket(wrapped) => {
            let secret = bucket.secret.key().map_err(|_| S3Error::Damaged("a bucket's key".to_owned()))?;
            Ok(ObjectKey::new(open(&secret, bucket, wrapped)?, None))
        }
        Protection::Customer(wrapped) => {
            let Some(customer) = customer else { return Err(Refusal::AccessDenied.into()) };
            let opened = sealed::open_key(&customer.key, &bound_to(&bucket.id), &wrapped.0);
            Ok(ObjectKey::new(opened.map_err(|_| Refusal::AccessDenied)?, None))
        }
        Protection::Kms { key_arn, wrapped, context, .. } => {
            Ok(ObjectKey::new(open_wrapped(key_arn, wrapped, context, bucket, call).await?, None))
        }
        Protection::Dsse { key_arn, outer, inner, context } => {
            let outer = open_wrapped(key_arn, outer, context, bucket, call).await?;
            let inner = open_wrapped(key_arn, inner, context, bucket, call).await?;
            Ok(ObjectKey::new(outer, Some(inner)))
        }
    }
}

/// Checks that a request brings a key if the object needs one, and only then.
fn check_customer(protection: &Protection, customer: Option<&CustomerKey>) -> Result<(), Refusal> {
    let reason = match (protection, customer) {
        (Protection::Customer(_), None) => {
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to \
             retrieve the object."
        }
        (Protection::Customer(_), Some(_)) | (_, None) => return Ok(()),
        (_, Some(_)) => "The encryption parameters are not applicable to this object.",
    };
    Err(Refusal::InvalidRequest { reason: reason.to_owned() })
}

fn open(under: &Key256, bucket: &Bucket, wrapped: &Sealed) -> Result<Key256, S3Error> {
    let opened = sealed::open_key(under, &bound_to(&bucket.id), &wrapped.0);
    opened.map_err(|_| S3Error::Damaged("an object's key does not open".to_owned()))
}

async fn open_wrapped(
    key_arn: &str,
    wrapped: &WrappedKey,
    context: &BTreeMap<String, String>,
    bucket: &Bucket,
    call: &Call<'_, S3>,
) -> Result<Key256, S3Error> {
    let origin = call.origin_via(SERVICE);
    let pairs: Vec<_> = context.iter().map(|(name, value)| (&**name, &**value)).collect();
    let opened = call.service.data_keys.open(call.behalf(&origin), &wrapped.data_key.0, key_arn, &pairs).await;
    open(&opened.map_err(KeyFault::of)?, bucket, &wrapped.key)
}
