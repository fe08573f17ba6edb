//! Argon2id: a key from a passphrase that a person remembers.

use argon2::{Algorithm, Argon2, Params, Version};

use crate::{CryptoError, Key256, SecretBytes};

/// The cost of a guess. Stored beside what it protects, so that the cost can rise without locking anybody out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// The second recommended option of RFC 9106, section 4: 64 MiB, three passes, four lanes.
    pub const RECOMMENDED: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };

    /// The most memory that [`derive()`] spends, in KiB: a stored cost comes from a file that somebody may have changed.
    pub const MEMORY_KIB_MAX: u32 = 4 * 1024 * 1024;

    /// The most passes that [`derive()`] makes.
    pub const PASSES_MAX: u32 = 64;
}

/// Derives a key from a passphrase and a random salt of at least 8 bytes.
///
/// # Errors
/// [`CryptoError::PasswordCost`] when the salt is too short or the cost is outside of Argon2id's or our bounds.
///
/// Source: RFC 9106, version 0x13.
pub fn derive(passphrase: &SecretBytes, salt: &[u8], cost: Cost) -> Result<Key256, CryptoError> {
    if cost.memory_kib > Cost::MEMORY_KIB_MAX || cost.passes > Cost::PASSES_MAX {
        return Err(CryptoError::PasswordCost);
    }
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32));
    let params = params.map_err(|_| CryptoError::PasswordCost)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut result = Ok(());
    let key = Key256::fill(|out| result = argon2.hash_password_into(passphrase.expose(), salt, out));
    result.map(|()| key).map_err(|_| CryptoError::PasswordCost)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };

    /// The reference implementation's own test (argon2id, version 0x13, t = 2, m = 2^16 KiB, p = 1).
    #[test]
    fn the_reference_vector_comes_out() {
        let cost = Cost { memory_kib: 65_536, passes: 2, lanes: 1 };
        let key = derive(&SecretBytes::from(&b"password"[..]), b"somesalt", cost).unwrap();
        let expected = "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7";
        assert_eq!(crate::hex::encode(key.expose()), expected);
    }

    #[test]
    fn the_key_depends_on_passphrase_salt_and_cost() {
        let passphrase = SecretBytes::from(&b"correct horse"[..]);
        let key = derive(&passphrase, b"salt of 16 bytes", CHEAP).unwrap();
        let same = derive(&passphrase, b"salt of 16 bytes", CHEAP).unwrap();
        assert_eq!(key.expose(), same.expose());
        let others = [
            derive(&SecretBytes::from(&b"correct house"[..]), b"salt of 16 bytes", CHEAP),
            derive(&passphrase, b"salt of 16 bytez", CHEAP),
            derive(&passphrase, b"salt of 16 bytes", Cost { passes: 2, ..CHEAP }),
        ];
        for other in others {
            assert_ne!(key.expose(), other.unwrap().expose());
        }
    }

    #[test]
    fn a_cost_out_of_bounds_and_a_short_salt_are_refused() {
        let passphrase = SecretBytes::from(&b"p"[..]);
        let costs = [
            Cost { memory_kib: 1, ..CHEAP },
            Cost { passes: 0, ..CHEAP },
            Cost { lanes: 0, ..CHEAP },
            Cost { memory_kib: u32::MAX, ..CHEAP },
            Cost { passes: u32::MAX, ..CHEAP },
        ];
        for cost in costs {
            assert!(matches!(derive(&passphrase, b"salt of 16 bytes", cost), Err(CryptoError::PasswordCost)));
        }
        assert!(matches!(derive(&passphrase, b"short", CHEAP), Err(CryptoError::PasswordCost)));
    }
}
