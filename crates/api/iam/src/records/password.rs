//! Passwords as they are received, stored and compared, and the policy that an account has for them.
//!
//! A password is stored as its Argon2id hash, inside a record that is sealed besides.

use std::sync::{Arc, LazyLock};

use crypto::password::{Cost, derive};
use crypto::{SecretBytes, constant_time_eq, random_bytes};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use store::{ReadTx, Record, StoreError};
use tokio::sync::Semaphore;
use wire::shape::{AuditValue, Described, Member, Path, Rule, Violations};
use wire::{Malformed, Reader};
use zeroize::Zeroizing;

use crate::values::error::{IamError, Result, Special};

/// The cost of a guess: the least that OWASP's Password Storage Cheat Sheet and RFC 9106 both find enough where many
/// users share a server.
const COST: Cost = Cost { memory_kib: 19 * 1024, passes: 2, lanes: 1 };

/// Passwords hashed at a time, so that a flood of them takes neither all memory nor all processors.
static HASHING: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(2)));

/// How long a password can be, in characters.
const LENGTH: std::ops::RangeInclusive<usize> = 1..=128;

/// A password as a caller sends it: wiped when dropped, and neither in messages nor in the audit trail.
#[expect(unreachable_pub, reason = "it is a member of inputs, which are public as associated types")]
pub struct PasswordInput(Zeroizing<String>);

impl Described for PasswordInput {}

impl Member for PasswordInput {
    type Wire = Self;
    const SECRET: bool = true;

    fn read(reader: &mut Reader<'_>, _: usize) -> Result<Self, Malformed> {
        reader.text().map(|text| Self(Zeroizing::new(text.into_owned())))
    }

    fn check(wire: Self, path: &Path<'_>, _: &[Rule], violations: &mut Violations) -> Option<Self> {
        let letters = wire.0.chars().count();
        if letters < *LENGTH.start() {
            violations.add(None, path, "Member must have length greater than or equal to 1");
        } else if letters > *LENGTH.end() {
            violations.add(None, path, "Member must have length less than or equal to 128");
        }
        if !wire.0.chars().all(|letter| matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{ff}')) {
            let rule = r"Member must satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u00FF]+";
            violations.add(None, path, rule);
        }
        Some(wire)
    }

    fn audit<S: SerializeStruct>(&self, _: &'static str, _: &mut S) -> Result<(), S::Error> {
        Ok(())
    }
}

impl AuditValue for PasswordInput {
    fn audit_value<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_unit()
    }
}

impl PasswordInput {
    fn bytes(&self) -> SecretBytes {
        let mut bytes = SecretBytes::with_capacity(self.0.len());
        bytes.extend(self.0.as_bytes());
        bytes
    }
}

/// A password as it is stored.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PasswordHash {
    salt: [u8; 16],
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    hash: [u8; 32],
}

impl PasswordHash {
    /// Hashes a new password.
    ///
    /// # Errors
    /// `ServiceFailure`, when the hash cannot be made.
    pub(crate) async fn of(password: &PasswordInput) -> Result<Self> {
        let mut salt = [0_u8; 16];
        random_bytes(&mut salt);
        let hash = hash(password.bytes(), salt, COST).await?;
        Ok(Self { salt, memory_kib: COST.memory_kib, passes: COST.passes, lanes: COST.lanes, hash })
    }

    /// Whether this is the password.
    ///
    /// # Errors
    /// `ServiceFailure`, when the hash cannot be made.
    pub(crate) async fn matches(&self, password: &PasswordInput) -> Result<bool> {
        let cost = Cost { memory_kib: self.memory_kib, passes: self.passes, lanes: self.lanes };
        Ok(constant_time_eq(&self.hash, &hash(password.bytes(), self.salt, cost).await?))
    }
}

async fn hash(password: SecretBytes, salt: [u8; 16], cost: Cost) -> Result<[u8; 32]> {
    // The semaphore is never closed.
    let turn = Arc::clone(&HASHING).acquire_owned().await.map_err(|_| IamError::Store(StoreError::Panicked))?;
    let hashed = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        derive(&password, &salt, cost)
    });
    match hashed.await {
        Ok(Ok(key)) => Ok(*key.expose()),
        Ok(Err(error)) => {
            tracing::error!(%error, "a password cannot be hashed");
            Err(IamError::Store(StoreError::Panicked))
        }
        Err(_) => Err(IamError::Store(StoreError::Panicked)),
    }
}

/// The account's rules for passwords, under the account.
///
/// Source: IAM API Reference, UpdateAccountPasswordPolicy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PasswordPolicy {
    pub(crate) length_min: u32,
    pub(crate) symbols: bool,
    pub(crate) numbers: bool,
    pub(crate) uppercase: bool,
    pub(crate) lowercase: bool,
    pub(crate) users_may_change: bool,
    pub(crate) age_days_max: Option<u32>,
    /// How many earlier passwords may not be used again.
    pub(crate) remembered: Option<u32>,
    pub(crate) hard_expiry: Option<bool>,
}

/// The id of the only policy under an account.
pub(crate) const POLICY: &str = "policy";

impl Record for PasswordPolicy {
    const COLLECTION: &'static str = "iam.password-policy";
}

/// The symbols that `RequireSymbols` is about.
const SYMBOLS: &str = "!@#$%^&*()_+-=[]{}|'";

/// The account's policy, if it has one of its own.
pub(crate) fn policy_of(tx: &ReadTx<'_>, account: &str) -> Result<Option<PasswordPolicy>, StoreError> {
    tx.get::<PasswordPolicy>(account, POLICY)
}

/// Holds a new password to the account's policy, or to the one that every account begins with: eight characters of
/// three kinds.
///
/// # Errors
/// `PasswordPolicyViolation`.
pub(crate) fn check(policy: Option<&PasswordPolicy>, password: &PasswordInput) -> Result<()> {
    let has = |test: fn(char) -> bool| password.0.chars().any(test);
    let kinds = [
        has(|letter| letter.is_ascii_uppercase()),
        has(|letter| letter.is_ascii_lowercase()),
        has(|letter| letter.is_ascii_digit()),
        has(|letter| SYMBOLS.contains(letter)),
    ];
    let length = password.0.chars().count();
    let violation = |message: String| Err(Special::PasswordPolicyViolation.error(message));
    let Some(policy) = policy else {
        if length < 8 {
            return violation("Password should have a minimum length of 8".to_owned());
        }
        if kinds.iter().filter(|kind| **kind).count() < 3 {
            let message =
                "Password should have at least three of: uppercase letters, lowercase letters, numbers, symbols";
            return violation(message.to_owned());
        }
        return Ok(());
    };
    if length < usize::try_from(policy.length_min).unwrap_or(usize::MAX) {
        return violation(format!("Password should have a minimum length of {}", policy.length_min));
    }
    let wanted = [policy.uppercase, policy.lowercase, policy.numbers, policy.symbols];
    let names = ["uppercase letter", "lowercase letter", "number", "symbol"];
    for ((wanted, has), name) in wanted.into_iter().zip(kinds).zip(names) {
        if wanted && !has {
            return violation(format!("Password should have at least one {name}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> PasswordInput {
        PasswordInput(Zeroizing::new(text.to_owned()))
    }

    #[tokio::test]
    async fn only_the_password_matches_its_hash() {
        let hash = PasswordHash::of(&password("Correct-Horse-7")).await.expect("hashed");
        assert!(hash.matches(&password("Correct-Horse-7")).await.expect("compared"));
        for other in ["correct-horse-7", "Correct-Horse-7 ", ""] {
            assert!(!hash.matches(&password(other)).await.expect("compared"), "{other}");
        }
        let again = PasswordHash::of(&password("Correct-Horse-7")).await.expect("hashed");
        assert_ne!(hash.hash, again.hash);
    }

    #[test]
    fn passwords_are_held_to_the_policy() {
        let none = PasswordPolicy {
            length_min: 6,
            symbols: false,
            numbers: false,
            uppercase: false,
            lowercase: false,
            users_may_change: false,
            age_days_max: None,
            remembered: None,
            hard_expiry: None,
        };
        let cases = [
            (None, "Abcdef12", true),
            (None, "Abcde12", false),
            (None, "abcdefgh12", false),
            (None, "abcdef12!", true),
            (Some(none.clone()), "aaaaaa", true),
            (Some(none.clone()), "aaaaa", false),
            (Some(PasswordPolicy { symbols: true, ..none.clone() }), "aaaaaa", false),
            (Some(PasswordPolicy { symbols: true, ..none.clone() }), "aaaaa'", true),
            (Some(PasswordPolicy { numbers: true, ..none.clone() }), "aaaaaa", false),
            (Some(PasswordPolicy { uppercase: true, ..none.clone() }), "aaaaaa", false),
            (Some(PasswordPolicy { lowercase: true, ..none.clone() }), "AAAAAA", false),
            (Some(PasswordPolicy { length_min: 20, ..none }), "aaaaaaaaaaaaaaaaaaa", false),
        ];
        for (policy, text, allowed) in cases {
            assert_eq!(check(policy.as_ref(), &password(text)).is_ok(), allowed, "{policy:?} {text}");
        }
    }
}
