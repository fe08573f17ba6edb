//! Data keys under a key that two parties agree on: what the keyrings with raw keys and with KMS keys have in common.

use crypto::aead::{AeadKey, Algorithm, NONCE_LENGTH, TAG_LENGTH};
use crypto::ecdh::{self, Curve, EcdhPublicKey};
use crypto::{SecretBytes, constant_time_eq, random_bytes};

use super::{KeyFailureReason, Unwrapping, data_key};
use crate::cursor::Cursor;
use crate::{DataKey, EncryptedDataKey, EncryptionContext};

/// The provider of data keys that were wrapped with a raw private key.
pub(super) const RAW_PROVIDER: &str = "raw-ecdh";

/// The provider of data keys that were wrapped with a private key in KMS.
pub(super) const KMS_PROVIDER: &str = "aws-kms-ecdh";

/// The version of the provider's information, and of what is bound to it.
const VERSION: u8 = 1;

const SALT_LENGTH: usize = 32;
const COMMITMENT_LENGTH: usize = 32;

/// Each wrapping key is derived with a new salt, so one nonce serves them all.
const NONCE: [u8; NONCE_LENGTH] = [0; NONCE_LENGTH];

const fn curve_name(curve: Curve) -> &'static [u8] {
    match curve {
        Curve::P256 => b"p256",
        Curve::P384 => b"p384",
        Curve::P521 => b"p521",
    }
}

/// Who wrapped a data key for whom.
pub(super) struct Parties {
    pub(super) sender: EcdhPublicKey,
    pub(super) recipient: EcdhPublicKey,
}

impl Parties {
    /// The provider's information: version, then both public keys as compressed points after their lengths.
    ///
    /// Source: AWS Encryption SDK Specification, Raw ECDH Keyring, "Key Provider Information".
    fn provider_info(&self) -> Vec<u8> {
        let mut info = vec![VERSION];
        for key in [&self.recipient, &self.sender] {
            info.extend_from_slice(&u32::try_from(key.compressed().len()).unwrap_or_default().to_be_bytes());
            info.extend_from_slice(key.compressed());
        }
        info
    }

    /// The parties of an encrypted data key of either provider, if they are on `curve`.
    pub(super) fn of(key: &EncryptedDataKey, curve: Curve) -> Option<Self> {
        if key.provider_id != RAW_PROVIDER && key.provider_id != KMS_PROVIDER {
            return None;
        }
        let mut cursor = Cursor::new(&key.provider_info);
        if cursor.u8()? != VERSION {
            return None;
        }
        let mut public_key = || {
            let length = usize::try_from(cursor.u32()?).ok()?;
            EcdhPublicKey::read(curve, cursor.take(length)?).ok()
        };
        let (recipient, sender) = (public_key()?, public_key()?);
        cursor.rest().is_empty().then_some(Self { sender, recipient })
    }

    /// Fixed info of the key derivation, which is the associated data of the wrapping as well.
    fn fixed_info(&self, context: &EncryptionContext) -> Result<Vec<u8>, KeyFailureReason> {
        let context = context.serialize().map_err(|error| KeyFailureReason::Other(error.into()))?;
        let keys = [self.sender.compressed(), self.recipient.compressed()].concat();
        let parts: [&[u8]; 6] =
            [b"ecdh-key-derivation", curve_name(self.sender.curve()), b"HMAC_SHA384", &keys, &[VERSION], &context];
        Ok(parts.join(&0))
    }

    /// Wraps a data key under the secret that the parties share.
    pub(super) fn wrap(
        &self,
        provider: &str,
        secret: &SecretBytes,
        data_key: &DataKey,
        context: &EncryptionContext,
    ) -> Result<EncryptedDataKey, KeyFailureReason> {
        let other = |error: crypto::CryptoError| KeyFailureReason::Other(error.into());
        let info = self.fixed_info(context)?;
        let mut salt = [0; SALT_LENGTH];
        random_bytes(&mut salt);
        let (key, commitment) = derive(secret, &info, &salt)?;
        let mut wrapped = SecretBytes::from(data_key.expose());
        let tag = key.seal_in_place(&NONCE, &info, wrapped.expose_mut()).map_err(other)?;
        Ok(EncryptedDataKey {
            provider_id: provider.to_owned(),
            provider_info: self.provider_info(),
            ciphertext: [&salt[..], &commitment, wrapped.expose(), &tag].concat(),
        })
    }

    /// Opens what [`wrap`](Self::wrap) made of the same secret.
    pub(super) fn open(
        &self,
        secret: &SecretBytes,
        keys: &Unwrapping<'_>,
        ciphertext: &[u8],
    ) -> Result<DataKey, KeyFailureReason> {
        let short = KeyFailureReason::Malformed("it is shorter than its salt, commitment and tag");
        let mut cursor = Cursor::new(ciphertext);
        let parts = cursor.array::<SALT_LENGTH>().zip(cursor.array::<COMMITMENT_LENGTH>());
        let Some(((salt, commitment), (wrapped, tag))) = parts.zip(cursor.rest().split_last_chunk::<TAG_LENGTH>())
        else {
            return Err(short);
        };
        let info = self.fixed_info(keys.context())?;
        let (key, expected) = derive(secret, &info, &salt)?;
        if !constant_time_eq(&expected, &commitment) {
            return Err(KeyFailureReason::NotAuthentic);
        }
        let mut opened = SecretBytes::from(wrapped);
        let outcome = key.open_in_place(&NONCE, &info, opened.expose_mut(), tag);
        outcome.map_err(|_| KeyFailureReason::NotAuthentic)?;
        data_key(keys.suite(), opened)
    }
}

/// The wrapping key and what commits to it.
fn derive(
    secret: &SecretBytes,
    info: &[u8],
    salt: &[u8; SALT_LENGTH],
) -> Result<(AeadKey, [u8; COMMITMENT_LENGTH]), KeyFailureReason> {
    let other = |error: crypto::CryptoError| KeyFailureReason::Other(error.into());
    let mut derived = SecretBytes::from(vec![0; COMMITMENT_LENGTH + 32]);
    ecdh::derive(secret, info, salt, derived.expose_mut()).map_err(other)?;
    let (commitment, key) = derived.expose().split_first_chunk().ok_or(KeyFailureReason::NotAuthentic)?;
    Ok((AeadKey::new(Algorithm::Aes256Gcm, key).map_err(other)?, *commitment))
}
