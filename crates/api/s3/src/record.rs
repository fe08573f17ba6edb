//! Records as they are stored. Knows no operations.

mod bucket;
mod cors;
mod document;
mod lifecycle;
mod notification;
mod policy;
mod tags;

pub(crate) use bucket::{
    BucketEntry, BucketRecord, BucketSecret, DefaultEncryption, DefaultRetention, ObjectLock, ObjectLockMode,
    Ownership, PublicAccess, Versioning,
};
pub(crate) use cors::{CorsConfiguration, CorsRecord, CorsRule};
pub(crate) use lifecycle::{
    Expiration, Filter, LifecycleConfiguration, LifecycleRecord, LifecycleRule, MinimumSize, RuleStatus,
    TransitionClass,
};
pub(crate) use notification::{Destination, NotificationConfiguration, NotificationRecord};
pub(crate) use policy::PolicyRecord;
pub(crate) use tags::{Tag, tags_of_bucket, tags_of_object};
