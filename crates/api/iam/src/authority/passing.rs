//! Handing a role to a service: what the caller must hold, and whether the role's trust policy admits the service.

use policy::{Context, Named, Policies, Principal, Request, ResourceSide};
use service::BoxFuture;
use service::Need;
use service::ports::{Passing, Roles};
use store::StoreError;
use wire::Arn;

use crate::Iam;
use crate::records::entity::{self, Entity as _};
use crate::records::role::Role;
use crate::values::error::{IamError, Result};
use crate::values::kind::Kind;
use crate::values::{name, tag};

impl Iam {
    async fn passing(&self, arn: &Arn, service: &str) -> Result<Passing> {
        let wanted = arn.clone();
        let read = self.store.read(move |tx| -> Result<Option<Role>> {
            let Some(located) = name::locate(&wanted).filter(|located| located.kind == Kind::Role) else {
                return Ok(None);
            };
            let role = entity::find::<Role>(tx, wanted.account(), located.name)?;
            Ok(role.filter(|role| role.arn() == wanted))
        });
        let role = read.await?;
        let tags = role.as_ref().map_or(&[][..], |role| role.tags.as_slice());
        let need = tag::on_resource(Need::identity("iam:PassRole", arn.to_string()), tags);
        let trusted = role.as_ref().map(|role| trusts(role, service)).transpose()?.unwrap_or(false);
        Ok(Passing { need: need.with("iam:PassedToService", service.to_owned()), trusted })
    }
}

/// Whether the role's trust policy lets a service assume it.
fn trusts(role: &Role, service: &str) -> Result<bool> {
    let (policy, arn, principal) = (role.trust.policy()?, role.arn(), Principal::service(service));
    let mut context = Context::new();
    principal.describe(&mut context);
    let request = Request {
        principal: &principal,
        action: "sts:AssumeRole",
        resource: arn.as_str(),
        resource_account: Some(&role.identity.account),
        context: &context,
    };
    let trust = ResourceSide::Trust(Named { name: arn.as_str(), policy: &policy });
    Ok(policy::evaluate(&request, &Policies { resource: trust, ..Policies::default() }).is_allowed())
}

impl Roles for Iam {
    fn passing<'a>(&'a self, arn: &'a Arn, service: &'a str) -> BoxFuture<'a, Result<Passing, StoreError>> {
        Box::pin(async move {
            self.passing(arn, service).await.map_err(|error| match error {
                IamError::Store(error) => error,
                // A stored trust policy that cannot be read any more.
                _ => StoreError::Unreadable { collection: "iam.role", line: 0, column: 0 },
            })
        })
    }
}
