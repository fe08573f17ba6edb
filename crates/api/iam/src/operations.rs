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
    GetOpenIDConnectProvider, ListOpenIDConnectProviders, RemoveClientIDFromOpenIDConnectProvider,
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
use crate::policies::attachments::{AttachPolicy, DetachPolicy, ListAttachedPolicies};
use crate::policies::boundaries::{DeleteBoundary, PutBoundary};
use crate::policies::entities::ListEntitiesForPolicy;
use crate::policies::inline_policies::{DeleteInlinePolicy, GetInlinePolicy, ListInlinePolicies, PutInlinePolicy};
use crate::policies::list::ListPolicies;
use crate::policies::managed_policies::{CreatePolicy, DeletePolicy, GetPolicy};
use crate::policies::versions::{
    CreatePolicyVersion, DeletePolicyVersion, GetPolicyVersion, ListPolicyVersions, SetDefaultPolicyVersion,
};
use crate::principals::groups::{CreateGroup, DeleteGroup, GetGroup};
use crate::principals::instance_profiles::{
    AddRoleToInstanceProfile, CreateInstanceProfile, DeleteInstanceProfile, GetInstanceProfile,
    ListInstanceProfilesForRole, RemoveRoleFromInstanceProfile,
};
use crate::principals::lists::List;
use crate::principals::memberships::{AddUserToGroup, ListGroupsForUser, RemoveUserFromGroup};
use crate::principals::renames::Rename;
use crate::principals::roles::{
    CreateRole, DeleteRole, GetRole, UpdateAssumeRolePolicy, UpdateRole, UpdateRoleDescription,
};
use crate::principals::service_linked_roles::{
    CreateServiceLinkedRole, DeleteServiceLinkedRole, GetServiceLinkedRoleDeletionStatus,
};
use crate::principals::tagging::{AddTags, ListTags, RemoveTags};
use crate::principals::users::{CreateUser, DeleteUser, GetUser};
use crate::records::group::Group;
use crate::records::instance_profile::InstanceProfile;
use crate::records::managed_policy::AnyPolicy;
use crate::records::oidc_provider::OidcProvider;
use crate::records::role::Role;
use crate::records::user::User;
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
use crate::resources::named::Named;
use crate::{Iam, IamError};

static OPERATIONS: &[Entry<Iam>] = operations![
    AddClientIDToOpenIDConnectProvider,
    AddRoleToInstanceProfile,
    AddUserToGroup,
    AttachPolicy<Group>,
    AttachPolicy<Role>,
    AttachPolicy<User>,
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
    DeleteInlinePolicy<Group>,
    DeleteInstanceProfile,
    DeleteLoginProfile,
    DeleteOpenIDConnectProvider,
    DeletePolicy,
    DeletePolicyVersion,
    DeleteRole,
    DeleteBoundary<Role>,
    DeleteInlinePolicy<Role>,
    DeleteSSHPublicKey,
    DeleteServiceLinkedRole,
    DeleteServiceSpecificCredential,
    DeleteUser,
    DeleteBoundary<User>,
    DeleteInlinePolicy<User>,
    DetachPolicy<Group>,
    DetachPolicy<Role>,
    DetachPolicy<User>,
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
    GetInlinePolicy<Group>,
    GetInstanceProfile,
    GetLoginProfile,
    GetOpenIDConnectProvider,
    GetPolicy,
    GetPolicyVersion,
    GetRole,
    GetInlinePolicy<Role>,
    GetSSHPublicKey,
    GetServiceLastAccessedDetails,
    GetServiceLastAccessedDetailsWithEntities,
    GetServiceLinkedRoleDeletionStatus,
    GetUser,
    GetInlinePolicy<User>,
    ListAccessKeys,
    ListAccountAliases,
    ListAttachedPolicies<Group>,
    ListAttachedPolicies<Role>,
    ListAttachedPolicies<User>,
    ListEntitiesForPolicy,
    ListInlinePolicies<Group>,
    List<Group>,
    ListGroupsForUser,
    ListTags<Named<InstanceProfile>>,
    List<InstanceProfile>,
    ListInstanceProfilesForRole,
    ListTags<OidcProvider>,
    ListOpenIDConnectProviders,
    ListPolicies,
    ListPoliciesGrantingServiceAccess,
    ListTags<AnyPolicy>,
    ListPolicyVersions,
    ListInlinePolicies<Role>,
    ListTags<Named<Role>>,
    List<Role>,
    ListSSHPublicKeys,
    ListServiceSpecificCredentials,
    ListInlinePolicies<User>,
    ListTags<Named<User>>,
    List<User>,
    PutInlinePolicy<Group>,
    PutBoundary<Role>,
    PutInlinePolicy<Role>,
    PutBoundary<User>,
    PutInlinePolicy<User>,
    RemoveClientIDFromOpenIDConnectProvider,
    RemoveRoleFromInstanceProfile,
    RemoveUserFromGroup,
    ResetServiceSpecificCredential,
    SetDefaultPolicyVersion,
    SimulateCustomPolicy,
    SimulatePrincipalPolicy,
    AddTags<Named<InstanceProfile>>,
    AddTags<OidcProvider>,
    AddTags<AnyPolicy>,
    AddTags<Named<Role>>,
    AddTags<Named<User>>,
    RemoveTags<Named<InstanceProfile>>,
    RemoveTags<OidcProvider>,
    RemoveTags<AnyPolicy>,
    RemoveTags<Named<Role>>,
    RemoveTags<Named<User>>,
    UpdateAccessKey,
    UpdateAccountPasswordPolicy,
    UpdateAssumeRolePolicy,
    Rename<Group>,
    UpdateLoginProfile,
    UpdateOpenIDConnectProviderThumbprint,
    UpdateRole,
    UpdateRoleDescription,
    UpdateSSHPublicKey,
    UpdateServiceSpecificCredential,
    Rename<User>,
    UploadSSHPublicKey,
];

impl Service for Iam {
    const NAME: &'static str = "iam";
    const EVENT_SOURCE: &'static str = "iam.amazonaws.com";
    const PROTOCOLS: &'static [Protocol] = &[Protocol::query("https://iam.amazonaws.com/doc/2010-05-08/")];
    const NOT_SERVED: &'static str = include_str!("../missing-iam.txt");
    type Error = IamError;

    fn operations() -> &'static [Entry<Self>] {
        OPERATIONS
    }
}
