//! Custom key stores: where keys are held that are not kept here, as the account's own resources.
//!
//! Knows what a store is called, where it is and whether it is connected. How tokens and proxies are talked to is known
//! behind `service`'s port.

mod connection;
mod connections;
mod create;
mod create_key;
mod delete;
mod describe;
mod fault;
mod held;
mod name;
mod orphan;
mod update;

use crypto::SecretBytes;
use serde::{Deserialize, Serialize};
use service::ports::KeyStorePlace;
use store::{ReadTx, Record, StoreError};
use wire::{SecretText, Timestamp};

pub(crate) use connection::{ConnectCustomKeyStore, DisconnectCustomKeyStore};
pub(crate) use connections::Connections;
pub(crate) use create::CreateCustomKeyStore;
pub(crate) use create_key::{Wanted, take};
pub(crate) use delete::DeleteCustomKeyStore;
pub(crate) use describe::DescribeCustomKeyStores;
pub use fault::KeyStoreFault;
pub(crate) use held::{Held, cause, random, state};
pub(crate) use orphan::release;
pub(crate) use update::UpdateCustomKeyStore;

use crate::error::KmsError;
use crate::spec::Origin;

wire::text_enum! {
    /// What kind of store it is.
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
const STORES_MAX: usize = 10;

/// A store, under its account and region.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeyStoreRecord {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) id: String,
    name: String,
    created: Timestamp,
    place: Place,
    pub(crate) connection: ConnectionState,
    /// Why, if it failed.
    failure: Option<ConnectionErrorCode>,
    /// Counts the attempts to connect, so that one that was overtaken changes nothing.
    attempt: u64,
    /// How many keys it holds.
    keys: u64,
}

/// Where a store's keys are. The secrets in it are sealed by the store of records, like every record.
#[derive(Serialize, Deserialize)]
enum Place {
    Token { cluster_id: String, trust_anchor: String, password: SecretText },
    Proxy { endpoint: String, path: String, access_key_id: SecretText, secret: SecretText },
}

impl Record for KeyStoreRecord {
    const COLLECTION: &'static str = "kms-key-store";
}

/// Who has a place: a token serves one store of the whole server, a proxy's address one of the region.
#[derive(Serialize, Deserialize)]
struct PlaceClaim {
    account: String,
    region: String,
    store: String,
}

impl Record for PlaceClaim {
    const COLLECTION: &'static str = "kms-key-store-place";
}

impl Place {
    const fn kind(&self) -> KeyStoreType {
        match self {
            Self::Token { .. } => KeyStoreType::AwsCloudHsm,
            Self::Proxy { .. } => KeyStoreType::ExternalKeyStore,
        }
    }

    /// Under which parent and name the place is claimed.
    fn claim(&self, region: &str) -> (String, String) {
        match self {
            Self::Token { cluster_id, .. } => ("token".to_owned(), cluster_id.clone()),
            Self::Proxy { endpoint, path, .. } => (format!("proxy/{region}"), format!("{endpoint}{path}")),
        }
    }

    /// The place as the port takes it.
    fn to_port(&self) -> KeyStorePlace {
        let secret = |text: &SecretText| SecretBytes::from(text.0.as_bytes());
        match self {
            Self::Token { cluster_id, trust_anchor, password } => KeyStorePlace::Token {
                cluster_id: cluster_id.clone(),
                trust_anchor: trust_anchor.clone(),
                pin: secret(password),
            },
            Self::Proxy { endpoint, path, access_key_id, secret: key } => KeyStorePlace::Proxy {
                endpoint: endpoint.clone(),
                path: path.clone(),
                access_key_id: access_key_id.0.as_str().to_owned(),
                secret: secret(key),
            },
        }
    }
}

impl KeyStoreRecord {
    /// The parent under which it is stored.
    fn domain(&self) -> String {
        crate::record::domain(&self.account, &self.region)
    }

    /// Its name among all stores, and the parent of what belongs to it.
    fn path(&self) -> String {
        crate::record::path(&self.account, &self.region, &self.id)
    }

    /// Where the keys come from that it holds.
    const fn origin(&self) -> Origin {
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
fn find(tx: &ReadTx<'_>, domain: &str, id: &str) -> Result<KeyStoreRecord, KmsError> {
    let found = tx.get::<KeyStoreRecord>(domain, id)?;
    found.ok_or_else(|| KeyStoreFault::NotFound { text: id.to_owned() }.into())
}

/// Every store of a domain, the oldest first.
fn all(tx: &ReadTx<'_>, domain: &str) -> Result<Vec<KeyStoreRecord>, StoreError> {
    let mut all = tx.all::<KeyStoreRecord>(domain)?;
    all.sort_by(|one, other| (one.created, &one.id).cmp(&(other.created, &other.id)));
    Ok(all)
}
