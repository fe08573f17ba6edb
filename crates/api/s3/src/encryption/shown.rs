//! Headers of answers that name an object's protection.

use std::collections::BTreeMap;

use buckets::Protection;

use super::CustomerKey;

/// Headers that begin with `x-amz-server-side-encryption`, by the rest of their names.
pub(crate) type Shown = BTreeMap<String, String>;

/// The headers for a protection; with the digest of the key that the request brought.
pub(crate) fn shown(protection: &Protection, customer: Option<&CustomerKey>) -> Shown {
    let mut shown = Shown::new();
    let mut add = |name: &str, value: &str| shown.insert(name.to_owned(), value.to_owned());
    match protection {
        Protection::Bucket(_) => {
            add("", "AES256");
        }
        Protection::Kms { key_arn, bucket_key, .. } => {
            add("", "aws:kms");
            add("-aws-kms-key-id", key_arn);
            if *bucket_key {
                add("-bucket-key-enabled", "true");
            }
        }
        Protection::Dsse { key_arn, .. } => {
            add("", "aws:kms:dsse");
            add("-aws-kms-key-id", key_arn);
        }
        Protection::Customer(_) => {
            add("-customer-algorithm", "AES256");
            if let Some(customer) = customer {
                add("-customer-key-md5", &customer.md5);
            }
        }
    }
    shown
}
