//! The walk-through of buckets, played from outside with the AWS CLI.

#![allow(clippy::expect_used, reason = "a test that cannot go on has to stop, saying why")]

use testkit::{Python, workspace_root};

/// The size of the large file, in MiB; `SEALSTACK_WALK_S3_MIB` makes it larger, such as the 5120 of the script.
const LARGE_MIB: &str = "256";

#[test]
fn the_walk_through_of_buckets_passes_with_the_real_client() {
    let size = std::env::var("SEALSTACK_WALK_S3_MIB").unwrap_or_else(|_| LARGE_MIB.to_owned());
    let script = workspace_root().join("testkit/walkthrough-s3");
    let output = Python::installed().shell(&script).arg(env!("CARGO_BIN_EXE_sealstack")).arg(size).output();
    let output = output.expect("a shell runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.ends_with("The walk-through passed.\n"), "{said}\n{complained}");
}
