//! How many keys an account has in a region.

use serde::{Deserialize, Serialize};
use store::{Record, Tx};

use crate::error::KmsError;

/// How many keys an account has in a region, stored beside them.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeyCount {
    keys: u64,
}

impl Record for KeyCount {
    const COLLECTION: &'static str = "kms-key-count";
}

impl KeyCount {
    /// Counts one key more, of `most` at most.
    ///
    /// # Errors
    /// [`KmsError::QuotaExceeded`]; those of the store.
    pub(crate) fn increase(tx: &mut Tx<'_>, domain: &str, most: u64) -> Result<(), KmsError> {
        let keys = tx.get::<Self>(domain, "")?.map_or(0, |count| count.keys);
        if keys >= most {
            return Err(KmsError::QuotaExceeded { quota: "Key", most, usage: keys });
        }
        Ok(tx.put(domain, "", &Self { keys: keys + 1 })?)
    }

    /// Counts one key less.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn decrease(tx: &mut Tx<'_>, domain: &str) -> Result<(), KmsError> {
        let keys = tx.get::<Self>(domain, "")?.map_or(0, |count| count.keys);
        Ok(tx.put(domain, "", &Self { keys: keys.saturating_sub(1) })?)
    }
}
