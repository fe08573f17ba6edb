//! A certificate authority of one server alone, for a server without certificates of its operator's.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crypto::SecretBytes;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _,
};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use crate::error::CertificateError;
use crate::hosts::HostIssuer;
use crate::identity::ServerIdentity;

/// How long the authority's own certificate is valid.
const AUTHORITY_DAYS: u32 = 3650;

/// How long a server's certificate is valid; clients refuse ones of more than 825 days.
pub(crate) const SERVER_DAYS: u32 = 397;

/// How far before the present a certificate begins, for clients whose clocks are behind.
const BACKDATE: Duration = Duration::from_secs(3600);

pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// A certificate authority of this server alone. Clients trust it through its certificate file.
pub struct LocalAuthority {
    pub(crate) key: Arc<AuthorityKey>,
    certificate_pem: String,
}

/// The signing key, zeroised when dropped.
pub(crate) struct AuthorityKey(pub(crate) KeyPair);

impl Drop for AuthorityKey {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

impl LocalAuthority {
    /// Makes a key (ECDSA P-256) and a certificate that is valid for ten years from `now`.
    ///
    /// # Errors
    /// [`CertificateError::Authority`].
    pub fn create(now: SystemTime) -> Result<Self, CertificateError> {
        let key = AuthorityKey(KeyPair::generate()?);
        let mut params = authority_params(&key.0);
        params.not_before = (now - BACKDATE).into();
        params.not_after = (now + DAY * AUTHORITY_DAYS).into();
        let certificate_pem = params.self_signed(&key.0)?.pem();
        Ok(Self { key: Arc::new(key), certificate_pem })
    }

    /// The authority whose [`key_pkcs8`](Self::key_pkcs8) and [`certificate_pem`](Self::certificate_pem) were stored.
    ///
    /// # Errors
    /// [`CertificateError::Authority`] when the key cannot be read.
    pub fn restore(key_pkcs8: &SecretBytes, certificate_pem: &str) -> Result<Self, CertificateError> {
        let der = PrivatePkcs8KeyDer::from(key_pkcs8.expose());
        let key = KeyPair::try_from(&der)?;
        Ok(Self { key: Arc::new(AuthorityKey(key)), certificate_pem: certificate_pem.to_owned() })
    }

    /// The signing key as PKCS#8, to be stored sealed.
    #[must_use]
    pub fn key_pkcs8(&self) -> SecretBytes {
        SecretBytes::from(self.key.0.serialized_der())
    }

    /// The certificate that clients have to trust.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// Issues a server certificate for `localhost`, `127.0.0.1`, `::1`, the given DNS names and IP addresses, and all hosts
    /// below the DNS names.
    ///
    /// # Errors
    /// [`CertificateError::Authority`] when a name is neither.
    pub fn issue_server(&self, names: &[String], now: SystemTime) -> Result<ServerIdentity, CertificateError> {
        let mut all: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(String::from).into();
        all.extend(names.iter().filter(|name| !all.contains(name)).cloned().collect::<Vec<_>>());
        let below = all.iter().filter(|name| name.parse::<IpAddr>().is_err());
        let below: Vec<_> = below.map(|name| name.to_ascii_lowercase()).collect();
        all.extend(below.iter().map(|name| format!("*.{name}")));
        let validity = Validity { begins: now - BACKDATE, expires: now + DAY * SERVER_DAYS };
        let key = Arc::new(AuthorityKey(KeyPair::generate()?));
        let chain = vec![issue(&self.key, &key, all, validity)?];
        let key_der = SecretBytes::from(key.0.serialized_der());
        let issuer = HostIssuer { authority: Arc::clone(&self.key), key, names: below, validity };
        Ok(ServerIdentity::issued(chain, key_der, issuer))
    }
}

/// When a certificate is valid.
#[derive(Clone, Copy)]
pub(crate) struct Validity {
    pub(crate) begins: SystemTime,
    pub(crate) expires: SystemTime,
}

/// Issues a certificate of `key` for these names.
pub(crate) fn issue(
    authority: &AuthorityKey,
    key: &AuthorityKey,
    names: Vec<String>,
    validity: Validity,
) -> Result<CertificateDer<'static>, CertificateError> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = common_name("Sealstack server");
    params.not_before = validity.begins.into();
    params.not_after = validity.expires.into();
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let issuer = Issuer::new(authority_params(&authority.0), &authority.0);
    Ok(params.signed_by(&key.0, &issuer)?.der().clone())
}

/// The authority's parameters follow from its key alone, so that a restored one signs exactly as it did when made.
pub(crate) fn authority_params(key: &KeyPair) -> CertificateParams {
    let [a, b, c, d, ..] = crypto::sha256(key.der_bytes());
    let name = format!("Sealstack local authority {}", crypto::hex::encode(&[a, b, c, d]));
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
