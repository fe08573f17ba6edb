//! Users, groups, roles and instance profiles: the operations on them, their members and their tags.

pub(crate) mod group;
pub(crate) mod instance_profile;
pub(crate) mod membership;
pub(crate) mod role;
pub(crate) mod service_linked_role;
pub(crate) mod tagging;
pub(crate) mod user;
