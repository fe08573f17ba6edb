//! The table of key states, cell by cell against AWS's.

use std::collections::BTreeSet;

use service::Service as _;

use super::*;
use crate::Kms;

const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/k";

/// What AWS's table says, in its own notes: `ok`, [1] disabled, [3] pending deletion, [4] not pending deletion.
///
/// Source: AWS KMS Developer Guide, "Key states of AWS KMS keys", columns Enabled, Disabled, Pending deletion.
const EXPECTED: &str = "
    CancelKeyDeletion                [4] [4] ok
    CreateAlias                      ok  ok  [3]
    CreateGrant                      ok  [1] [3]
    Decrypt                          ok  [1] [3]
    DeleteAlias                      ok  ok  ok
    DescribeKey                      ok  ok  ok
    DisableKey                       ok  ok  [3]
    DisableKeyRotation               ok  [1] [3]
    EnableKey                        ok  ok  [3]
    EnableKeyRotation                ok  [1] [3]
    Encrypt                          ok  [1] [3]
    GenerateDataKey                  ok  [1] [3]
    GenerateDataKeyWithoutPlaintext  ok  [1] [3]
    GetKeyPolicy                     ok  ok  ok
    GetKeyRotationStatus             ok  ok  ok
    ListGrants                       ok  ok  ok
    ListKeyPolicies                  ok  ok  ok
    ListKeyRotations                 ok  ok  ok
    ListResourceTags                 ok  ok  ok
    PutKeyPolicy                     ok  ok  ok
    ReEncrypt                        ok  [1] [3]
    RetireGrant                      ok  ok  ok
    RevokeGrant                      ok  ok  ok
    RotateKeyOnDemand                ok  [1] [3]
    ScheduleKeyDeletion              ok  ok  [3]
    TagResource                      ok  ok  [3]
    UntagResource                    ok  ok  [3]
    UpdateAlias                      ok  ok  [3]
    UpdateKeyDescription             ok  ok  [3]
";

/// Served, and not on an existing key.
const WITHOUT_KEY: [&str; 5] = ["CreateKey", "GenerateRandom", "ListAliases", "ListKeys", "ListRetirableGrants"];

fn expected_rows() -> impl Iterator<Item = (&'static str, [&'static str; 3])> {
    EXPECTED.lines().filter(|line| !line.trim().is_empty()).map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        (words[0], [words[1], words[2], words[3]])
    })
}

#[test]
fn every_operation_does_in_every_state_what_awss_table_says() {
    for (operation, notes) in expected_rows() {
        for (state, note) in [KeyState::Enabled, KeyState::Disabled, KeyState::PendingDeletion].into_iter().zip(notes) {
            let outcome = check(operation, state, ARN).map_err(|error| format!("{}: {error}", error.code()));
            let expected = match note {
                "ok" => Ok(()),
                "[1]" => Err(format!("DisabledException: {ARN} is disabled.")),
                "[3]" => Err(format!("KMSInvalidStateException: {ARN} is pending deletion.")),
                "[4]" => Err(format!("KMSInvalidStateException: {ARN} is not pending deletion.")),
                other => panic!("{other} is no note"),
            };
            assert_eq!(outcome, expected, "{operation} on a key that is {state}");
        }
    }
}

#[test]
fn the_table_has_exactly_the_operations_that_are_served_on_keys() {
    let table: BTreeSet<_> = TABLE.iter().map(|(operation, _)| *operation).collect();
    assert_eq!(table.len(), TABLE.len(), "an operation stands in the table twice");
    let served: BTreeSet<_> = Kms::operations().iter().map(|entry| entry.name).collect();
    let on_keys: BTreeSet<_> = served.into_iter().filter(|operation| !WITHOUT_KEY.contains(operation)).collect();
    assert_eq!(table, on_keys);
    assert_eq!(expected_rows().map(|(operation, _)| operation).collect::<BTreeSet<_>>(), on_keys);
}

#[test]
fn an_operation_that_is_not_in_the_table_works_in_no_state() {
    for state in [KeyState::Enabled, KeyState::Disabled, KeyState::PendingDeletion] {
        assert!(check("Unheard", state, ARN).is_err());
    }
}
