//! New material, generated or imported, before it is wrapped. Knows no store and no operation.

use crypto::{KeyPair, SecretBytes, random_bytes};
use wire::{Blob, Timestamp};

use crate::error::KmsError;
use crate::record::{DomainKey, KeySpec, MaterialId, MaterialRecord, RotationType, Wrapped};

/// Material that is not wrapped yet: a secret, and the public key that goes with it.
pub(crate) struct NewMaterial {
    /// The key itself if it is symmetric, else the private key in PKCS#8.
    secret: SecretBytes,
    /// The SubjectPublicKeyInfo of a pair.
    public: Option<Vec<u8>>,
}

impl NewMaterial {
    /// Random material. For RSA it takes up to seconds: not for a runtime's worker.
    ///
    /// # Errors
    /// [`KmsError::Damaged`] when none could be made.
    pub(crate) fn random(spec: KeySpec) -> Result<Self, KmsError> {
        let Some(kind) = spec.pair_kind() else { return Ok(Self::symmetric(spec)) };
        let failed = |_| KmsError::Damaged(format!("no {spec} key could be made"));
        KeyPair::generate(kind).map(Self::from).map_err(failed)
    }

    /// A random key of a spec that is not a pair's.
    pub(crate) fn symmetric(spec: KeySpec) -> Self {
        let mut secret = SecretBytes::from(vec![0; spec.secret_length()]);
        random_bytes(secret.expose_mut());
        Self { secret, public: None }
    }

    /// Imported material: as many bytes as the spec has, or a private key in PKCS#8. `None` if it is not of this spec.
    pub(crate) fn read(spec: KeySpec, secret: &[u8]) -> Option<Self> {
        match spec.pair_kind() {
            Some(kind) => KeyPair::read(kind, secret).ok().map(Self::from),
            None if secret.len() == spec.secret_length() => Some(Self { secret: secret.into(), public: None }),
            None => None,
        }
    }

    /// The id that it has in the key `key_id`.
    pub(crate) fn id(&self, key_id: &str) -> MaterialId {
        MaterialId::of(self.public.as_deref().unwrap_or_else(|| self.secret.expose()), key_id)
    }

    /// The secret, and the public key that goes with it if it is of a pair.
    pub(crate) fn into_parts(self) -> (SecretBytes, Option<Vec<u8>>) {
        (self.secret, self.public)
    }

    /// Wraps it under a domain key for the key `key_id` at `arn`.
    pub(crate) fn wrap(
        &self,
        domain: &DomainKey,
        arn: &str,
        key_id: &str,
        created: Timestamp,
        rotation: Option<RotationType>,
    ) -> MaterialRecord {
        let id = self.id(key_id);
        let wrapped = Some(Wrapped::seal(domain, arn, &id, &self.secret));
        MaterialRecord { id, created, rotation, wrapped, public: self.public.clone().map(Blob), import: None }
    }
}

impl From<KeyPair> for NewMaterial {
    fn from(pair: KeyPair) -> Self {
        Self { secret: pair.private, public: Some(pair.public) }
    }
}
