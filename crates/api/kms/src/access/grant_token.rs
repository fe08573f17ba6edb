//! Grant tokens: they name a grant, sealed, so that it counts from the moment at which it was made.
//!
//! Grants count at once on the server that made them. A token makes a server that has not heard of the grant yet look
//! for it in the store. It carries no rights of its own: once the grant is gone, the token names nothing.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::{Key256, kdf, sealed};
use serde::{Deserialize, Serialize};

use crate::Kms;
use crate::error::KmsError;
use crate::record::{GrantRecord, Grants, LiveKey, path};

/// Which grant a token names. Its region is the one whose key for tokens opens it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GrantName {
    pub(crate) account: String,
    pub(crate) key_id: String,
    pub(crate) grant_id: String,
}

const ASSOCIATED: &[u8] = b"sealstack kms grant token";

fn derived(tokens: &Key256) -> Key256 {
    kdf::derive(tokens, b"sealstack kms grant token 1", &[])
}

fn seal(name: &GrantName, tokens: &Key256) -> Result<String, KmsError> {
    let name = serde_json::to_vec(name).map_err(|_| KmsError::Damaged("a grant has no name".to_owned()))?;
    Ok(STANDARD.encode(sealed::seal(&derived(tokens), ASSOCIATED, &name)))
}

fn open(token: &str, tokens: &Key256) -> Result<GrantName, KmsError> {
    let sealed = STANDARD.decode(token).map_err(|_| KmsError::InvalidGrantToken)?;
    let name = sealed::open(&derived(tokens), ASSOCIATED, &sealed).map_err(|_| KmsError::InvalidGrantToken)?;
    serde_json::from_slice(name.expose()).map_err(|_| KmsError::InvalidGrantToken)
}

impl Kms {
    /// A token of a grant, another one each time.
    pub(crate) async fn grant_token(&self, region: &str, name: &GrantName) -> Result<String, KmsError> {
        let key = self.token_key(region).await?;
        seal(name, &key)
    }

    /// The grant that a token names.
    ///
    /// # Errors
    /// [`KmsError::InvalidGrantToken`].
    pub(crate) async fn named_grant(&self, region: &str, token: &str) -> Result<GrantName, KmsError> {
        let key = self.token_key(region).await?;
        open(token, &key)
    }
}

/// Adds to a key's grants those that the tokens name and this server has not heard of. Returns whether one of the
/// tokens is not one.
pub(crate) async fn add_granted(
    tokens: &[String],
    key: &LiveKey,
    grants: &mut Option<Arc<Grants>>,
    kms: &Kms,
) -> Result<bool, KmsError> {
    let token_key = kms.token_key(&key.record.region).await?;
    let path_of_key = key.record.path();
    for token in tokens {
        let Ok(GrantName { account, key_id, grant_id }) = open(token, &token_key) else { return Ok(true) };
        let path = path(&account, &key.record.region, &key_id);
        // A token for the other key of a ReEncrypt, or one that this server knows.
        if path != path_of_key || grants.as_ref().is_some_and(|grants| grants.has(&grant_id)) {
            continue;
        }
        let record = kms.store.read(move |tx| tx.get::<GrantRecord>(&path, &grant_id)).await;
        if let Some(record) = record.map_err(KmsError::from)? {
            let mut more = grants.as_deref().cloned().unwrap_or_default();
            more.add(record);
            *grants = Some(Arc::new(more));
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> GrantName {
        let (account, key_id, grant_id) = ("111122223333".to_owned(), "k".to_owned(), "g".to_owned());
        GrantName { account, key_id, grant_id }
    }

    #[test]
    fn a_token_names_its_grant_in_its_own_region_and_looks_different_each_time() {
        let domain = Key256::random();
        let (one, two) = (seal(&name(), &domain).expect("seals"), seal(&name(), &domain).expect("seals"));
        assert_ne!(one, two);
        assert_eq!(open(&one, &domain).expect("opens"), name());
        assert_eq!(open(&two, &domain).expect("opens"), name());
        assert!(matches!(open(&one, &Key256::random()), Err(KmsError::InvalidGrantToken)));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let domain = Key256::random();
        let cut = seal(&name(), &domain).expect("seals").split_off(8);
        for token in ["", "x", "!!!!", "AAAA", &cut] {
            assert!(matches!(open(token, &domain), Err(KmsError::InvalidGrantToken)), "{token}");
        }
    }
}
