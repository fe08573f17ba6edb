//! A certificate authority of one server alone, for a server without certificates of its operator's.

use std::time::{Duration, SystemTime};

use crypto::SecretBytes;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _,
};
use rustls::pki_types::PrivatePkcs8KeyDer;

use crate::error::CertificateError;
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
    pub(crate) key: AuthorityKey,
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
        Ok(Self { key, certificate_pem })
    }

    /// The authority whose [`key_pkcs8`](Self::key_pkcs8) and [`certificate_pem`](Self::certificate_pem) were stored.
    ///
    /// # Errors
    /// [`CertificateError::Authority`] when the key cannot be read.
    pub fn restore(key_pkcs8: &SecretBytes, certificate_pem: &str) -> Result<Self, CertificateError> {
        let der = PrivatePkcs8KeyDer::from(key_pkcs8.expose());
        let key = KeyPair::try_from(&der)?;
        Ok(Self { key: AuthorityKey(key), certificate_pem: certificate_pem.to_owned() })
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

    /// Issues a server certificate for `localhost`, `127.0.0.1`, `::1` and the given DNS names and IP addresses.
    ///
    /// # Errors
    /// [`CertificateError::Authority`] when a name is neither.
    pub fn issue_server(&self, names: &[String], now: SystemTime) -> Result<ServerIdentity, CertificateError> {
        let mut all: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(String::from).into();
        all.extend(names.iter().filter(|name| !all.contains(name)).cloned().collect::<Vec<_>>());
        let expires = now + DAY * SERVER_DAYS;
        let mut params = CertificateParams::new(all)?;
        params.distinguished_name = common_name("Sealstack server");
        params.not_before = (now - BACKDATE).into();
        params.not_after = expires.into();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = AuthorityKey(KeyPair::generate()?);
        let issuer = Issuer::new(authority_params(&self.key.0), &self.key.0);
        let certificate = params.signed_by(&key.0, &issuer)?;
        let chain = vec![certificate.der().clone()];
        Ok(ServerIdentity::issued(chain, SecretBytes::from(key.0.serialized_der()), expires))
    }
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
