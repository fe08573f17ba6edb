//! Data keys: in plaintext for as long as a message is worked on, and encrypted as headers carry them.

use std::fmt;

use crypto::{SecretBytes, random_bytes};

use crate::suite::AlgorithmSuite;

/// A data key in plaintext, of the length that its suite takes. It is zeroised when dropped.
pub struct DataKey(SecretBytes);

impl DataKey {
    /// A data key from its bytes, if there are as many as `suite` takes.
    #[must_use]
    pub fn new(suite: AlgorithmSuite, bytes: SecretBytes) -> Option<Self> {
        (bytes.len() == suite.data_key_length()).then_some(Self(bytes))
    }

    /// A new random data key.
    #[must_use]
    pub fn random(suite: AlgorithmSuite) -> Self {
        let mut bytes = SecretBytes::from(vec![0; suite.data_key_length()]);
        random_bytes(bytes.expose_mut());
        Self(bytes)
    }

    /// The bytes, for the moment of their use.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }
}

/// A data key as a header carries it: encrypted by one wrapping key.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EncryptedDataKey {
    /// The kind of the wrapping key: `aws-kms`, or the namespace of a raw key.
    pub provider_id: String,
    /// Which wrapping key it is, in the provider's own form: for `aws-kms`, the key's ARN.
    pub provider_info: Vec<u8>,
    /// The encrypted bytes, in the provider's own form.
    pub ciphertext: Vec<u8>,
}

/// Lengths that raw AES keys write between their name and the nonce: a tag of 128 bits, a nonce of 12 bytes.
pub(crate) const RAW_AES_LENGTHS: [u8; 8] = [0, 0, 0, 128, 0, 0, 0, 12];

impl EncryptedDataKey {
    /// The wrapping key for people to read: a name or ARN where the provider's information is one, or else hexadecimal.
    #[must_use]
    pub fn wrapping_key(&self) -> String {
        let name = self.raw_aes_name().unwrap_or(&self.provider_info);
        match std::str::from_utf8(name) {
            Ok(text) if !text.contains(char::is_control) => text.to_owned(),
            _ => crypto::hex::encode(&self.provider_info),
        }
    }

    /// The name of the raw AES key, if the provider's information has that form.
    fn raw_aes_name(&self) -> Option<&[u8]> {
        let (rest, _nonce) = self.provider_info.split_last_chunk::<12>()?;
        rest.strip_suffix(&RAW_AES_LENGTHS)
    }
}

impl fmt::Debug for EncryptedDataKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("EncryptedDataKey")
            .field("provider_id", &self.provider_id)
            .field("wrapping_key", &self.wrapping_key())
            .field("ciphertext_bytes", &self.ciphertext.len())
            .finish()
    }
}
