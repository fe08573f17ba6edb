//! Rules of what happens to objects as they grow old: when which one is due, and how they are carried out.
//!
//! Source: Amazon S3 User Guide, "Lifecycle configuration elements" and "Expiring objects".

mod carry_out;
mod due;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use wire::Timestamp;

use crate::S3;
use crate::access::Bucket;
use crate::error::S3Error;

pub(crate) use due::Aged;

/// All but letters, digits and `-_.~`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The header `x-amz-expiration` of a current version: when it expires, and by which rule. `None` if no rule lets it.
///
/// # Errors
/// Those of the store.
pub(crate) async fn expiration(service: &S3, bucket: &Bucket, version: &Aged<'_>) -> Result<Option<String>, S3Error> {
    let Some(rules) = service.lifecycles.get(&bucket.id, "").await? else { return Ok(None) };
    Ok(due::expiration(&rules, version).map(|(at, rule)| {
        let (date, rule) = (Timestamp::from_millis(at).http_date(), utf8_percent_encode(rule, ENCODED));
        format!("expiry-date=\"{date}\", rule-id=\"{rule}\"")
    }))
}
