//! X.509 certificates for TLS: a local authority for servers without certificates of their own, and the identity that a
//! server shows.
//!
//! The only crate that names the certificate library. Refuses to know sockets, files and the time: the caller says what
//! time it is.

mod authority;
mod certificate;
mod error;
mod hosts;
mod identity;

pub use authority::LocalAuthority;
pub use certificate::certificate_der;
pub use error::CertificateError;
pub use identity::ServerIdentity;

#[cfg(test)]
mod tests;
