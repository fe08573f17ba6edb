//! Sealed tokens, for lists whose places would tell callers what is not theirs to know.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::{Key256, SecretBytes, kdf, sealed};

/// The key under which tokens are sealed.
pub struct TokenKey(Key256);

impl TokenKey {
    /// The key for tokens of one `purpose`, derived from another.
    #[must_use]
    pub fn derive(from: &Key256, purpose: &[u8]) -> Self {
        Self(kdf::derive(from, purpose, b""))
    }

    /// The token for going on from `place` in the list that `list` stands for: all that was asked for but the page's
    /// size, which may change from page to page.
    #[must_use]
    pub fn seal(&self, place: &[u8], list: &[u8]) -> String {
        STANDARD.encode(sealed::seal(&self.0, list, place))
    }

    /// The place in a token; none if this list did not give it.
    #[must_use]
    pub fn open(&self, token: &str, list: &[u8]) -> Option<SecretBytes> {
        sealed::open(&self.0, list, &STANDARD.decode(token).ok()?).ok()
    }
}
