//! `sealstack xks-proxy`: an external key store proxy in front of a PKCS#11 token.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use server::ServerError;
use server::config::LogSettings;
use wire::shown_path;
use xks_proxy::{OwnCertificate, ProxyConfig, ProxyError, TokenConfig};

use crate::failure::Failure;
use crate::print;

/// Hold keys in a PKCS#11 token for AWS KMS, or for another Sealstack
///
/// Answers the external key store proxy API, version 1. A key store there (CreateCustomKeyStore, type
/// EXTERNAL_KEY_STORE) uses the token's AES-256 keys by their labels; no key leaves the token.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct XksProxy {
    /// Address and port to listen on
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8443")]
    listen: SocketAddr,

    /// The PKCS#11 module, a shared library of the token's maker
    #[arg(long, value_name = "FILE", required_unless_present = "create_credential")]
    module: Option<PathBuf>,

    /// The token's label
    #[arg(long, value_name = "LABEL", required_unless_present = "create_credential")]
    token_label: Option<String>,

    /// File that holds the PIN of the token's user; nobody else may read it
    #[arg(long, value_name = "FILE", required_unless_present = "create_credential")]
    pin_file: Option<PathBuf>,

    /// What stands before /kms/xks/v1 in the path of the API, such as /example
    #[arg(long, value_name = "PATH", default_value = "")]
    uri_prefix: String,

    /// File with a credential that is accepted; may be repeated, and is read again when it changes
    #[arg(long = "credential", value_name = "FILE")]
    credentials: Vec<PathBuf>,

    /// The certificate chain, PEM; read again when it changes
    #[arg(long, value_name = "FILE")]
    tls_certificate: Option<PathBuf>,

    /// The certificate's key, PEM
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,

    /// How many calls run in the token at the same time
    #[arg(long, value_name = "COUNT", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    sessions: u8,

    /// Make a key with this label in the token, and end
    #[arg(long, value_name = "LABEL")]
    create_key: Option<String>,

    /// Make a credential file, and end
    #[arg(long, value_name = "FILE", conflicts_with = "create_key")]
    create_credential: Option<PathBuf>,

    #[command(flatten)]
    log: LogSettings,
}

const AFTER_HELP: &str = "\
Examples:
  sealstack xks-proxy --create-credential xks.json --uri-prefix /example
  sealstack xks-proxy --module /usr/lib/softhsm/libsofthsm2.so --token-label keys --pin-file pin --create-key key-1
  sealstack xks-proxy --listen 0.0.0.0:443 --module /usr/lib/softhsm/libsofthsm2.so --token-label keys --pin-file pin \\
    --uri-prefix /example --credential xks.json --tls-certificate chain.pem --tls-key key.pem";

impl XksProxy {
    pub(crate) fn run(self) -> Result<(), Failure> {
        server::log::start(&self.log).map_err(ServerError::from)?;
        if let Some(path) = &self.create_credential {
            xks_proxy::create_credential(path, &self.uri_prefix)?;
            return Ok(print(&format!("Made {}.\n", shown_path(path)))?);
        }
        let missing = |setting| ProxyError::Setting { setting, rule: "given" };
        let token = TokenConfig {
            module: self.module.ok_or_else(|| missing("module"))?,
            label: self.token_label.ok_or_else(|| missing("token-label"))?,
        };
        let pin_file = self.pin_file.ok_or_else(|| missing("pin-file"))?;
        if let Some(label) = &self.create_key {
            xks_proxy::create_key(token, &pin_file, label)?;
            return Ok(print(&format!("Made the key {label} in the token.\n"))?);
        }
        if self.credentials.is_empty() {
            return Err(missing("credential").into());
        }
        let config = ProxyConfig {
            listen: self.listen,
            uri_prefix: self.uri_prefix,
            token,
            pin_file,
            credentials: self.credentials,
            tls: OwnCertificate {
                chain: self.tls_certificate.ok_or_else(|| missing("tls-certificate"))?,
                key: self.tls_key.ok_or_else(|| missing("tls-key"))?,
            },
            sessions: usize::from(self.sessions),
        };
        xks_proxy::run(config, |address| {
            // The proxy runs whether or not anybody reads this.
            let _ = print(&format!("The proxy answers at https://{address}\n"));
        })?;
        Ok(())
    }
}
