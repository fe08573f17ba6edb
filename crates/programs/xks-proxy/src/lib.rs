//! A proxy that speaks the external key store proxy API in front of a PKCS#11 token, so that a real AWS account, or
//! another Sealstack, can have its keys there.
//!
//! Knows nothing of the server's data: it has a token, credentials and a certificate, and no state.

mod answers;
mod clock;
mod credentials;
mod error;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crypto::SecretBytes;
use front::{CertificateSource, Certificates, Front, Limits, Listener, Serving, Workers, private_file};
use jobs::{Job, Jobs, Scope};
pub use token::TokenConfig;
use token::{Token, TokenError, TokenThreads};

use answers::Proxy;
use credentials::Credentials;
pub use error::ProxyError;
pub use front::OwnCertificate;

/// How often certificate and credentials are checked for changes.
const RENEWAL_PERIOD: Duration = Duration::from_secs(5);

/// The key with which the proxy tries whether its token works.
const HEALTH_KEY: &str = "sealstack-xks-health";

/// Everything that the proxy runs with.
pub struct ProxyConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The path before `/kms/xks/v1`; may be empty.
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
/// [`ProxyError::Setting`], [`ProxyError::Token`], [`ProxyError::Front`].
pub fn create_key(token: TokenConfig, pin_file: &Path, name: &str) -> Result<(), ProxyError> {
    if !xks::is_key_id(name) {
        let rule = "1 to 128 letters, digits, hyphens, periods and underscores";
        return Err(ProxyError::Setting { setting: "create-key", rule });
    }
    Ok(Token::log_in(token, pin(pin_file)?)?.generate_key(name)?)
}

/// Makes a credential file for the proxy and for whoever makes the key store.
///
/// # Errors
/// [`ProxyError::Setting`], [`ProxyError::Create`], also when the file is there.
pub fn create_credential(path: &Path, uri_prefix: &str) -> Result<(), ProxyError> {
    credentials::create(path, &base_path(uri_prefix)?)
}

/// A running proxy.
struct Running {
    address: SocketAddr,
    serving: Serving,
    jobs: Jobs,
}

/// Runs the proxy until SIGTERM or SIGINT. `announce` is called once it answers, with its address.
///
/// A second signal ends it without waiting for running requests.
///
/// # Errors
/// Every [`ProxyError`].
pub fn run(config: ProxyConfig, announce: impl FnOnce(SocketAddr)) -> Result<(), ProxyError> {
    front::process::harden();
    let base = base_path(&config.uri_prefix)?;
    let token = Token::log_in(config.token, pin(&config.pin_file)?)?;
    match token.generate_key(HEALTH_KEY) {
        Ok(()) | Err(TokenError::KeyExists { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let crew = TokenThreads::new(token, config.sessions)?;
    let credentials = Arc::new(Credentials::read(config.credentials)?);
    let proxy = Proxy::new(base, crew, Arc::clone(&credentials));
    let workers = Workers::start(None)?;
    let start = || async {
        let listener = Listener::bind(config.listen)?;
        let address = listener.address();
        let certificates = Arc::new(Certificates::new(CertificateSource::Own(config.tls))?);
        let limits = Limits { body_bytes_max: 64 * 1024, ..Limits::default() };
        let front = Arc::new(Front::new(proxy, Arc::clone(&certificates), limits, false));
        let mut jobs = Jobs::default();
        jobs.start(Job::new("renew-certificate", Scope::EachServer, RENEWAL_PERIOD, move || {
            std::future::ready(certificates.renew(SystemTime::now()).map(usize::from))
        }));
        jobs.start(Job::new("read-credentials", Scope::EachServer, RENEWAL_PERIOD, move || {
            std::future::ready(credentials.renew())
        }));
        let serving = front.serve(listener, workers);
        tracing::info!(%address, "listening");
        Ok(Running { address, serving, jobs })
    };
    front::process::run(start, |running| announce(running.address), Running::stop)
}

impl Running {
    async fn stop(self) -> Result<(), ProxyError> {
        let drained = self.serving.drain().await;
        self.jobs.stop().await;
        drained.stop().await;
        Ok(())
    }
}

/// The path under which the API is.
fn base_path(prefix: &str) -> Result<String, ProxyError> {
    let prefix = prefix.trim_end_matches('/');
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_');
    let well_formed = prefix.is_empty() || prefix.starts_with('/') && !prefix.contains("//");
    let base = format!("{prefix}{}", xks::PATH_END);
    if !well_formed || !prefix.bytes().all(allowed) || base.len() > 128 {
        let rule = "a path such as /example, of letters, digits, slashes, hyphens and underscores";
        return Err(ProxyError::Setting { setting: "uri-prefix", rule });
    }
    Ok(base)
}

/// The PIN in a file, without the end of its line.
fn pin(path: &Path) -> Result<SecretBytes, ProxyError> {
    let mut pin = private_file::read(path)?;
    let length = pin.expose().trim_ascii_end().len();
    pin.truncate(length);
    Ok(pin)
}
