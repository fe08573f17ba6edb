//! Key material: the versions of a key, wrapped for storage. Knows no operation, and not what a secret is made of.

use std::fmt;
use std::sync::Arc;

use crypto::{HmacKey, Key256, SecretBytes, hex, sealed};
use serde::{Deserialize, Serialize};
use wire::{Blob, Timestamp};

use crate::error::KmsError;
use crate::record::{Import, MaterialHint};

wire::text_enum! {
    /// The cause of a rotation.
    pub(crate) enum RotationType {
        Automatic = "AUTOMATIC",
        OnDemand = "ON_DEMAND",
    }
}

/// Names a version of a key: 64 hexadecimal digits that follow from its material and reveal nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct MaterialId([u8; 32]);

impl MaterialId {
    /// The id in the key `key_id` of the material that `bytes` stand for: a symmetric key, or the public key of a pair,
    /// which unlike the private key has one encoding only. The same material in another key has another id.
    pub(crate) fn of(bytes: &[u8], key_id: &str) -> Self {
        Self(HmacKey::new(bytes).sign(&[b"sealstack kms material id 1\0", key_id.as_bytes()]))
    }

    /// The part of it that ciphertexts carry.
    pub(crate) const fn hint(&self) -> MaterialHint {
        let [first, ..] = self.0.as_chunks::<16>().0 else { return [0; 16] };
        *first
    }
}

impl fmt::Display for MaterialId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&hex::encode(&self.0))
    }
}

impl From<MaterialId> for String {
    fn from(id: MaterialId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for MaterialId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        hex::decode(&text).map(Self).ok_or("not a key material id")
    }
}

/// One version of a key, as it is stored.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct MaterialRecord {
    pub(crate) id: MaterialId,
    /// When it was made, imported, or taken up by a rotation.
    pub(crate) created: Timestamp,
    /// Why it took over from the version before; none for the first, and for one that waits to take over.
    pub(crate) rotation: Option<RotationType>,
    /// The secret; none if it is not here.
    pub(crate) wrapped: Option<Wrapped>,
    /// The public key of a pair as a SubjectPublicKeyInfo, so that using it takes no secret.
    pub(crate) public: Option<Blob>,
    /// Its attributes if it was imported.
    pub(crate) import: Option<Import>,
}

/// The key of a region under which its keys' material is wrapped.
#[derive(Clone)]
pub(crate) struct DomainKey {
    /// Its name in the keyring.
    pub(crate) name: String,
    pub(crate) key: Arc<Key256>,
}

/// A secret, wrapped.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Wrapped {
    /// The name of the domain key that it is wrapped under.
    pub(crate) domain_key: String,
    /// A symmetric key, or a private key in PKCS#8.
    secret: Blob,
}

impl MaterialRecord {
    /// The same version of a related key: wrapped under the `domain` key of that key's region, for that key `to`.
    /// `unwrapping` knows the domain key that this one is wrapped under.
    ///
    /// # Errors
    /// As for [`Wrapped::open`]; those of `unwrapping`.
    pub(crate) fn for_relative<'k>(
        &self,
        unwrapping: impl Fn(&str) -> Result<&'k Key256, KmsError>,
        arn: &str,
        domain: &DomainKey,
        to: &str,
    ) -> Result<Self, KmsError> {
        let wrapped = match &self.wrapped {
            Some(wrapped) => {
                let secret = wrapped.open(unwrapping(&wrapped.domain_key)?, arn, &self.id)?;
                Some(Wrapped::seal(domain, to, &self.id, &secret))
            }
            None => None,
        };
        Ok(Self { wrapped, ..self.clone() })
    }
}

impl Wrapped {
    /// Wraps the secret of the version `id` of the key at `arn`.
    pub(crate) fn seal(domain: &DomainKey, arn: &str, id: &MaterialId, secret: &SecretBytes) -> Self {
        let secret = Blob(sealed::seal(&domain.key, &binding(arn, id), secret.expose()));
        Self { domain_key: domain.name.clone(), secret }
    }

    /// The secret, unwrapped under its domain key.
    ///
    /// # Errors
    /// [`KmsError::Damaged`] when it was wrapped for another key or under another domain key, or was changed.
    pub(crate) fn open(&self, domain: &Key256, arn: &str, id: &MaterialId) -> Result<SecretBytes, KmsError> {
        sealed::open(domain, &binding(arn, id), &self.secret.0)
            .map_err(|_| KmsError::Damaged(format!("the material {id} of {arn} cannot be unwrapped")))
    }
}

/// The associated data of wrapped material, so that it opens in no other place.
fn binding(arn: &str, id: &MaterialId) -> Vec<u8> {
    // An ARN has no zero byte, so the parts cannot run together.
    [b"kms material\0", arn.as_bytes(), b"\0", &id.0].concat()
}

#[cfg(test)]
mod tests;
