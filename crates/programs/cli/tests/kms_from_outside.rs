//! KMS from outside with boto3: as Terraform manages keys, as customers import theirs, as botocore documents it all, and
//! beside OpenSSL and Python's `cryptography`.

#![allow(clippy::expect_used, reason = "a test that cannot go on has to stop, saying why")]

use testkit::{Server, workspace_root};

fn server() -> Server {
    Server::start(env!("CARGO_BIN_EXE_sealstack"), &[])
}

#[test]
fn plans_apply_change_and_are_destroyed() {
    let said = server().script("terraform_sequences.py", &[]);
    assert_eq!(said, "Plans apply, change and are destroyed.\n");
}

#[test]
fn what_a_customer_wraps_is_imported_and_used() {
    let said = server().script("import_keys.py", &[]);
    assert_eq!(said, "What was imported is what the customer has.\n");
}

#[test]
fn the_encryption_sdk_opens_in_each_region_what_it_sealed_in_the_other() {
    let said = server().script("multi_region_sdk.py", &[]);
    assert_eq!(said, "The Encryption SDK opens in each Region what it sealed in the other.\n");
}

#[test]
fn every_documented_error_member_and_bound_is_seen_or_listed_with_the_reason() {
    let lists = ["missing.txt", "unseen.txt", "wording.txt"];
    let lists = lists.map(|name| workspace_root().join("crates/api/kms").join(name));
    let lists = lists.each_ref().map(|path| path.to_str().expect("text"));
    let said = server().script("kms_documented.py", &lists);
    assert!(said.ends_with("are as documented.\n"), "{said}");
}

#[test]
fn every_documented_member_of_an_input_is_acted_upon_or_refused() {
    let said = server().script("kms_members.py", &[]);
    assert!(said.ends_with(" members are acted upon or refused.\n"), "{said}");
}

#[test]
fn openssl_and_cryptography_agree_with_keys_of_every_spec() {
    let said = server().script("key_specs.py", &[]);
    assert_eq!(said, "Keys of every spec do what OpenSSL and cryptography do.\n");
}

#[test]
fn a_change_that_waits_for_too_long_fails_with_the_error_that_clients_retry() {
    let server = server();
    let database = server.data().join("sealstack.db");
    let said = server.script("held_database.py", &[database.to_str().expect("text")]);
    assert_eq!(said, "What is held is waited for, and refused in time.\n");
}
