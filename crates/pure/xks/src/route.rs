//! The paths of the API: `<prefix>/kms/xks/v1/…`.

/// How the path that a key store is configured with ends.
pub const PATH_END: &str = "/kms/xks/v1";

/// Operation on a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// To read its metadata.
    Metadata,
    /// To encrypt with it.
    Encrypt,
    /// To decrypt with it.
    Decrypt,
}

impl Action {
    const ALL: [Self; 3] = [Self::Metadata, Self::Encrypt, Self::Decrypt];

    const fn name(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
        }
    }
}

/// Endpoint that a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route<'a> {
    /// How the proxy is.
    Health,
    /// Something about a key.
    Key(&'a str, Action),
}

impl<'a> Route<'a> {
    /// Reads the path of a request to the proxy at `base`, which ends with [`PATH_END`].
    #[must_use]
    pub fn parse(base: &str, path: &'a str) -> Option<Self> {
        let rest = path.strip_prefix(base)?;
        if rest == "/health" {
            return Some(Self::Health);
        }
        let (key, name) = rest.strip_prefix("/keys/")?.split_once('/')?;
        let action = Action::ALL.into_iter().find(|action| action.name() == name)?;
        is_key_id(key).then_some(Self::Key(key, action))
    }

    /// The path.
    #[must_use]
    pub fn path(&self, base: &str) -> String {
        match self {
            Self::Health => format!("{base}/health"),
            Self::Key(key, action) => format!("{base}/keys/{key}/{}", action.name()),
        }
    }
}

/// Whether a text can be the id of an external key. What could climb out of its place in a path cannot.
#[must_use]
pub fn is_key_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=128).contains(&text.len()) && text.bytes().all(allowed) && !text.bytes().all(|byte| byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "/example/kms/xks/v1";

    #[test]
    fn paths_are_read_back_as_they_were_written() {
        for route in [Route::Health, Route::Key("a-B_9.x", Action::Encrypt), Route::Key("k", Action::Metadata)] {
            assert_eq!(Route::parse(BASE, &route.path(BASE)), Some(route));
        }
        assert_eq!(Route::Key("k", Action::Decrypt).path(BASE), "/example/kms/xks/v1/keys/k/decrypt");
    }

    #[test]
    fn other_paths_stand_for_nothing() {
        let long = "k".repeat(129);
        for rest in
            ["", "/", "/health/", "/keys/k", "/keys//encrypt", "/keys/k/sign", "/keys/../encrypt", "/keys/k%2e/encrypt"]
        {
            assert_eq!(Route::parse(BASE, &format!("{BASE}{rest}")), None, "{rest}");
        }
        assert_eq!(Route::parse(BASE, &format!("{BASE}/keys/{long}/encrypt")), None);
        assert_eq!(Route::parse(BASE, "/other/kms/xks/v1/health"), None);
    }
}
