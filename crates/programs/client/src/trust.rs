//! Which certificate authorities a connection trusts.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::TransportError;

/// Which certificate authorities a connection trusts.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Those of the operating system.
    System,
    /// Those in this PEM text alone, as `AWS_CA_BUNDLE` means it.
    Only(Vec<u8>),
    /// Those of the operating system, and those in this PEM text.
    SystemAnd(Vec<u8>),
}

impl Trust {
    /// The configuration of a client that trusts them and speaks HTTP/1.1.
    pub(crate) fn client_config(&self) -> Result<rustls::ClientConfig, TransportError> {
        let mut roots = RootCertStore::empty();
        if matches!(self, Self::System | Self::SystemAnd(_)) {
            // Some certificates of a system may be unreadable; the others serve all the same.
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
        }
        if let Self::Only(pem) | Self::SystemAnd(pem) = self {
            let mut count = 0;
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|error| TransportError::Roots(error.to_string()))?;
                roots.add(certificate).map_err(|error| TransportError::Roots(error.to_string()))?;
                count += 1;
            }
            if count == 0 {
                return Err(TransportError::Roots("there is no certificate in it".to_owned()));
            }
        }
        if roots.is_empty() {
            return Err(TransportError::Roots("the operating system has none".to_owned()));
        }
        let mut config = rustls::ClientConfig::builder_with_provider(crypto::tls::provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| TransportError::Roots(error.to_string()))?
            .with_root_certificates(Arc::new(roots))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}
