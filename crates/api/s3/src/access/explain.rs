//! A bucket's part in a decision, for explanations without a call.

use std::sync::Arc;

use policy::Principal;
use service::{Need, Side};
use store::Store;
use wire::Arn;

use super::{Bucket, BucketPolicy};
use crate::error::S3Error;
use crate::record::{BucketRecord, PolicyRecord};

/// The part of the bucket that `arn` names, or that has the object, in a decision about `principal`: its policy as its public
/// access block leaves it, its account and its condition keys. `None` if there is no such bucket.
///
/// # Errors
/// Those of the store.
pub async fn side(store: &Store, arn: &Arn, principal: &Principal, action: &str) -> Result<Option<Side>, S3Error> {
    if arn.service() != "s3" {
        return Ok(None);
    }
    let name = arn.resource().split('/').next().unwrap_or_default().to_owned();
    let found = store.read(move |tx| {
        let Some(record) = tx.get::<BucketRecord>(BucketRecord::PARENT, &name)? else { return Ok(None) };
        let policy = tx.get::<PolicyRecord>(&record.id, "")?;
        Ok::<_, S3Error>(Some((record, policy)))
    });
    let Some((record, policy)) = found.await? else { return Ok(None) };
    let bucket = Bucket { record: Arc::new(record), policy: policy.map(|policy| Arc::new(BucketPolicy::from(policy))) };
    let need = Need::identity("", arn.as_str()).guarded(bucket.guard(action, principal));
    Ok(Some(Side::from(bucket.describe(need).into_owned())))
}
