//! Users, groups, roles and instance profiles: the operations on them, their members and their tags.

pub(crate) mod groups;
pub(crate) mod instance_profiles;
pub(crate) mod lists;
pub(crate) mod memberships;
pub(crate) mod renames;
pub(crate) mod roles;
pub(crate) mod service_linked_roles;
pub(crate) mod tagging;
pub(crate) mod users;
