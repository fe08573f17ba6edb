//! Key states, and what each operation does in each of them, as data.

use crate::error::KmsError;

wire::text_enum! {
    /// The state of a key.
    pub(crate) enum KeyState {
        Enabled = "Enabled",
        Disabled = "Disabled",
        PendingDeletion = "PendingDeletion",
    }
}

/// What becomes of an operation on a key in some state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It is done.
    Works,
    /// `DisabledException`: the key is disabled.
    Disabled,
    /// `KMSInvalidStateException`: the key is pending deletion.
    Pending,
    /// `KMSInvalidStateException`: the key is not pending deletion.
    NotPending,
}

use Verdict::{Disabled, NotPending, Pending, Works};

/// A row of the table: an operation, and its verdicts on keys that are enabled, disabled, pending deletion.
type Row = (&'static str, [Verdict; 3]);

/// Every operation on an existing key; the ones that have to be quick come first.
///
/// Source: AWS KMS Developer Guide, "Key states of AWS KMS keys".
const TABLE: &[Row] = &[
    ("Encrypt", [Works, Disabled, Pending]),
    ("Decrypt", [Works, Disabled, Pending]),
    ("GenerateDataKey", [Works, Disabled, Pending]),
    ("ReEncrypt", [Works, Disabled, Pending]),
    ("GenerateDataKeyWithoutPlaintext", [Works, Disabled, Pending]),
    ("CancelKeyDeletion", [NotPending, NotPending, Works]),
    ("CreateAlias", [Works, Works, Pending]),
    ("CreateGrant", [Works, Disabled, Pending]),
    ("DeleteAlias", [Works, Works, Works]),
    ("DescribeKey", [Works, Works, Works]),
    ("DisableKey", [Works, Works, Pending]),
    ("DisableKeyRotation", [Works, Disabled, Pending]),
    ("EnableKey", [Works, Works, Pending]),
    ("EnableKeyRotation", [Works, Disabled, Pending]),
    ("GetKeyPolicy", [Works, Works, Works]),
    ("GetKeyRotationStatus", [Works, Works, Works]),
    ("ListGrants", [Works, Works, Works]),
    ("ListKeyPolicies", [Works, Works, Works]),
    ("ListKeyRotations", [Works, Works, Works]),
    ("ListResourceTags", [Works, Works, Works]),
    ("PutKeyPolicy", [Works, Works, Works]),
    ("RetireGrant", [Works, Works, Works]),
    ("RevokeGrant", [Works, Works, Works]),
    ("RotateKeyOnDemand", [Works, Disabled, Pending]),
    ("ScheduleKeyDeletion", [Works, Works, Pending]),
    ("TagResource", [Works, Works, Pending]),
    ("UntagResource", [Works, Works, Pending]),
    // The key that the alias is to name; the one it named may be in any state.
    ("UpdateAlias", [Works, Works, Pending]),
    ("UpdateKeyDescription", [Works, Works, Pending]),
];

/// Whether `operation` may be done on the key `arn` in this state.
///
/// # Errors
/// [`KmsError::Disabled`], [`KmsError::PendingDeletion`], [`KmsError::NotPendingDeletion`].
pub(crate) fn check(operation: &str, state: KeyState, arn: &str) -> Result<(), KmsError> {
    // INVARIANT: a test holds the table to the operations that are served, so that none is missing from it.
    let row = TABLE.iter().find(|(name, _)| *name == operation);
    let [enabled, disabled, pending] = row.map_or([Disabled, Disabled, Pending], |(_, verdicts)| *verdicts);
    let verdict = match state {
        KeyState::Enabled => enabled,
        KeyState::Disabled => disabled,
        KeyState::PendingDeletion => pending,
    };
    let arn = || arn.to_owned();
    match verdict {
        Works => Ok(()),
        Disabled => Err(KmsError::Disabled { arn: arn() }),
        Pending => Err(KmsError::PendingDeletion { arn: arn() }),
        NotPending => Err(KmsError::NotPendingDeletion { arn: arn() }),
    }
}

#[cfg(test)]
mod tests;
