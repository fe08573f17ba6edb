//! Every setting once: a field is a flag, an environment variable and a key of the TOML file, with one text of help.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

use super::key_stores::{HsmSettings, XksSettings};
use super::triggers::TriggerSettings;

/// Declares a group of settings whose fields may all be left out, and how one group lies over another.
macro_rules! settings {
    ($(#[$attribute:meta])* $name:ident { $($(#[$field_attribute:meta])* $field:ident: $kind:ty,)* }) => {
        #[derive(clap::Args, Clone, Debug, Default, Deserialize, PartialEq, Eq)]
        $(#[$attribute])*
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name { $($(#[$field_attribute])* pub $field: Option<$kind>,)* }

        impl $name {
            /// These settings where given, and those of `lower` where not.
            #[must_use]
            pub fn over(self, lower: Self) -> Self {
                Self { $($field: self.$field.or(lower.$field),)* }
            }
        }
    };
}

/// Everything that can be set for `serve`.
#[derive(clap::Args, Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The data directory; only in a file named by `--config`.
    #[arg(skip)]
    pub data: Option<PathBuf>,

    /// Address and port to listen on [default: 127.0.0.1:4566]
    ///
    /// TLS and plain HTTP share the port. Plain HTTP is answered on loopback only.
    #[arg(long, value_name = "ADDR:PORT", env = "SEALSTACK_LISTEN", hide_env_values = true, value_parser = address)]
    pub listen: Option<SocketAddr>,

    /// Address and port for Git over SSH; without it Git is served over HTTPS alone
    #[arg(long, value_name = "ADDR:PORT", env = "SEALSTACK_SSH_LISTEN", hide_env_values = true, value_parser = address)]
    pub ssh_listen: Option<SocketAddr>,

    /// Answer plain HTTP off loopback too
    ///
    /// Requests and answers, plaintext keys among them, then cross the network readable. For a trusted network, or
    /// behind a proxy that ends TLS.
    #[arg(long, value_name = "BOOL", env = "SEALSTACK_ALLOW_PLAIN_HTTP", hide_env_values = true)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub allow_plain_http: Option<bool>,

    /// URL that clients are told [default: https:// and the address listened on]
    #[arg(long, value_name = "URL", env = "SEALSTACK_ENDPOINT_URL", hide_env_values = true)]
    pub endpoint_url: Option<String>,

    /// Region that clients are told; all of AWS's are served [default: us-east-1]
    #[arg(long, value_name = "REGION", env = "SEALSTACK_REGION", hide_env_values = true)]
    pub region: Option<String>,

    /// Regions to serve besides AWS's, such as home-1; may be repeated
    ///
    /// Calls that are signed for any other are refused: keys of each Region are wrapped under a domain key of its own.
    #[arg(long, value_name = "REGION", value_delimiter = ',', env = "SEALSTACK_REGIONS", hide_env_values = true)]
    pub regions: Option<Vec<String>>,

    /// Account to make at the first start, twelve digits [default: random]
    #[arg(long, value_name = "ID", env = "SEALSTACK_ACCOUNT", hide_env_values = true)]
    pub account: Option<String>,

    /// File with accounts, people, keys and policies to make at the first start, TOML
    ///
    /// Ids, access keys and key material can be given, so that a test suite meets the same world every time.
    #[arg(long, value_name = "FILE", env = "SEALSTACK_SEED", hide_env_values = true, conflicts_with = "account")]
    pub seed: Option<PathBuf>,

    /// Keep everything in memory: when the server ends, its world does
    ///
    /// For tests. The data directory is left alone.
    #[arg(long, value_name = "BOOL", env = "SEALSTACK_EPHEMERAL", hide_env_values = true)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub ephemeral: Option<bool>,

    /// Days for which a region's domain key serves, under which key material is wrapped, until a new one takes over
    /// [default: 365]
    #[arg(long, value_name = "DAYS", env = "SEALSTACK_DOMAIN_KEY_DAYS", hide_env_values = true)]
    pub domain_key_days: Option<u32>,

    /// Worker threads [default: one for each core]
    #[arg(long, value_name = "COUNT", env = "SEALSTACK_WORKERS", hide_env_values = true)]
    pub workers: Option<usize>,

    /// The root seal.
    #[command(flatten)]
    pub seal: SealSettings,

    /// The server's certificate.
    #[command(flatten)]
    pub tls: TlsSettings,

    /// The PKCS#11 tokens that key stores may be made in, by name; only in a file.
    #[arg(skip)]
    pub hsm: Option<BTreeMap<String, HsmSettings>>,

    /// The external key store proxies that may be called, by URL; only in a file.
    #[arg(skip)]
    pub xks: Option<BTreeMap<String, XksSettings>>,

    /// Where the events of repositories' triggers go, by the ARN of the destination; only in a file.
    #[arg(skip)]
    pub triggers: Option<BTreeMap<String, TriggerSettings>>,

    /// Where blobs lie, a directory or `s3://BUCKET/PREFIX?endpoint=URL&region=NAME&profile=NAME`; only in a file.
    #[arg(skip)]
    pub blobs: Option<String>,

    /// Bounds.
    #[command(flatten)]
    pub limits: LimitSettings,

    /// The audit log.
    #[command(flatten)]
    pub audit: AuditSettings,

    /// The log.
    #[command(flatten)]
    pub log: LogSettings,
}

impl Settings {
    /// These settings where given, and those of `lower` where not.
    #[must_use]
    pub fn over(self, lower: Self) -> Self {
        Self {
            data: self.data.or(lower.data),
            listen: self.listen.or(lower.listen),
            allow_plain_http: self.allow_plain_http.or(lower.allow_plain_http),
            endpoint_url: self.endpoint_url.or(lower.endpoint_url),
            region: self.region.or(lower.region),
            regions: self.regions.or(lower.regions),
            account: self.account.or(lower.account),
            seed: self.seed.or(lower.seed),
            ephemeral: self.ephemeral.or(lower.ephemeral),
            domain_key_days: self.domain_key_days.or(lower.domain_key_days),
            workers: self.workers.or(lower.workers),
            seal: self.seal.over(lower.seal),
            tls: self.tls.over(lower.tls),
            hsm: self.hsm.or(lower.hsm),
            xks: self.xks.or(lower.xks),
            triggers: self.triggers.or(lower.triggers),
            blobs: self.blobs.or(lower.blobs),
            ssh_listen: self.ssh_listen.or(lower.ssh_listen),
            limits: self.limits.over(lower.limits),
            audit: self.audit.over(lower.audit),
            log: self.log.over(lower.log),
        }
    }
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "expected an IP address and a port, such as 127.0.0.1:4566 or [::]:4566")
}

/// Where the root key comes from.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum SealKind {
    /// A file with a random key, made at the first start
    KeyFile,
    /// A passphrase that is given at every start
    Passphrase,
    /// Shares of a key, which people give to `sealstack unseal` after every start; `sealstack seal split` makes them
    Shares,
    /// A key of AWS KMS or of another Sealstack, called at every start
    Kms,
    /// A key in a PKCS#11 token, such as a hardware security module
    Token,
}

settings! {
    /// The root seal: what every other key is wrapped under.
    #[command(next_help_heading = "Root seal")]
    SealSettings {
        /// Kind of root seal [default: the one that there is; at the first start key-file]
        #[arg(id = "seal.kind", long = "seal", value_name = "KIND", env = "SEALSTACK_SEAL", hide_env_values = true)]
        kind: SealKind,

        /// Key file of the root seal [default: seal/root.key in the data directory]
        ///
        /// Best kept on another disk than the data: whoever has both can read everything, and without the key file
        /// nobody can read anything.
        #[arg(id = "seal.file", long = "seal-file", value_name = "FILE", env = "SEALSTACK_SEAL_FILE", hide_env_values = true)]
        file: PathBuf,

        /// File that holds the passphrase; otherwise the variable SEALSTACK_SEAL_PASSPHRASE does
        #[arg(id = "seal.passphrase_file", long = "seal-passphrase-file", value_name = "FILE")]
        #[arg(env = "SEALSTACK_SEAL_PASSPHRASE_FILE", hide_env_values = true)]
        passphrase_file: PathBuf,

        /// Key of another key service to make the seal with: id, alias or ARN; an ARN also says where it is by now
        #[arg(id = "seal.kms_key", long = "seal-kms-key", value_name = "KEY", env = "SEALSTACK_SEAL_KMS_KEY", hide_env_values = true)]
        kms_key: String,

        /// Profile of the AWS configuration for calling that service: credentials, endpoint, certificates
        /// [default: as AWS's tools choose]
        #[arg(id = "seal.kms_profile", long = "seal-kms-profile", value_name = "NAME")]
        #[arg(env = "SEALSTACK_SEAL_KMS_PROFILE", hide_env_values = true)]
        kms_profile: String,

        /// PKCS#11 module of the token, a shared library
        #[arg(id = "seal.token_module", long = "seal-token-module", value_name = "FILE")]
        #[arg(env = "SEALSTACK_SEAL_TOKEN_MODULE", hide_env_values = true)]
        token_module: PathBuf,

        /// Label of the token
        #[arg(id = "seal.token", long = "seal-token", value_name = "LABEL", env = "SEALSTACK_SEAL_TOKEN", hide_env_values = true)]
        token: String,

        /// Label of the key in the token, made there when it has none [default: sealstack-root]
        #[arg(id = "seal.token_key", long = "seal-token-key", value_name = "LABEL")]
        #[arg(env = "SEALSTACK_SEAL_TOKEN_KEY", hide_env_values = true)]
        token_key: String,

        /// File that holds the token's PIN; otherwise the variable SEALSTACK_SEAL_PIN does
        #[arg(id = "seal.pin_file", long = "seal-pin-file", value_name = "FILE")]
        #[arg(env = "SEALSTACK_SEAL_PIN_FILE", hide_env_values = true)]
        pin_file: PathBuf,
    }
}

settings! {
    /// The server's certificate.
    #[command(next_help_heading = "TLS")]
    TlsSettings {
        /// Your own certificate chain, PEM [default: one from the local authority]
        ///
        /// Read again when it changes.
        #[arg(id = "tls.certificate", long = "tls-certificate", value_name = "FILE")]
        #[arg(env = "SEALSTACK_TLS_CERTIFICATE", hide_env_values = true)]
        certificate: PathBuf,

        /// The key of your own certificate, PEM
        #[arg(id = "tls.key", long = "tls-key", value_name = "FILE", env = "SEALSTACK_TLS_KEY", hide_env_values = true)]
        key: PathBuf,

        /// DNS name or IP address for the local authority's certificate; may be repeated
        #[arg(id = "tls.names", long = "tls-name", value_name = "NAME", value_delimiter = ',')]
        #[arg(env = "SEALSTACK_TLS_NAMES", hide_env_values = true)]
        names: Vec<String>,
    }
}

settings! {
    /// Bounds on what strangers can make the server do.
    #[command(next_help_heading = "Limits")]
    LimitSettings {
        /// Open connections; when all are taken, the host with most gives up the one that waits longest [default: 4096]
        #[arg(long, value_name = "COUNT", env = "SEALSTACK_CONNECTIONS_MAX", hide_env_values = true)]
        connections_max: usize,

        /// Bytes of a request's line and headers [default: 32768]
        #[arg(long, value_name = "BYTES", env = "SEALSTACK_HEAD_BYTES_MAX", hide_env_values = true)]
        head_bytes_max: usize,

        /// Bytes of a request's body; most operations take less [default: 1048576]
        #[arg(long, value_name = "BYTES", env = "SEALSTACK_BODY_BYTES_MAX", hide_env_values = true)]
        body_bytes_max: usize,

        /// Seconds for a request's headers to arrive, a TLS handshake included [default: 10]
        #[arg(long, value_name = "SECONDS", env = "SEALSTACK_HEAD_SECONDS_MAX", hide_env_values = true)]
        head_seconds_max: u64,

        /// Seconds for a request's body to arrive [default: 30]
        #[arg(long, value_name = "SECONDS", env = "SEALSTACK_BODY_SECONDS_MAX", hide_env_values = true)]
        body_seconds_max: u64,

        /// Seconds for which a connection may rest between requests [default: 90]
        #[arg(long, value_name = "SECONDS", env = "SEALSTACK_IDLE_SECONDS_MAX", hide_env_values = true)]
        idle_seconds_max: u64,

        /// Seconds that running requests get after SIGTERM [default: 10]
        #[arg(long, value_name = "SECONDS", env = "SEALSTACK_SHUTDOWN_SECONDS_MAX", hide_env_values = true)]
        shutdown_seconds_max: u64,
    }
}

settings! {
    /// How the audit log is cut and kept.
    #[command(next_help_heading = "Audit log")]
    AuditSettings {
        /// Size at which a segment is closed and compressed, in MiB [default: 64]
        #[arg(id = "audit.segment_mib_max", long = "audit-segment-mib-max", value_name = "MIB")]
        #[arg(env = "SEALSTACK_AUDIT_SEGMENT_MIB_MAX", hide_env_values = true)]
        segment_mib_max: u64,

        /// Age at which a segment is closed, in hours; 0 is never [default: 24]
        #[arg(id = "audit.segment_hours_max", long = "audit-segment-hours-max", value_name = "HOURS")]
        #[arg(env = "SEALSTACK_AUDIT_SEGMENT_HOURS_MAX", hide_env_values = true)]
        segment_hours_max: u32,

        /// Days for which closed segments are kept [default: for ever]
        #[arg(id = "audit.keep_days", long = "audit-keep-days", value_name = "DAYS")]
        #[arg(env = "SEALSTACK_AUDIT_KEEP_DAYS", hide_env_values = true)]
        keep_days: u32,

        /// MiB that all segments may take, the oldest go first; 0 keeps all [default: a quarter of the file system]
        ///
        /// A disk that fills up refuses every change. On a small file system the default is 1 GiB, or half of it.
        #[arg(id = "audit.keep_mib", long = "audit-keep-mib", value_name = "MIB")]
        #[arg(env = "SEALSTACK_AUDIT_KEEP_MIB", hide_env_values = true)]
        keep_mib: u64,

        /// File on another disk or host that says where database and audit log stand
        ///
        /// Written about once a second, sealed. With it the start refuses a data directory that was put back as a whole,
        /// which nothing within the directory could tell.
        #[arg(id = "audit.anchor_file", long = "audit-anchor-file", value_name = "FILE")]
        #[arg(env = "SEALSTACK_AUDIT_ANCHOR_FILE", hide_env_values = true)]
        anchor_file: PathBuf,
    }
}

/// How the log looks.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// A line for people
    #[default]
    Text,
    /// A JSON object a line
    Json,
}

settings! {
    /// The log, on standard error.
    #[command(next_help_heading = "Log")]
    LogSettings {
        /// What to log: error, warn, info, debug or trace, also by module [default: info]
        #[arg(id = "log.level", long = "log", value_name = "FILTER", env = "SEALSTACK_LOG", hide_env_values = true)]
        level: String,

        /// How to write it [default: text]
        #[arg(id = "log.format", long = "log-format", value_name = "FORMAT", env = "SEALSTACK_LOG_FORMAT", hide_env_values = true)]
        format: LogFormat,
    }
}
