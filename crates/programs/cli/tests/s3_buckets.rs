//! Buckets from outside: what Terraform's provider does with them, by boto3.

#![allow(clippy::expect_used, reason = "a test that cannot go on has to stop, saying why")]

use testkit::Server;

#[test]
fn plans_of_buckets_apply_and_are_destroyed() {
    let server = Server::start(env!("CARGO_BIN_EXE_sealstack"), &[]);
    let said = server.script("s3_terraform.py", &[]);
    assert_eq!(said, "Buckets and their satellites are planned, applied and destroyed.\n");
}

#[test]
fn people_use_buckets_with_the_aws_cli_and_boto3() {
    let server = Server::start(env!("CARGO_BIN_EXE_sealstack"), &[]);
    let said = server.script("s3_stories.py", &[]);
    assert_eq!(said, "Buckets are used as those of AWS, and closed with their keys.\n");
}
