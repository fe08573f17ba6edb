//! Errors of key stores, and the code that AWS gives each of them in each operation.

use crate::ports::KeyStoreError;

/// During what a store was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum During {
    /// `CreateCustomKeyStore`, `UpdateCustomKeyStore`.
    Configuration,
    /// `ConnectCustomKeyStore`.
    Connecting,
    /// `CreateKey`.
    CreateKey,
    /// Using a key.
    Use,
}

/// An error of a key store or of its use.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "a fact is named by its field")]
pub enum KeyStoreFault {
    /// There is no such store.
    #[error("Custom key store '{text}' does not exist")]
    NotFound { text: String },
    /// The store's connection does not permit it.
    #[error("Custom key store {id} is {state}, which is not valid for this operation.")]
    State { id: String, state: &'static str },
    /// Another store has the name.
    #[error("A custom key store with the name '{name}' already exists")]
    NameInUse { name: String },
    /// A store has the token already.
    #[error("Cluster {cluster_id} is already associated with a custom key store.")]
    ClusterInUse { cluster_id: String },
    /// The token is not a twin of the store's.
    #[error(
        "Cluster {cluster_id} does not have the certificate of the cluster that the custom key store was made with."
    )]
    ClusterNotRelated { cluster_id: String },
    /// A store has the proxy's address already.
    #[error("{uri} is already associated with another external key store in this Region.")]
    UriInUse { uri: String },
    /// There are no VPC endpoint services here.
    #[error("VPC endpoint service {name} is not found: this server reaches proxies by PUBLIC_ENDPOINT only.")]
    NoVpcEndpointService { name: String },
    /// The store still holds keys.
    #[error("Custom key store {id} contains {keys} KMS keys.")]
    HasKeys { id: String, keys: u64 },
    /// Another KMS key of the store has the external key.
    #[error("External key {key} is already associated with another KMS key in this external key store.")]
    KeyInUse { key: String },
    /// The token or proxy did not do it.
    #[error("{error}")]
    Refused {
        during: During,
        #[source]
        error: KeyStoreError,
    },
}

impl KeyStoreFault {
    /// The error's name in the protocol.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "CustomKeyStoreNotFoundException",
            Self::State { .. } => "CustomKeyStoreInvalidStateException",
            Self::NameInUse { .. } => "CustomKeyStoreNameInUseException",
            Self::ClusterInUse { .. } => "CloudHsmClusterInUseException",
            Self::ClusterNotRelated { .. } => "CloudHsmClusterNotRelatedException",
            Self::UriInUse { .. } => "XksProxyUriInUseException",
            Self::NoVpcEndpointService { .. } => "XksProxyVpcEndpointServiceNotFoundException",
            Self::HasKeys { .. } => "CustomKeyStoreHasCMKsException",
            Self::KeyInUse { .. } => "XksKeyAlreadyInUseException",
            Self::Refused { during: During::Configuration | During::Connecting, error } => during_configuration(error),
            Self::Refused { during: During::CreateKey, error } => during_create_key(error),
            Self::Refused { during: During::Use, .. } => "KMSInvalidStateException",
        }
    }
}

/// Source: the external key store proxy API specification, "Error codes"; AWS KMS API Reference.
const fn during_configuration(error: &KeyStoreError) -> &'static str {
    match error {
        KeyStoreError::UnknownToken => "CloudHsmClusterNotFoundException",
        KeyStoreError::WrongTrustAnchor | KeyStoreError::MalformedTrustAnchor => "IncorrectTrustAnchorException",
        KeyStoreError::TokenAbsent(_) => "CloudHsmClusterNotActiveException",
        KeyStoreError::TokenUnfit { .. }
        | KeyStoreError::WrongPin
        | KeyStoreError::PinLocked
        | KeyStoreError::NoUser => "CloudHsmClusterInvalidConfigurationException",
        KeyStoreError::Forbidden { .. } | KeyStoreError::InvalidPath => "XksProxyInvalidConfigurationException",
        KeyStoreError::NotAuthenticated => "XksProxyIncorrectAuthenticationCredentialException",
        KeyStoreError::Unreachable
        | KeyStoreError::Tls
        | KeyStoreError::TimedOut
        | KeyStoreError::ManagerTimedOut
        | KeyStoreError::Throttled
        | KeyStoreError::ManagersUnavailable => "XksProxyUriUnreachableException",
        KeyStoreError::Malformed
        | KeyStoreError::ManagerDown
        | KeyStoreError::Denied
        | KeyStoreError::Unsupported
        | KeyStoreError::KeyNotFound
        | KeyStoreError::KeyDisabled
        | KeyStoreError::KeyUnfit
        | KeyStoreError::NotAuthentic => "XksProxyInvalidResponseException",
        KeyStoreError::MaterialMissing | KeyStoreError::Busy | KeyStoreError::Failed(_) => "KMSInternalException",
    }
}

const fn during_create_key(error: &KeyStoreError) -> &'static str {
    match error {
        KeyStoreError::TokenUnfit { .. } => "CloudHsmClusterInvalidConfigurationException",
        KeyStoreError::KeyNotFound => "XksKeyNotFoundException",
        KeyStoreError::KeyDisabled | KeyStoreError::KeyUnfit | KeyStoreError::Unsupported => {
            "XksKeyInvalidConfigurationException"
        }
        KeyStoreError::Denied => "KMSInvalidStateException",
        _ => "CustomKeyStoreInvalidStateException",
    }
}
