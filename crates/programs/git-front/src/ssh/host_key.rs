//! The server's host key: Ed25519, out of 32 secret bytes.

use std::fmt;

use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData};
use russh::keys::{HashAlg, PrivateKey};

/// The key by which clients know the server.
pub struct HostKey(PrivateKey);

impl HostKey {
    /// The key of those bytes; `None` if the library makes none of them.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Option<Self> {
        let pair = KeypairData::Ed25519(Ed25519Keypair::from_seed(seed));
        PrivateKey::new(pair, "").ok().map(Self)
    }

    /// The fingerprint, as clients show it: `SHA256:…`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.0.public_key().fingerprint(HashAlg::Sha256).to_string()
    }

    /// The public key as a line of OpenSSH, for `known_hosts`.
    #[must_use]
    pub fn public_line(&self) -> String {
        self.0.public_key().to_openssh().unwrap_or_default()
    }

    pub(super) const fn private_key(&self) -> &PrivateKey {
        &self.0
    }
}

impl fmt::Debug for HostKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("HostKey").field(&self.fingerprint()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::HostKey;

    #[test]
    fn the_same_bytes_are_the_same_key() {
        let [one, same, other] = [[7; 32], [7; 32], [8; 32]].map(|seed| HostKey::from_seed(&seed).expect("a key"));
        assert_eq!(one.public_line(), same.public_line());
        assert_ne!(one.fingerprint(), other.fingerprint());
        assert!(one.fingerprint().starts_with("SHA256:") && one.public_line().starts_with("ssh-ed25519 "));
        assert!(!format!("{one:?}").contains("07"));
    }
}
