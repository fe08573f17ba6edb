//! The local certificate authority's record: its key lies sealed in the store, its certificate also in `tls/ca.pem`.

use std::time::SystemTime;

use crypto::SecretBytes;
use pki::LocalAuthority;
use serde::{Deserialize, Serialize};
use store::{Record, Store, StoreError};
use wire::SecretBlob;
use zeroize::Zeroizing;

use crate::data_dir::{Layout, replace_file};
use crate::error::ServerError;

#[derive(Serialize, Deserialize)]
struct AuthorityRecord {
    key_pkcs8: SecretBlob,
    certificate_pem: String,
}

impl Record for AuthorityRecord {
    const COLLECTION: &'static str = "tls_authority";
}

/// There is one authority.
const PARENT: &str = "";
const ID: &str = "local";

/// The server's own authority, made when there is none yet. Its certificate is put where clients look for it.
pub(crate) async fn open(store: &Store, layout: &Layout) -> Result<LocalAuthority, ServerError> {
    let record = match store.read(|tx| tx.get::<AuthorityRecord>(PARENT, ID)).await? {
        Some(record) => record,
        None => {
            let made = LocalAuthority::create(SystemTime::now()).map_err(ServerError::Certificate)?;
            let record = AuthorityRecord {
                key_pkcs8: SecretBlob(Zeroizing::new(made.key_pkcs8().expose().to_vec())),
                certificate_pem: made.certificate_pem().to_owned(),
            };
            let made = store.write(move |tx| {
                // Somebody else may have been quicker.
                if let Some(known) = tx.get::<AuthorityRecord>(PARENT, ID)? {
                    return Ok::<_, StoreError>(known);
                }
                tx.insert(PARENT, ID, &record)?;
                Ok(record)
            });
            made.await?
        }
    };
    let path = layout.ca_certificate();
    if std::fs::read(&path).ok().as_deref() != Some(record.certificate_pem.as_bytes()) {
        replace_file(&path, record.certificate_pem.as_bytes())?;
    }
    let key = SecretBytes::from(record.key_pkcs8.0.as_slice());
    LocalAuthority::restore(&key, &record.certificate_pem).map_err(ServerError::Certificate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn two_first_starts_make_one_authority() {
        let dir = tempfile::tempdir().expect("a directory");
        let layout = Layout::new(dir.path().to_owned());
        let store = Store::open_in_memory().expect("a store");
        let (one, other) = tokio::join!(open(&store, &layout), open(&store, &layout));
        let (one, other) = (one.expect("made"), other.expect("made"));
        assert_eq!(one.certificate_pem(), other.certificate_pem());
        assert_eq!(one.key_pkcs8().expose(), other.key_pkcs8().expose());
        let written = std::fs::read_to_string(layout.ca_certificate()).expect("it");
        assert_eq!(written, one.certificate_pem());
    }

    #[tokio::test]
    async fn the_authority_stays_the_same_and_its_certificate_comes_back() {
        let dir = tempfile::tempdir().expect("a directory");
        let layout = Layout::new(dir.path().to_owned());
        let store = Store::open_in_memory().expect("a store");
        let first = open(&store, &layout).await.expect("made");
        std::fs::remove_file(layout.ca_certificate()).expect("removed");
        let second = open(&store, &layout).await.expect("opened");
        assert_eq!(first.certificate_pem(), second.certificate_pem());
        let written = std::fs::read_to_string(layout.ca_certificate()).expect("it");
        assert_eq!(written, first.certificate_pem());
        assert_eq!(first.key_pkcs8().expose(), second.key_pkcs8().expose());
    }
}
