//! OpenID Connect providers as they are stored.

use serde::{Deserialize, Serialize};
use store::{ReadTx, Record};
use wire::{Arn, Timestamp};

use crate::values::error::Result;
use crate::values::tag::Tag;

/// The prefix of an ARN's resource.
const RESOURCE: &str = "oidc-provider/";

/// A provider as it is stored, under its account and URL.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct OidcProvider {
    pub(crate) account: String,
    /// Without its scheme: host and path.
    pub(crate) url: String,
    pub(crate) clients: Vec<String>,
    pub(crate) thumbprints: Vec<String>,
    pub(crate) created: Timestamp,
    pub(crate) tags: Vec<Tag>,
}

impl Record for OidcProvider {
    const COLLECTION: &'static str = "iam.oidc-provider";
}

impl OidcProvider {
    pub(crate) fn arn(&self) -> Arn {
        arn(&self.account, &self.url)
    }
}

pub(crate) fn arn(account: &str, url: &str) -> Arn {
    Arn::new("iam", "", account, &format!("{RESOURCE}{url}"))
}

/// The provider at a URL without scheme.
pub(crate) fn find(tx: &ReadTx<'_>, account: &str, url: &str) -> Result<Option<OidcProvider>> {
    Ok(tx.get::<OidcProvider>(account, url)?)
}

/// The URL that a provider's ARN names, if it is one of the account.
pub(crate) fn url_of(text: &str, account: &str) -> Option<String> {
    let arn: Arn = text.parse().ok()?;
    let own = arn.service() == "iam" && arn.account() == account;
    arn.resource().strip_prefix(RESOURCE).filter(|url| own && !url.is_empty()).map(str::to_owned)
}
