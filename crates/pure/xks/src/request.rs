//! Requests of a key service.

use serde::{Deserialize, Serialize};
use wire::{Blob, SecretBlob};

use crate::{AES_GCM, ErrorName, METADATA_MAX, SHA_256, TAG_LENGTH, is_vector};

/// On whose behalf, and why.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestMetadata {
    /// Who called the key service.
    pub aws_principal_arn: String,
    /// The key's ARN there; not known yet while it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_arn: Option<String>,
    /// The call.
    pub kms_operation: String,
    /// Its id there.
    pub kms_request_id: String,
    /// The service that called for the principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_via_service: Option<String>,
}

/// The metadata of a question about the proxy itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthMetadata {
    /// The call.
    pub kms_operation: String,
    /// Its id.
    pub kms_request_id: String,
}

/// Asks how the proxy is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthRequest {
    /// Why.
    pub request_metadata: HealthMetadata,
}

impl HealthRequest {
    /// The question that belongs to a call.
    #[must_use]
    pub const fn new(kms_operation: String, kms_request_id: String) -> Self {
        Self { request_metadata: HealthMetadata { kms_operation, kms_request_id } }
    }
}

/// Asks what a key is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyRequest {
    /// Why.
    pub request_metadata: RequestMetadata,
}

/// Asks to encrypt.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EncryptRequest {
    /// Why.
    pub request_metadata: RequestMetadata,
    /// Associated data that the ciphertext is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additional_authenticated_data: Option<Blob>,
    /// Plaintext to encrypt.
    pub plaintext: SecretBlob,
    /// [`AES_GCM`].
    pub encryption_algorithm: String,
    /// [`SHA_256`], if an integrity value is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ciphertext_data_integrity_value_algorithm: Option<String>,
}

/// Asks to decrypt.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecryptRequest {
    /// Why.
    pub request_metadata: RequestMetadata,
    /// Associated data that the ciphertext is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additional_authenticated_data: Option<Blob>,
    /// Ciphertext to decrypt.
    pub ciphertext: Blob,
    /// Metadata that the proxy returned with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ciphertext_metadata: Option<Blob>,
    /// [`AES_GCM`].
    pub encryption_algorithm: String,
    /// Initialization vector it was encrypted with.
    pub initialization_vector: Blob,
    /// Its tag.
    pub authentication_tag: Blob,
}

/// The most that is taken of associated data and of what is to be encrypted: what every proxy must take.
fn within(bytes: usize, max: usize) -> Result<(), (ErrorName, &'static str)> {
    if bytes <= max {
        Ok(())
    } else {
        Err((ErrorName::UnsupportedOperation, "a parameter is longer than is supported"))
    }
}

fn algorithm(name: &str) -> Result<(), (ErrorName, &'static str)> {
    if name == AES_GCM { Ok(()) } else { Err((ErrorName::Validation, "encryptionAlgorithm must be AES_GCM")) }
}

impl EncryptRequest {
    /// Checks for what a proxy has to refuse.
    ///
    /// # Errors
    /// The name and the reason of the refusal.
    pub fn check(&self) -> Result<(), (ErrorName, &'static str)> {
        algorithm(&self.encryption_algorithm)?;
        if self.ciphertext_data_integrity_value_algorithm.as_deref().is_some_and(|name| name != SHA_256) {
            return Err((ErrorName::Validation, "ciphertextDataIntegrityValueAlgorithm must be SHA_256"));
        }
        within(self.plaintext.0.len(), crate::PLAINTEXT_MAX)?;
        within(self.associated_data().len(), crate::AAD_MAX)
    }

    /// The associated data, empty if there is none.
    #[must_use]
    pub fn associated_data(&self) -> &[u8] {
        self.additional_authenticated_data.as_ref().map_or(&[], |data| &data.0)
    }
}

impl DecryptRequest {
    /// Checks for what a proxy has to refuse before it asks the key manager.
    ///
    /// # Errors
    /// The name and the reason of the refusal.
    pub fn check(&self) -> Result<(), (ErrorName, &'static str)> {
        algorithm(&self.encryption_algorithm)?;
        within(self.ciphertext.0.len(), crate::PLAINTEXT_MAX)?;
        within(self.associated_data().len(), crate::AAD_MAX)?;
        if !is_vector(&self.initialization_vector.0) {
            return Err((ErrorName::Validation, "initializationVector must have 12 or 16 bytes"));
        }
        if self.authentication_tag.0.len() != TAG_LENGTH {
            return Err((ErrorName::Validation, "authenticationTag must have 16 bytes"));
        }
        if self.metadata().len() > METADATA_MAX {
            return Err((ErrorName::Validation, "ciphertextMetadata must have 20 bytes at most"));
        }
        Ok(())
    }

    /// The associated data, empty if there is none.
    #[must_use]
    pub fn associated_data(&self) -> &[u8] {
        self.additional_authenticated_data.as_ref().map_or(&[], |data| &data.0)
    }

    /// The ciphertext's metadata, empty if there is none.
    #[must_use]
    pub fn metadata(&self) -> &[u8] {
        self.ciphertext_metadata.as_ref().map_or(&[], |data| &data.0)
    }
}
