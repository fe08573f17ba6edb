//! The passphrase seal: a key by Argon2id, with its salt and cost in the header.

use crypto::password::{self, Cost};
use crypto::{SecretBytes, random_bytes};

use crate::header::{Bytes, Seal};
use crate::{KeySeal, SealError};

const SALT_BYTES: usize = 16;

/// A new seal under a passphrase, and what the header has to say of it.
pub(crate) fn make(passphrase: &SecretBytes, cost: Cost) -> Result<(KeySeal, Seal), SealError> {
    if passphrase.is_empty() {
        return Err(SealError::EmptyPassphrase);
    }
    let mut salt = vec![0; SALT_BYTES];
    random_bytes(&mut salt);
    let key = open(passphrase, &salt, cost)?;
    let Cost { memory_kib, passes, lanes } = cost;
    Ok((key, Seal::Passphrase { salt: Bytes(salt), memory_kib, passes, lanes }))
}

/// The seal that a passphrase makes with a known salt and cost.
pub(crate) fn open(passphrase: &SecretBytes, salt: &[u8], cost: Cost) -> Result<KeySeal, SealError> {
    password::derive(passphrase, salt, cost).map(KeySeal).map_err(|_| SealError::Cost)
}
