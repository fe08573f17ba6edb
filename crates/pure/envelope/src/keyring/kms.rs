//! Data keys under one KMS key that the caller names.

use std::sync::Arc;

use super::{
    Attempts, KeyFailure, KeyFailureReason, Keyring, MultiKeyring, Pending, Unwrapped, Unwrapping, Wrapping, data_key,
};
use crate::kms::{
    ClientSource, Decrypt, Decrypted, Encrypt, GenerateDataKey, KeyArn, KmsClient, Resource, multi_region_match,
};
use crate::{DataKey, EncryptedDataKey};

/// The provider of data keys under KMS keys.
pub(crate) const PROVIDER: &str = "aws-kms";

/// A symmetric KMS key.
///
/// The key may be named by its ARN, its identifier, an alias or an alias's ARN, for encryption and for decryption:
/// whatever the name, the key service decrypts only with the key that it names at that time.
///
/// Source: AWS Encryption SDK Specification, AWS KMS Keyring and AWS KMS MRK Keyring.
pub struct KmsKeyring {
    client: Arc<dyn KmsClient>,
    key_id: String,
    multi_region: bool,
    grant_tokens: Vec<String>,
}

impl KmsKeyring {
    /// A keyring of the key that `key_id` names, in the client's region.
    pub fn new(client: Arc<dyn KmsClient>, key_id: impl Into<String>) -> Self {
        Self { client, key_id: key_id.into(), multi_region: false, grant_tokens: Vec::new() }
    }

    /// Lets a Multi-Region key open what its replicas in other regions wrapped.
    #[must_use]
    pub const fn multi_region(mut self) -> Self {
        self.multi_region = true;
        self
    }

    /// Sets the grant tokens of every call.
    #[must_use]
    pub fn grant_tokens(mut self, tokens: Vec<String>) -> Self {
        self.grant_tokens = tokens;
        self
    }

    fn describe(&self) -> String {
        format!("KMS key {}", self.key_id)
    }

    /// Whether the key with this ARN may be the one that the caller named.
    fn may_be(&self, (arn, id): (KeyArn<'_>, &str), text: &str) -> bool {
        match KeyArn::parse(&self.key_id) {
            Some(ours) if ours.resource == Resource::Alias => {
                let elsewhere = self.multi_region && arn.is_multi_region();
                ours.partition == arn.partition
                    && ours.account == arn.account
                    && (ours.region == arn.region || elsewhere)
            }
            Some(_) if self.multi_region => multi_region_match(&self.key_id, text),
            Some(_) => self.key_id == text,
            None => self.key_id.starts_with("alias/") || self.key_id == id,
        }
    }

    async fn generate(&self, keys: &Wrapping<'_>) -> Result<(DataKey, EncryptedDataKey), KeyFailureReason> {
        let request = GenerateDataKey {
            key_id: &self.key_id,
            bytes: keys.suite().data_key_length(),
            context: keys.context(),
            grant_tokens: &self.grant_tokens,
        };
        let made = self.client.generate_data_key(request).await?;
        Ok((data_key(keys.suite(), made.plaintext)?, encrypted(made.key_id, made.ciphertext)?))
    }

    async fn encrypt(&self, keys: &Wrapping<'_>, plaintext: &DataKey) -> Result<EncryptedDataKey, KeyFailureReason> {
        let request = Encrypt {
            key_id: &self.key_id,
            plaintext: plaintext.expose(),
            context: keys.context(),
            grant_tokens: &self.grant_tokens,
        };
        let made = self.client.encrypt(request).await?;
        encrypted(made.key_id, made.ciphertext)
    }

    async fn decrypt(
        &self,
        keys: &Unwrapping<'_>,
        key: &EncryptedDataKey,
        arn: &str,
    ) -> Result<DataKey, KeyFailureReason> {
        let request = Decrypt {
            key_id: &self.key_id,
            ciphertext: &key.ciphertext,
            context: keys.context(),
            algorithm: None,
            grant_tokens: &self.grant_tokens,
        };
        let Decrypted { plaintext, key_id } = self.client.decrypt(request).await?;
        // A name that isn't the ARN itself is only as good as the key that the service found under it.
        let expected = if KeyArn::parse_key(self.key_id.as_bytes()).is_some() { &self.key_id } else { arn };
        let same = if self.multi_region { multi_region_match(&key_id, expected) } else { key_id == expected };
        if !same {
            return Err(KeyFailureReason::OtherKey { key_id });
        }
        data_key(keys.suite(), plaintext)
    }
}

fn encrypted(key_id: String, ciphertext: Vec<u8>) -> Result<EncryptedDataKey, KeyFailureReason> {
    if KeyArn::parse_key(key_id.as_bytes()).is_none() {
        return Err(KeyFailureReason::OtherKey { key_id });
    }
    Ok(EncryptedDataKey { provider_id: PROVIDER.to_owned(), provider_info: key_id.into_bytes(), ciphertext })
}

impl Keyring for KmsKeyring {
    fn wrap<'a>(&'a self, keys: &'a mut Wrapping<'_>) -> Pending<'a, Result<(), KeyFailure>> {
        Box::pin(async move {
            let failed = |reason| KeyFailure::new(self.describe(), reason);
            let encrypted = match keys.data_key() {
                Some(plaintext) => self.encrypt(keys, plaintext).await.map_err(failed)?,
                None => {
                    let (made, encrypted) = self.generate(keys).await.map_err(failed)?;
                    keys.set_data_key(made);
                    encrypted
                }
            };
            keys.push(encrypted);
            Ok(())
        })
    }

    fn open<'a>(&'a self, keys: &'a Unwrapping<'_>) -> Pending<'a, Result<Unwrapped, Vec<KeyFailure>>> {
        Box::pin(async move {
            let mut attempts = Attempts::new(self.describe());
            for (index, key) in keys.of_provider(PROVIDER) {
                let Some(arn) = KeyArn::parse_key(&key.provider_info) else { continue };
                let Ok(text) = std::str::from_utf8(&key.provider_info) else { continue };
                if !self.may_be(arn, text) {
                    continue;
                }
                match self.decrypt(keys, key, text).await {
                    Ok(data_key) => return Ok(attempts.opened(index, data_key)),
                    Err(reason) => attempts.failed(reason),
                }
            }
            Err(attempts.exhausted())
        })
    }
}

impl MultiKeyring {
    /// A keyring of several KMS keys, each in the region of its ARN: `generator` makes data keys, `others` wrap them
    /// too. `multi_region` lets Multi-Region keys open what their replicas wrapped; then no two of one family may be
    /// among them.
    ///
    /// # Errors
    /// [`KeyFailureReason::Incapable`] for something that isn't a key's ARN or names a key twice;
    /// [`KeyFailureReason::Kms`] when there is no client for a region.
    pub fn kms(
        clients: &impl ClientSource,
        generator: Option<&str>,
        others: &[&str],
        multi_region: bool,
    ) -> Result<Self, KeyFailure> {
        let all: Vec<&str> = generator.into_iter().chain(others.iter().copied()).collect();
        if multi_region {
            for (index, one) in all.iter().enumerate() {
                let twice = |other: &&str| id(one).is_some_and(|id_of_one| id(other) == Some(id_of_one));
                if all.iter().skip(index + 1).any(twice) {
                    let reason = KeyFailureReason::Incapable("this Multi-Region key is named more than once");
                    return Err(KeyFailure::new(format!("KMS key {one}"), reason));
                }
            }
        }
        let keyring = |key: &str| {
            let failed = |reason| KeyFailure::new(format!("KMS key {key}"), reason);
            let arn =
                KeyArn::parse(key).ok_or_else(|| failed(KeyFailureReason::Incapable("it is not named by an ARN")))?;
            let client = clients.client(arn.region).map_err(|error| failed(error.into()))?;
            let keyring = KmsKeyring::new(client, key);
            Ok(if multi_region { keyring.multi_region() } else { keyring })
        };
        let mut multi = match generator {
            Some(key) => Self::new(keyring(key)?),
            None => Self::for_decryption(),
        };
        for key in others {
            multi = multi.with(keyring(key)?);
        }
        Ok(multi)
    }
}

/// The identifier of a Multi-Region key.
fn id(arn: &str) -> Option<&str> {
    let arn = KeyArn::parse(arn).filter(KeyArn::is_multi_region)?;
    match arn.resource {
        Resource::Key(id) => Some(id),
        Resource::Alias => None,
    }
}
