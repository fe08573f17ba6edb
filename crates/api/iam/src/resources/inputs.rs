//! Inputs that several operations share: the name of an entity, alone or with the part of a list.

use service::Window;
use wire::shape::{AuditValue, Rule, Shape};

use crate::values::{page, policy_arn};

/// An input, as operations require it.
pub(crate) trait Input: Shape + AuditValue + Send + Sync {}

impl<T: Shape + AuditValue + Send + Sync> Input for T {}

/// An input that names something whose list is asked for.
pub(crate) trait ListInput: Input {
    /// The name, or ARN.
    fn of(&self) -> &str;

    /// The part of the list.
    fn window(self) -> Window;
}

wire::shape! {
    /// The user whose list is asked for.
    pub struct UserListInput {
        "UserName" user_name: String, required, [Rule::Length(1, 128)];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
    }
}

wire::shape! {
    /// The group whose list is asked for.
    pub struct GroupListInput {
        "GroupName" group_name: String, required, [Rule::Length(1, 128)];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
    }
}

wire::shape! {
    /// The role whose list is asked for.
    pub struct RoleListInput {
        "RoleName" role_name: String, required, [Rule::Length(1, 64)];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
    }
}

wire::shape! {
    /// The instance profile whose list is asked for.
    pub struct ProfileListInput {
        "InstanceProfileName" name: String, required, [Rule::Length(1, 128)];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
    }
}

wire::shape! {
    /// The managed policy whose list is asked for.
    pub struct PolicyListInput {
        "PolicyArn" policy_arn: String, required, [policy_arn::LENGTH];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
    }
}

wire::shape! {
    /// The OpenID Connect provider whose list is asked for.
    pub struct ProviderListInput {
        "OpenIDConnectProviderArn" arn: String, required, [Rule::Length(20, 2048)];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
    }
}

impl ListInput for UserListInput {
    fn of(&self) -> &str {
        &self.user_name
    }

    fn window(self) -> Window {
        page::window(self.marker, self.max_items)
    }
}

impl ListInput for GroupListInput {
    fn of(&self) -> &str {
        &self.group_name
    }

    fn window(self) -> Window {
        page::window(self.marker, self.max_items)
    }
}

impl ListInput for RoleListInput {
    fn of(&self) -> &str {
        &self.role_name
    }

    fn window(self) -> Window {
        page::window(self.marker, self.max_items)
    }
}

impl ListInput for ProfileListInput {
    fn of(&self) -> &str {
        &self.name
    }

    fn window(self) -> Window {
        page::window(self.marker, self.max_items)
    }
}

impl ListInput for PolicyListInput {
    fn of(&self) -> &str {
        &self.policy_arn
    }

    fn window(self) -> Window {
        page::window(self.marker, self.max_items)
    }
}

impl ListInput for ProviderListInput {
    fn of(&self) -> &str {
        &self.arn
    }

    fn window(self) -> Window {
        page::window(self.marker, self.max_items)
    }
}

wire::shape! {
    /// A role's name.
    pub struct RoleNameInput {
        "RoleName" role_name: String, required, [Rule::Length(1, 64)];
    }
}

wire::shape! {
    /// A user's name.
    pub struct UserNameInput {
        "UserName" user_name: String, required, [Rule::Length(1, 64)];
    }
}
