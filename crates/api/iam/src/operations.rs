//! The service's table: every operation that is served. What botocore knows besides is in `missing-iam.txt`.

use service::{Entry, Service, operations};
use wire::Protocol;

use crate::access_key::{CreateAccessKey, DeleteAccessKey, GetAccessKeyLastUsed, ListAccessKeys, UpdateAccessKey};
use crate::attachment::{
    AttachGroupPolicy, AttachRolePolicy, AttachUserPolicy, DetachGroupPolicy, DetachRolePolicy, DetachUserPolicy,
    ListAttachedGroupPolicies, ListAttachedRolePolicies, ListAttachedUserPolicies,
};
use crate::boundary::{
    DeleteRolePermissionsBoundary, DeleteUserPermissionsBoundary, PutRolePermissionsBoundary,
    PutUserPermissionsBoundary,
};
use crate::group::{CreateGroup, DeleteGroup, GetGroup, ListGroups, UpdateGroup};
use crate::inline_policy::{
    DeleteGroupPolicy, DeleteRolePolicy, DeleteUserPolicy, GetGroupPolicy, GetRolePolicy, GetUserPolicy,
    ListGroupPolicies, ListRolePolicies, ListUserPolicies, PutGroupPolicy, PutRolePolicy, PutUserPolicy,
};
use crate::managed_policy::{CreatePolicy, DeletePolicy, GetPolicy};
use crate::membership::{AddUserToGroup, ListGroupsForUser, RemoveUserFromGroup};
use crate::policy_entities::ListEntitiesForPolicy;
use crate::policy_list::ListPolicies;
use crate::policy_version::{
    CreatePolicyVersion, DeletePolicyVersion, GetPolicyVersion, ListPolicyVersions, SetDefaultPolicyVersion,
};
use crate::role::{
    CreateRole, DeleteRole, GetRole, ListRoles, UpdateAssumeRolePolicy, UpdateRole, UpdateRoleDescription,
};
use crate::tagging::{
    ListPolicyTags, ListRoleTags, ListUserTags, TagPolicy, TagRole, TagUser, UntagPolicy, UntagRole, UntagUser,
};
use crate::user::{CreateUser, DeleteUser, GetUser, ListUsers, UpdateUser};
use crate::{Iam, IamError};

static OPERATIONS: &[Entry<Iam>] = operations![
    AddUserToGroup,
    AttachGroupPolicy,
    AttachRolePolicy,
    AttachUserPolicy,
    CreateAccessKey,
    CreateGroup,
    CreatePolicy,
    CreatePolicyVersion,
    CreateRole,
    CreateUser,
    DeleteAccessKey,
    DeleteGroup,
    DeleteGroupPolicy,
    DeletePolicy,
    DeletePolicyVersion,
    DeleteRole,
    DeleteRolePermissionsBoundary,
    DeleteRolePolicy,
    DeleteUser,
    DeleteUserPermissionsBoundary,
    DeleteUserPolicy,
    DetachGroupPolicy,
    DetachRolePolicy,
    DetachUserPolicy,
    GetAccessKeyLastUsed,
    GetGroup,
    GetGroupPolicy,
    GetPolicy,
    GetPolicyVersion,
    GetRole,
    GetRolePolicy,
    GetUser,
    GetUserPolicy,
    ListAccessKeys,
    ListAttachedGroupPolicies,
    ListAttachedRolePolicies,
    ListAttachedUserPolicies,
    ListEntitiesForPolicy,
    ListGroupPolicies,
    ListGroups,
    ListGroupsForUser,
    ListPolicies,
    ListPolicyTags,
    ListPolicyVersions,
    ListRolePolicies,
    ListRoleTags,
    ListRoles,
    ListUserPolicies,
    ListUserTags,
    ListUsers,
    PutGroupPolicy,
    PutRolePermissionsBoundary,
    PutRolePolicy,
    PutUserPermissionsBoundary,
    PutUserPolicy,
    RemoveUserFromGroup,
    SetDefaultPolicyVersion,
    TagPolicy,
    TagRole,
    TagUser,
    UntagPolicy,
    UntagRole,
    UntagUser,
    UpdateAccessKey,
    UpdateAssumeRolePolicy,
    UpdateGroup,
    UpdateRole,
    UpdateRoleDescription,
    UpdateUser,
];

impl Service for Iam {
    const NAME: &'static str = "iam";
    const EVENT_SOURCE: &'static str = "iam.amazonaws.com";
    const TARGET_PREFIX: &'static str = "";
    const PROTOCOL: Protocol = Protocol::Query { namespace: "https://iam.amazonaws.com/doc/2010-05-08/" };
    type Error = IamError;

    fn operations() -> &'static [Entry<Self>] {
        OPERATIONS
    }
}
