//! Secret access keys: wiped when dropped, never printed, compared or cloned.
//!
//! At rest they are sealed by the store, like every record.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::random_bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// Random bytes in a secret: 30 make 40 characters of base64, AWS's length.
const RANDOM_BYTES: usize = 30;

/// The secret half of an access key: 40 characters of base64.
///
/// It cannot be printed:
/// ```compile_fail
/// fn show(secret: iam::SecretAccessKey) -> String {
///     format!("{secret:?}")
/// }
/// ```
pub struct SecretAccessKey(Zeroizing<String>);

impl SecretAccessKey {
    /// A new secret of 240 random bits.
    #[must_use]
    pub(crate) fn generate() -> Self {
        let mut random = Zeroizing::new([0_u8; RANDOM_BYTES]);
        random_bytes(random.as_mut_slice());
        // Room for all of it: a string that grows would leave a copy behind.
        let mut text = Zeroizing::new(String::with_capacity(RANDOM_BYTES.div_ceil(3) * 4));
        STANDARD.encode_string(random.as_slice(), &mut text);
        Self(text)
    }

    /// The text, for the moment of its use.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// For the sealed record and for the one answer that shows the secret, `CreateAccessKey`'s.
impl Serialize for SecretAccessKey {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SecretAccessKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self(Zeroizing::new(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_forty_characters_of_base64_and_differ() {
        let secrets: Vec<_> = (0..100).map(|_| SecretAccessKey::generate()).collect();
        for secret in &secrets {
            assert_eq!(secret.expose().len(), 40);
            assert_eq!(STANDARD.decode(secret.expose()).expect("base64").len(), RANDOM_BYTES);
        }
        let different: std::collections::BTreeSet<_> = secrets.iter().map(SecretAccessKey::expose).collect();
        assert_eq!(different.len(), secrets.len());
    }

    #[test]
    fn a_secret_survives_its_record() {
        let secret = SecretAccessKey::generate();
        let json = serde_json::to_string(&secret).expect("json");
        let back: SecretAccessKey = serde_json::from_str(&json).expect("back");
        assert_eq!(back.expose(), secret.expose());
    }
}
