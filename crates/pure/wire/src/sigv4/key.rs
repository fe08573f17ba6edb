//! The signing key: a secret access key bound to one day, region and service.

use zeroize::Zeroizing;

use super::TERMINATOR;

/// A derived key that verifies and makes signatures of one credential scope. Worth caching: deriving takes four HMACs.
///
/// Holds a secret: no `Debug`, no `Clone`, wiped when dropped.
pub struct SigningKey(crypto::HmacKey);

impl SigningKey {
    /// Derives the key of `secret` for a scope; `date` is `YYYYMMDD`.
    ///
    /// Source: IAM User Guide, "Create a signed AWS API request", step 4.
    #[must_use]
    pub fn derive(secret: &[u8], date: &str, region: &str, service: &str) -> Self {
        let mut first = Zeroizing::new(Vec::with_capacity(secret.len() + 4));
        first.extend_from_slice(b"AWS4");
        first.extend_from_slice(secret);
        let mut key = crypto::HmacKey::new(&first);
        for text in [date, region, service, TERMINATOR] {
            key = crypto::HmacKey::new(Zeroizing::new(key.sign(&[text.as_bytes()])).as_slice());
        }
        Self(key)
    }

    /// The signature of a string to sign, given in pieces.
    #[must_use]
    pub fn sign(&self, text: &[&[u8]]) -> [u8; 32] {
        self.0.sign(text)
    }
}
