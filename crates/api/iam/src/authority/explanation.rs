//! Explains to the server's operator how a request would be decided and why. Nothing is called or recorded.

use std::sync::Arc;

use policy::{Context, Explanation, Kind as Grammar, Principal};
use service::{Caller, Need, ResourcePolicy, Side};
use store::ReadTx;
use wire::Arn;

use crate::Iam;
use crate::authority::authorize::owner;
use crate::authority::session::session_arn;
use crate::records::account;
use crate::records::entity::{self, Entity as _};
use crate::records::role::Role;
use crate::records::user::User;
use crate::values::error::{IamError, Result};
use crate::values::kind::Kind;
use crate::values::tag::{self, Tag};
use crate::values::{document, name};

/// The name of a role's session when only the role is named.
const SESSION: &str = "explained";

impl Iam {
    /// A caller as they would be in a call: a user, a role or a session of it, or an account's root user. The policy
    /// limits a role's session.
    ///
    /// # Errors
    /// [`IamError::NoSuchEntity`], [`IamError::NoSuchAccount`], [`IamError::InvalidInputOf`] for other ARNs,
    /// [`IamError::MalformedPolicy`], [`IamError::Store`].
    pub async fn as_caller(&self, arn: &Arn, session_policy: Option<&str>) -> Result<Caller> {
        let session_policies = match session_policy {
            Some(text) => Some(vec![Arc::new(document::parse(text, Grammar::Session)?)]),
            None => None,
        };
        let arn = arn.clone();
        let (principal, tags) = self.store.read(move |tx| find(tx, &arn)).await?;
        let mut context = Context::new();
        context.insert("aws:ViaAWSService", false);
        tag::on_principal(&mut context, &tags);
        Ok(Caller::new(principal, String::new(), context, session_policies))
    }

    /// Explains what is decided about a request of `caller`, whose context has the request's keys as well; `None` if the
    /// caller's boundary is gone, so that everything is denied. The resource's account is given where its ARN does not name it.
    ///
    /// # Errors
    /// [`IamError::Store`].
    pub async fn explain_to_operator(
        &self,
        caller: &Caller,
        action: &str,
        (resource, account): (&str, Option<&str>),
        guard: &ResourcePolicy,
        context: &Context<'_>,
    ) -> Result<Option<Explanation>> {
        let account = account.or_else(|| owner(resource));
        Ok(self.explain(caller, (action, resource, account, guard), context).await?)
    }

    /// The condition keys and trust policy that a user or role adds to a decision; `None` if there is none at this ARN.
    ///
    /// # Errors
    /// [`IamError::Store`].
    pub async fn side(&self, arn: &Arn, action: &str) -> Result<Option<Side>> {
        let (arn, assuming) = (arn.clone(), action.to_ascii_lowercase().starts_with("sts:"));
        let found = self.store.read(move |tx| -> Result<_> {
            let Some(located) = name::locate(&arn) else { return Ok(None) };
            let need = Need::identity("", arn.to_string());
            Ok(match located.kind {
                Kind::User => {
                    let user: Option<User> = entity::find(tx, arn.account(), located.name)?;
                    user.filter(|user| user.arn() == arn).map(|user| tag::on_resource(need, &user.tags))
                }
                Kind::Role => {
                    let role: Option<Role> = entity::find(tx, arn.account(), located.name)?;
                    match role.filter(|role| role.arn() == arn) {
                        Some(role) if assuming => {
                            let guard = ResourcePolicy::Trust(Arc::new(role.trust.policy()?));
                            Some(tag::on_resource(need, &role.tags).guarded(guard))
                        }
                        role => role.map(|role| tag::on_resource(need, &role.tags)),
                    }
                }
                Kind::Group | Kind::Policy | Kind::InstanceProfile => None,
            })
        });
        Ok(found.await?.map(Side::from))
    }
}

/// The principal at an ARN, and its tags.
fn find(tx: &ReadTx<'_>, arn: &Arn) -> Result<(Principal, Vec<Tag>)> {
    let owner = arn.account();
    if arn.service() == "iam" && arn.resource() == "root" {
        let unknown = || IamError::NoSuchAccount { account: owner.to_owned() };
        account::find(tx, owner)?.ok_or_else(unknown)?;
        return Ok((Principal::root(owner), Vec::new()));
    }
    if let Some((role, session)) = session_of(arn) {
        return of_role(entity::load(tx, owner, role)?, session);
    }
    let missing = |kind, name: &str| IamError::NoSuchEntity { kind, name: name.to_owned() };
    match name::locate(arn) {
        Some(located) if located.kind == Kind::User => {
            let user: User = entity::load(tx, owner, located.name)?;
            if user.arn() != *arn {
                return Err(missing(Kind::User, located.name));
            }
            Ok((Principal::user(user.arn(), &user.identity.id), user.tags))
        }
        Some(located) if located.kind == Kind::Role => {
            let role: Role = entity::load(tx, owner, located.name)?;
            if role.arn() == *arn { of_role(role, SESSION) } else { Err(missing(Kind::Role, located.name)) }
        }
        _ => Err(IamError::InvalidInputOf(format!(
            "{arn} is not the ARN of a user, a role, a role's session or an account's root user."
        ))),
    }
}

/// The role's name and the session's, in the ARN of a role's session.
fn session_of(arn: &Arn) -> Option<(&str, &str)> {
    if arn.service() != "sts" {
        return None;
    }
    arn.resource().strip_prefix("assumed-role/")?.split_once('/')
}

fn of_role(role: Role, session: &str) -> Result<(Principal, Vec<Tag>)> {
    let id = format!("{}:{session}", role.identity.id);
    Ok((Principal::role_session(session_arn(&role, session), role.arn(), id), role.tags))
}
