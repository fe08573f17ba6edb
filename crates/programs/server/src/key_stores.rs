//! Where `kms` and what holds its keys elsewhere meet: the operator's tokens and the proxies that the operator allows.

mod hsm;
mod xks;

use std::collections::BTreeMap;
use std::sync::Arc;

use kms::ports::{Cause, KeyStore, KeyStoreError, KeyStorePlace, KeyStores};
use service::BoxFuture;

use crate::config::{HsmSettings, KeyStoresConfig};
use crate::error::ServerError;
use xks::Endpoint;

/// The key stores that the configuration allows. Everything else is refused.
pub(crate) struct Configured {
    tokens: BTreeMap<String, HsmSettings>,
    proxies: BTreeMap<String, Arc<Endpoint>>,
}

impl Configured {
    pub(crate) fn new(config: &KeyStoresConfig) -> Result<Self, ServerError> {
        let endpoint = |(url, settings)| Ok((String::clone(url), Arc::new(Endpoint::new(url, settings)?)));
        let proxies = config.xks.iter().map(endpoint).collect::<Result<_, ServerError>>()?;
        Ok(Self { tokens: config.hsm.clone(), proxies })
    }

    fn token(&self, cluster_id: &str) -> Result<&HsmSettings, KeyStoreError> {
        self.tokens.get(cluster_id).ok_or(KeyStoreError::UnknownToken)
    }

    fn proxy(&self, endpoint: &str) -> Result<&Arc<Endpoint>, KeyStoreError> {
        let forbidden = || KeyStoreError::Forbidden { endpoint: endpoint.to_owned() };
        self.proxies.get(endpoint).ok_or_else(forbidden)
    }
}

impl KeyStores for Configured {
    fn check<'a>(&'a self, place: &'a KeyStorePlace, cause: &'a Cause) -> BoxFuture<'a, Result<(), KeyStoreError>> {
        Box::pin(async move {
            match place {
                KeyStorePlace::Token { cluster_id, trust_anchor, .. } => {
                    hsm::check(self.token(cluster_id)?, trust_anchor).await
                }
                KeyStorePlace::Proxy { endpoint, path, access_key_id, secret } => {
                    let proxy = xks::Proxy::new(self.proxy(endpoint)?, path, access_key_id, secret);
                    proxy.check_health(cause).await
                }
            }
        })
    }

    fn connect<'a>(
        &'a self,
        place: &'a KeyStorePlace,
        _: &'a Cause,
    ) -> BoxFuture<'a, Result<Arc<dyn KeyStore>, KeyStoreError>> {
        Box::pin(async move {
            match place {
                KeyStorePlace::Token { cluster_id, pin, .. } => {
                    let token = hsm::Hsm::connect(self.token(cluster_id)?, pin).await?;
                    Ok(Arc::new(token) as Arc<dyn KeyStore>)
                }
                KeyStorePlace::Proxy { endpoint, path, access_key_id, secret } => {
                    let proxy = xks::Proxy::new(self.proxy(endpoint)?, path, access_key_id, secret);
                    Ok(Arc::new(proxy) as Arc<dyn KeyStore>)
                }
            }
        })
    }
}
