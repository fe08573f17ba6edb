//! An account keeps somebody who can give rights: what would take the last one away is refused.
//!
//! An administrator is a user with an active access key whose policies allow `iam:*` on everything, or the root user
//! with an active access key. Roles do not count: somebody has to assume them. A condition that only some calls meet
//! makes no administrator.

use policy::{Context, Kind as Grammar, Policies, Policy, Request, ResourceSide};
use store::{ReadTx, Tx};

use crate::policies::source::{self, PolicySource, Sourced};
use crate::records::access_key::{self, AccessKey, Status};
use crate::records::entity::Holder;
use crate::records::group::Group;
use crate::records::user::User;
use crate::records::{account, attachment};
use crate::values::document;
use crate::values::error::{IamError, Result, Special};
use crate::values::kind::Kind;

/// The action that makes an administrator. Only patterns that cover all of IAM match it.
const EVERYTHING: &str = "iam:*";

/// Users read at a time.
const PAGE: usize = 200;

fn may_everything(source: &PolicySource) -> bool {
    let Some(principal) = &source.principal else { return false };
    let identity: Vec<_> = source.identity.iter().map(Sourced::named).collect();
    let mut context = Context::new();
    principal.describe(&mut context);
    let request = Request { principal, action: EVERYTHING, resource: "*", resource_account: None, context: &context };
    let boundary = source.boundary.as_ref().map(Sourced::named);
    // A service control policy is the operator's, who can lift it.
    let policies = Policies { identity: &identity, boundary, resource: ResourceSide::None, ..Policies::default() };
    policy::evaluate(&request, &policies).is_allowed()
}

fn has_active(tx: &ReadTx<'_>, keys: &[String]) -> Result<bool> {
    for id in keys {
        let key = tx.get::<AccessKey>(access_key::PARENT, id)?;
        if key.is_some_and(|key| key.status == Status::Active) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the account has an administrator.
fn any(tx: &ReadTx<'_>, account: &str) -> Result<bool> {
    if let Some(account) = account::find(tx, account)?
        && has_active(tx, &account.root_access_keys)?
    {
        return Ok(true);
    }
    let mut after = None;
    loop {
        let page = tx.page::<User>(account, after.as_ref(), PAGE)?;
        for user in &page.items {
            if has_active(tx, &user.access_keys)? && may_everything(&PolicySource::of_user(tx, user)?) {
                return Ok(true);
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(false);
        }
    }
}

/// Whether giving this policy to a user or group could take an administrator's rights away.
pub(crate) fn may_revoke_admin(policy: &Policy) -> bool {
    policy.may_deny(EVERYTHING)
}

/// Whether joining this group could take an administrator's rights away.
pub(crate) fn takes(tx: &ReadTx<'_>, group: &Group) -> Result<bool> {
    Ok(PolicySource::of_holder(tx, group)?.identity.iter().any(|sourced| may_revoke_admin(&sourced.policy)))
}

/// Whether this user is an administrator as long as there is an access key.
pub(crate) fn is_one(tx: &ReadTx<'_>, user: &User) -> Result<bool> {
    Ok(may_everything(&PolicySource::of_user(tx, user)?))
}

/// Whether taking something from this user or group could take an administrator away: it allows everything by itself.
pub(crate) fn grants_admin<E: Holder>(tx: &ReadTx<'_>, holder: &E) -> Result<bool> {
    Ok(E::KIND != Kind::Role && may_everything(&PolicySource::of_holder(tx, holder)?))
}

/// Puts another document of a managed policy in force.
///
/// # Errors
/// `DeleteConflict`, and those of the change.
pub(crate) fn with_document_lockout_check<T>(
    tx: &mut Tx<'_>,
    account: &str,
    arn: &str,
    new: &str,
    change: impl FnOnce(&mut Tx<'_>) -> Result<T>,
) -> Result<T> {
    let used = attachment::usage(tx, account, arn)?;
    let gave = source::managed(tx, arn)?.is_some_and(|old| old.policy.may_allow("iam"));
    let takes = || Ok::<_, IamError>(may_revoke_admin(&document::parse(new, Grammar::Identity)?));
    let risky = used.boundaries > 0 || used.attachments > 0 && (gave || takes()?);
    with_lockout_check(tx, account, risky, change)
}

/// Makes a change. One that is `risky` is undone if the account had an administrator and has none any more.
///
/// # Errors
/// `DeleteConflict`, and those of the change.
pub(crate) fn with_lockout_check<T>(
    tx: &mut Tx<'_>,
    account: &str,
    risky: bool,
    change: impl FnOnce(&mut Tx<'_>) -> Result<T>,
) -> Result<T> {
    let before = risky && any(tx, account)?;
    let done = change(tx)?;
    if before && !any(tx, account)? {
        return Err(Special::LastAdministrator.error(
            "This would leave the account without an administrator: a user with an active access key and all rights of \
             IAM. Make another one first. If there is none any more, run 'sealstack admin recover' on the server's host.",
        ));
    }
    Ok(done)
}
