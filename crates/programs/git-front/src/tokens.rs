//! Tokens for Git LFS: a client that authenticated over SSH speaks to it over HTTP.
//!
//! In memory: they end with the process, and clients get others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crypto::sha256;
use service::Caller;
use wire::Timestamp;

/// How long a token is good for, in seconds.
pub(crate) const SECONDS: i64 = 3600;

/// Tokens at once: each is about a hundred bytes.
const TOKENS_MAX: usize = 10_000;

/// The scheme of an `Authorization` header with a token.
pub(crate) const SCHEME: &str = "RemoteAuth ";

/// Whom a token stands for, where, and until when.
struct Issued {
    caller: Arc<Caller>,
    repository: String,
    until: i64,
}

/// The tokens of a server. Clones are the same.
#[derive(Clone, Default)]
pub struct Tokens(Arc<Mutex<HashMap<[u8; 32], Issued>>>);

impl Tokens {
    /// A token for a caller in a repository; `None` when there are too many.
    pub(crate) fn issue(&self, caller: &Arc<Caller>, repository: &str, now: Timestamp) -> Option<String> {
        let mut secret = [0; 32];
        crypto::random_bytes(&mut secret);
        let token = crypto::hex::encode(&secret);
        let now = now.millis() / 1000;
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= TOKENS_MAX {
            tokens.retain(|_, issued| issued.until > now);
        }
        if tokens.len() >= TOKENS_MAX {
            return None;
        }
        let issued = Issued { caller: Arc::clone(caller), repository: repository.to_owned(), until: now + SECONDS };
        // By its digest, so that how long a look-up takes says nothing of what would be found.
        tokens.insert(sha256(token.as_bytes()), issued);
        Some(token)
    }

    /// The caller whom a token stands for in a repository.
    pub(crate) fn caller(&self, token: &str, repository: &str, now: Timestamp) -> Option<Arc<Caller>> {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let issued = tokens.get(&sha256(token.as_bytes()))?;
        let good = issued.repository == repository && issued.until > now.millis() / 1000;
        good.then(|| Arc::clone(&issued.caller))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_in_its_repository_and_for_an_hour() {
        let (tokens, caller) = (Tokens::default(), Arc::new(Caller::anonymous()));
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        let token = tokens.issue(&caller, "first", at(1000)).expect("a token");
        assert!(tokens.caller(&token, "first", at(1000 + SECONDS - 1)).is_some());
        assert!(tokens.caller(&token, "first", at(1000 + SECONDS)).is_none());
        assert!(tokens.caller(&token, "second", at(1000)).is_none());
        assert!(tokens.caller(&token.replace(|_: char| true, "0"), "first", at(1000)).is_none());
    }

    #[test]
    fn old_tokens_make_room_for_new_ones() {
        let (tokens, caller) = (Tokens::default(), Arc::new(Caller::anonymous()));
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        for _ in 0..TOKENS_MAX {
            assert!(tokens.issue(&caller, "first", at(0)).is_some());
        }
        assert!(tokens.issue(&caller, "first", at(0)).is_none());
        assert!(tokens.issue(&caller, "first", at(SECONDS)).is_some());
    }
}
