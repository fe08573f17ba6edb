//! A proxy that speaks the external key store proxy API in front of a PKCS#11 token, so that a real AWS account, or
//! another Sealstack, can hold its keys there.
//!
//! Knows nothing of the server's data: it has a token, credentials and a certificate, and keeps no state.

mod answers;
mod credentials;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use crypto::SecretBytes;
pub use token::TokenConfig;
use token::{Token, TokenError, TokenThreads};

use crate::config::{Limits, OwnCertificate};
use crate::connection_limiter::ConnectionLimiter;
use crate::error::ServerError;
use crate::jobs::Jobs;
use crate::listener::Listener;
use crate::private_file;
use crate::server::{Signals, runtime};
use crate::site::{Site, Traffic};
use crate::tls::{CertificateSource, Certificates};
use crate::workers::Workers;
use answers::Proxy;
use credentials::Credentials;

/// How often certificate and credentials are looked at.
const RENEWAL_PERIOD: Duration = Duration::from_secs(5);

/// The key with which the proxy tries whether its token works.
const HEALTH_KEY: &str = "sealstack-xks-health";

/// Everything that the proxy runs with.
pub struct ProxyConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// What stands before `/kms/xks/v1` in the path; may be empty.
    pub uri_prefix: String,
    /// The token.
    pub token: TokenConfig,
    /// The file that holds the PIN of its user.
    pub pin_file: PathBuf,
    /// Files with a credential each; any of them is accepted.
    pub credentials: Vec<PathBuf>,
    /// The certificate and its key.
    pub tls: OwnCertificate,
    /// How many calls run in the token at the same time.
    pub sessions: usize,
}

/// Makes a key in the token for key stores to use.
///
/// # Errors
/// [`ServerError::Token`], [`ServerError::Io`].
pub fn create_key(token: TokenConfig, pin_file: &Path, name: &str) -> Result<(), ServerError> {
    if !xks::is_key_id(name) {
        let rule = "1 to 128 letters, digits, hyphens, periods and underscores";
        return Err(crate::ConfigError::Value { setting: "create-key", rule }.into());
    }
    Ok(Token::log_in(token, pin(pin_file)?)?.generate_key(name)?)
}

/// Makes a credential file for the proxy and for whoever makes the key store.
///
/// # Errors
/// [`ServerError::Io`], also when the file is there.
pub fn create_credential(path: &Path, uri_prefix: &str) -> Result<(), ServerError> {
    credentials::create(path, &base_path(uri_prefix)?)
}

/// Runs the proxy until SIGTERM or SIGINT. `announce` is called once it answers, with its address.
///
/// # Errors
/// [`ServerError`].
pub fn run(config: ProxyConfig, announce: impl FnOnce(SocketAddr)) -> Result<(), ServerError> {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    if let Err(error) = crypto::hardening::harden_process() {
        tracing::warn!(%error, "core dumps and debuggers could not be shut out");
    }
    let base = base_path(&config.uri_prefix)?;
    let token = Token::log_in(config.token, pin(&config.pin_file)?)?;
    match token.generate_key(HEALTH_KEY) {
        Ok(()) | Err(TokenError::KeyExists { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let crew = TokenThreads::new(token, config.sessions)?;
    let credentials = Arc::new(Credentials::read(config.credentials)?);
    let workers = Arc::new(Workers::start(None)?);
    runtime()?.block_on(async {
        let mut signals = Signals::new()?;
        let listener = Listener::bind(config.listen)?;
        let address = listener.address();
        let certificates = Arc::new(Certificates::new(CertificateSource::Own(config.tls))?);
        let limits = Limits { body_bytes_max: 64 * 1024, ..Limits::default() };
        let (connections, traffic) = (ConnectionLimiter::new(limits), Arc::<Traffic>::default());
        let proxy = Proxy::new(base, crew, Arc::clone(&credentials));
        let site = Site::new(proxy, Arc::clone(&certificates), (limits, false), Arc::clone(&connections), traffic);
        let site = Arc::new(site);
        let mut jobs = Jobs::default();
        let sweeping = Arc::clone(&connections);
        jobs.always(async move { sweeping.sweep().await });
        jobs.every(RENEWAL_PERIOD, "renewing the certificate", move || {
            std::future::ready(certificates.renew(SystemTime::now()).map(usize::from))
        });
        jobs.every(RENEWAL_PERIOD, "reading changed credentials", move || std::future::ready(credentials.renew()));
        let accepting = tokio::spawn(listener.accept(Arc::clone(&site), Arc::clone(&workers)));
        tracing::info!(%address, "listening");
        announce(address);
        let name = signals.next().await;
        tracing::info!("{name}: finishing what is running, taking nothing more");
        site.draining.store(true, Ordering::Relaxed);
        accepting.abort();
        // It was just told to end.
        let _ = accepting.await;
        connections.drain(limits.shutdown_timeout).await;
        jobs.stop().await;
        if let Some(workers) = Arc::into_inner(workers) {
            workers.stop().await;
        }
        Ok(())
    })
}

/// The path under which the API is.
fn base_path(prefix: &str) -> Result<String, ServerError> {
    let prefix = prefix.trim_end_matches('/');
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_');
    let well_formed = prefix.is_empty() || prefix.starts_with('/') && !prefix.contains("//");
    let base = format!("{prefix}{}", xks::PATH_END);
    if !well_formed || !prefix.bytes().all(allowed) || base.len() > 128 {
        let rule = "a path such as /example, of letters, digits, slashes, hyphens and underscores";
        return Err(crate::ConfigError::Value { setting: "uri-prefix", rule }.into());
    }
    Ok(base)
}

/// The PIN in a file, without the end of its line.
fn pin(path: &Path) -> Result<SecretBytes, ServerError> {
    let mut pin = private_file::read(path)?;
    let length = pin.expose().trim_ascii_end().len();
    pin.truncate(length);
    Ok(pin)
}
