//! Rules of what happens to objects as they grow old, as they travel and as they are stored.

use serde::{Deserialize, Serialize};
use store::Record;
use wire::Timestamp;
use wire::shape::Binding::{Flat, Name};

use super::Tag;

wire::text_enum! {
    /// Whether a rule is in force.
    pub(crate) enum RuleStatus { Enabled = "Enabled", Disabled = "Disabled" }
}

wire::text_enum! {
    /// A storage class that a rule moves objects to.
    pub(crate) enum TransitionClass {
        Glacier = "GLACIER",
        StandardIa = "STANDARD_IA",
        OnezoneIa = "ONEZONE_IA",
        IntelligentTiering = "INTELLIGENT_TIERING",
        DeepArchive = "DEEP_ARCHIVE",
        GlacierIr = "GLACIER_IR",
    }
}

wire::document! {
    /// When current versions expire.
    pub(crate) struct Expiration {
        "Date" date: Timestamp, optional, [];
        "Days" days: i32, optional, [];
        "ExpiredObjectDeleteMarker" expired_marker: bool, optional, [];
    }
}

wire::document! {
    /// When current versions get another storage class.
    pub(crate) struct Transition {
        "Date" date: Timestamp, optional, [];
        "Days" days: i32, optional, [];
        "StorageClass" storage_class: TransitionClass, optional, [];
    }
}

wire::document! {
    /// When versions that are not current get another storage class.
    pub(crate) struct NoncurrentTransition {
        "NoncurrentDays" days: i32, optional, [];
        "StorageClass" storage_class: TransitionClass, optional, [];
        "NewerNoncurrentVersions" newer: i32, optional, [];
    }
}

wire::document! {
    /// When versions that are not current expire.
    pub(crate) struct NoncurrentExpiration {
        "NoncurrentDays" days: i32, optional, [];
        "NewerNoncurrentVersions" newer: i32, optional, [];
    }
}

wire::document! {
    /// When uploads are aborted.
    pub(crate) struct AbortIncomplete {
        "DaysAfterInitiation" days: i32, optional, [];
    }
}

wire::document! {
    /// Several things that must all hold.
    pub(crate) struct FilterAnd {
        "Prefix" prefix: String, optional, [];
        "Tags" tags: Vec<Tag>, default, [], [Name("Tag"), Flat];
        "ObjectSizeGreaterThan" larger_than: i64, optional, [];
        "ObjectSizeLessThan" smaller_than: i64, optional, [];
    }
}

wire::document! {
    /// The objects that a rule is about: all of them if it says nothing.
    pub(crate) struct Filter {
        "Prefix" prefix: String, optional, [];
        "Tag" tag: Tag, optional, [];
        "ObjectSizeGreaterThan" larger_than: i64, optional, [];
        "ObjectSizeLessThan" smaller_than: i64, optional, [];
        "And" and: FilterAnd, optional, [];
    }
}

wire::document! {
    /// A rule.
    pub(crate) struct LifecycleRule {
        "Expiration" expiration: Expiration, optional, [];
        "ID" id: String, optional, [];
        "Prefix" prefix: String, optional, [];
        "Filter" filter: Filter, optional, [];
        "Status" status: RuleStatus, required, [];
        "Transitions" transitions: Vec<Transition>, default, [], [Name("Transition"), Flat];
        "NoncurrentVersionTransitions" noncurrent_transitions: Vec<NoncurrentTransition>, default, [],
            [Name("NoncurrentVersionTransition"), Flat];
        "NoncurrentVersionExpiration" noncurrent_expiration: NoncurrentExpiration, optional, [];
        "AbortIncompleteMultipartUpload" abort_incomplete: AbortIncomplete, optional, [];
    }
}

wire::document! {
    /// The rules of a bucket.
    pub(crate) struct LifecycleConfiguration {
        "Rules" rules: Vec<LifecycleRule>, required, [], [Name("Rule"), Flat];
    }
}

wire::text_enum! {
    /// Which objects are too small for another storage class.
    pub(crate) enum MinimumSize {
        VariesByStorageClass = "varies_by_storage_class",
        AllStorageClasses128K = "all_storage_classes_128K",
    }
}

/// The rules of a bucket, stored under the bucket's id.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct LifecycleRecord {
    /// The bucket's name, for the job that carries the rules out.
    pub(crate) bucket: String,
    pub(crate) configuration: LifecycleConfiguration,
    pub(crate) minimum_size: MinimumSize,
    /// When the rules were carried out last.
    #[serde(default)]
    pub(crate) done_at: Option<Timestamp>,
}

impl Record for LifecycleRecord {
    const COLLECTION: &'static str = "s3-lifecycle";
}
