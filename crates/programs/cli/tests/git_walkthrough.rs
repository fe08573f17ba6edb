//! The walk-through of Git hosting, played from outside with git, the AWS CLI, boto3 and git-remote-codecommit.

#![allow(clippy::expect_used, reason = "a test that cannot go on has to stop, saying why")]

use testkit::{Python, workspace_root};

#[test]
fn the_walk_through_of_git_hosting_passes_with_the_real_clients() {
    let script = workspace_root().join("testkit/walkthrough-git");
    let output = Python::installed().shell(&script).arg(env!("CARGO_BIN_EXE_sealstack")).output();
    let output = output.expect("a shell runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.ends_with("The walk-through passed.\n"), "{said}\n{complained}");
}
