//! Certificates for hosts below a server's names, such as `photos.localhost`, issued when a client first asks for one.
//!
//! A wildcard would not do: OpenSSL takes none right below a name of one label, and no wildcard stands for several
//! labels. Refuses to issue for any other name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SigningKey};

use crate::authority::{AuthorityKey, Validity, issue};
use crate::error::CertificateError;

/// How many certificates are cached; others are issued anew.
const ISSUED_MAX: usize = 1024;

/// The longest host name, in bytes.
const NAME_BYTES_MAX: usize = 253;

/// The means to issue certificates for hosts below names.
#[derive(Clone)]
pub(crate) struct HostIssuer {
    pub(crate) authority: Arc<AuthorityKey>,
    /// The server's key: that of every certificate.
    pub(crate) key: Arc<AuthorityKey>,
    /// DNS names in lower case.
    pub(crate) names: Vec<String>,
    pub(crate) validity: Validity,
}

impl HostIssuer {
    pub(crate) const fn expires(&self) -> SystemTime {
        self.validity.expires
    }

    /// Whether a host, in lower case, is below one of the names.
    fn is_below(&self, host: &str) -> bool {
        let below = |name: &String| host.strip_suffix(name.as_str()).is_some_and(|rest| rest.ends_with('.'));
        host.len() <= NAME_BYTES_MAX && self.names.iter().any(below)
    }
}

/// Shows a server's own certificate, and one of its own for each host below the server's names.
pub(crate) struct HostCertificates {
    issuer: HostIssuer,
    own: Arc<CertifiedKey>,
    signing_key: Arc<dyn SigningKey>,
    issued: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl HostCertificates {
    pub(crate) fn new(issuer: HostIssuer, own: CertifiedKey) -> Self {
        let signing_key = Arc::clone(&own.key);
        Self { issuer, own: Arc::new(own), signing_key, issued: Mutex::default() }
    }

    fn of(&self, host: &str) -> Result<Arc<CertifiedKey>, CertificateError> {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = issued.get(host) {
            return Ok(Arc::clone(known));
        }
        let certificate = issue(&self.issuer.authority, &self.issuer.key, vec![host.to_owned()], self.issuer.validity)?;
        let made = Arc::new(CertifiedKey::new(vec![certificate], Arc::clone(&self.signing_key)));
        if issued.len() >= ISSUED_MAX {
            issued.clear();
        }
        issued.insert(host.to_owned(), Arc::clone(&made));
        Ok(made)
    }
}

impl std::fmt::Debug for HostCertificates {
    /// Leaves out the keys.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("HostCertificates").field("names", &self.issuer.names).finish_non_exhaustive()
    }
}

impl ResolvesServerCert for HostCertificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // rustls takes host names only, and gives them in lower case or as sent: both are compared in lower case.
        let host = hello.server_name().map(str::to_ascii_lowercase);
        let host = host.filter(|host| self.issuer.is_below(host));
        // A name that cannot stand in a certificate gets the server's own, which the client then refuses.
        Some(host.and_then(|host| self.of(&host).ok()).unwrap_or_else(|| Arc::clone(&self.own)))
    }
}
