//! The server's certificate: the operator's own, or one that the local authority issues, renewed while the server runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use pki::{LocalAuthority, ServerIdentity};
use tokio_rustls::TlsAcceptor;

use crate::error::FrontError;
use crate::private_file;

/// Protocols offered by ALPN, in order of preference.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// How long before its end a certificate of the local authority is replaced.
const RENEWAL: Duration = Duration::from_secs(30 * 86_400);

/// The certificate in use, and how to get the next.
pub struct Certificates {
    source: RwLock<CertificateSource>,
    current: RwLock<Current>,
}

/// Where certificates come from.
pub enum CertificateSource {
    /// This server's own authority, for these names.
    Local(LocalAuthority, Vec<String>),
    /// The operator's files.
    Own(OwnCertificate),
}

/// The operator's own certificate and key.
#[derive(Clone, Debug)]
pub struct OwnCertificate {
    /// The chain, PEM.
    pub chain: PathBuf,
    /// The key, PEM.
    pub key: PathBuf,
}

struct Current {
    acceptor: TlsAcceptor,
    expires: Option<SystemTime>,
    modified: Option<SystemTime>,
}

impl Certificates {
    /// Takes the first certificate from `source`.
    ///
    /// # Errors
    /// [`FrontError::Certificate`], and those of reading the operator's files.
    pub fn new(source: CertificateSource) -> Result<Self, FrontError> {
        let current = RwLock::new(source.obtain(SystemTime::now())?);
        Ok(Self { source: RwLock::new(source), current })
    }

    /// Takes certificates from another source from now on.
    ///
    /// # Errors
    /// Those of [`new`](Self::new); the certificate in use stays.
    pub fn replace(&self, source: CertificateSource) -> Result<(), FrontError> {
        let current = source.obtain(SystemTime::now())?;
        *self.source.write().unwrap_or_else(PoisonError::into_inner) = source;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = current;
        Ok(())
    }

    /// The acceptor that performs the handshake of a new connection.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.current.read().unwrap_or_else(PoisonError::into_inner).acceptor.clone()
    }

    /// Replaces the certificate when it ends soon, or when the operator's files have changed. Returns whether it
    /// did.
    ///
    /// # Errors
    /// Those of [`new`](Self::new); the certificate in use stays.
    pub fn renew(&self, now: SystemTime) -> Result<bool, FrontError> {
        let source = self.source.read().unwrap_or_else(PoisonError::into_inner);
        let due = {
            let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
            let ends = current.expires.is_some_and(|expires| now + RENEWAL >= expires);
            ends || current.modified != source.modified()
        };
        if due {
            let next = source.obtain(now)?;
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        }
        Ok(due)
    }
}

impl CertificateSource {
    fn obtain(&self, now: SystemTime) -> Result<Current, FrontError> {
        // Before the files are read: a change that comes in between is seen the next time.
        let modified = self.modified();
        let identity = match self {
            Self::Local(authority, names) => authority.issue_server(names, now),
            Self::Own(files) => {
                let chain = read(&files.chain)?;
                let key = private_file::read(&files.key)?;
                ServerIdentity::from_pem(&chain, &key)
            }
        };
        let identity = identity.map_err(FrontError::Certificate)?;
        let config = identity.server_config(&PROTOCOLS).map_err(FrontError::Certificate)?;
        Ok(Current { acceptor: TlsAcceptor::from(Arc::new(config)), expires: identity.expires(), modified })
    }

    /// When the operator's files last changed; `None` for the local authority, and while a file is missing.
    fn modified(&self) -> Option<SystemTime> {
        let Self::Own(files) = self else { return None };
        let modified = |path: &Path| std::fs::metadata(path).and_then(|found| found.modified()).ok();
        Some(modified(&files.chain)?.max(modified(&files.key)?))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, FrontError> {
    std::fs::read(path).map_err(|cause| FrontError::Read { path: path.to_owned(), cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_renewed_before_it_ends_and_not_earlier() {
        let now = SystemTime::now();
        let authority = LocalAuthority::create(now).expect("an authority");
        let certificates = Certificates::new(CertificateSource::Local(authority, Vec::new())).expect("a certificate");
        let days = |days: u64| now + Duration::from_secs(days * 86_400);
        assert!(!certificates.renew(days(300)).expect("checked"));
        assert!(certificates.renew(days(390)).expect("renewed"));
        assert!(!certificates.renew(days(390)).expect("checked"));
    }

    #[test]
    fn files_that_hold_no_certificate_are_named_as_the_reason() {
        let dir = tempfile::tempdir().expect("a directory");
        let files = OwnCertificate { chain: dir.path().join("chain.pem"), key: dir.path().join("key.pem") };
        let error = Certificates::new(CertificateSource::Own(files.clone())).err().expect("missing");
        assert!(error.to_string().contains("chain.pem"), "{error}");
        std::fs::write(&files.chain, "").expect("a file");
        std::fs::write(&files.key, "").expect("a file");
        assert!(matches!(Certificates::new(CertificateSource::Own(files)), Err(FrontError::Certificate(_))));
    }
}
