//! The walk-through of README.md, played from outside with the AWS CLI, boto3 and the AWS Encryption SDK.

#![allow(clippy::expect_used, reason = "a test that cannot go on has to stop, saying why")]

use testkit::{Python, workspace_root};

/// The size of the large file, in MiB; `SEALSTACK_WALK_MIB` makes it smaller for a hurried run.
const LARGE_MIB: &str = "1024";

#[test]
fn the_walk_through_passes_with_the_real_clients() {
    let size = std::env::var("SEALSTACK_WALK_MIB").unwrap_or_else(|_| LARGE_MIB.to_owned());
    let script = workspace_root().join("testkit/walkthrough");
    let mut command = Python::installed().shell(&script);
    command.arg(env!("CARGO_BIN_EXE_sealstack")).arg(size);
    let output = command.output().expect("a shell runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.ends_with("The walk-through passed.\n"), "{said}\n{complained}");
}
