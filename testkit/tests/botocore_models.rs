//! Each service's table of operations and input shapes against the models of the botocore that the tests install.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test that cannot go on has to stop, saying why")]

use std::collections::{BTreeMap, BTreeSet};

use service::{Entry, Service};
use testkit::{Python, workspace_root};

type Model = BTreeMap<String, BTreeMap<String, bool>>;

fn model(name: &str) -> Model {
    let output = Python::installed().script("botocore_model.py").arg(name).output().expect("the script runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("the script prints JSON")
}

/// Every operation is served or listed as missing, nothing is both, and each input has AWS's members, with the same
/// ones required. `missing` is a file that may only shrink: an operation that is served has to leave it.
fn compare<S: Service>(missing: &str) {
    compare_with::<S>(model(S::NAME), missing);
}

/// As [`compare`], with a model that has been read.
fn compare_with<S: Service>(model: Model, missing: &str) {
    let operations: &[Entry<S>] = S::operations();
    let served: BTreeSet<_> = operations.iter().map(|entry| entry.name).collect();
    assert_eq!(served.len(), operations.len(), "an operation is listed twice");
    let text = std::fs::read_to_string(workspace_root().join(missing)).expect("the list of missing operations");
    let listed: BTreeSet<_> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let known: BTreeSet<_> = model.keys().map(String::as_str).collect();
    assert_eq!(served.intersection(&listed).next(), None, "served and yet listed in {missing}");
    let together: BTreeSet<_> = served.union(&listed).copied().collect();
    assert_eq!(together, known, "operations of {} served or listed in {missing}, and those of botocore", S::NAME);

    for entry in operations {
        let ours: BTreeMap<_, _> = entry.input.iter().map(|member| (member.name.to_owned(), member.required)).collect();
        let mut theirs = model[entry.name].clone();
        // A payload that flows is no member of an input here.
        if entry.streams {
            theirs.remove("Body");
        }
        assert_eq!(ours, theirs, "members of {} and whether they are required", entry.name);
        let unreadable = wire::shape::unreadable_pattern(entry.input);
        assert_eq!(unreadable, None, "a pattern of {} that is no regular expression here", entry.name);
    }
}

#[test]
fn kms_has_the_operations_and_members_of_botocore() {
    compare::<kms::Kms>("crates/api/kms/missing.txt");
}

#[test]
fn iam_has_the_operations_and_members_of_botocore() {
    compare::<iam::Iam>("crates/api/iam/missing-iam.txt");
}

#[test]
fn sts_has_the_operations_and_members_of_botocore() {
    compare::<iam::Sts>("crates/api/iam/missing-sts.txt");
}

#[test]
fn cloudtrail_has_the_operations_and_members_of_botocore() {
    compare::<cloudtrail::CloudTrail>("crates/api/cloudtrail/missing.txt");
}

#[test]
fn codecommit_has_the_operations_and_members_of_botocore() {
    compare::<codecommit::CodeCommit>("crates/api/codecommit/missing.txt");
}

/// The operations of S3 Control that S3 serves: without them Terraform makes no bucket.
const OF_S3_CONTROL: [&str; 3] = ["ListTagsForResource", "TagResource", "UntagResource"];

#[test]
fn s3_has_the_operations_and_members_of_botocore() {
    let mut known = model("s3");
    let mut control = model("s3control");
    known.extend(OF_S3_CONTROL.iter().filter_map(|name| control.remove_entry(*name)));
    // Browsers' forms are in no model: their members are fields.
    let members = [("Bucket", true), ("ExpectedBucketOwner", false)];
    known.insert("PostObject".to_owned(), members.map(|(name, required)| (name.to_owned(), required)).into());
    compare_with::<s3::S3>(known, "crates/api/s3/missing.txt");
}
