//! Request and event ids: unique, in UUID form, without a system call for each.

use uuid::Uuid;

/// Room for an id.
pub(crate) type Room = [u8; Uuid::encode_buffer().len()];

/// A fresh id, such as `4f6f1b0c-6d0c-4d7e-9d3e-0a5f3c9e2b11`.
pub(crate) fn next() -> String {
    write(&mut Uuid::encode_buffer()).to_owned()
}

/// A fresh id, written into `room`.
pub(crate) fn write(room: &mut Room) -> &str {
    let id = uuid::Builder::from_random_bytes(crypto::random_nonce()).into_uuid();
    // Written, not formatted.
    id.hyphenated().encode_lower(room)
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
