//! Certificates of others, read as far as they have to be compared.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::error::CertificateError;

/// The one certificate in a PEM text, as DER.
///
/// # Errors
/// [`CertificateError::NotOne`], [`CertificateError::Unreadable`].
pub fn certificate_der(pem: &[u8]) -> Result<Vec<u8>, CertificateError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| CertificateError::Unreadable(error.to_string()))?;
    let [only] = found.as_slice() else {
        return Err(CertificateError::NotOne);
    };
    // A text between the marks is not yet a certificate.
    let parsed = rustls::server::ParsedCertificate::try_from(only);
    parsed.map_err(|error| CertificateError::Unreadable(error.to_string()))?;
    Ok(only.to_vec())
}
