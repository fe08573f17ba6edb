//! A token as a key store. Calls run on threads of the token's own.

use std::time::Duration;

use crypto::SecretBytes;
use kms::ports::{Cause, HeldCiphertext, HeldKey, KeyStore, KeyStoreError};
use service::BoxFuture;
use token::{SealedParts, Token, TokenConfig, TokenError, TokenThreads};

use crate::config::{HsmSettings, SESSIONS};

/// How long a token may take to log us in.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(20);

/// Metadata of ciphertexts from a token, a version of their form: the vector is the token's own, the associated data
/// are ours.
const METADATA: &[u8] = &[1];

/// A token that we are logged in to.
pub(super) struct Hsm {
    crew: TokenThreads,
}

/// Whether the token is there, is the one that the caller means, and can do what its keys are for.
///
/// # Errors
/// [`KeyStoreError::MalformedTrustAnchor`], [`KeyStoreError::WrongTrustAnchor`], [`KeyStoreError::TokenAbsent`],
/// [`KeyStoreError::TokenUnfit`].
pub(super) async fn check(settings: &HsmSettings, trust_anchor: &str) -> Result<(), KeyStoreError> {
    let given = pki::certificate_der(trust_anchor.as_bytes());
    let given = given.map_err(|_| KeyStoreError::MalformedTrustAnchor)?;
    let (config, own) = (config(settings), settings.trust_anchor.clone());
    blocking(move || {
        if let Some(path) = own {
            let failed = |error: String| KeyStoreError::Failed(format!("{}: {error}", path.display()));
            let pem = std::fs::read(&path).map_err(|error| failed(error.to_string()))?;
            let own = pki::certificate_der(&pem).map_err(|error| failed(error.to_string()))?;
            if own != given {
                return Err(KeyStoreError::WrongTrustAnchor);
            }
        }
        Token::find(&config).map_err(refused)
    })
    .await
}

impl Hsm {
    pub(super) async fn connect(settings: &HsmSettings, pin: &SecretBytes) -> Result<Self, KeyStoreError> {
        let (config, pin) = (config(settings), SecretBytes::from(pin.expose()));
        let sessions = settings.sessions.unwrap_or(SESSIONS);
        let crew = blocking(move || {
            let token = Token::log_in(config, pin).map_err(refused)?;
            TokenThreads::new(token, sessions).map_err(refused)
        })
        .await?;
        Ok(Self { crew })
    }

    /// Has the token do something with a key of this name.
    async fn with_key<T: Send + 'static>(
        &self,
        key: &str,
        work: impl FnOnce(&Token, &str) -> Result<T, TokenError> + Send + 'static,
    ) -> Result<T, KeyStoreError> {
        let key = key.to_owned();
        self.crew.run(move |token| work(token, &key)).await.map_err(refused)
    }
}

fn config(settings: &HsmSettings) -> TokenConfig {
    TokenConfig { module: settings.module.clone(), label: settings.token_label.clone() }
}

/// Runs what is done once, and may hang, on a thread that nobody else waits for.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeyStoreError> + Send + 'static,
) -> Result<T, KeyStoreError> {
    let (answer, answered) = tokio::sync::oneshot::channel();
    let started = std::thread::Builder::new().name("token".to_owned()).spawn(move || {
        // Whoever gave up waiting needs no answer.
        let _ = answer.send(work());
    });
    started.map_err(|error| KeyStoreError::Failed(error.to_string()))?;
    match tokio::time::timeout(LOGIN_TIMEOUT, answered).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(KeyStoreError::Failed("the token's thread has ended".to_owned())),
        Err(_) => Err(KeyStoreError::TokenAbsent("it did not answer in time".to_owned())),
    }
}

fn refused(error: TokenError) -> KeyStoreError {
    match error {
        TokenError::WrongPin { .. } => KeyStoreError::WrongPin,
        TokenError::PinLocked { .. } => KeyStoreError::PinLocked,
        TokenError::NoUser { .. } => KeyStoreError::NoUser,
        TokenError::Unfit { mechanism, .. } => KeyStoreError::TokenUnfit { mechanism },
        TokenError::NoKey { .. } => KeyStoreError::MaterialMissing,
        TokenError::KeyUse { .. } => KeyStoreError::KeyUnfit,
        TokenError::NotAuthentic => KeyStoreError::NotAuthentic,
        TokenError::Busy => KeyStoreError::Busy,
        TokenError::NoToken { .. }
        | TokenError::Ambiguous { .. }
        | TokenError::Module { .. }
        | TokenError::Failed { .. }
        | TokenError::TimedOut => KeyStoreError::TokenAbsent(error.to_string()),
        TokenError::AmbiguousKey { .. } | TokenError::KeyExists { .. } | TokenError::Extractable => {
            KeyStoreError::Failed(error.to_string())
        }
    }
}

impl KeyStore for Hsm {
    fn make_key<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), KeyStoreError>> {
        Box::pin(self.with_key(key, Token::generate_key))
    }

    fn destroy_key<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), KeyStoreError>> {
        Box::pin(async move {
            match self.with_key(key, Token::destroy_key).await {
                Err(KeyStoreError::MaterialMissing) => Ok(()),
                other => other,
            }
        })
    }

    fn check_key<'a>(&'a self, key: &'a str, _: &'a Cause) -> BoxFuture<'a, Result<(), KeyStoreError>> {
        Box::pin(async move {
            let facts = self.with_key(key, Token::facts).await?;
            if facts.serves() { Ok(()) } else { Err(KeyStoreError::KeyUnfit) }
        })
    }

    fn encrypt<'a>(
        &'a self,
        key: HeldKey<'a>,
        _: &'a Cause,
        aad: &'a [u8],
        plaintext: &'a [u8],
    ) -> BoxFuture<'a, Result<HeldCiphertext, KeyStoreError>> {
        let (aad, plaintext) = ([aad, METADATA].concat(), SecretBytes::from(plaintext));
        Box::pin(async move {
            let sealed = self.with_key(key.id, move |token, key| token.seal(key, &aad, plaintext.expose())).await?;
            let SealedParts { nonce, ciphertext, tag } = sealed;
            Ok(HeldCiphertext { ciphertext, vector: nonce, tag, metadata: METADATA.to_vec() })
        })
    }

    fn decrypt<'a>(
        &'a self,
        key: HeldKey<'a>,
        _: &'a Cause,
        aad: &'a [u8],
        sealed: &'a HeldCiphertext,
    ) -> BoxFuture<'a, Result<SecretBytes, KeyStoreError>> {
        let aad = [aad, METADATA].concat();
        let HeldCiphertext { ciphertext, vector, tag, metadata } = sealed.clone();
        Box::pin(async move {
            if metadata != METADATA || !(12..=16).contains(&vector.len()) {
                return Err(KeyStoreError::NotAuthentic);
            }
            let sealed = SealedParts { nonce: vector, ciphertext, tag };
            self.with_key(key.id, move |token, key| token.open(key, &aad, &sealed)).await
        })
    }

    fn random(&self, bytes: usize) -> BoxFuture<'_, Result<SecretBytes, KeyStoreError>> {
        Box::pin(async move { self.crew.run(move |token| token.random(bytes)).await.map_err(refused) })
    }
}
