//! The record of the host key of Git over SSH: it lies sealed in the store.

use git_front::ssh::HostKey;
use serde::{Deserialize, Serialize};
use store::{Record, Store, StoreError};
use wire::SecretBlob;
use zeroize::Zeroizing;

use crate::error::ServerError;

#[derive(Serialize, Deserialize)]
struct HostKeyRecord {
    seed: SecretBlob,
}

impl Record for HostKeyRecord {
    const COLLECTION: &'static str = "ssh_host_key";
}

/// There is one key.
const PARENT: &str = "";
const ID: &str = "ed25519";

/// The server's host key, made when there is none yet.
pub(crate) async fn open(store: &Store) -> Result<HostKey, ServerError> {
    let record = match store.read(|tx| tx.get::<HostKeyRecord>(PARENT, ID)).await? {
        Some(record) => record,
        None => {
            let seed = crypto::Key256::random();
            let record = HostKeyRecord { seed: SecretBlob(Zeroizing::new(seed.expose().to_vec())) };
            let made = store.write(move |tx| {
                // Somebody else may have been quicker.
                if let Some(known) = tx.get::<HostKeyRecord>(PARENT, ID)? {
                    return Ok::<_, StoreError>(known);
                }
                tx.insert(PARENT, ID, &record)?;
                Ok(record)
            });
            made.await?
        }
    };
    let seed = <&[u8; 32]>::try_from(record.seed.0.as_slice()).ok();
    seed.and_then(HostKey::from_seed).ok_or_else(|| {
        let cause = std::io::Error::other("its record holds no key");
        ServerError::System { action: "use the SSH host key", cause }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_host_key_is_made_once() {
        let store = Store::open_in_memory().expect("a store");
        let made = open(&store).await.expect("a key").fingerprint();
        assert_eq!(open(&store).await.expect("a key").fingerprint(), made);
        let other = Store::open_in_memory().expect("a store");
        assert_ne!(open(&other).await.expect("a key").fingerprint(), made);
    }
}
