//! Request and event ids: unique, in UUID form, without a system call for each.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Keyed at random when the process starts, so that ids of two runs differ.
static KEYS: LazyLock<(RandomState, RandomState)> = LazyLock::new(|| (RandomState::new(), RandomState::new()));
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The next id, such as `4f6f1b0c-6d0c-4d7e-9d3e-0a5f3c9e2b11`. Unpredictable to nobody in particular: it is a name,
/// not a secret.
pub(crate) fn next() -> String {
    let count = NEXT.fetch_add(1, Ordering::Relaxed);
    let (high, low) = (KEYS.0.hash_one(count), KEYS.1.hash_one(count));
    let id = uuid::Builder::from_random_bytes(((u128::from(high) << 64) | u128::from(low)).to_be_bytes());
    // Written, not formatted.
    id.into_uuid().hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()).to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn ids_differ_and_are_version_4_uuids() {
        let ids: std::collections::BTreeSet<_> = (0..1000).map(|_| super::next()).collect();
        assert_eq!(ids.len(), 1000);
        for id in ids {
            assert_eq!(uuid::Uuid::parse_str(&id).expect("a UUID").get_version_num(), 4);
        }
    }
}
