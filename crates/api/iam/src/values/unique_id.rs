//! Unique ids, which stay the same when a name is given away and taken again.
//!
//! Knows their form and how they are generated; who has one is for the records.

use crypto::{random_bytes, sha256};

/// The kind of thing that a unique id belongs to: its first four letters.
///
/// Source: IAM User Guide, "IAM identifiers", unique identifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prefix {
    /// A long-lived access key.
    AccessKey,
    /// The access key of a session.
    SessionKey,
    /// A user.
    User,
    /// A group.
    Group,
    /// A role.
    Role,
    /// A customer-managed policy.
    Policy,
    /// An instance profile.
    InstanceProfile,
    /// An SSH public key.
    SshPublicKey,
    /// A credential for one service.
    ServiceCredential,
}

impl Prefix {
    const fn letters(self) -> &'static str {
        match self {
            Self::AccessKey => "AKIA",
            Self::SessionKey => "ASIA",
            Self::User => "AIDA",
            Self::Group => "AGPA",
            Self::Role => "AROA",
            Self::Policy => "ANPA",
            Self::InstanceProfile => "AIPA",
            Self::SshPublicKey => "APKA",
            Self::ServiceCredential => "ACCA",
        }
    }

    /// How many characters follow the prefix: access keys have 20 in all, the others 21.
    const fn random_length(self) -> usize {
        match self {
            Self::AccessKey | Self::SessionKey => 16,
            Self::User
            | Self::Group
            | Self::Role
            | Self::Policy
            | Self::InstanceProfile
            | Self::SshPublicKey
            | Self::ServiceCredential => 17,
        }
    }
}

/// RFC 4648 base 32: 32 letters, so that a random byte's low five bits choose one without bias.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A new unique id: 80 or 85 random bits behind the prefix.
#[must_use]
pub(crate) fn generate(prefix: Prefix) -> String {
    let mut random = [0_u8; 17];
    random_bytes(&mut random);
    spell(prefix, &random)
}

/// The unique id of an AWS-managed policy: the same on every server, since it follows from the ARN.
#[must_use]
pub(crate) fn of_catalogue(arn: &str) -> String {
    of_seed(Prefix::Policy, arn)
}

/// The unique id of what a seed makes at `arn`: the same every time.
#[must_use]
pub(crate) fn of_seed(prefix: Prefix, arn: &str) -> String {
    spell(prefix, &sha256(arn.as_bytes()))
}

fn spell(prefix: Prefix, bytes: &[u8]) -> String {
    let mut id = String::with_capacity(21);
    id.push_str(prefix.letters());
    let letters = bytes.iter().take(prefix.random_length()).filter_map(|byte| ALPHABET.get(usize::from(byte & 31)));
    id.extend(letters.map(|letter| char::from(*letter)));
    id
}

/// A new account id: twelve digits, the first of which is not zero.
#[must_use]
pub(crate) fn generate_account() -> String {
    let mut random = [0_u8; 8];
    random_bytes(&mut random);
    // 2^64 is so much more than the span that the remainder's bias is below 1 in 10 million.
    (100_000_000_000 + u64::from_le_bytes(random) % 900_000_000_000).to_string()
}

/// Whether `text` has the form of an account id.
#[must_use]
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unique_ids_have_awss_form() {
        for (prefix, letters, length) in [
            (Prefix::AccessKey, "AKIA", 20),
            (Prefix::SessionKey, "ASIA", 20),
            (Prefix::User, "AIDA", 21),
            (Prefix::Group, "AGPA", 21),
            (Prefix::Role, "AROA", 21),
            (Prefix::Policy, "ANPA", 21),
            (Prefix::InstanceProfile, "AIPA", 21),
            (Prefix::SshPublicKey, "APKA", 21),
            (Prefix::ServiceCredential, "ACCA", 21),
        ] {
            let id = generate(prefix);
            assert!(id.starts_with(letters), "{id}");
            assert_eq!(id.len(), length, "{id}");
            assert!(id.bytes().all(|byte| ALPHABET.contains(&byte)), "{id}");
        }
    }

    #[test]
    fn no_two_unique_ids_are_alike() {
        let ids: std::collections::BTreeSet<_> = (0..1000).map(|_| generate(Prefix::User)).collect();
        assert_eq!(ids.len(), 1000);
    }

    #[test]
    fn account_ids_are_twelve_digits_without_a_leading_zero() {
        for _ in 0..1000 {
            let id = generate_account();
            assert!(is_account(&id) && !id.starts_with('0'), "{id}");
        }
        assert!(!is_account("12345678901") && !is_account("12345678901x"));
    }
}
