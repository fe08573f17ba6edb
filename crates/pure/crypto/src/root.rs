//! The root key, under which every other key of a server is wrapped, and the id by which it differs from another.

use std::fmt;

use crate::{CryptoError, Key256, hex, kdf};

/// Names a root key without revealing it: derived from the key, so the two cannot come apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RootKeyId([u8; 8]);

impl RootKeyId {
    /// The identifier as bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0
    }

    /// The identifier that [`RootKeyId::to_bytes`] gave.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for RootKeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&hex::encode(&self.0))
    }
}

/// The key at the top of the hierarchy. The root seal holds it; the keyring uses it.
pub struct RootKey {
    id: RootKeyId,
    key: Key256,
}

impl RootKey {
    /// A new root key.
    #[must_use]
    pub fn random() -> Self {
        Self::from(Key256::random())
    }

    /// A root key from its 32 bytes.
    ///
    /// # Errors
    /// [`CryptoError::Length`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, CryptoError> {
        Key256::from_slice(bytes).map(Self::from)
    }

    /// Which root key this is.
    #[must_use]
    pub const fn id(&self) -> RootKeyId {
        self.id
    }

    /// The key itself.
    #[must_use]
    pub const fn key(&self) -> &Key256 {
        &self.key
    }

    /// A second holder of the same key.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self { id: self.id, key: self.key.duplicate() }
    }
}

impl From<Key256> for RootKey {
    fn from(key: Key256) -> Self {
        let derived = kdf::derive(&key, b"sealstack root key id", &[]);
        let mut id = [0; 8];
        id.iter_mut().zip(derived.expose()).for_each(|(to, from)| *to = *from);
        Self { id: RootKeyId(id), key }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identifier_follows_from_the_key() {
        let root = RootKey::random();
        assert_eq!(RootKey::from_slice(root.key().expose()).unwrap().id(), root.id());
        assert_eq!(root.duplicate().id(), root.id());
        assert_ne!(RootKey::random().id(), root.id());
        assert_eq!(RootKeyId::from_bytes(root.id().to_bytes()), root.id());
        assert_eq!(root.id().to_string().len(), 16);
    }
}
