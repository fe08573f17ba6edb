//! Buckets from outside: what Terraform's provider and people do with them, and what an operator finds of a changed one.

#![allow(clippy::expect_used, reason = "a test that cannot go on has to stop, saying why")]

use std::path::{Path, PathBuf};

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

/// The only file below a folder.
fn only_file(folder: &Path) -> PathBuf {
    let entries: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    let mut files = Vec::new();
    for path in entries {
        match path.is_dir() {
            true if std::fs::read_dir(&path).expect("a folder").next().is_none() => {}
            true => files.push(only_file(&path)),
            false => files.push(path),
        }
    }
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

#[test]
fn a_check_without_callers_finds_a_changed_byte_of_an_object_that_its_bucket_protects() {
    let server = Server::start(env!("CARGO_BIN_EXE_sealstack"), &[]);
    let content = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(content.path(), vec![7; 300_000]).expect("written");
    let _ = server.aws(&["s3api", "create-bucket", "--bucket", "checked"]);
    let path = content.path().to_str().expect("a path");
    let _ = server.aws(&["s3api", "put-object", "--bucket", "checked", "--key", "object", "--body", path]);
    let stopped = server.terminate();
    let whole = stopped.sealstack(&["check"]);
    let said = String::from_utf8_lossy(&whole.stdout);
    assert!(whole.status.success() && said.contains("blobs: intact, 1 blobs of 300000 bytes"), "{said}");

    let blob = only_file(&stopped.data().join("blobs"));
    let mut bytes = std::fs::read(&blob).expect("a blob");
    let middle = bytes.len() / 2;
    *bytes.get_mut(middle).expect("a byte") ^= 1;
    std::fs::write(&blob, bytes).expect("written");
    let changed = stopped.sealstack(&["check"]);
    let said = String::from_utf8_lossy(&changed.stdout);
    assert!(!changed.status.success() && said.contains("is not what was written"), "{said}");
}
