//! The seam to key stores outside of this process: hardware tokens, and key managers behind a proxy.
//!
//! KMS asks through these traits; the server implements them with what knows PKCS#11 and sockets.

use std::sync::Arc;

use crypto::SecretBytes;
use service::BoxFuture;

/// The place of a key store, and the credentials for it.
pub enum KeyStorePlace {
    /// A token that the operator has configured.
    Token {
        /// The name by which it is configured.
        cluster_id: String,
        /// The certificate that the caller takes for the token's, PEM.
        trust_anchor: String,
        /// The PIN of the token's user.
        pin: SecretBytes,
    },
    /// A proxy that speaks the external key store proxy API.
    Proxy {
        /// Its URL, without a path.
        endpoint: String,
        /// The path under which the API is.
        path: String,
        /// The credential's name.
        access_key_id: String,
        /// The credential.
        secret: SecretBytes,
    },
}

/// The call for which a key store is asked, as the store's own log may show it.
#[derive(Clone, Debug)]
pub struct Cause {
    /// Who called.
    pub principal_arn: String,
    /// The call.
    pub operation: &'static str,
    /// Its id.
    pub request_id: String,
    /// The region.
    pub region: String,
}

/// A ciphertext of a key store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldCiphertext {
    /// As long as the plaintext.
    pub ciphertext: Vec<u8>,
    /// The initialisation vector.
    pub vector: Vec<u8>,
    /// Its tag.
    pub tag: [u8; 16],
    /// Passed back to the store for decryption; 20 bytes at most.
    pub metadata: Vec<u8>,
}

/// Why a key store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    /// No token is configured by that name.
    #[error(
        "The operator of this server has configured no token by this name. Add [hsm.cluster-…] with its module and label \
         to the configuration"
    )]
    UnknownToken,
    /// The token's certificate is another.
    #[error("The trust anchor certificate is not the one that the operator has configured for this token.")]
    WrongTrustAnchor,
    /// The certificate is none.
    #[error("The trust anchor certificate is not a certificate in PEM form.")]
    MalformedTrustAnchor,
    /// The token is not there.
    #[error("The hardware security module of this custom key store does not answer.")]
    TokenAbsent(String),
    /// The token cannot do what its keys are for.
    #[error("The hardware security module of this custom key store has no {mechanism}, which its KMS keys need.")]
    TokenUnfit {
        /// The missing mechanism, as PKCS#11 calls it.
        mechanism: &'static str,
    },
    /// The token refuses the PIN.
    #[error("The hardware security module of this custom key store refuses the key store password.")]
    WrongPin,
    /// The token has locked its user out.
    #[error("The hardware security module of this custom key store has locked its user out.")]
    PinLocked,
    /// The token has no user.
    #[error("The hardware security module of this custom key store has no user.")]
    NoUser,
    /// The operator allows no requests to the proxy's address.
    #[error(
        "This server does not call {endpoint}: its operator has not allowed it. Add [xks.\"{endpoint}\"] to its \
         configuration"
    )]
    Forbidden {
        /// The address.
        endpoint: String,
    },
    /// No connection.
    #[error(
        "KMS cannot communicate with the external key store proxy. This might be a transient network issue. If you see \
         this error repeatedly, verify that your external key store proxy is active and is connected to the network, \
         and that its endpoint URI is correct in your external key store."
    )]
    Unreachable,
    /// No TLS.
    #[error(
        "KMS cannot establish a TLS connection to the external key store proxy. Verify the TLS configuration, including \
         its certificate."
    )]
    Tls,
    /// No answer in time.
    #[error(
        "KMS rejected the request because the external key store proxy did not respond in time. Retry the request. If \
         you see this error repeatedly, report it to your external key store proxy administrator."
    )]
    TimedOut,
    /// An answer that is none.
    #[error(
        "KMS cannot interpret the response from the external key store proxy. If you see this error repeatedly, report \
         it to your external key store proxy administrator."
    )]
    Malformed,
    /// The proxy does not know the credential.
    #[error(
        "The external key store proxy rejected the request because it could not authenticate KMS. Verify the XKS proxy \
         authentication credentials for your external key store and update if necessary."
    )]
    NotAuthenticated,
    /// The proxy does not allow it.
    #[error(
        "The external key store proxy denied access to the operation. Verify that the user and the external key are \
         both authorized for this operation, and try the request again."
    )]
    Denied,
    /// The proxy has nothing at that path.
    #[error(
        "The external key store proxy rejected the request because of an invalid URI path. Verify the URI path for your \
         external key store and update if necessary."
    )]
    InvalidPath,
    /// The proxy has too much to do.
    #[error(
        "The external key store proxy rejected the request due to a very high request rate. Reduce the frequency of \
         your calls using KMS keys in this external key store."
    )]
    Throttled,
    /// The proxy waited for its key manager for too long.
    #[error(
        "The external key store proxy did not respond to the request in the time allotted. Retry the request. If you \
         see this error repeatedly, report it to your external key store proxy administrator."
    )]
    ManagerTimedOut,
    /// Every key manager behind the proxy is down.
    #[error(
        "The external key store proxy rejected the request because it cannot communicate with the external key manager. \
         Verify that the external key store proxy configuration is correct and that the external key manager is \
         available."
    )]
    ManagerDown,
    /// All key managers report that they cannot be used.
    #[error("The external key store proxy reports that no external key manager is available.")]
    ManagersUnavailable,
    /// The proxy does not do this.
    #[error(
        "The external key store proxy rejected the request because it does not support the requested operation. If you \
         see this error repeatedly, report it to your external key store proxy administrator."
    )]
    Unsupported,
    /// There is no such key.
    #[error(
        "The external key associated with this KMS key in an external key store was not found in its external key \
         manager. If the external key ID associated with this KMS key is incorrect, create a new KMS key with the \
         correct external key ID."
    )]
    KeyNotFound,
    /// The key is switched off there.
    #[error(
        "The external key associated with this KMS key in an external key store is not enabled in the external key \
         manager. Enable the external key in the external key manager and retry the request."
    )]
    KeyDisabled,
    /// The key is not an AES key of 256 bits that encrypts and decrypts.
    #[error(
        "The external key associated with this KMS key in an external key store does not support the requested \
         operation. Enable the operation on the key in your external key manager, and try the request again."
    )]
    KeyUnfit,
    /// The ciphertext is not authentic.
    #[error(
        "The external key store proxy rejected the request because the specified ciphertext or encryption context is \
         corrupted, missing, or otherwise invalid."
    )]
    NotAuthentic,
    /// The token has not got the key any more.
    #[error("The key material of this KMS key was not found in the hardware security module of its custom key store.")]
    MaterialMissing,
    /// The store has more to do than it can keep up with.
    #[error(
        "The hardware security module of this custom key store has more to do than it can keep up with. Retry the request."
    )]
    Busy,
    /// Anything else. The reason is for the log.
    #[error("The custom key store failed. Retry the request.")]
    Failed(String),
}

/// Knows the key stores that there are.
pub trait KeyStores: Send + Sync + 'static {
    /// Whether the store is there, and may be used; for a proxy, whether it answers well.
    fn check<'a>(&'a self, place: &'a KeyStorePlace, cause: &'a Cause) -> BoxFuture<'a, Result<(), KeyStoreError>>;

    /// Connects to it. Once the last holder drops the connection there is none.
    fn connect<'a>(
        &'a self,
        place: &'a KeyStorePlace,
        cause: &'a Cause,
    ) -> BoxFuture<'a, Result<Arc<dyn KeyStore>, KeyStoreError>>;
}

/// A key store that we are connected to. Nothing here blocks the thread that asks.
pub trait KeyStore: Send + Sync + 'static {
    /// Makes a key that will never leave the store.
    fn make_key<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), KeyStoreError>>;

    /// Destroys a key; done as well if there is none.
    fn destroy_key<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), KeyStoreError>>;

    /// Whether a key encrypts and decrypts as it must.
    fn check_key<'a>(&'a self, key: &'a str, cause: &'a Cause) -> BoxFuture<'a, Result<(), KeyStoreError>>;

    /// Encrypts, bound to `aad`.
    fn encrypt<'a>(
        &'a self,
        key: HeldKey<'a>,
        cause: &'a Cause,
        aad: &'a [u8],
        plaintext: &'a [u8],
    ) -> BoxFuture<'a, Result<HeldCiphertext, KeyStoreError>>;

    /// Decrypts what [`encrypt`](Self::encrypt) made, bound to the same `aad`.
    fn decrypt<'a>(
        &'a self,
        key: HeldKey<'a>,
        cause: &'a Cause,
        aad: &'a [u8],
        sealed: &'a HeldCiphertext,
    ) -> BoxFuture<'a, Result<SecretBytes, KeyStoreError>>;

    /// Random bytes from the store.
    fn random(&self, bytes: usize) -> BoxFuture<'_, Result<SecretBytes, KeyStoreError>>;
}

/// A key as the store knows it, and as the key service does.
#[derive(Clone, Copy, Debug)]
pub struct HeldKey<'a> {
    /// Its name in the store.
    pub id: &'a str,
    /// The ARN of the KMS key that it serves.
    pub arn: &'a str,
}

/// For a server without any: every place is unknown.
pub struct NoKeyStores;

impl KeyStores for NoKeyStores {
    fn check<'a>(&'a self, place: &'a KeyStorePlace, _: &'a Cause) -> BoxFuture<'a, Result<(), KeyStoreError>> {
        Box::pin(std::future::ready(Err(unknown(place))))
    }

    fn connect<'a>(
        &'a self,
        place: &'a KeyStorePlace,
        _: &'a Cause,
    ) -> BoxFuture<'a, Result<Arc<dyn KeyStore>, KeyStoreError>> {
        Box::pin(std::future::ready(Err(unknown(place))))
    }
}

fn unknown(place: &KeyStorePlace) -> KeyStoreError {
    match place {
        KeyStorePlace::Token { .. } => KeyStoreError::UnknownToken,
        KeyStorePlace::Proxy { endpoint, .. } => KeyStoreError::Forbidden { endpoint: endpoint.clone() },
    }
}
