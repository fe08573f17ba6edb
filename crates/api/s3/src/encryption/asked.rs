//! The protection that a request asks for, or that its bucket has by default.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wire::SecretText;

use super::{CONTEXT_KEY, CustomerHeaders, CustomerKey, DEFAULT_KEY};
use crate::error::{Refusal, S3Error};
use crate::record::BucketRecord;

/// The headers of a request that say how an object is to be protected.
#[derive(Clone, Copy, Default)]
pub(crate) struct EncryptionHeaders<'a> {
    pub(crate) algorithm: Option<&'a str>,
    pub(crate) key: Option<&'a str>,
    pub(crate) context: Option<&'a SecretText>,
    pub(crate) bucket_key: Option<bool>,
    pub(crate) customer: CustomerHeaders<'a>,
}

/// A protection that is wanted.
pub(crate) enum Asked {
    /// Under the bucket's own key (SSE-S3).
    Bucket,
    /// Under a data key (SSE-KMS).
    Kms { key: String, context: BTreeMap<String, String>, bucket_key: bool },
    /// In two layers under two data keys (DSSE-KMS).
    Dsse { key: String, context: BTreeMap<String, String> },
    /// Under a key that comes with each request (SSE-C).
    Customer(CustomerKey),
}

impl Asked {
    /// The key that the request brought.
    pub(crate) const fn customer(&self) -> Option<&CustomerKey> {
        match self {
            Self::Customer(customer) => Some(customer),
            Self::Bucket | Self::Kms { .. } | Self::Dsse { .. } => None,
        }
    }
}

impl EncryptionHeaders<'_> {
    /// The protection that the headers ask for; without any, the bucket's default.
    ///
    /// # Errors
    /// [`Refusal::InvalidArgument`], [`Refusal::InvalidRequest`]; [`Refusal::AccessDenied`] for keys of callers where the bucket
    /// takes none.
    pub(crate) fn resolve(self, bucket: &BucketRecord, secure: bool) -> Result<Asked, S3Error> {
        let refuse = |argument, value: &str, reason: &str| Refusal::InvalidArgument {
            argument,
            value: value.to_owned(),
            reason: reason.to_owned(),
        };
        let Self { algorithm, key, context, bucket_key, customer } = self;
        if let Some(customer) = customer.read(secure)? {
            if algorithm.is_some() || key.is_some() {
                let reason = "Server Side Encryption with Customer provided key is incompatible with the encryption method \
                              specified";
                return Err(refuse("x-amz-server-side-encryption", algorithm.unwrap_or_default(), reason).into());
            }
            if bucket.encryption.blocks_customer_keys {
                return Err(Refusal::AccessDenied.into());
            }
            return Ok(Asked::Customer(customer));
        }
        let default = &bucket.encryption;
        let by_key = |key: Option<&str>| key.unwrap_or(DEFAULT_KEY).to_owned();
        match algorithm {
            Some("AES256") | None if key.is_some() || context.is_some() => {
                let reason = "Server Side Encryption with AWS KMS managed key requires HTTP header \
                              x-amz-server-side-encryption : aws:kms";
                Err(refuse("x-amz-server-side-encryption", algorithm.unwrap_or("null"), reason).into())
            }
            Some("AES256") => Ok(Asked::Bucket),
            Some("aws:kms") => {
                let bucket_key = bucket_key.unwrap_or(default.bucket_key);
                Ok(Asked::Kms { key: by_key(key), context: read_context(context)?, bucket_key })
            }
            Some("aws:kms:dsse") => Ok(Asked::Dsse { key: by_key(key), context: read_context(context)? }),
            Some(other) => {
                let reason = "The encryption method specified is not supported";
                Err(refuse("x-amz-server-side-encryption", other, reason).into())
            }
            None => Ok(match &*default.algorithm {
                "aws:kms" => {
                    let bucket_key = bucket_key.unwrap_or(default.bucket_key);
                    Asked::Kms { key: by_key(default.key.as_deref()), context: BTreeMap::new(), bucket_key }
                }
                "aws:kms:dsse" => Asked::Dsse { key: by_key(default.key.as_deref()), context: BTreeMap::new() },
                _ => Asked::Bucket,
            }),
        }
    }
}

/// The pairs that a request adds to the encryption context: JSON in base64.
fn read_context(header: Option<&SecretText>) -> Result<BTreeMap<String, String>, S3Error> {
    let Some(header) = header else { return Ok(BTreeMap::new()) };
    let parsed = STANDARD.decode(header.0.as_bytes()).ok().and_then(|json| serde_json::from_slice(&json).ok());
    let pairs: Option<BTreeMap<String, String>> = parsed;
    // The server's own pair is the server's.
    pairs.filter(|pairs| !pairs.contains_key(CONTEXT_KEY)).ok_or_else(|| {
        let reason = "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON \
                      which represents a string-string map";
        let argument = "x-amz-server-side-encryption-context";
        Refusal::InvalidArgument { argument, value: String::new(), reason: reason.to_owned() }.into()
    })
}
