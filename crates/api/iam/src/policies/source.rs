//! The policies of a user, group or role, by its ARN, each with what it is and where it comes from.

use policy::{Kind as Grammar, Named, Policy, Principal};
use service::{Call, Need, Resource};
use store::{ReadTx, Record, StoreError};
use wire::Arn;

use crate::Iam;
use crate::records::aws_managed;
use crate::records::entity::{self, Entity, Holder};
use crate::records::group::Group;
use crate::records::inline_policy::InlinePolicy;
use crate::records::managed_policy::{DEFAULT, PolicyDocument};
use crate::records::role::Role;
use crate::records::service_control::{self, ServiceControl};
use crate::records::user::User;
use crate::values::error::{IamError, Result};
use crate::values::kind::Kind;
use crate::values::{name, policy_arn};

/// The origin of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It is in a user, group or role of this name.
    Inline(Kind, String),
    /// AWS manages it.
    AwsManaged,
    /// The account manages it.
    UserManaged,
    /// The caller made it up.
    Custom,
}

impl Origin {
    /// As answers name it.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Inline(kind, _) => kind.as_str(),
            Self::AwsManaged => "aws-managed",
            Self::UserManaged => "user-managed",
            Self::Custom => "IAM Policy",
        }
    }

    pub(crate) const fn is_inline(&self) -> bool {
        matches!(self, Self::Inline(..))
    }

    /// Whether it is an inline policy of this entity.
    pub(crate) fn is_in(&self, kind: &str, name: &str) -> bool {
        matches!(self, Self::Inline(own, holder) if own.as_str() == kind && holder == name)
    }
}

/// A policy and where it comes from.
#[derive(Clone)]
pub(crate) struct Sourced {
    /// Its ARN, or its name if it is inline.
    pub(crate) name: String,
    pub(crate) origin: Origin,
    pub(crate) policy: Policy,
}

impl Sourced {
    pub(crate) fn named(&self) -> Named<'_> {
        Named { name: &self.name, policy: &self.policy }
    }

    pub(crate) const fn policy(&self) -> &Policy {
        &self.policy
    }
}

/// The policies that bear on a principal's calls.
#[derive(Clone)]
pub(crate) struct PolicySource {
    pub(crate) identity: Vec<Sourced>,
    pub(crate) boundary: Option<Sourced>,
    pub(crate) control: Option<Policy>,
    /// The principal; absent for a group.
    pub(crate) principal: Option<Principal>,
}

fn read(text: &str, grammar: Grammar, collection: &'static str) -> Result<Policy> {
    let unreadable = |_| IamError::Store(StoreError::Unreadable { collection, line: 0, column: 0 });
    Policy::parse(text, grammar).map_err(unreadable)
}

/// The managed policy that has this ARN, whoever manages it.
pub(crate) fn managed(tx: &ReadTx<'_>, arn: &str) -> Result<Option<Sourced>> {
    let name = arn.to_owned();
    if policy_arn::is_aws_managed(arn) {
        return Ok(aws_managed::find(arn).map(|found| {
            let policy = Policy::clone(&found.policy);
            Sourced { name, origin: Origin::AwsManaged, policy }
        }));
    }
    let Some(document) = tx.get::<PolicyDocument>(arn, DEFAULT)? else { return Ok(None) };
    let policy = read(&document.text, Grammar::Identity, PolicyDocument::COLLECTION)?;
    Ok(Some(Sourced { name, origin: Origin::UserManaged, policy }))
}

impl PolicySource {
    fn gather<E: Holder>(&mut self, tx: &ReadTx<'_>, holder: &E) -> Result<()> {
        for arn in holder.attached() {
            self.identity.extend(managed(tx, arn)?);
        }
        for inline in tx.all::<InlinePolicy>(&holder.identity().id)? {
            self.identity.push(Sourced {
                policy: read(&inline.document, Grammar::Identity, InlinePolicy::COLLECTION)?,
                name: inline.name,
                origin: Origin::Inline(E::KIND, holder.identity().name.clone()),
            });
        }
        if let Some(arn) = holder.boundary() {
            self.boundary = managed(tx, arn)?;
        }
        Ok(())
    }

    /// Of the user, with everything that the groups give.
    pub(crate) fn of_user(tx: &ReadTx<'_>, user: &User) -> Result<Self> {
        let mut source = Self::of_account(tx, &user.identity.account)?;
        source.gather(tx, user)?;
        for id in &user.groups {
            if let Some(group) = tx.get::<Group>(&user.identity.account, id)? {
                source.gather(tx, &group)?;
            }
        }
        source.principal = Some(Principal::user(user.arn(), &user.identity.id));
        Ok(source)
    }

    /// Of one user or group by itself, as if it were a user.
    pub(crate) fn of_holder<E: Holder>(tx: &ReadTx<'_>, holder: &E) -> Result<Self> {
        let mut source = Self { identity: Vec::new(), boundary: None, control: None, principal: None };
        source.gather(tx, holder)?;
        source.principal = Some(Principal::user(holder.arn(), &holder.identity().id));
        Ok(source)
    }

    fn of_account(tx: &ReadTx<'_>, account: &str) -> Result<Self> {
        let control = tx.get::<ServiceControl>(service_control::PARENT, account)?;
        let control = control.map(|found| read(&found.document, Grammar::ServiceControl, ServiceControl::COLLECTION));
        Ok(Self { identity: Vec::new(), boundary: None, control: control.transpose()?, principal: None })
    }

    /// Of whoever has this ARN in `account`.
    ///
    /// # Errors
    /// `NoSuchEntity`, `InvalidInput`.
    pub(crate) fn of(tx: &ReadTx<'_>, account: &str, arn: &Arn) -> Result<Self> {
        let unknown = || IamError::InvalidInputOf(format!("{arn} is not the ARN of a user, group or role."));
        let located = name::locate(arn).ok_or_else(unknown)?;
        let missing = || IamError::NoSuchEntity { kind: located.kind, name: located.name.to_owned() };
        if arn.account() != account {
            return Err(missing());
        }
        match located.kind {
            Kind::User => {
                let user: User = entity::load(tx, account, located.name)?;
                if user.arn() == *arn { Self::of_user(tx, &user) } else { Err(missing()) }
            }
            Kind::Group => {
                let group: Group = entity::load(tx, account, located.name)?;
                let mut source = Self::of_account(tx, account)?;
                source.gather(tx, &group)?;
                if group.arn() == *arn { Ok(source) } else { Err(missing()) }
            }
            Kind::Role => {
                let role: Role = entity::load(tx, account, located.name)?;
                let mut source = Self::of_account(tx, account)?;
                source.gather(tx, &role)?;
                let session = Arn::new("sts", "", account, &format!("assumed-role/{}/simulated", located.name));
                let id = format!("{}:simulated", role.identity.id);
                source.principal = Some(Principal::role_session(session, role.arn(), id));
                if role.arn() == *arn { Ok(source) } else { Err(missing()) }
            }
            Kind::Policy | Kind::InstanceProfile => Err(unknown()),
        }
    }
}

impl Resource for PolicySource {
    type Service = Iam;
    type Key<'a> = &'a str;

    async fn find<'a>(arn: &'a str, call: &'a Call<'_, Iam>) -> Result<Self> {
        let arn = policy_arn::check(arn)?;
        let account = call.account().to_owned();
        call.service.store.read(move |tx| Self::of(tx, &account, &arn)).await
    }

    fn need<'n>(&'n self, arn: &'n str, action: &'static str, _: &'n Call<'_, Iam>) -> Need<'n> {
        Need::identity(action, arn)
    }

    fn need_of_missing<'n>(arn: &'n str, action: &'static str, _: &'n Call<'_, Iam>) -> Option<Need<'n>> {
        Some(Need::identity(action, arn))
    }
}
