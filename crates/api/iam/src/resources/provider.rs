//! An OpenID Connect provider of the caller's account, by its ARN.

use std::future::Future;

use service::{Call, Need, Resource};
use wire::shape::Rule;

use crate::Iam;
use crate::records::oidc_provider::{self, OidcProvider};
use crate::values::error::{IamError, Result};
use crate::values::tag;

/// The rule of a provider's ARN.
pub(crate) const ARN: Rule = Rule::Length(20, 2048);

fn missing(arn: &str) -> IamError {
    IamError::Missing(format!("OpenIDConnect Provider not found for arn {arn}"))
}

impl OidcProvider {
    /// Changes the provider as it is now, and records the call, in one transaction.
    ///
    /// # Errors
    /// `NoSuchEntity` when it was deleted meanwhile; those of `change`.
    pub(crate) fn change(
        &self,
        call: &Call<'_, Iam>,
        change: impl FnOnce(&mut Self) -> Result<()> + Send + 'static,
    ) -> impl Future<Output = Result<()>> + Send {
        let (account, url) = (self.account.clone(), self.url.clone());
        call.write(&call.service.store, move |tx| {
            let found = oidc_provider::find(tx, &account, &url)?;
            let mut provider = found.ok_or_else(|| missing(oidc_provider::arn(&account, &url).as_str()))?;
            change(&mut provider)?;
            Ok(tx.put(&account, &url, &provider)?)
        })
    }
}

impl Resource for OidcProvider {
    type Service = Iam;
    type Key<'a> = &'a str;

    async fn find<'a>(arn: &'a str, call: &'a Call<'_, Iam>) -> Result<Self> {
        let account = call.account().to_owned();
        let url = oidc_provider::url_of(arn, &account).ok_or_else(|| missing(arn))?;
        let found = call.service.store.read(move |tx| oidc_provider::find(tx, &account, &url)).await?;
        found.ok_or_else(|| missing(arn))
    }

    fn need<'n>(&'n self, arn: &'n str, action: &'static str, _: &'n Call<'_, Iam>) -> Need<'n> {
        tag::on_resource(Need::identity(action, arn), &self.tags)
    }

    fn need_of_missing<'n>(arn: &'n str, action: &'static str, _: &'n Call<'_, Iam>) -> Option<Need<'n>> {
        Some(Need::identity(action, arn))
    }
}
