//! The keys of identity providers: read from files that the operator keeps, one for each provider.
//!
//! Nothing is fetched: this server connects to nothing that its operator did not name. A provider's file holds its JSON
//! web key set (RFC 7517) and is called after its URL without scheme, `/` replaced by `_`, with `.jwks` behind it.

use std::io::Read as _;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::jws;
use serde::Deserialize;

/// How large a key set can be, in bytes.
const BYTES_MAX: u64 = 256 * 1024;

/// The directory of key sets, if the server has one.
#[derive(Default)]
pub(crate) struct ProviderKeys {
    pub(crate) directory: Option<PathBuf>,
}

/// A key set. Keys of other kinds than these are passed over.
#[derive(Deserialize)]
pub(crate) struct KeySet {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    kty: String,
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl ProviderKeys {
    /// The key set of the provider at a URL without scheme. `None` if there is none that can be read.
    pub(crate) fn of(&self, url: &str) -> Option<KeySet> {
        let path = self.directory.as_ref()?.join(format!("{}.jwks", url.replace('/', "_")));
        let mut text = Vec::new();
        // A small file, read for a call that is rare beside all others.
        let read = std::fs::File::open(&path).and_then(|file| file.take(BYTES_MAX).read_to_end(&mut text));
        if let Err(error) = read {
            tracing::warn!(path = %path.display(), %error, "an identity provider's keys cannot be read");
            return None;
        }
        let keys = serde_json::from_slice(&text);
        keys.inspect_err(|error| tracing::warn!(path = %path.display(), %error, "not a JSON web key set")).ok()
    }
}

impl KeySet {
    /// Whether one of the keys, the one called `kid` if the token names one, signed the message.
    pub(crate) fn signed(&self, algorithm: &str, kid: Option<&str>, message: &[u8], signature: &[u8]) -> bool {
        let meant = |key: &&Key| kid.is_none_or(|kid| key.kid.as_deref() == Some(kid));
        self.keys.iter().filter(meant).any(|key| key.signed(algorithm, message, signature).is_some())
    }
}

impl Key {
    fn signed(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> Option<()> {
        let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref()?).ok();
        match (algorithm, self.kty.as_str()) {
            ("RS256", "RSA") => jws::verify_rs256(&bytes(&self.n)?, &bytes(&self.e)?, message, signature).ok(),
            ("ES256", "EC") if self.crv.as_deref() == Some("P-256") => {
                jws::verify_es256(&bytes(&self.x)?, &bytes(&self.y)?, message, signature).ok()
            }
            _ => None,
        }
    }
}
