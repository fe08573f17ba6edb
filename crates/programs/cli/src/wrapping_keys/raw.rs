//! Raw keys from files.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use crypto::{SecretBytes, hex};
use envelope::{Keyring, Padding, RawAesKeyring, RawRsaKeyring};
use wire::shown_path;

use super::group::Settings;
use crate::failure::Failure;

/// The longest key file, in bytes.
const FILE_MAX: u64 = 64 << 10;

/// A raw key from a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Raw {
    namespace: String,
    name: String,
    file: PathBuf,
    kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Aes(Encoding),
    Rsa(Padding),
}

/// How a file holds an AES key. It is said and not guessed: a text of 32 characters is a key of 32 bytes, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Raw,
    Hex,
    Base64,
}

/// The provider of KMS keys, which no raw key may pose as.
const KMS: &str = "aws-kms";

impl Raw {
    pub(super) fn parse_aes(mut settings: Settings<'_>) -> Result<Self, String> {
        let encoding = match settings.one("encoding")?.as_deref() {
            None | Some("raw") => Encoding::Raw,
            Some("hex") => Encoding::Hex,
            Some("base64") => Encoding::Base64,
            Some(other) => return Err(format!("there is no encoding {other:?}; raw, hex and base64 are known")),
        };
        Self::parse(settings, Kind::Aes(encoding), "a raw AES key")
    }

    pub(super) fn parse_rsa(mut settings: Settings<'_>) -> Result<Self, String> {
        let padding = match settings.one("padding")?.as_deref() {
            None | Some("oaep-sha256") => Padding::OaepSha256,
            Some("oaep-sha1") => Padding::OaepSha1,
            Some("oaep-sha384") => Padding::OaepSha384,
            Some("oaep-sha512") => Padding::OaepSha512,
            Some("pkcs1") => Padding::Pkcs1,
            Some(other) => return Err(format!("there is no padding {other:?}")),
        };
        Self::parse(settings, Kind::Rsa(padding), "a raw RSA key")
    }

    fn parse(mut settings: Settings<'_>, kind: Kind, what: &str) -> Result<Self, String> {
        let raw = Self {
            namespace: settings.needed("namespace")?,
            name: settings.needed("name")?,
            file: settings.needed("file")?.into(),
            kind,
        };
        settings.done(what)?;
        if raw.namespace == KMS {
            return Err(format!("the namespace {KMS} is that of KMS keys"));
        }
        Ok(raw)
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// The keyring of the key, read now.
    pub(super) fn keyring(&self) -> Result<Box<dyn Keyring>, Failure> {
        let contents = self.read()?;
        let wrong = |reason: &str| Failure::Usage(format!("the key in {} {reason}", shown_path(&self.file)));
        match self.kind {
            Kind::Aes(encoding) => {
                let key =
                    decode(&contents, encoding).ok_or_else(|| wrong("is not in the encoding that it should be"))?;
                let keyring = RawAesKeyring::new(&self.namespace, &self.name, key.expose());
                let length = |_| {
                    let bytes = key.len();
                    let hint = "16, 24 or 32 are an AES key's; for a text, say encoding=hex or encoding=base64";
                    wrong(&format!("has {bytes} bytes; {hint}"))
                };
                Ok(Box::new(keyring.map_err(length)?))
            }
            Kind::Rsa(padding) => {
                let keyring = RawRsaKeyring::new(&self.namespace, &self.name, padding);
                let private = contents.expose().windows(PRIVATE.len()).any(|found| found == PRIVATE);
                let keyring = if private {
                    keyring.with_private_key(contents.expose())
                } else {
                    keyring.with_public_key(contents.expose())
                };
                Ok(Box::new(keyring.map_err(|_| wrong("is no RSA key in PEM that is not encrypted"))?))
            }
        }
    }

    fn read(&self) -> Result<SecretBytes, Failure> {
        use std::io::Read as _;
        let read = || {
            let mut contents = SecretBytes::with_capacity(4096);
            let file = std::fs::File::open(&self.file)?;
            std::io::copy(&mut file.take(FILE_MAX), &mut contents)?;
            Ok(contents)
        };
        read().map_err(|cause| Failure::File { action: "read the key in", path: self.file.clone(), cause })
    }
}

/// The text by which a private key in PEM differs from a public one.
const PRIVATE: &[u8] = b"PRIVATE KEY-----";

fn decode(contents: &SecretBytes, encoding: Encoding) -> Option<SecretBytes> {
    let text = contents.expose().trim_ascii();
    match encoding {
        Encoding::Raw => Some(SecretBytes::from(contents.expose())),
        Encoding::Base64 => BASE64.decode(text).ok().map(SecretBytes::from),
        Encoding::Hex => hex::decode_secret(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_decoded_as_they_are_said_to_be() {
        let decode = |text: &str, encoding| {
            decode(&SecretBytes::from(text.as_bytes()), encoding).map(|key| key.expose().to_vec())
        };
        assert_eq!(decode("00fF\n", Encoding::Hex), Some(vec![0, 255]));
        assert_eq!(decode("AP8=\n", Encoding::Base64), Some(vec![0, 255]));
        assert_eq!(decode("ab\n", Encoding::Raw), Some(b"ab\n".to_vec()));
        assert_eq!(decode("abc", Encoding::Hex), None);
        assert_eq!(decode("+g", Encoding::Hex), None);
        assert_eq!(decode("AP8", Encoding::Base64), None);
    }
}
