//! Calls of the proxy: a caller is authenticated by signature, there are four operations, and keys stay in the token.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use crypto::SecretBytes;
use front::pages::{self, HealthProblem, Page};
use front::{Application, Peer, Request, Response};
use http::{HeaderValue, Method, StatusCode, request};
use serde::Serialize;
use serde::de::DeserializeOwned;
use token::{SealedParts, Token, TokenError, TokenThreads};
use wire::sigv4::{Authorization, Payload, RequestParts, Rules, SigningKey};
use wire::{Blob, SecretBlob};
use xks::{
    Action, DecryptAnswer, DecryptRequest, EncryptAnswer, EncryptRequest, ErrorAnswer, ErrorName, HealthAnswer,
    HealthRequest, KeyManager, KeyRequest, KeyStatus, ManagerHealth, MetadataAnswer, RequestMetadata, Route,
    manager_aad,
};
use zeroize::Zeroizing;

use crate::HEALTH_KEY;
use crate::clock;
use crate::credentials::Credentials;

/// How long the token may take: longer than anybody waits for the proxy.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(1);

/// Metadata of ciphertexts: the version of the form of their associated data.
const METADATA: &[u8] = &[1];

/// A refusal, and its reason for the caller's administrator.
type Refusal = (ErrorName, &'static str);

/// The proxy as its connections see it.
pub(super) struct Proxy {
    base: String,
    crew: TokenThreads,
    credentials: Arc<Credentials>,
}

impl Proxy {
    pub(super) const fn new(base: String, crew: TokenThreads, credentials: Arc<Credentials>) -> Self {
        Self { base, crew, credentials }
    }

    async fn answer(&self, head: &request::Parts, body: &Bytes, peer: Peer) -> Result<Vec<u8>, Refusal> {
        self.authenticate(head, body, peer)?;
        let route = Route::parse(&self.base, head.uri.path());
        match route.ok_or((ErrorName::InvalidUriPath, "there is nothing at this path"))? {
            Route::Health => {
                let HealthRequest { request_metadata } = read(body)?;
                tracing::info!(
                    operation = request_metadata.kms_operation,
                    kms_request_id = request_metadata.kms_request_id,
                    "health"
                );
                encode(&self.health().await)
            }
            Route::Key(key, Action::Metadata) => {
                let KeyRequest { request_metadata } = read(body)?;
                log_request(&request_metadata, key, "metadata");
                encode(&self.metadata(key).await?)
            }
            Route::Key(key, Action::Encrypt) => {
                let request: EncryptRequest = read(body)?;
                log_request(&request.request_metadata, key, "encrypt");
                encode(&self.encrypt(key, request).await?)
            }
            Route::Key(key, Action::Decrypt) => {
                let request: DecryptRequest = read(body)?;
                log_request(&request.request_metadata, key, "decrypt");
                encode(&self.decrypt(key, request).await?)
            }
        }
    }

    /// Who asks is known by their signature over the whole request, and only over TLS.
    fn authenticate(&self, head: &request::Parts, body: &Bytes, peer: Peer) -> Result<(), Refusal> {
        let refused = |reason| (ErrorName::AuthenticationFailed, reason);
        if !peer.secure {
            return Err(refused("the request has to come over TLS"));
        }
        let parts = RequestParts {
            method: head.method.as_str(),
            path: head.uri.path(),
            query: head.uri.query().unwrap_or_default(),
            headers: &head.headers,
            host: head.uri.authority().map(http::uri::Authority::as_str),
        };
        let authorization = Authorization::parse(&parts).map_err(|_| refused("the request is not signed"))?;
        if authorization.service() != xks::SERVICE || authorization.is_presigned() {
            return Err(refused("the request is signed for another service"));
        }
        let (date, region) = (authorization.date(), authorization.region());
        let verified = self.credentials.secret(authorization.access_key_id(), |secret| {
            let key = SigningKey::derive(secret, date, region, xks::SERVICE);
            authorization.verify(&parts, Payload::Body(body), &key, Rules::STANDARD, clock::now())
        });
        match verified {
            Some(Ok(())) => Ok(()),
            // One answer for both: a caller without a credential learns no access key's id.
            Some(Err(_)) | None => Err(refused("the signature is not valid")),
        }
    }

    async fn health(&self) -> HealthAnswer {
        let probe = |token: &Token| {
            let sealed = token.seal(HEALTH_KEY, b"health", b"probe")?;
            token.open(HEALTH_KEY, b"health", &sealed).map(drop)
        };
        let health_status = match self.in_token(probe).await {
            Ok(()) => ManagerHealth::Active,
            Err(error) => {
                tracing::warn!(%error, "the token does not work");
                ManagerHealth::Unavailable
            }
        };
        let identity = self.crew.token().identity();
        let known = |text: &str| if text.is_empty() { "unknown".to_owned() } else { text.to_owned() };
        HealthAnswer {
            xks_proxy_fleet_size: 1,
            xks_proxy_vendor: "Sealstack".to_owned(),
            xks_proxy_model: concat!("Sealstack xks-proxy ", env!("CARGO_PKG_VERSION")).to_owned(),
            ekm_vendor: known(&identity.manufacturer),
            ekm_fleet_details: vec![KeyManager {
                id: known(&identity.serial),
                model: known(&identity.model),
                health_status,
            }],
        }
    }

    async fn metadata(&self, key: &str) -> Result<MetadataAnswer, Refusal> {
        let name = key.to_owned();
        let facts = self.in_token(move |token| token.facts(&name)).await.map_err(refusal)?;
        let usages = [("ENCRYPT", facts.encrypts), ("DECRYPT", facts.decrypts)];
        let allowed = usages.into_iter().filter(|(_, allowed)| *allowed);
        Ok(MetadataAnswer {
            key_spec: if facts.aes_256 { MetadataAnswer::AES_256 } else { "OTHER" }.to_owned(),
            key_usage: allowed.map(|(usage, _)| usage.to_owned()).collect(),
            // Tokens know no disabled keys.
            key_status: KeyStatus::Enabled,
        })
    }

    async fn encrypt(&self, key: &str, request: EncryptRequest) -> Result<EncryptAnswer, Refusal> {
        request.check()?;
        let (name, data) = (key.to_owned(), request.associated_data().to_vec());
        let aad = framed(&data, METADATA)?;
        let wants_value = request.ciphertext_data_integrity_value_algorithm.is_some();
        let plaintext = SecretBytes::from(request.plaintext.0.as_slice());
        let seal = move |token: &Token| {
            let sealed = token.seal(&name, &aad, plaintext.expose())?;
            let mut answer = EncryptAnswer {
                ciphertext: Blob(sealed.ciphertext.clone()),
                ciphertext_metadata: Some(Blob(METADATA.to_vec())),
                initialization_vector: Blob(sealed.nonce.clone()),
                authentication_tag: Blob(sealed.tag.to_vec()),
                ciphertext_data_integrity_value: None,
            };
            if wants_value {
                // The value first: what is damaged after it was computed does not match it, and what was damaged
                // before does not open.
                answer.ciphertext_data_integrity_value = Some(Blob(answer.integrity_value(&data).to_vec()));
                let opened = token.open(&name, &aad, &sealed)?;
                if !crypto::constant_time_eq(opened.expose(), plaintext.expose()) {
                    return Err(TokenError::Failed { reason: "it opened something else than it sealed".to_owned() });
                }
            }
            Ok(answer)
        };
        self.in_token(seal).await.map_err(refusal)
    }

    async fn decrypt(&self, key: &str, request: DecryptRequest) -> Result<DecryptAnswer, Refusal> {
        request.check()?;
        if request.metadata() != METADATA {
            return Err((ErrorName::InvalidCiphertext, "ciphertextMetadata is not this proxy's"));
        }
        let (name, aad) = (key.to_owned(), framed(request.associated_data(), METADATA)?);
        let tag = request.authentication_tag.0.as_slice().try_into();
        let tag = tag.map_err(|_| (ErrorName::Validation, "authenticationTag must have 16 bytes"))?;
        let sealed = SealedParts { nonce: request.initialization_vector.0, ciphertext: request.ciphertext.0, tag };
        let opened = self.in_token(move |token| token.open(&name, &aad, &sealed)).await.map_err(refusal)?;
        Ok(DecryptAnswer { plaintext: SecretBlob(Zeroizing::new(opened.expose().to_vec())) })
    }

    async fn in_token<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Token) -> Result<T, TokenError> + Send + 'static,
    ) -> Result<T, TokenError> {
        let done = tokio::time::timeout(TOKEN_TIMEOUT, self.crew.run(work)).await;
        done.unwrap_or(Err(TokenError::TimedOut))
    }
}

/// The associated data for the token.
fn framed(data: &[u8], metadata: &[u8]) -> Result<Vec<u8>, Refusal> {
    manager_aad(data, metadata).ok_or((ErrorName::UnsupportedOperation, "a parameter is longer than is supported"))
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refusal> {
    // The decoder's own words could quote a plaintext.
    serde_json::from_slice(body).map_err(|_| (ErrorName::Validation, "the body is not what this operation takes"))
}

fn encode(answer: &impl Serialize) -> Result<Vec<u8>, Refusal> {
    serde_json::to_vec(answer).map_err(|_| (ErrorName::Internal, "the answer cannot be written"))
}

/// For the proxy's log: on whose behalf a key is used, and by which call of the key service.
fn log_request(metadata: &RequestMetadata, key: &str, action: &'static str) {
    tracing::info!(
        key,
        principal = metadata.aws_principal_arn,
        kms_key = metadata.kms_key_arn,
        operation = metadata.kms_operation,
        kms_request_id = metadata.kms_request_id,
        "{action}"
    );
}

fn refusal(error: TokenError) -> Refusal {
    match error {
        TokenError::NoKey { .. } => (ErrorName::KeyNotFound, "there is no such key"),
        TokenError::KeyUse { .. } => (ErrorName::InvalidKeyUsage, "the key does not do this"),
        TokenError::NotAuthentic => {
            (ErrorName::InvalidCiphertext, "the ciphertext or what it is bound to is not valid")
        }
        TokenError::Busy => (ErrorName::Throttling, "the token has too much to do"),
        TokenError::TimedOut => (ErrorName::DependencyTimeout, "the token did not answer in time"),
        error => {
            tracing::error!(%error, "the token failed");
            (ErrorName::Internal, "the token failed")
        }
    }
}

impl Application for Proxy {
    async fn handle(&self, request: Request<'_>) -> Response {
        let begun = Instant::now();
        let Request { head, body, peer } = request;
        let body = match body.whole(usize::MAX).await {
            Ok(body) => body,
            Err(error) => return error.response(),
        };
        if head.method != Method::POST {
            return respond(StatusCode::METHOD_NOT_ALLOWED, None, b"{}".to_vec());
        }
        let answer = self.answer(&head, &body, peer).await;
        let (path, elapsed) = (head.uri.path(), begun.elapsed());
        match answer {
            Ok(body) => {
                tracing::debug!(path, ?elapsed, "answered");
                respond(StatusCode::OK, None, body)
            }
            Err((name, reason)) => {
                tracing::warn!(path, ip = %peer.ip, error = name.as_str(), reason, ?elapsed, "refused");
                let answer =
                    ErrorAnswer { error_name: name.as_str().to_owned(), error_message: Some(reason.to_owned()) };
                let status = StatusCode::from_u16(name.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                respond(status, Some(name), serde_json::to_vec(&answer).unwrap_or_default())
            }
        }
    }

    fn page(&self, head: &request::Parts, peer: Peer, draining: bool) -> Option<Response> {
        Some(match Page::asked(head)? {
            Page::Health => pages::health(draining.then_some(HealthProblem::DRAINING), env!("CARGO_PKG_VERSION")),
            Page::Metrics => pages::metrics(head, peer, || "# EOF\n".to_owned()),
        })
    }
}

/// A response with the headers that AWS's services send.
fn respond(status: StatusCode, error: Option<ErrorName>, body: Vec<u8>) -> Response {
    let mut response = Response::new(status, HeaderValue::from_static("application/json"), body);
    if let Ok(id) = HeaderValue::try_from(uuid::Uuid::new_v4().to_string()) {
        response.headers.insert(wire::REQUEST_ID_HEADER, id);
    }
    if let Some(error) = error {
        response.headers.insert(wire::ERROR_TYPE_HEADER, HeaderValue::from_static(error.as_str()));
    }
    response
}
