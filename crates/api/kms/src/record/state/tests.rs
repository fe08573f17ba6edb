//! The table of key states, cell by cell against AWS's.

use std::collections::BTreeSet;

use service::Service as _;

use super::*;
use crate::Kms;

const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/k";

/// AWS's table, in its own notes. Where a cell has two of them, the one that applies to a key of another origin
/// stands behind a slash; `N/A` is a state that such a key cannot have.
///
/// Columns: Enabled, Disabled, Pending deletion and Pending replica deletion, Pending import, Unavailable, Creating,
/// Updating. `GetKeyLastUsage`, `ListKeyRotations`, `RotateKeyOnDemand` and the operations on secrets shared and
/// encapsulated are younger than the table's last revision that was read; they are what their references say.
///
/// Source: AWS KMS Developer Guide, "Key states of AWS KMS keys".
const EXPECTED: &str = "
    CancelKeyDeletion                    [4]     [4]     ok      [4]   [4]      [4]      [4]
    CreateAlias                          ok      ok      [3]     ok    ok       ok       ok
    CreateGrant                          ok      [1]     [3]     [5]   ok       [14]     ok
    Decapsulate                          ok      [1]     [3]     [5]   [11]     [14]     ok
    Decrypt                              ok      [1]     [3]     [5]   [11]     [14]     ok
    DeleteAlias                          ok      ok      ok      ok    ok       ok       ok
    DeleteImportedKeyMaterial            ok/[9]  ok/[9]  ok/[9]  ok    [9]      [14]/[9] [15]/[9]
    DeriveSharedSecret                   ok      [1]     [3]     [5]   [11]     [14]     ok
    DescribeKey                          ok      ok      ok      ok    ok       ok       ok
    DisableKey                           ok      ok      [3]     [5]   ok       [14]     [15]
    DisableKeyRotation                   ok/[7]  [1]/[7] [3]/[7] [6]   [7]      [14]/[7] ok/[7]
    EnableKey                            ok      ok      [3]     [5]   ok       [14]     [15]
    EnableKeyRotation                    ok/[7]  [1]/[7] [3]/[7] [6]   [7]      [14]/[7] ok/[7]
    Encapsulate                          ok      [1]     [3]     [5]   [11]     [14]     ok
    Encrypt                              ok      [1]     [3]     [5]   [11]     [14]     ok
    GenerateDataKey                      ok      [1]     [3]     [5]   [11]     [14]     ok
    GenerateDataKeyPair                  ok      [1]     [3]     [5]   [11]     [14]     ok
    GenerateDataKeyPairWithoutPlaintext  ok      [1]     [3]     [5]   [11]     [14]     ok
    GenerateDataKeyWithoutPlaintext      ok      [1]     [3]     [5]   [11]     [14]     ok
    GenerateMac                          ok      [1]     [3]     [5]   N/A      [14]     ok
    GetKeyLastUsage                      ok      ok      ok      ok    ok       ok       ok
    GetKeyPolicy                         ok      ok      ok      ok    ok       ok       ok
    GetKeyRotationStatus                 ok/[7]  ok/[7]  ok/[7]  [6]   [7]      ok/[7]   ok/[7]
    GetParametersForImport               ok/[9]  ok/[9]  [3]/[9] ok    [9]      [14]/[9] [15]/[9]
    GetPublicKey                         ok      [1]     [3]     [5]   N/A      [14]     ok
    ImportKeyMaterial                    ok/[9]  ok/[9]  [3]/[9] ok    [9]      [14]/[9] ok/[9]
    ListGrants                           ok      ok      ok      ok    ok       ok       ok
    ListKeyPolicies                      ok      ok      ok      ok    ok       ok       ok
    ListKeyRotations                     ok      ok      ok      ok    [7]      ok       ok
    ListResourceTags                     ok      ok      ok      ok    ok       ok       ok
    PutKeyPolicy                         ok      ok      ok      ok    ok       ok       ok
    ReEncrypt                            ok      [1]     [3]     [5]   [11]     [14]     ok
    ReplicateKey                         ok      [1]     [3]     [5]   N/A      [14]     [15]
    RetireGrant                          ok      ok      ok      ok    ok       ok       ok
    RevokeGrant                          ok      ok      ok      ok    ok       ok       ok
    RotateKeyOnDemand                    ok      [1]     [3]     [5]   [7]      [14]     ok
    ScheduleKeyDeletion                  ok      ok      [3]     ok    ok       ok       [15]
    Sign                                 ok      [1]     [3]     [5]   N/A      [14]     ok
    TagResource                          ok      ok      [3]     ok    ok       ok       ok
    UntagResource                        ok      ok      [3]     ok    ok       ok       ok
    UpdateAlias                          ok      ok      [3]     ok    ok       ok       ok
    UpdateKeyDescription                 ok      ok      [3]     ok    ok       ok       ok
    UpdatePrimaryRegion                  ok      [1]     [3]     [5]   N/A      [14]     ok
    Verify                               ok      [1]     [3]     [5]   N/A      [14]     ok
    VerifyMac                            ok      [1]     [3]     [5]   N/A      [14]     ok
";

/// Operations that act on no existing key.
const WITHOUT_KEY: [&str; 11] = [
    "ConnectCustomKeyStore",
    "CreateCustomKeyStore",
    "CreateKey",
    "DeleteCustomKeyStore",
    "DescribeCustomKeyStores",
    "DisconnectCustomKeyStore",
    "GenerateRandom",
    "ListAliases",
    "ListKeys",
    "ListRetirableGrants",
    "UpdateCustomKeyStore",
];

/// The states of each column.
pub(crate) const COLUMNS: [&[KeyState]; 7] = [
    &[KeyState::Enabled],
    &[KeyState::Disabled],
    &[KeyState::PendingDeletion, KeyState::PendingReplicaDeletion],
    &[KeyState::PendingImport],
    &[KeyState::Unavailable],
    &[KeyState::Creating],
    &[KeyState::Updating],
];

pub(crate) fn expected_rows() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    EXPECTED.lines().filter(|line| !line.trim().is_empty()).map(|line| {
        let mut words = line.split_whitespace();
        let operation = words.next().expect("a name");
        let notes: Vec<_> = words.collect();
        assert_eq!(notes.len(), COLUMNS.len(), "{operation}");
        (operation, notes)
    })
}

/// Outcome that a note stands for, for the key `arn` of `origin` in `state`.
pub(crate) fn told(note: &str, state: KeyState, origin: Origin, arn: &str) -> Result<(), String> {
    let invalid = |is: &str| Err(format!("KMSInvalidStateException: {arn} is {is}."));
    let origin =
        Err(format!("UnsupportedOperationException: {arn} origin is {origin} which is not valid for this operation."));
    match note {
        "ok" => Ok(()),
        "[1]" => Err(format!("DisabledException: {arn} is disabled.")),
        "[3]" if state == KeyState::PendingReplicaDeletion => invalid("pending replica deletion"),
        "[3]" => invalid("pending deletion"),
        "[4]" => invalid("not pending deletion"),
        "[5]" => invalid("pending import"),
        "[6]" | "[7]" | "[9]" => origin,
        "[11]" => invalid("unavailable"),
        "[14]" => invalid("creating"),
        "[15]" => invalid("updating"),
        other => panic!("{other} is no note"),
    }
}

#[test]
fn every_operation_does_in_every_state_what_awss_table_says() {
    for (operation, notes) in expected_rows() {
        for (states, note) in COLUMNS.into_iter().zip(notes) {
            if note == "N/A" {
                continue;
            }
            let (own, other) = note.split_once('/').unwrap_or((note, ""));
            for &state in states {
                // Keys that the operation is for, and keys that it is not for.
                let (origin, others): (_, &[Origin]) = match (state, operation) {
                    (KeyState::PendingImport, _) => (Origin::External, &[]),
                    (KeyState::Unavailable, _) => (Origin::AwsCloudHsm, &[]),
                    (_, "DeleteImportedKeyMaterial" | "GetParametersForImport" | "ImportKeyMaterial") => {
                        (Origin::External, &[Origin::AwsKms, Origin::AwsCloudHsm, Origin::ExternalKeyStore])
                    }
                    _ => (Origin::AwsKms, &[Origin::External, Origin::AwsCloudHsm, Origin::ExternalKeyStore]),
                };
                let outcome =
                    |origin| check(operation, state, origin, ARN).map_err(|error| format!("{}: {error}", error.code()));
                assert_eq!(outcome(origin), told(own, state, origin, ARN), "{operation} on a key that is {state}");
                for &origin in others.iter().filter(|_| !other.is_empty()) {
                    assert_eq!(outcome(origin), told(other, state, origin, ARN), "{operation}, {state}, {origin}");
                }
            }
        }
    }
}

#[test]
fn the_table_has_exactly_the_operations_on_keys() {
    let table: BTreeSet<_> = TABLE.iter().map(|(operation, ..)| *operation).collect();
    assert_eq!(table.len(), TABLE.len(), "an operation stands in the table twice");
    let missing = include_str!("../../../missing.txt").lines().filter(|line| !line.starts_with('#'));
    let known: BTreeSet<_> = Kms::operations().iter().map(|entry| entry.name).chain(missing).collect();
    let on_keys: BTreeSet<_> = known.into_iter().filter(|operation| !WITHOUT_KEY.contains(operation)).collect();
    assert_eq!(table, on_keys);
    assert_eq!(expected_rows().map(|(operation, _)| operation).collect::<BTreeSet<_>>(), on_keys);
}

#[test]
fn an_operation_that_is_not_in_the_table_works_in_no_state() {
    for state in COLUMNS.into_iter().flatten() {
        assert!(check("Unheard", *state, Origin::AwsKms, ARN).is_err());
    }
}
