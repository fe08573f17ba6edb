//! The token seal: the root key wrapped by a key that was made in a PKCS#11 token and never leaves it.
//!
//! The wrapped root key is stored as `nonce length (1) ‖ nonce ‖ ciphertext ‖ tag (16)`. The token is logged in to for
//! as long as that takes, and no longer.

use crypto::{RootKey, SecretBytes};
use token::{KeyFacts, SealedParts, TAG_LENGTH, Token, TokenConfig, TokenError};

use crate::{Binding, RootSeal, SealError, TokenKey};

/// A root key's length.
const ROOT_LENGTH: usize = 32;

/// A key in a token, logged in to.
pub(crate) struct TokenSeal {
    token: Token,
    label: String,
}

impl TokenSeal {
    /// The key that there is.
    pub(crate) fn open(key: &TokenKey, pin: &SecretBytes) -> Result<Self, SealError> {
        let config = TokenConfig { module: key.module.clone(), label: key.token.clone() };
        let token = Token::log_in(config, SecretBytes::from(pin.expose()))?;
        Ok(Self { token, label: key.key.clone() })
    }

    /// The key that there is, if it can be relied on never to leave the token; or a new one.
    pub(crate) fn make(key: &TokenKey, pin: &SecretBytes) -> Result<Self, SealError> {
        let seal = Self::open(key, pin)?;
        let facts = match seal.token.facts(&seal.label) {
            Err(TokenError::NoKey { .. }) => {
                seal.token.generate_key(&seal.label)?;
                seal.token.facts(&seal.label)?
            }
            found => found?,
        };
        let KeyFacts { sensitive, extractable, .. } = facts;
        if facts.serves() && sensitive && !extractable {
            return Ok(seal);
        }
        Err(SealError::UnfitTokenKey { token: key.token.clone(), key: key.key.clone() })
    }
}

impl RootSeal for TokenSeal {
    fn wrap(&self, root: &RootKey, binding: &Binding<'_>) -> Result<Vec<u8>, SealError> {
        let SealedParts { nonce, ciphertext, tag } =
            self.token.seal(&self.label, &binding.associated(), root.key().expose())?;
        // A nonce that has no place in a byte is none of AES-GCM's.
        let length = u8::try_from(nonce.len()).map_err(|_| TokenError::NotAuthentic)?;
        Ok([&[length], nonce.as_slice(), &ciphertext, &tag].concat())
    }

    fn unwrap(&self, wrapped: &[u8], binding: &Binding<'_>) -> Result<Option<RootKey>, SealError> {
        let Some(parts) = parse(wrapped) else { return Ok(None) };
        match self.token.open(&self.label, &binding.associated(), &parts) {
            Ok(root) => Ok(RootKey::from_slice(root.expose()).ok()),
            Err(TokenError::NotAuthentic) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn parse(wrapped: &[u8]) -> Option<SealedParts> {
    let (&length, rest) = wrapped.split_first()?;
    let (nonce, rest) = rest.split_at_checked(usize::from(length))?;
    let (ciphertext, tag) = rest.split_last_chunk::<TAG_LENGTH>()?;
    let whole = ciphertext.len() == ROOT_LENGTH;
    whole.then(|| SealedParts { nonce: nonce.to_vec(), ciphertext: ciphertext.to_vec(), tag: *tag })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_taken_apart_and_nothing_else_is() {
        let stored = [&[12_u8][..], &[1; 12], &[2; 32], &[3; 16]].concat();
        let parts = parse(&stored).expect("parts");
        assert_eq!((parts.nonce, parts.ciphertext, parts.tag), (vec![1; 12], vec![2; 32], [3; 16]));
        for length in 0..stored.len() {
            assert!(parse(&stored[..length]).is_none(), "{length}");
        }
        assert!(parse(&[&stored[..], &[0]].concat()).is_none());
        assert!(parse(&[[255].as_slice(), &stored[1..]].concat()).is_none());
    }
}
