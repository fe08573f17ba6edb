//! TLS: the provider for rustls, and a local certificate authority for a server without certificates of its own.
//!
//! Refuses to know sockets, files and the time: the caller says what time it is.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _,
};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::{CryptoError, SecretBytes, hex, sha256};

/// How long the authority's own certificate is valid.
const AUTHORITY_DAYS: u32 = 3650;

/// How long a server's certificate is valid; clients refuse ones of more than 825 days.
const SERVER_DAYS: u32 = 397;

/// How far before the present a certificate begins, for clients whose clocks are behind.
const BACKDATE: Duration = Duration::from_secs(3600);

const DAY: Duration = Duration::from_secs(86_400);

/// The provider that every TLS configuration of the workspace uses.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// The one certificate in a PEM text.
///
/// # Errors
/// [`CryptoError::Certificate`] when there is none, or more than one.
pub fn certificate_der(pem: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| CryptoError::Certificate(error.to_string()))?;
    let [only] = found.as_slice() else {
        return Err(CryptoError::Certificate("the text holds not exactly one certificate".to_owned()));
    };
    // A text between the marks is not yet a certificate.
    rustls::server::ParsedCertificate::try_from(only).map_err(|error| CryptoError::Certificate(error.to_string()))?;
    Ok(only.to_vec())
}

/// A certificate authority of this server alone. Clients trust it through its certificate file.
pub struct LocalAuthority {
    key: AuthorityKey,
    certificate_pem: String,
}

/// The signing key, zeroised when dropped.
struct AuthorityKey(KeyPair);

impl Drop for AuthorityKey {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

impl LocalAuthority {
    /// Makes a key (ECDSA P-256) and a certificate that is valid for ten years from `now`.
    ///
    /// # Errors
    /// [`CryptoError::Certificate`].
    pub fn create(now: SystemTime) -> Result<Self, CryptoError> {
        let key = AuthorityKey(KeyPair::generate().map_err(certificate_error)?);
        let mut params = authority_params(&key.0);
        params.not_before = (now - BACKDATE).into();
        params.not_after = (now + DAY * AUTHORITY_DAYS).into();
        let certificate_pem = params.self_signed(&key.0).map_err(certificate_error)?.pem();
        Ok(Self { key, certificate_pem })
    }

    /// The authority whose [`key_pkcs8`](Self::key_pkcs8) and [`certificate_pem`](Self::certificate_pem) were kept.
    ///
    /// # Errors
    /// [`CryptoError::Certificate`] when the key cannot be read.
    pub fn restore(key_pkcs8: &SecretBytes, certificate_pem: &str) -> Result<Self, CryptoError> {
        let der = PrivatePkcs8KeyDer::from(key_pkcs8.expose());
        let key = KeyPair::try_from(&der).map_err(certificate_error)?;
        Ok(Self { key: AuthorityKey(key), certificate_pem: certificate_pem.to_owned() })
    }

    /// The signing key as PKCS#8, to be stored sealed.
    #[must_use]
    pub fn key_pkcs8(&self) -> SecretBytes {
        SecretBytes::from(self.key.0.serialized_der())
    }

    /// The certificate that clients are told to trust.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// Issues a server certificate for `localhost`, `127.0.0.1`, `::1` and the given DNS names and IP addresses.
    ///
    /// # Errors
    /// [`CryptoError::Certificate`] when a name is neither.
    pub fn issue_server(&self, names: &[String], now: SystemTime) -> Result<ServerIdentity, CryptoError> {
        let mut all: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(String::from).into();
        all.extend(names.iter().filter(|name| !all.contains(name)).cloned().collect::<Vec<_>>());
        let expires = now + DAY * SERVER_DAYS;
        let mut params = CertificateParams::new(all).map_err(certificate_error)?;
        params.distinguished_name = common_name("Sealstack server");
        params.not_before = (now - BACKDATE).into();
        params.not_after = expires.into();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = AuthorityKey(KeyPair::generate().map_err(certificate_error)?);
        let issuer = Issuer::new(authority_params(&self.key.0), &self.key.0);
        let certificate = params.signed_by(&key.0, &issuer).map_err(certificate_error)?;
        Ok(ServerIdentity {
            chain: vec![certificate.der().clone()],
            key_der: SecretBytes::from(key.0.serialized_der()),
            expires: Some(expires),
        })
    }
}

/// A server's certificate chain and its private key.
pub struct ServerIdentity {
    chain: Vec<CertificateDer<'static>>,
    key_der: SecretBytes,
    expires: Option<SystemTime>,
}

impl ServerIdentity {
    /// The operator's own certificate chain and key, both PEM.
    ///
    /// # Errors
    /// [`CryptoError::Certificate`] when either cannot be read.
    pub fn from_pem(chain_pem: &[u8], key_pem: &SecretBytes) -> Result<Self, CryptoError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain_pem).collect();
        let chain = chain.map_err(|error| CryptoError::Certificate(format!("the certificate file: {error}")))?;
        if chain.is_empty() {
            return Err(CryptoError::Certificate("the certificate file holds no certificate".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_slice(key_pem.expose());
        let key = key.map_err(|_| CryptoError::Certificate("the key file holds no private key".to_owned()))?;
        Ok(Self { chain, key_der: SecretBytes::from(key.secret_der()), expires: None })
    }

    /// When the certificate has to be replaced; unknown for an operator's own.
    #[must_use]
    pub const fn expires(&self) -> Option<SystemTime> {
        self.expires
    }

    /// A configuration for TLS 1.2 and 1.3 without client certificates that offers `protocols` by ALPN in that order.
    ///
    /// # Errors
    /// [`CryptoError::Certificate`] when the key is not the certificate's.
    pub fn server_config(&self, protocols: &[&[u8]]) -> Result<rustls::ServerConfig, CryptoError> {
        let key = PrivateKeyDer::try_from(self.key_der.expose());
        let key = key.map_err(|reason| CryptoError::Certificate(reason.to_owned()))?.clone_key();
        let config = rustls::ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(self.chain.clone(), key));
        let mut config = config.map_err(|error| CryptoError::Certificate(error.to_string()))?;
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(config)
    }
}

/// The authority's parameters follow from its key alone, so that a restored one signs exactly as it did when made.
fn authority_params(key: &KeyPair) -> CertificateParams {
    let [a, b, c, d, ..] = sha256(key.der_bytes());
    let name = format!("Sealstack local authority {}", hex::encode(&[a, b, c, d]));
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(&name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn certificate_error(error: rcgen::Error) -> CryptoError {
    CryptoError::Certificate(error.to_string())
}

#[cfg(test)]
mod tests;
