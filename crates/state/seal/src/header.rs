//! The header `root.json`: which root key there is, how it is sealed, and how far a rotation has come.

use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::password::Cost;
use crypto::{RootKeyId, random_bytes};
use serde::{Deserialize, Serialize};

use crate::{SealError, Split, files};

/// The version that this program writes.
const VERSION: u32 = 1;

/// A header is some hundred bytes long.
const BYTES_MAX: usize = 64 * 1024;

/// Kinds of seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A key in a file.
    KeyFile,
    /// A passphrase.
    Passphrase,
    /// Shares of a key, held by several people.
    Shares,
    /// A key of another key service.
    Kms,
    /// A key in a PKCS#11 token.
    Token,
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::KeyFile => "key file",
            Self::Passphrase => "passphrase",
            Self::Shares => "key that is split among people",
            Self::Kms => "key of another key service",
            Self::Token => "key in a PKCS#11 token",
        })
    }
}

/// Status of a seal, which can be read without opening it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// How the root key is sealed.
    pub kind: Kind,
    /// How many root keys there have been, this one included.
    pub generation: u32,
    /// Which root key it is.
    pub root_key_id: RootKeyId,
    /// Whether a rotation was begun and awaits its end, which the next opening brings.
    pub rotating: bool,
    /// Tells this deployment from others, for whoever keeps keys for several.
    pub deployment: Deployment,
    /// Which split it is sealed by, if it is by one.
    pub split: Option<Split>,
    /// Which key of another service it is sealed by, if it is by one.
    pub kms: Option<KmsKey>,
    /// Which key of a token it is sealed by, if it is by one.
    pub token: Option<TokenKey>,
}

/// Reads the status of the seal in `directory`; `None` when there is none.
///
/// # Errors
/// [`SealError::Corrupt`], [`SealError::NewerVersion`], [`SealError::Exposed`], [`SealError::Io`].
pub fn status(directory: &Path) -> Result<Option<Status>, SealError> {
    let header = Header::read(directory)?;
    Ok(header.map(|Header { deployment, current, rotation, .. }| {
        let mut status = Status {
            kind: current.kind(),
            generation: current.generation,
            root_key_id: current.root_key_id.0,
            rotating: rotation.is_some(),
            deployment,
            split: None,
            kms: None,
            token: None,
        };
        match current.seal {
            Seal::KeyFile { .. } | Seal::Passphrase { .. } => {}
            Seal::Shares { split } => status.split = Some(split),
            Seal::Kms(key) => status.kms = Some(key),
            Seal::Token(key) => status.token = Some(key),
        }
        status
    }))
}

/// The file's content.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) version: u32,
    pub(crate) deployment: Deployment,
    pub(crate) current: Sealed,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rotation: Option<Rotation>,
    /// A key file that nothing needs any more and that has to be removed; relative to the seal directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retired: Option<PathBuf>,
}

/// A sealed root key.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sealed {
    pub(crate) generation: u32,
    pub(crate) root_key_id: KeyId,
    pub(crate) seal: Seal,
    pub(crate) wrapped: Bytes,
}

/// Kind of a seal, with the parameters that opening it needs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Seal {
    /// The path is relative to the seal directory, so that a data directory can be moved.
    KeyFile {
        path: PathBuf,
    },
    Passphrase {
        salt: Bytes,
        memory_kib: u32,
        passes: u32,
        lanes: u32,
    },
    Shares {
        split: Split,
    },
    Kms(KmsKey),
    Token(TokenKey),
}

/// Tells this deployment from others: 32 hexadecimal digits, made with the first root key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Deployment(String);

impl Deployment {
    pub(crate) fn random() -> Self {
        let mut bytes = [0; 16];
        random_bytes(&mut bytes);
        Self(format!("{:032x}", u128::from_be_bytes(bytes)))
    }
}

impl fmt::Display for Deployment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl From<Deployment> for String {
    fn from(deployment: Deployment) -> Self {
        deployment.0
    }
}

impl TryFrom<String> for Deployment {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let well_formed = text.len() == 32 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        if well_formed { Ok(Self(text)) } else { Err("a deployment's id has 32 hexadecimal digits") }
    }
}

/// A key of another key service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KmsKey {
    /// Its ARN.
    pub arn: String,
    /// The profile of the AWS configuration that leads to it; the usual one if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// A key in a PKCS#11 token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenKey {
    /// The token's PKCS#11 module.
    pub module: PathBuf,
    /// The token's label.
    pub token: String,
    /// The key's label.
    pub key: String,
}

/// A rotation under way. Each root key is also wrapped under the other, so that either seal brings it to its end.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rotation {
    pub(crate) next: Sealed,
    pub(crate) next_under_current: Bytes,
    pub(crate) current_under_next: Bytes,
}

impl Header {
    pub(crate) const fn new(deployment: Deployment, current: Sealed) -> Self {
        Self { version: VERSION, deployment, current, rotation: None, retired: None }
    }

    pub(crate) fn path(directory: &Path) -> PathBuf {
        directory.join("root.json")
    }

    pub(crate) fn read(directory: &Path) -> Result<Option<Self>, SealError> {
        /// Read first, since the rest may have any form in another version.
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let path = Self::path(directory);
        let Some(content) = files::read(&path, BYTES_MAX)? else { return Ok(None) };
        let corrupt = |error: serde_json::Error| SealError::Corrupt { path: path.clone(), detail: error.to_string() };
        let Versioned { version } = serde_json::from_slice(content.expose()).map_err(corrupt)?;
        if version > VERSION {
            return Err(SealError::NewerVersion { path, found: version });
        }
        serde_json::from_slice(content.expose()).map(Some).map_err(corrupt)
    }

    pub(crate) fn write(&self, directory: &Path) -> Result<(), SealError> {
        let path = Self::path(directory);
        let text = serde_json::to_vec_pretty(self).map_err(|error| SealError::io(&path)(error.into()))?;
        files::write(&path, &text)
    }
}

impl Sealed {
    pub(crate) const fn kind(&self) -> Kind {
        match self.seal {
            Seal::KeyFile { .. } => Kind::KeyFile,
            Seal::Passphrase { .. } => Kind::Passphrase,
            Seal::Shares { .. } => Kind::Shares,
            Seal::Kms(_) => Kind::Kms,
            Seal::Token(_) => Kind::Token,
        }
    }

    /// The binding of the wrapped root key.
    pub(crate) fn binding<'a>(&'a self, deployment: &'a Deployment) -> Binding<'a> {
        Binding { deployment, generation: self.generation, root_key_id: self.root_key_id.0, seal: &self.seal }
    }
}

/// The data that a wrapped root key is bound to: all that its entry says, except where keys are found.
pub struct Binding<'a> {
    pub(crate) deployment: &'a Deployment,
    pub(crate) generation: u32,
    pub(crate) root_key_id: RootKeyId,
    pub(crate) seal: &'a Seal,
}

impl Binding<'_> {
    /// As an encryption context, whose policies and logs can name the deployment.
    #[must_use]
    pub fn context(&self) -> [(&'static str, String); 3] {
        [
            ("sealstack:deployment", self.deployment.to_string()),
            ("sealstack:root-key", self.root_key_id.to_string()),
            ("sealstack:generation", self.generation.to_string()),
        ]
    }

    /// As associated data.
    #[must_use]
    pub fn associated(&self) -> Vec<u8> {
        let Self { deployment, generation, root_key_id, seal } = self;
        let seal = match seal {
            Seal::KeyFile { .. } => "key file".to_owned(),
            Seal::Passphrase { salt, memory_kib, passes, lanes } => {
                format!("passphrase {} {memory_kib} {passes} {lanes}", STANDARD.encode(&salt.0))
            }
            Seal::Shares { split: Split { id, threshold, count } } => format!("shares {id} {threshold} {count}"),
            Seal::Kms(_) => "kms".to_owned(),
            Seal::Token(_) => "token".to_owned(),
        };
        format!("sealstack root {VERSION} {deployment} {generation} {root_key_id} {seal}").into_bytes()
    }
}

impl Seal {
    pub(crate) const fn cost(memory_kib: u32, passes: u32, lanes: u32) -> Cost {
        Cost { memory_kib, passes, lanes }
    }
}

/// Bytes as base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl From<Bytes> for String {
    fn from(bytes: Bytes) -> Self {
        STANDARD.encode(bytes.0)
    }
}

impl TryFrom<String> for Bytes {
    type Error = base64::DecodeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        STANDARD.decode(text).map(Self)
    }
}

/// A root key's identifier as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct KeyId(pub(crate) RootKeyId);

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.0.to_string()
    }
}

impl TryFrom<String> for KeyId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let id = crypto::hex::decode(&text).ok_or("a root key id has 16 hexadecimal digits")?;
        Ok(Self(RootKeyId::from_bytes(id)))
    }
}
