//! The token of the next page: where in the log the search goes on, sealed, and bound to the look-up that it goes on.
//!
//! Sealed because the place would tell how much the other accounts of this server do.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::{Key256, kdf, sealed};

/// The key under which tokens are sealed.
pub(crate) struct TokenKey(Key256);

impl From<&Key256> for TokenKey {
    fn from(audit: &Key256) -> Self {
        Self(kdf::derive(audit, b"sealstack cloudtrail token 1", b""))
    }
}

impl TokenKey {
    /// The token for going on with the record `before` and older ones.
    pub(crate) fn seal(&self, before: u64, lookup: &[u8]) -> String {
        STANDARD.encode(sealed::seal(&self.0, lookup, &before.to_be_bytes()))
    }

    /// The place in a token; none if this look-up did not give it.
    pub(crate) fn open(&self, token: &str, lookup: &[u8]) -> Option<u64> {
        let sealed = STANDARD.decode(token).ok()?;
        let before = sealed::open(&self.0, lookup, &sealed).ok()?;
        before.expose().try_into().ok().map(u64::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_serves_the_look_up_that_gave_it() {
        let key = TokenKey::from(&Key256::random());
        let token = key.seal(42, b"this one");
        assert_eq!(key.open(&token, b"this one"), Some(42));
        assert_eq!(key.open(&token, b"another"), None);
        assert_eq!(TokenKey::from(&Key256::random()).open(&token, b"this one"), None);
        for text in ["", "42", "!", &token[1..]] {
            assert_eq!(key.open(text, b"this one"), None, "{text}");
        }
    }
}
