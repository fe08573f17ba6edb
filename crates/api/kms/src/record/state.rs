//! Key states, and what each operation does in each of them and with keys of each origin, as data.

use crate::error::KmsError;
use crate::record::Origin;

wire::text_enum! {
    /// The state of a key.
    ///
    /// Replicating a key and moving its primary Region are one transaction here, so that no key is ever seen in the
    /// states `Creating` and `Updating`; the table has their columns all the same.
    pub(crate) enum KeyState {
        Creating = "Creating",
        Enabled = "Enabled",
        Disabled = "Disabled",
        PendingDeletion = "PendingDeletion",
        PendingImport = "PendingImport",
        PendingReplicaDeletion = "PendingReplicaDeletion",
        Unavailable = "Unavailable",
        Updating = "Updating",
    }
}

impl KeyState {
    /// Whether the key waits for its destruction.
    pub(crate) const fn is_doomed(self) -> bool {
        matches!(self, Self::PendingDeletion | Self::PendingReplicaDeletion)
    }

    /// The state as refusals word it: `<key> is …`.
    const fn phrase(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::PendingDeletion => "pending deletion",
            Self::PendingImport => "pending import",
            Self::PendingReplicaDeletion => "pending replica deletion",
            Self::Unavailable => "unavailable",
            Self::Updating => "updating",
        }
    }
}

/// The outcome of an operation on a key in some state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It is done.
    Works,
    /// `DisabledException` for a disabled key, `KMSInvalidStateException` for one in any other state.
    Fails,
    /// `KMSInvalidStateException`: the key is not pending deletion.
    NotPending,
}

use Verdict::{Fails, NotPending, Works};

/// Which origins an operation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    /// Any.
    Any,
    /// Keys whose material was made here.
    Made,
    /// Keys with imported material.
    Imported,
    /// Keys whose material is stored here, generated or imported.
    Kept,
}

impl Takes {
    fn origin(self, origin: Origin) -> bool {
        match self {
            Self::Any => true,
            Self::Made => origin == Origin::AwsKms,
            Self::Imported => origin == Origin::External,
            Self::Kept => matches!(origin, Origin::AwsKms | Origin::External),
        }
    }
}

/// Verdicts on keys that are: enabled; disabled; pending deletion or replica deletion; pending import; unavailable;
/// creating; updating.
type Verdicts = [Verdict; 7];

const ALWAYS: Verdicts = [Works; 7];

/// Cryptographic operations.
const USE: Verdicts = [Works, Fails, Fails, Fails, Fails, Fails, Works];

/// Changes of a key's description, tags and aliases.
const DESCRIBE: Verdicts = [Works, Works, Fails, Works, Works, Works, Works];

/// Switching off and on.
const SWITCH: Verdicts = [Works, Works, Fails, Fails, Works, Fails, Fails];

/// Rotation. An origin that the operation does not take is refused first, whatever the state.
const ROTATE: Verdicts = [Works, Fails, Fails, Fails, Fails, Fails, Works];

/// A row of the table: an operation, the origins that it takes, and its verdicts on the states.
type Row = (&'static str, Takes, Verdicts);

/// Every operation on an existing key; the ones that have to be quick come first.
///
/// Source: AWS KMS Developer Guide, "Key states of AWS KMS keys".
const TABLE: &[Row] = &[
    ("Encrypt", Takes::Any, USE),
    ("Decrypt", Takes::Any, USE),
    ("GenerateDataKey", Takes::Any, USE),
    ("ReEncrypt", Takes::Any, USE),
    ("GenerateMac", Takes::Any, USE),
    ("VerifyMac", Takes::Any, USE),
    ("Sign", Takes::Any, USE),
    ("Verify", Takes::Any, USE),
    ("GenerateDataKeyWithoutPlaintext", Takes::Any, USE),
    ("GenerateDataKeyPair", Takes::Any, USE),
    ("GenerateDataKeyPairWithoutPlaintext", Takes::Any, USE),
    ("DeriveSharedSecret", Takes::Any, USE),
    ("Encapsulate", Takes::Any, USE),
    ("Decapsulate", Takes::Any, USE),
    ("GetPublicKey", Takes::Any, USE),
    ("CancelKeyDeletion", Takes::Any, [NotPending, NotPending, Works, NotPending, NotPending, NotPending, NotPending]),
    ("CreateAlias", Takes::Any, DESCRIBE),
    ("CreateGrant", Takes::Any, [Works, Fails, Fails, Fails, Works, Fails, Works]),
    ("DeleteAlias", Takes::Any, ALWAYS),
    ("DeleteImportedKeyMaterial", Takes::Imported, [Works, Works, Works, Works, Works, Fails, Fails]),
    ("DescribeKey", Takes::Any, ALWAYS),
    ("DisableKey", Takes::Any, SWITCH),
    ("DisableKeyRotation", Takes::Made, ROTATE),
    ("EnableKey", Takes::Any, SWITCH),
    ("EnableKeyRotation", Takes::Made, ROTATE),
    ("GetKeyLastUsage", Takes::Any, ALWAYS),
    ("GetKeyPolicy", Takes::Any, ALWAYS),
    ("GetKeyRotationStatus", Takes::Made, ALWAYS),
    ("GetParametersForImport", Takes::Imported, [Works, Works, Fails, Works, Works, Fails, Fails]),
    ("ImportKeyMaterial", Takes::Imported, [Works, Works, Fails, Works, Works, Fails, Works]),
    ("ListGrants", Takes::Any, ALWAYS),
    ("ListKeyPolicies", Takes::Any, ALWAYS),
    ("ListKeyRotations", Takes::Kept, ALWAYS),
    ("ListResourceTags", Takes::Any, ALWAYS),
    ("PutKeyPolicy", Takes::Any, ALWAYS),
    ("ReplicateKey", Takes::Kept, [Works, Fails, Fails, Fails, Fails, Fails, Fails]),
    ("RetireGrant", Takes::Any, ALWAYS),
    ("RevokeGrant", Takes::Any, ALWAYS),
    ("RotateKeyOnDemand", Takes::Kept, ROTATE),
    ("ScheduleKeyDeletion", Takes::Any, [Works, Works, Fails, Works, Works, Works, Fails]),
    ("TagResource", Takes::Any, DESCRIBE),
    ("UntagResource", Takes::Any, DESCRIBE),
    // The key that the alias is to name; the one it named may be in any state.
    ("UpdateAlias", Takes::Any, DESCRIBE),
    ("UpdateKeyDescription", Takes::Any, DESCRIBE),
    ("UpdatePrimaryRegion", Takes::Kept, [Works, Fails, Fails, Fails, Fails, Fails, Works]),
];

/// Whether `operation` may be done on the key `arn` of this origin in this state.
///
/// # Errors
/// [`KmsError::WrongOrigin`], [`KmsError::Disabled`], [`KmsError::InvalidState`].
pub(crate) fn check(operation: &str, state: KeyState, origin: Origin, arn: &str) -> Result<(), KmsError> {
    // INVARIANT: a test holds the table to the operations that are served, so that none is missing from it.
    let row = TABLE.iter().find(|(name, ..)| *name == operation);
    let (takes, verdicts) = row.map_or((Takes::Any, [Fails; 7]), |(_, takes, verdicts)| (*takes, *verdicts));
    if !takes.origin(origin) {
        return Err(KmsError::WrongOrigin { arn: arn.to_owned(), origin });
    }
    let [enabled, disabled, doomed, importing, unavailable, creating, updating] = verdicts;
    let verdict = match state {
        KeyState::Enabled => enabled,
        KeyState::Disabled => disabled,
        KeyState::PendingDeletion | KeyState::PendingReplicaDeletion => doomed,
        KeyState::PendingImport => importing,
        KeyState::Unavailable => unavailable,
        KeyState::Creating => creating,
        KeyState::Updating => updating,
    };
    match verdict {
        Works => Ok(()),
        Fails if state == KeyState::Disabled => Err(KmsError::Disabled { arn: arn.to_owned() }),
        Fails => Err(KmsError::InvalidState { arn: arn.to_owned(), is: state.phrase() }),
        NotPending => Err(KmsError::InvalidState { arn: arn.to_owned(), is: "not pending deletion" }),
    }
}

#[cfg(test)]
pub(crate) mod tests;
