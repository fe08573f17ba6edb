//! The service's table: every operation that is served. What botocore knows besides is in `missing-iam.txt`.

use service::{Entry, Service, operations};
use wire::Protocol;

use crate::accounts::account_alias::{CreateAccountAlias, DeleteAccountAlias, ListAccountAliases};
use crate::credentials::access_keys::{
    CreateAccessKey, DeleteAccessKey, GetAccessKeyLastUsed, ListAccessKeys, UpdateAccessKey,
};
use crate::credentials::login_profiles::{
    ChangePassword, CreateLoginProfile, DeleteLoginProfile, GetLoginProfile, UpdateLoginProfile,
};
use crate::credentials::oidc_providers::{
    AddClientIDToOpenIDConnectProvider, CreateOpenIDConnectProvider, DeleteOpenIDConnectProvider,
    GetOpenIDConnectProvider, ListOpenIDConnectProviderTags, ListOpenIDConnectProviders,
    RemoveClientIDFromOpenIDConnectProvider, TagOpenIDConnectProvider, UntagOpenIDConnectProvider,
    UpdateOpenIDConnectProviderThumbprint,
};
use crate::credentials::password_policy::{
    DeleteAccountPasswordPolicy, GetAccountPasswordPolicy, UpdateAccountPasswordPolicy,
};
use crate::credentials::service_credentials::{
    CreateServiceSpecificCredential, DeleteServiceSpecificCredential, ListServiceSpecificCredentials,
    ResetServiceSpecificCredential, UpdateServiceSpecificCredential,
};
use crate::credentials::ssh_public_keys::{
    DeleteSSHPublicKey, GetSSHPublicKey, ListSSHPublicKeys, UpdateSSHPublicKey, UploadSSHPublicKey,
};
use crate::policies::attachments::{
    AttachGroupPolicy, AttachRolePolicy, AttachUserPolicy, DetachGroupPolicy, DetachRolePolicy, DetachUserPolicy,
    ListAttachedGroupPolicies, ListAttachedRolePolicies, ListAttachedUserPolicies,
};
use crate::policies::boundaries::{
    DeleteRolePermissionsBoundary, DeleteUserPermissionsBoundary, PutRolePermissionsBoundary,
    PutUserPermissionsBoundary,
};
use crate::policies::entities::ListEntitiesForPolicy;
use crate::policies::inline_policies::{
    DeleteGroupPolicy, DeleteRolePolicy, DeleteUserPolicy, GetGroupPolicy, GetRolePolicy, GetUserPolicy,
    ListGroupPolicies, ListRolePolicies, ListUserPolicies, PutGroupPolicy, PutRolePolicy, PutUserPolicy,
};
use crate::policies::list::ListPolicies;
use crate::policies::managed_policies::{CreatePolicy, DeletePolicy, GetPolicy};
use crate::policies::versions::{
    CreatePolicyVersion, DeletePolicyVersion, GetPolicyVersion, ListPolicyVersions, SetDefaultPolicyVersion,
};
use crate::principals::groups::{CreateGroup, DeleteGroup, GetGroup, ListGroups, UpdateGroup};
use crate::principals::instance_profiles::{
    AddRoleToInstanceProfile, CreateInstanceProfile, DeleteInstanceProfile, GetInstanceProfile, ListInstanceProfiles,
    ListInstanceProfilesForRole, RemoveRoleFromInstanceProfile,
};
use crate::principals::memberships::{AddUserToGroup, ListGroupsForUser, RemoveUserFromGroup};
use crate::principals::roles::{
    CreateRole, DeleteRole, GetRole, ListRoles, UpdateAssumeRolePolicy, UpdateRole, UpdateRoleDescription,
};
use crate::principals::service_linked_roles::{
    CreateServiceLinkedRole, DeleteServiceLinkedRole, GetServiceLinkedRoleDeletionStatus,
};
use crate::principals::tagging::{
    ListInstanceProfileTags, ListPolicyTags, ListRoleTags, ListUserTags, TagInstanceProfile, TagPolicy, TagRole,
    TagUser, UntagInstanceProfile, UntagPolicy, UntagRole, UntagUser,
};
use crate::principals::users::{CreateUser, DeleteUser, GetUser, ListUsers, UpdateUser};
use crate::reports::account_summary::GetAccountSummary;
use crate::reports::authorization_details::GetAccountAuthorizationDetails;
use crate::reports::credential_report::{GenerateCredentialReport, GetCredentialReport};
use crate::reports::last_access::{
    GenerateServiceLastAccessedDetails, GetServiceLastAccessedDetails, GetServiceLastAccessedDetailsWithEntities,
};
use crate::reports::service_access::ListPoliciesGrantingServiceAccess;
use crate::reports::simulation::{
    GetContextKeysForCustomPolicy, GetContextKeysForPrincipalPolicy, SimulateCustomPolicy, SimulatePrincipalPolicy,
};
use crate::{Iam, IamError};

static OPERATIONS: &[Entry<Iam>] = operations![
    AddClientIDToOpenIDConnectProvider,
    AddRoleToInstanceProfile,
    AddUserToGroup,
    AttachGroupPolicy,
    AttachRolePolicy,
    AttachUserPolicy,
    ChangePassword,
    CreateAccessKey,
    CreateAccountAlias,
    CreateGroup,
    CreateInstanceProfile,
    CreateLoginProfile,
    CreateOpenIDConnectProvider,
    CreatePolicy,
    CreatePolicyVersion,
    CreateRole,
    CreateServiceLinkedRole,
    CreateServiceSpecificCredential,
    CreateUser,
    DeleteAccessKey,
    DeleteAccountAlias,
    DeleteAccountPasswordPolicy,
    DeleteGroup,
    DeleteGroupPolicy,
    DeleteInstanceProfile,
    DeleteLoginProfile,
    DeleteOpenIDConnectProvider,
    DeletePolicy,
    DeletePolicyVersion,
    DeleteRole,
    DeleteRolePermissionsBoundary,
    DeleteRolePolicy,
    DeleteSSHPublicKey,
    DeleteServiceLinkedRole,
    DeleteServiceSpecificCredential,
    DeleteUser,
    DeleteUserPermissionsBoundary,
    DeleteUserPolicy,
    DetachGroupPolicy,
    DetachRolePolicy,
    DetachUserPolicy,
    GenerateCredentialReport,
    GenerateServiceLastAccessedDetails,
    GetAccessKeyLastUsed,
    GetAccountAuthorizationDetails,
    GetAccountPasswordPolicy,
    GetAccountSummary,
    GetContextKeysForCustomPolicy,
    GetContextKeysForPrincipalPolicy,
    GetCredentialReport,
    GetGroup,
    GetGroupPolicy,
    GetInstanceProfile,
    GetLoginProfile,
    GetOpenIDConnectProvider,
    GetPolicy,
    GetPolicyVersion,
    GetRole,
    GetRolePolicy,
    GetSSHPublicKey,
    GetServiceLastAccessedDetails,
    GetServiceLastAccessedDetailsWithEntities,
    GetServiceLinkedRoleDeletionStatus,
    GetUser,
    GetUserPolicy,
    ListAccessKeys,
    ListAccountAliases,
    ListAttachedGroupPolicies,
    ListAttachedRolePolicies,
    ListAttachedUserPolicies,
    ListEntitiesForPolicy,
    ListGroupPolicies,
    ListGroups,
    ListGroupsForUser,
    ListInstanceProfileTags,
    ListInstanceProfiles,
    ListInstanceProfilesForRole,
    ListOpenIDConnectProviderTags,
    ListOpenIDConnectProviders,
    ListPolicies,
    ListPoliciesGrantingServiceAccess,
    ListPolicyTags,
    ListPolicyVersions,
    ListRolePolicies,
    ListRoleTags,
    ListRoles,
    ListSSHPublicKeys,
    ListServiceSpecificCredentials,
    ListUserPolicies,
    ListUserTags,
    ListUsers,
    PutGroupPolicy,
    PutRolePermissionsBoundary,
    PutRolePolicy,
    PutUserPermissionsBoundary,
    PutUserPolicy,
    RemoveClientIDFromOpenIDConnectProvider,
    RemoveRoleFromInstanceProfile,
    RemoveUserFromGroup,
    ResetServiceSpecificCredential,
    SetDefaultPolicyVersion,
    SimulateCustomPolicy,
    SimulatePrincipalPolicy,
    TagInstanceProfile,
    TagOpenIDConnectProvider,
    TagPolicy,
    TagRole,
    TagUser,
    UntagInstanceProfile,
    UntagOpenIDConnectProvider,
    UntagPolicy,
    UntagRole,
    UntagUser,
    UpdateAccessKey,
    UpdateAccountPasswordPolicy,
    UpdateAssumeRolePolicy,
    UpdateGroup,
    UpdateLoginProfile,
    UpdateOpenIDConnectProviderThumbprint,
    UpdateRole,
    UpdateRoleDescription,
    UpdateSSHPublicKey,
    UpdateServiceSpecificCredential,
    UpdateUser,
    UploadSSHPublicKey,
];

impl Service for Iam {
    const NAME: &'static str = "iam";
    const EVENT_SOURCE: &'static str = "iam.amazonaws.com";
    const TARGET_PREFIX: &'static str = "";
    const PROTOCOL: Protocol = Protocol::Query { namespace: "https://iam.amazonaws.com/doc/2010-05-08/" };
    const NOT_SERVED: &'static str = include_str!("../missing-iam.txt");
    type Error = IamError;

    fn operations() -> &'static [Entry<Self>] {
        OPERATIONS
    }
}
