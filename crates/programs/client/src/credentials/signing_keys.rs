//! Caches the signing key of an access key's latest scope: deriving it takes four HMACs, and most calls have one scope.

use std::sync::{Arc, Mutex, PoisonError};

use wire::sigv4::SigningKey;

/// The scope of a signing key.
#[derive(PartialEq, Eq)]
struct Scope {
    date: String,
    region: String,
    service: String,
}

/// The signing key of one access key's latest scope.
#[derive(Default)]
pub(super) struct SigningKeys(Mutex<Option<(Scope, Arc<SigningKey>)>>);

impl SigningKeys {
    /// The key of `secret` for a scope. `time` is the time of signing as `20150830T123600Z`.
    pub(super) fn key(&self, secret: &str, time: &str, region: &str, service: &str) -> Arc<SigningKey> {
        let date = time.get(..8).unwrap_or_default();
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((scope, key)) = cached.as_ref()
            && (&*scope.date, &*scope.region, &*scope.service) == (date, region, service)
        {
            return Arc::clone(key);
        }
        let key = Arc::new(SigningKey::derive(secret.as_bytes(), date, region, service));
        let scope = Scope { date: date.to_owned(), region: region.to_owned(), service: service.to_owned() };
        *cached = Some((scope, Arc::clone(&key)));
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_kept_for_its_scope_alone() {
        let keys = SigningKeys::default();
        let scopes = [
            ("20150830T123600Z", "us-east-1", "kms"),
            ("20150830T235959Z", "us-east-1", "kms"),
            ("20150831T000000Z", "us-east-1", "kms"),
            ("20150831T000000Z", "eu-west-1", "kms"),
            ("20150831T000000Z", "eu-west-1", "sts"),
            ("20150830T123600Z", "us-east-1", "kms"),
        ];
        for (time, region, service) in scopes {
            let derived = SigningKey::derive(b"secret", &time[..8], region, service);
            assert_eq!(keys.key("secret", time, region, service).sign(&[b"text"]), derived.sign(&[b"text"]));
        }
        let again = || keys.key("secret", "20150830T123600Z", "us-east-1", "kms");
        assert!(Arc::ptr_eq(&again(), &again()));
    }
}
