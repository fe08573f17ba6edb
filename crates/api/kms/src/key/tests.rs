//! A key for the tests of others.

use super::*;

/// A key without material or policy of its own.
pub(crate) fn record(account: &str, region: &str, id: &str) -> KeyRecord {
    KeyRecord {
        account: account.to_owned(),
        region: region.to_owned(),
        id: id.to_owned(),
        created: wire::Timestamp::from_millis(0),
        description: String::new(),
        spec: KeySpec::SymmetricDefault,
        usage: KeyUsage::EncryptDecrypt,
        origin: Origin::AwsKms,
        manager: KeyManager::Customer,
        state: KeyState::Enabled,
        destroyed_at: None,
        deletion_window_days: None,
        multi_region: None,
        policy: PolicyRecord::of_account(account),
        tags: BTreeMap::new(),
        aliases: BTreeSet::new(),
        materials: Vec::new(),
        current: None,
        pending: None,
        expires: None,
        rotation: Rotation::default(),
        grants: 0,
    }
}
