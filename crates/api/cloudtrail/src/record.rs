//! The members of an audit record that look-ups read.

use std::borrow::Cow;

use serde::Deserialize;

/// The members of a CloudTrail record that look-ups filter by or give out.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record<'a> {
    #[serde(borrow)]
    pub(crate) user_identity: UserIdentity<'a>,
    #[serde(borrow)]
    pub(crate) event_time: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) event_source: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) event_name: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) aws_region: Cow<'a, str>,
    #[serde(borrow, rename = "eventID")]
    pub(crate) event_id: Cow<'a, str>,
    pub(crate) read_only: bool,
    #[serde(borrow, default)]
    pub(crate) resources: Vec<Resource<'a>>,
    /// Absent from calls whose caller is not known: they belong to no account.
    #[serde(borrow)]
    pub(crate) recipient_account_id: Option<Cow<'a, str>>,
}

/// The caller.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserIdentity<'a> {
    #[serde(borrow, rename = "type")]
    pub(crate) kind: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) arn: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) access_key_id: Option<Cow<'a, str>>,
}

/// A resource that the call acted on.
#[derive(Deserialize)]
pub(crate) struct Resource<'a> {
    #[serde(borrow, rename = "ARN")]
    pub(crate) arn: Cow<'a, str>,
}

impl UserIdentity<'_> {
    /// The name under which CloudTrail finds the caller: of a user, a session, or `root`.
    pub(crate) fn name(&self) -> Option<&str> {
        match &*self.kind {
            "Root" => Some("root"),
            _ => self.arn.rsplit(['/', ':']).next().filter(|name| !name.is_empty()),
        }
    }
}
