use std::io::{Cursor, Read as _, Write as _};
use std::sync::Arc;
use std::time::SystemTime;

use crypto::SecretBytes;
use crypto::tls::provider;
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConnection};

use super::*;
use crate::authority::{DAY, SERVER_DAYS, authority_params};

fn now() -> SystemTime {
    SystemTime::now()
}

fn server_names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// Shakes hands in memory; returns the protocol agreed on, or why the client refused.
fn shake_hands(
    identity: &ServerIdentity,
    trusted_pem: &str,
    name: &str,
    protocols: &[&[u8]],
) -> Result<Option<Vec<u8>>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(trusted_pem.as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
    let server = identity.server_config(&[b"h2", b"http/1.1"]).unwrap();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut Cursor::new(&wire)).unwrap();
        server.process_new_packets()?;
        wire.clear();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut Cursor::new(&wire)).unwrap();
        client.process_new_packets()?;
    }
    let mut wire = Vec::new();
    client.writer().write_all(b"hello").unwrap();
    client.write_tls(&mut wire).unwrap();
    server.read_tls(&mut Cursor::new(&wire)).unwrap();
    server.process_new_packets()?;
    let mut heard = [0; 5];
    server.reader().read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"hello");
    Ok(client.alpn_protocol().map(<[u8]>::to_vec))
}

#[test]
fn clients_that_trust_the_authority_accept_every_name_it_certified() {
    let authority = LocalAuthority::create(now()).unwrap();
    let identity = authority.issue_server(&server_names(&["kms.example", "10.1.2.3", "localhost"]), now()).unwrap();
    for name in ["localhost", "127.0.0.1", "::1", "kms.example", "10.1.2.3"] {
        let agreed = shake_hands(&identity, authority.certificate_pem(), name, &[b"http/1.1"]).unwrap();
        assert_eq!(agreed.as_deref(), Some(&b"http/1.1"[..]), "{name}");
    }
}

#[test]
fn hosts_below_a_name_have_certificates_of_their_own() {
    let authority = LocalAuthority::create(now()).unwrap();
    let identity = authority.issue_server(&server_names(&["Keys.example"]), now()).unwrap();
    for name in ["photos.localhost", "a.b.localhost", "photos.localhost", "x.keys.example", "a.b.c.keys.example"] {
        shake_hands(&identity, authority.certificate_pem(), name, &[]).unwrap();
    }
    for name in ["photoslocalhost", "keys.example.com", "example", "10.0.0.1"] {
        assert!(shake_hands(&identity, authority.certificate_pem(), name, &[]).is_err(), "{name}");
    }
}

#[test]
fn clients_refuse_other_names_other_authorities_and_expired_certificates() {
    let authority = LocalAuthority::create(now()).unwrap();
    let identity = authority.issue_server(&[], now()).unwrap();
    let refused = |identity, pem, name| assert!(shake_hands(identity, pem, name, &[]).is_err(), "{name}");
    refused(&identity, authority.certificate_pem(), "kms.example");
    refused(&identity, authority.certificate_pem(), "10.1.2.3");
    let other = LocalAuthority::create(now()).unwrap();
    refused(&identity, other.certificate_pem(), "localhost");
    let expired = authority.issue_server(&[], now() - DAY * (SERVER_DAYS + 1)).unwrap();
    assert!(expired.expires().unwrap() < now());
    refused(&expired, authority.certificate_pem(), "localhost");
}

#[test]
fn a_restored_authority_signs_for_those_who_trusted_it_before() {
    let authority = LocalAuthority::create(now()).unwrap();
    let restored = LocalAuthority::restore(&authority.key_pkcs8(), authority.certificate_pem()).unwrap();
    assert_eq!(restored.certificate_pem(), authority.certificate_pem());
    let identity = restored.issue_server(&[], now()).unwrap();
    shake_hands(&identity, authority.certificate_pem(), "localhost", &[]).unwrap();
}

#[test]
fn an_operators_own_certificate_serves_and_what_is_none_is_refused() {
    let authority = LocalAuthority::create(now()).unwrap();
    let key = KeyPair::generate().unwrap();
    let issuer = Issuer::new(authority_params(&authority.key.0), &authority.key.0);
    let params = CertificateParams::new(server_names(&["own.example"])).unwrap();
    let chain = params.signed_by(&key, &issuer).unwrap().pem();
    let key_pem = SecretBytes::from(key.serialize_pem().into_bytes());

    let identity = ServerIdentity::from_pem(chain.as_bytes(), &key_pem).unwrap();
    assert_eq!(identity.expires(), None);
    shake_hands(&identity, authority.certificate_pem(), "own.example", &[]).unwrap();

    let refused = |chain: &[u8], key: &SecretBytes| ServerIdentity::from_pem(chain, key).err().unwrap();
    assert!(matches!(refused(b"", &key_pem), CertificateError::NoCertificate));
    let broken = b"-----BEGIN CERTIFICATE-----\n???\n-----END CERTIFICATE-----\n";
    assert!(matches!(refused(broken, &key_pem), CertificateError::Chain(_)));
    for no_key in [&b""[..], chain.as_bytes()] {
        assert!(matches!(refused(chain.as_bytes(), &SecretBytes::from(no_key)), CertificateError::NoKey));
    }

    let other_key = SecretBytes::from(KeyPair::generate().unwrap().serialize_pem().into_bytes());
    let mismatched = ServerIdentity::from_pem(chain.as_bytes(), &other_key).unwrap();
    assert!(matches!(mismatched.server_config(&[]), Err(CertificateError::Unusable(_))));
}

#[test]
fn a_key_that_is_none_cannot_be_restored() {
    let refused = LocalAuthority::restore(&SecretBytes::from(&b"not a key"[..]), "");
    assert!(matches!(refused, Err(CertificateError::Authority(_))));
}
