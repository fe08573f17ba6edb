//! How callers name keys: by id, by ARN, by alias, by alias ARN. Knows texts, not which keys exist.

use std::fmt;

use wire::Arn;

use crate::error::KmsError;

/// The prefix of every alias name.
pub(crate) const ALIAS_PREFIX: &str = "alias/";

/// A key or alias as a caller named it. Its region is the call's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reference<'a> {
    /// The account that owns it.
    pub(crate) account: &'a str,
    /// The key or alias.
    pub(crate) target: Target<'a>,
}

/// The target of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    /// A key id.
    Key(&'a str),
    /// An alias name, `alias/` included.
    Alias(&'a str),
}

/// Which references an operation takes.
///
/// Source: AWS KMS API Reference, the `KeyId` parameter and "Cross-account use" of each operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forms {
    /// Keys and aliases of any account.
    KeyOrAlias,
    /// Keys of any account.
    Key,
    /// Keys of the caller's own account.
    OwnKey,
}

impl<'a> Reference<'a> {
    /// Reads a reference in a call to `region` by a caller of `account`.
    ///
    /// # Errors
    /// [`KmsError::InvalidKeyId`], [`KmsError::InvalidArn`], [`KmsError::OtherRegion`].
    pub(crate) fn parse(text: &'a str, region: &str, account: &'a str, forms: Forms) -> Result<Self, KmsError> {
        let (account, resource) = if text.starts_with("arn:") {
            arn_parts(text, region)?
        } else if text.starts_with(ALIAS_PREFIX) {
            (account, Resource::Alias(text))
        } else {
            (account, Resource::Key(text))
        };
        let target = match resource {
            Resource::Key(id) if KeyId::parse(id).is_some() => Target::Key(id),
            Resource::Key(id) => return Err(KmsError::InvalidKeyId { text: quoted(id) }),
            Resource::Alias(name) if forms == Forms::KeyOrAlias => Target::Alias(name),
            Resource::Alias(_) => return Err(KmsError::InvalidKeyId { text: quoted(text) }),
        };
        Ok(Self { account, target })
    }
}

enum Resource<'a> {
    Key(&'a str),
    Alias(&'a str),
}

/// The account and resource of a KMS ARN in `region`.
fn arn_parts<'a>(text: &'a str, region: &str) -> Result<(&'a str, Resource<'a>), KmsError> {
    let invalid = || KmsError::InvalidArn { reason: format!("Invalid arn {}", quoted(text)) };
    let mut parts = text.splitn(6, ':').skip(1);
    let mut next = || parts.next().ok_or_else(invalid);
    let (partition, service, arn_region, account, resource) = (next()?, next()?, next()?, next()?, next()?);
    if partition != "aws" || service != "kms" || !is_account_id(account) {
        return Err(invalid());
    }
    if arn_region != region {
        return Err(KmsError::OtherRegion { region: quoted(arn_region) });
    }
    if let Some(id) = resource.strip_prefix("key/") {
        Ok((account, Resource::Key(id)))
    } else if resource.starts_with(ALIAS_PREFIX) {
        Ok((account, Resource::Alias(resource)))
    } else {
        Err(invalid())
    }
}

/// Whether the text is an account id: twelve digits.
pub(crate) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// As much of a caller's text as an error repeats.
fn quoted(text: &str) -> String {
    wire::shape::quote(text).to_owned()
}

/// A key's ARN.
pub(crate) fn key_arn(region: &str, account: &str, id: &str) -> String {
    format!("arn:aws:kms:{region}:{account}:key/{id}")
}

/// An alias's ARN; `name` begins with `alias/`.
pub(crate) fn alias_arn(region: &str, account: &str, name: &str) -> String {
    format!("arn:aws:kms:{region}:{account}:{name}")
}

/// The ARN of an account as a principal.
pub(crate) fn account_arn(account: &str) -> Arn {
    Arn::new("iam", "", account, "root")
}

/// The prefix of the ids of multi-Region keys.
const MULTI_PREFIX: &str = "mrk-";

/// A key id: a UUID, or `mrk-` and 32 hexadecimal digits for a multi-Region key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyId {
    /// Of one region.
    Single([u8; 16]),
    /// The same in several regions.
    Multi([u8; 16]),
}

impl KeyId {
    /// A new id, of a multi-Region key or of a key of one region.
    pub(crate) fn random(multi_region: bool) -> Self {
        let mut bytes = [0; 16];
        crypto::random_bytes(&mut bytes);
        let bytes = uuid::Builder::from_random_bytes(bytes).into_uuid().into_bytes();
        if multi_region { Self::Multi(bytes) } else { Self::Single(bytes) }
    }

    /// The length of either form in bytes.
    pub(crate) const LENGTH: usize = 36;

    /// Writes the id.
    pub(crate) fn write<'b>(&self, text: &'b mut [u8; Self::LENGTH]) -> &'b str {
        match self {
            Self::Single(bytes) => uuid::Uuid::from_bytes(*bytes).hyphenated().encode_lower(text),
            Self::Multi(bytes) => {
                let (prefix, digits) = text.split_at_mut(MULTI_PREFIX.len());
                prefix.copy_from_slice(MULTI_PREFIX.as_bytes());
                uuid::Uuid::from_bytes(*bytes).simple().encode_lower(digits);
                str::from_utf8(text).unwrap_or_default()
            }
        }
    }

    /// Reads an id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (digits, of): (&str, fn([u8; 16]) -> Self) = match text.strip_prefix(MULTI_PREFIX) {
            Some(digits) if digits.len() == 32 => (digits, Self::Multi),
            // The other forms of a UUID have other lengths.
            None if text.len() == 36 => (text, Self::Single),
            _ => return None,
        };
        // Upper-case digits would name the same bytes by another text.
        let parsed = uuid::Uuid::try_parse(digits).ok().filter(|_| !text.bytes().any(|byte| byte.is_ascii_uppercase()));
        parsed.map(|id| of(id.into_bytes()))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.write(&mut [0; Self::LENGTH]))
    }
}

#[cfg(test)]
mod tests;
