//! Answers of a proxy, and checks of what a key service may believe of them.

use serde::{Deserialize, Serialize};
use wire::{Blob, SecretBlob};

use crate::{METADATA_MAX, TAG_LENGTH, integrity_value, is_vector};

wire::text_enum! {
    /// Whether a key can be used.
    pub enum KeyStatus {
        Enabled = "ENABLED",
        Disabled = "DISABLED",
    }
}

wire::text_enum! {
    /// How a key manager is.
    pub enum ManagerHealth {
        Active = "ACTIVE",
        Degraded = "DEGRADED",
        Unavailable = "UNAVAILABLE",
    }
}

/// How a proxy is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthAnswer {
    /// How many proxies there are.
    pub xks_proxy_fleet_size: u64,
    /// Who made the proxy.
    pub xks_proxy_vendor: String,
    /// Its model and version.
    pub xks_proxy_model: String,
    /// Who made the key manager.
    pub ekm_vendor: String,
    /// Each key manager.
    pub ekm_fleet_details: Vec<KeyManager>,
}

/// A key manager behind a proxy.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyManager {
    /// Its id.
    pub id: String,
    /// Its model.
    pub model: String,
    /// How it is.
    pub health_status: ManagerHealth,
}

impl HealthAnswer {
    /// Whether the answer is one at all, and whether any key manager can be used.
    #[must_use]
    pub fn usable(&self) -> Option<bool> {
        let managers = &self.ekm_fleet_details;
        let sound = self.xks_proxy_fleet_size > 0 && (1..=10).contains(&managers.len());
        sound.then(|| managers.iter().any(|manager| manager.health_status != ManagerHealth::Unavailable))
    }
}

/// Metadata of a key.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetadataAnswer {
    /// `AES_256`.
    pub key_spec: String,
    /// `ENCRYPT`, `DECRYPT` and others.
    pub key_usage: Vec<String>,
    /// Whether it can be used.
    pub key_status: KeyStatus,
}

impl MetadataAnswer {
    /// The spec that a key must have.
    pub const AES_256: &'static str = "AES_256";

    /// Whether the key is an AES key of 256 bits that encrypts and decrypts.
    #[must_use]
    pub fn serves(&self) -> bool {
        let used = |usage: &str| self.key_usage.iter().any(|known| known == usage);
        self.key_spec == Self::AES_256 && self.key_usage.len() <= 10 && used("ENCRYPT") && used("DECRYPT")
    }
}

/// A ciphertext.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EncryptAnswer {
    /// As long as the plaintext.
    pub ciphertext: Blob,
    /// Metadata that the proxy expects back on decrypting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ciphertext_metadata: Option<Blob>,
    /// Initialization vector it was encrypted with.
    pub initialization_vector: Blob,
    /// Its tag.
    pub authentication_tag: Blob,
    /// The integrity value, if one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ciphertext_data_integrity_value: Option<Blob>,
}

impl EncryptAnswer {
    /// The ciphertext's metadata, empty if there is none.
    #[must_use]
    pub fn metadata(&self) -> &[u8] {
        self.ciphertext_metadata.as_ref().map_or(&[], |data| &data.0)
    }

    /// The integrity value that belongs to this answer and `aad`.
    #[must_use]
    pub fn integrity_value(&self, aad: &[u8]) -> [u8; 32] {
        let Self { ciphertext, initialization_vector, authentication_tag, .. } = self;
        integrity_value(aad, self.metadata(), &initialization_vector.0, &ciphertext.0, &authentication_tag.0)
    }

    /// Whether this can be the ciphertext of `plaintext_length` bytes bound to `aad`, and arrived as it was sent.
    #[must_use]
    pub fn is_sound(&self, plaintext_length: usize, aad: &[u8]) -> bool {
        let value = self.ciphertext_data_integrity_value.as_ref();
        self.ciphertext.0.len() == plaintext_length
            && is_vector(&self.initialization_vector.0)
            && self.authentication_tag.0.len() == TAG_LENGTH
            && self.metadata().len() <= METADATA_MAX
            && value.is_some_and(|value| value.0 == self.integrity_value(aad))
    }
}

/// A plaintext.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecryptAnswer {
    /// As long as the ciphertext.
    pub plaintext: SecretBlob,
}

#[cfg(test)]
mod tests;
