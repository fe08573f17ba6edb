//! Settings and how they resolve: flags, then the environment, then a TOML file, then defaults.
//!
//! [`Settings`] is all of them at once: its fields are the flags, the variables and the file's keys. [`Config`] is what
//! the server runs with. Knows no sockets and no secrets.

mod file;
mod key_stores;
mod settings;
mod triggers;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use file::Place;
pub use front::{Limits, OwnCertificate};
pub(crate) use key_stores::SESSIONS;
pub use key_stores::{HsmSettings, KeyStoresConfig, XksSettings};
use service::{Regions, is_region};
pub use settings::{
    AuditSettings, LimitSettings, LogFormat, LogSettings, SealKind, SealSettings, Settings, TlsSettings,
};
pub use triggers::TriggerSettings;

use crate::disk::Space;
use crate::error::ConfigError;

/// Everything the server runs with, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// The data directory, absolute.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Whether plain HTTP is answered off loopback too.
    pub allow_plain_http: bool,
    /// The URL for clients, when it isn't the address listened on.
    pub endpoint_url: Option<String>,
    /// The region for clients.
    pub region: String,
    /// The Regions that are served.
    pub regions: Regions,
    /// The account to make at the first start; random when not given.
    pub account: Option<String>,
    /// The file that says what to make at the first start instead of one account.
    pub seed: Option<PathBuf>,
    /// Whether everything is in memory only, and nothing in the data directory.
    pub ephemeral: bool,
    /// Days for which a region's domain key serves.
    pub domain_key_days: u32,
    /// Worker threads; one for each core when not given.
    pub workers: Option<NonZeroUsize>,
    /// The root seal.
    pub seal: SealConfig,
    /// The server's certificate.
    pub tls: TlsConfig,
    /// Where blobs lie; within the data directory when not given.
    pub blobs: Option<String>,
    /// Where the events of repositories' triggers go, by the ARN of the destination.
    pub triggers: BTreeMap<String, TriggerSettings>,
    /// Where to listen for Git over SSH, if at all.
    pub ssh_listen: Option<SocketAddr>,
    /// Tokens and proxies in which keys may be.
    pub key_stores: KeyStoresConfig,
    /// Bounds on what strangers can make the server do.
    pub limits: Limits,
    /// The audit log.
    pub audit: AuditConfig,
}

/// Which root seal, and where it is.
#[derive(Clone, Debug, Default)]
pub struct SealConfig {
    /// The kind of seal; the one that there is when not given.
    pub kind: Option<SealKind>,
    /// Its key file; within the data directory when not given.
    pub file: Option<PathBuf>,
    /// The file that holds the passphrase.
    pub passphrase_file: Option<PathBuf>,
    /// The other key service's key.
    pub kms_key: Option<String>,
    /// The profile of the AWS configuration that leads to it.
    pub kms_profile: Option<String>,
    /// The token's PKCS#11 module.
    pub token_module: Option<PathBuf>,
    /// The token's label.
    pub token: Option<String>,
    /// The label of the key in it.
    pub token_key: Option<String>,
    /// The file that holds the token's PIN.
    pub pin_file: Option<PathBuf>,
}

/// The server's certificate: the operator's own, or one from the local authority for these names.
#[derive(Clone, Debug, Default)]
pub struct TlsConfig {
    /// PEM files of the operator's own certificate chain and key.
    pub own: Option<OwnCertificate>,
    /// DNS names and IP addresses in the local authority's certificate, beside loopback's and the one listened on.
    pub names: Vec<String>,
}

/// Segments and retention of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditConfig {
    /// A segment that reaches this many bytes is closed.
    pub segment_bytes_max: u64,
    /// A segment that is this many hours old is closed; 0 means never.
    pub segment_hours_max: u32,
    /// Closed segments older than this many days go; without it none goes for its age.
    pub keep_days: Option<u32>,
    /// How much all segments may take before the oldest go.
    pub keep: Keep,
    /// Another file that says where the database and the log stand, on another disk or host.
    pub anchor: Option<PathBuf>,
}

/// Retention of the audit log, by size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// As much as leaves most of the file system free.
    Safe,
    /// All of it.
    All,
    /// So many bytes.
    Bytes(u64),
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self { segment_bytes_max: 64 << 20, segment_hours_max: 24, keep_days: None, keep: Keep::Safe, anchor: None }
    }
}

/// Where the server listens unless told otherwise.
pub const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4566);

/// Days for which a region's domain key serves unless the operator says otherwise.
pub const DOMAIN_KEY_DAYS: u32 = 365;

/// The default region for clients.
pub const REGION: &str = "us-east-1";

impl Config {
    /// Checks `settings` and fills in the defaults. `data` has been resolved by [`Place`].
    ///
    /// # Errors
    /// [`ConfigError`], naming the setting and what it may be.
    pub fn resolve(data: PathBuf, settings: Settings) -> Result<Self, ConfigError> {
        let region = settings.region.unwrap_or_else(|| REGION.to_owned());
        let regions = settings.regions.unwrap_or_default();
        for (setting, name) in std::iter::once(("region", &region)).chain(regions.iter().map(|name| ("regions", name)))
        {
            if !is_region(name) {
                return Err(ConfigError::Value { setting, rule: "a region's name, such as us-east-1" });
            }
        }
        if settings.account.as_deref().is_some_and(|account| !is_account(account)) {
            return Err(ConfigError::Value { setting: "account", rule: "twelve digits" });
        }
        if settings.endpoint_url.as_deref().is_some_and(|url| !is_endpoint(url)) {
            let rule = "a URL such as https://keys.example.com:4566, without a path";
            return Err(ConfigError::Value { setting: "endpoint-url", rule });
        }
        Ok(Self {
            data,
            listen: settings.listen.unwrap_or(LISTEN),
            allow_plain_http: settings.allow_plain_http.unwrap_or(false),
            endpoint_url: settings.endpoint_url.map(|url| url.trim_end_matches('/').to_owned()),
            regions: Regions::with(regions.into_iter().chain([region.clone()])),
            region,
            account: settings.account,
            seed: settings.seed,
            ephemeral: settings.ephemeral.unwrap_or(false),
            domain_key_days: within("domain-key-days", settings.domain_key_days, 1..=36_500, "between 1 and 36500")?
                .unwrap_or(DOMAIN_KEY_DAYS),
            workers: within("workers", settings.workers, 1..=1024, "between 1 and 1024")?.and_then(NonZeroUsize::new),
            seal: SealConfig::from(settings.seal),
            tls: TlsConfig::resolve(settings.tls)?,
            triggers: triggers::resolve(settings.triggers)?,
            blobs: settings.blobs,
            ssh_listen: settings.ssh_listen,
            key_stores: KeyStoresConfig::resolve(settings.hsm.unwrap_or_default(), settings.xks.unwrap_or_default())?,
            limits: settings.limits.resolve()?,
            audit: AuditConfig::resolve(settings.audit)?,
        })
    }
}

impl From<SealSettings> for SealConfig {
    fn from(settings: SealSettings) -> Self {
        let SealSettings {
            kind,
            file,
            passphrase_file,
            kms_key,
            kms_profile,
            token_module,
            token,
            token_key,
            pin_file,
        } = settings;
        Self { kind, file, passphrase_file, kms_key, kms_profile, token_module, token, token_key, pin_file }
    }
}

impl TlsConfig {
    fn resolve(settings: TlsSettings) -> Result<Self, ConfigError> {
        let own = match (settings.certificate, settings.key) {
            (Some(chain), Some(key)) => Some(OwnCertificate { chain, key }),
            (None, None) => None,
            (Some(_), None) => return Err(ConfigError::Together { given: "tls-certificate", missing: "tls-key" }),
            (None, Some(_)) => return Err(ConfigError::Together { given: "tls-key", missing: "tls-certificate" }),
        };
        Ok(Self { own, names: settings.names.unwrap_or_default() })
    }
}

impl LimitSettings {
    fn resolve(self) -> Result<Limits, ConfigError> {
        const SECONDS: &str = "between 1 and 3600";
        let seconds = |setting, given: Option<u64>, default| {
            Ok::<_, ConfigError>(within(setting, given, 1..=3600, SECONDS)?.map_or(default, Duration::from_secs))
        };
        let default = Limits::default();
        let bytes = "between 8192 and 1048576";
        let head = within("head-bytes-max", self.head_bytes_max, 8192..=1 << 20, bytes)?;
        let bytes = "between 8192 and 67108864";
        let body = within("body-bytes-max", self.body_bytes_max, 8192..=64 << 20, bytes)?;
        let count = "between 1 and 1000000";
        let connections = within("connections-max", self.connections_max, 1..=1_000_000, count)?;
        Ok(Limits {
            connections_max: connections.unwrap_or(default.connections_max),
            head_bytes_max: head.unwrap_or(default.head_bytes_max),
            body_bytes_max: body.unwrap_or(default.body_bytes_max),
            head_timeout: seconds("head-seconds-max", self.head_seconds_max, default.head_timeout)?,
            body_timeout: seconds("body-seconds-max", self.body_seconds_max, default.body_timeout)?,
            idle_timeout: seconds("idle-seconds-max", self.idle_seconds_max, default.idle_timeout)?,
            shutdown_timeout: seconds("shutdown-seconds-max", self.shutdown_seconds_max, default.shutdown_timeout)?,
        })
    }
}

impl AuditConfig {
    fn resolve(settings: AuditSettings) -> Result<Self, ConfigError> {
        let default = Self::default();
        let rule = "between 1 and 1048576";
        let segment = within("audit-segment-mib-max", settings.segment_mib_max, 1..=1 << 20, rule)?;
        let keep = within("audit-keep-mib", settings.keep_mib, 0..=1 << 30, "0 for all, or up to 1073741824")?;
        Ok(Self {
            segment_bytes_max: segment.map_or(default.segment_bytes_max, |mib| mib << 20),
            segment_hours_max: settings.segment_hours_max.unwrap_or(default.segment_hours_max),
            keep_days: within("audit-keep-days", settings.keep_days, 1..=36_500, "between 1 and 36500")?,
            keep: match keep {
                None => default.keep,
                Some(0) => Keep::All,
                Some(mib) => Keep::Bytes(mib << 20),
            },
            anchor: settings.anchor_file,
        })
    }

    /// The bytes that all segments in `directory` may take; `None` if none is removed.
    pub(crate) fn keep_bytes(&self, directory: &Path) -> Option<u64> {
        match self.keep {
            Keep::Safe => Space::of(directory).ok().map(Space::audit_bytes_max),
            Keep::All => None,
            Keep::Bytes(bytes) => Some(bytes),
        }
    }
}

fn within<T: PartialOrd>(
    setting: &'static str,
    given: Option<T>,
    allowed: std::ops::RangeInclusive<T>,
    rule: &'static str,
) -> Result<Option<T>, ConfigError> {
    match given {
        Some(value) if !allowed.contains(&value) => Err(ConfigError::Value { setting, rule }),
        given => Ok(given),
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_endpoint(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = rest.map(|rest| rest.trim_end_matches('/'));
    host.is_some_and(|host| !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/'))
}

#[cfg(test)]
mod tests;
