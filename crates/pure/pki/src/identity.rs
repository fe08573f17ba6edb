//! The identity that a server shows in TLS: its certificate chain and the key to it.

use std::sync::Arc;
use std::time::SystemTime;

use crypto::SecretBytes;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::error::CertificateError;
use crate::hosts::{HostCertificates, HostIssuer};

/// A server's certificate chain and its private key.
pub struct ServerIdentity {
    chain: Vec<CertificateDer<'static>>,
    key_der: SecretBytes,
    /// The means to issue certificates for hosts below the server's names; none with an operator's own.
    issuer: Option<HostIssuer>,
}

impl ServerIdentity {
    /// A certificate that was just issued, and its key as DER.
    pub(crate) const fn issued(chain: Vec<CertificateDer<'static>>, key_der: SecretBytes, issuer: HostIssuer) -> Self {
        Self { chain, key_der, issuer: Some(issuer) }
    }

    /// The operator's own certificate chain and key, both PEM.
    ///
    /// # Errors
    /// [`CertificateError::Chain`], [`CertificateError::NoCertificate`], [`CertificateError::NoKey`].
    pub fn from_pem(chain_pem: &[u8], key_pem: &SecretBytes) -> Result<Self, CertificateError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain_pem).collect();
        let chain = chain.map_err(|error| CertificateError::Chain(error.to_string()))?;
        if chain.is_empty() {
            return Err(CertificateError::NoCertificate);
        }
        let key = PrivateKeyDer::from_pem_slice(key_pem.expose());
        let key = key.map_err(|_| CertificateError::NoKey)?;
        Ok(Self { chain, key_der: SecretBytes::from(key.secret_der()), issuer: None })
    }

    /// When the certificate has to be replaced; unknown for an operator's own.
    #[must_use]
    pub fn expires(&self) -> Option<SystemTime> {
        self.issuer.as_ref().map(HostIssuer::expires)
    }

    /// A configuration for TLS 1.2 and 1.3 without client certificates that offers `protocols` by ALPN in that order.
    ///
    /// # Errors
    /// [`CertificateError::Unusable`], such as when the key is not the certificate's.
    pub fn server_config(&self, protocols: &[&[u8]]) -> Result<rustls::ServerConfig, CertificateError> {
        let key = PrivateKeyDer::try_from(self.key_der.expose());
        let key = key.map_err(|reason| CertificateError::Unusable(reason.to_owned()))?.clone_key();
        let unusable = |error: rustls::Error| CertificateError::Unusable(error.to_string());
        let builder = rustls::ServerConfig::builder_with_provider(crypto::tls::provider());
        let builder = builder.with_safe_default_protocol_versions().map_err(unusable)?.with_no_client_auth();
        let mut config = match &self.issuer {
            None => builder.with_single_cert(self.chain.clone(), key).map_err(unusable)?,
            Some(issuer) => {
                let own =
                    CertifiedKey::from_der(self.chain.clone(), key, &crypto::tls::provider()).map_err(unusable)?;
                builder.with_cert_resolver(Arc::new(HostCertificates::new(issuer.clone(), own)))
            }
        };
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(config)
    }
}
