//! Key material: the versions of a key, wrapped for storage. Knows no operation.

use std::fmt;
use std::sync::Arc;

use crypto::{Key256, kdf, sealed};
use serde::{Deserialize, Serialize};
use wire::{Blob, Timestamp};

use crate::blob::MaterialHint;
use crate::error::KmsError;

wire::text_enum! {
    /// What made a key take up new material.
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
    /// The id of `material` in the key `key_id`. The same material in another key has another id.
    fn of(material: &Key256, key_id: &str) -> Self {
        Self(*kdf::derive(material, b"sealstack kms material id 1", key_id.as_bytes()).expose())
    }

    /// What a ciphertext keeps of it.
    pub(crate) const fn hint(&self) -> MaterialHint {
        let [first, ..] = self.0.as_chunks::<16>().0 else { return [0; 16] };
        *first
    }
}

impl fmt::Display for MaterialId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
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
        let mut bytes = [0; 32];
        if text.len() != 64 {
            return Err("not a key material id");
        }
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digits = std::str::from_utf8(digits).ok();
            *byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).ok_or("not a key material id")?;
        }
        Ok(Self(bytes))
    }
}

/// One version of a key, as it is stored.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct MaterialRecord {
    pub(crate) id: MaterialId,
    pub(crate) created: Timestamp,
    /// Why it took over from the version before; none for the first.
    pub(crate) rotation: Option<RotationType>,
    /// The name of the domain key that it is wrapped under.
    pub(crate) domain_key: String,
    /// The backing key, wrapped.
    pub(crate) wrapped: Blob,
}

/// The key of a region under which its keys' material is wrapped.
#[derive(Clone)]
pub(crate) struct DomainKey {
    /// Its name in the keyring.
    pub(crate) name: String,
    pub(crate) key: Arc<Key256>,
}

impl DomainKey {
    /// The name of a region's domain key.
    pub(crate) fn name(region: &str) -> String {
        format!("domain/{region}")
    }
}

impl MaterialRecord {
    /// New random material for the key `key_id` at `arn`, wrapped under a domain key.
    pub(crate) fn random(
        domain: &DomainKey,
        arn: &str,
        key_id: &str,
        created: Timestamp,
        rotation: Option<RotationType>,
    ) -> Self {
        let material = Key256::random();
        let id = MaterialId::of(&material, key_id);
        let wrapped = Blob(sealed::seal(&domain.key, &binding(arn, &id), material.expose()));
        Self { id, created, rotation, domain_key: domain.name.clone(), wrapped }
    }

    /// The same version of a related key: wrapped under the `domain` key of that key's region, for that key `to`.
    ///
    /// # Errors
    /// As for [`unwrap`](Self::unwrap).
    pub(crate) fn for_relative(&self, own: &Key256, arn: &str, domain: &DomainKey, to: &str) -> Result<Self, KmsError> {
        let material = sealed::open(own, &binding(arn, &self.id), &self.wrapped.0)
            .map_err(|_| KmsError::Damaged(format!("the material {} of {arn} cannot be unwrapped", self.id)))?;
        let wrapped = Blob(sealed::seal(&domain.key, &binding(to, &self.id), material.expose()));
        Ok(Self { domain_key: domain.name.clone(), wrapped, ..self.clone() })
    }

    /// The backing key, unwrapped under its domain key.
    ///
    /// # Errors
    /// [`KmsError::Damaged`] when it was wrapped for another key or under another domain key, or was changed.
    pub(crate) fn unwrap(&self, domain: &Key256, arn: &str) -> Result<Key256, KmsError> {
        sealed::open(domain, &binding(arn, &self.id), &self.wrapped.0)
            .and_then(|material| Key256::from_slice(material.expose()))
            .map_err(|_| KmsError::Damaged(format!("the material {} of {arn} cannot be unwrapped", self.id)))
    }
}

/// What wrapped material is bound to, so that it serves in no other place.
fn binding(arn: &str, id: &MaterialId) -> Vec<u8> {
    // An ARN has no zero byte, so the parts cannot run together.
    [b"kms backing key\0", arn.as_bytes(), b"\0", &id.0].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

    fn domain() -> DomainKey {
        DomainKey { name: DomainKey::name("us-east-1"), key: Arc::new(Key256::random()) }
    }

    fn random(domain: &DomainKey) -> MaterialRecord {
        MaterialRecord::random(domain, ARN, ID, Timestamp::from_millis(0), None)
    }

    #[test]
    fn material_is_unwrapped_under_its_domain_key_for_its_own_key_alone() {
        let domain = domain();
        let record = random(&domain);
        let material = record.unwrap(&domain.key, ARN).expect("unwraps");
        assert_eq!(MaterialId::of(&material, ID), record.id);
        assert!(record.unwrap(&Key256::random(), ARN).is_err(), "another domain key");
        assert!(record.unwrap(&domain.key, &ARN.replace("us-east-1", "eu-west-1")).is_err(), "another key");
        let swapped = MaterialRecord { id: random(&domain).id, ..record };
        assert!(swapped.unwrap(&domain.key, ARN).is_err(), "another version");
    }

    #[test]
    fn a_stored_version_is_read_back_and_shows_no_key() {
        let domain = domain();
        let record = random(&domain);
        let material = record.unwrap(&domain.key, ARN).expect("unwraps");
        let stored = serde_json::to_string(&record).expect("JSON");
        let back: MaterialRecord = serde_json::from_str(&stored).expect("a record");
        assert_eq!((back.id, back.created, &back.wrapped), (record.id, record.created, &record.wrapped));
        assert!(record.id.to_string().len() == 64 && stored.contains(&record.id.to_string()));
        assert_eq!(back.unwrap(&domain.key, ARN).expect("unwraps").expose(), material.expose());
        assert!(!record.wrapped.0.windows(32).any(|window| window == material.expose()));
    }

    #[test]
    fn what_is_no_material_id_is_refused() {
        for text in ["", "ab", &"g".repeat(64), &"é".repeat(32), &"0".repeat(66)] {
            assert!(MaterialId::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
