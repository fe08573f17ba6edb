//! Custom key stores as they are stored, and where a key is that one of them holds.

use serde::{Deserialize, Serialize};
use store::{ReadTx, Record, StoreError};
use wire::{SecretText, Timestamp};

use crate::error::{KeyStoreFault, KmsError};
use crate::record::{KeyState, Origin, domain, path};

wire::text_enum! {
    /// The type of a key store.
    pub(crate) enum KeyStoreType {
        AwsCloudHsm = "AWS_CLOUDHSM",
        ExternalKeyStore = "EXTERNAL_KEY_STORE",
    }
}

wire::text_enum! {
    /// How a proxy is reached.
    pub(crate) enum Connectivity {
        PublicEndpoint = "PUBLIC_ENDPOINT",
        VpcEndpointService = "VPC_ENDPOINT_SERVICE",
    }
}

wire::text_enum! {
    /// Whether a store is connected. Disconnecting takes no time here, so that no store is seen while it does.
    pub(crate) enum ConnectionState {
        Connected = "CONNECTED",
        Connecting = "CONNECTING",
        Failed = "FAILED",
        Disconnected = "DISCONNECTED",
        Disconnecting = "DISCONNECTING",
    }
}

wire::text_enum! {
    /// Why a store could not be connected.
    pub(crate) enum ConnectionErrorCode {
        InvalidCredentials = "INVALID_CREDENTIALS",
        ClusterNotFound = "CLUSTER_NOT_FOUND",
        NetworkErrors = "NETWORK_ERRORS",
        InternalError = "INTERNAL_ERROR",
        InsufficientCloudHsmHsms = "INSUFFICIENT_CLOUDHSM_HSMS",
        UserLockedOut = "USER_LOCKED_OUT",
        UserNotFound = "USER_NOT_FOUND",
        XksProxyAccessDenied = "XKS_PROXY_ACCESS_DENIED",
        XksProxyNotReachable = "XKS_PROXY_NOT_REACHABLE",
        XksProxyInvalidResponse = "XKS_PROXY_INVALID_RESPONSE",
        XksProxyInvalidConfiguration = "XKS_PROXY_INVALID_CONFIGURATION",
        XksProxyTimedOut = "XKS_PROXY_TIMED_OUT",
        XksProxyInvalidTlsConfiguration = "XKS_PROXY_INVALID_TLS_CONFIGURATION",
    }
}

/// How many stores an account can have in a region: AWS's quota.
pub(crate) const STORES_MAX: usize = 10;

/// A store, under its account and region.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeyStoreRecord {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created: Timestamp,
    pub(crate) place: Place,
    pub(crate) connection: ConnectionState,
    /// Why, if it failed.
    pub(crate) failure: Option<ConnectionErrorCode>,
    /// Counts the attempts to connect, so that one that was overtaken changes nothing.
    pub(crate) attempt: u64,
    /// How many keys it holds.
    pub(crate) keys: u64,
}

/// Where a store's keys are. The secrets in it are sealed by the store of records, like every record.
#[derive(Serialize, Deserialize)]
pub(crate) enum Place {
    Token { cluster_id: String, trust_anchor: String, password: SecretText },
    Proxy { endpoint: String, path: String, access_key_id: SecretText, secret: SecretText },
}

impl Record for KeyStoreRecord {
    const COLLECTION: &'static str = "kms-key-store";
}

/// Who has a place: a token serves one store of the whole server, a proxy's address one of the region.
#[derive(Serialize, Deserialize)]
pub(crate) struct PlaceClaim {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) store: String,
}

impl Record for PlaceClaim {
    const COLLECTION: &'static str = "kms-key-store-place";
}

impl Place {
    pub(crate) const fn kind(&self) -> KeyStoreType {
        match self {
            Self::Token { .. } => KeyStoreType::AwsCloudHsm,
            Self::Proxy { .. } => KeyStoreType::ExternalKeyStore,
        }
    }

    /// Under which parent and name the place is claimed.
    pub(crate) fn claim(&self, region: &str) -> (String, String) {
        match self {
            Self::Token { cluster_id, .. } => ("token".to_owned(), cluster_id.clone()),
            Self::Proxy { endpoint, path, .. } => (format!("proxy/{region}"), format!("{endpoint}{path}")),
        }
    }
}

impl KeyStoreRecord {
    /// The parent under which it is stored.
    pub(crate) fn domain(&self) -> String {
        domain(&self.account, &self.region)
    }

    /// Its name among all stores, and the parent of what belongs to it.
    pub(crate) fn path(&self) -> String {
        path(&self.account, &self.region, &self.id)
    }

    /// Where the keys come from that it holds.
    pub(crate) const fn origin(&self) -> Origin {
        match self.place {
            Place::Token { .. } => Origin::AwsCloudHsm,
            Place::Proxy { .. } => Origin::ExternalKeyStore,
        }
    }

    /// The token's name, if it is a token.
    pub(crate) fn cluster_id(&self) -> Option<&str> {
        match &self.place {
            Place::Token { cluster_id, .. } => Some(cluster_id),
            Place::Proxy { .. } => None,
        }
    }

    /// Whether its keys can be used, as far as its owner is concerned.
    pub(crate) fn is_connected(&self) -> bool {
        self.connection == ConnectionState::Connected
    }
}

/// The store `id` of a domain, to be changed.
pub(crate) fn find(tx: &ReadTx<'_>, domain: &str, id: &str) -> Result<KeyStoreRecord, KmsError> {
    let found = tx.get::<KeyStoreRecord>(domain, id)?;
    found.ok_or_else(|| KeyStoreFault::NotFound { text: id.to_owned() }.into())
}

/// Every store of a domain, the oldest first.
pub(crate) fn all(tx: &ReadTx<'_>, domain: &str) -> Result<Vec<KeyStoreRecord>, StoreError> {
    let mut all = tx.all::<KeyStoreRecord>(domain)?;
    all.sort_by(|one, other| (one.created, &one.id).cmp(&(other.created, &other.id)));
    Ok(all)
}

/// Where a key is held.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Held {
    /// The store.
    pub(crate) store: String,
    /// Its name there.
    pub(crate) key: String,
}

/// The state of a key that may be held in a `store`: unavailable while that is not connected.
pub(crate) fn state(own: KeyState, store: Option<&KeyStoreRecord>) -> KeyState {
    match store {
        Some(store) if own == KeyState::Enabled && !store.is_connected() => KeyState::Unavailable,
        _ => own,
    }
}
