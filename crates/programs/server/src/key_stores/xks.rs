//! A proxy as a key store: signed requests over TLS, each with AWS's time limit, and answers that are not believed
//! before they are checked.

use std::sync::Arc;
use std::time::Duration;

use client::{Answer, Limits, Request, Transport, TransportError, Trust};
use crypto::SecretBytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method, Uri};
use kms::ports::{Cause, HeldCiphertext, HeldKey, KeyStore, KeyStoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use service::BoxFuture;
use wire::sigv4::{Payload, RequestParts, Rules, Signer};
use wire::{Blob, SecretBlob};
use xks::{
    AES_GCM, Action, DecryptAnswer, DecryptRequest, EncryptAnswer, EncryptRequest, ErrorAnswer, ErrorName,
    HealthAnswer, HealthRequest, KeyRequest, KeyStatus, MetadataAnswer, RequestMetadata, Route, SHA_256,
};
use zeroize::Zeroizing;

use crate::clock;
use crate::config::XksSettings;
use crate::error::ServerError;

/// How long a proxy may take for everything, connecting included: AWS's limit.
const TIMEOUT: Duration = Duration::from_millis(250);

/// An answer is not longer than this: twice what the longest ciphertext takes.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// A proxy's address, and the connections to it. Stores with different paths share them.
pub(super) struct Endpoint {
    /// With the port, where that is not the usual one.
    url: String,
    transport: Transport,
}

impl Endpoint {
    pub(super) fn new(url: &str, settings: &XksSettings) -> Result<Self, ServerError> {
        let trust = match &settings.ca {
            None => Trust::System,
            Some(path) => {
                let read = std::fs::read(path);
                Trust::Only(read.map_err(|cause| ServerError::Io { action: "read", path: path.clone(), cause })?)
            }
        };
        let limits =
            Limits { connect: TIMEOUT, answer: TIMEOUT, body_bytes_max: ANSWER_BYTES_MAX, ..Limits::default() };
        let url = settings.port.map_or_else(|| url.to_owned(), |port| format!("{url}:{port}"));
        Ok(Self { url, transport: Transport::new(trust, limits) })
    }
}

/// A proxy with a path and a credential of one store.
pub(super) struct Proxy {
    endpoint: Arc<Endpoint>,
    path: String,
    access_key_id: String,
    secret: SecretBytes,
}

impl Proxy {
    pub(super) fn new(endpoint: &Arc<Endpoint>, path: &str, access_key_id: &str, secret: &SecretBytes) -> Self {
        Self {
            endpoint: Arc::clone(endpoint),
            path: path.to_owned(),
            access_key_id: access_key_id.to_owned(),
            secret: SecretBytes::from(secret.expose()),
        }
    }

    /// Whether the proxy knows us, and has a key manager that can be used.
    pub(super) async fn check_health(&self, cause: &Cause) -> Result<(), KeyStoreError> {
        let question = HealthRequest::new(cause.operation.to_owned(), cause.request_id.clone());
        let answer: HealthAnswer = self.ask(Route::Health, &question, cause).await?;
        match answer.usable() {
            Some(true) => Ok(()),
            Some(false) => Err(KeyStoreError::ManagersUnavailable),
            None => Err(KeyStoreError::Malformed),
        }
    }

    async fn ask<Q: Serialize, A: DeserializeOwned>(
        &self,
        route: Route<'_>,
        question: &Q,
        cause: &Cause,
    ) -> Result<A, KeyStoreError> {
        let mut body = SecretBytes::with_capacity(1024);
        serde_json::to_writer(&mut body, question).map_err(|error| KeyStoreError::Failed(error.to_string()))?;
        let request = self.signed(route, body, &cause.region)?;
        let answer = match tokio::time::timeout(TIMEOUT, self.endpoint.transport.send(request)).await {
            Err(_) => return Err(KeyStoreError::TimedOut),
            Ok(answer) => answer.map_err(|error| unreachable(&error))?,
        };
        if answer.status.is_success() {
            return serde_json::from_slice(answer.body.expose()).map_err(|_| KeyStoreError::Malformed);
        }
        Err(refusal(&answer))
    }

    fn signed(&self, route: Route<'_>, body: SecretBytes, region: &str) -> Result<Request, KeyStoreError> {
        let failed = |error: String| KeyStoreError::Failed(error);
        let uri: Uri = [self.endpoint.url.as_str(), &route.path(&self.path)]
            .concat()
            .parse()
            .map_err(|error: http::uri::InvalidUri| failed(error.to_string()))?;
        let host = uri.authority().map_or("", http::uri::Authority::as_str);
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).map_err(|error| failed(error.to_string()))?);
        // Only what the API's documentation signs: host and date.
        let parts = RequestParts { method: "POST", path: uri.path(), query: "", headers: &headers, host: None };
        let signer = Signer {
            access_key_id: &self.access_key_id,
            secret_access_key: self.secret.expose(),
            session_token: None,
            region,
            service: xks::SERVICE,
            rules: Rules::STANDARD,
        };
        let signed = signer.sign(&parts, Payload::Body(body.expose()), clock::now());
        let mut headers = signed.map_err(|error| failed(error.to_string()))?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(Request { method: Method::POST, uri, headers, body })
    }
}

/// The error for an exchange that failed.
fn unreachable(error: &TransportError) -> KeyStoreError {
    tracing::debug!(%error, "an external key store proxy cannot be reached");
    match error {
        TransportError::Connect { cause, .. } if is_tls(cause) => KeyStoreError::Tls,
        TransportError::Connect { .. } | TransportError::Broken { .. } => KeyStoreError::Unreachable,
        TransportError::Time { .. } => KeyStoreError::TimedOut,
        TransportError::TooLong { .. } => KeyStoreError::Malformed,
        TransportError::Roots(_) => KeyStoreError::Tls,
        other => KeyStoreError::Failed(other.to_string()),
    }
}

/// Whether it was the handshake that failed: rustls hides its errors in the operating system's.
fn is_tls(cause: &std::io::Error) -> bool {
    cause.kind() == std::io::ErrorKind::InvalidData
}

/// The error for a refusal, by its name. Its message is for the proxy's administrator.
fn refusal(answer: &Answer) -> KeyStoreError {
    let Ok(refusal) = serde_json::from_slice::<ErrorAnswer>(answer.body.expose()) else {
        return KeyStoreError::Malformed;
    };
    tracing::debug!(status = answer.status.as_u16(), name = refusal.error_name, "an external key store proxy refused");
    match ErrorName::from_text(&refusal.error_name) {
        Some(ErrorName::Validation) | None => KeyStoreError::Malformed,
        Some(ErrorName::InvalidState) => KeyStoreError::KeyDisabled,
        Some(ErrorName::InvalidCiphertext) => KeyStoreError::NotAuthentic,
        Some(ErrorName::InvalidKeyUsage) => KeyStoreError::KeyUnfit,
        Some(ErrorName::AuthenticationFailed) => KeyStoreError::NotAuthenticated,
        Some(ErrorName::AccessDenied) => KeyStoreError::Denied,
        Some(ErrorName::KeyNotFound) => KeyStoreError::KeyNotFound,
        Some(ErrorName::InvalidUriPath) => KeyStoreError::InvalidPath,
        Some(ErrorName::Throttling) => KeyStoreError::Throttled,
        Some(ErrorName::UnsupportedOperation) => KeyStoreError::Unsupported,
        Some(ErrorName::DependencyTimeout) => KeyStoreError::ManagerTimedOut,
        Some(ErrorName::Internal) => KeyStoreError::ManagerDown,
    }
}

fn metadata(cause: &Cause, key_arn: Option<&str>) -> RequestMetadata {
    RequestMetadata {
        aws_principal_arn: cause.principal_arn.clone(),
        kms_key_arn: key_arn.map(str::to_owned),
        kms_operation: cause.operation.to_owned(),
        kms_request_id: cause.request_id.clone(),
        kms_via_service: None,
    }
}

impl KeyStore for Proxy {
    fn make_key<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), KeyStoreError>> {
        // External keys are made by those who own them.
        Box::pin(std::future::ready(Err(KeyStoreError::Unsupported)))
    }

    fn destroy_key<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), KeyStoreError>> {
        // As above.
        Box::pin(std::future::ready(Ok(())))
    }

    fn check_key<'a>(&'a self, key: &'a str, cause: &'a Cause) -> BoxFuture<'a, Result<(), KeyStoreError>> {
        Box::pin(async move {
            let question = KeyRequest { request_metadata: metadata(cause, None) };
            let answer: MetadataAnswer = self.ask(Route::Key(key, Action::Metadata), &question, cause).await?;
            if answer.key_status != KeyStatus::Enabled {
                return Err(KeyStoreError::KeyDisabled);
            }
            if answer.serves() { Ok(()) } else { Err(KeyStoreError::KeyUnfit) }
        })
    }

    fn encrypt<'a>(
        &'a self,
        key: HeldKey<'a>,
        cause: &'a Cause,
        aad: &'a [u8],
        plaintext: &'a [u8],
    ) -> BoxFuture<'a, Result<HeldCiphertext, KeyStoreError>> {
        Box::pin(async move {
            let question = EncryptRequest {
                request_metadata: metadata(cause, Some(key.arn)),
                additional_authenticated_data: Some(Blob(aad.to_vec())),
                plaintext: SecretBlob(Zeroizing::new(plaintext.to_vec())),
                encryption_algorithm: AES_GCM.to_owned(),
                ciphertext_data_integrity_value_algorithm: Some(SHA_256.to_owned()),
            };
            let answer: EncryptAnswer = self.ask(Route::Key(key.id, Action::Encrypt), &question, cause).await?;
            if !answer.is_sound(plaintext.len(), aad) {
                return Err(KeyStoreError::Malformed);
            }
            let metadata = answer.metadata().to_vec();
            let tag = answer.authentication_tag.0.as_slice().try_into().map_err(|_| KeyStoreError::Malformed)?;
            Ok(HeldCiphertext {
                ciphertext: answer.ciphertext.0,
                vector: answer.initialization_vector.0,
                tag,
                metadata,
            })
        })
    }

    fn decrypt<'a>(
        &'a self,
        key: HeldKey<'a>,
        cause: &'a Cause,
        aad: &'a [u8],
        sealed: &'a HeldCiphertext,
    ) -> BoxFuture<'a, Result<SecretBytes, KeyStoreError>> {
        Box::pin(async move {
            let given = &sealed.metadata;
            let question = DecryptRequest {
                request_metadata: metadata(cause, Some(key.arn)),
                additional_authenticated_data: Some(Blob(aad.to_vec())),
                ciphertext: Blob(sealed.ciphertext.clone()),
                ciphertext_metadata: (!given.is_empty()).then(|| Blob(given.clone())),
                encryption_algorithm: AES_GCM.to_owned(),
                initialization_vector: Blob(sealed.vector.clone()),
                authentication_tag: Blob(sealed.tag.to_vec()),
            };
            if question.check().is_err() {
                return Err(KeyStoreError::NotAuthentic);
            }
            let answer: DecryptAnswer = self.ask(Route::Key(key.id, Action::Decrypt), &question, cause).await?;
            if answer.plaintext.0.len() != sealed.ciphertext.len() {
                return Err(KeyStoreError::Malformed);
            }
            Ok(SecretBytes::from(answer.plaintext.0.as_slice()))
        })
    }

    fn random(&self, _: usize) -> BoxFuture<'_, Result<SecretBytes, KeyStoreError>> {
        Box::pin(std::future::ready(Err(KeyStoreError::Unsupported)))
    }
}
