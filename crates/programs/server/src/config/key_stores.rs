//! The tokens that key stores may be made in, and the proxies that may be called: tables of the TOML file alone.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::error::ConfigError;

/// A PKCS#11 token: `[hsm.cluster-…]`, by the name that callers give as `CloudHsmClusterId`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HsmSettings {
    /// The PKCS#11 module, a shared library.
    pub module: PathBuf,
    /// The token's label.
    pub token_label: String,
    /// The certificate that callers have to present as the token's, PEM; any certificate will do if not given.
    pub trust_anchor: Option<PathBuf>,
    /// How many calls run in the token at the same time.
    pub sessions: Option<usize>,
}

/// A proxy that may be called: `[xks."https://…"]`, by the URL that callers give as `XksProxyUriEndpoint`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct XksSettings {
    /// Its port.
    pub port: Option<u16>,
    /// The certificate authorities to trust for it, PEM; those of the system if not given.
    pub ca: Option<PathBuf>,
}

/// Tokens and proxies in which keys may be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyStoresConfig {
    /// The tokens, by their name.
    pub hsm: BTreeMap<String, HsmSettings>,
    /// The proxies, by their URL.
    pub xks: BTreeMap<String, XksSettings>,
}

/// How many calls may run in a token at the same time.
pub(crate) const SESSIONS: usize = 4;

impl KeyStoresConfig {
    pub(super) fn resolve(
        hsm: BTreeMap<String, HsmSettings>,
        xks: BTreeMap<String, XksSettings>,
    ) -> Result<Self, ConfigError> {
        if !hsm.keys().all(|name| is_cluster_id(name)) {
            let rule = "named cluster- and 11 to 16 letters or digits from 2 to 7, as in [hsm.cluster-vaultroomone]";
            return Err(ConfigError::Value { setting: "a table of hsm", rule });
        }
        if hsm.values().any(|token| token.sessions.is_some_and(|sessions| !(1..=64).contains(&sessions))) {
            return Err(ConfigError::Value { setting: "sessions of a table of hsm", rule: "between 1 and 64" });
        }
        if !xks.keys().all(|url| is_endpoint(url)) {
            let rule = "named by the proxy's URL, as in [xks.\"https://keys.example.com\"], without port and path";
            return Err(ConfigError::Value { setting: "a table of xks", rule });
        }
        Ok(Self { hsm, xks })
    }
}

fn is_cluster_id(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphabetic() || (b'2'..=b'7').contains(&byte);
    name.strip_prefix("cluster-").is_some_and(|rest| (11..=16).contains(&rest.len()) && rest.bytes().all(allowed))
}

fn is_endpoint(url: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    url.strip_prefix("https://").is_some_and(|host| !host.is_empty() && host.bytes().all(allowed))
}
