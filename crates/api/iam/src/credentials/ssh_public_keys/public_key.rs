//! SSH public keys of the kinds that are taken: RSA, as with AWS, and Ed25519, which is an extension.
//!
//! Owns what the kinds have in common: the two forms, the line of OpenSSH and PEM, and the fingerprint.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use super::ed25519_key::Ed25519Key;
use super::rsa_key::RsaKey;
use crate::values::error::{IamError, Result, Special};

/// An SSH public key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PublicKey {
    Rsa(RsaKey),
    Ed25519(Ed25519Key),
}

fn invalid() -> IamError {
    let message = "The public key is malformed, or neither an RSA key of at least 2048 bits nor an Ed25519 key.";
    Special::InvalidPublicKey.error(message)
}

impl PublicKey {
    /// Reads a line `ssh-rsa AAAA… comment` or `ssh-ed25519 AAAA… comment`, or PEM.
    ///
    /// # Errors
    /// `InvalidPublicKey`; `UnrecognizedPublicKeyEncoding` when it is neither.
    pub(crate) fn read(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.starts_with("-----BEGIN ") {
            Self::from_pem(text).ok_or_else(invalid)
        } else if text.starts_with("ssh-") || text.starts_with("ecdsa-") || text.starts_with("sk-") {
            Self::from_line(text).ok_or_else(invalid)
        } else {
            let message = "The public key is neither in OpenSSH's form nor in PEM.";
            Err(Special::UnrecognizedPublicKeyEncoding.error(message))
        }
    }

    fn from_line(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let algorithm = words.next()?;
        let blob = STANDARD.decode(words.next()?).ok()?;
        let (named, fields) = field(&blob)?;
        // The line and what it holds name the same algorithm.
        if named != algorithm.as_bytes() {
            return None;
        }
        match algorithm {
            RsaKey::ALGORITHM => RsaKey::from_fields(fields).map(Self::Rsa),
            Ed25519Key::ALGORITHM => Ed25519Key::from_fields(fields).map(Self::Ed25519),
            _ => None,
        }
    }

    fn from_pem(text: &str) -> Option<Self> {
        let (label, rest) = text.strip_prefix("-----BEGIN ")?.split_once("-----")?;
        let (body, rest) = rest.split_once("-----END ")?;
        if rest.trim_end().strip_suffix("-----")? != label {
            return None;
        }
        let body: String = body.split_ascii_whitespace().collect();
        let der = STANDARD.decode(body).ok()?;
        match label {
            "PUBLIC KEY" => {
                Ed25519Key::from_info(&der).map(Self::Ed25519).or_else(|| RsaKey::from_info(&der).map(Self::Rsa))
            }
            "RSA PUBLIC KEY" => RsaKey::from_pkcs1(&der).map(Self::Rsa),
            _ => None,
        }
    }

    const fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => RsaKey::ALGORITHM,
            Self::Ed25519(_) => Ed25519Key::ALGORITHM,
        }
    }

    /// The key as SSH sends it: fields, each behind its length.
    ///
    /// Source: RFC 4253, section 6.6; RFC 8709, section 4.
    fn blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        let fields = match self {
            Self::Rsa(key) => key.fields(),
            Self::Ed25519(key) => key.fields(),
        };
        for bytes in std::iter::once(self.algorithm().as_bytes()).chain(fields.iter().map(|field| &**field)) {
            blob.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
            blob.extend_from_slice(bytes);
        }
        blob
    }

    /// As a line of OpenSSH, without comment.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.algorithm(), STANDARD.encode(self.blob()))
    }

    /// As PEM.
    pub(crate) fn pem(&self) -> String {
        let info = match self {
            Self::Rsa(key) => key.info(),
            Self::Ed25519(key) => key.info(),
        };
        let body = STANDARD.encode(info);
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
        for (index, letter) in body.chars().enumerate() {
            if index > 0 && index % 64 == 0 {
                pem.push('\n');
            }
            pem.push(letter);
        }
        pem.push_str("\n-----END PUBLIC KEY-----\n");
        pem
    }

    /// MD5 of the key as SSH sends it, in pairs of digits with colons. It names the key and proves nothing.
    pub(crate) fn fingerprint(&self) -> String {
        let pairs: Vec<_> = Md5::digest(self.blob()).iter().map(|byte| format!("{byte:02x}")).collect();
        pairs.join(":")
    }
}

/// The first field of SSH's binary form, and what follows.
pub(super) fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

#[cfg(test)]
mod tests;
