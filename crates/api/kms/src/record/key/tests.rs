//! A key for the tests of others.

use super::*;
use crate::record::PolicyRecord;

/// A key without material or policy of its own.
pub(crate) fn record(account: &str, region: &str, id: &str) -> KeyRecord {
    let place = (account.to_owned(), region.to_owned());
    let (spec, usage, made) = (KeySpec::SymmetricDefault, KeyUsage::EncryptDecrypt, wire::Timestamp::from_millis(0));
    KeyRecord::new(place, id.to_owned(), spec, usage, PolicyRecord::of_account(account), made)
}
