//! Binary members: base64 on the wire in every protocol.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// Bytes that may be seen: ciphertexts, public keys, tokens.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Blob(pub Vec<u8>);

/// Bytes that may not be seen: plaintexts and keys. Wiped when dropped; no `Debug`.
pub struct SecretBlob(pub Zeroizing<Vec<u8>>);

/// Text that may not be seen: passwords and the like. Wiped when dropped; no `Debug`.
pub struct SecretText(pub Zeroizing<String>);

impl SecretText {
    /// A second holder of the same text.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self(Zeroizing::new(text)))
    }
}

impl std::fmt::Debug for Blob {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Blob({} bytes)", self.0.len())
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        if out.is_human_readable() {
            out.serialize_str(&STANDARD.encode(&self.0))
        } else {
            out.serialize_bytes(&self.0)
        }
    }
}

impl Serialize for SecretBlob {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        if out.is_human_readable() {
            out.serialize_str(&Zeroizing::new(STANDARD.encode(&*self.0)))
        } else {
            out.serialize_bytes(&self.0)
        }
    }
}

struct Base64;

impl serde::de::Visitor<'_> for Base64 {
    type Value = Vec<u8>;
    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("base64 text")
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Vec<u8>, E> {
        // The decoder's own error would quote a byte of the input.
        STANDARD.decode(text).map_err(|_| E::custom("base64 is malformed"))
    }
}

struct SecretBase64;

impl serde::de::Visitor<'_> for SecretBase64 {
    type Value = Zeroizing<Vec<u8>>;
    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("base64 text")
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Zeroizing<Vec<u8>>, E> {
        // Decoded in place, so that what was decoded before an error is wiped too.
        let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
        let length = STANDARD.decode_slice(text, &mut bytes).map_err(|_| E::custom("base64 is malformed"))?;
        bytes.truncate(length);
        Ok(bytes)
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Base64).map(Self)
    }
}

impl<'de> Deserialize<'de> for SecretBlob {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(SecretBase64).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_travel_as_padded_base64_and_nothing_else() {
        for (json, bytes) in
            [(r#""""#, &b""[..]), (r#""AA==""#, &[0]), (r#""AP8=""#, &[0, 255]), (r#""////""#, &[255; 3])]
        {
            let blob: Blob = serde_json::from_str(json).expect("base64");
            let secret: SecretBlob = serde_json::from_str(json).expect("base64");
            assert_eq!((blob.0.as_slice(), secret.0.as_slice()), (bytes, bytes));
            assert_eq!(serde_json::to_string(&blob).expect("written"), json);
            assert_eq!(serde_json::to_string(&secret).expect("written"), json);
        }
        for json in [r#""AA""#, r#""AA=""#, r#""A-==""#, r#""AB==""#, r#"" AA==""#, "1", "[0]"] {
            assert!(serde_json::from_str::<Blob>(json).is_err(), "{json}");
            assert!(serde_json::from_str::<SecretBlob>(json).is_err(), "{json}");
        }
    }
}
