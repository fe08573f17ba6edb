//! `GetAccountSummary`: how much an account has of everything, and how much it can have.

use std::collections::BTreeMap;

use serde::Serialize;
use service::{Account, AuditClass, Call, Permit, ResourceOperation};
use store::{ReadTx, Record, StoreError};

use crate::Iam;
use crate::records::account;
use crate::records::group::Group;
use crate::records::instance_profile::InstanceProfile;
use crate::records::managed_policy::ManagedPolicy;
use crate::records::role::Role;
use crate::records::user::User;
use crate::values::answer::NoInput;
use crate::values::error::Result;

/// Quotas, and what there is none of here.
///
/// Source: IAM User Guide, "IAM and AWS STS quotas". Users, groups, roles, policies and instance profiles have none on
/// this server; clients that ask before they create are given AWS's default.
const FIXED: &[(&str, u32)] = &[
    ("UsersQuota", 5000),
    ("GroupsQuota", 300),
    ("RolesQuota", 1000),
    ("PoliciesQuota", 1500),
    ("InstanceProfilesQuota", 1000),
    ("ServerCertificates", 0),
    ("ServerCertificatesQuota", 20),
    ("UserPolicySizeQuota", 2048),
    ("GroupPolicySizeQuota", 5120),
    ("RolePolicySizeQuota", 10_240),
    ("AssumeRolePolicySizeQuota", 2048),
    ("PolicySizeQuota", 6144),
    ("GroupsPerUserQuota", 10),
    ("SigningCertificatesPerUserQuota", 2),
    ("AccessKeysPerUserQuota", 2),
    ("AttachedPoliciesPerGroupQuota", 10),
    ("AttachedPoliciesPerRoleQuota", 10),
    ("AttachedPoliciesPerUserQuota", 10),
    ("PolicyVersionsInUseQuota", 10_000),
    ("VersionsPerPolicyQuota", 5),
    ("MFADevices", 0),
    ("MFADevicesInUse", 0),
    ("AccountMFAEnabled", 0),
    ("AccountPasswordPresent", 0),
    ("AccountSigningCertificatesPresent", 0),
    ("GlobalEndpointTokenVersion", 2),
];

/// Records read at a time.
const PAGE: usize = 1000;

/// Goes through all records under an account without holding more than a page of them.
fn each<R: Record>(tx: &ReadTx<'_>, account: &str, mut see: impl FnMut(R)) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let page = tx.page::<R>(account, after.as_ref(), PAGE)?;
        page.items.into_iter().for_each(&mut see);
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

fn count<R: Record>(tx: &ReadTx<'_>, account: &str) -> Result<u32, StoreError> {
    let mut count = 0;
    each(tx, account, |_: R| count += 1)?;
    Ok(count)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SummaryOutput {
    summary_map: BTreeMap<&'static str, u32>,
}

pub(crate) struct GetAccountSummary;

impl ResourceOperation for GetAccountSummary {
    type On = Account<Iam>;
    const NAME: &'static str = "GetAccountSummary";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = NoInput;
    type Output = SummaryOutput;

    fn key(_: &Self::Input) {}

    async fn run(_: Self::Input, _: &Permit<Account<Iam>>, call: &Call<'_, Iam>) -> Result<SummaryOutput> {
        let account = call.account().to_owned();
        call.service
            .store
            .read(move |tx| {
                let (mut policies, mut versions) = (0, 0);
                each(tx, &account, |policy: ManagedPolicy| {
                    policies += 1;
                    versions += u32::try_from(policy.versions.len()).unwrap_or(u32::MAX);
                })?;
                let root_keys = account::find(tx, &account)?.is_some_and(|found| !found.root_access_keys.is_empty());
                let mut summary_map: BTreeMap<_, _> = FIXED.iter().copied().collect();
                summary_map.extend([
                    ("Users", count::<User>(tx, &account)?),
                    ("Groups", count::<Group>(tx, &account)?),
                    ("Roles", count::<Role>(tx, &account)?),
                    ("InstanceProfiles", count::<InstanceProfile>(tx, &account)?),
                    ("Providers", 0),
                    ("Policies", policies),
                    ("PolicyVersionsInUse", versions),
                    ("AccountAccessKeysPresent", u32::from(root_keys)),
                ]);
                Ok(SummaryOutput { summary_map })
            })
            .await
    }
}
