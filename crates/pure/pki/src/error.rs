//! Why a certificate or its key cannot be used.

/// Why a certificate or its key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The text is no PEM, or the certificate in it is none.
    #[error("{0}")]
    Unreadable(String),
    /// The text holds no certificate, or several, and one was expected.
    #[error("the text holds not exactly one certificate")]
    NotOne,
    /// The certificate file is no PEM.
    #[error("the certificate file: {0}")]
    Chain(String),
    /// The certificate file holds no certificate.
    #[error("the certificate file holds no certificate")]
    NoCertificate,
    /// The key file holds no private key.
    #[error("the key file holds no private key")]
    NoKey,
    /// TLS cannot be spoken with the certificate and the key.
    #[error("{0}")]
    Unusable(String),
    /// A key or a certificate cannot be made.
    #[error("{0}")]
    Authority(#[from] rcgen::Error),
}
