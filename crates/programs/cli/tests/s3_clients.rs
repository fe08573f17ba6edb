//! S3's clients against a real server, each in a test of its own: what they do with a tree of awkward names.

#![allow(clippy::expect_used, reason = "a test that cannot go on has to stop, saying why")]

use testkit::{Python, workspace_root};

fn play(client: &str) {
    let script = workspace_root().join("testkit/s3-client");
    let output = Python::installed().shell(&script).arg(env!("CARGO_BIN_EXE_sealstack")).arg(client).output();
    let output = output.expect("a shell runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.ends_with(&format!("{client} passed.\n")), "{said}\n{complained}");
}

#[test]
fn version_2_of_the_aws_cli_stores_and_takes_back_a_tree() {
    play("aws-v2");
}

#[test]
fn rclone_stores_and_takes_back_a_tree() {
    play("rclone");
}

#[test]
fn s5cmd_stores_and_takes_back_a_tree() {
    play("s5cmd");
}

#[test]
fn s3cmd_stores_and_takes_back_a_tree() {
    play("s3cmd");
}

#[test]
fn restic_stores_and_takes_back_a_tree() {
    play("restic");
}

#[test]
fn s3fs_stores_and_takes_back_a_tree() {
    play("s3fs");
}

#[test]
fn the_sdk_for_javascript_stores_and_takes_back_a_tree() {
    play("sdk-js");
}
