//! How buckets and objects are found, and what acting on one needs: identity policies, the bucket's policy, public access
//! blocks, and the condition keys of requests.

mod bucket;
mod canonical;
mod explain;
mod input;
mod name;
mod object;
mod vacancy;

use std::sync::{Arc, LazyLock};

use policy::{Kind, Policy};

pub(crate) use bucket::{Bucket, BucketKey, BucketPolicy};
pub(crate) use canonical::{Owner, canonical_id};
pub use explain::side;
pub(crate) use input::BucketInput;
pub(crate) use name::{BucketName, check_bucket_name, check_object_name};
pub(crate) use object::{Object, ObjectKey, action_on_version};
pub(crate) use vacancy::Vacancy;

/// A policy that lets nobody in.
fn nothing() -> Arc<Policy> {
    static NOTHING: LazyLock<Arc<Policy>> = LazyLock::new(|| {
        let text = r#"{"Version": "2012-10-17", "Statement": [
            {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]}"#;
        #[expect(clippy::expect_used, reason = "a constant, which a test parses")]
        let policy = Policy::parse(text, Kind::Resource).expect("the constant is a policy");
        Arc::new(policy)
    });
    Arc::clone(&NOTHING)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_policy_that_lets_nobody_in_is_one() {
        assert_eq!(super::nothing().statements().len(), 1);
    }
}
