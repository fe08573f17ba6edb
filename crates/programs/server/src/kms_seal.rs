//! The seal by another key service: the root key wrapped by a key of AWS KMS, or of another Sealstack.
//!
//! The encryption context names the deployment, so that one key can serve several and its policy can distinguish them.
//! Credentials and endpoint are found as AWS's tools find them.

use std::future::Future;
use std::sync::Arc;

use client::{Environment, Kms, Session};
use crypto::RootKey;
use envelope::EncryptionContext;
use envelope::kms::{Decrypt, Encrypt, KmsClient as _, KmsError};
use seal::{Binding, KmsKey, RootSeal, SealError};

/// Errors of the service for a ciphertext that the key did not make, or not with this encryption context.
const NOT_OURS: [&str; 2] = ["InvalidCiphertextException", "IncorrectKeyException"];

/// A key of a key service.
pub(crate) struct KmsSeal {
    key: KmsKey,
}

/// The seal by a key of which the ARN is known.
pub(crate) fn known(key: KmsKey) -> seal::SealConfig {
    seal::SealConfig::Kms { service: Arc::new(KmsSeal { key: key.clone() }), key }
}

/// The seal by a key that is named by its id, its alias or an ARN. Asks the service for the ARN.
pub(crate) fn named(key: KmsKey) -> Result<seal::SealConfig, SealError> {
    let seal = KmsSeal { key };
    let arn = seal.call(|kms, key| async move { kms.key_arn(&key).await })?;
    Ok(known(KmsKey { arn, ..seal.key }))
}

impl KmsSeal {
    /// Calls the service, and waits for its answer on a thread of its own: the caller may be on a runtime's or not.
    fn call<T: Send, F: Future<Output = Result<T, KmsError>>>(
        &self,
        work: impl FnOnce(Kms, String) -> F + Send,
    ) -> Result<T, SealError> {
        let refused = |detail: String| SealError::Kms { arn: self.key.arn.clone(), detail };
        let calling = || {
            let session = Session::read(Environment::of_process(), self.key.profile.as_deref());
            let session = session.map_err(|error| refused(error.to_string()))?;
            let region = match region(&self.key.arn) {
                Some(region) => region.to_owned(),
                None => session.region().map_err(|error| refused(error.to_string()))?.to_owned(),
            };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| refused(error.to_string()))?;
            let kms = Kms::new(Arc::new(session), region, runtime.handle().clone());
            runtime.block_on(work(kms, self.key.arn.clone())).map_err(|error| refused(error.to_string()))
        };
        let called = std::thread::scope(|scope| scope.spawn(calling).join());
        called.unwrap_or_else(|_| Err(refused("the call panicked".to_owned())))
    }
}

impl RootSeal for KmsSeal {
    fn wrap(&self, root: &RootKey, binding: &Binding<'_>) -> Result<Vec<u8>, SealError> {
        let context = EncryptionContext::from(binding.context());
        self.call(|kms, key| async move {
            let plaintext = root.key().expose();
            let request = Encrypt { key_id: &key, plaintext, context: &context, grant_tokens: &[] };
            Ok(kms.encrypt(request).await?.ciphertext)
        })
    }

    fn unwrap(&self, wrapped: &[u8], binding: &Binding<'_>) -> Result<Option<RootKey>, SealError> {
        let context = EncryptionContext::from(binding.context());
        self.call(|kms, key| async move {
            let request =
                Decrypt { key_id: &key, ciphertext: wrapped, context: &context, algorithm: None, grant_tokens: &[] };
            match kms.decrypt(request).await {
                Ok(decrypted) => Ok(RootKey::from_slice(decrypted.plaintext.expose()).ok()),
                Err(error) if NOT_OURS.contains(&error.code.as_str()) => Ok(None),
                Err(error) => Err(error),
            }
        })
    }
}

/// The region in a key's ARN.
fn region(key: &str) -> Option<&str> {
    key.strip_prefix("arn:")?.split(':').nth(2).filter(|region| !region.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keys_region_is_in_its_arn() {
        assert_eq!(region("arn:aws:kms:eu-west-1:111122223333:key/1234"), Some("eu-west-1"));
        for other in ["alias/root", "1234abcd-12ab-34cd-56ef-1234567890ab", "arn:aws:kms", "arn:aws:kms::1:key/1"] {
            assert_eq!(region(other), None, "{other}");
        }
    }
}
