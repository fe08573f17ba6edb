//! Custom key stores: the operations on them, their connections, and the use of keys in them.
//!
//! The protocols of tokens and proxies are behind [`crate::ports`].

mod connection;
mod connections;
mod create;
mod create_key;
mod delete;
mod describe;
mod held;
mod name;
mod orphan;
mod update;

use crypto::SecretBytes;
use wire::SecretText;

pub(crate) use connection::{ConnectCustomKeyStore, DisconnectCustomKeyStore};
pub(crate) use connections::Connections;
pub(crate) use create::CreateCustomKeyStore;
pub(crate) use create_key::{Wanted, take};
pub(crate) use delete::DeleteCustomKeyStore;
pub(crate) use describe::DescribeCustomKeyStores;
pub(crate) use held::{cause, random};
pub(crate) use orphan::release;
pub(crate) use update::UpdateCustomKeyStore;

use crate::ports::KeyStorePlace;
use crate::record::Place;

impl Place {
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
